"""What the processes of one gate say to each other over `ipc://`: tagged structs in MessagePack.

`gated` is the hub. Each message fits in MAX_MESSAGE bytes; whoever receives a longer or an unknown one
drops the peer's message and says so.
"""

import hashlib
from typing import Annotated, Literal

import msgspec
from msgspec import Meta

from gated.core.events import PassageId
from gated.core.portraits import Portrait
from gated.core.settings import Name
from gated.core.values import Tagged, Value
from gated.core.vocabulary import Advice, Hint, Liveness
from gated.store.delivery import MAX_ANSWER, MAX_DELIVERY
from gated.tokens import MAX_SEALED_TEMPLATE, MAX_TEMPLATE, MAX_TOKEN

MAX_MESSAGE = 4_500_000  # the largest image that the settings allow, and its envelope
FETCH_PIECE = 256 * 1024  # bytes of one Fetched
FETCH_PIECES = 16  # pieces for one Fetch: a quarter of the queue between two processes

# What another process says ends up in the journal: a word of a vocabulary, never a text; a number, never NaN.
Code = Annotated[str, Meta(pattern=r"^[a-z][a-z0-9_]*\Z", max_length=60)]
Score = Annotated[float, Meta(ge=0, le=1)]
Metres = Annotated[float, Meta(ge=0, le=3)]
ModelVersion = Annotated[str, Meta(pattern=r"^[0-9a-f]{64}\Z")]
Label = Annotated[str, Meta(pattern=r"^([a-z][a-z0-9_-]*)?\Z", max_length=32)]
Names = Annotated[tuple[Label, ...], Meta(max_length=8)]
Count = Annotated[int, Meta(ge=0, le=1_000_000)]
ZoneLine = Annotated[str, Meta(pattern=r"^[A-Z0-9<]{30,44}\Z", max_length=44)]  # Doc 9303-4 to -7


class Message(Tagged):
    """Base of every message."""


# --- gated to gate-vision ---------------------------------------------------------------------


class SetReference(Message):
    """Enrol the passport photograph: the encoded image from DG2 (JPEG or JPEG 2000), undecoded.

    `subject` marks the document, the same at each visit since the gate's start and nowhere else; `stratum` is
    the coarse kind of person that error rates are told by. `cameras` are as in `Capture`.
    """

    passage: PassageId
    image: bytes
    subject: Annotated[bytes, Meta(max_length=16)] = b""
    stratum: Label = ""
    cameras: Names = ()


class SetTemplate(Message):
    """Take this template, which a kiosk made of the passport photograph, in place of the photograph.

    `embedder` and `version` name the model that made it. The other fields are those of `SetReference`.
    """

    passage: PassageId
    embedder: Name
    version: ModelVersion
    template: Annotated[bytes, Meta(max_length=MAX_TEMPLATE)]
    subject: Annotated[bytes, Meta(max_length=16)] = b""
    stratum: Label = ""
    cameras: Names = ()

    def __repr__(self) -> str:
        return "SetTemplate(‹personal›)"


class GiveTemplate(Message):
    """At a kiosk: give out the template of the photograph, sealed for the gate, for this token alone."""

    passage: PassageId
    token: PassageId


class AskPortrait(Message):
    """Give out the template of the photograph, for a registration; say how like it is to a kept one.

    Only where `[registration] keeps` templates is it given.
    """

    passage: PassageId
    kept: Portrait | None = None


class LightSwitch(Value):
    """The lamp that lights the face is on or off from a moment on (monotonic seconds)."""

    at: float
    on: bool


class Capture(Message):
    """Wake the cameras and begin capture `attempt`. `light` is what the face light plays meanwhile.

    `min_height_m`: the rule that the person's height is measured for; 0: it is not measured. `cameras` are
    those that look at who comes; none named: all.
    """

    passage: PassageId
    attempt: int
    min_height_m: Metres = 0.0
    light: Annotated[tuple[LightSwitch, ...], Meta(max_length=32)] = ()
    cameras: Names = ()


class Conclude(Message):
    """Answer now with the best there is."""

    passage: PassageId
    attempt: int


class Forget(Message):
    """The passage ended: wipe its reference, its tracks and its images, and let the camera sleep."""

    passage: PassageId


