"""The simulated chips that can be had by name: one table of what each does, and what a reading makes of it.

The tests read each of them with the product's own reader and hold it to what stands here.
"""

from typing import Final

from msgspec.structs import replace

from gated.document import tlv
from gated.document.keys import Suite
from hw_sim.passport import lds
from hw_sim.passport.behaviour import Behaviour, PaceKey
from hw_sim.passport.issuer import PACE_AND_BAC, PACE_ONLY, Passport, with_file
from hw_sim.passport.profile import WELL_BEHAVED, Change, Expected, Profile
from hw_sim.passport.profiles_proving import BAC, FORGERIES, PACE, PROOFS, STATES, WAYS_IN
from hw_sim.passport.protocols import PaceProfile

DEFAULT: Final = "bac"


_ACCESS = (
    Profile("bac", "Basic Access Control only, as passports before 2014 had", BAC),
    Profile("pace+bac", "PACE and BAC, as most passports in circulation", PACE, PACE_AND_BAC),
    Profile("pace", "PACE only: the application cannot be selected before it", PACE, PACE_ONLY),
    Profile(
        "can-only", "opened by the number on its page, not by the zone", PACE, PACE_ONLY, opened_by="can"
    ),
)

_FILES = (
    Profile("jpeg2000", "BAC, and a JPEG 2000 portrait of 12 KiB", BAC, picture="jpeg2000"),
    Profile(
        "large-dg2",
        "a JPEG 2000 portrait of 40 KiB: offsets beyond 32767",
        PACE,
        PACE_AND_BAC,
        picture="large",
    ),
    Profile(
        "dg2-39794",
        "the portrait as ISO/IEC 39794-5 has it",
        PACE,
        PACE_AND_BAC,
        issued={"record": "39794-5"},
    ),
    Profile(
        "more-groups",
        "DG5, DG7, DG11, DG12, DG13 and DG16 besides",
        PACE,
        PACE_AND_BAC,
        more_groups=True,
    ),
)

# Chips that are what their makers made of them: each is read in full.
_HABITS = tuple(
    Profile(name, title, PACE, PACE_AND_BAC, behaviour)
    for name, title, behaviour in (
        ("at-most-160", "answers with 160 bytes at most", Behaviour(max_read=160)),
        ("short-apdus", "takes no extended lengths, and says so", Behaviour(extended_lengths=False)),
        (
            "boasts",
            "says that it takes extended lengths and refuses them (6700)",
            Behaviour(extended_lengths=False, boasts=True),
        ),
        ("silent", "says nothing of what it can do", Behaviour(silent=True)),
        (
            "silent-short-apdus",
            "takes no extended lengths and says nothing of it",
            Behaviour(extended_lengths=False, silent=True),
        ),
        (
            "limited",
            "extended APDUs up to 1 KiB, as EF.ATR/INFO tells",
            Behaviour(longest_command=1024, longest_response=1024),
        ),
        (
            "in-parts",
            "no extended lengths; answers come in parts of 128 bytes (61xx)",
            Behaviour(extended_lengths=False, part_length=128),
        ),
        (
            "no-chaining",
            "neither extended lengths nor command chaining (6884)",
            Behaviour(extended_lengths=False, chaining=False),
        ),
        (
            "exact-le",
            "wants the exact length (6Cxx) from who asks for all there is",
            Behaviour(exact_le=True),
        ),
        (
            "corrected-le",
            "tells the right length (6Cxx) to who reads beyond the end",
            Behaviour(beyond_end="corrected_le"),
        ),
        ("wrong-length", "refuses a read beyond the end (6700)", Behaviour(beyond_end="wrong_length")),
        (
            "no-le-on-select",
            "refuses a SELECT that wants an answer (6700)",
            Behaviour(refuses_le_on_select=True),
        ),
        ("no-short-identifiers", "knows no short identifiers (6A86)", Behaviour(short_identifiers=False)),
        (
            "gives-up-on-error",
            "ends the session at every error, and knows no short identifiers",
            Behaviour(unprotected_errors=True, short_identifiers=False),
        ),
        (
            "gives-up-on-length",
            "ends the session where a read is too long for it",
            Behaviour(
                unprotected_errors=True, max_read=160, extended_lengths=False, beyond_end="wrong_length"
            ),
        ),
        ("slow", "thinks forty times as long: the reader has to grant it time", Behaviour(slowness=40.0)),
    )
)


def _failing(
    name: str, title: str, error: str, behaviour: Behaviour = WELL_BEHAVED, change: Change | None = None
) -> Profile:
    """A chip with PACE and BAC that a reading gives up on, for the reason that it names."""
    return Profile(name, title, Expected(error=error), PACE_AND_BAC, behaviour, change=change)


