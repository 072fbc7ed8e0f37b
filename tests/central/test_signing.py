"""Roles, thresholds and new keys at the centre, and that gates follow every one of these steps."""

import json
import shutil
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest

from gated.central import rotation
from gated.central.cli import main
from gated.central.folder import CentralFolder
from gated.central.repository import Repository
from gated.central.signers import key_files
from gated.store.replication import Failed, Unchanged, Updated
from gated.watchlist.publication import ROLES
from tests.store.central_stand_in import COLUMNS, Central, Gate, document


@pytest.fixture
def central(tmp_path: Path) -> Central:
    central = Central(tmp_path / "central")
    central.publish(document("L898902C3"))
    return central


@pytest.fixture
def gate(tmp_path: Path, central: Central) -> Iterator[Gate]:
    gate = Gate(tmp_path / "gate", central)
    assert gate.refresh() == Updated(version=1, by="snapshot")
    yield gate
    gate.watchlist.close()


def run(capsys: pytest.CaptureFixture[str], *arguments: object) -> dict[str, object]:
    capsys.readouterr()
    assert main([*map(str, arguments), "--json"]) == 0, capsys.readouterr().err
    answer: dict[str, object] = json.loads(capsys.readouterr().out)
    return answer


def refused(capsys: pytest.CaptureFixture[str], *arguments: object) -> str:
    capsys.readouterr()
    assert main([*map(str, arguments)]) == 1
    return capsys.readouterr().err


def founded(folder: Path, capsys: pytest.CaptureFixture[str], *quorums: str) -> CentralFolder:
    run(capsys, "init", folder, *(part for each in quorums for part in ("--quorum", each)))
    return CentralFolder(folder)


def listed(folder: Path, *numbers: str) -> Path:
    source = folder / "list.csv"
    source.write_text(COLUMNS + "".join(f"{document(number)}\n" for number in numbers))
    return source


@pytest.mark.parametrize("role", ["root", "targets", "snapshot", "timestamp", *ROLES])
def test_gates_follow_new_keys_of_every_role(
    gate: Gate, central: Central, role: str, capsys: pytest.CaptureFixture[str]
) -> None:
    before = {path.read_bytes() for path in key_files(central.folder.keys, role)}
    answer = run(capsys, "rotate", central.folder.path, "--role", role, "--quorum", "2/3")
    assert (answer["threshold"], answer["keys"]) == (2, 3)
    after = {path.read_bytes() for path in key_files(central.folder.keys, role)}
    assert len(after) == 3
    assert not before & after
    central.now = datetime.now(UTC)
    assert gate.refresh() == Unchanged(version=1)
    central.publish(document("L898902C3"), document("B00001"))
    assert gate.refresh() == Updated(version=2, by="delta")
    fresh = Gate(central.folder.path / "fresh", central)
    assert fresh.refresh() == Updated(version=2, by="snapshot")
    fresh.watchlist.close()


def test_what_retired_keys_sign_is_not_believed(
    gate: Gate, central: Central, capsys: pytest.CaptureFixture[str]
) -> None:
    keys = central.folder.keys
    retired = Path(str(run(capsys, "rotate", central.folder.path, "--role", "watchlist")["retired"]))
    central.now = datetime.now(UTC)
    gate.refresh()
    shutil.copy(retired / "watchlist.pem", keys / "watchlist.pem")
    assert "needs 1 signatures and has 0" in refused(
        capsys, "publish", central.folder.path, "--list", listed(central.folder.path, "B00001")
    )
    assert gate.refresh() == Unchanged(version=1)


def test_keys_of_one_kind_do_not_sign_another(central: Central, capsys: pytest.CaptureFixture[str]) -> None:
    for path in key_files(central.folder.keys, "watchlist"):
        path.unlink()
    shutil.copy(central.folder.keys / "rules.pem", central.folder.keys / "watchlist.pem")
    assert "needs 1 signatures and has 0" in refused(
        capsys, "publish", central.folder.path, "--list", listed(central.folder.path, "B00001")
    )


