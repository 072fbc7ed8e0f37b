"""The recogniser of a light curtain: edges of four beams in, what went through the doorway out.

It collects the interruptions from the moment that the first beam is met until all have been free for as long
as something pulled along may need to appear, and then reads them as a whole (`gated.core.crossings`). That
the doorway is blocked or free is told at once. Edges are debounced where they are read (`debounce_s` of the
input, 5 ms for beams); a delay that all edges share does no harm.

A beam that stays interrupted while nobody can be in it is a fault, told with its remedy. Until it is free
again it is left out, so that the doorway does not seem blocked for ever; what is counted meanwhile may be
wrong, and whoever asks must not rely on it (`trusted`).

Sans I/O: times are the caller's monotonic clock. `due` says when `elapse` must be called if nothing happens.
"""

from typing import Final, Literal

from gated.core.crossings import Beam, Crossing, Reading, TooFast, TurnedBack, read
from gated.core.passes import APART_M, Run
from gated.core.values import Value

TRAILING_M: Final = 0.45  # what is pulled along follows within this
TRAILING_S: Final = (0.15, 0.8)  # the time that this takes, at least and at most
STUCK_S: Final = 60.0  # nobody stays in a doorway so long
MAX_RUNS: Final = 96  # of all beams together; more is no walk
UNSEEN: Final = 3  # crossings in a row that one beam has missed while its neighbour saw them

Code = Literal[
    "beam_stuck", "beam_unseen", "doorway_obstructed", "curtain_dark", "too_fast", "flutter", "began_blocked"
]
FIXES: Final[dict[Code, str]] = {
    "beam_stuck": "clean the beam's lenses and align them; if it stays, check its cable and line",
    "beam_unseen": "put a hand into the beam: if its input does not change, align it anew or replace it",
    "doorway_obstructed": "look for what stands in the doorway and take it away",
    "curtain_dark": "check the curtain's supply and cable: all its beams read interrupted",
    "too_fast": "look what swings through the beams, and whether each is wired to its own line",
    "flutter": "look what moves in the doorway; align the beams and set their debounce_s to 0.005",
    "began_blocked": "look who is in the lane: somebody was in the doorway when the watch began",
}


class DoorwayChanged(Value):
    """Something is in the beams now, or nothing any more."""

    blocked: bool
    at: float


class Implausible(Value):
    """What the beams say cannot be, or nothing can be told from it. `beams` are those concerned."""

    code: Code
    beams: tuple[Beam, ...]
    fix: str
    at: float


class Mended(Value):
    """Beams that were left out take part again."""

    beams: tuple[Beam, ...]
    at: float


Happening = Crossing | TurnedBack | DoorwayChanged | Implausible | Mended


