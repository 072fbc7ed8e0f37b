"""A lane as whoever measures it sees it: the simulated world over its board, in a time of its own."""

from collections.abc import Callable
from typing import Final

from gated.core.vocabulary import Door
from gated.runtime.requests import Mark
from gated.selftest.gate_line import NotDoneError
from hw_sim.lane.board import CURTAINS, SimulatedBoard, wiring
from hw_sim.lane.geometry import MANTRAP
from hw_sim.lane.walking import Person, Plan
from hw_sim.lane.world import World

POLL_S: Final = 0.1


class WorldLine:
    """A `GateLine`. `swaps` says under which wire's name another one is told, as after a mistake in wiring;
    `inverts` names wires that say the opposite. `hear` is told each step, and may let somebody walk."""

    def __init__(
        self,
        *,
        curtains: bool = True,
        swaps: dict[str, str] | None = None,
        inverts: frozenset[str] = frozenset(),
        bounce: tuple[float, ...] = (),
    ) -> None:
        self.settings = wiring(also=CURTAINS if curtains else ())
        self.board = SimulatedBoard(self.settings)
        self.time = 100.0
        self.world = World(self.board, clock=lambda: self.time)
        self.refuses = False
        self.asked: list[Door | None] = []
        self._swaps, self._inverts, self._bounce = swaps or {}, inverts, bounce
        self._marks: list[Mark] = []
        self._told = 0
        self._count = 0
        self.board.on_change(self._changed)

    # --- GateLine -------------------------------------------------------------------------------------

    def release(self, door: Door | None) -> None:
        if self.refuses:
            raise NotDoneError("refused: not_in_maintenance: first: gatectl gate mode maintenance")
        self.asked.append(door)
        self.world.advance()
        for each in Door:
            wire = self.board.wires[f"{each}_release"]
            self.board.put(wire.offset, (each is door) != wire.active_low)
        self.world.note("technician", "door", str(door))

    def levels(self) -> dict[str, bool]:
        inputs = [wire for wire in self.board.wires.values() if not wire.output]
        return {self._name(wire.name): self._level(wire.name, self.board.read(wire.name)) for wire in inputs}

    def news(self) -> tuple[Mark, ...]:
        self.time += POLL_S
        self.world.advance()
        marks, self._told = self._marks[self._told :], len(self._marks)
        return tuple(marks)

    def now(self) -> float:
        return self.time

    # --- what a test does -------------------------------------------------------------------------------

    def come(self, plan: Plan, name: str = "technician", *, from_exit: bool = False) -> Person:
        return self.world.person(name, plan, heeds=False, from_exit=from_exit)

    def touch(self, wire: str) -> None:
        """Reach into a beam, and take the hand away a little later."""
        self.board.drive(wire, active=True)
        self.time += POLL_S
        self.board.drive(wire, active=False)

    def _name(self, wire: str) -> str:
        return self._swaps.get(wire, wire)

    def _level(self, wire: str, active: bool) -> bool:  # noqa: FBT001 - the board's hook
        return active != (wire in self._inverts)

    def _changed(self, wire: str, active: bool) -> None:  # noqa: FBT001 - the board's hook
        at = self.world._now if self.world._edge_at is None else self.world._edge_at
        at = max(at, self.time) if not self.world._people and wire in CURTAINS else at
        name, level = self._name(wire), self._level(wire, active)
        if not self.board.wires[wire].output:
            self._add(name, at, active=level, bounce=True)
            for gap_s in self._bounce:
                at += gap_s
                self._add(name, at, active=not level, bounce=True)
                at += gap_s
                self._add(name, at, active=level, bounce=True)
        self._add(name, at, active=level, bounce=False)

    def _add(self, name: str, at: float, *, active: bool, bounce: bool) -> None:
        self._count += 1
        self._marks.append(Mark(number=self._count, at=at, name=name, active=active, bounce=bounce))


OUT: Final = MANTRAP.away_m
Heard = Callable[[str], None]