class ReadPage(Message):
    """Look at the page until its zone is read for sure, and coach meanwhile.

    `only_coach`: another device reads, and the lines are not wanted; look until told to stop.
    """

    passage: PassageId
    only_coach: bool = False


class StopPage(Message):
    """Look at the page no longer, and wipe what was seen of it."""

    passage: PassageId


class EmbedderAt(Value):
    """An embedder, its version, and the release of published models that it lies in.

    Release 0: one that is shipped or installed.
    """

    name: Name
    version: ModelVersion
    release: Annotated[int, Meta(ge=0)] = 0


class UseEmbedders(Message):
    """Compare faces by this embedder from now on, and by the shadow beside it.

    `threshold`: the score from which the gate takes faces for one. A Pong tells what came of it.
    """

    decides: EmbedderAt
    threshold: Score
    shadow: EmbedderAt | None = None

    @property
    def mark(self) -> str:
        """Stands for what is compared by: the versions, which tell all of a network, and the threshold."""
        shadow = "" if self.shadow is None else self.shadow.version
        return hashlib.sha256(f"{self.decides.version} {self.threshold!r} {shadow}".encode()).hexdigest()


class Ping(Message):
    """Asked some times a second; the answer is a Pong with the same number."""

    number: int


ToVision = (
    SetReference
    | SetTemplate
    | GiveTemplate
    | AskPortrait
    | Capture
    | Conclude
    | ReadPage
    | StopPage
    | Forget
    | UseEmbedders
    | Ping
)


# --- gate-vision to gated ---------------------------------------------------------------------


class Enrolled(Message):
    """The reference is usable."""

    passage: PassageId


class NotEnrolled(Message):
    """The reference is not usable; `reason` is a snake_case code."""

    passage: PassageId
    reason: Code


class TemplateGiven(Message):
    """The template of the photograph, sealed for the gate and bound to the token; which model made it."""

    passage: PassageId
    token: PassageId
    embedder: Name
    version: ModelVersion
    sealed: Annotated[bytes, Meta(min_length=1, max_length=MAX_SEALED_TEMPLATE)]


class TemplateNotGiven(Message):
    """There is no template to give; `reason` is a snake_case code."""

    passage: PassageId
    token: PassageId
    reason: Code


class PortraitTold(Message):
    """The template of the photograph, and its likeness to the kept one; `reason` is why one of them lacks."""

    passage: PassageId
    portrait: Portrait | None = None
    likeness: Score | None = None
    reason: Code | None = None


class PeopleSeen(Message):
    """How many people are before the camera, inside the lane: 2 for more than one. Sent when it changes."""

    passage: PassageId
    persons: Annotated[int, Meta(ge=0, le=2)]


class Guidance(Message):
    """What the person should do."""

    passage: PassageId
    hint: Hint


class Cue(Value):
    """What one sign of life says; None: there was no evidence for it."""

    name: Code
    score: Score | None


class StrangerCount(Value):
    """Comparisons of strangers, and how many of them matched."""

    strata: Annotated[str, Meta(pattern=r"^[a-z-]+/[a-z-]+\Z", max_length=48)]
    comparisons: Count
    matches: Count


class Assessment(Message):
    """The evidence of a capture. Sent once per attempt: when it suffices, or on Conclude.

    Its fields mean what those of `gated.core.events.FaceAssessed` mean. The images are JPEG crops (at most
    20 kB each), only where the settings allow them.
    """

    passage: PassageId
    attempt: Count
    frames: Count
    match_score: Score
    liveness_score: Score
    liveness: Liveness
    cues: Annotated[tuple[Cue, ...], Meta(max_length=16)] = ()
    quality: Annotated[int, Meta(ge=0, le=100)] | None = None
    height_m: Metres | None = None
    height_error_m: Metres = 0.0
    shadow_score: Score | None = None
    camera: Label = ""
    reference_crop: bytes | None = None
    best_crop: bytes | None = None


class PageRead(Message):
    """The lines of the zone, each character plain to see: one for each ReadPage. Personal data.

    `confidence` is that of the least sure character. `gated` takes the lines for no more than a claim.
    """

    passage: PassageId
    lines: Annotated[tuple[ZoneLine, ...], Meta(min_length=2, max_length=3)]
    confidence: Score

    def __repr__(self) -> str:
        return "PageRead(‹personal›)"


