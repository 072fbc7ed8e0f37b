"""Secure messaging at the chip: what a session gives, and that anything improper ends it."""

from collections.abc import Callable

import pytest

from gated.document import tlv
from gated.document.apdu import Command
from gated.document.errors import MessagingError
from gated.document.messaging import SecureChannel
from hw_sim.passport import lds
from tests.hw_sim.terminal import (
    PHOTOGRAPH,
    WITH_BAC,
    Terminal,
    in_bac_session,
    in_pace_session,
    select,
)

READ_START = Command(0x00, 0xB0, 0x00, 0x00, b"", 16)

SESSIONS = pytest.mark.parametrize("enter", [in_bac_session, in_pace_session])
Enter = Callable[[], Terminal]

# --- inside a session --------------------------------------------------------------------------------


@SESSIONS
def test_a_session_reads_whole_files(enter: Enter) -> None:
    terminal = enter()
    assert terminal.send(select(lds.DG2)).ok
    content = bytearray()
    size = len(WITH_BAC.files[lds.DG2])
    while len(content) < size:
        count = min(200, size - len(content))
        if len(content) < 0x8000:
            piece = terminal.send(
                Command(0x00, 0xB0, len(content) >> 8, len(content) & 0xFF, b"", count)
            ).body
        else:
            offset = tlv.encode(0x54, len(content).to_bytes(2, "big"))
            answer = terminal.send(Command(0x00, 0xB1, 0, 0, offset, count + 3))
            piece = tlv.parse_one(answer.body, 0x53).value
        assert piece
        content += piece
    assert content == WITH_BAC.files[lds.DG2]
    assert content.endswith(PHOTOGRAPH)


@SESSIONS
def test_a_session_brings_as_much_as_the_response_holds(enter: Enter) -> None:
    terminal = enter()
    terminal.send(select(lds.DG2))
    block = terminal.channel.suite.block if terminal.channel else 0
    short = terminal.send(Command(0x00, 0xB0, 0, 0, b"", 256))
    assert 256 - 14 - 4 - 2 * block <= len(short.body) <= 256 - 14 - 4
    vast = terminal.send(Command(0x00, 0xB0, 0, 0, b"", 65536))
    assert vast.body == WITH_BAC.files[lds.DG2]
    exact = terminal.send(Command(0x00, 0xB0, 0, 0, b"", 255))
    assert (exact.body, exact.status) == (b"", 0x6700)


@SESSIONS
def test_refusals_inside_a_session_are_secured_and_keep_it(enter: Enter) -> None:
    terminal = enter()
    assert terminal.send(select(0x0103)).status == 0x6A82
    assert terminal.send(select(lds.CARD_ACCESS)).status == 0x6A82
    assert terminal.send(Command(0x00, 0xCA, 0, 0, b"", 256)).status == 0x6D00
    assert terminal.send(Command(0x00, 0x84, 0, 0, b"", 8)).status in {0x6985, 0x6D00}
    assert terminal.send(select(lds.DG1)).ok
    beyond = terminal.send(Command(0x00, 0xB0, 0, 90, b"", 16))
    assert (len(beyond.body), beyond.status) == (3, 0x6282)
    assert terminal.send(Command(0x00, 0xB0, 0, 93, b"", 16)).status == 0x6B00


@SESSIONS
@pytest.mark.parametrize("apdu", ["00B0000004", "00A4020C020101", "00B0810000", "40B0000004", "80B0000004"])
def test_a_plain_command_ends_the_session(enter: Enter, apdu: str) -> None:
    terminal = enter()
    assert terminal.send(select(lds.DG1)).ok
    assert terminal.status(apdu) in {0x6982, 0x6E00}
    assert terminal.chip.access is None
    with pytest.raises(MessagingError):
        terminal.send(READ_START)


@SESSIONS
def test_a_file_that_is_current_is_closed_when_the_session_ends(enter: Enter) -> None:
    terminal = enter()
    assert terminal.send(select(lds.DG1)).ok
    terminal.status("00CA000000")
    assert terminal.status("00B0000004") == 0x6982


def _without(tag: int) -> Callable[[bytes], bytes]:
    def change(body: bytes) -> bytes:
        return b"".join(item.encode() for item in tlv.parse(body) if item.tag != tag)

    return change


def _reordered(body: bytes) -> bytes:
    return b"".join(item.encode() for item in reversed(tlv.parse(body)))


def _flipped(position: int) -> Callable[[bytes], bytes]:
    def change(body: bytes) -> bytes:
        changed = bytearray(body)
        changed[position] ^= 1
        return bytes(changed)

    return change


