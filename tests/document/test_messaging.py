"""Doc 9303-11 appendix D.4, byte by byte, and every way to tamper with a reply."""

from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gated.document import tlv
from gated.document.apdu import Command, Response, parse_response
from gated.document.errors import MessagingError
from gated.document.keys import Suite
from gated.document.messaging import SecureChannel, SessionKeys
from tests.document.material import FUZZ, refused

HEX = bytes.fromhex
WORKED = SessionKeys(
    Suite.TDES, HEX("979EC13B1CBFE9DCD01AB0FED307EAE5"), HEX("F1CB1F1FB5ADF208806B89DC579DC1F8")
)
COUNTER = 0x887022120C06C226
SELECT_COM = Command(0x00, 0xA4, 0x02, 0x0C, HEX("011E"))
SELECTED = HEX("990290008E08FA855A5D4C50A8ED9000")


def test_the_worked_example() -> None:
    channel = SecureChannel(WORKED, COUNTER)
    assert channel.protect(SELECT_COM).encode() == HEX(
        "0CA4020C158709016375432908C044F68E08BF8B92D635FF24F800"
    )
    assert channel.unprotect(parse_response(SELECTED)) == Response(b"", 0x9000)

    first = channel.protect(Command(0x00, 0xB0, 0x00, 0x00, le=4))
    assert first.encode() == HEX("0CB000000D9701048E08ED6705417E96BA5500")
    reply = HEX("8709019FF0EC34F9922651990290008E08AD55CC17140B2DED9000")
    assert channel.unprotect(parse_response(reply)).body == HEX("60145F01")

    rest = channel.protect(Command(0x00, 0xB0, 0x00, 0x04, le=18))
    assert rest.encode() == HEX("0CB000040D9701128E082EA28A70F3C7B53500")
    reply = HEX("871901FB9235F4E4037F2327DCC8964F1F9B8C30F42C8E2FFF224A990290008E08C8B2787EAEA07D749000")
    assert channel.unprotect(parse_response(reply)).body == HEX("04303130365F36063034303030305C026175")


def sealed(
    session: SessionKeys,
    counter: int,
    *objects: tuple[int, bytes],
    status: int = 0x9000,
    outside: int = 0x9000,
) -> Response:
    """A reply as a chip makes it."""
    body = b"".join(tlv.encode(tag, value) for tag, value in (*objects, (0x99, status.to_bytes(2, "big"))))
    return Response(body + tlv.encode(0x8E, session.mac_of_response(counter, body)), outside)


def without_status() -> Response:
    return Response(tlv.encode(0x8E, WORKED.mac_of_response(COUNTER + 2, b"")), 0x9000)


@pytest.mark.parametrize("suite", list(Suite))
def test_both_directions_with_every_suite(suite: Suite) -> None:
    session = SessionKeys(suite, bytes(range(suite.key_length)), bytes(range(1, suite.key_length + 1)))
    channel = SecureChannel(session)
    command = channel.protect(Command(0x00, 0xB1, 0x00, 0x00, HEX("54028000"), 223))
    objects = tlv.parse(command.body)
    assert [item.tag for item in objects] == [0x85, 0x97, 0x8E]
    assert session.decrypt(1, objects[0].value) == HEX("54028000")
    covered = command.body[:-10]
    assert objects[2].value == session.mac_of_command(1, command.header, covered)
    reply = sealed(session, 2, (0x85, session.encrypt(2, b"\x53\x01\xaa")))
    assert channel.unprotect(reply).body == b"\x53\x01\xaa"


def test_an_odd_instruction_may_be_answered_with_do87() -> None:
    channel = SecureChannel(WORKED, COUNTER)
    channel.protect(Command(0x00, 0xB1, 0x00, 0x00, HEX("54028000"), 10))
    reply = sealed(WORKED, COUNTER + 2, (0x87, b"\x01" + WORKED.encrypt(COUNTER + 2, b"\x53\x01\xaa")))
    assert channel.unprotect(reply).body == b"\x53\x01\xaa"


def test_the_counter_goes_on_after_a_protected_error() -> None:
    channel = SecureChannel(WORKED, COUNTER)
    channel.protect(SELECT_COM)
    assert channel.unprotect(sealed(WORKED, COUNTER + 2, status=0x6A82, outside=0x6A82)).status == 0x6A82
    channel.protect(SELECT_COM)
    assert channel.unprotect(sealed(WORKED, COUNTER + 4)).ok


