"""How a door follows its commands: from release to open, from lock to shut, and how its contact bounces."""

import itertools
import math
from collections.abc import Iterable, Iterator, Sequence
from typing import Final

from drivers.door import OPEN_S, SHUT_S
from gated.core.settings.board import InputLine, IoBoardSettings
from gated.core.values import Value
from gated.core.vocabulary import Door
from gated.runtime.requests import Mark
from gated.selftest.finding import Finding, fault, many, ok, warning
from gated.selftest.gate_line import GateLine

ASKED_S: Final = 2.0  # the gate releases within some hundredths of a second
HOLD_S: Final = 1.5  # it opens fully meanwhile: drives take 0.6 to 1.2 s
GAP_S: Final = 0.25  # edges closer than this are one movement
LATE: Final = 0.6  # of a limit: a door that takes longer will soon pass it
LEAST_DEBOUNCE_S: Final = 0.01
AFTER: Final = "then: gatectl clear-fault io_board"


class Cycle(Value):
    """One opening and shutting, seconds. `bounces`: edges beyond the clean two; None: they are not told."""

    door: Door
    open_s: float
    shut_s: float
    bounces: int | None
    longest_gap_s: float


class DoorStuckError(Exception):
    """A door did not do what it was told; the finding says what."""

    def __init__(self, finding: Finding) -> None:
        super().__init__(finding.code)
        self.finding = finding


def run_cycle(line: GateLine, door: Door) -> Cycle:
    """Release one door, see it open, lock it, see it shut. It is locked at the end, whatever happens.

    Raises DoorStuckError, and NotDoneError when the gate does not take a command.
    """
    marks: list[Mark] = list(line.news())
    marks.clear()
    contact, release = f"{door}_shut", f"{door}_release"
    try:
        line.release(door)
        asked = _await(line, marks, release, active=True, within_s=ASKED_S)
        if asked is None:
            raise DoorStuckError(_not_taken(door))
        opened = _await(line, marks, contact, active=False, within_s=2 * OPEN_S)
        if opened is None:
            raise DoorStuckError(_not_open(door))
        until = opened.at + HOLD_S
        while line.now() < until:
            marks += line.news()
    finally:
        line.release(None)
    locked = _await(line, marks, release, active=False, within_s=ASKED_S)
    if locked is None:
        raise DoorStuckError(_not_taken(door))
    shut = _await(line, marks, contact, active=True, within_s=2 * SHUT_S, since=locked.number)
    if shut is None:
        raise DoorStuckError(_not_shut(door))
    return measure(door, marks, asked, locked)


def measure(door: Door, marks: Sequence[Mark], asked: Mark, locked: Mark) -> Cycle:
    """What the marks say of one cycle: by the contact's edges, or by its level where edges are not told."""
    contact = [mark for mark in marks if mark.name == f"{door}_shut"]
    edges = [mark for mark in contact if mark.bounce]
    seen = edges or [mark for mark in contact if not mark.bounce]
    opened = next(mark.at for mark in seen if not mark.active and mark.at >= asked.at)
    shut = max(mark.at for mark in contact if mark.active and mark.at >= locked.at and not mark.bounce)
    if edges:  # the last edge is when it came to rest; the level is told a debounce time later
        shut = max((mark.at for mark in edges if mark.active and mark.at >= locked.at), default=shut)
    gaps = gaps_of(edges)
    return Cycle(
        door=door,
        open_s=opened - asked.at,
        shut_s=shut - locked.at,
        bounces=len(gaps) if edges else None,
        longest_gap_s=max(gaps, default=0.0),
    )


def gaps_of(edges: Sequence[Mark], within_s: float = GAP_S) -> list[float]:
    """The times between edges of one wire that belong to one movement: each of them is a bounce."""
    gaps = [after.at - before.at for before, after in itertools.pairwise(edges)]
    return [gap for gap in gaps if gap < within_s]


def debounce_for(longest_gap_s: float, least_s: float = LEAST_DEBOUNCE_S) -> float:
    """The time that swallows such bounces with as much to spare, in whole milliseconds."""
    return max(least_s, math.ceil(round(2000 * longest_gap_s, 3)) / 1000)


def closing_for(cycles: Iterable[Cycle]) -> float:
    """`[policy.limits] closing_s` for such doors: half as long again, and a second to step aside."""
    return math.ceil(2 * (1.5 * max(cycle.shut_s for cycle in cycles) + 1.0)) / 2


