"""What the input lines say, and whether it can be in a lane where nobody is."""

from collections.abc import Collection, Iterator, Mapping, Sequence
from typing import Final

from drivers.gpio import ACTIVE_WHEN_CUT
from gated.core.crossings import Beam
from gated.core.values import Value
from gated.core.vocabulary import Door
from gated.selftest.finding import Finding, fault, many, ok, warning

HARDLY_S: Final = 300.0  # a passage with an officer in it is over by then
STANDS_S: Final = 10.0  # nobody who only passes is anywhere so long
ALARMS: Final = ("fire", "panic")
_END: Final = {"document": "", "exit_document": "other end"}
BEAMS: Final = {door: tuple(f"{door}_{beam}" for beam in Beam) for door in Door}


class Level(Value):
    """An input is active or not, and how long it has been so."""

    active: bool
    since_s: float


class Lane(Value):
    """What is known of the lane: doors that are released, and whether nobody is served in it.

    `doubted`: the gate itself has found that somebody is felt in it for ever.
    """

    released: frozenset[str] = frozenset()
    at_rest: bool = True
    doubted: bool = False
    cycles: Mapping[str, int] = {}


def polarity(name: str) -> str:
    """Where to look if a level says the opposite of what is so."""
    return f"else check its wire, and active_low of [io_board.inputs] {name}"


def judge(levels: Mapping[str, Level], flapping: Collection[str], lane: Lane) -> Iterator[Finding]:
    """All that can be said of these inputs."""
    yield from _flaps(flapping)
    active = sorted(name for name, level in levels.items() if level.active)
    yield ok("inputs", f"{len(levels)} read; active: {', '.join(active) or 'none'}")
    for name in ALARMS:
        if name in levels:
            yield _alarm(name, levels[name])
    for door in Door:
        if f"{door}_shut" in levels:
            yield _door(door, levels, lane)
        if all(beam in levels for beam in BEAMS[door]):
            yield from _curtain(door, levels, flapping)
    yield from _presence(levels, lane)
    for name in ("document", "exit_document"):
        if name in levels:
            yield _document(name, levels[name], lane)
    if "mains_lost" in levels:
        yield _mains(levels["mains_lost"])


def _flaps(flapping: Collection[str]) -> Iterator[Finding]:
    for name in sorted(flapping):
        cut = "active" if name in ACTIVE_WHEN_CUT else "inactive"
        yield fault(
            "inputs",
            "line_flaps",
            f"flaps, and counts as cut ({cut})",
            "push its plug home, check its wire and contact; then: gatectl clear-fault io_board",
            name,
        )


def _alarm(name: str, level: Level) -> Finding:
    if not level.active:
        return ok("alarms", "not raised", name)
    return fault(
        "alarms",
        f"{name}_active",
        _for(level),
        f"see whether the alarm is raised and clear it, then: gatectl reset-emergency; {polarity(name)}",
        name,
    )


def _door(door: Door, levels: Mapping[str, Level], lane: Lane) -> Finding:
    level = levels[f"{door}_shut"]
    cycles = f", {many(lane.cycles[door], 'cycle')}" if door in lane.cycles else ""
    if level.active or door in lane.released:
        told = ("released, " if door in lane.released else "") + ("shut" if level.active else "open")
        return ok("doors", f"{told}{cycles}", door)
    both = all(not levels[name].active for name in ("entry_shut", "exit_shut") if name in levels)
    why = " (both doors say so: their common wire?)" if both and not lane.released else ""
    return fault(
        "doors",
        "door_not_shut",
        f"not released and not shut, {_for(level)}{why}",
        f"shut it and free what holds it; {polarity(f'{door}_shut')}",
        door,
    )


def _curtain(door: Door, levels: Mapping[str, Level], flapping: Collection[str]) -> Iterator[Finding]:
    beams = [name for name in BEAMS[door] if name not in flapping]
    blocked = [name for name in beams if levels[name].active]
    told = ", ".join(f"{name.removeprefix(f'{door}_')} {_beam(levels[name])}" for name in BEAMS[door])
    if len(blocked) == len(BEAMS[door]):
        yield fault(
            "curtains",
            "curtain_dark",
            "all beams blocked",
            "check its supply and cable, and what stands in the doorway",
            door,
        )
        return
    standing = [name for name in blocked if levels[name].since_s >= STANDS_S]
    if not standing:
        yield ok("curtains", told, door)
    for name in standing:
        yield warning(
            "curtains",
            "beam_blocked",
            f"{name} {_for(levels[name])}",
            f"take away what is in it, clean its lenses and align it; {polarity(name)}",
            door,
        )


def _presence(levels: Mapping[str, Level], lane: Lane) -> Iterator[Finding]:
    occupied, crowded = levels.get("occupied"), levels.get("crowded")
    if occupied is None or crowded is None:
        return
    if crowded.active and not occupied.active:
        yield fault(
            "presence",
            "presence_contradicts",
            "several persons, and nobody",
            f"check the sensor's cable; {polarity('crowded')} and occupied",
        )
    elif occupied.active and lane.doubted:
        yield fault(
            "presence",
            "presence_stuck",
            f"somebody is felt in the lane, {_for(occupied)}, and nothing moves",
            "look into the lane: people, a bag; if nothing is there, `gatectl gate mode maintenance`, then"
            f" clean and align the sensor and see its wire; {polarity('occupied')};"
            " then: gatectl clear-fault io_board",
        )
    elif lane.doubted:
        yield warning(
            "presence",
            "presence_was_stuck",
            "nobody now; before, somebody was felt for so long that the gate doubted it",
            "walk in and out and see whether it follows, then: gatectl clear-fault io_board",
        )
    elif occupied.active and occupied.since_s >= (STANDS_S if lane.at_rest else HARDLY_S):
        yield warning(
            "presence",
            "lane_occupied",
            f"somebody is in the lane{' at rest' if lane.at_rest else ''}, {_for(occupied)}",
            f"look into the lane, take away what stands there; {polarity('occupied')}",
        )
    else:
        yield ok("presence", "several" if crowded.active else "somebody" if occupied.active else "nobody")


def _document(name: str, level: Level, lane: Lane) -> Finding:
    if level.active and lane.at_rest and level.since_s >= STANDS_S:
        return warning(
            "document",
            "document_lies",
            f"something lies on the reader, {_for(level)}",
            f"take it away, clean the glass; {polarity(name)}",
            _END[name],
        )
    return ok("document", "something lies there" if level.active else "nothing lies there", _END[name])


def _mains(level: Level) -> Finding:
    if not level.active:
        return ok("power", "on mains")
    return fault(
        "power", "mains_lost", f"on battery, {_for(level)}", f"restore the mains; {polarity('mains_lost')}"
    )


def _beam(level: Level) -> str:
    return "BLOCKED" if level.active else "free"


def _for(level: Level) -> str:
    return f"active for {level.since_s:.0f} s" if level.active else f"inactive for {level.since_s:.0f} s"


def named(levels: Sequence[tuple[str, bool, float]]) -> dict[str, Level]:
    """Levels by name, of (name, active, since when in seconds)."""
    return {name: Level(active=active, since_s=since_s) for name, active, since_s in levels}
