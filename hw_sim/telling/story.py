"""A passage in words: journal entries become beats, each what a person would want to be told, and when.

A beat is told once. Renewals of leases, polls and whatever repeats what is known already are left out; the
journal has them. The storyteller keeps only what it needs to know what is news.
"""

from collections.abc import Iterable, Iterator, Sequence
from enum import StrEnum
from typing import Self

from gated.core import effects as do
from gated.core import events as ev
from gated.core.checks import Check, Result, overall
from gated.core.gate import State
from gated.core.policy import Policy
from gated.core.rulings import Ruling
from gated.core.values import Value
from gated.core.vocabulary import Door, Grade, Liveness, Outcome
from gated.rules.telling import why_in_words
from gated.store.journal import Entry
from hw_sim.telling import words


class Tone(StrEnum):
    """How a beat is meant, so that it can be given a colour and a sign."""

    PLAIN = "plain"
    QUIET = "quiet"
    GOOD = "good"
    WARN = "warn"
    BAD = "bad"


class Beat(Value):
    """One thing worth telling: at monotonic time `at`, `about` whom or what, and the words."""

    at: float
    about: str
    text: str
    tone: Tone = Tone.PLAIN


Told = tuple[str, str, Tone]  # about whom or what, the words, how they are meant


class Thresholds(Value):
    """What the scores of a face are held against."""

    match: float
    liveness: float

    @classmethod
    def of(cls, policy: Policy) -> Self:
        """Those of a policy."""
        return cls(match=policy.match_threshold, liveness=policy.liveness_threshold)


def begins(entry: Entry) -> bool:
    """Whether a passage begins with this entry, or is under way in it, or ends."""
    return (
        isinstance(entry.event, ev.DocumentPlaced)
        or entry.followed.passage is not None
        or any(isinstance(effect, do.EndPassage) for effect in entry.followed.effects)
    )


def began_at(entries: Sequence[Entry]) -> float:
    """When the document was laid down, monotonic seconds: the time that all others are counted from."""
    first = next((entry for entry in entries if begins(entry)), entries[0] if entries else None)
    return first.event.at if first is not None else 0.0


def reasons_in_words(reasons: Iterable[str]) -> str:
    """Say why, in one line."""
    return "; ".join(words.reason(reason) for reason in reasons)


