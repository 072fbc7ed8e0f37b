"""What the gate's computer shows by itself: each thing that can be wrong with it, made wrong."""

from pathlib import Path

import pytest
from msgspec.structs import replace

from gated.config import Loaded, load
from gated.selftest import records
from gated.selftest.finding import Verdict
from gated.store import disk
from gated.store.journal import Journal
from gated.store.watchlist import ENTRIES
from tests.core.passages import citizen, start_events
from tests.store.central_stand_in import Central, Gate, document
from tests.store.test_journal import FIRST, tamper, write
from tests.test_config import filled


@pytest.fixture
def loaded(tmp_path: Path) -> Loaded:
    path = tmp_path / "gate.toml"
    path.write_text(filled())
    loaded = load(path)
    paths = replace(loaded.config.paths, state=str(tmp_path), models=str(tmp_path / "models"))
    return replace(loaded, config=replace(loaded.config, paths=paths))


def written(folder: Path) -> Path:
    path = folder / "journal.db"
    journal = Journal(path)
    write(journal, (*start_events(), *citizen(FIRST)))
    journal.close()
    return path


def test_a_journal_that_is_whole(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    written(tmp_path)
    found = records.journal(tmp_path)
    assert found.verdict is Verdict.OK
    assert "all of them follow" in found.measured
    monkeypatch.setattr(records, "LAST", 5)
    assert "the last 5 of them" in records.journal(tmp_path).measured


@pytest.mark.parametrize(
    "change",
    [
        "UPDATE entries SET utc = '2031-01-01T00:00:00.000+00:00' WHERE seq = 7",
        "DELETE FROM entries WHERE seq = 7",
    ],
)
def test_a_journal_that_was_tampered_with(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, change: str
) -> None:
    tamper(written(tmp_path), change)
    found = records.journal(tmp_path)
    assert (found.verdict, found.code) == (Verdict.FAULT, "chain_broken")
    assert "entry 7" in found.measured
    monkeypatch.setattr(records, "LAST", 3)  # what lies before is for `gatectl journal verify`
    assert records.journal(tmp_path).verdict is Verdict.OK


def test_a_journal_that_is_not_there_or_is_none(tmp_path: Path) -> None:
    assert records.journal(tmp_path).code == "missing"
    (tmp_path / "journal.db").write_bytes(b"no database at all" * 100)
    assert records.journal(tmp_path).code == "damaged"
    assert records.journal(tmp_path).fix


def test_the_disk_tells_its_room_and_its_trouble(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert records.disk_below(tmp_path).verdict is Verdict.OK
    monkeypatch.setattr(disk, "MIN_FREE", 2**60)
    found = records.disk_below(tmp_path)
    assert (found.verdict, found.code) == (Verdict.FAULT, "disk_nearly_full")
    assert records.disk_below(tmp_path / "gone").code == "disk_gone"


@pytest.mark.parametrize(
    ("good", "required", "verdict"),
    [(True, True, Verdict.OK), (False, True, Verdict.FAULT), (False, False, Verdict.WARNING)],
)
def test_the_clock(
    monkeypatch: pytest.MonkeyPatch,
    good: bool,  # noqa: FBT001 - parameters of the test
    required: bool,  # noqa: FBT001
    verdict: Verdict,
) -> None:
    monkeypatch.setattr(records, "synchronised", lambda: good)
    assert records.clock(required=required).verdict is verdict


def test_a_list_is_read_with_its_age_while_no_gate_holds_it(loaded: Loaded, tmp_path: Path) -> None:
    assert records.lists(loaded).code == "missing"
    central = Central(tmp_path / "central")
    gate = Gate(tmp_path / "watchlist", central)
    central.publish(document("L898902C3"))
    gate.refresh()
    gate.watchlist.close()
    assert records.lists(loaded).verdict is Verdict.OK
    (gate.place(1) / ENTRIES).write_bytes(bytes(10_000))
    assert records.lists(loaded).verdict is Verdict.FAULT
