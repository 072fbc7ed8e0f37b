"""What the chip gives before access, how it misbehaves when told to, and how long it takes."""

import secrets
from datetime import date

import pytest

from gated.document import tlv
from gated.document.access import Password, PasswordKind
from gated.document.apdu import Command, Response
from gated.document.errors import MessagingError
from gated.document.keys import Suite
from gated.document.reading import drive, read_passport
from hw_sim.passport import chip_timing, lds, profiles
from hw_sim.passport.chip import Behaviour, Chip, NoAnswer
from hw_sim.passport.issuer import PaceProfile, Protocols
from tests.hw_sim.terminal import (
    SELECT_APPLICATION,
    WITH_BOTH,
    WITH_PACE,
    at,
    in_bac_session,
    passport,
    select,
)

# --- before access ---------------------------------------------------------------------------------


def test_answer_to_reset_has_a_right_check_byte() -> None:
    atr = Chip(WITH_BOTH).atr
    assert atr.hex().startswith("3b85800180738021")
    folded = 0
    for byte in atr[1:]:
        folded ^= byte
    assert folded == 0


@pytest.mark.parametrize(
    ("apdu", "content"),
    [
        ("00B09C0000", WITH_BOTH.files[lds.CARD_ACCESS]),
        ("00B09E0000", WITH_BOTH.files[lds.DIR]),
        ("00B0810000", bytes.fromhex("47038021C0" + "7F6608" + "0202FFFF" * 2)),
        ("00B09C0204", WITH_BOTH.files[lds.CARD_ACCESS][2:6]),
    ],
)
def test_files_of_the_master_file_are_open(apdu: str, content: bytes) -> None:
    assert at(WITH_BOTH).raw(apdu) == content + b"\x90\x00"


def test_selected_file_stays_current_until_another_directory_is_selected() -> None:
    terminal = at(WITH_BOTH)
    assert terminal.status("00A4020C02011C") == 0x9000
    assert terminal.raw("00B0000002") == b"\x31\x14\x90\x00"
    assert terminal.status("00A4000C023F00") == 0x9000
    assert terminal.status("00B0000002") == 0x6986


@pytest.mark.parametrize("fid", [lds.COM, lds.SOD, lds.DG1, lds.DG2, lds.DG14, 0x0103])
def test_files_of_the_application_are_closed_until_access(fid: int) -> None:
    terminal = at(WITH_BOTH)
    assert terminal.status(select(fid).encode()) == 0x6A82  # not in the master file
    assert terminal.status(SELECT_APPLICATION) == 0x9000
    assert terminal.status(select(fid).encode()) == 0x6982
    assert terminal.status(bytes([0x00, 0xB0, 0x80 | fid & 0x1F, 0x00, 0x00])) == 0x6982
    assert terminal.status(bytes.fromhex(f"00B1{fid:04X}0354010000")) == 0x6982
    assert terminal.status("00B0000004") == 0x6986


def test_an_application_that_only_pace_opens_is_not_even_selected_before_it() -> None:
    assert at(WITH_PACE).status(SELECT_APPLICATION) == 0x6982


@pytest.mark.parametrize(
    ("apdu", "status"),
    [
        ("00A4040C07A0000002471002", 0x6A82),
        ("00A4040C06A00000024710", 0x6A82),
        ("00A4020C02DEAD", 0x6A82),
        ("00A4020C0101", 0x6700),
        ("00A4000C021234", 0x6A82),
        ("00A4080C023F00", 0x6A86),
        ("00A4000002011C", 0x6A86),  # file control information is not given
        ("00B0000004", 0x6986),
        ("00B09D0000", 0x6A82),
        ("00B0BC0000", 0x6A86),  # bits 7 and 6 of P1 must be zero with a short identifier
        ("00B09C16", 0x6700),  # READ BINARY without Le
        ("00B09C1600", 0x6B00),  # from the end on
        ("00B09CFF00", 0x6B00),
        ("00B10000035401", 0x6700),
        ("00B1011C03540100", 0x6700),  # the same without Le
        ("00B1011C0254010000", 0x6700),
        ("00B1011C0355010000", 0x6A80),
        ("00B1011C02540000", 0x6A80),
        ("00B1011C0754050000000000" + "00", 0x6A80),
        ("00CA000000", 0x6D00),
        ("0088000008000000000000000000", 0x6D00),
        ("80A4040C07A0000002471001", 0x6E00),
        ("40A4040C07A0000002471001", 0x6E00),
        ("04B09C0000", 0x6E00),
        ("0CB000000D9701048E08ED6705417E96BA5500", 0x6985),  # secured, and no session
        ("00A4", 0x6700),
        ("", 0x6700),
        ("00A4040C08A0000002471001", 0x6700),
        ("00B09C000000", 0x6700),
    ],
)
def test_wrong_commands_have_their_status(apdu: str, status: int) -> None:
    assert at(WITH_BOTH).status(apdu) == status


