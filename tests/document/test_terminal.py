"""What lies between a plain command and a plain response: chains, parts, corrected lengths, the channel."""

from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gated.core.ports import Limits
from gated.document.apdu import Command, Response, parse_command
from gated.document.errors import ApduError, MessagingError, ReadingError
from gated.document.keys import Suite
from gated.document.messaging import SecureChannel, SessionKeys
from gated.document.reading.capabilities import Capabilities, card_capabilities
from gated.document.reading.terminal import MAX_EXCHANGES, SHORT_APDUS, Protocol, Terminal, drive
from hw_sim.passport.chip_messaging import ChipChannel
from tests.document.material import FUZZ, refused

LONG_APDUS = Limits(max_command=65_544, max_response=65_536)
SESSION = SessionKeys(Suite.AES_128, bytes(range(16)), bytes(range(16, 32)))


def exchange(command: Command, *replies: str, limits: Limits = SHORT_APDUS) -> tuple[Response, list[Command]]:
    """Send a command to a chip that replies in turn; the response, and what was sent."""
    sent: list[Command] = []
    answers = iter(replies)

    def transceive(raw: bytes) -> bytes:
        sent.append(parse_command(raw))
        return bytes.fromhex(next(answers))

    return drive(Terminal(limits).send(command), transceive), sent


def test_a_long_body_goes_in_a_chain_where_only_short_commands_are_carried() -> None:
    body = bytes(range(256)) * 3
    response, sent = exchange(Command(0x00, 0x2A, 0x00, 0xBE, body, 16), *["9000"] * 3, "AA9000")
    assert response == Response(b"\xaa", 0x9000)
    assert [command.cla for command in sent] == [0x10, 0x10, 0x10, 0x00]
    assert [command.le for command in sent] == [None, None, None, 16]
    assert b"".join(command.body for command in sent) == body
    assert all(command.header[1:] == bytes.fromhex("2A00BE") for command in sent)


def test_a_long_body_goes_at_once_where_that_is_carried() -> None:
    _, sent = exchange(Command(0x00, 0x2A, 0x00, 0xBE, bytes(700)), "9000", limits=LONG_APDUS)
    assert [len(command.body) for command in sent] == [700]


def test_a_chain_that_is_refused_goes_no_further() -> None:
    response, sent = exchange(Command(0x00, 0x2A, 0x00, 0xBE, bytes(700)), "9000", "6883")
    assert (response.status, len(sent)) == (0x6883, 2)


def test_a_response_in_parts_is_fetched() -> None:
    response, sent = exchange(Command(0x00, 0xB0, 0, 0, b"", 256), "01026103", "036102", "049000")
    assert response == Response(bytes([1, 2, 3, 4]), 0x9000)
    assert [(command.ins, command.le) for command in sent] == [(0xB0, 256), (0xC0, 3), (0xC0, 2)]


def test_parts_without_end_are_given_up() -> None:
    with refused(ReadingError, "too_many_parts"):
        exchange(Command(0x00, 0xB0, 0, 0, b"", 256), *["6100"] * 300)


def test_a_corrected_length_is_taken_once() -> None:
    response, sent = exchange(Command(0x00, 0xB0, 0, 0, b"", 8), "6C02", "01029000")
    assert response.body == b"\1\2"
    assert [command.le for command in sent] == [8, 2]
    assert exchange(Command(0x00, 0xB0, 0, 0, b"", 8), "6C02", "6C01")[0].status == 0x6C01


def secured(tamper: Callable[[bytes], bytes] = lambda raw: raw) -> tuple[Response, list[Command]]:
    """Send a long command through a channel to a chip that answers with the length that it got."""
    chip, plain = ChipChannel(SESSION, 0), []
    terminal = Terminal()
    terminal.channel = SecureChannel(SESSION)

    def transceive(raw: bytes) -> bytes:
        plain.append(chip.open(parse_command(raw)))
        return tamper(chip.protect(Response(b"", 0x9000), odd=False).encode())

    return drive(terminal.send(Command(0x00, 0x2A, 0x00, 0xBE, bytes(600), None)), transceive), plain


def test_each_command_of_a_chain_is_protected_by_itself() -> None:
    response, plain = secured()
    assert response.ok
    assert [len(command.body) for command in plain] == [223, 223, 154]


def test_a_corrected_length_outside_the_channel_ends_the_session() -> None:
    with refused(MessagingError, "messaging_unprotected"):
        secured(lambda _: b"\x6c\x10")


def test_what_a_part_adds_to_a_protected_response_is_found_out() -> None:
    replies = [b"\x6c\x00"]
    terminal = Terminal()
    terminal.channel = SecureChannel(SESSION)
    chip = ChipChannel(SESSION, 0)

    def transceive(raw: bytes) -> bytes:
        if raw[1] == 0xC0:
            return b"\x99\x02\x90\x00\x90\x00"
        chip.open(parse_command(raw))
        return chip.protect(Response(b"", 0x9000), odd=False).body + b"\x61\x04"

    with refused(MessagingError, "messaging_mac_missing"):
        drive(terminal.send(Command(0x00, 0xB0, 0, 0, b"", 8)), transceive)
    assert replies


def test_exchanges_are_counted() -> None:
    def endless() -> Protocol[None]:
        while True:
            yield Command(0x00, 0xA4, 0x00, 0x0C)

    with refused(ReadingError, "too_many_exchanges"):
        drive(Terminal().run(endless()), lambda _: b"\x90\x00")
    assert MAX_EXCHANGES < 10_000


def test_a_protocol_is_closed_when_the_reader_fails() -> None:
    closed = []

    def protocol() -> Protocol[None]:
        try:
            yield Command(0x00, 0xA4, 0x00, 0x0C)
        finally:
            closed.append(True)

    with pytest.raises(ConnectionError):
        drive(Terminal().run(protocol()), _gone)
    assert closed == [True]


def _gone(_: bytes) -> bytes:
    raise ConnectionError


@given(st.lists(st.binary(max_size=12), max_size=8))
@FUZZ
def test_noise_raises_one_family(replies: list[bytes]) -> None:
    answers = iter(replies)
    try:
        drive(Terminal().send(Command(0x00, 0xB0, 0, 0, b"", 8)), lambda _: next(answers, b"\x90\x00"))
    except (ApduError, ReadingError):
        return


# --- the historical bytes ---------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("historical", "said"),
    [
        ("8073802140", Capabilities(extended=True, chaining=False)),
        ("80738021E0", Capabilities(extended=True, chaining=True, in_info_file=True)),
        ("8073802180", Capabilities(extended=False, chaining=True)),
        ("8031C0730000C0", Capabilities(extended=True, chaining=True)),
        ("0073802140009000", Capabilities(extended=True, chaining=False)),  # three status bytes behind
        ("0073802140", Capabilities()),  # the status bytes would be the capabilities
        ("807280214000", Capabilities()),  # two bytes of capabilities do not tell
        ("4A434F50", Capabilities()),  # text
        ("8073", Capabilities()),
        ("", Capabilities()),
    ],
)
def test_what_historical_bytes_say(historical: str, said: Capabilities) -> None:
    assert card_capabilities(bytes.fromhex(historical)) == said


@given(st.binary(max_size=70))
def test_historical_bytes_never_raise(historical: bytes) -> None:
    card_capabilities(historical)
