"""What the gate knows: its state, and the facts that its transitions are decided by.

Facts are only ever changed by events (`step.observe`) and by entering a state. They hold no personal data.
A `Gate` is immutable and hashable, so all reachable ones can be explored.
"""

from enum import StrEnum

from msgspec.structs import replace

from gated.core.checks import Check, Result, overall
from gated.core.policy import Policy
from gated.core.stature import Verdict, tall_enough
from gated.core.values import Value
from gated.core.vocabulary import (
    Body,
    Device,
    Direction,
    Door,
    Grade,
    Liveness,
    Mode,
    OfficerWord,
    Outcome,
    Topology,
    Vouched,
)

BOTH = frozenset(Door)

# The devices that a passage needs. The journal is not among them: without it the loop itself stops.
REQUIRED = frozenset(
    {Device.MRZ_SCANNER, Device.CHIP_READER, Device.IO_BOARD, Device.VISION, Device.WATCHLIST}
)


def required(policy: Policy) -> frozenset[Device]:
    """The devices that a passage through this kind of lane needs."""
    chipless = policy.lane.topology is Topology.TOKEN_GATE
    return REQUIRED - {Device.CHIP_READER} if chipless else REQUIRED


class State(StrEnum):
    """Where the lane is in its work."""

    OUT_OF_SERVICE = "out_of_service"
    CLOSED = "closed"
    LOCKED = "locked"
    MAINTENANCE = "maintenance"
    FREE_PASSAGE = "free_passage"
    CHANGE_OVER = "change_over"
    IDLE = "idle"
    DOC_OPTICAL = "doc_optical"
    DOC_CHIP = "doc_chip"
    DOC_TOKEN = "doc_token"  # noqa: S105 - no password
    BACKGROUND = "background"
    APPROACH = "approach"
    ENTRY_OPEN = "entry_open"
    ENTRY_CLOSING = "entry_closing"
    FACE_CAPTURE = "face_capture"
    VERIFY = "verify"
    CONSENT = "consent"
    ISSUING = "issuing"
    OFFICER = "officer"
    EXIT_OPEN = "exit_open"
    REJECT_OUT = "reject_out"
    CLEARING = "clearing"
    EMERGENCY = "emergency"


class Fault(Value):
    """A device that cannot be relied on. Latched: until a technician clears it."""

    device: Device
    code: str
    latched: bool = False


class Placed(Value):
    """A document that was laid on the reader and not yet begun with."""

    passage: str
    utc: str


class Background(Value):
    """What eligibility and the watchlists said."""

    checks: tuple[Check, ...]
    grade: Grade
    list_age_s: float
    asked_at: float
    height_exempt: bool = False
    registration: bool = False


class Face(Value):
    """The evidence of one capture."""

    frames: int
    match_score: float
    liveness_score: float
    liveness: Liveness
    height_m: float | None = None
    height_error_m: float = 0.0


class Passage(Value):
    """One traveller's way through the lane, as far as it has come.

    `seen` is how many the camera sees; `party` how many may be inside together: more than one only in a wide
    lane, before an officer's word, which is `word_for` so many. `stepped` into the exit so many since it
    was released; `crossed` so many went out by it; `came_back`: somebody came in by it; `stays_shut`: the
    board told of a fault while it was released and had not opened. `consent` was answered at `answered_at`.
    """

    id: str
    mrz: bool = False
    mrz_failures: int = 0
    chip: tuple[Check, ...] | None = None
    chip_failure: str = ""
    chip_attempt: int = 0
    background: Background | None = None
    enrolled: bool | None = None
    attempt: int = 0
    looks: int = 0
    face: Face | None = None
    hint: str | None = None
    reversals: int = 0
    body: Body | None = None
    seen: int = 0
    party: int = 1
    stepped: int = 0
    crossed: int = 0
    came_back: bool = False
    stays_shut: bool = False
    token: bool = False
    token_refused: str = ""
    issued: bool = False
    consent: bool | None = None
    answered_at: float = 0.0
    officer: str | None = None
    word: OfficerWord | None = None
    word_for: int = 1
    escalated: bool = False
    outcome: Outcome | None = None
    reasons: tuple[str, ...] = ()


class Gate(Value):
    """Everything that `step` decides by.

    `persons` is what the presence sensor says (2: more than one), `counted` who came in by the light curtains
    and did not go out; without curtains it stays 0. `blocked` are the doorways in which something stands.
    `calls`: so many times in a row somebody was called to the way out, and nothing moved there; `unopened`
    are the doors that were told shut ever since they were released. `locked_by` is who signed the lock.
    `old`, `stale` and `closing` are the kinds on which the centre's last word is older than policy warns at,
    admits by, and keeps the lane open with; before anything was told of ages all count as stale.
    Of a lane for two directions, `other_faults` are those of the end that is not in use; `served`: a passage
    began since it was turned.
    """

    policy: Policy
    state: State = State.OUT_OF_SERVICE
    since: float = 0.0
    due: float | None = None
    expired: bool = False
    ready: frozenset[Device] = frozenset()
    faults: frozenset[Fault] = frozenset()
    mode: Mode = Mode.CLOSED
    locked_by: str | None = None
    on_duty: bool = False
    emergency: bool = False
    clock_good: bool = False
    old: frozenset[Vouched] = frozenset()
    stale: frozenset[Vouched] = frozenset(Vouched)
    closing: frozenset[Vouched] = frozenset()
    document: bool = False
    waiting: Placed | None = None
    other_document: bool = False
    other_faults: frozenset[Fault] = frozenset()
    served: bool = False
    direction: Direction = Direction.FORWARD
    wanted_direction: Direction = Direction.FORWARD
    shut: frozenset[Door] = frozenset()
    blocked: frozenset[Door] = frozenset()
    persons: int = 0
    counted: int = 0
    calls: int = 0
    asked_door: Door | None = None
    released: frozenset[Door] = frozenset()
    unopened: frozenset[Door] = frozenset()
    renew_at: float | None = None
    told: tuple[str, str | None, str] | None = None
    passage: Passage | None = None


