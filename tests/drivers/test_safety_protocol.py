"""The telegrams of the safety controller: every one survives the line, nothing else is taken for one."""

import re
import zlib
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from drivers.safety_faults import FIXES, INCIDENTS
from drivers.safety_protocol import (
    LENGTH,
    MARK,
    Fault,
    Gathering,
    Hello,
    Input,
    Mode,
    Output,
    Parameters,
    Reason,
    Report,
    State,
    Strangeness,
    Stranger,
    Telegram,
    TelegramError,
    Welcome,
    Wish,
    answer_to,
    decode,
    encode,
    is_newer,
    session_of,
)
from hw_sim.lane.safety_firmware import Setting, crc32

PAGE = Path(__file__).resolve().parents[2] / "docs" / "safety-controller.md"
CODES = {"not_a_telegram", "bad_crc", "wrong_version", "unknown_kind", "bad_value"}
FUZZ = settings(derandomize=True, deadline=None, max_examples=300)

byte, word, long = (st.integers(0, 256**size - 1) for size in (1, 2, 4))


def flags(kind: type) -> st.SearchStrategy:
    return st.lists(st.sampled_from(list(kind))).map(lambda ones: kind(sum(set(ones))))


bodies = st.one_of(
    st.just(Hello()),
    st.builds(Wish, long, word, word, st.sampled_from(Mode)),
    st.builds(Welcome, long, st.binary(min_size=8, max_size=8), word, word),
    st.builds(
        Report,
        long,
        st.sampled_from(State),
        flags(Output),
        flags(Input),
        st.sampled_from(Reason),
        flags(Fault),
        word,
        word,
        word,
    ),
    st.builds(Stranger, st.sampled_from(Strangeness), byte),
)
telegrams = st.builds(Telegram, long, word, word, bodies)


def sealed(raw: bytes) -> bytes:
    """Bytes with the CRC that they should have."""
    return raw + zlib.crc32(raw).to_bytes(4, "big")


@FUZZ
@given(telegrams)
def test_a_telegram_is_read_as_it_was_written(telegram: Telegram) -> None:
    raw = encode(telegram)
    assert len(raw) == LENGTH
    assert decode(raw) == telegram
    assert telegram.from_pc == (raw[3] < 0x80)


sealed_bytes = st.binary(min_size=26, max_size=26).map(lambda rest: sealed(MARK + rest))


@FUZZ
@given(st.binary(max_size=64) | sealed_bytes)
def test_any_bytes_are_a_telegram_or_raise_the_one_error(raw: bytes) -> None:
    try:
        telegram = decode(raw)
    except TelegramError as error:
        assert error.code in CODES  # noqa: PT017 - either end is right
    else:
        assert encode(telegram) == raw


@pytest.mark.parametrize(
    ("at", "value", "code"),
    [
        pytest.param(2, 2, "wrong_version", id="another version"),
        pytest.param(3, 0x7F, "unknown_kind", id="a kind that there is not"),
        pytest.param(27, 1, "bad_value", id="a reserved byte that is set"),
        pytest.param(21, 7, "bad_value", id="a mode that is no code"),
    ],
)
def test_a_wish_with_a_wrong_byte_is_refused_by_name(at: int, value: int, code: str) -> None:
    raw = bytearray(encode(Telegram(1, 2, 3, Wish(4)))[:28])
    raw[at] = value
    with pytest.raises(TelegramError, match=code):
        decode(sealed(bytes(raw)))


@pytest.mark.parametrize("at", [16, 17, 18, 19, 20])
def test_a_report_of_what_this_version_does_not_know_is_refused(at: int) -> None:
    body = Report(1, State.RUNNING, Output(0), Input(0), Reason.NONE, Fault(0), 24_000, 0, 0)
    raw = bytearray(encode(Telegram(1, 2, 3, body))[:28])
    raw[at] = 0x80
    with pytest.raises(TelegramError, match="bad_value"):
        decode(sealed(bytes(raw)))


def test_the_crc_finds_every_error_of_up_to_five_bits_in_a_telegram() -> None:
    bits, plain = 8 * LENGTH, zlib.crc32(bytes(LENGTH - 4))
    of_data = [zlib.crc32((1 << bit).to_bytes(LENGTH - 4, "big")) ^ plain for bit in range(bits - 32)]
    one = np.array([*of_data, *(1 << bit for bit in range(32))], dtype=np.uint32)
    first, second = np.triu_indices(bits, 1)
    two = np.sort(one[first] ^ one[second])
    assert one.all()  # no error of one bit goes unnoticed
    assert len(np.unique(one)) == bits  # nor of two
    assert not np.isin(two, one).any()  # nor of three
    assert len(np.unique(two)) == len(two)  # nor of four
    for bit in range(bits):
        later = first > bit
        three = one[bit] ^ one[first[later]] ^ one[second[later]]
        near = np.minimum(np.searchsorted(two, three), len(two) - 1)
        assert not (two[near] == three).any()  # nor of five


