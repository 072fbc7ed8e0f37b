"""CCID framing against the layouts of the standard, and against whatever bytes may come."""

from collections.abc import Generator, Iterator

import pytest
from hypothesis import given
from hypothesis import strategies as st

from drivers import ccid
from drivers.atr import parse_atr
from drivers.ccid import Answer, Block, Card, CcidError, Command, Level, Reply, Verdict
from hw_sim.reader.ccid_descriptors import class_descriptor

# 5.1, table 5.1-1, field by field
DESCRIPTOR = bytes.fromhex(
    "36 21 1001 00 07 03000000 a00f0000 a00f0000 00 002a0000 002a0000 00"
    "fe000000 00000000 00000000 be040200 0f010000 ff ff 0000 00 01"
)


def reply(data: bytes, parameter: int = 0, verdict: Verdict = Verdict.DONE) -> Reply:
    return Reply(
        kind=Answer.DATA_BLOCK,
        slot=0,
        sequence=1,
        card=Card.ACTIVE,
        verdict=verdict,
        error=0,
        parameter=parameter,
        data=data,
    )


def test_commands_have_the_layout_of_6_1() -> None:
    assert ccid.message(Command.POWER_ON, 1, select=1) == bytes.fromhex("62000000000001010000")
    assert ccid.message(Command.SLOT_STATUS, 0x102) == bytes.fromhex("65000000000002000000")
    assert ccid.message(Command.TRANSFER, 3, b"\x00\x84\x00\x00\x08", level=0x10) == bytes.fromhex(
        "6f050000000003001000 0084000008"
    )


def test_reply_has_the_layout_of_6_2() -> None:
    parsed = ccid.parse_reply(bytes.fromhex("80 02000000 00 07 41 fe 10 9000"))
    assert (parsed.kind, parsed.sequence, parsed.card) == (Answer.DATA_BLOCK, 7, Card.INACTIVE)
    assert (parsed.verdict, parsed.error, parsed.parameter) == (Verdict.FAILED, ccid.MUTE, 0x10)


def test_data_does_not_show_in_repr() -> None:
    assert "SECRET" not in repr(reply(b"SECRET")) + repr(Block(0, b"SECRET"))


@pytest.mark.parametrize(
    ("raw", "code"),
    [
        (b"", "message_too_short"),
        (bytes(9), "message_too_short"),
        (bytes.fromhex("8001000000000000 0000"), "length_mismatch"),
        (bytes.fromhex("80ffffffff000000 0000"), "message_too_long"),
        (bytes.fromhex("8000000000000000 0000") + b"x", "length_mismatch"),
        (bytes.fromhex("4200000000000000 0000"), "unknown_kind_or_status"),
        (bytes.fromhex("8000000000000003 0000")[:7] + b"\x03\x00\x00", "unknown_kind_or_status"),
        (bytes.fromhex("8000000000000000 0000")[:7] + b"\xc0\x00\x00", "unknown_kind_or_status"),
    ],
)
def test_broken_replies_have_one_error(raw: bytes, code: str) -> None:
    with pytest.raises(CcidError, match=code):
        ccid.parse_reply(raw)


def test_class_descriptor_is_found_among_others() -> None:
    profile = ccid.parse_descriptor(bytes.fromhex("0324aa") + DESCRIPTOR + b"\x02\x30")
    assert profile == ccid.ReaderProfile(voltages=7, features=0x000204BE, max_message=271)
    assert (profile.level, profile.room, profile.max_response) == (Level.SHORT_APDU, 261, 256)


@pytest.mark.parametrize(
    ("bits", "level"),
    [
        (0, Level.CHARACTER),
        (0x10000, Level.TPDU),
        (0x20000, Level.SHORT_APDU),
        (0x40000, Level.EXTENDED_APDU),
        (0x60000, Level.EXTENDED_APDU),
    ],
)
def test_exchange_level(bits: int, level: Level) -> None:
    assert ccid.parse_descriptor(class_descriptor(bits, 65_546)).level is level


@pytest.mark.parametrize(
    ("voltages", "features", "select"), [(7, 8, 0), (7, 0, 3), (3, 0, 2), (1, 0, 1), (0, 0, 0)]
)
def test_voltage_is_the_readers_choice_or_the_lowest(voltages: int, features: int, select: int) -> None:
    assert ccid.ReaderProfile(voltages=voltages, features=features, max_message=271).power_select == select