def with_passage(gate: Gate, **facts: object) -> Gate:
    """Return the gate with facts of its passage changed; without a passage, the gate as it is."""
    if gate.passage is None:
        return gate
    return replace(gate, passage=replace(gate.passage, **facts))


# What somebody who works on the lane does to its light curtains; that a beam sees nobody is none of it.
TOUCHED = frozenset(
    f"{door}_{code}"
    for door in Door
    for code in ("beam_stuck", "doorway_obstructed", "curtain_dark", "too_fast", "flutter")
) | {"crossed_a_shut_door"}

# What a technician does about a fault that no device reports, but the heart itself finds.
FIXES = {
    "count_unsure": "not everybody who came in was seen to leave: look into the lane, then clear this fault",
    "presence_stuck": (
        "somebody or something is felt in the lane, and nothing has moved for long: look; if nothing is"
        " there, see the presence sensor and its wire (maintenance begins though it feels somebody); then"
        " clear this fault"
    ),
    "entry_contact_stuck": (
        "somebody came in while the contact of the entry said shut: see that it opens with the door; if it"
        " does, see the presence sensor; then clear this fault"
    ),
    "exit_contact_stuck": (
        "somebody left while the contact of the exit said shut: see that it opens with the door; if it does,"
        " see the presence sensor; then clear this fault"
    ),
}


ALWAYS_FELT = Fault(device=Device.IO_BOARD, code="presence_stuck")  # where the way back is open


def raised(gate: Gate, code: str, *, latched: bool = True) -> Gate:
    """Return the gate with a fault of the lane itself: what its sensors say cannot all be true."""
    return replace(gate, faults=gate.faults | {Fault(device=Device.IO_BOARD, code=code, latched=latched)})


# --- conditions that more than one row asks ---------------------------------------------------------


def healthy(gate: Gate) -> bool:
    """Every device that a passage needs is ready and none has a fault."""
    return not gate.faults and gate.ready >= required(gate.policy)


def inside(gate: Gate) -> int:
    """How many people there may be inside, by whichever sensor sees most of them."""
    return max(gate.persons, gate.counted, gate.passage.seen if gate.passage else 0)


def is_enclosed(gate: Gate) -> bool:
    """Whether people can be inside this lane, and leave only by its doorways."""
    return gate.policy.lane.topology not in {Topology.ONE_DOOR, Topology.CORRIDOR, Topology.KIOSK}


def is_open(gate: Gate) -> bool:
    """Whether the lane takes travellers: it was told to, and nothing keeps it closed by itself.

    That is: nobody is on duty where that is asked, or what it decides by is too old.
    """
    told = gate.mode in {Mode.OPEN, Mode.ONE_WAY}
    return told and (gate.on_duty or gate.policy.lane.duty_s == 0) and not gate.closing


def presence_is_doubted(gate: Gate) -> bool:
    """The presence sensor has felt somebody for so long that it may well be wrong."""
    return any(fault.code == ALWAYS_FELT.code for fault in gate.faults)


def chip_is_good(gate: Gate) -> bool:
    """The chip was read and every check on it was successful."""
    passage = gate.passage
    return passage is not None and passage.chip is not None and overall(passage.chip) is Result.SUCCESSFUL


def lists_are_fresh(gate: Gate, at: float) -> bool:
    """What was asked is, at monotonic time `at`, not older than policy allows, and nothing else is."""
    background = gate.passage.background if gate.passage else None
    if background is None or gate.stale:
        return False
    return background.list_age_s + (at - background.asked_at) <= gate.policy.watchlist_max_age_s


def background_is_good(gate: Gate) -> bool:
    """Eligible, and on no list that asks for an officer."""
    background = gate.passage.background if gate.passage else None
    if background is None or background.grade in {Grade.REFER, Grade.STOP}:
        return False
    return overall(background.checks) is Result.SUCCESSFUL


def face_is_good(gate: Gate) -> bool:
    """The person is the holder of the passport, and alive."""
    face = gate.passage.face if gate.passage else None
    return (
        face is not None
        and face.frames > 0
        and face.match_score >= gate.policy.match_threshold
        and face.liveness is Liveness.LIVE
        and face.liveness_score >= gate.policy.liveness_threshold
    )


def height_verdict(gate: Gate) -> Verdict:
    """Whether the person is as tall as the lane asks; where it does not ask, they are."""
    background = gate.passage.background if gate.passage else None
    face = gate.passage.face if gate.passage else None
    if gate.policy.min_height_m == 0 or (background is not None and background.height_exempt):
        return "yes"
    if face is None or face.frames == 0:
        return "undetermined"
    return tall_enough(face.height_m, face.height_error_m, gate.policy.min_height_m)


def may_admit(gate: Gate) -> bool:
    """Everything that an automatic admission rests on holds now."""
    return (
        healthy(gate)
        and (gate.clock_good or not gate.policy.require_synchronised_clock)
        and chip_is_good(gate)
        and background_is_good(gate)
        and lists_are_fresh(gate, gate.since)
        and face_is_good(gate)
        and height_verdict(gate) == "yes"
        and gate.mode is not Mode.LOCKED
        and gate.persons == 1
        and inside(gate) == 1
        and gate.shut == BOTH
    )