def test_a_read_beyond_the_end_brings_the_rest_and_a_warning() -> None:
    assert at(WITH_BOTH).raw("00B09C1210")[-2:] == b"\x62\x82"
    assert at(WITH_BOTH).raw("00B09C1210")[:-2] == WITH_BOTH.files[lds.CARD_ACCESS][0x12:]
    assert at(WITH_BOTH).raw("00B09C1204")[-2:] == b"\x90\x00"


def test_the_odd_read_wraps_what_it_brings() -> None:
    content = WITH_BOTH.files[lds.CARD_ACCESS]
    assert at(WITH_BOTH).raw("00B1011C0354010200") == b"\x53\x14" + content[2:] + b"\x90\x00"
    assert at(WITH_BOTH).raw("00B1001C0354010206") == b"\x53\x04" + content[2:6] + b"\x90\x00"


# --- misbehaviour ------------------------------------------------------------------------------------


def test_a_mute_chip_has_no_answer_at_all() -> None:
    chip = Chip(WITH_BOTH, Behaviour(mute=True))
    assert chip.atr == b""
    with pytest.raises(NoAnswer):
        chip.reset()
    with pytest.raises(NoAnswer):
        chip.command(bytes.fromhex("00B09C0000"))


@pytest.mark.parametrize("for_good", [False, True])
def test_a_chip_is_lost_at_its_nth_command(for_good: bool) -> None:  # noqa: FBT001 - a parameter
    chip = Chip(WITH_BOTH, Behaviour(lost_at=3, lost_for_good=for_good))
    read = bytes.fromhex("00B09C0000")
    assert chip.command(read) == chip.command(read)
    for _ in range(2):
        with pytest.raises(NoAnswer):
            chip.command(read)
    chip.reset()
    assert chip.command(read) == chip.command(read)
    if for_good:
        with pytest.raises(NoAnswer):
            chip.command(read)
    else:
        assert chip.command(read)[-2:] == b"\x90\x00"
        assert chip.command(read)[-2:] == b"\x90\x00"


def test_a_vast_file_declares_4_gb_and_has_them() -> None:
    terminal = in_bac_session(Behaviour(endless_file=lds.DG2))
    assert terminal.send(select(lds.DG2)).ok
    head = terminal.send(Command(0x00, 0xB0, 0, 0, b"", 16))
    assert head.body == bytes.fromhex("7584FFFFFFFF") + bytes(10)
    offset = tlv.encode(0x54, bytes.fromhex("FFFF0000"))
    far = terminal.send(Command(0x00, 0xB1, 0, 0, offset, 100))
    assert tlv.parse_one(far.body, 0x53).value == bytes(98)


def test_a_chip_that_gives_at_most_160_bytes() -> None:
    terminal = in_bac_session(Behaviour(max_read=160))
    terminal.send(select(lds.DG2))
    for wanted in (200, 256, 65536):
        answer = terminal.send(Command(0x00, 0xB0, 0, 0, b"", wanted))
        assert (len(answer.body), answer.status) == (160, 0x9000)


@pytest.mark.parametrize(("kind", "status"), [("corrected_le", 0x6C03), ("wrong_length", 0x6700)])
def test_chips_that_refuse_a_read_beyond_the_end(kind: str, status: int) -> None:
    terminal = in_bac_session(Behaviour(beyond_end=kind))  # type: ignore[arg-type]  # one of its words, by parameter
    terminal.send(select(lds.DG1))
    answer = terminal.send(Command(0x00, 0xB0, 0, 90, b"", 16))
    assert (answer.body, answer.status) == (b"", status)
    assert len(terminal.send(Command(0x00, 0xB0, 0, 90, b"", 3)).body) == 3


def test_a_chip_that_refuses_le_onselect() -> None:
    chip = Chip(WITH_BOTH, Behaviour(refuses_le_on_select=True))
    assert chip.command(SELECT_APPLICATION + b"\x00") == b"\x67\x00"
    assert chip.command(SELECT_APPLICATION) == b"\x90\x00"
    assert Chip(WITH_BOTH).command(SELECT_APPLICATION + b"\x00") == b"\x90\x00"


