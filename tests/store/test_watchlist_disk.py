"""A disk that fails at any step of an activation leaves the list in force, and no litter to fill it."""

import errno
from pathlib import Path

import pytest

from gated.central.packs import new_list_key
from gated.core.personal import Personal
from gated.core.vocabulary import Grade
from gated.store.replication import Failed, Updated, WatchlistUpdater
from gated.store.versions import POINTER
from gated.watchlist.keyed import ListKeys
from gated.watchlist.match import DocumentClaim
from tests.store.central_stand_in import Central, Gate, document

OLD = DocumentClaim(number=Personal("A00000"), issuer="UTO")


@pytest.mark.parametrize("step", ["built", "flushed", "named", "pointed", "switched"])
def test_a_full_disk_at_any_step_leaves_one_whole_list_and_no_litter(tmp_path: Path, step: str) -> None:
    central = Central(tmp_path / "central")
    keys = ListKeys([new_list_key(central.folder)])
    central.publish(document("A00000"))
    gate = Gate(tmp_path / "state", central, keys)
    assert gate.refresh() == Updated(version=1, by="snapshot")
    central.publish(document("B00001"))

    def full(reached: str) -> None:
        if reached == step:
            raise OSError(errno.ENOSPC, "No space left on device")

    good, gate.updater = gate.updater, WatchlistUpdater(gate.watchlist, central, reached=full)
    failed = gate.refresh()
    assert isinstance(failed, Failed)
    assert failed.code == "disk_full"
    assert gate.watchlist.lookup(document=OLD).grade is Grade.STOP
    renamed = step == "switched"
    left = {path.name for path in gate.place(1).parent.iterdir()}
    assert left == {"1", POINTER, *(["2"] if renamed else [])}

    gate.updater = good
    assert isinstance(gate.refresh(), Updated)
    assert gate.watchlist.lookup(document=OLD).grade is Grade.NONE
    gate.open()
    assert gate.watchlist.version == 2
    gate.watchlist.close()
