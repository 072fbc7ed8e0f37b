"""Leading a technician past every sensor of a lane, step by step; what is seen takes them on to the next.

Each step says what to do and ends by itself once it was seen, or at its time limit, which is a finding: none
waits for a key. Doors are opened for the walks, in maintenance, and locked at the end. What a sensor says
counts relative to how it is with nobody there, so that an inverted one does not hold up the walk.
"""

from collections.abc import Callable, Iterator
from typing import Final

from gated.core.crossings import Beam, Crossing
from gated.core.curtain import Curtain
from gated.core.vocabulary import Door
from gated.runtime.requests import Mark
from gated.selftest.finding import Finding, fault, many, ok, warning
from gated.selftest.gate_line import GateLine
from gated.selftest.sensor_record import BEAMS, Record, rest_levels

CALM_S: Final = 1.5  # nothing moves any more: whoever walked is through
STAND_S: Final = 4.0  # a sensor with holes loses somebody who walks about within this
DOOR_S: Final = 8.0
ALONE: Final = ("walk", "suitcase", "beams")
PARTS: Final = (*ALONE, "pair")  # for which a second person is needed

Tell = Callable[[str], None]


class SensorWalk:
    """One calibration. `limit_s` is how long a technician has for each step."""

    def __init__(
        self, line: GateLine, record: Record, doors: tuple[Door, ...], tell: Tell, limit_s: float
    ) -> None:
        self._line = line
        self._record = record
        self._doors = doors
        self._tell = tell
        self._limit_s = limit_s
        self._levels: dict[str, bool] = {}
        self._moved_at = line.now()
        self._marks: list[Mark] = []  # of the present step, levels only
        self._ends = tuple(
            door for door in Door if all(name in record.wired for name in BEAMS if name.startswith(door))
        )

    def run(self, parts: tuple[str, ...] = ALONE) -> Iterator[Finding]:
        """Do the parts in their order; the doors are locked at the end, whatever happens."""
        self._line.news()
        self._levels = rest_levels(self._line.levels(), self._record)
        try:
            yield from self._empty()
            if "walk" in parts:
                for end in self._ends or (Door.ENTRY,):
                    yield from self._walk(end)
            if "suitcase" in parts:
                yield from self._suitcase()
            if "pair" in parts:
                yield from self._pair()
        finally:
            self._line.release(None)
        if "beams" in parts:
            yield from self._beams()

    # --- steps ------------------------------------------------------------------------------------

    def _empty(self) -> Iterator[Finding]:
        """Whatever is active with nobody there is stuck or the wrong way round: later steps tell which."""
        self._begin("leave the lane, and take everything out of it")
        self._until(lambda: self._is_calm() and not any(self._levels.values()))
        self._record.rest = dict(self._levels)
        active = sorted(name for name, level in self._levels.items() if level)
        if active:
            self._tell(f"  still active: {', '.join(active)}")
        else:
            yield ok("lane", "empty, and every sensor says so")

    def _walk(self, end: Door) -> Iterator[Finding]:
        """In by one end, about in the lane, out by the same end."""
        self._open(end)
        yield from self._pass(end, f"walk in by the {end}, and stay in the lane", inward=True)
        self._record.must_move |= {"occupied"}
        self._begin("walk about in the lane, to both doors, without leaving it")
        until = self._line.now() + STAND_S
        self._until(lambda: self._line.now() >= until, limit_s=2 * STAND_S)
        lost = sum(mark.name == "occupied" and not self._is_off_rest(mark) for mark in self._marks)
        if lost:
            told = f"lost whoever walked about, {many(lost, 'time')}"
            fix = "turn the sensor, or hang it higher, until it sees the whole floor between the doors"
            yield warning("presence", "presence_has_holes", told, fix)
        elif self._sees("occupied"):
            yield ok("presence", f"saw whoever walked about for {STAND_S:g} s", end)
        yield from self._pass(end, f"walk out by the {end}", inward=False)
        self._until(lambda: not self._sees("occupied"), limit_s=CALM_S)
        if self._sees("occupied"):
            told, fix = "still sees somebody", "let it see nothing outside the doors: mask or turn it"
            yield warning("presence", "presence_too_wide", told, fix, end)

    def _suitcase(self) -> Iterator[Finding]:
        """A suitcase that stays behind: the gate cannot miss what the sensor sees."""
        self._open(Door.ENTRY)
        self._begin("carry a suitcase into the lane, leave it in the middle, and walk out")
        self._until(lambda: self._is_done("occupied"))
        crowded = any(mark.name == "crowded" and self._is_off_rest(mark) for mark in self._marks)
        seen = self._sees("occupied")
        both = "; with its owner it counted as several" if crowded else ""
        if seen:
            yield ok("presence", f"sees a suitcase that was left behind{both}")
        else:
            fix = "lower its threshold, or tell the officers that they must look for luggage"
            yield warning("presence", "suitcase_unseen", f"a suitcase is not seen{both}", fix)
        self._begin("fetch the suitcase, and walk out")
        self._until(lambda: self._is_done("occupied") and not self._sees("occupied"))
        if self._sees("occupied"):
            fix = "see what stands in the lane, and what the sensor sees outside of it"
            yield warning("presence", "presence_stays", "somebody, though nothing is there", fix)

    def _pair(self) -> Iterator[Finding]:
        """Two people: the sensor must not take them for one."""
        self._open(Door.ENTRY)
        self._record.must_move |= {"occupied", "crowded"}
        self._begin("walk in with a second person, close together, and stay in the lane")
        self._until(lambda: self._sees("crowded") and self._is_calm())
        if self._sees("crowded"):
            yield ok("presence", "tells two people from one")
        else:
            fix = "hang it so that it sees between two who stand close, and try again"
            yield fault("presence", "pair_unseen", "two people counted as one", fix)
        self._begin("walk out, both of you")
        self._until(lambda: not self._sees("occupied") and self._is_calm())

    def _beams(self) -> Iterator[Finding]:
        """A hand into each beam, and which wire answers to it."""
        for name in (name for name in BEAMS if name in self._record.wired):
            end, column, height = name.split("_")
            self._record.must_move.add(name)
            self._begin(f"{end} curtain: hold a hand into the {column} {height} beam, and take it away")
            self._until(lambda: bool(self._touched(BEAMS)) and self._is_free(BEAMS) and self._is_calm(0.3))
            answered = self._touched(BEAMS)
            if not answered:
                self._tell("  nothing was seen")
            self._record.met[name] = name if name in answered or not answered else answered[0]
        if self._ends:
            yield ok("curtains", f"{4 * len(self._ends)} beams were tried by hand")

    # --- a walk through a doorway -----------------------------------------------------------------------

    def _pass(self, end: Door, text: str, *, inward: bool) -> Iterator[Finding]:
        """Once through a doorway: whether the curtain sees it, and the right way round."""
        beams = tuple(name for name in BEAMS if name.startswith(end) and name in self._record.wired)
        self._begin(text)
        if not beams:
            self._until(lambda: self._sees("occupied") is inward and self._is_calm())
            return
        self._record.must_move |= set(beams)
        self._until(lambda: bool(self._touched(beams)) and self._is_free(beams) and self._is_calm())
        if not self._touched(beams):
            fix = "see whether it has power, and whether its beams are wired: try them by hand"
            yield fault("curtains", "unseen", f"saw nobody: {text}", fix, end)
            return
        yield self._direction(end, beams, inward=inward)

    def _direction(self, end: Door, beams: tuple[str, ...], *, inward: bool) -> Finding:
        way = "inward" if inward else "outward"
        found = [each for each in self._crossings(end, beams) if isinstance(each, Crossing)]
        if not found:
            fix = "walk on upright and do not turn round; if it recurs, try each beam by hand"
            return warning("curtains", "not_understood", f"no crossing {way} was seen in its beams", fix, end)
        if any(each.inward is not inward for each in found):
            fix = f"exchange the inner and the outer beams of the {end}: `line` of each pair, or the plugs"
            return fault(
                "curtains", "columns_swapped", f"a walk {way} looked like one the other way", fix, end
            )
        persons = sum(each.persons for each in found)
        told = f"a walk {way}: {persons} counted, {found[-1].body}"
        if persons != 1:
            fix = "walk alone and carry nothing; if it recurs, see what hangs or swings in the beams"
            return warning("curtains", "miscounted", told, fix, end)
        return ok("curtains", told, end)

    def _crossings(self, end: Door, beams: tuple[str, ...]) -> Iterator[object]:
        curtain, at = Curtain(), self._marks[0].at
        for name in beams:
            yield from curtain.observe(Beam(name.removeprefix(f"{end}_")), blocked=False, at=at)
        for mark in self._marks:
            if mark.name in beams:
                beam = Beam(mark.name.removeprefix(f"{end}_"))
                yield from curtain.observe(beam, blocked=self._is_off_rest(mark), at=mark.at)
        yield from curtain.elapse(self._marks[-1].at + CALM_S)

    # --- seeing ----------------------------------------------------------------------------------------

    def _begin(self, text: str) -> None:
        self._tell(text)
        self._marks.clear()

    def _until(self, done: Callable[[], bool], limit_s: float = 0.0) -> None:
        """Look on until it is done or the time is over."""
        deadline = self._line.now() + (limit_s or self._limit_s)
        while not done() and self._line.now() < deadline:
            for mark in self._line.news():
                self._see(mark)

    def _see(self, mark: Mark) -> None:
        self._record.see(mark)
        if mark.bounce or mark.name.endswith("_release"):
            return
        self._moved_at = mark.at
        if mark.name in self._record.wired:
            self._levels[mark.name] = mark.active
            self._marks.append(mark)
            self._tell(f"  {mark.name} {'active' if mark.active else 'inactive'}")
        elif mark.name.endswith("_shut"):
            self._levels.pop(mark.name, None)
            self._tell(f"  {mark.name.removesuffix('_shut')} door {'shut' if mark.active else 'open'}")

    def _is_off_rest(self, mark: Mark) -> bool:
        return mark.active != self._record.rest.get(mark.name, False)

    def _sees(self, name: str) -> bool:
        return self._levels.get(name, False) != self._record.rest.get(name, False)

    def _touched(self, beams: tuple[str, ...]) -> list[str]:
        """The beams that were met in this step, in the order of time."""
        return list(dict.fromkeys(m.name for m in self._marks if m.name in beams and self._is_off_rest(m)))

    def _is_free(self, beams: tuple[str, ...]) -> bool:
        return not any(self._sees(name) for name in beams)

    def _is_calm(self, seconds: float = CALM_S) -> bool:
        return self._line.now() - self._moved_at >= seconds

    def _is_done(self, name: str) -> bool:
        """Somebody came in and went out again, by the curtain where there is one, else by the sensor."""
        ways = [m for m in self._marks if m.name == name]
        beams = tuple(each for each in BEAMS if each.startswith(Door.ENTRY) and each in self._record.wired)
        if not beams:
            return len(ways) > 0 and self._is_calm(2 * CALM_S)
        found = (
            [each for each in self._crossings(Door.ENTRY, beams) if isinstance(each, Crossing)]
            if self._marks
            else []
        )
        return len(found) >= 2 and self._is_free(beams) and self._is_calm()

    def _open(self, end: Door) -> None:
        """Release this door, once the other one is shut; a lane without one there is always open."""
        if end not in self._doors:
            return
        other = Door.EXIT if end is Door.ENTRY else Door.ENTRY
        self._line.release(None)
        if other in self._doors:
            self._until(lambda: self._line.levels().get(f"{other}_shut", True), limit_s=DOOR_S)
        self._tell(f"the {end} door opens: keep clear of it")
        self._line.release(end)
        self._until(lambda: not self._line.levels().get(f"{end}_shut", False), limit_s=DOOR_S)
