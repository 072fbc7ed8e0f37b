"""SIGKILL at each step of an activation: afterwards there is the old list or the new one, never neither."""

import subprocess
import sys
from pathlib import Path

import pytest

from gated.central.packs import new_list_key
from gated.core.personal import Personal
from gated.core.vocabulary import Grade
from gated.store.replication import Unchanged, Updated
from gated.store.versions import POINTER
from gated.store.watchlist import Watchlist
from gated.watchlist.keyed import ListKeys
from gated.watchlist.match import DocumentClaim
from tests.store.central_stand_in import Central, Gate, document

KILLED = """
import os, signal, sys
from datetime import UTC, datetime
from pathlib import Path
from gated.store.list_keys import read_list_key
from gated.store.replication import WatchlistUpdater
from gated.store.watchlist import Watchlist
from gated.watchlist.keyed import ListKeys
from gated.central.folder import CentralFolder
from tests.store.central_stand_in import Central

state, central, step = Path(sys.argv[1]), Path(sys.argv[2]), sys.argv[3]

def die_at(reached):
    if reached == step:
        os.kill(os.getpid(), signal.SIGKILL)

keys = ListKeys(read_list_key(path) for path in (central / "keys").glob("list.key"))
fetcher = Central.__new__(Central)
fetcher.folder, fetcher.down, fetcher.fetched = CentralFolder(central), False, []
fetcher.tamper = lambda url, content: content
batches = iter(range(1000))
alive = lambda: die_at(f"batch-{next(batches)}")
updater = WatchlistUpdater(Watchlist.open(state, keys), fetcher, alive=alive, reached=die_at)
print(updater.refresh(datetime.now(UTC), 1.0))
"""
ROWS = {"entries": 12_000, "packed": 500}  # more than a batch, where there are batches
NEW = {"switched", "settled"}  # from the rename on, the new list is in force


STEPS = ("batch-0", "built", "flushed", "named", "pointed", "switched", "settled")
# A packed step is merged in one go, and an empty delta of persons has no batch.
CASES = [
    (kind, by, step)
    for kind in ROWS
    for by in ("snapshot", "delta")
    for step in STEPS
    if (kind, by, step) != ("packed", "delta", "batch-0")
]


def build(tmp_path: Path, kind: str) -> tuple[Central, Gate]:
    central = Central(tmp_path / "central")
    keys = ListKeys([new_list_key(central.folder)]) if kind == "packed" else None
    central.publish(*(document(f"A{number:05}") for number in range(ROWS[kind])))
    gate = Gate(tmp_path / "state", central, keys)
    assert gate.refresh() == Updated(version=1, by="snapshot")
    return central, gate


@pytest.mark.parametrize(("kind", "by", "step"), CASES)
def test_a_kill_leaves_the_old_list_or_the_new_one(tmp_path: Path, kind: str, by: str, step: str) -> None:
    central, gate = build(tmp_path, kind)
    gate.watchlist.close()
    rows = [document(f"A{number:05}") for number in range(1, ROWS[kind])]
    central.publish(*rows, document("B00001"), keep=1 if by == "delta" else 0)
    done = subprocess.run(
        [sys.executable, "-c", KILLED, gate.state, central.folder.path, step],
        check=False,
        capture_output=True,
        text=True,
        timeout=60,
        cwd=Path(__file__).parents[2],
    )
    assert done.returncode == -9, done.stdout + done.stderr

    gate.open()
    version = 2 if step in NEW else 1
    assert gate.watchlist.version == version
    claim = DocumentClaim(number=Personal("A00000"), issuer="UTO")
    assert gate.watchlist.lookup(document=claim).grade is (Grade.NONE if version == 2 else Grade.STOP)
    assert gate.age_s() is not None
    left = {path.name for path in gate.place(1).parent.iterdir()}
    assert left <= {"1", "2", POINTER}
    assert ("2" in left) == (version == 2)
    assert gate.refresh() == (Unchanged(version=2) if version == 2 else Updated(version=2, by=by))
    assert gate.watchlist.lookup(document=claim).grade is Grade.NONE
    gate.watchlist.close()


@pytest.mark.parametrize("step", ["pointed", "switched", "settled"])
def test_a_kill_while_going_back_leaves_one_list_or_the_other(tmp_path: Path, step: str) -> None:
    central, gate = build(tmp_path, "packed")
    central.publish(document("B00001"))
    assert isinstance(gate.refresh(), Updated)

    class Killed(Exception):
        pass

    def die(reached: str) -> None:
        if reached == step:
            raise Killed

    with pytest.raises(Killed):
        gate.watchlist.roll_back(die)
    gate.open()  # as a new process would, with the old one's files still open
    back = step in NEW
    assert (gate.watchlist.version, gate.watchlist.content) == (2, 1 if back else 2)
    claim = DocumentClaim(number=Personal("A00000"), issuer="UTO")
    assert gate.watchlist.lookup(document=claim).grade is (Grade.STOP if back else Grade.NONE)
    gate.watchlist.close()


def test_a_kill_during_the_first_build_leaves_no_list_and_the_next_refresh_brings_it(tmp_path: Path) -> None:
    central = Central(tmp_path / "central")
    central.publish(document("A00000"))
    gate = Gate(tmp_path / "state", central)
    gate.watchlist.close()
    done = subprocess.run(
        [sys.executable, "-c", KILLED, gate.state, central.folder.path, "built"],
        check=False,
        capture_output=True,
        timeout=60,
        cwd=Path(__file__).parents[2],
    )
    assert done.returncode == -9
    assert Watchlist.open(gate.state).version == 0
    assert [path.name for path in gate.place(1).parent.iterdir()] == []
    gate.open()
    assert gate.refresh() == Updated(version=1, by="snapshot")
    gate.watchlist.close()
