"""Facts that happened: frozen, named in the past tense, each with the monotonic time `at` in seconds.

Everything that `step` ever learns stands here, and all of it is journalled, so no event carries personal
data: names, numbers, images and templates stay in the dossier of the passage, outside the heart.
Whatever is bound to a passage names it; a fact of another passage is ignored.
"""

from typing import Annotated, Literal

from msgspec import Meta, field

from gated.core.checks import Check
from gated.core.policy import Policy
from gated.core.rulings import Ruling, Why
from gated.core.values import Tagged, Value
from gated.core.vocabulary import (
    Advice,
    Body,
    Device,
    Direction,
    Door,
    Grade,
    Hint,
    Liveness,
    Mode,
    OfficerWord,
    Vouched,
)

PassageId = Annotated[str, Meta(pattern=r"^[0-9a-f]{16}\Z")]
Reason = Annotated[str, Meta(max_length=120)]
RegistrationId = Annotated[str, Meta(pattern=r"^[0-9a-f]{32}\Z")]
TextVersion = Annotated[str, Meta(pattern=r"^[a-z0-9][a-z0-9.-]{0,31}\Z")]
Sha256 = Annotated[str, Meta(pattern=r"^[0-9a-f]{64}\Z")]
Case = Annotated[str, Meta(pattern=r"^[A-Za-z0-9][A-Za-z0-9._/:-]{0,63}\Z")]
FalseHitMark = Annotated[str, Meta(pattern=r"^[0-9a-f]{16}:[0-9a-f]{32}\Z")]


class Event(Tagged):
    """What happened, and when (monotonic seconds, at the moment that it was noticed)."""

    at: float


# --- the gate itself ---------------------------------------------------------------------------


class GateStarted(Event):
    """The daemon came up. `interrupted` is the passage that the journal shows without an end.

    `hashes` names what the decisions rest on: configuration, models, trust store, watchlist. `locked_by` is
    the officer whose signed lock no signed word has lifted, as the journal shows.
    """

    utc: str
    policy: Policy
    hashes: dict[str, str]
    interrupted: PassageId | None = None
    locked_by: str | None = None


class DeviceReady(Event):
    """A device passed its self-test, or came back; ends a fault of it that is not latched."""

    device: Device


class FaultRaised(Event):
    """A device failed. A latched fault stays until a technician clears it."""

    device: Device
    code: str
    latched: bool = False


class FaultCleared(Event):
    """A technician cleared the latched faults of a device; the others end when the device is well again."""

    device: Device


class ListsChanged(Event):
    """Another watchlist is in force: decisions rest on it from here on."""

    version: int
    sha256: str


class PublishedChanged(Event):
    """Another release of a kind that the centre publishes is in force at this gate."""

    kind: Literal["rules", "config", "trust", "models", "prompts", "standings", "false_hits"]
    version: int
    sha256: str


class AgesChecked(Event):
    """How many seconds ago the centre last vouched for what decides here; None: nothing of this kind does.

    Told at the start, and whenever an age comes to mean something else by the policy.
    """

    watchlist_s: float | None = None
    rules_s: float | None = None
    trust_s: float | None = None
    standings_s: float | None = None

    @property
    def ages(self) -> dict[Vouched, float | None]:
        """The age of the word on each kind."""
        return {
            Vouched.WATCHLIST: self.watchlist_s,
            Vouched.RULES: self.rules_s,
            Vouched.TRUST: self.trust_s,
            Vouched.STANDINGS: self.standings_s,
        }


class ModeChanged(Event):
    """The lane was told what to do. `reason` is what was given as the reason; `officer` the id of a key.

    Free passage is an officer's decision: without a signed word it is not taken. Nor is anything else while
    a lock holds that an officer signed.
    """

    mode: Mode
    reason: Reason = ""
    officer: str | None = None


class DutyChanged(Event):
    """An officer is on duty for this lane, or nobody is any more."""

    on: bool


class DirectionWanted(Event):
    """The schedule, or somebody, wants the lane to be walked the other way."""

    direction: Direction
    by: Literal["schedule", "officer"]


class LaneTurned(Event):
    """Doors, sensors, readers and cameras serve this direction from here on."""

    direction: Direction


class DoorAsked(Event):
    """A technician wants a door released, or none: heeded in maintenance only."""

    door: Door | None


class EmergencyRaised(Event):
    """Fire input or panic button: people first."""


class EmergencyReset(Event):
    """A technician reset the emergency, at the gate."""


class DeadlinePassed(Event):
    """The deadline that the present state had set for `due` has passed."""

    due: float


# --- the document --------------------------------------------------------------------------------


class DocumentPlaced(Event):
    """Something lies on the reader. The loop gives the new passage its id and its date and time."""

    passage: PassageId
    utc: str