def _lost(name: str, title: str, behaviour: Behaviour) -> Profile:
    return Profile(name, title, Expected(silent=True), PACE_AND_BAC, behaviour)


def _with_lying_portrait(passport: Passport) -> Passport:
    """DG2 declares a KiB more than it has."""
    whole = passport.files[lds.DG2]
    length = int.from_bytes(whole[2:4], "big") + 1024
    return with_file(passport, lds.DG2, whole[:2] + length.to_bytes(2, "big") + whole[4:])


def _with_huge_card_access(passport: Passport) -> Passport:
    """EF.CardAccess with the offer a thousand times over."""
    infos = passport.files[lds.CARD_ACCESS][2:] * 1000
    return with_file(passport, lds.CARD_ACCESS, tlv.encode(0x31, infos))


_INSISTING = Profile(
    "wants-information",
    "selects the application only for who wants information about it (6A86)",
    BAC,
    behaviour=Behaviour(insists_on_information=True),
)
_DH: Final = replace(PACE_AND_BAC, pace=(PaceProfile(suite=Suite.AES_128, domain=2),))


def _with_false_key(kind: PaceKey, title: str, code: str) -> Profile:
    """PACE with DH, and a public key that is none."""
    name = f"dh-{kind.replace('_', '-')}"
    return Profile(name, f"PACE with DH: {title}", Expected(error=code), _DH, Behaviour(pace_key=kind))


# Chips, or somebody between them and the reader, that are not to be trusted, or broken.
_HOSTILE = (
    _lost("mute", "does not answer at all", Behaviour(mute=True)),
    _lost("lost", "leaves the field in mid-read; comes back", Behaviour(lost_at=12)),
    _lost(
        "lost-for-good", "leaves the field in mid-read, every time", Behaviour(lost_at=12, lost_for_good=True)
    ),
    _failing("garbage", "answers with chance, mostly successfully", "*", Behaviour(garbage=1)),
    _failing(
        "wrong-mac",
        "secured answers with a wrong MAC",
        "messaging_mac_wrong",
        Behaviour(distorts="wrong_mac"),
    ),
    _failing(
        "plain",
        "answers a secured command in the clear",
        "messaging_*",
        Behaviour(distorts="plain", distorts_from=3),
    ),
    _failing(
        "repeated",
        "sends the answer before once more",
        "messaging_mac_wrong",
        Behaviour(distorts="repeated", distorts_from=3),
    ),
    _failing(
        "stripped",
        "success with nothing in it",
        "messaging_unprotected",
        Behaviour(distorts="stripped", distorts_from=3),
    ),
    _failing("endless-dg2", "a portrait of 4 GB", "dg2_too_long", Behaviour(endless_file=lds.DG2)),
    _failing(
        "endless-card-access",
        "an EF.CardAccess of 4 GB",
        "card_access_too_long",
        Behaviour(endless_file=lds.CARD_ACCESS),
    ),
    _failing(
        "huge-card-access",
        "a thousand offers in EF.CardAccess",
        "card_access_too_long",
        change=_with_huge_card_access,
    ),
    _failing(
        "lying-dg2", "a portrait that declares more than it has", "dg2_truncated", change=_with_lying_portrait
    ),
    _failing("generous", "more bytes than a read asked for", "tag_protocol", Behaviour(generous=7)),
    _failing(
        "pace-refused",
        "offers PACE and refuses it (6A80): bait for BAC",
        "pace_refused",
        Behaviour(refuses=((0x22, 0x6A80),)),
    ),
    _failing(
        "pace-fails", "PACE fails at its end: bait for BAC", "access_denied", Behaviour(pace_fails=True)
    ),
    _failing(
        "pace-echo", "PACE: sends the terminal's keys back", "pace_echoed_key", Behaviour(pace_key="echoed")
    ),
    _failing(
        "pace-off-curve",
        "PACE: points that are not on the curve",
        "pace_point",
        Behaviour(pace_key="off_group"),
    ),
    _with_false_key("echoed", "sends the terminal's keys back", "pace_echoed_key"),
    _with_false_key("off_group", "keys above the prime", "pace_point"),
    _with_false_key("neutral", "one for a key", "pace_point"),
    _with_false_key("low_order", "the element of order two for a key", "pace_point"),
    _failing("pace-neutral", "PACE: zeros for a point", "pace_point", Behaviour(pace_key="neutral")),
)

TABLE: Final = (
    *_ACCESS,
    *WAYS_IN,
    *PROOFS,
    *STATES,
    *_FILES,
    *_HABITS,
    _INSISTING,
    *_HOSTILE,
    *FORGERIES,
)
BY_NAME: Final = {profile.name: profile for profile in TABLE}
