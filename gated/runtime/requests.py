"""What `gatectl` asks of `gated` over its local socket, and what it is told."""

import hashlib
from typing import Annotated, Literal

import msgspec
from msgspec import Meta

from gated.core.events import Case, FalseHitMark, PassageId, RegistrationId
from gated.core.personal import MASK
from gated.core.values import Value
from gated.core.vocabulary import Direction, Door, Mode
from gated.runtime.messages import Message
from gated.watchlist.false_hits import signed_text

MAX_REASON = 120  # characters of the text that a person gives as a reason
# One line without control characters and what else moves other text about, as U+202E does.
PLAIN_LINE = r"^[^\x00-\x1f\x7f-\x9f\u061c\u200b-\u200f\u2028-\u202e\u2060-\u206f\ufeff]+\Z"


class AskStatus(Message):
    """Ask what the gate is doing."""


class Status(Message):
    """The state of the gate for people and monitors; no personal data."""

    gate: str
    topology: str
    state: str
    mode: str
    direction: str
    passage: PassageId | None
    faults: dict[str, str]
    devices: dict[str, bool]
    doors: dict[str, str]
    cameras: dict[str, str]
    persons: int
    screen: str
    lamps: str
    watchlist_version: int
    watchlist_age_s: float | None
    journal_entries: int
    journal_head: str
    uptime_s: float
    versions: dict[str, str]
    other_end: dict[str, str] = msgspec.field(default_factory=dict)
    """Faults at the end of a two-way lane that is not in use, each with what to do."""
    journal_receipted: int | None = None
    """The last entry that the centre has signed for; None where the journal is not delivered."""
    journal_trouble: dict[str, str] = msgspec.field(default_factory=dict)
    """What is wrong with its delivery, with what to do."""
    locked_by: str | None = None
    """The officer whose signed lock holds: only a signed word lifts it."""
    embedder: str = ""
    """What decides whether a face matches."""
    embedder_trouble: dict[str, str] = msgspec.field(default_factory=dict)
    """The embedders that are named and not used, each with a code and what to do."""
    ages_s: dict[str, float] = msgspec.field(default_factory=dict)
    """How long ago the centre vouched for each kind that decides here."""
    age_trouble: dict[str, str] = msgspec.field(default_factory=dict)
    """The kinds of which that was too long ago, as `rules_stale`, with what it means and what to do."""


class SelfTest(Message):
    """Ask what each lane knows of its device, without touching any."""


class Trouble(Value):
    """What is wrong with a device now, and what to do."""

    code: str
    fix: str


class Sensed(Value):
    """An input line, by the name of its wire, and how long it has been so."""

    name: str
    active: bool
    since_s: float


class SafetyState(Value):
    """The safety controller: who it is, its supply, and each of its faults with what to do."""

    firmware: str
    configuration: str
    supply_v: float
    faults: dict[str, str]


class SelfTested(Message):
    """What the lanes know; `inputs` is empty while the board is away.

    `watched_s`: how long ago all inputs were last read. `cycles`: of each door, by its physical end.
    `messages`: of the scanner since the start; None where a page camera reads. `longest_command`: bytes that
    one exchange with a chip carries; 0 while the reader is not open.
    """

    status: Status
    troubles: dict[str, Trouble]
    inputs: tuple[Sensed, ...]
    flapping: tuple[str, ...]
    watched_s: float
    cycles: dict[str, int]
    messages: int | None
    longest_command: int
    link: str
    safety: SafetyState | None


class AskTrace(Message):
    """Ask how the wires of the board moved after the mark of this number; None: where the trace stands."""

    after: Annotated[int, Meta(ge=0)] | None = None


class Mark(Value):
    """A wire is active or not from a monotonic time on. `bounce`: an edge, whether it held or not."""

    number: int
    at: float
    name: str
    active: bool
    bounce: bool


class Traced(Message):
    """Marks in order, the first ones if there are many; `last` is the number to ask after next."""

    last: int
    marks: tuple[Mark, ...]


class TryLamp(Message):
    """In maintenance: light this lamp alone for two seconds."""

    lamp: Literal["entry_green", "entry_red", "exit_green", "exit_red", "amber", "face_light"]


class SetMode(Message):
    """Tell the lane what to do, and why.

    Free passage takes an officer's signature over `signed_text`, and so does what lifts a lock that has one.
    The reason is one line of plain text: it is signed as a line, and shown to whoever reads the journal.
    """

    mode: Mode
    reason: Annotated[str, Meta(min_length=1, max_length=MAX_REASON, pattern=PLAIN_LINE)]
    officer: str = ""
    said_at: float = 0.0
    signature: bytes = b""

    @property
    def signed_text(self) -> bytes:
        """The exact bytes that the officer signs."""
        return _signed("mode", self.mode, self.reason, self.officer, f"{self.said_at:.3f}")


class SetDuty(Message):
    """An officer begins or ends their duty for this lane, signed over `signed_text`."""

    on: bool
    officer: str
    said_at: float
    signature: bytes

    @property
    def signed_text(self) -> bytes:
        """The exact bytes that the officer signs."""
        return _signed("duty", "on" if self.on else "off", self.officer, f"{self.said_at:.3f}")


class SetDirection(Message):
    """Have a lane for two directions walked this way, as soon as it is empty."""

    direction: Direction


class AskDoor(Message):
    """In maintenance: release this door, or none."""

    door: Door | None


class ClearFaults(Message):
    """A technician cleared the faults of a device."""

    device: str


class ResetEmergency(Message):
    """A technician reset the emergency."""