@pytest.mark.parametrize("step", ["made", "signed", "half moved"])
def test_a_rotation_that_was_interrupted_is_finished_by_the_same_command(
    gate: Gate,
    central: Central,
    step: str,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    class Cut(BaseException):
        pass

    def cut(*_: object) -> None:
        raise Cut

    real = rotation._settle
    if step == "made":
        monkeypatch.setattr(rotation, "_install", cut)
    elif step == "signed":
        monkeypatch.setattr(rotation, "_settle", cut)
    else:

        def half(folder: CentralFolder, role: str, held: set[str], now: datetime) -> Path:
            real(folder, role, held, now)
            first, *_ = key_files(folder.keys, role)
            first.replace(folder.keys / "next" / first.name)
            raise Cut

        monkeypatch.setattr(rotation, "_settle", half)
    with pytest.raises(Cut):
        main(["rotate", str(central.folder.path), "--role", "watchlist", "--quorum", "2/2"])
    monkeypatch.undo()
    central.now = datetime.now(UTC)
    assert gate.refresh() == Unchanged(version=1)
    run(capsys, "rotate", central.folder.path, "--role", "watchlist", "--quorum", "2/2")
    assert not key_files(central.folder.keys / "next", "watchlist")
    central.publish(document("L898902C3"), document("B00001"))
    assert gate.refresh() == Updated(version=2, by="delta")


def test_several_holders_sign_one_after_the_other(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    folder = founded(tmp_path / "central", capsys, "watchlist=2/3")
    sticks = []
    for number, path in enumerate(key_files(folder.keys, "watchlist")):
        stick = tmp_path / f"stick-{number}"
        stick.mkdir()
        shutil.move(path, stick / path.name)
        sticks.append(stick)
    assert len(sticks) == 3
    built = run(capsys, "build", folder.path, "--list", listed(tmp_path, "L898902C3"))
    assert (built["version"], built["staged"]) == (1, True)
    assert "needs 2 signatures and has 0" in refused(capsys, "publish", folder.path)
    assert "no key of watchlist is here" in refused(capsys, "sign", folder.path)
    assert "no such folder of keys" in refused(capsys, "sign", folder.path, "--keys", tmp_path / "stik-0")
    one = run(capsys, "sign", folder.path, "--keys", sticks[0])
    assert (one["signatures"], one["needed"]) == (1, 2)
    assert "needs 2 signatures and has 1" in refused(capsys, "publish", folder.path)
    assert run(capsys, "sign", folder.path, "--keys", sticks[0])["signatures"] == 1  # the same holder again
    assert "1 signatures" in str(run(capsys, "status", folder.path)["kinds"])
    adopted = run(capsys, "publish", folder.path, "--keys", sticks[2])
    assert (adopted["kind"], adopted["version"], adopted["renewed"]) == ("watchlist", 2, False)
    assert run(capsys, "status", folder.path)["documents"] == 1


def test_what_was_built_before_another_publication_is_built_again(
    central: Central, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = central.folder.path
    run(capsys, "build", folder, "--list", listed(tmp_path, "B00001"))
    central.publish(document("C00001"))
    assert "published meanwhile" in refused(capsys, "publish", folder)


def test_what_was_built_survives_the_sweep_of_another_kind(
    central: Central, gate: Gate, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = central.folder.path
    run(capsys, "build", folder, "--list", listed(tmp_path, "L898902C3", "B00001"))
    text = tmp_path / "a.txt"
    text.write_text("good day")
    run(capsys, "publish", folder, "--kind", "prompts", "--file", text)
    run(capsys, "publish", folder)
    central.now = datetime.now(UTC)
    assert gate.refresh() == Updated(version=2, by="delta")


def test_publishing_nothing_new_signs_for_another_term(
    central: Central, capsys: pytest.CaptureFixture[str]
) -> None:
    version = Repository(central.folder).targets("rules").version
    adopted = run(capsys, "publish", central.folder.path, "--kind", "rules", "--kinds-days", "2")
    assert (adopted["renewed"], adopted["version"]) == (True, version + 1)
    assert "rules expires in 1 days" in str(run(capsys, "status", central.folder.path)["warnings"])


def test_a_list_is_withdrawn_by_publishing_the_one_before_again(
    central: Central, gate: Gate, capsys: pytest.CaptureFixture[str]
) -> None:
    assert "no list before this one" in refused(capsys, "withdraw", central.folder.path)
    central.publish(document("B00001"))
    assert gate.refresh() == Updated(version=2, by="snapshot")
    answer = run(capsys, "withdraw", central.folder.path)
    assert (answer["version"], answer["documents"]) == (3, 1)
    central.now = datetime.now(UTC)
    result = gate.refresh()
    assert isinstance(result, Updated)
    assert result.version == 3
    assert gate.watchlist.header is not None
    again = Gate(central.folder.path / "again", central)
    again.refresh()
    assert again.watchlist.digest == gate.watchlist.digest
    again.watchlist.close()


def test_a_kind_whose_term_is_over_hinders_no_other(
    central: Central, gate: Gate, capsys: pytest.CaptureFixture[str]
) -> None:
    run(capsys, "publish", central.folder.path, "--kind", "rules", "--kinds-days", "0.000001")
    central.now = datetime.now(UTC)
    assert not isinstance(gate.refresh(), Failed)
    assert "rules has expired" in str(run(capsys, "status", central.folder.path)["warnings"])


@pytest.mark.parametrize("wrong", ["root=3/2", "root=0/1", "root=1/17", "nobody=1/1", "root=x", "root"])
def test_a_quorum_that_cannot_be_met_is_refused(tmp_path: Path, wrong: str) -> None:
    with pytest.raises(SystemExit):
        main(["init", str(tmp_path / "central"), "--quorum", wrong])
    assert not (tmp_path / "central").exists()