@SESSIONS
@pytest.mark.parametrize(
    ("change", "status"),
    [
        (_without(0x8E), 0x6987),
        (_without(0x97), 0x6988),
        (_reordered, 0x6988),
        (_flipped(-1), 0x6988),
        (_flipped(2), 0x6988),
        (lambda body: body + tlv.encode(0x85, bytes(16)), 0x6988),
        (lambda body: body[:-1], 0x6988),
        (lambda body: tlv.encode(0x80, b"") + body, 0x6988),
        (lambda _: b"\xff", 0x6988),
    ],
)
def test_a_wrongly_secured_command_ends_the_session(
    enter: Enter, change: Callable[[bytes], bytes], status: int
) -> None:
    terminal = enter()
    assert terminal.send(select(lds.DG1)).ok
    channel = terminal.channel
    assert channel is not None
    right = channel.protect(READ_START)
    wrong = Command(right.cla, right.ins, right.p1, right.p2, change(right.body), right.le)
    assert terminal.status(wrong.encode()) == status
    assert terminal.chip.access is None
    assert terminal.status("00B0000004") == 0x6982


@SESSIONS
def test_a_changed_header_a_missing_le_and_a_replay_end_the_session(enter: Enter) -> None:
    def header(apdu: bytes) -> bytes:
        return apdu[:3] + bytes([apdu[3] ^ 1]) + apdu[4:]

    for change in (header, lambda apdu: apdu[:-1]):
        terminal = enter()
        assert terminal.channel is not None
        right = terminal.channel.protect(select(lds.DG1)).encode()
        assert terminal.status(change(right)) == 0x6988
        assert terminal.chip.access is None
    terminal = enter()
    assert terminal.send(select(lds.DG1)).ok
    assert terminal.status(terminal.sent[-1]) == 0x6988
    assert terminal.chip.access is None


def test_a_counter_out_of_step_is_noticed() -> None:
    terminal = in_bac_session()
    channel = terminal.channel
    assert channel is not None
    behind = SecureChannel(channel._session, channel._counter + 2)
    assert terminal.status(behind.protect(select(lds.DG1)).encode()) == 0x6988


def test_an_undecodable_command_ends_the_session() -> None:
    terminal = in_bac_session()
    assert terminal.status("00B0") == 0x6700
    assert terminal.chip.access is None


def test_power_off_forgets_everything() -> None:
    terminal = in_bac_session()
    terminal.chip.reset()
    assert terminal.chip.access is None
    assert terminal.status(select(lds.DG1).encode()) == 0x6A82  # the master file is selected again
    with pytest.raises(MessagingError):
        terminal.send(READ_START)


def test_a_second_bac_needs_a_fresh_start() -> None:
    terminal = in_bac_session()
    assert terminal.send(Command(0x00, 0x84, 0, 0, b"", 8)).status == 0x6985
    terminal.chip.reset()
    terminal.enter_bac()
    assert terminal.send(select(lds.DG1)).ok


@SESSIONS
@pytest.mark.parametrize(
    "form",
    [
        lambda cryptogram: tlv.encode(0x87, b"\x02" + cryptogram),  # another padding indicator
        lambda cryptogram: tlv.encode(0x87, b"\x01" + cryptogram[:-1]),  # no whole blocks
        lambda _: tlv.encode(0x87, b"\x01"),
        lambda cryptogram: tlv.encode(0x87, b"\x01" + bytes(len(cryptogram))),  # no padding inside
        lambda cryptogram: tlv.encode(0x85, cryptogram),  # the object of odd instructions
        lambda cryptogram: tlv.encode(0x87, b"\x01" + cryptogram) + tlv.encode(0x97, bytes(3)),
        lambda cryptogram: tlv.encode(0x97, b"\x00") + tlv.encode(0x87, b"\x01" + cryptogram),
        lambda cryptogram: tlv.encode(0x87, b"\x01" + cryptogram) * 2,
    ],
)
def test_a_right_mac_does_not_excuse_wrong_objects(enter: Enter, form: Callable[[bytes], bytes]) -> None:
    terminal = enter()
    channel = terminal.channel
    assert channel is not None
    session, counter = channel._session, channel._counter + 1
    header = bytes.fromhex("0CA4020C")
    objects = form(session.encrypt(counter, b"\x01\x01"))
    body = objects + tlv.encode(0x8E, session.mac_of_command(counter, header, objects))
    assert terminal.status(Command(0x0C, 0xA4, 0x02, 0x0C, body, 256).encode()) == 0x6988
    assert terminal.chip.access is None