def test_the_status_that_counts_is_the_protected_one() -> None:
    channel = SecureChannel(WORKED, COUNTER)
    channel.protect(SELECT_COM)
    assert channel.unprotect(sealed(WORKED, COUNTER + 2, status=0x6282, outside=0x9000)).status == 0x6282


def test_long_commands_and_answers_become_extended() -> None:
    channel = SecureChannel(WORKED, COUNTER)
    command = channel.protect(Command(0x00, 0xB0, 0x00, 0x00, le=4000))
    assert tlv.only(tlv.parse(command.body), 0x97) == HEX("0FA0")
    assert command.le == 65536


@pytest.mark.parametrize(
    ("tamper", "code"),
    [
        (lambda: Response(b"", 0x9000), "messaging_unprotected"),
        (lambda: Response(b"", 0x6988), "messaging_unprotected"),
        (lambda: Response(b"\x30", 0x9000), "messaging_objects"),
        (lambda: Response(HEX("99029000"), 0x9000), "messaging_mac_missing"),
        (lambda: Response(HEX("990290008E0700000000000000"), 0x9000), "messaging_mac_missing"),
        (lambda: Response(HEX("990290008E080000000000000000"), 0x9000), "messaging_mac_wrong"),
        (lambda: sealed(WORKED, COUNTER + 1), "messaging_mac_wrong"),  # a replayed counter
        (lambda: sealed(WORKED, COUNTER + 2, (0x87, b"\x01")), "messaging_padding"),
        (lambda: sealed(WORKED, COUNTER + 2, (0x87, b"\x01" + bytes(7))), "messaging_padding"),
        (lambda: sealed(WORKED, COUNTER + 2, (0x87, b"\x01" + bytes(8))), "messaging_padding"),
        (lambda: sealed(WORKED, COUNTER + 2, (0x87, b"\x02" + bytes(8))), "messaging_objects"),
        (lambda: sealed(WORKED, COUNTER + 2, (0x85, bytes(8))), "messaging_objects"),
        (lambda: sealed(WORKED, COUNTER + 2, (0x81, b"plain")), "messaging_objects"),
        (lambda: sealed(WORKED, COUNTER + 2, (0x87, b"\x01"), (0x87, b"\x01")), "messaging_objects"),
        (without_status, "messaging_status_missing"),
    ],
)
def test_a_doubtful_reply_ends_the_channel(tamper: Callable[[], Response], code: str) -> None:
    channel = SecureChannel(WORKED, COUNTER)
    channel.protect(SELECT_COM)
    with refused(MessagingError, code):
        channel.unprotect(tamper())
    assert not channel.is_open
    with refused(MessagingError, "messaging_closed"):
        channel.protect(SELECT_COM)
    with refused(MessagingError, "messaging_out_of_turn"):
        channel.unprotect(sealed(WORKED, COUNTER + 2))


def test_the_chip_says_outside_why_it_gave_up() -> None:
    channel = SecureChannel(WORKED, COUNTER)
    channel.protect(SELECT_COM)
    with pytest.raises(MessagingError) as refusal:
        channel.unprotect(Response(b"", 0x6700))
    assert refusal.value.status == 0x6700


def test_two_commands_in_a_row_are_out_of_turn() -> None:
    channel = SecureChannel(WORKED, COUNTER)
    channel.protect(SELECT_COM)
    with refused(MessagingError, "messaging_out_of_turn"):
        channel.protect(SELECT_COM)
    assert not channel.is_open


def test_the_counter_never_wraps() -> None:
    channel = SecureChannel(WORKED, 2**64 - 1)
    with refused(MessagingError, "messaging_counter_overflow"):
        channel.protect(SELECT_COM)
    assert not channel.is_open


def test_reprs_show_no_keys() -> None:
    assert repr(WORKED) == "SessionKeys(3DES)"


@FUZZ
@given(st.binary(max_size=64))
def test_accepts_or_raises_one_error(body: bytes) -> None:
    channel = SecureChannel(WORKED, COUNTER)
    channel.protect(SELECT_COM)
    with pytest.raises(MessagingError):
        channel.unprotect(Response(body, 0x9000))
