"""The whole read against the simulated chip, which was written from the standard and not from the reader."""

from collections.abc import Generator

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gated.core.settings.documents import DocumentSettings
from gated.document.access import Password
from gated.document.apdu import parse_command
from gated.document.errors import AccessError, DocumentError, MessagingError, ReadingError
from gated.document.keys import Suite
from gated.document.lds.directory import DG1, DG2, SOD
from gated.document.reading import drive, elementary, read_passport
from gated.document.reading.terminal import MAX_EXCHANGES
from gated.document.tlv import encode
from hw_sim.passport import lds as issuer_lds
from hw_sim.passport.chip import Behaviour, NoAnswer
from hw_sim.passport.issuer import (
    PaceProfile,
    Passport,
    Protocols,
    with_another_page,
    with_cut_sod,
    with_file,
)
from tests.document.chips import (
    BAC,
    BOTH,
    LARGE_PORTRAIT,
    PACE,
    PORTRAIT,
    Counted,
    Slot,
    assert_complete,
    carrying,
    passport,
    zone,
)
from tests.document.material import FUZZ, refused

# --- access -----------------------------------------------------------------------------------------


@pytest.mark.parametrize("suite", list(Suite))
@pytest.mark.parametrize("domain", [10, 11, 12, 13])
def test_pace_with_every_suite(suite: Suite, domain: int) -> None:
    document = passport(Protocols(bac=False, pace=(PaceProfile(suite=suite, domain=domain),)))
    files = Slot(document).read()
    assert (files.access, files.access_reason) == (f"PACE-ECDH-GM-{suite.value}", "")
    assert_complete(files, document)


@pytest.mark.parametrize("domain", [8, 9, 14, 15, 16, 17, 18])
def test_pace_on_every_other_curve(domain: int) -> None:
    document = passport(Protocols(bac=False, pace=(PaceProfile(suite=Suite.AES_256, domain=domain),)))
    assert Slot(document).read().access == "PACE-ECDH-GM-AES-256"


def test_pace_where_the_parameters_are_ambiguous() -> None:
    profiles = (PaceProfile(suite=Suite.AES_128, domain=12), PaceProfile(suite=Suite.AES_256, domain=16))
    assert Slot(passport(Protocols(bac=False, pace=profiles))).read().access == "PACE-ECDH-GM-AES-256"


def test_bac_where_there_is_no_card_access() -> None:
    document = passport(BAC)
    files = Slot(document).read()
    assert (files.access, files.access_reason) == ("BAC", "no_card_access")
    assert_complete(files, document)


def test_pace_is_taken_where_both_are_offered() -> None:
    assert Slot(passport(BOTH)).read().access == "PACE-ECDH-GM-AES-128"


def test_the_access_number_opens_the_chip() -> None:
    document = passport(Protocols(bac=False, pace=PACE.pace, can="500540"))
    assert Slot(document).read(Password.of_can("500540")).access == "PACE-ECDH-GM-AES-128"


@pytest.mark.parametrize("protocols", [BAC, PACE, BOTH])
def test_a_wrong_password_is_refused_without_another_try(protocols: Protocols) -> None:
    slot = Slot(passport(protocols))
    other = Password.of_mrz(zone(with_another_page(slot.document, "X12345678")))
    with refused(AccessError, "access_denied"):
        slot.read(other)
    challenges = [command for command in slot.sent if command[1] == 0x84]
    assert len(challenges) == (1 if protocols is BAC else 0)  # a PACE that failed has failed


def with_card_access(document: Passport, *infos: str) -> Passport:
    content = b"".join(bytes.fromhex(info) for info in infos)
    return with_file(document, issuer_lds.CARD_ACCESS, encode(0x31, content))


UNKNOWN_MAPPING = "3012060A04007F0007020204050202010202010D"  # 5: defined by nobody
CHIP_AUTHENTICATION = "3012060A04007F00070202030202020102020101"


