"""What lies at the chip between a reader's bytes and whole commands; its habits; what goes out wrongly."""

import pytest

from gated.document import tlv
from gated.document.apdu import Command, Response
from gated.document.errors import MessagingError
from gated.document.groups.domains import standardized
from gated.document.keys import Suite
from hw_sim.passport import lds
from hw_sim.passport.behaviour import Behaviour
from hw_sim.passport.chip import Chip
from hw_sim.passport.chip_files import Refused
from hw_sim.passport.chip_hostility import Hostility
from hw_sim.passport.chip_transport import CommandChain
from hw_sim.passport.protocols import PaceProfile, Protocols
from tests.hw_sim.terminal import (
    SELECT_APPLICATION,
    WITH_BAC,
    WITH_BOTH,
    Terminal,
    at,
    in_bac_session,
    select,
)

CARD_ACCESS = WITH_BOTH.files[lds.CARD_ACCESS]
READ_CARD_ACCESS = "00B09C0000"


def behaving(**departures: object) -> Terminal:
    """A terminal at a chip with BAC and PACE, in the clear."""
    return at(WITH_BOTH, Chip(WITH_BOTH, Behaviour(**departures)))  # type: ignore[arg-type]  # its own fields


# --- command chaining ----------------------------------------------------------------------------------


def test_a_chained_command_is_carried_out_with_its_last_part() -> None:
    terminal = at(WITH_BOTH)
    assert terminal.status("10A4040C04A0000002") == 0x9000
    assert terminal.status("00A4040C03471001") == 0x9000
    assert terminal.status(select(lds.DG1).encode()) == 0x6982  # in the application, without access


@pytest.mark.parametrize("between", ["00B09C0000", "00A4020C02011C", "10A4000C02011C"])
def test_another_command_in_between_forgets_the_chain(between: str) -> None:
    terminal = at(WITH_BOTH)
    assert terminal.status("10A4040C04A0000002") == 0x9000
    assert terminal.status(between) == 0x6883
    assert terminal.status("00A4040C03471001") == 0x6A82  # an application of that short a name


def test_a_chip_without_chaining_says_so_and_runs_pace_all_the_same() -> None:
    terminal = behaving(chaining=False)
    assert terminal.status("10A4040C04A0000002") == 0x6884
    terminal.enter_pace()
    assert terminal.chip.access == "pace"


@pytest.mark.parametrize("size", [1, 7, 20])
def test_the_steps_of_pace_may_come_in_parts(size: int) -> None:
    terminal = at(WITH_BOTH)
    chip = terminal.chip

    class Chopping(Chip):
        def command(self, apdu: bytes) -> bytes:
            if apdu[1] != 0x86:
                return chip.command(apdu)
            body = apdu[5 : 5 + apdu[4]]
            *before, last = [body[at : at + size] for at in range(0, len(body), size)]
            for part in before:
                assert chip.command(b"\x10" + apdu[1:4] + bytes([len(part)]) + part) == b"\x90\x00"
            return chip.command(apdu[:4] + bytes([len(last)]) + last + b"\x00")

    terminal.chip = Chopping(WITH_BOTH)
    terminal.enter_pace()
    assert chip.access == "pace"


def test_each_part_of_a_chain_is_secured_by_itself() -> None:
    terminal = in_bac_session()
    assert terminal.send(Command(0x10, 0xA4, 0x02, 0x0C, b"\x01")).ok
    assert terminal.send(Command(0x00, 0xA4, 0x02, 0x0C, b"\x01")).ok
    read = terminal.send(Command(0x00, 0xB0, 0x00, 0x00, b"", 4))
    assert read.body == WITH_BAC.files[lds.DG1][:4]


def test_a_chain_has_an_end() -> None:
    chain = CommandChain(supported=True)
    part = Command(0x10, 0xA4, 0x04, 0x0C, bytes(30_000))
    assert chain.take(part) is None
    assert chain.take(part) is None
    with pytest.raises(Refused, match="6884"):
        chain.take(part)
    assert chain.take(Command(0x00, 0xA4, 0x04, 0x0C, b"\x01")) == Command(0x00, 0xA4, 0x04, 0x0C, b"\x01")


# --- responses in parts ----------------------------------------------------------------------------------


def test_a_long_response_is_handed_out_in_parts() -> None:
    terminal = behaving(part_length=8)
    first = terminal.raw(READ_CARD_ACCESS)
    left = len(CARD_ACCESS) - 8
    assert first == CARD_ACCESS[:8] + bytes([0x61, left])
    assert terminal.raw("00C0000004") == CARD_ACCESS[8:12] + bytes([0x61, left - 4])
    assert terminal.raw("00C0000000") == CARD_ACCESS[12:] + b"\x90\x00"
    assert terminal.status("00C0000000") == 0x6D00  # nothing is left


