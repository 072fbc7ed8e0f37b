"""The scenarios: who comes, with which document, how they behave, what happens besides, how it must end.

Each is a line of the table. What a scenario cannot say in its line is a named `Twist` that the rehearsal
performs: the central side gone, a second person, the power cut.
"""

from collections.abc import Callable, Mapping
from datetime import UTC, date, datetime
from enum import StrEnum
from typing import Literal

from msgspec.structs import replace

from gated.core.gate import State
from gated.core.values import Value
from gated.core.vocabulary import Advice, Hint, OfficerWord, Outcome
from hw_sim.camera.glass import Lying
from hw_sim.camera.presence import Apparel
from hw_sim.lane.walking import WALK_S
from hw_sim.passport.chip import Behaviour
from hw_sim.passport.issuer import (
    PACE_AND_BAC,
    Authority,
    ChipAuthenticationProfile,
    Passport,
    Person,
    Suite,
    issue,
    with_another_birth_date,
    with_another_page,
    with_copied_chip,
)


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


Instrument = Literal["print", "bent_print", "tablet", "paper_mask"]


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
    low_camera: bool = False
    hints: tuple[Hint, ...] = ()
    """What the traveller must be told before the camera."""
    document: str = "genuine"
    scanner: bool = True
    page_camera: bool = False
    lies: tuple[Lying, ...] = (Lying(),)
    advices: tuple[Advice, ...] = ()
    """What the traveller must be told about it, in this order."""
    behaviour: Behaviour = Behaviour()
    officer: OfficerWord | None = None
    """What the officer on duty commands when asked."""
    twist: Twist = Twist.NONE
    cut_in: State = State.FACE_CAPTURE


def _years_from_now(years: int) -> date:
    today = datetime.now(UTC).date()
    return date(today.year + years, 6, 15)


THIS_YEAR = datetime.now(UTC).year

# Invented people; each has a face of the same name in `hw_sim.camera.people`.
_PEOPLE: tuple[tuple[str, str, str, str, int, Literal["M", "F"]], ...] = (
    ("ada", "BERGSTROM", "ADA MARIE", "P10000001", 1984, "F"),
    ("blaise", "OKONJO", "BLAISE", "P10000002", 1961, "F"),
    ("carl", "WINTERFELD", "CARL", "P10000003", 1979, "M"),
    ("emmy", "HALLORAN", "EMMY ROSE", "P10000004", 1990, "F"),
    ("kurt", "LINDQVIST", "KURT", "P10000005", 1955, "M"),
    ("sofia", "MARCHETTI", "SOFIA", "P10000006", 1996, "F"),
    ("mina", "OYELARAN", "MINA", "P10000007", THIS_YEAR - 11, "F"),
    ("levi", "HALVORSEN", "LEVI", "P10000008", THIS_YEAR - 12, "M"),
)

HOLDERS: Mapping[str, Person] = {
    name: Person(
        surname=surname,
        given_names=given,
        number=number,
        birth=date(year, 4, 2),
        expiry=_years_from_now(6),
        sex=sex,
    )
    for name, surname, given, number, year, sex in _PEOPLE
}

WANTED = "carl"

# The published list: one wanted person, and enough others that it is a list.
LIST: tuple[Mapping[str, str], ...] = (
    {
        "surname": HOLDERS[WANTED].surname,
        "given": HOLDERS[WANTED].given_names,
        "birth": HOLDERS[WANTED].birth.isoformat(),
        "nationality": "UTO",
        "grade": "stop",
        "reason": "wanted",
        "reference": "case-0001",
    },
    *(
        {
            "number": f"L{number:08}",
            "issuer": "UTO",
            "type": "P",
            "grade": "refer",
            "reason": "lost",
            "reference": f"loss-{number}",
        }
        for number in range(1, 1001)
    ),
)

# As passports are issued today: PACE, and a key that cannot be copied.
PROTOCOLS = replace(
    PACE_AND_BAC, chip_authentication=(ChipAuthenticationProfile(suite=Suite.AES_128, domain=13),)
)

Forgery = Callable[[Passport], Passport]

