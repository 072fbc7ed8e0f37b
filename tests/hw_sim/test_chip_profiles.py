"""Each chip that can be had by name, read and checked by the product: found is what the table says."""

import secrets
from datetime import UTC, date, datetime
from fnmatch import fnmatchcase

import pytest

from gated.core.checks import Result
from gated.core.ports import Limits
from gated.document import mrz
from gated.document.access import Password, PasswordKind
from gated.document.errors import DocumentError
from gated.document.reading import SHORT_APDUS, ChipFiles, drive, read_passport
from gated.document.trust.store import TrustStore
from gated.document.verification import Verification
from hw_sim.passport import lds, profiles
from hw_sim.passport.chip import Chip, NoAnswer
from hw_sim.passport.issuer import Passport
from hw_sim.passport.profile import CAN, Expected, Profile

TODAY = date(2026, 11, 23)
AT = datetime(2026, 11, 23, 12, tzinfo=UTC)
LONG_APDUS = Limits(max_command=65_544, max_response=65_536)
_NAMES = {lds.DG1: "dg1", lds.DG2: "dg2", lds.SOD: "sod", lds.COM: "com"}

# The long rows of like profiles are read with one kind of APDU each, by turns; all others with both.
CASES = [
    pytest.param(profile, limits, id=f"{profile.name}-{kind}")
    for at, profile in enumerate(profiles.TABLE)
    for turn, (kind, limits) in enumerate((("short", SHORT_APDUS), ("long", LONG_APDUS)))
    if at % 2 == turn or not profile.name.startswith(("pace-", "ca-", "aa-", "state-"))
]


class Reading:
    """One reading of a profile, and the checks on it."""

    def __init__(self, profile: Profile, limits: Limits = SHORT_APDUS, chip: Chip | None = None) -> None:
        self.passport = profile.passport(TODAY)
        self.chip = chip or Chip(self.passport, profile.behaviour)
        self._password = (
            Password(PasswordKind.CAN, CAN)
            if profile.opened_by == "can"
            else Password(PasswordKind.MRZ, self.passport.access_key)
        )
        scanned = mrz.parse("\r\n".join(self.passport.lines).encode())
        store = TrustStore.load([], [profile.authority(TODAY).anchor], [])
        self._verification = Verification(scanned, store, AT)
        self._limits = limits

    def found(self) -> Expected:
        try:
            files = self.read()
        except DocumentError as error:
            return Expected(error=error.code)
        except NoAnswer:
            return Expected(silent=True)
        for fid in self.passport.files.keys() & _NAMES.keys():
            assert files[_NAMES[fid]].reveal() == self.passport.files[fid]
        verified = self._verification.conclude(files)
        good = {Result.SUCCESSFUL, Result.NOT_SUPPORTED}
        doubts = tuple(check.name for check in verified.checks if check.result not in good)
        return Expected(access=files.access, reason=files.access_reason, proof=verified.proof, doubts=doubts)

    def read(self) -> ChipFiles:
        self.chip.reset()
        return drive(
            read_passport(
                self._password,
                random=secrets.token_bytes,
                limits=self._limits,
                historical=self.chip.atr[4:-1],
                on_file=self._verification.take,
            ),
            self.chip.command,
        )


@pytest.mark.parametrize(("profile", "limits"), CASES)
def test_a_profile_is_found_to_be_what_the_table_says(profile: Profile, limits: Limits) -> None:
    found, expected = Reading(profile, limits).found(), profile.expected
    if expected.error:
        assert found == Expected(error=found.error)
        assert fnmatchcase(found.error, expected.error)
    else:
        assert found == expected


def test_names_are_words_and_each_stands_once() -> None:
    assert len(profiles.BY_NAME) == len(profiles.TABLE)
    assert profiles.DEFAULT in profiles.BY_NAME
    for name in profiles.BY_NAME:
        assert name == name.lower()
        assert " " not in name


@pytest.mark.parametrize(
    ("prefix", "count"),
    [("pace-gm-", 4 * 11), ("pace-im-", 10 + 3), ("pace-cam-", 11 + 2), ("pace-dh-", 2 * 4 * 3)],
)
def test_every_mapping_meets_every_domain_that_it_is_defined_for(prefix: str, count: int) -> None:
    assert sum(name.startswith(prefix) for name in profiles.BY_NAME) == count


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


@pytest.mark.parametrize(("name", "again"), [("lost", False), ("lost-for-good", True)])
def test_a_lost_chip_comes_back_but_for_the_one_that_does_not(name: str, again: bool) -> None:  # noqa: FBT001 - a parameter
    profile = profiles.BY_NAME[name]
    first = Reading(profile)
    assert first.found().silent
    assert Reading(profile, chip=first.chip).found().silent is again


def test_fingerprints_stay_closed_to_who_is_not_certified() -> None:
    passport: Passport = profiles.BY_NAME["fingers"].passport(TODAY)
    assert lds.DG3 in passport.files
    files = Reading(profiles.BY_NAME["fingers"]).read()
    assert "dg3" not in files