class Curtain:
    """One doorway. Not for several threads at a time."""

    def __init__(self) -> None:
        self._since: dict[Beam, float | None] = dict.fromkeys(Beam)  # when it was interrupted, if it is
        self._runs: dict[Beam, list[Run]] = {beam: [] for beam in Beam}
        self._reported: set[Beam] = set()
        self._out: set[Beam] = set()  # beams that are left out
        self._missed = dict.fromkeys(Beam, 0)
        self._blocked = False
        self._untold = False  # the pattern began before we looked
        self._now = 0.0
        self._free_since: float | None = None  # all free, with interruptions to be read

    @property
    def blocked(self) -> bool:
        """Whether anything is in the doorway."""
        return self._blocked

    @property
    def trusted(self) -> bool:
        """Whether all beams take part in the count."""
        return not self._out

    @property
    def due(self) -> float | None:
        """When to call `elapse`, if no edge comes before; None: not until the next edge."""
        times = [since + STUCK_S for since in self._held().values()]
        if self._free_since is not None:
            times.append(self._free_since + self._trailing_s())
        return min(times, default=None)

    def observe(self, beam: Beam, blocked: bool, at: float) -> tuple[Happening, ...]:  # noqa: FBT001
        """A beam is interrupted or free from `at` on; tell also each beam's first level."""
        told = list(self.elapse(at))
        first = beam not in self._reported
        self._reported.add(beam)
        since = self._since[beam]
        if blocked and since is None:
            self._since[beam] = self._now
            self._untold |= first
            self._free_since = None
        elif not blocked and since is not None:
            self._since[beam] = None
            if beam in self._out:
                self._out.discard(beam)
                told.append(Mended(beams=(beam,), at=self._now))
            elif self._now > since:
                self._runs[beam].append(Run(start=since, end=self._now))
        told += self._look()
        return tuple(told)

    def elapse(self, at: float) -> tuple[Happening, ...]:
        """Time has passed. A time before one that was told already counts as that one."""
        self._now = max(self._now, at)
        told: list[Happening] = []
        if self._free_since is not None and self._now >= self._free_since + self._trailing_s():
            told += self._read()
        told += self._judge_stuck()
        return tuple(told)

    def _held(self) -> dict[Beam, float]:
        """Since when the beams that take part are interrupted."""
        return {
            beam: since for beam, since in self._since.items() if since is not None and beam not in self._out
        }

    def _look(self) -> list[Happening]:
        """Tell whether the doorway is blocked, and give up on a pattern that has become too long."""
        told: list[Happening] = []
        blocked = bool(self._held())
        if blocked != self._blocked:
            self._blocked = blocked
            told.append(DoorwayChanged(blocked=blocked, at=self._now))
        if sum(map(len, self._runs.values())) > MAX_RUNS:
            beams = tuple(beam for beam in Beam if self._runs[beam])
            self._forget()
            told.append(self._implausible("flutter", beams))
            self._untold = blocked
        pending = any(self._runs.values()) or self._untold
        self._free_since = self._now if pending and not blocked else None
        return told

    def _trailing_s(self) -> float:
        """How long something pulled along may need to appear, after the last speed that was seen."""
        least, most = TRAILING_S
        outer = self._runs[Beam.OUTER_HIGH] or self._runs[Beam.OUTER_LOW]
        inner = self._runs[Beam.INNER_HIGH] or self._runs[Beam.INNER_LOW]
        if not outer or not inner:
            return most
        delay_s = abs(outer[-1].end - inner[-1].end)
        return min(most, max(least, delay_s * TRAILING_M / APART_M))

    def _read(self) -> list[Happening]:
        """Nothing follows: tell what it was."""
        runs = {beam: tuple(self._runs[beam]) for beam in Beam}
        untold = self._untold
        self._forget()
        if untold:
            return [self._implausible("began_blocked", tuple(beam for beam in Beam if runs[beam]))]
        readings = read(runs)
        told = [self._told(reading, runs) for reading in readings]
        if any(isinstance(reading, Crossing) for reading in readings):
            told += self._count_missed(runs)
        return told

    def _told(self, reading: Reading, runs: dict[Beam, tuple[Run, ...]]) -> Happening:
        if isinstance(reading, TooFast):
            return self._implausible("too_fast", tuple(beam for beam in Beam if runs[beam]))
        return reading

    def _count_missed(self, runs: dict[Beam, tuple[Run, ...]]) -> list[Happening]:
        """A beam that nobody interrupts, though all interrupt the other one of its height, sees nothing."""
        told: list[Happening] = []
        for outer, inner in ((Beam.OUTER_LOW, Beam.INNER_LOW), (Beam.OUTER_HIGH, Beam.INNER_HIGH)):
            for beam, other in ((outer, inner), (inner, outer)):
                if runs[beam] or beam in self._out:
                    self._missed[beam] = 0
                elif runs[other]:
                    self._missed[beam] += 1
                    if self._missed[beam] == UNSEEN:
                        told.append(self._implausible("beam_unseen", (beam,)))
        return told

    def _judge_stuck(self) -> list[Happening]:
        held = self._held()
        stuck = tuple(beam for beam, since in held.items() if self._now - since >= STUCK_S)
        if not stuck:
            return []
        code: Code = "beam_stuck"
        if len(held) == len(Beam):
            code = "curtain_dark"
        elif {Beam.OUTER_LOW, Beam.INNER_LOW} <= set(held):
            code = "doorway_obstructed"
        self._out |= set(stuck)
        for beam in stuck:
            self._runs[beam] = []
        return [self._implausible(code, stuck), *self._look()]

    def _implausible(self, code: Code, beams: tuple[Beam, ...]) -> Implausible:
        return Implausible(code=code, beams=beams, fix=FIXES[code], at=self._now)

    def _forget(self) -> None:
        self._runs = {beam: [] for beam in Beam}
        self._untold = False
        self._free_since = None