class Storyteller:
    """Turns entries, given in order, into beats. Says nothing before the first passage begins."""

    def __init__(self, thresholds: Thresholds | None = None) -> None:
        self._thresholds = thresholds
        self._begun = False
        self._state: State | None = None
        self._released: frozenset[Door] = frozenset()
        self._ajar: frozenset[Door] = frozenset()
        self._screen: str | None = None
        self._lamps: str | None = None

    def tell(self, entry: Entry) -> tuple[Beat, ...]:
        """Return the beats of one entry, in the order in which they happened."""
        self._begun = self._begun or begins(entry)
        beats = (*self._happened(entry), *self._changed(entry), *self._done(entry))
        self._state = entry.followed.state
        return beats if self._begun else ()

    # --- what happened ----------------------------------------------------------------------------

    def _happened(self, entry: Entry) -> Iterator[Beat]:
        event = entry.event
        told: Told | None = None
        match event:
            case ev.GateStarted():
                told = self._started(event)
            case ev.DeadlinePassed():
                told = self._timed_out(entry)
            case ev.FaceAssessed():
                told = _face(event, self._thresholds)
            case ev.FaultRaised():
                told = ("fault", f"{words.spaced(event.device)}: {words.spaced(event.code)}", Tone.BAD)
            case ev.FaultCleared():
                told = ("gate", f"a technician cleared {words.spaced(event.device)}", Tone.PLAIN)
            case ev.ClockChecked() if not event.synchronised:
                told = ("clock", "is not synchronised", Tone.WARN)
            case ev.ModeChanged():
                told = ("gate", f"the lane was told to be {words.spaced(event.mode)}", Tone.PLAIN)
            case ev.Crossed():
                way = "in" if event.inward else "out"
                told = (event.door, f"the light curtain counts {event.persons} {way}", Tone.PLAIN)
            case ev.EmergencyRaised():
                told = ("gate", "EMERGENCY: people first", Tone.BAD)
            case ev.EmergencyReset():
                told = ("gate", "the emergency was reset", Tone.PLAIN)
            case ev.DoorMoved():
                told = self._moved(event)
            case ev.OfficerDecided():
                told = ("officer", f"{event.officer} decides: {event.word}", Tone.PLAIN)
            case _:
                told = _both_ways(event) or _document(event)
        if told is not None:
            about, text, tone = told
            yield Beat(at=event.at, about=about, text=text, tone=tone)

    def _started(self, event: ev.GateStarted) -> Told:
        self._thresholds = Thresholds.of(event.policy)
        self._released = frozenset()
        self._screen = self._lamps = None
        if event.interrupted is None:
            return "gate", "starts", Tone.PLAIN
        return "gate", "starts again, and finds in its journal a passage without an end", Tone.WARN

    def _moved(self, event: ev.DoorMoved) -> Told | None:
        if event.shut == (event.door not in self._ajar):
            return None
        self._ajar ^= {event.door}
        return f"{event.door} door", "is shut" if event.shut else "opens", Tone.QUIET

    def _timed_out(self, entry: Entry) -> Told | None:
        news = any(not isinstance(effect, do.UnlockDoor) for effect in entry.followed.effects)
        if entry.followed.state is self._state and not news:
            return None
        return "gate", f"the time for {words.state(self._state or '')!r} is over", Tone.WARN

    def _changed(self, entry: Entry) -> Iterator[Beat]:
        """The states that are news by themselves."""
        state, was = entry.followed.state, self._state
        if state is was:
            return
        if state is State.IDLE and was in {State.OUT_OF_SERVICE, State.CLOSED}:
            yield Beat(
                at=entry.event.at, about="gate", text="everything is ready: the lane is open", tone=Tone.GOOD
            )
        if state is State.OUT_OF_SERVICE and was is not None and not isinstance(entry.event, ev.GateStarted):
            yield Beat(at=entry.event.at, about="gate", text="out of service", tone=Tone.BAD)

    # --- what was done ----------------------------------------------------------------------------

    def _done(self, entry: Entry) -> Iterator[Beat]:
        for effect in entry.followed.effects:
            told = self._told(effect) if isinstance(effect, do.Tell) else (self._effect(effect),)
            for about, text, tone in filter(None, told):
                yield Beat(at=entry.event.at, about=about, text=text, tone=tone)

    def _effect(self, effect: do.AnyEffect) -> Told | None:
        match effect:
            case do.UnlockDoor() if effect.door not in self._released:
                self._released |= {effect.door}
                return f"{effect.door} door", "unlocked", Tone.GOOD
            case do.LockDoor() if effect.door in self._released:
                self._released -= {effect.door}
                return f"{effect.door} door", "locked", Tone.QUIET
            case do.ReleaseAll():
                self._released = frozenset(Door)
                return "doors", "both released", Tone.WARN
            case do.AlertOfficer():
                grade = "" if effect.grade is Grade.NONE else f" ({effect.grade})"
                return "officers", f"silent alert: {words.alert(effect.kind)}{grade}", Tone.WARN
            case do.Decide():
                return "decision", _decision(effect), Tone.GOOD
            case do.EndPassage():
                return "passage", _ending(effect), _tone_of(effect.outcome)
            case _:
                return _another_try(effect)

    def _told(self, tell: do.Tell) -> Iterator[Told]:
        """What is new to the traveller on the display, by ear, and in the lamps."""
        shown = words.seen(tell.screen)
        if tell.screen != self._screen or tell.prompt is not None:
            self._screen = tell.screen
            spoken = "" if tell.prompt is None else words.heard(tell.prompt)
            also = "" if not spoken else " and spoken" if spoken == shown else f" · spoken: “{spoken}”"
            yield "display", f"“{shown}”{also}", Tone.PLAIN
        if tell.lamps != self._lamps:
            self._lamps = tell.lamps
            yield "lamps", words.lamps(tell.lamps), Tone.QUIET


