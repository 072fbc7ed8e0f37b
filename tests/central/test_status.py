"""The status of a centre, as whoever was woken reads it: what to look at stands last, or that all is well."""

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from gated.central import status
from gated.central.cli import main
from gated.central.folder import CentralFolder
from gated.store.journal import Journal
from tests.central.collecting import Pair, paired
from tests.central.test_retention import deliver, keep, lived, settle, travellers

HEADER = "number,issuer,type,surname,given,birth,nationality,grade,reason,reference\n"


@pytest.fixture
def folder(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> Path:
    """A centre with a list and two gates."""
    folder, source = tmp_path / "central", tmp_path / "list.csv"
    source.write_text(f"{HEADER}L898902C3,UTO,P,,,,,stop,stolen,R-1\n")
    assert main(["init", str(folder)]) == 0
    for gate in ("gate-1", "gate-2"):
        assert main(["keys", str(folder), "--gate", gate]) == 0
    assert main(["publish", str(folder), "--list", str(source)]) == 0
    capsys.readouterr()
    return folder


def text(folder: Path, now: datetime) -> list[str]:
    return list(status.lines(status.status(CentralFolder(folder), "", now), now))


def test_a_centre_that_is_well_says_so_on_its_last_line(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["status", str(folder), "--check"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert lines[-1] == "nothing to look at"
    assert max(map(len, lines)) <= 80
    assert lines[1].startswith("receipt key  ")
    assert "list main: 1 documents, 0 persons, 0 steps" in lines


def test_what_to_look_at_stands_last_and_the_check_fails(
    folder: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    later = datetime.now(UTC) + timedelta(minutes=11)
    lines = text(folder, later)
    told = lines[lines.index("LOOK AT") + 1 :]
    assert told[0].startswith("- nobody vouches since ")
    assert "vouched for 11 min ago" in lines
    monkeypatch.setattr(status, "UNVOUCHED", timedelta(seconds=-1))
    for words, code in (([], 0), (["--check"], 1), (["--check", "--json"], 1)):
        assert main(["status", str(folder), *words]) == code
    assert json.loads(capsys.readouterr().out.splitlines()[-1])["warnings"]


def test_gates_are_told_with_what_is_held_of_them_the_revoked_and_the_silent_apart(
    folder: Path, tmp_path: Path
) -> None:
    Journal(tmp_path / "journal.db").close()
    lived(tmp_path / "journal.db", travellers(1))
    with paired(tmp_path / "journal.db", folder / "journals.db") as pair:
        deliver(pair, 0)
        _remove_and_go_on(pair)
    heard = datetime.fromisoformat("2030-02-05T00:00:00+00:00")
    rows = {line.split()[0]: line.split()[1:] for line in text(folder, heard) if line.startswith("gate-")}
    held, first = len(travellers(1, 2)), len(travellers(1)) + 1
    assert rows["gate-1"] == [str(held), str(first), "0", "0", "s", "ago", "-"]
    assert rows["gate-2"] == ["-"] * 5
    silent = heard + timedelta(hours=2)
    assert any("gate-1: nothing was heard" in line for line in text(folder, silent))
    assert main(["revoke", str(folder), "--gate", "gate-1"]) == 0
    lines = text(folder, silent)
    assert not any("nothing was heard" in line for line in lines), "it may not speak any more"
    assert any(line.startswith("gate-1 (revoked)") for line in lines)


def _remove_and_go_on(pair: Pair) -> None:
    keep(pair, 31)
    lived(pair.journal, travellers(1, 2), len(travellers(1)))
    deliver(pair, 35)
    settle(pair)


@pytest.mark.parametrize(
    ("seconds", "told"),
    [(-5, "0 s"), (119, "119 s"), (120, "2 min"), (7199, "119 min"), (7200, "2 h"), (172_800, "2 days")],
)
def test_how_long_ago_is_told_in_one_unit(seconds: int, told: str) -> None:
    now = datetime(2030, 1, 1, tzinfo=UTC)
    assert status._ago((now - timedelta(seconds=seconds)).isoformat(), now) == f"{told} ago"
