"""Things to do: frozen, named in the imperative. The loop performs them after they are journalled."""

from gated.core.checks import Check
from gated.core.events import PassageId
from gated.core.values import Tagged
from gated.core.vocabulary import Direction, Door, Grade, Outcome


class Effect(Tagged):
    """Something that the outside world is asked to do."""


class UnlockDoor(Effect):
    """Lease the door open for `lease_s` seconds; the driver locks it again by itself.

    `passage` is None where no decision on a traveller is needed: letting out by the entry whoever is inside,
    free passage, and a technician at work.
    """

    door: Door
    lease_s: float
    passage: PassageId | None


class ReleaseAll(Effect):
    """Emergency: both doors, until they are locked again."""


class LockDoor(Effect):
    """End the lease of the door now."""

    door: Door


class WatchAnew(Effect):
    """Begin to watch the light curtains anew: what is still wrong with them is told again."""


class Tell(Effect):
    """What the traveller sees and hears: names of a screen, a spoken prompt and a lamp pattern."""

    screen: str
    prompt: str | None
    lamps: str


class AlertOfficer(Effect):
    """Bring something to the officers; silent towards the traveller. `hits`: references of list entries."""

    kind: str
    passage: PassageId | None
    grade: Grade = Grade.NONE
    hits: tuple[str, ...] = ()


class ReadMrz(Effect):
    """Ask the MRZ scanner for what lies on it."""

    passage: PassageId


class ReadChip(Effect):
    """Read the chip and make its checks."""

    passage: PassageId
    attempt: int


class CheckBackground(Effect):
    """Ask eligibility and the watchlists."""

    passage: PassageId


class FindToken(Effect):
    """Look for the token that a kiosk made for this document."""

    passage: PassageId


class IssueToken(Effect):
    """Make a token for the gate, bound to the document and to the face: `checks` is what it says.

    `officer` is the id of the key of whoever accepted the traveller; None: nobody had to.
    """

    passage: PassageId
    checks: tuple[Check, ...]
    officer: str | None = None


class AskConsent(Effect):
    """Listen to the traveller's answer, who is asked whether they agree to be registered."""

    passage: PassageId


class Register(Effect):
    """Keep the registration of a traveller who was found to be the holder, and agreed."""

    passage: PassageId


class KeepFalseHit(Effect):
    """Keep an officer's word that the holder of a document is not the person of a case, or drop it."""

    marks: tuple[str, ...]
    officer: str
    said_at: float
    withdrawn: bool = False


class TurnLane(Effect):
    """Serve this direction: doors, sensors, readers and cameras change their ends."""

    direction: Direction


class PrepareReference(Effect):
    """Give the passport photograph to the vision process."""

    passage: PassageId


class StartCapture(Effect):
    """Begin capture `attempt`: track the person, collect best shots, assess.

    `min_height_m`: the rule that the person's height is to be measured for; 0: it is not asked.
    """

    passage: PassageId
    attempt: int
    min_height_m: float = 0.0


class ConcludeCapture(Effect):
    """Time is up: assess with the best there is."""

    passage: PassageId
    attempt: int


class Decide(Effect):
    """The decision to admit, bound to one passage; it is in the journal before the exit unlocks.

    `officer` is the id of the officer's key where a person decided.
    """

    passage: PassageId
    reasons: tuple[str, ...]
    checks: tuple[Check, ...]
    officer: str | None = None


class EndPassage(Effect):
    """The passage ended; its personal data is wiped from memory everywhere."""

    passage: PassageId
    outcome: Outcome
    reasons: tuple[str, ...]


AnyEffect = (
    UnlockDoor
    | ReleaseAll
    | LockDoor
    | WatchAnew
    | Tell
    | AlertOfficer
    | ReadMrz
    | ReadChip
    | CheckBackground
    | FindToken
    | IssueToken
    | AskConsent
    | Register
    | KeepFalseHit
    | TurnLane
    | PrepareReference
    | StartCapture
    | ConcludeCapture
    | Decide
    | EndPassage
)
