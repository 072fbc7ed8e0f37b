import pytest
from hypothesis import given
from hypothesis import strategies as st

from gated.document import apdu
from gated.document.apdu import Command
from gated.document.errors import ApduError
from tests.document.material import FUZZ, accepts_or_raises, refused


@pytest.mark.parametrize(
    ("command", "coded"),
    [
        (Command(0x00, 0x84, 0, 0), "00840000"),
        (Command(0x00, 0x84, 0, 0, le=8), "0084000008"),
        (Command(0x00, 0xB0, 0, 0, le=256), "00B0000000"),
        (Command(0x00, 0xB0, 0, 0, le=257), "00B00000000101"),
        (Command(0x00, 0xB0, 0, 0, le=65536), "00B00000000000"),
        (Command(0x00, 0xA4, 2, 12, b"\x01\x1e"), "00A4020C02011E"),
        (Command(0x00, 0xA4, 2, 12, b"\x01\x1e", 256), "00A4020C02011E00"),
        (Command(0x00, 0xA4, 2, 12, b"\x01\x1e", 65536), "00A4020C000002011E0000"),
        (Command(0x00, 0xDA, 0, 0, bytes(256)), "00DA0000000100" + "00" * 256),
    ],
)
def test_every_case_of_the_standard(command: Command, coded: str) -> None:
    assert command.encode().hex().upper() == coded
    assert apdu.parse_command(bytes.fromhex(coded)) == command


@pytest.mark.parametrize("command", [Command(0, 0, 0, 0, le=0), Command(0, 0, 0, 0, le=65537)])
def test_what_cannot_be_coded(command: Command) -> None:
    with refused(ApduError, "apdu_not_codable"):
        command.encode()


@pytest.mark.parametrize("raw", ["", "00B000", "00B0000002AA", "00B0000000AA", "00B0000002AABBCCDD"])
def test_commands_of_a_wrong_length(raw: str) -> None:
    with refused(ApduError, "apdu_length"):
        apdu.parse_command(bytes.fromhex(raw))


def test_responses() -> None:
    response = apdu.parse_response(bytes.fromhex("60169000"))
    assert response.ok
    assert response.body == b"\x60\x16"
    assert response.encode() == bytes.fromhex("60169000")
    with refused(ApduError, "apdu_length"):
        apdu.parse_response(b"\x90")


@pytest.mark.parametrize(
    ("status", "name"),
    [
        (0x9000, "ok"),
        (0x6A82, "not_found"),
        (0x6C15, "wrong_le"),
        (0x63C2, "tries_left"),
        (0x6FAA, "sw_6faa"),
    ],
)
def test_status_words_have_names(status: int, name: str) -> None:
    assert apdu.status_name(status) == name


def test_reprs_show_no_content() -> None:
    assert repr(Command(0, 0xA4, 2, 12, b"secret", 5)) == "Command(00a4020c, 6 bytes, le=5)"
    assert repr(apdu.Response(b"secret", 0x9000)) == "Response(6 bytes, 9000)"


_bytes = st.integers(0, 255)


@FUZZ
@given(
    st.builds(
        Command, _bytes, _bytes, _bytes, _bytes, st.binary(max_size=600), st.none() | st.integers(1, 65536)
    )
)
def test_what_is_coded_is_parsed(command: Command) -> None:
    assert apdu.parse_command(command.encode()) == command


@FUZZ
@given(st.binary(max_size=300))
def test_accepts_or_raises_one_error(raw: bytes) -> None:
    accepts_or_raises(apdu.parse_command, ApduError, raw)
    accepts_or_raises(apdu.parse_response, ApduError, raw)
