"""The gate as a process that can be killed: heart, loop, journal, board and hands, and devices that answer.

What reads and sees is answered for at the level of the lanes' events; everything from the wires to the
journal is the real thing.
"""

import random
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final

from gated.core import effects as do
from gated.core import events as ev
from gated.core.checks import Check, Result
from gated.core.gate import Gate
from gated.core.policy import LaneRules, Policy
from gated.core.settings.board import IoBoardSettings
from gated.core.step import next_deadline
from gated.core.vocabulary import Device, Grade, Hint, Liveness
from gated.lanes.board import BoardLane
from gated.lanes.condition import Condition
from gated.lanes.desks import Desk, Desks
from gated.lanes.dossier import Dossiers
from gated.lanes.hands import Hands
from gated.runtime.loop import Loop
from gated.store.journal import Journal, JournalError
from hw_sim.lane.world import World
from tests.soak.clock import Clock
from tests.soak.port import Port, Socket
from tests.soak.travellers import Traveller

KEEPER_S: Final = 1.0
CURTAIN_S: Final = 0.05
GOOD: Final = (Check("sod_signature", Result.SUCCESSFUL),)
FORGED: Final = (Check("dg_hashes", Result.FAILED, "dg1_hash_wrong"),)
SEEN: Final = frozenset({Device.MRZ_SCANNER, Device.CHIP_READER, Device.VISION, Device.WATCHLIST})
POLICY: Final = Policy(
    match_threshold=0.5, liveness_threshold=0.5, min_height_m=0.0, lane=LaneRules(curtains=True)
)
NEVER: Final = float("inf")


class Process:
    """One life of the daemon, from its start to its death. `dead`: nothing of it happens any more."""

    def __init__(
        self,
        folder: Path,
        clock: Clock,
        socket: Socket,
        settings: IoBoardSettings,
        answers: "Answers",
        heard: Callable[[do.AnyEffect], None],
    ) -> None:
        self.clock = clock
        self.dead = False
        self.failing = False  # the disk refuses the next entry
        self.journal = Journal(folder / "journal.db")
        self.loop = Loop(Gate(policy=POLICY), self.journal, self._perform)
        dossiers = Dossiers()
        self.board = BoardLane(settings, dossiers, self.loop.post, lambda *given: Port(socket, clock, *given))
        self.conditions = {device: Condition(device, self.loop.post) for device in SEEN}
        stand_ins: Any = Answering(self, answers)
        desks = Desks({POLICY.lane.direction: Desk(stand_ins.zone, stand_ins.chip)})
        self._hands = Hands(self.board, desks, stand_ins, stand_ins, dossiers)
        self._heard = heard
        self._keeper_at, self._curtain_at = 0.0, 0.0

    def start(self) -> None:
        """Begin as `gated` does: end what was interrupted, then let the devices be found."""
        now = self.clock.now
        utc = datetime.now(UTC).isoformat(timespec="milliseconds")
        interrupted = self.journal.interrupted()
        self._take(ev.GateStarted(at=now, utc=utc, policy=POLICY, hashes={}, interrupted=interrupted))
        for condition in self.conditions.values():
            condition.ready()
        self._take(ev.ClockChecked(at=now, synchronised=True))
        self._take(ev.AgesChecked(at=now, watchlist_s=0.0, rules_s=0.0, trust_s=0.0, standings_s=0.0))

    def later(self, seconds: float, job: Callable[[], None]) -> None:
        """Let something happen in a while, if this life lasts as long."""
        self.clock.later(seconds, lambda: None if self.dead else job())

    def post(self, event: ev.AnyEvent) -> None:
        """A fact from outside."""
        if not self.dead:
            self.loop.post(event)

    @property
    def due(self) -> float:
        """When `turn` has something to do."""
        if self.dead:
            return NEVER
        doors, lamps = self.board._doors, self.board._guidance._lamps
        curtains = self.board.sensors._curtains.due
        return min(
            self.loop_due,
            self._keeper_at,
            self.port.due,
            doors._next_due(),
            lamps._turn_at if lamps._pattern.blinking else NEVER,
            NEVER if curtains is None else max(curtains, self._curtain_at),
        )

    @property
    def loop_due(self) -> float:
        """When the heart's next deadline passes."""
        due = next_deadline(self.loop.gate)
        return NEVER if due is None else due

    @property
    def port(self) -> Port:
        """The board's port."""
        port = self.board.board
        assert isinstance(port, Port)
        return port

    def turn(self) -> None:
        """What all threads of the process would do now. Raises JournalError when the disk fails it."""
        if self.dead:
            return
        now = self.clock.now
        self.port.turn()
        if self._curtain_at <= now:
            self._curtain_at = now + CURTAIN_S
            self.board.sensors._turn()
        self._guard(now)
        if self._keeper_at <= now:
            self._keeper_at = now + KEEPER_S
            self.board._turn()
            self.journal.check()
        self.drain()
        if self.board.lane.failure is not None:
            raise self.board.lane.failure

    def drain(self) -> None:
        """Take all events that wait, and the deadlines that are due."""
        while (event := self.loop._next(self.clock.now)) is not None:
            self._take(event)

    def _guard(self, now: float) -> None:
        doors, lamps = self.board._doors, self.board._guidance._lamps
        with doors._changed:
            faults = [*doors._expire(now), *doors._retry(now), *doors._let_go(now), *doors._look(now)]
        for fault in faults:
            doors._tell(fault)
        if lamps._pattern.blinking and lamps._turn_at <= now:
            lamps._turn_over()

    def _take(self, event: ev.AnyEvent) -> None:
        if self.failing:
            raise JournalError("disk_failing", "replace the disk")
        self.loop._begin(event)
        self.loop._recorder._work()  # the journal's thread, by hand as all are
        self.loop._go_on()

    def _perform(self, effect: do.AnyEffect) -> None:
        self._hands.perform(effect)
        self._heard(effect)

    def die(self) -> None:
        """Power cut or SIGKILL: the kernel lets go of the lines; nothing else is put in order."""
        self.dead = True
        self.port.close()
        self.loop.close()
        self.journal.close()


