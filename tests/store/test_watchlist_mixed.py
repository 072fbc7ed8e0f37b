"""An attacker on the line who holds every signed state there ever was, and puts parts of them together."""

from collections.abc import Callable
from pathlib import Path

import pytest

from gated.store.replication import Failed, Unchanged, Updated
from tests.store.central_stand_in import Central, Gate, document


def seen(central: Central) -> dict[str, bytes]:
    """What the line carries for the state of now, by the part that it is."""
    files = [path for path in central.folder.repository.rglob("*") if path.is_file()]
    newest = sorted(files, key=lambda path: path.stat().st_mtime_ns)
    return {part_of(str(path.relative_to(central.folder.repository))): path.read_bytes() for path in newest}


def part_of(url: str) -> str:
    return next(
        (part for part in ("timestamp", "snapshot", "watchlist", "index") if f"{part}.json" in url), url
    )


def replayed(old: dict[str, bytes], *parts: str) -> Callable[[str, bytes], bytes]:
    return lambda url, content: old.get(part_of(url), content) if part_of(url) in parts else content


@pytest.mark.parametrize(
    "parts",
    [("snapshot",), ("watchlist",), ("index",), ("snapshot", "watchlist"), ("watchlist", "index")],
)
def test_parts_of_two_signed_states_are_never_put_together(tmp_path: Path, parts: tuple[str, ...]) -> None:
    central = Central(tmp_path / "central")
    central.publish(document("A00000"))
    gate = Gate(tmp_path / "state", central)
    assert gate.refresh() == Updated(version=1, by="snapshot")
    old = seen(central)
    central.publish(document("B00001"))
    central.tamper = replayed(old, *parts)
    refused = gate.refresh()
    assert isinstance(refused, Failed)
    assert refused.code in {"bad_hash", "rollback", "oversized"}
    assert gate.watchlist.version == 1
    central.tamper = replayed({})
    assert gate.refresh() == Updated(version=2, by="snapshot")
    gate.watchlist.close()


def test_a_word_that_is_replayed_for_days_keeps_no_list_young(tmp_path: Path) -> None:
    central = Central(tmp_path / "central")
    central.publish(document("A00000"))
    gate = Gate(tmp_path / "state", central)
    gate.refresh()
    old = seen(central)
    central.sign_again(later_s=3600)
    central.publish(document("B00001"))
    central.tamper = replayed(old, "timestamp", "snapshot", "watchlist", "index")
    gate.age_s()  # from here on the monotonic clock counts, whatever the other one says
    for hours in range(9, 73, 9):
        gate.at += 9 * 3600
        assert isinstance(gate.refresh(), Unchanged | Failed)
        age = gate.age_s()
        assert age is not None
        assert age >= 3600 * hours
    assert gate.watchlist.version == 1
    gate.watchlist.close()


@pytest.mark.parametrize(
    "bomb",
    [b"[" * 16_000, b'{"signed":' * 1_600, b'{"signed":{"version":' + b"9" * 5_000 + b"}}", b"null", b"\xff"],
)
def test_what_bursts_a_reader_of_json_is_refused_and_leaves_no_trace(tmp_path: Path, bomb: bytes) -> None:
    central = Central(tmp_path / "central")
    central.publish(document("A00000"))
    gate = Gate(tmp_path / "state", central)
    gate.refresh()
    central.publish(document("B00001"))
    for part in ("timestamp", "snapshot", "watchlist", "index"):
        central.tamper = replayed({part: bomb}, part)
        assert isinstance(gate.refresh(), Failed)
    for kept in (gate.state / "tuf").glob("*.json"):
        kept.write_bytes(bomb)  # as if the disk had done it
    central.tamper = replayed({})
    assert gate.refresh() == Updated(version=2, by="snapshot")
    gate.watchlist.close()
