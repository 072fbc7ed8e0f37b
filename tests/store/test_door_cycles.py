"""The door cycles: counted, kept, and never in the way."""

from pathlib import Path

import pytest

from gated.core.vocabulary import Door
from gated.store import door_cycles as module
from gated.store.door_cycles import Counts, DoorCycles


def cycle(cycles: DoorCycles, door: Door) -> None:
    cycles.moved(door, shut=False)
    cycles.moved(door, shut=True)


def test_a_door_that_opens_and_shuts_is_a_cycle_and_the_counts_are_kept(tmp_path: Path) -> None:
    cycles = DoorCycles(tmp_path / "doors.json")
    cycles.moved(Door.ENTRY, shut=True)  # the first level is no movement
    cycle(cycles, Door.ENTRY)
    cycle(cycles, Door.EXIT)
    cycle(cycles, Door.EXIT)
    assert cycles.counts == Counts(entry=1, exit=2)
    cycles.keep(now=True)
    assert DoorCycles(tmp_path / "doors.json").counts == Counts(entry=1, exit=2)
    assert [path.name for path in tmp_path.iterdir()] == ["doors.json"]


def test_the_disk_is_written_once_a_minute_at_most(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    cycles = DoorCycles(tmp_path / "doors.json")
    cycle(cycles, Door.EXIT)
    cycles.keep()
    assert not (tmp_path / "doors.json").exists()
    monkeypatch.setattr(module, "KEEP_S", 0.0)
    cycles.keep()
    assert (tmp_path / "doors.json").exists()


@pytest.mark.parametrize("damage", [b"", b"{}x", b'{"entry": "many"}', bytes(5000)])
def test_a_damaged_file_begins_anew(tmp_path: Path, damage: bytes) -> None:
    (tmp_path / "doors.json").write_bytes(damage)
    cycles = DoorCycles(tmp_path / "doors.json")
    assert cycles.counts == Counts()
    cycle(cycles, Door.ENTRY)
    cycles.keep(now=True)
    assert DoorCycles(tmp_path / "doors.json").counts == Counts(entry=1)


def test_a_disk_that_takes_nothing_does_not_stop_the_count(tmp_path: Path) -> None:
    cycles = DoorCycles(tmp_path / "gone" / "doors.json")
    cycle(cycles, Door.ENTRY)
    cycles.keep(now=True)
    assert cycles.counts == Counts(entry=1)
