"""Passages for the tests of what is told: events put through the real `step`, as the loop would."""

import hashlib
from collections.abc import Iterable, Sequence
from datetime import UTC, datetime, timedelta

import cv2
import numpy as np

from drivers.lamps import PATTERNS
from gated.core import events as ev
from gated.core.checks import Check, Result
from gated.core.effects import EndPassage, LockDoor, Tell, UnlockDoor
from gated.core.gate import REQUIRED, Gate
from gated.core.policy import Policy
from gated.core.step import next_deadline, step
from gated.core.vocabulary import Device, Door, Grade, Hint, Liveness, OfficerWord, Outcome
from gated.store.journal import Entry, Followed
from hw_sim.lane.ledger import Mark, Span
from hw_sim.record import Rehearsed, Stages

BEGAN = 5000.0  # monotonic seconds
PASSAGE = "00112233445566aa"
POLICY = Policy(match_threshold=0.62, liveness_threshold=0.5)
UTC0 = datetime(2030, 1, 1, 9, 0, 0, tzinfo=UTC)
CHIP_CHECKS = ("sod_signature", "document_signer", "csca", "dg_hashes", "issuing_state", "validity")
GOOD_CHIP = tuple(
    Check(name, Result.SUCCESSFUL)
    for name in (*CHIP_CHECKS, "mrz_matches_chip", "document_expiry", "photograph")
)
TAMPERED = tuple(
    Check(check.name, Result.FAILED, "dg1_hash_wrong") if check.name == "dg_hashes" else check
    for check in GOOD_CHIP
)
ELIGIBLE = tuple(Check(name, Result.SUCCESSFUL) for name in ("document_type", "age", "watchlist"))


class Recording:
    """A gate and its journal. Between two events, deadlines pass when they are due."""

    def __init__(self) -> None:
        self.gate = Gate(policy=POLICY)
        self.entries: list[Entry] = []
        self._chain = b"\x00" * 32

    def take(self, event: ev.AnyEvent) -> None:
        """Journal one event, after the deadlines that pass before it."""
        while (due := next_deadline(self.gate)) is not None and due < event.at:
            self._step(ev.DeadlinePassed(at=due, due=due))
        self._step(event)

    def _step(self, event: ev.AnyEvent) -> None:
        self.gate, effects = step(self.gate, event)
        passage = self.gate.passage.id if self.gate.passage else None
        self._chain = hashlib.sha256(self._chain + repr(event).encode()).digest()
        utc = UTC0 + timedelta(seconds=max(event.at - BEGAN, 0.0))
        self.entries.append(
            Entry(
                seq=len(self.entries) + 1,
                utc=utc.isoformat(timespec="milliseconds"),
                event=event,
                followed=Followed(state=self.gate.state, passage=passage, effects=effects),
                hash=self._chain.hex(),
            )
        )


def starting(at: float, interrupted: str | None = None) -> Iterable[ev.AnyEvent]:
    """The gate comes up: `at`, with everything ready 1 s later."""
    yield ev.GateStarted(
        at=at, utc=UTC0.isoformat(), policy=POLICY, hashes={"config": "ab" * 32}, interrupted=interrupted
    )
    yield ev.ClockChecked(at=at + 0.1, synchronised=True)
    yield ev.AgesChecked(at=at + 0.1, watchlist_s=42.0)
    for door in Door:
        yield ev.DoorMoved(at=at + 0.2, door=door, shut=True)
    for number, device in enumerate((*sorted(REQUIRED), Device.JOURNAL)):
        yield ev.DeviceReady(at=at + 0.3 + number / 10, device=device)


def reading(
    at: float, checks: tuple[Check, ...] = GOOD_CHIP, grade: Grade = Grade.NONE
) -> Iterable[ev.AnyEvent]:
    """A passport is laid down and read."""
    yield ev.DocumentPlaced(at=at, passage=PASSAGE, utc=UTC0.isoformat())
    yield ev.MrzRead(at=at + 0.31, passage=PASSAGE, format="TD3")
    yield ev.BackgroundChecked(
        at=at + 0.33, passage=PASSAGE, checks=ELIGIBLE, grade=grade, list_age_s=42.0, list_version=7
    )
    yield ev.ChipRead(
        at=at + 1.92, passage=PASSAGE, access="PACE", checks=checks, proof="chip_authentication"
    )