def test_unsupported_pace_needs_a_word_of_the_operator() -> None:
    document = with_card_access(passport(BOTH), UNKNOWN_MAPPING)
    slot = Slot(document)
    with refused(AccessError, "pace_unsupported"):
        slot.read()
    assert all(command[1] in {0xA4, 0xB0} for command in slot.sent)
    files = Slot(document).read(settings=DocumentSettings(bac="pace_unsupported"))
    assert (files.access, files.access_reason) == ("BAC", "pace_unsupported")


def test_a_card_access_without_pace() -> None:
    files = Slot(with_card_access(passport(BOTH), CHIP_AUTHENTICATION)).read()
    assert (files.access, files.access_reason) == ("BAC", "no_pace_offered")


def test_a_broken_card_access_is_not_an_absent_one() -> None:
    document = with_file(passport(BOTH), issuer_lds.CARD_ACCESS, b"\x31\x02\x30\x10")
    with refused(AccessError, "card_access_malformed"):
        Slot(document).read()


# --- lengths ----------------------------------------------------------------------------------------


@pytest.mark.parametrize("protocols", [BAC, PACE])
@pytest.mark.parametrize("max_response", [100, 256, 300, 1000, 65536])
def test_pieces_of_every_size(protocols: Protocols, max_response: int) -> None:
    document = passport(protocols, LARGE_PORTRAIT)
    slot = Slot(document)
    longest = 0

    def transceive(command: bytes) -> bytes:
        nonlocal longest
        response = slot.transceive(command)
        longest = max(longest, len(response) - 2)
        return response

    commands = read_passport(
        Password.of_mrz(zone(document)),
        random=Counted(),
        limits=carrying(max_response),
        historical=slot.chip.atr[4:-1],
    )
    assert_complete(drive(commands, transceive), document)
    assert longest <= max_response
    assert (max_response > 256) == any(parse_command(command).extended for command in slot.sent)


