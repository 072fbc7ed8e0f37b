"""SIGKILL at each step of an activation: afterwards there is the old list or the new one, never neither."""

import subprocess
import sys
from pathlib import Path

import pytest

from gated.core.personal import Personal
from gated.core.vocabulary import Grade
from gated.store.replication import Unchanged, Updated
from gated.store.versions import POINTER
from gated.store.watchlist import Watchlist
from gated.watchlist.match import DocumentClaim
from tests.store.central_stand_in import Central, Gate, document

KILLED = """
import os, signal, sys
from datetime import UTC, datetime
from pathlib import Path
from gated.store.replication import WatchlistUpdater
from gated.store.watchlist import Watchlist
from gated.central.folder import CentralFolder
from tests.store.central_stand_in import Central

state, central, step = Path(sys.argv[1]), Path(sys.argv[2]), sys.argv[3]

def die_at(reached):
    if reached == step:
        os.kill(os.getpid(), signal.SIGKILL)

fetcher = Central.__new__(Central)
fetcher.folder, fetcher.down, fetcher.fetched = CentralFolder(central), False, []
fetcher.tamper = lambda url, content: content
batches = iter(range(1000))
alive = lambda: die_at(f"batch-{next(batches)}")
updater = WatchlistUpdater(Watchlist.open(state), fetcher, alive=alive, reached=die_at)
print(updater.refresh(datetime.now(UTC), 1.0))
"""
NEW = {"switched", "settled"}  # from the rename on, the new list is in force


def build(tmp_path: Path) -> tuple[Central, Gate]:
    central = Central(tmp_path / "central")
    central.publish(*(document(f"A{number:05}") for number in range(12_000)))
    gate = Gate(tmp_path / "state", central)
    assert gate.refresh() == Updated(version=1, by="snapshot")
    return central, gate


@pytest.mark.parametrize("by", ["snapshot", "delta"])
@pytest.mark.parametrize("step", ["batch-0", "built", "flushed", "named", "pointed", "switched", "settled"])
def test_a_kill_leaves_the_old_list_or_the_new_one(tmp_path: Path, step: str, by: str) -> None:
    central, gate = build(tmp_path)
    gate.watchlist.close()
    rows = [document(f"A{number:05}") for number in range(1, 12_000)]
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