class OfficerCommand(Message):
    """An officer's word for a referred passage, signed (Ed25519) over `signed_text`.

    `said_at` is in seconds since 1970: an old word, or one that was taken already, does not count again.
    `persons` is how many are inside: a party is let out only by its number.
    """

    passage: PassageId
    word: Literal["accept", "refuse", "escort"]
    officer: str
    said_at: float
    signature: bytes
    persons: Annotated[int, Meta(ge=1, le=3)] = 1

    @property
    def signed_text(self) -> bytes:
        """The exact bytes that the officer signs: what is said, about which passage, by whom, and when."""
        return _signed(
            "command", self.passage, self.word, str(self.persons), self.officer, f"{self.said_at:.3f}"
        )


def _signed(kind: str, *told: str) -> bytes:
    """What an officer's key signs: one line for each thing that is said, the kind of it first."""
    return "\n".join((f"egate officer {kind}", *told, "")).encode()


MAX_ZONE = 256  # bytes of a zone as it is handed over


class AskRegistration(Message):
    """Ask for a traveller's registration, delete it, or look whether it is gone.

    `zone` is what the passport's lines say: personal data. `registration` is the number of one that was
    deleted, to verify that.
    """

    what: Literal["show", "withdraw", "verify"]
    zone: Annotated[bytes, Meta(max_length=MAX_ZONE)]
    registration: RegistrationId | None = None

    def __repr__(self) -> str:
        return f"AskRegistration({self.what}, {MASK})"


class LinkRegistration(Message):
    """An officer's word that the holder of this passport is the one who is registered, signed (Ed25519).

    `zone` is what the passport's lines say: personal data, of which only the hash is signed.
    """

    registration: RegistrationId
    zone: Annotated[bytes, Meta(max_length=MAX_ZONE)]
    officer: str
    said_at: float
    signature: bytes

    def __repr__(self) -> str:
        return f"LinkRegistration({self.registration}, {MASK})"

    @property
    def signed_text(self) -> bytes:
        """The exact bytes that the officer signs."""
        zone = hashlib.sha256(self.zone).hexdigest()
        return _signed("registration", self.registration, zone, self.officer, f"{self.said_at:.3f}")


class RegistrationTold(Message):
    """What there is of it, or the proof that there is nothing: times in seconds since 1970.

    `left_behind` counts what leads to this traveller in the bytes of the files; `receipted` is when the
    centre signed that it has deleted what it held, empty as long as it has not.
    """

    registration: RegistrationId
    held: bool
    text: str = ""
    agreed: int = 0
    linked: int = 0
    embedder: str = ""
    """Which made the template of a portrait that is kept, if one is."""
    by_person: bool = False
    erased: int = 0
    reason: str = ""
    proof: str = ""
    left_behind: int = 0
    receipted: str = ""


FalseHitMarks = Annotated[tuple[FalseHitMark, ...], Meta(min_length=1, max_length=8)]
MAX_TOLD = 32  # hits of one traveller that are told of


class AskFalseHits(Message):
    """Ask which listed persons the holder of a document may be, and which of them are known not to be.

    `zone` is what the document's lines say: personal data. `references` are cases whose marks are wanted.
    """

    zone: Annotated[bytes, Meta(max_length=MAX_ZONE)]
    references: Annotated[tuple[Case, ...], Meta(max_length=16)] = ()

    def __repr__(self) -> str:
        return f"AskFalseHits({MASK})"


class PersonFound(Value):
    """A listed person who fits.

    `false_by` and `false_at` (seconds since 1970) are of the word by which it is a false hit, if it is.
    """

    reference: str
    grade: str
    reason: str
    score: float
    false_by: str = ""
    false_at: int = 0


class FalseHitsTold(Message):
    """The listed persons whom the holder may be, the likeliest first.

    `listed`: the document itself is on the list; whatever is known to be false does not count then. `marks`
    stand for the document and each case that was asked for (`gated.watchlist.false_hits`).
    """

    persons: Annotated[tuple[PersonFound, ...], Meta(max_length=MAX_TOLD)]
    listed: bool
    marks: dict[Case, FalseHitMarks] = msgspec.field(default_factory=dict)


class DecideFalseHit(Message):
    """An officer's word that the holder of a document is not the person of a case; or, `withdrawn`, may be.

    It is signed (Ed25519) over `signed_text`, which names the case and the marks that `AskFalseHits` told,
    and nothing of `zone`: personal data.
    """

    reference: Case
    marks: FalseHitMarks
    zone: Annotated[bytes, Meta(max_length=MAX_ZONE)]
    officer: str
    said_at: float
    signature: bytes
    withdrawn: bool = False

    def __repr__(self) -> str:
        return f"DecideFalseHit({self.reference}, {MASK})"

    @property
    def signed_text(self) -> bytes:
        """The exact bytes that the officer signs."""
        return signed_text(self.reference, self.marks, self.officer, self.said_at, withdrawn=self.withdrawn)


class Done(Message):
    """The request was taken."""


class Refused(Message):
    """The request was not taken; `reason` says why, `fix` what to do."""

    reason: str
    fix: str


ToControl = (
    AskStatus
    | SelfTest
    | AskTrace
    | TryLamp
    | SetMode
    | SetDuty
    | SetDirection
    | AskDoor
    | ClearFaults
    | ResetEmergency
    | OfficerCommand
    | AskRegistration
    | LinkRegistration
    | AskFalseHits
    | DecideFalseHit
)
FromControl = Status | SelfTested | Traced | RegistrationTold | FalseHitsTold | Done | Refused