def test_a_short_reader_needs_few_commands() -> None:
    slot = Slot(passport(PACE, LARGE_PORTRAIT))
    slot.read()
    pieces = -(-len(slot.document.files[issuer_lds.DG2]) // 219)
    assert len(slot.sent) <= pieces + 30
    before = len(slot.sent)
    slot.chip.reset()
    slot.read(max_response=65536)
    assert len(slot.sent) - before <= 24


@pytest.mark.parametrize("protocols", [BAC, PACE])
@pytest.mark.parametrize(
    "behaviour",
    [
        Behaviour(extended_lengths=False),
        Behaviour(max_read=160),
        Behaviour(max_read=1, extended_lengths=False),
        Behaviour(beyond_end="corrected_le"),
        Behaviour(beyond_end="wrong_length"),
        Behaviour(refuses_le_on_select=True),
        Behaviour(insists_on_information=True),
    ],
    ids=str,
)
def test_chips_with_habits(protocols: Protocols, behaviour: Behaviour) -> None:
    portrait = PORTRAIT[:1000] if behaviour.max_read == 1 else LARGE_PORTRAIT
    document = passport(protocols, portrait)
    assert_complete(Slot(document, behaviour).read(max_response=2000), document)


def test_a_file_of_four_gigabytes() -> None:
    for file in (SOD, DG1, DG2):
        slot = Slot(passport(), Behaviour(endless_file=file.identifier))
        with refused(ReadingError, f"{file.name}_too_long"):
            slot.read()
        assert len(slot.sent) < 40


def test_a_chip_that_gives_a_byte_at_a_time_wears_nobody_out() -> None:
    slot = Slot(passport(PACE, LARGE_PORTRAIT), Behaviour(max_read=1))
    with refused(ReadingError, "too_many_exchanges"):
        slot.read()
    assert len(slot.sent) <= MAX_EXCHANGES + 8  # those of PACE


@pytest.mark.parametrize(
    ("identifier", "content", "code"),
    [
        (issuer_lds.DG2, None, "dg2_missing"),
        (issuer_lds.DG1, b"\x75\x02\x00\x00", "dg1_malformed"),
        (issuer_lds.DG1, b"\x61\x80\x00\x00\x00\x00", "dg1_malformed"),
        (issuer_lds.DG1, b"\x61\x5b\x00\x00", "dg1_truncated"),
        (issuer_lds.DG1, b"\x61", "dg1_truncated"),
        (issuer_lds.DG1, b"\x61\x82\x01\x01" + bytes(257), "dg1_too_long"),
        (issuer_lds.SOD, b"", "sod_truncated"),
    ],
)
def test_files_that_are_wrong(identifier: int, content: bytes | None, code: str) -> None:
    with refused(ReadingError, code):
        Slot(with_file(passport(), identifier, content)).read()


@pytest.mark.parametrize("content", [None, b"", b"\x75\x02\x00\x00", b"\x60\x84\xff\xff\xff\xff"])
def test_a_list_of_files_that_nobody_signed_is_not_needed(content: bytes | None) -> None:
    files = Slot(with_file(passport(), issuer_lds.COM, content)).read()
    assert "com" not in files
    assert "dg2" in files


@pytest.mark.parametrize(
    ("reply", "code"),
    [
        ("00" * 257 + "9000", "tag_protocol"),  # more than was asked for
        ("6700", "tag_protocol"),
        ("6C00", "tag_protocol"),
        ("9000", "tag_protocol"),  # nothing, in good order
        ("6982", "card_access_security_status"),
        ("6F42", "card_access_sw_6f42"),
        ("6282", "card_access_truncated"),
        ("6B00", "card_access_truncated"),
        ("00", "apdu_length"),
    ],
)
def test_odd_answers_to_a_read(reply: str, code: str) -> None:
    replies = iter(["9000"] + [reply] * 20)
    with pytest.raises(DocumentError) as refusal:
        drive(
            read_passport(Password.of_mrz(zone(SHORT)), random=Counted()),
            lambda _: bytes.fromhex(next(replies)),
        )
    assert refusal.value.code == code


@pytest.mark.parametrize("body", [b"", b"\x53", b"\x53\x02\xaa", b"\x54\x01\xaa"])
def test_far_answers_come_in_their_object(body: bytes) -> None:
    with refused(ReadingError, "tag_protocol"):
        elementary._discretionary(body)


def test_a_security_object_that_ends_early() -> None:
    with refused(ReadingError, "sod_truncated"):
        Slot(with_cut_sod(passport())).read()


def test_a_chip_that_is_lost_passes_through() -> None:
    for lost_at in (1, 4, 9, 20):
        with pytest.raises(NoAnswer):
            Slot(passport(), Behaviour(lost_at=lost_at)).read()


def test_wrong_macs_end_the_reading() -> None:
    for protocols in (BAC, PACE):
        with refused(MessagingError, "messaging_mac_wrong"):
            Slot(passport(protocols), Behaviour(distorts="wrong_mac")).read()


def test_the_application_is_missing() -> None:
    with refused(ReadingError, "application_missing"):
        drive(read_passport(Password.of_mrz(zone(passport())), random=Counted()), lambda _: b"\x6a\x82")


@settings(FUZZ, max_examples=100)
@given(st.integers(0, 40), st.binary(max_size=40))
def test_noise_at_any_moment_raises_one_family(moment: int, noise: bytes) -> None:
    slot = Slot(SHORT)
    count = 0

    def transceive(command: bytes) -> bytes:
        nonlocal count
        count += 1
        return noise if count == moment else slot.transceive(command)

    try:
        files = drive(read_passport(Password.of_mrz(zone(SHORT)), random=Counted()), transceive)
    except DocumentError:
        return
    if files.access.startswith("PACE"):  # else the noise was taken for a refusal of EF.CardAccess
        assert_complete(files, SHORT)


SHORT = passport(BOTH, PORTRAIT[:600])


def test_reprs_show_no_content() -> None:
    assert repr(Slot(passport()).read()) == "ChipFiles(PACE-ECDH-GM-AES-128, ‹personal›)"


def test_drive_closes_the_generator() -> None:
    closed = []

    def endless() -> Generator[bytes, bytes, None]:
        try:
            while True:
                yield b""
        finally:
            closed.append(True)

    def gone(_: bytes) -> bytes:
        raise ConnectionError

    with pytest.raises(ConnectionError):
        drive(endless(), gone)
    assert closed == [True]