def entering(at: float, persons: int = 1) -> Iterable[ev.AnyEvent]:
    """The photograph is ready, the traveller takes the passport, walks in, and the door shuts."""
    yield ev.ReferenceReady(at=at, passage=PASSAGE)
    yield ev.DoorMoved(at=at + 0.1, door=Door.ENTRY, shut=False)
    yield ev.DocumentRemoved(at=at + 0.5)
    for person in range(1, persons + 1):
        yield ev.OccupancyChanged(at=at + 0.6 + person * 0.5, persons=person)
    yield ev.GuidanceGiven(at=at + 1.9, passage=PASSAGE, hint=Hint.LOOK_HERE)
    yield ev.DoorMoved(at=at + 2.3, door=Door.ENTRY, shut=True)


def face(at: float, attempt: int, match: float, live: Liveness = Liveness.LIVE) -> ev.AnyEvent:
    """What a capture found."""
    score = 0.87 if live is Liveness.LIVE else 0.21
    return ev.FaceAssessed(
        at=at,
        passage=PASSAGE,
        attempt=attempt,
        frames=14,
        match_score=match,
        liveness_score=score,
        liveness=live,
        cues=(ev.LivenessCue(name="motion", score=0.94), ev.LivenessCue(name="light", score=None)),
        height_m=1.68,
        height_error_m=0.02,
    )


def leaving(at: float) -> Iterable[ev.AnyEvent]:
    """Out by the exit."""
    yield ev.DoorMoved(at=at + 0.1, door=Door.EXIT, shut=False)
    yield ev.OccupancyChanged(at=at + 1.4, persons=0)
    yield ev.DoorMoved(at=at + 2.3, door=Door.EXIT, shut=True)


def stepping_back(at: float) -> Iterable[ev.AnyEvent]:
    """Back out by the entry."""
    yield ev.DoorMoved(at=at, door=Door.ENTRY, shut=False)
    yield ev.OccupancyChanged(at=at + 1.2, persons=0)
    yield ev.DoorMoved(at=at + 2.1, door=Door.ENTRY, shut=True)


def citizen() -> tuple[ev.AnyEvent, ...]:
    """All is well."""
    return (
        *reading(BEGAN),
        *entering(BEGAN + 2.05),
        face(BEGAN + 4.9, 1, 0.914),
        *leaving(BEGAN + 4.9),
    )


def impostor() -> tuple[ev.AnyEvent, ...]:
    """The face is another's, three times; an officer takes the traveller along."""
    return (
        *reading(BEGAN),
        *entering(BEGAN + 2.05),
        *(face(BEGAN + 4.9 + number, number, 0.204 + number / 100) for number in (1, 2, 3)),
        ev.OfficerDecided(at=BEGAN + 9.4, passage=PASSAGE, word=OfficerWord.ESCORT, officer="kim"),
        *stepping_back(BEGAN + 9.9),
    )


def tampered() -> tuple[ev.AnyEvent, ...]:
    """The chip's data page does not fit its signature."""
    return (*reading(BEGAN, TAMPERED), ev.DocumentRemoved(at=BEGAN + 4.0))


def wanted() -> tuple[ev.AnyEvent, ...]:
    """On a list."""
    return (*reading(BEGAN, grade=Grade.STOP), ev.DocumentRemoved(at=BEGAN + 4.0))


def two_persons() -> tuple[ev.AnyEvent, ...]:
    """A second one slips in."""
    return (*reading(BEGAN), *entering(BEGAN + 2.05, persons=2), *stepping_back(BEGAN + 5.0))


def dead_chip() -> tuple[ev.AnyEvent, ...]:
    """No chip answers."""
    return (
        *tuple(reading(BEGAN))[:3],
        ev.ChipFailed(at=BEGAN + 2.4, passage=PASSAGE, reason="no_card"),
        ev.ChipFailed(at=BEGAN + 4.5, passage=PASSAGE, reason="no_card"),
        ev.DocumentRemoved(at=BEGAN + 6.0),
    )


def power_cut() -> tuple[ev.AnyEvent, ...]:
    """The power fails while the traveller looks at the camera."""
    return (
        *reading(BEGAN),
        *entering(BEGAN + 2.05),
        *starting(BEGAN + 7.0, interrupted=PASSAGE),
        ev.OccupancyChanged(at=BEGAN + 8.5, persons=1),
        *stepping_back(BEGAN + 9.2),
    )


SCENARIOS = {
    "citizen": (citizen, Outcome.ADMITTED, "A citizen with a good passport walks through."),
    "impostor": (impostor, Outcome.REFERRED, "Somebody else's passport: the face is not the holder's."),
    "wanted": (wanted, Outcome.REFERRED, "The holder is on a watchlist; the traveller is not told."),
    "tampered-dg1": (tampered, Outcome.REFERRED, "The data page on the chip was changed after signing."),
    "dead-chip": (dead_chip, Outcome.REFERRED, "The chip does not answer."),
    "two-persons": (two_persons, Outcome.REFUSED, "A second person slips in behind the first."),
    "power-cut": (power_cut, Outcome.ABORTED, "The power fails in the middle of a passage."),
}


