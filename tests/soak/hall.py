"""The hall: who comes, who is on duty, what breaks, and what must hold whatever happens.

Time is virtual. Travellers come one by one, the next as soon as the last has gone in; officers, technicians
come a while after they are called; faults come by chance. The crew looks round as people do: who stands about
is sent away, what lies about is taken away, what is latched is cleared when its cause is gone.
"""

import random
from collections import Counter
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Final

from msgspec.structs import replace

from gated.core import effects as do
from gated.core import events as ev
from gated.core.gate import State, inside
from gated.core.vocabulary import Mode, OfficerWord, Outcome
from gated.store.journal import JournalError
from hw_sim.lane.board import CURTAINS, SimulatedBoard, wiring
from hw_sim.lane.walking import READER_M, TURN_AWAY, Walk, slip_in, tailgate
from hw_sim.lane.world import World
from tests.soak.clock import Clock
from tests.soak.faults import FAULTS
from tests.soak.port import Socket
from tests.soak.process import NEVER, Answers, Process
from tests.soak.travellers import next_one

COMES_FROM_M: Final = -1.2
BEAM_S: Final = 0.005
STEP_S: Final = 0.02
FINE_S: Final = 0.004
FAULT_EVERY: Final = 12  # travellers, on average
LOOKS_S: Final = 5.0  # the crew looks round so often
STANDS_S: Final = 40.0  # and sends away whoever stands about for so long
TRAPPED_S: Final = 300.0  # nobody is inside for longer: an officer's time limits twice, and the way out
STUCK_S: Final = 900.0  # no passage ended for so long while people come: a deadlock
RESTART_S: Final = 3.0
AT_ONCE: Final = 0.5  # share of travellers who stand there when the one before goes in


class CoarseWorld(World):
    """Time passes in longer steps, to spare ours: still shorter than what a beam must hold to count."""

    @property
    def _step_s(self) -> float:
        return FINE_S if self._fine else STEP_S


class BrokenError(Exception):
    """What must hold did not."""