def _both_ways(event: ev.AnyEvent) -> Told | None:
    """What becomes of the direction of a lane that is walked both ways, and what is at its other end."""
    match event:
        case ev.LaneTurned():
            return "gate", f"the lane is walked {event.direction} from here on", Tone.PLAIN
        case ev.DirectionWanted():
            return "gate", f"the {event.by} wants the lane walked {event.direction}", Tone.PLAIN
        case ev.OtherEndChanged():
            return "other end", f"{'a' if event.document else 'no'} passport lies on the reader", Tone.PLAIN
        case ev.OtherDeviceChanged():
            tone = Tone.PLAIN if event.code == "well" else Tone.BAD
            return "other end", f"{words.spaced(event.device)}: {words.spaced(event.code)}", tone
        case _:
            return None


def _document(event: ev.AnyEvent) -> Told | None:
    """What was found out about the document and who is there."""
    match event:
        case ev.DocumentPlaced():
            return "passport", "is laid on the reader", Tone.PLAIN
        case ev.DocumentRemoved():
            return "passport", "is taken from the reader", Tone.PLAIN
        case ev.MrzRead():
            return "passport", f"printed lines read ({event.format}), check digits right", Tone.GOOD
        case ev.MrzFailed():
            return "passport", f"printed lines not readable: {words.reason(event.reason)}", Tone.WARN
        case ev.PlacementAdvised():
            return _placed(event)
        case ev.ChipRead():
            proof = f", no copy by {words.spaced(event.proof)}" if event.proof else ""
            told = f"read over {event.access}{proof}: {checks_in_words(event.checks)}"
            return "chip", told, _tone(event.checks)
        case ev.ChipFailed():
            return "chip", f"not read: {words.reason(event.reason)}", Tone.WARN
        case ev.TokenFound() | ev.TokenRefused() | ev.TokenIssued():
            return _token(event)
        case ev.ConsentAnswered() | ev.Registered() | ev.RegistrationFailed() | ev.RegistrationLinked():
            return _registration(event)
        case ev.BackgroundChecked():
            good = event.grade is Grade.NONE and event.ruling is Ruling.ADMIT
            return "lists", _background(event), Tone.GOOD if good else Tone.BAD
        case ev.ReferenceReady():
            return "photograph", "from the chip is ready to be compared", Tone.GOOD
        case ev.ReferenceFailed():
            return "photograph", f"cannot be used: {words.reason(event.reason)}", Tone.BAD
        case ev.OccupancyChanged():
            counted = ("nobody is inside", "one person is inside", "more than one person is inside")
            tone = (Tone.QUIET, Tone.PLAIN, Tone.BAD)
            return "person", counted[event.persons], tone[event.persons]
        case _:
            return None


def _placed(event: ev.PlacementAdvised) -> Told:
    if event.advice is None:
        return "passport", "lies as it should", Tone.GOOD
    return "passport", f"does not lie as it should: {words.spaced(event.advice)}", Tone.WARN


def checks_in_words(checks: Sequence[Check]) -> str:
    """Sum up checks: all are good, or which are not and why."""
    made = [check for check in checks if check.result is not Result.NOT_SUPPORTED]
    bad = [check for check in made if check.result is not Result.SUCCESSFUL]
    if not bad:
        return f"all {len(made)} checks successful" if made else "no checks made"
    grave = [check for check in bad if check.reason != "not_reached"] or bad
    named = "; ".join(
        f"{check.name} {words.spaced(check.result)}"
        + (f" ({words.reason(check.reason)})" if check.reason else "")
        for check in grave
    )
    return f"{len(made) - len(bad)} of {len(made)} checks successful; {named}"


def _tone(checks: tuple[Check, ...]) -> Tone:
    return Tone.GOOD if overall(checks) is Result.SUCCESSFUL else Tone.BAD


def _tone_of(outcome: Outcome) -> Tone:
    return Tone.GOOD if outcome is Outcome.ADMITTED else Tone.WARN


