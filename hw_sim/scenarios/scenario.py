"""The table's columns: what a scenario says, and the names of the twists."""

from enum import StrEnum
from typing import Literal

from gated.core.gate import State
from gated.core.policy import LaneRules
from gated.core.values import Value
from gated.core.vocabulary import Advice, Device, Hint, OfficerWord, Outcome
from gated.rules.standing import Standing
from hw_sim.camera.glass import Lying
from hw_sim.camera.presence import Apparel
from hw_sim.lane.bodies import Shape
from hw_sim.lane.walking import WALK_S, Plan
from hw_sim.passport.chip import Behaviour


class Twist(StrEnum):
    """What happens besides."""

    NONE = "none"
    CENTRAL_GONE = "central_gone"  # the central server disappears before the traveller comes
    FOLLOWER = "follower"  # somebody slips in close behind
    POWER_CUT = "power_cut"  # gated is killed as soon as the journal shows the state `cut_in`
    CAMERA_FREEZES = "camera_freezes"  # in the state `cut_in`; it is mended when the traveller has gone
    CAMERA_DIES = "camera_dies"  # likewise
    VISION_HANGS = "vision_hangs"  # gate-vision stops dead in the state `cut_in`
    BYSTANDER = "bystander"  # somebody stands behind the traveller, outside the entry
    BAG_IS_FETCHED = "bag_is_fetched"  # when the people are gone
    DOORWAY_IS_BLOCKED = "doorway_is_blocked"  # something is in the entry from `cut_in` on, for a while
    EXIT_IS_FORCED = "exit_is_forced"  # in the state `cut_in`; a technician looks, and clears the fault
    FIRE = "fire"  # in the state `cut_in`; it is put out, and a technician resets the emergency
    ENTRY_STICKS_OPEN = "entry_sticks_open"  # it opens for the traveller and never shuts
    EXIT_STICKS_SHUT = "exit_sticks_shut"  # before it is released
    CONTACT_BREAKS = "contact_breaks"  # the entry's contact says open from the state `cut_in` on
    PRESENCE_STICKS = "presence_sticks"  # somebody is felt from the state `cut_in` on, whoever is there
    BOARD_GOES = "board_goes"  # the GPIO chip is pulled out in the state `cut_in`
    INPUT_FLAPS = "input_flaps"  # the plug of the document sensor is loose from the state `cut_in` on
    LINE_IS_DISTURBED = "line_is_disturbed"  # the scanner's line, from the document laid down on
    READER_GOES = "reader_goes"  # in the middle of the chip; then once more while nobody is there
    CLOCK_LEAPS = "clock_leaps"  # three hours ahead, in the state `cut_in`
    GATED_HANGS = "gated_hangs"  # it is stopped in the state `cut_in`, until its watchdog kills it
    DISK_FILLS = "disk_fills"  # something else fills the disk, in the state `cut_in`
    DISK_IS_READ_ONLY = "disk_is_read_only"  # from the state `cut_in` on
    DISK_IS_SLOW = "disk_is_slow"  # from the state `cut_in` on
    LIST_IS_ROLLED_BACK = "list_is_rolled_back"  # the centre serves an older state than the gate has
    LIST_IS_FORGED = "list_is_forged"  # the bytes of a new list are not those that were signed
    DELTAS_ARE_MISSING = "deltas_are_missing"  # the gate was away, and the way of deltas has a gap
    LISTED_OTHERWISE = "listed_otherwise"  # the traveller comes onto the list in another spelling
    AWAY_FOR_72_HOURS = "away_for_72_hours"  # no word of the centre for almost that long, and none now
    AWAY_FOR_LONGER = "away_for_longer"  # than the policy allows
    AWAY_FOR_A_WEEK = "away_for_a_week"  # the lane is closed when the traveller comes
    REGISTERS = "registers"  # and the collector runs
    COMES_WITH_A_NEW_PASSPORT = "comes_with_a_new_passport"
    DIRECTION_IS_LOCKED = "direction_is_locked"  # an officer wants a two-way lane walked one way