@pytest.mark.parametrize("length", [0, 63])
def test_a_message_length_that_carries_nothing_is_refused(length: int) -> None:
    with pytest.raises(CcidError, match="message_length_out_of_range"):
        ccid.parse_descriptor(class_descriptor(0x40000, length))


@pytest.mark.parametrize(
    ("declared", "room"),
    [(65_554, 65_544), (65_556, 65_544), (2**32 - 1, 65_544), (65_544, 65_534), (270, 260), (261, 251)],
)
def test_a_message_length_that_is_slightly_off_is_taken_as_far_as_it_can_be(declared: int, room: int) -> None:
    profile = ccid.parse_descriptor(class_descriptor(0x40000, declared))
    assert (profile.room, profile.max_command) == (room, 65_544)
    short = ccid.parse_descriptor(class_descriptor(0x20000, declared))
    assert (short.max_command, short.max_response) == (min(261, room), min(256, room - 2))


@pytest.mark.parametrize(
    ("max_ifsd", "message", "ifsd"), [(254, 271, 254), (0, 271, 254), (32, 271, 32), (254, 200, 185)]
)
def test_a_block_fits_the_message_and_the_reader(max_ifsd: int, message: int, ifsd: int) -> None:
    assert ccid.parse_descriptor(class_descriptor(0x10000, message, max_ifsd=max_ifsd)).ifsd == ifsd


def test_the_slots_are_counted_from_their_highest_index() -> None:
    assert ccid.parse_descriptor(class_descriptor(0x40000, 271, slots=3)).slots == 3


@pytest.mark.parametrize(
    ("features", "parameters", "selection"),
    [
        (0x10000, True, True),
        (0x10002, True, True),
        (0x10080, True, False),
        (0x10040, False, False),
        (0x20000, True, False),
        (0x20002, False, False),
        (0x40040, False, False),
    ],
)
def test_the_host_does_what_the_reader_leaves_to_it(
    features: int, *, parameters: bool, selection: bool
) -> None:
    profile = ccid.parse_descriptor(class_descriptor(features, 271))
    assert (profile.wants_parameters, profile.wants_selection) == (parameters, selection)


def test_t1_parameters_are_those_that_libccid_set_in_a_published_trace() -> None:
    # popovec/oseid, doc/T1_CRC.txt: a card with CRC, in a reader at the TPDU level
    answer = parse_atr(bytes.fromhex("3b d5 96 02 80 71 fe 65 01 4f73454944 5e"))
    assert ccid.t1_parameters(answer) == bytes.fromhex("96110265 00fe00")


@pytest.mark.parametrize(
    "raw", [b"", b"\x00", DESCRIPTOR[:-1], b"\x36\x22" + DESCRIPTOR[2:], b"\x01\x21" * 40]
)
def test_no_class_descriptor(raw: bytes) -> None:
    with pytest.raises(CcidError, match="no_class_descriptor"):
        ccid.parse_descriptor(raw)


def test_notifications_of_other_slots_are_told_apart() -> None:
    assert ccid.parse_notification(b"\x50\x0c", 1) == ccid.SlotChange(present=True, changed=True)
    assert ccid.parse_notification(b"\x50\x0c", 0) == ccid.SlotChange(present=False, changed=False)
    assert ccid.parse_notification(b"\x50\x00\x02", 4) == ccid.SlotChange(present=False, changed=True)
    assert ccid.parse_notification(b"\x50\x0c", 4) is None


def test_notifications() -> None:
    assert ccid.parse_notification(b"\x50\x03") == ccid.SlotChange(present=True, changed=True)
    assert ccid.parse_notification(b"\x50\x02") == ccid.SlotChange(present=False, changed=True)
    assert ccid.parse_notification(b"\x51\x00\x09\x01") == ccid.HardwareFault(slot=0, code=1)


@pytest.mark.parametrize("raw", [b"", b"\x50", b"\x51\x00\x00", b"\x52\x00", b"\x50" + bytes(65)])
def test_broken_notifications_have_one_error(raw: bytes) -> None:
    with pytest.raises(CcidError, match="unknown_notification"):
        ccid.parse_notification(raw)


