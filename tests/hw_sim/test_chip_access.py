"""BAC and PACE done rightly, and wrongly in every step: what the chip answers, and that it stays closed."""

import secrets
from collections.abc import Callable

import pytest

from gated.document import access, tlv
from gated.document.access import Password, PasswordKind
from gated.document.apdu import Command
from gated.document.errors import AccessError
from gated.document.groups.curves import by_number
from gated.document.keys import Suite
from gated.document.reading import drive
from hw_sim.passport import issuer, lds
from hw_sim.passport.chip import Chip
from hw_sim.passport.issuer import PaceProfile, Protocols
from tests.hw_sim.terminal import SELECT_APPLICATION, WITH_BAC, WITH_BOTH, WITH_PACE, Terminal, at, passport

SET_AT = "0022C1A40F800A04007F00070202040202830101"
GET_NONCE = "10860000027C0000"
CHALLENGE = "0084000008"

# --- BAC done wrongly --------------------------------------------------------------------------------


def test_a_challenge_needs_the_application() -> None:
    assert at(WITH_BAC).status(CHALLENGE) == 0x6985


def test_each_challenge_is_another() -> None:
    terminal = at(WITH_BAC)
    assert terminal.status(SELECT_APPLICATION) == 0x9000
    drawn = {terminal.raw(CHALLENGE) for _ in range(8)}
    assert len(drawn) == 8
    assert {len(response) for response in drawn} == {10}


def test_authentication_needs_a_challenge_each_time() -> None:
    terminal = at(WITH_BAC)
    terminal.enter_bac()
    authenticate = terminal.sent[-1]
    terminal.chip.reset()
    assert terminal.status(SELECT_APPLICATION) == 0x9000
    assert terminal.status(authenticate) == 0x6985
    terminal.raw(CHALLENGE)
    assert terminal.status(authenticate) == 0x6300  # replayed: another challenge
    assert terminal.status(authenticate) == 0x6985  # a challenge serves once


@pytest.mark.parametrize("position", [0, 31, 32, 39])
def test_a_changed_token_is_refused(position: int) -> None:
    terminal = at(WITH_BAC)

    def meddle(apdu: bytes) -> bytes:
        if apdu[1] == 0x82:
            changed = bytearray(apdu)
            changed[5 + position] ^= 1
            apdu = bytes(changed)
        return terminal.raw(apdu)

    assert terminal.status(SELECT_APPLICATION) == 0x9000
    with pytest.raises(AccessError, match="access_denied"):
        drive(access.bac(terminal.password, secrets.token_bytes), meddle)
    assert terminal.chip.access is None


def test_the_wrong_password_opens_nothing() -> None:
    terminal = Terminal(Chip(WITH_BAC), "L898902C3674081223204154")
    with pytest.raises(AccessError, match="access_denied"):
        terminal.enter_bac()
    assert terminal.status("00B0810000") == 0x6982


@pytest.mark.parametrize(
    ("apdu", "status"),
    [
        ("0082000028" + "00" * 40 + "28", 0x6300),
        ("0082000027" + "00" * 39 + "28", 0x6700),
        ("0082000028" + "00" * 40, 0x6700),
        ("0082010028" + "00" * 40 + "28", 0x6A86),
        ("0084000004", 0x6700),
        ("0084010008", 0x6A86),
    ],
)
def test_malformed_bac_commands(apdu: str, status: int) -> None:
    terminal = at(WITH_BAC)
    terminal.raw(SELECT_APPLICATION)
    terminal.raw(CHALLENGE)
    assert terminal.status(apdu) == status


def test_a_chip_without_bac_or_pace_does_not_know_its_commands() -> None:
    assert at(WITH_BAC).status(SET_AT) == 0x6D00
    assert at(WITH_BAC).status(GET_NONCE) == 0x6D00
    assert at(WITH_PACE).status(CHALLENGE) == 0x6D00


