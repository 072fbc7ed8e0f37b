"""Each chip that can be had by name, read by the product's own reader: found is what the table says."""

import secrets
from datetime import date
from fnmatch import fnmatchcase

import pytest

from gated.core.ports import Limits
from gated.document.access import Password, PasswordKind
from gated.document.errors import DocumentError
from gated.document.reading import SHORT_APDUS, ChipFiles, drive, read_passport
from hw_sim.passport import lds, profiles
from hw_sim.passport.chip import Chip, NoAnswer
from hw_sim.passport.issuer import Passport
from hw_sim.passport.profile import CAN, Expected, Profile

TODAY = date(2026, 11, 23)
LONG_APDUS = Limits(max_command=65_544, max_response=65_536)
_GROUPS = {lds.DG1: "dg1", lds.DG2: "dg2", lds.SOD: "sod", lds.COM: "com"}

by_name = pytest.mark.parametrize("profile", profiles.TABLE, ids=lambda profile: profile.name)


def found(
    passport: Passport, profile: Profile, limits: Limits, chip: Chip | None = None
) -> ChipFiles | DocumentError | NoAnswer:
    chip = chip or Chip(passport, profile.behaviour)
    password = (
        Password(PasswordKind.CAN, CAN)
        if profile.opened_by == "can"
        else Password(PasswordKind.MRZ, passport.access_key)
    )
    reading = read_passport(password, random=secrets.token_bytes, limits=limits, historical=chip.atr[4:-1])
    try:
        chip.reset()
        return drive(reading, chip.command)
    except (DocumentError, NoAnswer) as error:
        return error


@pytest.mark.parametrize("limits", [SHORT_APDUS, LONG_APDUS], ids=["short", "long"])
@by_name
def test_a_profile_is_found_to_be_what_the_table_says(profile: Profile, limits: Limits) -> None:
    passport, expected = profile.passport(TODAY), profile.expected
    match found(passport, profile, limits):
        case ChipFiles() as files:
            assert expected == Expected(access=files.access, reason=files.access_reason)
            for fid in passport.files.keys() & _GROUPS.keys():
                assert files[_GROUPS[fid]].reveal() == passport.files[fid]
        case DocumentError() as error:
            assert expected.error
            assert fnmatchcase(error.code, expected.error)
        case NoAnswer():
            assert expected.silent


def test_names_are_words_and_each_stands_once() -> None:
    assert len(profiles.BY_NAME) == len(profiles.TABLE)
    assert profiles.DEFAULT in profiles.BY_NAME
    for name in profiles.BY_NAME:
        assert name == name.lower()
        assert " " not in name


def test_every_cipher_meets_every_standard_curve() -> None:
    mapped = [name for name in profiles.BY_NAME if name.startswith("pace-gm-")]
    assert len(mapped) == 4 * 11


def test_the_large_portrait_needs_more_than_offsets_of_15_bits() -> None:
    files = profiles.BY_NAME["large-dg2"].passport(TODAY).files
    assert 40 * 1024 <= len(files[lds.DG2]) < 44 * 1024
    assert b"\x6a\x50\x20\x20\x0d\x0a\x87\x0a" in files[lds.DG2]  # the JPEG 2000 signature box


@pytest.mark.parametrize("name", ["pace-refused", "pace-fails"])
def test_the_bait_for_bac_would_open_by_bac(name: str) -> None:
    """What a reader that falls back silently would fall for."""
    profile = profiles.BY_NAME[name]
    assert profile.protocols.bac
    assert profile.protocols.pace


@pytest.mark.parametrize(("name", "again"), [("lost", ChipFiles), ("lost-for-good", NoAnswer)])
def test_a_lost_chip_comes_back_but_for_the_one_that_does_not(name: str, again: type) -> None:
    profile = profiles.BY_NAME[name]
    chip, passport = profile.chip(TODAY), profile.passport(TODAY)
    assert isinstance(found(passport, profile, SHORT_APDUS, chip), NoAnswer)
    assert isinstance(found(passport, profile, SHORT_APDUS, chip), again)