def test_a_chip_without_extended_lengths() -> None:
    chip = Chip(WITH_BOTH, Behaviour(extended_lengths=False))
    assert chip.command(bytes.fromhex("00B09C00000100")) == b"\x67\x00"
    assert chip.command(bytes.fromhex("00B0810000"))[:-2] == bytes.fromhex("4703802180")
    assert chip.atr != Chip(WITH_BOTH).atr


def test_wrong_macs_do_not_pass_the_terminal() -> None:
    terminal = in_bac_session(Behaviour(distorts="wrong_mac"))
    with pytest.raises(MessagingError, match="messaging_mac_wrong"):
        terminal.send(select(lds.DG1))


# --- time ----------------------------------------------------------------------------------------------


def test_a_command_takes_its_base_and_its_bytes() -> None:
    command, response = bytes(24), bytes(1000)
    assert chip_timing.busy_s(command, response) == pytest.approx(0.003 + 0.010)


@pytest.mark.parametrize(("domain", "agreement"), [(13, 0.3), (16, 0.675)])
def test_pace_takes_five_point_multiplications(domain: int, agreement: float) -> None:
    chip_passport = passport(Protocols(pace=(PaceProfile(suite=Suite.AES_128, domain=domain),)))
    terminal = at(chip_passport)
    terminal.enter_pace()
    base = len(terminal.sent) * chip_timing.COMMAND_S
    assert terminal.time_s == pytest.approx(agreement + base, abs=0.01)


def test_a_slow_chip_takes_longer() -> None:
    command, response = bytes(5), bytes(100)
    slow = Chip(WITH_BOTH, Behaviour(slowness=3.0))
    assert slow.busy_s(command, response) == pytest.approx(3 * Chip(WITH_BOTH).busy_s(command, response))


@pytest.mark.parametrize("status", [0x9000, 0x6A80])
@pytest.mark.parametrize("body", ["", "7c", "7c00", "7c9f", "7c0480020000"])
def test_a_step_without_a_public_key_takes_no_work(body: str, status: int) -> None:
    command = Command(0x10, 0x86, 0, 0, bytes.fromhex("7C00"), 256)
    assert chip_timing.work_s(command, Response(bytes.fromhex(body), status), Protocols()) == 0


@pytest.mark.parametrize(
    ("name", "seconds"),
    [
        ("pace-gm-aes128-p256", 5 * 0.060),
        ("pace-im-aes128-p256", 2 * 0.060 + 0.0047),  # a root in the field in place of the mapping's keys
        ("pace-cam-aes128-p256", 5 * 0.060),
        ("pace-dh-gm-aes128-2048q256", 4 * 0.300 + 0.150),
        ("pace-dh-im-aes128-2048q256", 2 * 0.300 + 2.100),
        ("pace-dh-gm-3des-1024q160", 4 * 0.0469 + 0.0375),
        ("ca-aes128-p256", 0.060),
        ("ca-aes128-brainpoolp512r1", 0.240),
        ("ca-3des-dh-2048q256", 0.300),
        ("aa-rsa1024", 0.075),
        ("aa-rsa-sha256", 0.600),
        ("aa-ecdsa-p384", 0.135),
    ],
)
def test_each_protocol_takes_the_time_of_its_arithmetic(name: str, seconds: float) -> None:
    profile = profiles.BY_NAME[name]
    chip, taken = profile.chip(date(2026, 11, 23)), []

    def exchange(command: bytes) -> bytes:
        response = chip.command(command)
        taken.append(chip.busy_s(command, response) - chip_timing.busy_s(command, response))
        return response

    password = Password(PasswordKind.MRZ, profile.passport(date(2026, 11, 23)).access_key)
    drive(read_passport(password, random=secrets.token_bytes), exchange)
    assert sum(taken) == pytest.approx(seconds, rel=0.01)


@pytest.mark.parametrize(("length", "seconds"), [(64, 2 * 0.060), (256, 17 * 64 * 0.060 / 4096)])
def test_a_terminal_s_signature_takes_the_time_of_its_verification(length: int, seconds: float) -> None:
    signed = tlv.encode(0x5F37, bytes(length))
    for command in (
        Command(0x00, 0x2A, 0x00, 0xBE, tlv.encode(0x7F4E, b"") + signed),
        Command(0x00, 0x82, 0x00, 0x00, bytes(length)),
    ):
        assert chip_timing.work_s(command, Response(b"", 0x9000), Protocols()) == pytest.approx(seconds)
