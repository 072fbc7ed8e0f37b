"""The words that facts and effects share: doors, outcomes, grades, devices."""

from enum import StrEnum


class Door(StrEnum):
    """The two doors of the lane, in walking order."""

    ENTRY = "entry"
    EXIT = "exit"


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


class Device(StrEnum):
    """What the gate cannot work without; each answers to one lane."""

    MRZ_SCANNER = "mrz_scanner"
    CHIP_READER = "chip_reader"
    IO_BOARD = "io_board"
    VISION = "vision"
    WATCHLIST = "watchlist"
    JOURNAL = "journal"
    CLOCK = "clock"


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