class DocumentRemoved(Event):
    """The reader is empty."""


class OtherEndChanged(Event):
    """A document lies on the reader at the other end of a lane for two directions, or it is empty again."""

    document: bool


class OtherDeviceChanged(Event):
    """A device at the end that is not in use fails or is well again: `code` is its trouble, or `well`."""

    device: Device
    code: str


class MrzRead(Event):
    """A machine-readable zone with good check digits was read."""

    passage: PassageId
    format: str


class MrzFailed(Event):
    """What was read is not a machine-readable zone; `reason` names the first thing wrong with it."""

    passage: PassageId
    reason: str


class PlacementAdvised(Event):
    """The document cannot be read as it lies; `advice` is what would help, None once that was heeded."""

    passage: PassageId
    advice: Advice | None


class ChipRead(Event):
    """The chip was read and its checks were made; they may have failed.

    `access_reason` says why it was BAC and not PACE. `proof` names what showed the chip to be genuine, empty
    where nothing did. `signer` and `csca` are the SHA-256 fingerprints of the certificates that the checks
    led to, for whoever asks later by whose word the document was believed; `notes` what was odd, not wrong.
    """

    passage: PassageId
    access: str
    checks: tuple[Check, ...]
    access_reason: str = ""
    proof: str = ""
    signer: str = ""
    csca: str = ""
    notes: tuple[str, ...] = ()
    duration_s: float = 0.0


class ChipFailed(Event):
    """The read ended early: no chip, tag lost, access refused, reader trouble."""

    passage: PassageId
    reason: str


class SetAside(Value):
    """A listed person who fits and is known not to be the holder: which case, by whose word, and of when.

    `gate` is where it was said; empty: here.
    """

    reference: Case
    officer: str
    utc: str
    gate: str = ""


class BackgroundChecked(Event):
    """Eligibility and watchlists were asked. `list_age_s` is the age of the lists at that moment.

    `height_exempt`: whom no rule about height concerns need not be measured. `hits` are the references of
    the entries that fit, as the publisher numbers its cases; `set_aside` those that fit and count for
    nothing, the rules included, since an officer found them false. `registration`: the rules want the holder
    registered, and this lane may do that. `ruling` is what the rules decided, `why` each of them that
    concerns the traveller, `rules` the SHA-256 of the pack; `facts` are what it was decided by, as coarse as
    the operator's profile has it, for new rules to be tried on.
    """

    passage: PassageId
    checks: tuple[Check, ...]
    grade: Grade
    list_age_s: float
    list_version: int
    height_exempt: bool = False
    hits: Annotated[tuple[str, ...], Meta(max_length=16)] = ()
    registration: bool = False
    ruling: Ruling = Ruling.ADMIT
    rules: str = ""
    why: Annotated[tuple[Why, ...], Meta(max_length=320)] = ()
    facts: dict[str, str] = field(default_factory=dict)
    set_aside: Annotated[tuple[SetAside, ...], Meta(max_length=32)] = ()


class TokenFound(Event):
    """The document has a token of a kiosk that is valid here, and that was not used: these are its checks."""

    passage: PassageId
    token: PassageId
    checks: tuple[Check, ...]


class TokenRefused(Event):
    """No token of this document opens this gate; `reason` says why."""

    passage: PassageId
    reason: str


class TokenIssued(Event):
    """A token for a gate was made and handed on."""

    passage: PassageId
    token: PassageId


class ReferenceReady(Event):
    """The passport photograph was decoded and enrolled."""

    passage: PassageId


class ReferenceFailed(Event):
    """The passport photograph could not be used."""

    passage: PassageId
    reason: str


# --- the person ----------------------------------------------------------------------------------


class DoorMoved(Event):
    """The position sensor of a door changed."""

    door: Door
    shut: bool


class OccupancyChanged(Event):
    """The person sensor counts 0, 1, or 2 for more than one."""

    persons: Annotated[int, Meta(ge=0, le=2)]


class Crossed(Event):
    """A light curtain saw somebody through a doorway: how many at least, and what they looked like to it.

    It says so up to a second after the doorway is free again: something may be pulled along.
    """

    door: Door
    inward: bool
    persons: Annotated[int, Meta(ge=0, le=3)]
    body: Body


class TurnedBack(Event):
    """Somebody went into a doorway and came out again on the side that they came from."""

    door: Door


class DoorwayChanged(Event):
    """Something stands in a doorway, or it is free again."""

    door: Door
    blocked: bool


class PeopleSeen(Event):
    """How many people the camera sees inside the lane, for long enough to be sure: 2 for more than one."""

    passage: PassageId
    persons: Annotated[int, Meta(ge=0, le=2)]


class GuidanceGiven(Event):
    """What the person in front of the camera should do."""

    passage: PassageId
    hint: Hint