def test_errors_have_names() -> None:
    assert ccid.error_name(0xFE) == "card_mute"
    assert ccid.error_name(8) == "bad_field_8"
    assert ccid.error_name(0xC0) == "vendor_error_c0"


@given(st.binary(max_size=80))
def test_parsers_accept_or_raise_one_error(raw: bytes) -> None:
    for parser in (ccid.parse_reply, ccid.parse_descriptor, ccid.parse_notification, ccid.length_of):
        try:
            parser(raw)
        except CcidError:
            continue


@given(
    kind=st.sampled_from(list(Answer)),
    card=st.sampled_from(list(Card)),
    verdict=st.sampled_from(list(Verdict)),
    rest=st.tuples(*[st.integers(0, 255)] * 4),
    data=st.binary(max_size=300),
)
def test_every_well_formed_reply_is_read_back(
    kind: Answer, card: Card, verdict: Verdict, rest: tuple[int, int, int, int], data: bytes
) -> None:
    slot, sequence, error, parameter = rest
    header = bytes(
        (kind, *len(data).to_bytes(4, "little"), slot, sequence, verdict << 6 | card, error, parameter)
    )
    assert ccid.parse_reply(header + data) == Reply(
        kind, slot, sequence, card, verdict, error, parameter, data
    )


def run(exchange: Generator[Block, Reply, bytes], replies: list[Reply]) -> bytes | str | None:
    """The response, the code of the error, or None while more is awaited."""
    next(exchange)
    try:
        for one in replies:
            exchange.send(one)
    except StopIteration as end:
        return bytes(end.value)
    except CcidError as error:
        return error.code
    return None


def chain_reader(response: bytes, room: int) -> Iterator[Reply]:
    """The reader's side of 6.1.4 and 6.2.1 in the simplest words: it checks levels, then sends its pieces."""
    pieces = [response[at : at + room] for at in range(0, len(response), room)]
    for number, piece in enumerate(pieces):
        first, last = number == 0, number == len(pieces) - 1
        yield reply(
            piece, {(True, True): 0, (True, False): 1, (False, True): 2, (False, False): 3}[first, last]
        )


@given(st.binary(min_size=4, max_size=900), st.binary(min_size=2, max_size=900), st.integers(1, 261))
def test_a_chain_carries_every_apdu_both_ways(apdu: bytes, response: bytes, room: int) -> None:
    exchange = ccid.apdu_exchange(apdu, room)
    answers = chain_reader(response, room)
    sent = [next(exchange)]
    gathered = b""
    while not gathered:
        answer = reply(b"", 0x10) if sent[-1].level in {1, 3} else next(answers)
        try:
            sent.append(exchange.send(answer))
        except StopIteration as end:
            gathered = end.value
    assert gathered == response
    assert b"".join(block.data for block in sent) == apdu
    assert max(len(block.data) for block in sent) <= room
    levels = [block.level for block in sent]
    sending = [level for level in levels if level != 0x10]
    assert sending == ([0] if len(apdu) <= room else [1, *[3] * (len(sending) - 2), 2])


@pytest.mark.parametrize(
    ("apdu", "replies", "code"),
    [
        (bytes(20), [reply(b"", 0)], "command_chain_broken"),
        (bytes(20), [reply(b"x", 0x10)], "command_chain_broken"),
        (bytes(5), [reply(b"x", 2), reply(b"y", 1)], b"x"),
        (bytes(5), [reply(b"x", 1), reply(b"y", 1)], "response_chain_broken"),
        (bytes(5), [reply(b"x", 1), reply(b"", 3)], "response_chain_broken"),
        (bytes(5), [reply(b"x", 0x10)], "response_chain_broken"),
        (bytes(5), [reply(bytes(65_000), 1), reply(bytes(65_000), 3)], "response_too_long"),
    ],
)
def test_a_broken_chain_has_one_error(apdu: bytes, replies: list[Reply], code: str | bytes) -> None:
    assert run(ccid.apdu_exchange(apdu, 10), replies) == code


@given(
    st.lists(st.builds(reply, st.binary(max_size=20), st.integers(0, 255)), max_size=8), st.binary(min_size=4)
)
def test_any_replies_end_in_a_response_or_one_error(replies: list[Reply], apdu: bytes) -> None:
    assert isinstance(run(ccid.apdu_exchange(apdu, 7), replies), str | bytes | None)