# --- PACE done wrongly -------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("apdu", "status"),
    [
        ("002241A40F800A04007F00070202040202830101", 0x6A86),
        ("0022C1A40F800A04007F00070202040201830101", 0x6A80),  # 3DES is not offered
        ("0022C1A40F800A04007F00070202040202830102", 0x6A88),  # this chip has no CAN
        ("0022C1A40C800A04007F00070202040202", 0x6A88),
        ("0022C1A403830101", 0x6A80),
        ("0022C1A412800A04007F0007020204020283010184010C", 0x6A80),  # P-256 is not offered
        ("0022C1A412800A04007F00070202040202830101850101", 0x6A80),
        ("0022C1A412800A04007F00070202040202830101830101", 0x6A80),
        ("0022C1A40E800A04007F000702020402028301", 0x6A80),
    ],
)
def test_wrong_choices_are_refused_and_begin_nothing(apdu: str, status: int) -> None:
    terminal = at(WITH_BOTH)
    assert terminal.status(apdu) == status
    assert terminal.status(GET_NONCE) == 0x6985


def test_the_domain_may_be_named_and_must_be_where_it_is_ambiguous() -> None:
    named = "0022C1A412800A04007F0007020204020283010184010D"
    assert at(WITH_BOTH).status(named) == 0x9000
    profiles = tuple(PaceProfile(suite=Suite.AES_128, domain=domain) for domain in (12, 13))
    two = passport(Protocols(pace=profiles))
    assert at(two).status(SET_AT) == 0x6A80
    assert at(two).status(named) == 0x9000


def test_pace_is_not_run_inside_the_application() -> None:
    terminal = at(WITH_BOTH)
    terminal.raw(SELECT_APPLICATION)
    assert terminal.status(SET_AT) == 0x6985


@pytest.mark.parametrize(
    ("apdu", "status"),
    [
        ("00860000027C0000", 0x6985),  # not chained
        ("10860100027C0000", 0x6A86),
        ("10860000047C02800000", 0x6A80),
        ("10860000017C00", 0x6A80),
        ("108600000200", 0x6700),
        ("10860000027C00", 0x6700),  # without Le
    ],
)
def test_a_wrong_first_step_ends_the_run(apdu: str, status: int) -> None:
    terminal = at(WITH_BOTH)
    assert terminal.status(SET_AT) == 0x9000
    assert terminal.status(apdu) == status
    if apdu != "108600000200":
        assert terminal.status(GET_NONCE) == 0x6985


def test_another_command_in_between_ends_the_run() -> None:
    terminal = at(WITH_BOTH)
    assert terminal.status(SET_AT) == 0x9000
    terminal.raw("00B09C0000")
    assert terminal.status(GET_NONCE) == 0x6985


CURVE = by_number(13)
OFF_CURVE = bytes([4]) + bytes(31) + b"\x01" + bytes(31) + b"\x01"


@pytest.mark.parametrize(
    "key",
    [
        OFF_CURVE,
        b"\x00",  # infinity
        b"",
        CURVE.encode(CURVE.generator)[:-1],
        b"\x02" + CURVE.encode_x(CURVE.generator),
        b"\x04" + CURVE.p.to_bytes(32, "big") + bytes(32),
    ],
)
def test_a_key_that_is_none_is_refused(key: bytes) -> None:
    terminal = at(WITH_BOTH)
    assert terminal.status(SET_AT) == 0x9000
    terminal.raw(GET_NONCE)
    body = tlv.encode(0x7C, tlv.encode(0x81, key))
    assert terminal.status(Command(0x10, 0x86, 0, 0, body, 256).encode()) == 0x6A80
    assert terminal.status(Command(0x10, 0x86, 0, 0, body, 256).encode()) == 0x6985