Instrument = Literal["print", "bent_print", "tablet", "paper_mask"]


class Companion(Value):
    """Somebody besides the traveller: what they do, what the camera sees of them, whose passport they have.

    They come with the traveller from `at_m`, or from the other end, where their plan is measured from.
    """

    name: str
    plan: Plan
    at_m: float | None = None
    walk_s: float = WALK_S
    from_exit: bool = False
    heeds: bool = True
    shape: Shape | None = None
    face: str | None = None
    aside_m: float = 0.35
    stature_m: float | None = None
    holder: str | None = None


class Trouble(Value):
    """A fault as the journal and `gatectl status` must tell it. Latched: only a technician ends it."""

    device: Device
    code: str
    latched: bool = False


class Scenario(Value):
    """One rehearsal. `holder` is whose passport it is; `face` is who comes, `photo_of` what they hold up.

    `instrument` says how they show it; `wears` what they have on and take off when they are told; `walk_s`
    how long they walk from the reader to the exit.

    The gate has a `scanner` or a `page_camera` or both. The passport is laid down as the first of `lies`
    says, and as the next one each time that the traveller is advised.
    """

    name: str
    title: str
    expected: Outcome
    reasons: tuple[str, ...] = ()
    """Reasons that the record must name."""
    one_of: tuple[str, ...] = ()
    """Reasons of which it must name one at least, if any are given."""
    holder: str = "ada"
    face: str | None = None
    photo_of: str | None = None
    instrument: Instrument = "print"
    wears: tuple[Apparel, ...] = ()
    walk_s: float = WALK_S
    shape: Shape | None = None
    """What the traveller is to doors and light curtains; an adult, if it does not say."""
    beside: str | None = None
    """Whose face is beside the traveller's, of two who press through as one."""
    stature_m: float | None = None
    plan: Plan | None = None
    """What the traveller does at the reader and after it, where that is not the usual."""
    companions: tuple[Companion, ...] = ()
    alerts: tuple[str, ...] = ()
    """What the officers must be told besides."""
    visits: tuple[State, ...] = ()
    """States that the gate must come through, in this order."""
    also: tuple[Outcome, ...] = ()
    """How the passages after the traveller's must end, in this order."""
    low_camera: bool = False
    hints: tuple[Hint, ...] = ()
    """What the traveller must be told before the camera."""
    document: str = "genuine"
    scanner: bool = True
    page_camera: bool = False
    lies: tuple[Lying, ...] = (Lying(),)
    advices: tuple[Advice, ...] = ()
    """What the traveller must be told about it, in this order."""
    number: str | None = None
    """The document's, if it is to be another one than the holder's usual one."""
    nationality: str = "UTO"
    age: int | None = None
    """The holder's, if it is to be another one than theirs."""
    crossing: Literal["departure", "arrival"] | None = None
    """What the lane is walked for, where the agency's rules decide; without it the gate's settings do."""
    standing: Standing | None = None
    """What the centre knows of the holder."""
    consents: bool | None = None
    """What the traveller says where the lane registers its travellers; None: it does not."""
    personal: str = ""
    """The number that the state gave the holder for life, as the passport tells it."""
    renewed_from: str | None = None
    """The number of an earlier passport that the holder registered with here."""
    behaviour: Behaviour = Behaviour()
    officer: OfficerWord | None = None
    """What the officer on duty commands when asked."""
    persons: int = 1
    """How many the officer says are inside."""
    lane: LaneRules = LaneRules()
    """How the gate is built: each kind of lane is a site of its own."""
    twist: Twist = Twist.NONE
    cut_in: State = State.FACE_CAPTURE
    trouble: Trouble | None = None
    """The fault that must be told, with what to do about it."""
    says: str = ""
    """What gated's log must say, where the fault ends it."""
    way_back: bool = False
    """Whether to go on until the fault is mended and the next traveller has walked through (`--faults`)."""