class Answers:
    """What the world lets the devices find: set by the soak."""

    def __init__(self, chance: random.Random, world: World) -> None:
        self.chance = chance
        self.world = world
        self.people: dict[str, Traveller] = {}
        self.mute: set[Device] = set()  # devices that are away, or hang
        self.owners: dict[str, str] = {}  # of the passages under way

    def lies(self) -> str:
        """Whose document lies on the reader."""
        return self.world.owner_of("document") if self.world._board.read("document") else ""

    def whose(self, passage: str) -> Traveller | None:
        """The traveller of a passage, if it is one of theirs."""
        return self.people.get(self.owners.get(passage, ""))


class Answering:
    """Stands for zone reader, chip reader, background and vision of one process."""

    def __init__(self, process: Process, answers: Answers) -> None:
        self._process, self._answers = process, answers
        self.zone, self.chip = _Zone(self), _Chip(self)
        self._attempt: tuple[str, int] | None = None
        self._tries: dict[str, int] = {}

    @property
    def now(self) -> float:
        """The time."""
        return self._process.clock.now

    def wait(self, least_s: float, most_s: float, device: Device, job: Callable[[], None]) -> None:
        """Answer after a while, unless the device is away then."""

        def answer() -> None:
            if device not in self._answers.mute:
                job()

        self._process.later(self._answers.chance.uniform(least_s, most_s), answer)

    def say(self, event: ev.AnyEvent) -> None:
        """Post."""
        self._process.post(event)

    def read_zone(self, passage: str) -> None:
        """A page that lies there can be read, or not."""
        owner = self._answers.lies()
        known = self._answers.people.get(owner)
        if known is None:
            return
        self._answers.owners[passage] = owner
        if known.zone:
            self.say(ev.MrzRead(at=self.now, passage=passage, format="TD3"))
        else:
            self.say(ev.MrzFailed(at=self.now, passage=passage, reason="check_digit_wrong"))

    def read_chip(self, passage: str) -> None:
        """A chip that lies there answers, or not."""
        known = self._answers.whose(passage)
        there = self._answers.lies() == self._answers.owners.get(passage, "")
        tries = self._tries[passage] = self._tries.get(passage, 0) + 1
        if known is None or not there or known.chip == "dead" or (known.chip == "lost_once" and tries == 1):
            self.say(ev.ChipFailed(at=self.now, passage=passage, reason="tag_lost"))
            return
        checks = FORGED if known.chip == "forged" else GOOD
        self.say(ev.ChipRead(at=self.now, passage=passage, access="PACE-ECDH-GM-AES-128", checks=checks))

    # --- background -------------------------------------------------------------------------------------

    def check(self, passage: str) -> None:
        """Ask the lists."""
        self.wait(0.01, 0.1, Device.WATCHLIST, lambda: self._checked(passage))

    def _checked(self, passage: str) -> None:
        known = self._answers.whose(passage)
        grade = Grade.REFER if known is not None and known.listed else Grade.NONE
        checks = (Check("age", Result.SUCCESSFUL), Check("watchlist", Result.SUCCESSFUL))
        self.say(
            ev.BackgroundChecked(
                at=self.now, passage=passage, checks=checks, grade=grade, list_age_s=60.0, list_version=1
            )
        )

    def admitted(self, passage: str) -> None:
        """Nobody asks whether the document was used."""

    # --- vision -----------------------------------------------------------------------------------------

    def enrol(self, passage: str) -> None:
        """Enrol the photograph."""

        def answer() -> None:
            known = self._answers.whose(passage)
            if known is not None and not known.photograph:
                self.say(ev.ReferenceFailed(at=self.now, passage=passage, reason="no_face"))
            else:
                self.say(ev.ReferenceReady(at=self.now, passage=passage))

        self.wait(0.05, 0.2, Device.VISION, answer)

    def capture(self, passage: str, attempt: int, *_: object) -> None:
        """Look until somebody was seen for long enough."""
        self._attempt = passage, attempt
        self.wait(0.4, 1.2, Device.VISION, lambda: self._look(passage, attempt))

    def _look(self, passage: str, attempt: int) -> None:
        if self._attempt != (passage, attempt):
            return
        seen = self._answers.world.in_view()
        near = [name for name, distance in seen if distance < 2.2]
        if len(seen) > 1 and self._answers.chance.random() < 0.8:
            self.say(ev.PeopleSeen(at=self.now, passage=passage, persons=2))
        if not near:
            self.say(ev.GuidanceGiven(at=self.now, passage=passage, hint=Hint.COME_CLOSER))
            self.wait(0.3, 0.5, Device.VISION, lambda: self._look(passage, attempt))
            return
        known = self._answers.people.get(near[0])
        holder = known is not None and known.holder and near[0] == self._answers.owners.get(passage)
        self._assessed(passage, attempt, 12, 0.8 if holder else 0.2)

    def conclude(self, passage: str, attempt: int) -> None:
        """There was nothing to be seen."""
        self.wait(0.02, 0.1, Device.VISION, lambda: self._assessed(passage, attempt, 0, 0.0))

    def _assessed(self, passage: str, attempt: int, frames: int, score: float) -> None:
        self._attempt = None
        self.say(
            ev.FaceAssessed(
                at=self.now,
                passage=passage,
                attempt=attempt,
                frames=frames,
                match_score=score,
                liveness_score=0.9,
                liveness=Liveness.LIVE,
            )
        )

    def turn(self, direction: object) -> None:
        """This lane is not turned."""

    def forget(self, passage: str) -> None:
        """The passage is over."""
        self._attempt = None
        self._answers.owners.pop(passage, None)
        self._tries.pop(passage, None)


class _Zone:
    """`ZoneReader`."""

    def __init__(self, answering: Answering) -> None:
        self._all = answering

    def read(self, passage: str) -> None:
        """Read soon."""
        self._all.wait(0.15, 0.6, Device.MRZ_SCANNER, lambda: self._all.read_zone(passage))

    def forget(self) -> None:
        """Nothing is kept."""


class _Chip:
    """`ChipAsker`."""

    def __init__(self, answering: Answering) -> None:
        self._all = answering

    def read(self, passage: str) -> None:
        """Read in the time that chips take."""
        self._all.wait(0.8, 2.2, Device.CHIP_READER, lambda: self._all.read_chip(passage))