DOCUMENTS: Mapping[str, Forgery] = {
    "genuine": lambda passport: passport,
    "unknown_csca": lambda passport: passport,
    "tampered_dg1": lambda passport: with_another_birth_date(passport, date(1999, 1, 1)),
    "other_page": lambda passport: with_another_page(passport, "X7654321"),
    "copied_chip": with_copied_chip,
}


def passport_of(scenario: Scenario, authority: Authority, photograph: bytes) -> Passport:
    """Make the document of a scenario; one of unknown origin is signed by a state that nobody knows."""
    if scenario.document == "unknown_csca":
        authority = Authority.establish("nowhere", today=datetime.now(UTC).date())
    genuine = issue(authority, HOLDERS[scenario.holder], photograph, protocols=PROTOCOLS)
    return DOCUMENTS[scenario.document](genuine)


SCENARIOS: tuple[Scenario, ...] = (
    Scenario(
        name="citizen",
        title="A traveller with a genuine passport walks through.",
        expected=Outcome.ADMITTED,
    ),
    Scenario(
        name="impostor",
        title="Somebody else walks in with her passport; the officer refuses.",
        expected=Outcome.REFUSED,
        reasons=("face_mismatch", "officer_refused"),
        face="kurt",
        officer=OfficerWord.REFUSE,
    ),
    Scenario(
        name="photo-attack",
        title="A photograph of the passport's holder is held up to the camera.",
        expected=Outcome.REFUSED,
        reasons=("presentation_attack", "officer_refused"),
        face="carl",
        photo_of="ada",
        officer=OfficerWord.REFUSE,
    ),
    Scenario(
        name="wanted",
        title="The holder is on the list of wanted persons; officers are alerted in silence.",
        expected=Outcome.REFERRED,
        reasons=("watchlist_hit",),
        holder=WANTED,
    ),
    Scenario(
        name="tampered-dg1",
        title="The date of birth in the chip was changed after it was signed.",
        expected=Outcome.REFERRED,
        reasons=("dg1_hash_wrong",),
        document="tampered_dg1",
        holder="sofia",
    ),
    Scenario(
        name="unknown-csca",
        title="The passport is signed by a state whose certificate nobody has.",
        expected=Outcome.REFERRED,
        reasons=("csca_unknown",),
        document="unknown_csca",
        holder="kurt",
    ),
    Scenario(
        name="copied-chip",
        title="Everything on the chip is genuine, but it is a copy of it on another chip.",
        expected=Outcome.REFERRED,
        reasons=("chip_authentication_keys_differ",),
        document="copied_chip",
        holder="ada",
    ),
    Scenario(
        name="dead-chip",
        title="The chip does not answer.",
        expected=Outcome.REFERRED,
        reasons=("card_mute",),
        behaviour=Behaviour(mute=True),
        holder="emmy",
    ),
    Scenario(
        name="mrz-chip-mismatch",
        title="The printed page belongs to another document than the chip.",
        expected=Outcome.REFERRED,
        reasons=("document_number_differs",),
        document="other_page",
        holder="blaise",
    ),
    Scenario(
        name="central-offline",
        title="The central server has disappeared; the gate goes on with its own list.",
        expected=Outcome.ADMITTED,
        holder="emmy",
        twist=Twist.CENTRAL_GONE,
    ),
    Scenario(
        name="two-persons",
        title="A second person slips in close behind.",
        expected=Outcome.REFUSED,
        reasons=("two_persons",),
        holder="sofia",
        twist=Twist.FOLLOWER,
    ),
    Scenario(
        name="power-cut",
        title="The gate's computer dies while the traveller is inside.",
        expected=Outcome.ABORTED,
        reasons=("interrupted",),
        holder="blaise",
        twist=Twist.POWER_CUT,
    ),
    Scenario(
        name="page-camera",
        title="A gate without a scanner reads the page by camera, whichever way it lies.",
        expected=Outcome.ADMITTED,
        holder="sofia",
        scanner=False,
        page_camera=True,
        lies=(Lying(turned=97, right_mm=8),),
    ),
    Scenario(
        name="placed-wrongly",
        title="The passport lies over the edge, then cover up: the traveller is told what to do.",
        expected=Outcome.ADMITTED,
        scanner=False,
        page_camera=True,
        lies=(Lying(right_mm=75), Lying(side="cover", turned=170), Lying(turned=184)),
        advices=(Advice.PUSH_INTO_CORNER, Advice.OPEN_AT_PHOTO_PAGE),
    ),
    Scenario(
        name="replay-attack",
        title="A tablet plays a film of the passport's holder, who moves and blinks.",
        expected=Outcome.REFUSED,
        reasons=("presentation_attack", "officer_refused"),
        face="carl",
        photo_of="ada",
        instrument="tablet",
        officer=OfficerWord.REFUSE,
    ),
    Scenario(
        name="bent-photo",
        title="A photograph of the holder is held up, bent like a face.",
        expected=Outcome.REFUSED,
        reasons=("presentation_attack", "officer_refused"),
        face="kurt",
        photo_of="sofia",
        holder="sofia",
        instrument="bent_print",
        officer=OfficerWord.REFUSE,
    ),
    Scenario(
        name="paper-mask",
        title="Somebody wears the holder's face, printed and bent around their own head.",
        expected=Outcome.REFUSED,
        reasons=("officer_refused",),
        face="carl",
        photo_of="ada",
        instrument="paper_mask",
        officer=OfficerWord.REFUSE,
    ),
    Scenario(
        name="masked",
        title="The traveller wears a mask, and takes it off when told.",
        expected=Outcome.ADMITTED,
        holder="emmy",
        wears=("mask",),
        hints=(Hint.TAKE_OFF_MASK,),
    ),
    Scenario(
        name="sunglasses",
        title="The traveller wears dark glasses, and takes them off when told.",
        expected=Outcome.ADMITTED,
        holder="blaise",
        wears=("sunglasses",),
        hints=(Hint.TAKE_OFF_GLASSES,),
    ),
    Scenario(
        name="short-child",
        title="A child of eleven is 118 cm tall: too short to go alone.",
        expected=Outcome.REFERRED,
        reasons=("officer_escorts",),
        one_of=("too_short", "height_undetermined"),
        holder="mina",
        low_camera=True,
        officer=OfficerWord.ESCORT,
    ),
    Scenario(
        name="tall-child",
        title="A child of twelve is 130 cm tall and goes alone.",
        expected=Outcome.ADMITTED,
        holder="levi",
        low_camera=True,
    ),
    Scenario(
        name="walk-fast",
        title="The traveller is in a hurry: two metres a second, never standing still.",
        expected=Outcome.ADMITTED,
        holder="sofia",
        walk_s=1.9,
    ),
    Scenario(
        name="bystander",
        title="Somebody stands close behind the traveller, outside the entry, and watches.",
        expected=Outcome.ADMITTED,
        holder="ada",
        twist=Twist.BYSTANDER,
    ),
    Scenario(
        name="twins-impostor",
        title="The holder's sibling, who looks much like her, comes with her passport.",
        expected=Outcome.REFUSED,
        reasons=("face_mismatch", "officer_refused"),
        holder="ada",
        face="alma",
        officer=OfficerWord.REFUSE,
    ),
    Scenario(
        name="camera-freezes",
        title="The gate's only camera freezes while the traveller is inside.",
        expected=Outcome.REFERRED,
        reasons=("vision_frozen", "officer_escorts"),
        holder="kurt",
        officer=OfficerWord.ESCORT,
        twist=Twist.CAMERA_FREEZES,
    ),
    Scenario(
        name="camera-dies",
        title="One of two cameras dies while the traveller is inside; the other one goes on.",
        expected=Outcome.ADMITTED,
        holder="emmy",
        low_camera=True,
        twist=Twist.CAMERA_DIES,
    ),
    Scenario(
        name="vision-hangs",
        title="The vision process hangs; the gate notices within a second and calls an officer.",
        expected=Outcome.REFERRED,
        reasons=("vision_vision_silent", "officer_escorts"),
        holder="blaise",
        officer=OfficerWord.ESCORT,
        twist=Twist.VISION_HANGS,
    ),
)

BY_NAME: Mapping[str, Scenario] = {scenario.name: scenario for scenario in SCENARIOS}