def test_steps_out_of_order_are_refused() -> None:
    terminal = at(WITH_BOTH)
    assert terminal.status(SET_AT) == 0x9000
    terminal.raw(GET_NONCE)
    body = tlv.encode(0x7C, tlv.encode(0x83, CURVE.encode(CURVE.generator)))
    assert terminal.status(Command(0x10, 0x86, 0, 0, body, 256).encode()) == 0x6A80


def _pace(terminal: Terminal, change: Callable[[bytes], bytes]) -> None:
    choice = access.parse_card_access(WITH_BOTH.files[lds.CARD_ACCESS]).choose()
    assert choice is not None
    run = access.pace(choice, terminal.password, secrets.token_bytes)
    drive(run, lambda apdu: terminal.raw(change(apdu)))


def test_the_last_step_must_not_be_chained() -> None:
    terminal = at(WITH_BOTH)
    with pytest.raises(AccessError, match="access_denied"):
        _pace(terminal, lambda apdu: b"\x10" + apdu[1:] if apdu[7:8] == b"\x85" else apdu)
    assert terminal.chip.access is None


def test_a_changed_token_of_the_terminal_is_refused() -> None:
    terminal = at(WITH_BOTH)
    with pytest.raises(AccessError, match="access_denied"):
        _pace(terminal, lambda apdu: apdu[:-2] + bytes([apdu[-2] ^ 1, 0]) if apdu[7:8] == b"\x85" else apdu)
    assert terminal.chip.access is None
    assert terminal.status(SELECT_APPLICATION) == 0x9000
    assert terminal.status("00B0810000") == 0x6982


def test_the_wrong_password_fails_at_the_token() -> None:
    terminal = Terminal(Chip(WITH_BOTH), "L898902C3674081223204154")
    with pytest.raises(AccessError, match="access_denied"):
        terminal.enter_pace()
    assert terminal.chip.access is None


def test_an_echoed_key_is_refused() -> None:
    """A terminal that sends the chip's own second key back as its own; the entropy shows it beforehand."""
    fixed = bytes.fromhex("3F00C4D39D153F2B2A214A078D899B22")
    chip = Chip(WITH_BOTH, entropy=lambda count: fixed if count == 16 else bytes(count - 1) + b"\x02")
    terminal = at(WITH_BOTH, chip)
    assert terminal.status(SET_AT) == 0x9000
    terminal.raw(GET_NONCE)
    mapping = tlv.encode(0x7C, tlv.encode(0x81, CURVE.encode(CURVE.generator)))
    terminal.raw(Command(0x10, 0x86, 0, 0, mapping, 256).encode())
    # H = 2 G and G' = s G + H, so the chip's key 2 G' is known to whoever knows s
    nonce = int.from_bytes(fixed, "big")
    known = CURVE.multiply(2 * (nonce + 2), CURVE.generator)
    echo = tlv.encode(0x7C, tlv.encode(0x83, CURVE.encode(known)))
    assert terminal.status(Command(0x10, 0x86, 0, 0, echo, 256).encode()) == 0x6300


@pytest.mark.parametrize("suite", Suite)
@pytest.mark.parametrize("domain", [12, 13, 15, 16])
def test_pace_opens_the_chip(suite: Suite, domain: int) -> None:
    chip_passport = passport(Protocols(bac=False, pace=(PaceProfile(suite=suite, domain=domain),)))
    terminal = at(chip_passport)
    terminal.enter_pace()
    terminal.select_application()
    assert terminal.chip.access == "pace"
    assert terminal.send(Command(0x00, 0xB0, 0x81, 0x00, b"", 256)).body == chip_passport.files[lds.DG1]


def test_pace_runs_with_the_card_access_number() -> None:
    chip_passport = passport(Protocols(bac=False, pace=issuer.PACE_ONLY.pace, can="123456"))
    for number, opens in (("123456", True), ("123457", False)):
        terminal = at(chip_passport)
        terminal.password = Password(PasswordKind.CAN, number)
        if opens:
            terminal.enter_pace()
        else:
            with pytest.raises(AccessError, match="access_denied"):
                terminal.enter_pace()