def _token(event: ev.TokenFound | ev.TokenRefused | ev.TokenIssued) -> Told:
    match event:
        case ev.TokenFound():
            return "token", f"of a kiosk: {checks_in_words(event.checks)}", _tone(event.checks)
        case ev.TokenRefused():
            return "token", f"does not count: {words.reason(event.reason)}", Tone.BAD
        case ev.TokenIssued():
            return "token", "made for the gate, and on its way", Tone.GOOD


def _registration(
    event: ev.ConsentAnswered | ev.Registered | ev.RegistrationFailed | ev.RegistrationLinked,
) -> Told:
    match event:
        case ev.ConsentAnswered() if event.given:
            return "consent", f"given to text {event.text}", Tone.GOOD
        case ev.ConsentAnswered():
            return "consent", f"not given to text {event.text}", Tone.WARN
        case ev.Registered():
            return "registration", "kept, sealed, and on its way to the centre", Tone.GOOD
        case ev.RegistrationLinked():
            return "registration", "goes over to the new passport", Tone.GOOD
        case ev.RegistrationFailed():
            return "registration", f"not kept: {words.reason(event.reason)}", Tone.BAD


def _background(event: ev.BackgroundChecked) -> str:
    age = age_in_words(event.list_age_s)
    found = "no hit" if event.grade is Grade.NONE else f"HIT, graded {event.grade}"
    told = f"{checks_in_words(event.checks)}; watchlist {event.list_version}, {age} old: {found}"
    aside = [f"{each.reference} set aside, false by the word of {each.officer}" for each in event.set_aside]
    rules = [why_in_words(each) for each in event.why if each.reason]
    return "; ".join((told, *aside, *(f"rule {rule}" for rule in rules)))


def age_in_words(seconds: float) -> str:
    """Give an age with a unit that fits it."""
    for unit, length in (("days", 86400), ("h", 3600), ("min", 60)):
        if seconds >= 2 * length:
            return f"{seconds / length:.0f} {unit}"
    return f"{seconds:.0f} s"


def _face(event: ev.FaceAssessed, against: Thresholds | None) -> Told:
    look = "" if event.attempt == 1 else f"capture {event.attempt}: "
    if event.frames == 0:
        return "face", f"{look}no usable face was seen", Tone.BAD
    match, live = f"match {event.match_score:.3f}", f"{event.liveness} {event.liveness_score:.2f}"
    if against is None:
        return "face", f"{look}{event.frames} frames · {match} · {live}", Tone.PLAIN
    fits = event.match_score >= against.match
    lives = event.liveness is Liveness.LIVE and event.liveness_score >= against.liveness
    text = (
        f"{look}{event.frames} frames · {_compared(match, against.match, fits)}"
        f" · {_compared(live, against.liveness, event.liveness_score >= against.liveness)}"
    )
    return "face", text, Tone.GOOD if fits and lives else Tone.BAD


def _compared(score: str, threshold: float, reached: bool) -> str:  # noqa: FBT001 - the flag is the message
    return f"{score} {'≥' if reached else '<'} {threshold:g}"


def _decision(decide: do.Decide) -> str:
    good = sum(check.result is Result.SUCCESSFUL for check in decide.checks)
    by = "" if decide.officer is None else f", by officer {decide.officer}"
    return f"ADMIT{by}: {good} of {len(decide.checks)} checks successful"


def _ending(end: do.EndPassage) -> str:
    why = reasons_in_words(end.reasons)
    return f"ends: {end.outcome.upper()}" + (f", because: {why}" if why else "")


def _another_try(effect: do.AnyEffect) -> Told | None:
    match effect:
        case do.ReadChip() if effect.attempt > 1:
            return "chip", f"try number {effect.attempt}", Tone.WARN
        case do.StartCapture() if effect.attempt > 1:
            return "face", f"another look: capture {effect.attempt}", Tone.PLAIN
        case do.ConcludeCapture():
            return "face", "time is up: judge by the best there is", Tone.WARN
        case _:
            return None
