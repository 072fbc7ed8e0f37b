"""The words that facts and effects share: doors, outcomes, grades, devices."""

from enum import StrEnum


class Door(StrEnum):
    """The doors of the lane, in walking order; of a lane for two directions, in the one that is in force."""

    ENTRY = "entry"
    EXIT = "exit"


class Topology(StrEnum):
    """How a lane is built: which doors it has, and where its document reader stands."""

    MANTRAP = "mantrap"  # two doors, one person between them
    ONE_DOOR = "one_door"  # a door at the end; the way back is always free
    CORRIDOR = "corridor"  # people walk up to a barrier, which opens for whom it knows
    PORT = "port"  # a mantrap that serves two directions, one at a time
    KIOSK = "kiosk"  # no door: reads and checks, and hands out a token for a gate
    TOKEN_GATE = "token_gate"  # noqa: S105 - a mantrap for holders of a token of a kiosk


class Mode(StrEnum):
    """What the lane was told to do. Emergency is no mode: it is stronger than each of them."""

    OPEN = "open"
    CLOSED = "closed"  # no further passages; one under way is finished
    LOCKED = "locked"  # as closed, and at once: nobody is admitted, not even whoever is inside
    MAINTENANCE = "maintenance"  # a technician moves the doors, one at a time
    FREE_PASSAGE = "free_passage"  # everybody walks through, unchecked, one by one: an officer's decision
    ONE_WAY = "one_way"  # open, and the direction is not changed by demand


class Direction(StrEnum):
    """Which way a lane for two directions is walked now."""

    FORWARD = "forward"
    REVERSE = "reverse"


class Body(StrEnum):
    """What a light curtain takes a body in the doorway for."""

    PERSON = "person"
    CHILD = "child"
    WHEELCHAIR = "wheelchair"
    TROLLEY = "trolley"  # a person who pushes or pulls something
    OBJECT = "object"


class Outcome(StrEnum):
    """How a passage ends; each ends exactly once."""

    ADMITTED = "admitted"
    REFUSED = "refused"  # sent back: by an officer, or because the rules of the lane were broken
    REFERRED = "referred"  # handed over to an officer or the counter
    ABANDONED = "abandoned"  # the traveller went away
    ABORTED = "aborted"  # the gate could not go on: power cut, emergency
    PREPARED = "prepared"  # at a kiosk: checked, and given a token for the gate


class Grade(StrEnum):
    """How grave a watchlist hit is, in rising order."""

    NONE = "none"
    SILENT = "silent"  # tell the officers, let the passage go on
    REFER = "refer"  # an officer takes over
    STOP = "stop"  # an officer takes over, at once


class Liveness(StrEnum):
    """The verdict on presentation attacks (ISO/IEC 30107): undetermined is an answer of its own."""

    LIVE = "live"
    ATTACK = "attack"
    UNDETERMINED = "undetermined"


class Vouched(StrEnum):
    """What the centre publishes and vouches for anew all the time, and a gate decides travellers by."""

    WATCHLIST = "watchlist"
    RULES = "rules"
    TRUST = "trust"
    STANDINGS = "standings"


class Aging(StrEnum):
    """What the age of the centre's last word on a kind means by policy, in rising gravity."""

    FRESH = "fresh"
    OLD = "aging"  # technicians and officers are told
    STALE = "stale"  # nobody is admitted without an officer
    CLOSING = "closing"  # the lane takes nobody


class Device(StrEnum):
    """What the gate cannot work without; each answers to one lane."""

    MRZ_SCANNER = "mrz_scanner"
    CHIP_READER = "chip_reader"
    IO_BOARD = "io_board"
    VISION = "vision"
    WATCHLIST = "watchlist"
    JOURNAL = "journal"
    CLOCK = "clock"
    POWER = "power"


class Advice(StrEnum):
    """How the document should lie: one at a time, the first thing that helps."""

    TURN_ROUND = "turn_round"  # the far edge to the front
    TURN_OVER = "turn_over"  # the other side down
    PUSH_INTO_CORNER = "push_into_corner"
    HOLD_STILL = "hold_still"
    OPEN_AT_PHOTO_PAGE = "open_at_photo_page"


class Hint(StrEnum):
    """What the person before the camera should do: one at a time, the first thing that helps."""

    ONE_PERSON = "one_person"  # several stand before the camera
    COME_CLOSER = "come_closer"
    STEP_BACK = "step_back"
    MOVE_LEFT = "move_left"  # as the person sees it
    MOVE_RIGHT = "move_right"
    TAKE_OFF_MASK = "take_off_mask"
    TAKE_OFF_GLASSES = "take_off_glasses"
    OPEN_YOUR_EYES = "open_your_eyes"
    LOOK_HERE = "look_here"  # no face is in view, or it is turned away
    STAND_STILL = "stand_still"
    TURN_YOUR_HEAD = "turn_your_head"  # nothing has moved, so nothing shows whether this is a person


class OfficerWord(StrEnum):
    """What an officer may command for a referred traveller."""

    ACCEPT = "accept"
    REFUSE = "refuse"
    ESCORT = "escort"  # the officer takes the traveller along: the passage ends as referred
