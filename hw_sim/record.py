"""What a rehearsal leaves behind: everything that the timeline, the report and the figures are made from."""

from collections.abc import Callable

from gated.core import effects as do
from gated.core.gate import State
from gated.core.values import Value
from gated.core.vocabulary import Door, Outcome
from gated.store.journal import Entry
from hw_sim.lane.ledger import Mark, Span


class Stages(Value):
    """Where the time of a passage went, in milliseconds; None for what did not happen.

    `total` is from the document laid down to the exit unlocked. `modelled` is the part of it in which a
    simulated thing went on (chip, serial line, walk, doors); `software` is the rest.
    """

    mrz: float | None = None
    chip: float | None = None
    background: float | None = None
    enter: float | None = None
    face: float | None = None
    decide: float | None = None
    total: float | None = None
    modelled: float | None = None
    software: float | None = None


class Rehearsed(Value):
    """One scenario, as it went. Times in `marks` and `spans` are monotonic seconds, as in the events."""

    scenario: str
    title: str
    expected: Outcome
    outcome: Outcome | None
    reasons: tuple[str, ...]
    passage: str
    problems: tuple[str, ...]
    """What else went wrong, in words: a missing reason, a door released against the rules."""
    stages: Stages
    entries: tuple[Entry, ...]
    """The journal from the document laid down to the lane at rest again."""
    marks: tuple[Mark, ...]
    """What the simulated world saw: lines (lamps, releases, sensors), doors, persons."""
    chip_spans: tuple[Span, ...] = ()
    """When the chip or its reader was busy."""
    reference: bytes | None = None
    """The chip's photograph as the gate enrolled it (JPEG), of a simulated person."""
    best: tuple[bytes, ...] = ()
    """The best live shot of each capture (JPEG), of simulated people."""
    match_threshold: float = 0.0
    liveness_threshold: float = 0.0

    @property
    def as_expected(self) -> bool:
        """Whether it ended as it should, in every respect."""
        return self.outcome is self.expected and not self.problems


def stages(entries: tuple[Entry, ...], passage: str, modelled: Callable[[float, float], float]) -> Stages:
    """Tell from the journal where the time went, in milliseconds."""
    first: dict[str, float] = {}
    for entry in entries:
        event = entry.event
        if getattr(event, "passage", passage) != passage:
            continue
        first.setdefault(type(event).__name__, event.at)
        first.setdefault(f"state {entry.followed.state}", event.at)
        for effect in entry.followed.effects:
            if isinstance(effect, do.UnlockDoor) and effect.door is Door.EXIT:
                first.setdefault("exit unlocked", event.at)

    def between(start: str, end: str) -> float | None:
        if start not in first or end not in first:
            return None
        return round((first[end] - first[start]) * 1000, 1)

    total = between("DocumentPlaced", "exit unlocked")
    share = None
    if total is not None:
        share = round(modelled(first["DocumentPlaced"], first["exit unlocked"]) * 1000, 1)
    return Stages(
        mrz=between("DocumentPlaced", "MrzRead"),
        chip=between("MrzRead", "ChipRead"),
        background=between("MrzRead", "BackgroundChecked"),
        enter=between(f"state {State.ENTRY_OPEN}", f"state {State.FACE_CAPTURE}"),
        face=between(f"state {State.ENTRY_CLOSING}", "FaceAssessed"),
        decide=between("FaceAssessed", "exit unlocked"),
        total=total,
        modelled=share,
        software=None if total is None or share is None else round(total - share, 1),
    )
