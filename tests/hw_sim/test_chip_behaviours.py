"""Habits, defects and hostility in any mixture: a reading gets the files as they are, or ends with a word."""

import secrets

from hypothesis import given, settings
from hypothesis import strategies as st

from gated.core.ports import Limits
from gated.document.access import Password, PasswordKind
from gated.document.errors import DocumentError
from gated.document.reading import SHORT_APDUS, drive, read_passport
from hw_sim.passport import lds
from hw_sim.passport.behaviour import Behaviour
from hw_sim.passport.chip import Chip, NoAnswer
from tests.hw_sim.terminal import WITH_BAC, WITH_BOTH

LONG_APDUS = Limits(max_command=65_544, max_response=65_536)
MOST_COMMANDS = 9000  # 40 KiB, ten bytes at a time, twice; far below what a traveller would wait for

seldom = st.sampled_from([False, False, False, True])


def maybe(strategy: "st.SearchStrategy[int]") -> "st.SearchStrategy[int | None]":
    return st.one_of(st.none(), st.none(), strategy)


HABITS = {
    "extended_lengths": st.booleans(),
    "boasts": seldom,
    "silent": seldom,
    "longest_command": st.sampled_from([65_535, 65_535, 1024, 261]),
    "longest_response": st.sampled_from([65_535, 65_535, 2048, 256]),
    "chaining": st.booleans(),
    "part_length": maybe(st.integers(min_value=32, max_value=300)),
    "exact_le": seldom,
    "max_read": maybe(st.integers(min_value=10, max_value=300)),
    "beyond_end": st.sampled_from(["partial", "partial", "corrected_le", "wrong_length"]),
    "short_identifiers": st.booleans(),
    "refuses_le_on_select": seldom,
    "unprotected_errors": seldom,
}
HOSTILITY = {
    "lost_at": maybe(st.integers(min_value=1, max_value=40)),
    "endless_file": maybe(st.sampled_from([lds.COM, lds.SOD, lds.DG1, lds.DG2])),
    "generous": st.sampled_from([0, 0, 0, 1, 20]),
    "refuses": st.lists(
        st.tuples(
            st.sampled_from([0x22, 0x82, 0x84, 0x86, 0xA4, 0xB0, 0xB1]),
            st.sampled_from([0x6282, 0x6300, 0x6700, 0x6982, 0x6A82, 0x6C10, 0x6110, 0x0000]),
        ),
        max_size=1,
    ).map(tuple),
    "pace_fails": seldom,
    "pace_key": st.sampled_from([None, None, "echoed", "off_group", "neutral", "low_order"]),
    "distorts": st.sampled_from([None, None, "wrong_mac", "plain", "repeated", "stripped"]),
    "distorts_from": st.integers(min_value=1, max_value=60),
    "garbage": maybe(st.integers(min_value=0, max_value=99)),
}
behaviours = st.builds(Behaviour, **HABITS, **HOSTILITY)
habits_only = st.builds(Behaviour, **HABITS)


class Exchanges:
    """Carries commands to a chip and counts them."""

    def __init__(self, chip: Chip) -> None:
        self._chip = chip
        self._count = 0

    def __call__(self, command: bytes) -> bytes:
        self._count += 1
        assert self._count < MOST_COMMANDS
        return self._chip.command(command)


@settings(max_examples=150, derandomize=True, deadline=None)
@given(behaviours, st.sampled_from([SHORT_APDUS, LONG_APDUS]), st.sampled_from([WITH_BOTH, WITH_BAC]))
def test_a_reading_gets_the_files_as_they_are_or_ends_with_a_word(
    behaviour: Behaviour, limits: Limits, passport: object
) -> None:
    outcome(behaviour, limits, passport)


def outcome(behaviour: Behaviour, limits: Limits, passport: object) -> str:
    """Empty for a whole reading, else why it ended."""
    assert isinstance(passport, type(WITH_BOTH))
    chip = Chip(passport, behaviour)
    password = Password(PasswordKind.MRZ, passport.access_key)
    reading = read_passport(password, random=secrets.token_bytes, limits=limits, historical=chip.atr[4:-1])
    try:
        files = drive(reading, Exchanges(chip))
    except DocumentError as error:
        return error.code
    except NoAnswer:
        return "no_answer"
    for name, fid in (("sod", lds.SOD), ("dg1", lds.DG1), ("dg2", lds.DG2)):
        assert files[name].reveal() == passport.files[fid]
    return ""


@settings(max_examples=60, derandomize=True, deadline=None)
@given(habits_only, st.sampled_from([SHORT_APDUS, LONG_APDUS]))
def test_no_habit_keeps_a_chip_from_being_read(behaviour: Behaviour, limits: Limits) -> None:
    assert outcome(behaviour, limits, WITH_BOTH) == ""