def entries_of(events: Iterable[ev.AnyEvent], *, with_start: bool = False) -> tuple[Entry, ...]:
    """Journal the events of a gate that is up; its own start is left out unless asked for."""
    recording = Recording()
    for event in starting(BEGAN - 30.0):
        recording.take(event)
    before = 0 if with_start else len(recording.entries)
    for event in events:
        recording.take(event)
    return tuple(recording.entries[before:])


def recorded(events: Iterable[ev.AnyEvent]) -> tuple[Entry, ...]:
    """Journal events from the very first on."""
    recording = Recording()
    for event in events:
        recording.take(event)
    return tuple(recording.entries)


def marks_of(entries: Sequence[Entry]) -> tuple[Mark, ...]:
    """What the world would have seen of it."""
    marks = [Mark(at=BEGAN - 0.2, kind="person", name="ada", state="came")]
    lit = {"entry_red", "exit_red"}
    marks.extend(Mark(at=BEGAN - 9, kind="line", name=name, state="active") for name in sorted(lit))
    on = set(lit)

    def line(at: float, name: str, *, active: bool) -> None:
        if active == (name in on):
            return
        (on.add if active else on.discard)(name)
        marks.append(Mark(at=at, kind="line", name=name, state="active" if active else "inactive"))

    for entry in entries:
        at = entry.event.at
        match entry.event:
            case ev.DocumentPlaced() | ev.DocumentRemoved():
                line(at, "document", active=isinstance(entry.event, ev.DocumentPlaced))
            case ev.OccupancyChanged():
                line(at, "occupied", active=entry.event.persons > 0)
                line(at, "crowded", active=entry.event.persons > 1)
            case ev.DoorMoved():
                moves = (
                    (("closing", -0.8), ("shut", 0)) if entry.event.shut else (("opening", 0), ("open", 0.6))
                )
                marks.extend(
                    Mark(at=at + after, kind="door", name=entry.event.door, state=state)
                    for state, after in moves
                )
        for effect in entry.followed.effects:
            match effect:
                case UnlockDoor():
                    line(at, f"{effect.door}_release", active=True)
                case LockDoor():
                    line(at, f"{effect.door}_release", active=False)
                case Tell():
                    pattern = PATTERNS[effect.lamps]
                    now = pattern.steady | pattern.blinking
                    for name in sorted(lit ^ now):
                        line(at, name, active=name in now)
                    lit = set(now)
    if any(isinstance(entry.event, ev.GateStarted) for entry in entries):
        marks.append(Mark(at=BEGAN + 5.2, kind="fault", name="gated", state="killed"))
    marks.extend(
        Mark(at=BEGAN + after, kind="person", name="ada", state=state)
        for after, state in ((2.9, "through the entry"), (4.3, "at 2.3 m"))
        if any(entry.followed.state == "entry_closing" for entry in entries)
    )
    return tuple(sorted(marks, key=lambda mark: mark.at))


def picture(shade: int) -> bytes:
    """A small JPEG."""
    image = np.full((60, 48, 3), shade, np.uint8)
    cv2.circle(image, (24, 26), 15, (255 - shade, 190, 160), -1)
    return bytes(cv2.imencode(".jpg", image)[1].tobytes())


def rehearsed(name: str, **changed: object) -> Rehearsed:
    """One scenario of `SCENARIOS` as a record; fields can be changed."""
    script, expected, title = SCENARIOS[name]
    entries = entries_of(script())
    ended = [e for entry in entries for e in entry.followed.effects if isinstance(e, EndPassage)]
    admitted = ended and ended[0].outcome is Outcome.ADMITTED
    fields: dict[str, object] = {
        "scenario": name,
        "title": title,
        "expected": expected,
        "outcome": ended[0].outcome if ended else None,
        "reasons": ended[0].reasons if ended else (),
        "passage": PASSAGE,
        "problems": (),
        "stages": Stages(mrz=310.0, chip=1610.0, total=4900.0, modelled=4100.0, software=800.0)
        if admitted
        else Stages(mrz=310.0),
        "entries": entries,
        "marks": marks_of(entries),
        "chip_spans": (Span(start=BEGAN + 0.35, end=BEGAN + 1.9),),
        "reference": picture(40),
        "best": (picture(90),) if name in {"citizen", "impostor"} else (),
        "match_threshold": POLICY.match_threshold,
        "liveness_threshold": POLICY.liveness_threshold,
    }
    return Rehearsed(**(fields | changed))  # type: ignore[arg-type]  # its own fields
