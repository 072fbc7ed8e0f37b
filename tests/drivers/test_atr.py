"""Answers to reset: published ones, ones built by the rules of clause 8, and whatever bytes may come."""

from functools import reduce
from operator import xor

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from drivers.atr import Atr, AtrError, parse_atr, pps_granted, pps_request


def closed(text: str) -> bytes:
    """An ATR with its check character."""
    raw = bytes.fromhex(text)
    return raw + bytes((reduce(xor, raw[1:]),))


def test_the_atr_that_readers_make_up_for_chips_without_contacts() -> None:
    # PC/SC part 3, 3.1.3.2.3.1: eight historical bytes
    assert parse_atr(closed("3b888001 0011223344556677")) == Atr(
        protocols=(0, 1),
        specific=None,
        inverse=False,
        fi_di=0x11,
        guard=0,
        ifsc=32,
        waiting=0x4D,
        crc=False,
        historical=bytes.fromhex("0011223344556677"),
    )


def test_every_interface_byte_of_a_card_with_contacts() -> None:
    # popovec/oseid, doc/T1_CRC.txt
    assert parse_atr(bytes.fromhex("3b d5 96 02 80 71 fe 65 01 4f73454944 5e")) == Atr(
        protocols=(0, 1),
        specific=None,
        inverse=False,
        fi_di=0x96,
        guard=2,
        ifsc=254,
        waiting=0x65,
        crc=True,
        historical=b"OsEID",
    )


def test_a_card_that_offers_t0_only_has_no_check_character() -> None:
    answer = parse_atr(bytes.fromhex("3f028011"))
    assert (answer.protocols, answer.has_t1, answer.inverse) == ((0,), False, True)


@pytest.mark.parametrize(
    ("raw", "has_t1", "needs_selection"),
    [
        (closed("3b 80 01"), True, False),  # T=1 first, at the default speed
        (closed("3b 90 11 01"), True, False),
        (closed("3b 90 96 01"), True, True),  # T=1 first, and faster
        (closed("3b 80 80 01"), True, True),  # T=0 first
        (closed("3b 80 91 01 01"), True, False),  # TA2: T=1 is in force
        (closed("3b 80 90 00 01"), False, False),  # TA2: T=0 is in force, though T=1 is named
        (bytes.fromhex("3b 80 10 00"), False, False),
    ],
)
def test_whether_t1_must_be_selected(raw: bytes, *, has_t1: bool, needs_selection: bool) -> None:
    answer = parse_atr(raw)
    assert (answer.has_t1, answer.needs_selection) == (has_t1, needs_selection)


def test_the_speed_of_ta1_counts_unless_ta2_says_that_it_is_another() -> None:
    assert parse_atr(closed("3b 90 96 91 01 01")).fi_di == 0x96
    assert parse_atr(closed("3b 90 96 91 11 01")).fi_di == 0x11


@pytest.mark.parametrize(
    ("raw", "code"),
    [
        (b"", "atr_length"),
        (b"\x3b", "atr_length"),
        (b"\x3b" + bytes(40), "atr_length"),
        (b"\x3c\x00", "atr_initial_character"),
        (b"\x3b\x80", "atr_length"),
        (b"\x3b\xf0\x11\x22", "atr_length"),
        (b"\x3b\x02\x80", "atr_length"),
        (b"\x3b\x02\x80\x11\x00", "atr_length"),
        (closed("3b808001")[:-1] + b"\xee", "atr_check_character"),
        (closed("3b 80 81 11 00"), "atr_parameters"),
        (closed("3b 80 81 11 ff"), "atr_parameters"),
        (closed("3b 80 81 21 a0"), "atr_parameters"),
    ],
)
def test_broken_answers_have_one_error(raw: bytes, code: str) -> None:
    with pytest.raises(AtrError, match=code):
        parse_atr(raw)


def test_the_pps_exchange_of_a_published_trace() -> None:
    # popovec/oseid, doc/T1_CRC.txt
    request = pps_request(1, 0x96)
    assert request == bytes.fromhex("ff119678")
    assert pps_granted(request, request)
    assert not pps_granted(request, bytes.fromhex("ff01fe"))
    assert pps_request(1, 0x11) == bytes.fromhex("ff01fe")


@settings(derandomize=True)
@given(st.binary(max_size=40) | st.binary(max_size=34).map(lambda raw: b"\x3b" + raw))
def test_any_bytes_are_an_answer_or_one_error(raw: bytes) -> None:
    try:
        answer = parse_atr(raw)
    except AtrError:
        return
    assert answer.protocols
    assert 1 <= answer.ifsc <= 254
    assert answer.waiting >> 4 <= 9