def test_more_than_a_byte_can_tell_is_told_as_zero() -> None:
    terminal = in_bac_session(Behaviour(part_length=64))
    assert terminal.channel
    protected = terminal.channel.protect(Command(0x00, 0xB0, 0x82, 0x00, b"", 512))
    first = terminal.raw(protected.encode())
    assert (len(first), first[-2:]) == (66, b"\x61\x00")


@pytest.mark.parametrize(
    ("apdu", "status"), [("00C0010000", 0x6A86), ("00C00000", 0x6700), ("00C00000010000", 0x6700)]
)
def test_a_wrong_fetch_is_refused(apdu: str, status: int) -> None:
    terminal = behaving(part_length=8)
    assert terminal.raw(READ_CARD_ACCESS)[-2] == 0x61
    assert terminal.status(apdu) == status


def test_another_command_forgets_the_rest_of_a_response() -> None:
    terminal = behaving(part_length=8)
    assert terminal.raw(READ_CARD_ACCESS)[-2] == 0x61
    assert terminal.status("00A4020C02011C") == 0x9000
    assert terminal.status("00C0000000") == 0x6D00


def test_fetching_does_not_end_a_session() -> None:
    terminal = in_bac_session(Behaviour(part_length=64))
    assert terminal.channel
    protected = terminal.channel.protect(Command(0x00, 0xB0, 0x82, 0x00, b"", 128))
    whole, more = b"", terminal.raw(protected.encode())
    while more[-2] == 0x61:
        whole += more[:-2]
        more = terminal.raw(bytes([0x00, 0xC0, 0x00, 0x00, more[-1]]))
    whole += more[:-2]
    opened = terminal.channel.unprotect(Response(whole, 0x9000))
    assert opened.body == WITH_BAC.files[lds.DG2][:128]


# --- lengths -----------------------------------------------------------------------------------------------


def test_limits_are_told_and_kept() -> None:
    terminal = behaving(longest_command=300, longest_response=400)
    assert terminal.chip.atr[4:-1].hex() == "80738021e0"  # limits stand in EF.ATR/INFO
    assert terminal.raw("00B0810000") == bytes.fromhex(
        "47038021E0" + "7F6608" + "0202012C" + "02020190" + "9000"
    )
    assert terminal.status(Command(0x00, 0xA4, 0x04, 0x0C, bytes(300)).encode()) == 0x6700
    secured = in_bac_session(Behaviour(longest_response=400))
    assert secured.channel
    protected = secured.channel.protect(Command(0x00, 0xB0, 0x82, 0x00, b"", 65_536))
    answer = secured.raw(protected.encode())
    assert 380 < len(answer) - 2 <= 400


@pytest.mark.parametrize(
    ("departures", "historical"),
    [
        ({}, "80738021c0"),
        ({"extended_lengths": False}, "8073802180"),
        ({"extended_lengths": False, "boasts": True}, "80738021c0"),
        ({"chaining": False}, "8073802140"),
        ({"silent": True}, ""),
    ],
)
def test_the_answer_to_reset_tells_the_capabilities(departures: dict[str, bool], historical: str) -> None:
    atr = Chip(WITH_BOTH, Behaviour(**departures)).atr  # type: ignore[arg-type]  # its own fields
    assert atr[4:-1].hex() == historical
    assert atr[1] == 0x80 | len(historical) // 2


def test_a_boaster_refuses_what_it_promised() -> None:
    assert behaving(extended_lengths=False, boasts=True).status("00B09C00000100") == 0x6700


def test_a_silent_chip_has_no_file_about_itself() -> None:
    assert behaving(silent=True).status("00B0810000") == 0x6A82


def test_a_chip_that_wants_the_exact_length_tells_it() -> None:
    terminal = behaving(exact_le=True)
    assert terminal.status(READ_CARD_ACCESS) == 0x6C00 | len(CARD_ACCESS)
    exact = f"00B09C00{len(CARD_ACCESS):02X}"
    assert terminal.raw(exact) == CARD_ACCESS + b"\x90\x00"


def test_a_generous_chip_gives_more_than_it_was_asked_for() -> None:
    assert behaving(generous=3).raw("00B09C0004") == CARD_ACCESS[:7] + b"\x90\x00"