class LivenessCue(Value):
    """One sign of life or of an attack: a score in [0, 1]; None where there was no evidence."""

    name: str
    score: float | None


class FaceAssessed(Event):
    """The evidence of capture `attempt`: fused match score, liveness score and verdict, all in [0, 1].

    `frames` counts the frames with a usable face. With 0 of them the scores say nothing. `quality` is that of
    the best shot in [0, 100] (None: there is none). A height comes with its 95 % half-width, both in metres;
    None: it was not measured. `shadow_score` is what a second embedder says that decides nothing. `camera`
    is the one that saw the person last.
    """

    passage: PassageId
    attempt: int
    frames: int
    match_score: float
    liveness_score: float
    liveness: Liveness
    cues: tuple[LivenessCue, ...] = ()
    quality: int | None = None
    height_m: float | None = None
    height_error_m: float = 0.0
    shadow_score: float | None = None
    camera: str = ""


class StrangerCount(Value):
    """How many comparisons of strangers there were between two kinds of people, and how many matched."""

    strata: str
    comparisons: int
    matches: int


class StrangersCompared(Event):
    """The face of this passage was compared with photographs of earlier travellers (TR-03121, EVA-VER)."""

    passage: PassageId
    counts: tuple[StrangerCount, ...]


class CameraChanged(Event):
    """One of several cameras fails or is well again: `code` is its trouble, or `well`."""

    camera: str
    code: str


class OfficerDecided(Event):
    """An officer's command whose signature held; `officer` is the id of the key.

    `persons` is how many the officer saw inside: a party in a wide lane is let out only by its number.
    """

    passage: PassageId
    word: OfficerWord
    officer: str
    persons: Annotated[int, Meta(ge=1, le=3)] = 1


class ConsentAnswered(Event):
    """The traveller was asked to agree to the text of this version, and said so, or said no.

    With a `registration` they had said so before: it is theirs by the number for life that the chip tells.
    """

    passage: PassageId
    given: bool
    text: TextVersion
    registration: RegistrationId | None = None


class Registered(Event):
    """The traveller's registration is kept under this number; `sha256` is that of what was sealed of it.

    Zeros: it is kept at another gate, and nothing of it here.
    """

    passage: PassageId
    registration: RegistrationId
    sha256: Sha256


class RegistrationFailed(Event):
    """Nothing was kept; `reason` says why. It takes nothing from the admission."""

    passage: PassageId
    reason: Reason


class RegistrationErased(Event):
    """A registration was deleted at this gate; `proof` is the hash that stands for it from here on."""

    registration: RegistrationId
    proof: Sha256
    reason: Reason


class RegistrationLinked(Event):
    """A registration is found by a new document from here on; `by` says on what ground."""

    registration: RegistrationId
    by: Literal["personal_number", "officer"]
    officer: str | None = None


class FalseHitDecided(Event):
    """An officer found that the holder of a document is not the person of a case, or took that back.

    `marks` stand for document and case, one under each list key of the gate: keyed hashes, which say nothing
    without the key. `signature` is the officer's, over all of it (`gated.watchlist.false_hits.signed_text`),
    so that whoever has their public key can check it later.
    """

    reference: Case
    marks: Annotated[tuple[FalseHitMark, ...], Meta(min_length=1, max_length=8)]
    officer: str
    said_at: float
    signature: Annotated[str, Meta(pattern=r"^[0-9a-f]{128}\Z")]
    withdrawn: bool = False


class ClockChecked(Event):
    """Whether the system clock is synchronised."""

    synchronised: bool


AnyEvent = (
    GateStarted
    | DeviceReady
    | FaultRaised
    | FaultCleared
    | CameraChanged
    | StrangersCompared
    | ListsChanged
    | PublishedChanged
    | AgesChecked
    | ModeChanged
    | DutyChanged
    | DirectionWanted
    | LaneTurned
    | DoorAsked
    | EmergencyRaised
    | EmergencyReset
    | DeadlinePassed
    | DocumentPlaced
    | DocumentRemoved
    | OtherEndChanged
    | OtherDeviceChanged
    | MrzRead
    | MrzFailed
    | PlacementAdvised
    | ChipRead
    | ChipFailed
    | BackgroundChecked
    | TokenFound
    | TokenRefused
    | TokenIssued
    | ReferenceReady
    | ReferenceFailed
    | DoorMoved
    | OccupancyChanged
    | Crossed
    | TurnedBack
    | DoorwayChanged
    | PeopleSeen
    | GuidanceGiven
    | FaceAssessed
    | OfficerDecided
    | ConsentAnswered
    | Registered
    | RegistrationFailed
    | RegistrationErased
    | RegistrationLinked
    | FalseHitDecided
    | ClockChecked
)