def judge(cycles: Sequence[Cycle], board: IoBoardSettings, closing_s: float) -> Iterator[Finding]:
    """Each door's times against the limits that the gate works with."""
    for door in Door:
        own = [cycle for cycle in cycles if cycle.door is door]
        if own:
            yield _judged(door, own, getattr(board.inputs, f"{door}_shut"), closing_s)


def _judged(door: Door, cycles: Sequence[Cycle], contact: InputLine, closing_s: float) -> Finding:
    open_s, shut_s = max(each.open_s for each in cycles), max(each.shut_s for each in cycles)
    gap_s = max(each.longest_gap_s for each in cycles)
    told = (
        f"{many(len(cycles), 'cycle')}: opens after {_span([each.open_s for each in cycles])}, shuts after "
        f"{_span([each.shut_s for each in cycles])}, {_bounces(cycles)}"
    )
    if gap_s >= contact.debounce_s:
        fix = f"replace or adjust the contact, or set debounce_s = {debounce_for(gap_s):g}"
        return warning("doors", "contact_bounces", told, fix, door)
    if shut_s > LATE * SHUT_S or open_s > LATE * OPEN_S:
        fix = f"see its drive: it must open within {OPEN_S:g} s and shut within {SHUT_S:g} s"
        return warning("doors", "door_slow", told, fix, door)
    if shut_s > closing_s:
        fix = f"see its drive, or set [policy.limits] closing_s = {closing_for(cycles):g}"
        return warning("doors", "closing_too_short", told, fix, door)
    return ok("doors", told, door)


def _bounces(cycles: Sequence[Cycle]) -> str:
    known = [cycle.bounces for cycle in cycles if cycle.bounces is not None]
    if not known:
        return "bounces not told by the controller"
    if not sum(known):
        return "no bounces"
    return (
        f"{many(sum(known), 'bounce')} up to {1000 * max(each.longest_gap_s for each in cycles):.1f} ms apart"
    )


def _span(times: Sequence[float]) -> str:
    low, high = f"{min(times):.2f}", f"{max(times):.2f}"
    return f"{high} s" if low == high else f"{low} to {high} s"


def proposal(cycles: Sequence[Cycle], board: IoBoardSettings) -> list[str]:
    """What to paste into `gate.toml`."""
    lines = ["[policy.limits]", f"closing_s = {closing_for(cycles):g}"]
    contacts = []
    for door in Door:
        own = [cycle.longest_gap_s for cycle in cycles if cycle.door is door]
        name, contact = f"{door}_shut", getattr(board.inputs, f"{door}_shut")
        if own and debounce_for(max(own)) > contact.debounce_s:
            contacts.append(input_line(name, contact, debounce_s=debounce_for(max(own))))
    return [*lines, *(["", "[io_board.inputs]", *contacts] if contacts else [])]


def input_line(
    name: str,
    line: InputLine,
    *,
    number: int | str | None = None,
    active_low: bool | None = None,
    debounce_s: float | None = None,
) -> str:
    """One input as TOML, with what is to change."""
    at = line.line if number is None else number
    shown = f'"{at}"' if isinstance(at, str) else str(at)
    low = line.active_low if active_low is None else active_low
    hold = line.debounce_s if debounce_s is None else debounce_s
    polarity = ", active_low = true" if low else ""
    return f"{name} = {{ line = {shown}{polarity}, debounce_s = {hold:g} }}"


def _await(
    line: GateLine, marks: list[Mark], name: str, *, active: bool, within_s: float, since: int = 0
) -> Mark | None:
    """The first mark that the wire holds this level, of those that were gathered or come in time."""
    deadline, begin = line.now() + within_s, 0
    while True:
        for mark in marks[begin:]:
            if (mark.name, mark.active, mark.bounce) == (name, active, False) and mark.number > since:
                return mark
        if line.now() >= deadline:
            return None
        begin = len(marks)
        marks += line.news()


def _not_taken(door: Door) -> Finding:
    fix = "see that the other door is shut and no alarm is raised, then `gatectl status`"
    return fault("doors", "not_released", "the gate did not command it", fix, door)


def _not_open(door: Door) -> Finding:
    fix = f"see whether it opened: if so, its contact sticks; else its relay, lock, what blocks it; {AFTER}"
    return fault("doors", "door_not_open", f"released for {2 * OPEN_S:g} s and not seen to open", fix, door)


def _not_shut(door: Door) -> Finding:
    fix = f"see whether it is shut: if so, its contact; else its drive, and what blocks it; {AFTER}"
    return fault("doors", "door_not_shut", f"locked for {2 * SHUT_S:g} s and not seen to shut", fix, door)