# --- habits ------------------------------------------------------------------------------------------------


def test_a_chip_without_short_identifiers_refuses_them() -> None:
    terminal = behaving(short_identifiers=False)
    assert terminal.status(READ_CARD_ACCESS) == 0x6A86
    assert terminal.status("00A4020C02011C") == 0x9000
    assert terminal.raw("00B0000004")[:-2] == CARD_ACCESS[:4]


def test_a_chip_that_insists_on_information_gives_it() -> None:
    terminal = behaving(insists_on_information=True)
    assert terminal.status(SELECT_APPLICATION) == 0x6A86
    assert terminal.raw("00A4040007A000000247100100") == bytes.fromhex("6F098407A00000024710019000")


def test_an_instruction_can_be_refused() -> None:
    terminal = behaving(refuses=((0x84, 0x6985), (0x22, 0x6A80)))
    assert terminal.status(SELECT_APPLICATION) == 0x9000
    assert terminal.status("0084000008") == 0x6985
    assert terminal.status("0022C1A4") == 0x6A80


def test_a_chip_may_end_the_session_at_any_error() -> None:
    terminal = in_bac_session(Behaviour(unprotected_errors=True))
    with pytest.raises(MessagingError) as caught:
        terminal.send(select(0x0103))
    assert caught.value.status == 0x6A82
    assert terminal.chip.access is None


# --- hostility ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("kind", "code"),
    [
        ("wrong_mac", "messaging_mac_wrong"),
        ("plain", "messaging_mac_missing"),
        ("repeated", "messaging_mac_wrong"),
        ("stripped", "messaging_unprotected"),
    ],
)
def test_distorted_responses_do_not_pass(kind: str, code: str) -> None:
    terminal = in_bac_session(Behaviour(distorts=kind, distorts_from=2))  # type: ignore[arg-type]  # one of its words, by parameter
    assert terminal.send(select(lds.COM)).ok
    with pytest.raises(MessagingError, match=code):
        terminal.send(Command(0x00, 0xB0, 0x00, 0x00, b"", len(WITH_BAC.files[lds.COM])))


def test_garbage_is_the_same_for_the_same_seed_and_has_no_end() -> None:
    def answers(seed: int) -> list[bytes]:
        terminal = behaving(garbage=seed)
        return [terminal.raw(READ_CARD_ACCESS) for _ in range(50)]

    assert answers(1) == answers(1)
    assert answers(1) != answers(2)
    assert len({len(answer) for answer in answers(1)}) > 3


POINT, VALUE = bytes.fromhex("04" + "11" * 64), b"\x22" * 256


@pytest.mark.parametrize(
    ("kind", "theirs", "expected"),
    [
        ("echoed", POINT, POINT),
        ("off_group", POINT, bytes([4, *range(63), 62])),
        ("neutral", POINT, b"\x04" + bytes(64)),
        ("echoed", VALUE, VALUE),
        ("off_group", VALUE, b"\xff" * 256),
        ("neutral", VALUE, bytes(255) + b"\x01"),
        ("low_order", VALUE, (standardized(2).prime - 1).to_bytes(256, "big")),
    ],
)
@pytest.mark.parametrize(("asked", "answered"), [(0x81, 0x82), (0x83, 0x84)])
def test_false_keys_have_the_form_of_right_ones(
    kind: str, theirs: bytes, expected: bytes, asked: int, answered: int
) -> None:
    protocols = Protocols(pace=(PaceProfile(suite=Suite.AES_128, domain=2),))
    hostility = Hostility(Behaviour(pace_key=kind), protocols)  # type: ignore[arg-type]  # one of its words, by parameter
    own = bytes([4, *range(64)]) if theirs[0] == 4 else bytes(256)
    command = Command(0x10, 0x86, 0, 0, tlv.encode(0x7C, tlv.encode(asked, theirs)), 256)
    reply = hostility.on_pace(command, tlv.encode(0x7C, tlv.encode(answered, own)))
    assert tlv.parse_one(tlv.parse_one(reply, 0x7C).value, answered).value == expected


@pytest.mark.parametrize(("command", "reply"), [("7C00", "7C028000"), ("7C028101", "7C00"), ("", "7C028200")])
def test_what_holds_no_key_goes_out_as_it_is(command: str, reply: str) -> None:
    hostility = Hostility(Behaviour(pace_key="echoed"), Protocols())
    asked = Command(0x10, 0x86, 0, 0, bytes.fromhex(command), 256)
    assert hostility.on_pace(asked, bytes.fromhex(reply)) == bytes.fromhex(reply)