@FUZZ
@given(st.binary(max_size=40), st.lists(telegrams, min_size=1, max_size=4), st.data())
def test_telegrams_are_found_after_noise_however_they_are_cut(
    noise: bytes, sent: list[Telegram], data: st.DataObject
) -> None:
    stream = noise + b"".join(encode(each) for each in sent)
    gathering, found = Gathering(), []
    while stream:
        size = data.draw(st.integers(1, len(stream)))
        found += gathering.take(stream[:size])
        stream = stream[size:]
    assert found[-len(sent) :] == sent
    assert gathering.dropped == len(noise)


@FUZZ
@given(telegrams, telegrams, st.integers(1, LENGTH - 1), st.integers(1, LENGTH - 1))
def test_a_telegram_with_a_hole_costs_only_itself(
    damaged: Telegram, whole: Telegram, begin: int, length: int
) -> None:
    raw = encode(damaged)
    gathering = Gathering()
    found = gathering.take(raw[:begin] + raw[begin + length :] + encode(whole))
    assert found[-1] == whole


@FUZZ
@given(st.lists(st.binary(max_size=100), max_size=20))
def test_noise_is_never_held_beyond_one_telegram(pieces: list[bytes]) -> None:
    gathering = Gathering()
    for piece in pieces:
        gathering.take(piece)
        assert len(gathering._held) < LENGTH


def test_what_is_well_sealed_but_foreign_is_told_of() -> None:
    raw = bytearray(encode(Telegram(1, 2, 3, Hello()))[:28])
    raw[2] = 9
    (found,) = Gathering().take(b"\xe6" + sealed(bytes(raw)))
    assert isinstance(found, TelegramError)
    assert found.code == "wrong_version"


def test_sequence_numbers_go_on_over_the_wrap_and_never_back() -> None:
    assert is_newer(1, 0)
    assert is_newer(3, 0xFFFE)
    assert is_newer(64, 0)
    assert not is_newer(65, 0)
    assert not is_newer(5, 5)
    assert not is_newer(4, 5)
    assert not is_newer(0xFFFE, 3)


@FUZZ
@given(st.binary(max_size=64))
def test_the_firmware_computes_the_same_crc_in_its_own_way(data: bytes) -> None:
    assert crc32(data) == zlib.crc32(data)


@FUZZ
@given(
    st.builds(dict, doors=st.integers(1, 2), deadman_ms=word, max_release_ms=word, pc_emergency=st.booleans())
)
def test_the_hash_of_the_parameters_is_the_same_on_both_sides_and_changes_with_each(chosen: dict) -> None:
    assert Parameters(**chosen).configuration() == Setting(**chosen).configuration()
    other = chosen | {"deadman_ms": chosen["deadman_ms"] ^ 1}
    assert Parameters(**other).configuration() != Parameters(**chosen).configuration()


# --- the document ---------------------------------------------------------------------------------------


def examples() -> list[bytes]:
    """The telegrams that the page shows byte by byte."""
    blocks = re.findall(r"```\n((?:[0-9a-f]{2} ?[^\n]*\n)+)```", PAGE.read_text())
    shown = [re.sub(r"#.*", "", block) for block in blocks]
    return [bytes.fromhex("".join(block.split())) for block in shown]


def test_the_examples_of_the_page_are_the_telegrams_that_it_says() -> None:
    pc, controller = 0x1A2B3C4D, 0x5E6F7081
    number = session_of(pc, controller)
    configuration = Parameters().configuration()
    running = Report(
        0x99AABBCC,
        State.RUNNING,
        Output.ENTRY | Output.COMMON | Output.ENTRY_FEEDBACK,
        Input.ENTRY_SHUT | Input.EXIT_SHUT,
        Reason.NONE,
        Fault(0),
        24_000,
        7_990,
        0,
    )
    assert examples() == [
        encode(each)
        for each in (
            Telegram(pc, 1, 0, Hello()),
            Telegram(pc, 1, 1, Welcome(controller, configuration, 0x0103, 300)),
            Telegram(number, 2, 1, Wish(answer_to(controller, number, 2))),
            Telegram(number, 3, 2, Wish(answer_to(controller, number, 3), entry_ms=8_000)),
            Telegram(number, 3, 3, running),
            Telegram(number, 4, 3, Wish(answer_to(0x99AABBCC, number, 4), mode=Mode.EMERGENCY)),
            Telegram(number, 9, 40, Stranger(Strangeness.NO_SESSION, 1)),
        )
    ]
    assert configuration.hex() in PAGE.read_text()


def test_every_fault_has_its_fix_and_stands_on_the_page() -> None:
    page = PAGE.read_text()
    assert {str(fault.name).lower() for fault in Fault} < INCIDENTS
    assert set(FIXES) > INCIDENTS
    for code, fix in FIXES.items():
        assert f"| `{code}` |" in page
        assert fix in page


def test_every_value_of_the_protocol_stands_on_the_page() -> None:
    page = PAGE.read_text()
    for kind in (Mode, State, Reason, Output, Input, Fault, Strangeness):
        for one in kind:
            assert f"`{one.name}`" in page