class Hall:
    """One soak. `run` plays it."""

    def __init__(self, folder: Path, clock: Clock, seed: int) -> None:
        self.clock = clock
        self.chance = random.Random(seed)
        settings = wiring(also=CURTAINS)
        beams = {name: replace(getattr(settings.inputs, name), debounce_s=BEAM_S) for name in CURTAINS}
        self._settings = replace(settings, inputs=replace(settings.inputs, **beams))
        self.board = SimulatedBoard(self._settings)
        self.world = CoarseWorld(self.board, clock)
        self.socket = Socket(self.board)
        self.answers = Answers(self.chance, self.world)
        self._folder = folder
        self.came = Counter[str]()
        self.outcomes = Counter[Outcome]()
        self.reasons = Counter[str]()
        self.broke = Counter[str]()
        self.alerts = Counter[str]()
        self.latched = Counter[str]()
        self.restarts = 0
        self.violations = 0
        self.longest_inside_s = 0.0
        self._inside_since: dict[str, float] = {}
        self._stands_since: dict[str, tuple[float, float]] = {}
        self._ended_at = clock.now
        self.went_out = Counter[str]()
        self._decided: set[str] = set()  # who may go out
        self._read_marks = 0
        self._forced_until = self._burns_until = 0.0
        self._accepted: set[str] = set()  # nobody is let out twice
        self._number = 0
        self._last = ""
        self._faulty = 0  # faults that are not put right yet
        self._cut = False
        self._more = True
        self.process = self._made()
        self.process.start()
        clock.later(LOOKS_S, self._look_round)
        clock.later(0.5, self._come)

    @property
    def ended(self) -> int:
        """Passages that have ended."""
        return sum(self.outcomes.values())

    def run(self, passages: int, hours: float, sampled: Callable[[], None], every: int) -> None:
        """Play until so many passages have ended and so many hours have passed. Raises BrokenError."""
        began, sample_at = self.clock.now, every
        while self.ended < passages or self.clock.now - began < hours * 3600:
            self._go_on()
            if self.ended >= sample_at:
                sample_at += every
                self._close_books()
                sampled()
        self._more = False
        self._settle()

    def _settle(self) -> None:
        """Nobody comes any more and nothing breaks: everybody leaves, and the lane comes to rest."""
        until = self.clock.now + TRAPPED_S
        while self.world.anybody() or self._faulty or self.process.loop.gate.state is not State.IDLE:
            self._go_on()
            if self.clock.now > until:
                raise BrokenError(f"the lane does not come to rest: {self._told()}")
        self._close_books()

    def _go_on(self) -> None:
        clock, world = self.clock, self.world
        step = world._now + world._step_s if not world._quiet else NEVER
        clock.now = max(clock.now, min(clock.due, self.process.due, step))
        clock.happen()
        world.advance()
        try:
            self.process.turn()
        except JournalError:  # the daemon ends; the service manager starts it again
            self.kill()
            clock.later(RESTART_S, self.restart)
        self._hold()

    # --- what must hold -----------------------------------------------------------------------------------

    def _hold(self) -> None:
        now = self.clock.now
        if self.world._violating:
            raise BrokenError(f"both doors are released without a fire: {self._told()}")
        if now - self._ended_at > STUCK_S:
            raise BrokenError(f"no passage ended for {STUCK_S:.0f} s: {self._told()}")
        if self.world._emergency or self.world._fire or self.process.loop.gate.emergency:
            self._burns_until = now + LOOKS_S  # who is in the doorway at its end goes on
        marks = self.world.ledger.marks
        for mark in marks[self._read_marks :]:
            if mark.state == "through the exit":
                self._gone_out(mark.name)
        self._read_marks = len(marks)

    def _told(self) -> str:
        """The gate and the hall, for whoever looks for the cause."""
        gate = self.process.loop.gate
        people = [f"{name} at {each.x_m:.1f} m: {each.step}" for name, each in self.world._people.items()]
        wires = [name for name in self.board.wires if self.board.read(name)]
        return f"{gate.state}, {sorted(map(str, gate.faults))}; {people}; {wires}; broken {self._faulty}"

    def _gone_out(self, name: str) -> None:
        """Somebody went out by the exit: by a decision about them, or by what nobody can help."""
        if name in self._decided:
            self.went_out["decided"] += 1
        elif self.clock.now < self._burns_until:
            self.went_out["in a fire"] += 1
        elif self.clock.now < self._forced_until:
            self.went_out["through a door that was forced or jammed"] += 1
        elif name.startswith("follower"):
            self.went_out["close behind somebody"] += 1
        else:
            raise BrokenError(f"{name} went out by the exit without a decision: {self._told()}")

    def _see_inside(self) -> None:
        now = self.clock.now
        there = {name for name, person in self.world._people.items() if person.inside}
        self._inside_since = {name: self._inside_since.get(name, now) for name in there}
        for name, since in self._inside_since.items():
            self.longest_inside_s = max(self.longest_inside_s, now - since)
            if now - since > TRAPPED_S:
                raise BrokenError(f"{name} is inside for {now - since:.0f} s: {self._told()}")

    def _close_books(self) -> None:
        """The simulator keeps books for ever; a soak does not need them."""
        self.violations += len(self.world.violations)
        self.world.ledger.marks.clear()
        self._read_marks = 0
        for spans in self.world.ledger._spans.values():
            spans.clear()
        there = self.world._people
        self._decided &= there.keys()
        self.answers.people = {name: each for name, each in self.answers.people.items() if name in there}

    # --- the process ----------------------------------------------------------------------------------------

    def _made(self) -> Process:
        return Process(self._folder, self.clock, self.socket, self._settings, self.answers, self._hear)

    def kill(self) -> None:
        """The process is gone from one moment to the next."""
        if not self.process.dead:
            self.process.die()

    def restart(self) -> None:
        """The daemon is started again, if it does not run."""
        if self.process.dead:
            self.process = self._made()
            self.process.start()
            for device in self.answers.mute:
                self.process.conditions[device].failed("gone", "see the log")
            self.restarts += 1

    # --- travellers -----------------------------------------------------------------------------------------

    def _come(self) -> None:
        if not self._more:
            return
        if not self._is_room():
            self.clock.later(0.1, self._come)
            return
        one = next_one(self.chance)
        self._number += 1
        name = self._last = f"{one.kind} {self._number}"
        self.came[one.kind] += 1
        self.answers.people[name] = one
        plan = (Walk(to_m=READER_M), *one.plan)
        self.world.person(name, plan, at_m=COMES_FROM_M, walk_s=one.walk_s, heeds=one.heeds, shape=one.shape)
        if one.behind is not None:
            self.came["follower"] += 1
            follow = tailgate(name) if one.behind == "close" else slip_in()
            self.world.person(f"follower {self._number}", follow, at_m=COMES_FROM_M - 0.6)
        if self.chance.random() < 1 / FAULT_EVERY:
            self.clock.later(self.chance.uniform(0.0, 8.0), self._break)
        self.clock.later(0.1 if self.chance.random() < AT_ONCE else self.chance.uniform(1, 8), self._come)

    def _is_room(self) -> bool:
        """Nobody stands before the lane, and no document lies there."""
        outside = any(person.x_m < 0.6 for person in self.world._people.values())
        return not outside and not self.board.read("document")

    def _break(self) -> None:
        if self._faulty:
            return
        name = self.chance.choice(tuple(FAULTS))
        if self.process.dead:
            return
        self.broke[name] += 1
        self._faulty += 1
        end = FAULTS[name](self, self.chance)

        if name in {"door forced", "door jams"}:
            self._forced_until = NEVER

        def mend() -> None:
            end()
            self._forced_until = min(self._forced_until, self.clock.now + LOOKS_S)
            self._faulty -= 1

        self.clock.later(self.chance.uniform(2.0, 15.0), mend)

    # --- who is on duty -------------------------------------------------------------------------------------

    def _hear(self, effect: do.AnyEffect) -> None:
        match effect:
            case do.Decide():
                self._decided.add(self.answers.owners.get(effect.passage, ""))
            case do.EndPassage():
                self._ended_at = self.clock.now
                self.outcomes[effect.outcome] += 1
                self.reasons.update(effect.reasons)
            case do.AlertOfficer(kind="referred"):
                self.alerts[effect.kind] += 1
                decide = partial(self._decide, effect.passage or "")
                self.process.later(self.chance.uniform(2.0, 15.0), decide)
            case do.AlertOfficer():
                self.alerts[effect.kind] += 1
            case _:
                pass

    def _decide(self, passage: str) -> None:
        gate = self.process.loop.gate
        if gate.state is not State.OFFICER or gate.passage is None or gate.passage.id != passage:
            return
        known, owner = self.answers.whose(passage), self.answers.owners.get(passage)
        there = [name for name, person in self.world._people.items() if person.inside]
        alone = there == [owner] and inside(gate) == 1
        honest = known is not None and known.holder and alone and passage not in self._accepted
        self._accepted = {passage}
        word = OfficerWord.ACCEPT if honest else self.chance.choice((OfficerWord.REFUSE, OfficerWord.ESCORT))
        self.process.post(ev.OfficerDecided(at=self.clock.now, passage=passage, word=word, officer="kim"))
        self.process.later(LOOKS_S, partial(self._decide, passage))  # said again while it is not heeded

    def _look_round(self) -> None:
        self.clock.later(LOOKS_S, self._look_round)
        self._see_inside()
        self._send_away()
        if not self._faulty and not self.process.dead:
            self._tidy()

    def _send_away(self) -> None:
        """Whoever stands at one place for long is told to go back."""
        now, stands = self.clock.now, {}
        for name, person in self.world._people.items():
            place, since = self._stands_since.get(name, (person.x_m, now))
            stands[name] = (person.x_m, since if abs(place - person.x_m) < 0.05 else now)
            if now - stands[name][1] > STANDS_S:
                if person.x_m < self.world.lane.entry_m:
                    self.world.intend(name, TURN_AWAY)
                else:
                    self.world.tell_back(name)
                stands[name] = (person.x_m, now)
        self._stands_since = stands

    def _tidy(self) -> None:
        """Nothing is broken: take away what was left, clear what is latched, open what was closed."""
        now, gate, world = self.clock.now, self.process.loop.gate, self.world
        for thing in world.things():
            world.take_away(thing)
        if self.board.read("document") and self.answers.lies() not in world._people:
            world.take_document()
        for fault in gate.faults:
            if fault.latched:
                self.latched[fault.code] += 1
        for device in {fault.device for fault in gate.faults if fault.latched}:
            self.process.post(ev.FaultCleared(at=now, device=device))
        if gate.emergency and not self.process.board.fire_is_on():
            self.process.post(ev.EmergencyReset(at=now))
        if gate.mode is not Mode.OPEN and not gate.emergency:
            self.process.post(ev.ModeChanged(at=now, mode=Mode.OPEN, reason="soak"))