class PagePlacement(Message):
    """What would help to read the page; None when the last advice was heeded."""

    passage: PassageId
    advice: Advice | None


class StrangersCompared(Message):
    """A live face was compared with photographs of earlier travellers: what matched was a false match.

    By the strata of the two, as `adult-f/child-m`.
    """

    passage: PassageId
    counts: Annotated[tuple[StrangerCount, ...], Meta(min_length=1, max_length=64)]


class Pong(Message):
    """The vision process is alive. `camera` is `asleep`, `live`, or the code of its trouble.

    `cameras` tells the same of each of them by name; `camera` is the best of these. `page_camera` likewise;
    None where the gate has none. `embedders` is the mark of the UseEmbedders that it goes by, or would;
    `refused` are versions that it was told to use and cannot, with a code.
    """

    number: int
    camera: Code
    cameras: Annotated[dict[Label, Code], Meta(max_length=8)] = msgspec.field(default_factory=dict)
    page_camera: Code | None = None
    embedders: Annotated[str, Meta(pattern=r"^([0-9a-f]{64})?\Z")] = ""
    refused: Annotated[dict[ModelVersion, Code], Meta(max_length=4)] = msgspec.field(default_factory=dict)


FromVision = (
    Enrolled
    | NotEnrolled
    | TemplateGiven
    | TemplateNotGiven
    | PortraitTold
    | Guidance
    | PeopleSeen
    | Assessment
    | StrangersCompared
    | PageRead
    | PagePlacement
    | Pong
)


# --- gated and gate-link -----------------------------------------------------------------------


class Fetch(Message):
    """Bring this published file (a relative path without `..`), at most `max_bytes` long.

    It is credit for FETCH_PIECES pieces from `offset` on: a file of more pieces is asked for again from
    where they ended, so that a gate is never sent more than it can hold.
    """

    number: int
    path: Annotated[str, Meta(pattern=r"^[a-z]+(/[a-z0-9][a-z0-9._-]*)+\Z", max_length=200)]
    max_bytes: Annotated[int, Meta(ge=1, le=1_700_000_000)]
    offset: Annotated[int, Meta(ge=0, le=1_700_000_000)] = 0


class Fetched(Message):
    """One piece of the file, in order; the last one says so."""

    number: int
    body: bytes
    last: bool


class NotFetched(Message):
    """The file did not come: `missing`, `too_long`, `no_link`, `refused`."""

    number: int
    reason: Literal["missing", "too_long", "no_link", "refused"]


class Announced(Message):
    """The central side says that something new is published; only the signed metadata is believed."""


FromLink = Fetched | NotFetched | Announced | Pong
ToLink = Fetch | Ping


# Tokens have a line of their own, so that none waits while a list is fetched.


class PassToken(Message):
    """Bring this token to the gate."""

    number: int
    gate: Name
    body: Annotated[bytes, Meta(min_length=1, max_length=MAX_TOKEN)]


class TokenPassed(Message):
    """The central server has it; or not yet, because of `reason`."""

    number: int
    reason: Literal["", "no_link", "no_such_gate", "full", "refused"] = ""


class TokenCame(Message):
    """A token for this gate, from whomever: it is as good as its signature."""

    body: Annotated[bytes, Meta(min_length=1, max_length=MAX_TOKEN)]


class TokenTaken(Message):
    """The gate has it, or will never want it; `mark` is that of `gated.tokens.mark`."""

    mark: Annotated[str, Meta(pattern=r"^[0-9a-f]{32}\Z")]


TokensFromLink = TokenPassed | TokenCame
TokensToLink = PassToken | TokenTaken


# The journal has one, too. What is said stands in gated.store.delivery; the link does not look into it.


class JournalUp(Message):
    """Bring this to the centre; what cannot go now is dropped, and said again."""

    body: Annotated[bytes, Meta(min_length=1, max_length=MAX_DELIVERY)]


class JournalDown(Message):
    """What the centre answered."""

    body: Annotated[bytes, Meta(min_length=1, max_length=MAX_ANSWER)]
