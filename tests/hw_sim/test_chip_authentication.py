"""Chip authentication between the product's terminal and the simulated chip, rightly and wrongly."""

import secrets

import pytest
from msgspec.structs import replace

from gated.document import tlv
from gated.document.access.security_infos import parse_security_infos
from gated.document.apdu import Command
from gated.document.errors import AccessError, MessagingError
from gated.document.genuine.chip_authentication import (
    ChipAuthenticationChoice,
    Restarted,
    chip_authentication,
    choose_chip_authentication,
)
from gated.document.groups.domains import standardized
from gated.document.keys import Suite
from gated.document.lds import parse_dg14
from gated.document.reading import drive
from hw_sim.passport import lds
from hw_sim.passport.issuer import ChipAuthenticationProfile, PaceProfile, Passport, Protocols
from hw_sim.passport.protocols import Written, static_keys
from tests.hw_sim.terminal import Terminal, at, passport, select

READ_DG1 = Command(0x00, 0xB0, 0x81, 0x00, b"", 256)
DOMAINS = (*range(3), *range(8, 19))


def document(*profiles: ChipAuthenticationProfile, pace: tuple[PaceProfile, ...] = ()) -> Passport:
    return passport(Protocols(pace=pace, chip_authentication=profiles), b"\xff\xd8")


def one(
    suite: Suite = Suite.AES_128,
    domain: int = 13,
    *,
    version: int = 1,
    key_id: int | None = None,
    announced: bool = True,
    written: Written = "explicit",
) -> ChipAuthenticationProfile:
    return ChipAuthenticationProfile(
        suite=suite, domain=domain, version=version, key_id=key_id, announced=announced, written=written
    )


def offered(chip_passport: Passport) -> ChipAuthenticationChoice:
    choice = choose_chip_authentication(parse_security_infos(parse_dg14(chip_passport.files[lds.DG14])))
    assert choice is not None
    return choice


def in_session(chip_passport: Passport) -> Terminal:
    terminal = at(chip_passport)
    if chip_passport.protocols.pace:
        terminal.enter_pace()
        terminal.select_application()
    else:
        terminal.enter_bac()
    return terminal


def authenticate(terminal: Terminal, choice: ChipAuthenticationChoice) -> Restarted:
    restarted = drive(chip_authentication(choice, secrets.token_bytes), terminal.send)
    terminal.channel = restarted.channel
    return restarted


def assert_goes_on(terminal: Terminal, chip_passport: Passport) -> None:
    assert terminal.send(READ_DG1).body == chip_passport.files[lds.DG1]


# --- rightly -----------------------------------------------------------------------------------------


@pytest.mark.parametrize("suite", Suite)
@pytest.mark.parametrize("domain", DOMAINS)
def test_every_combination_goes_on_under_new_keys(suite: Suite, domain: int) -> None:
    chip_passport = document(one(suite, domain))
    terminal = in_session(chip_passport)
    choice = offered(chip_passport)
    assert choice.key.domain.name == standardized(domain).name
    restarted = authenticate(terminal, choice)
    assert restarted.channel.suite is suite
    assert_goes_on(terminal, chip_passport)
    size = (standardized(domain).prime.bit_length() + 7) // 8
    assert len(restarted.terminal_key) == (20 if domain < 3 else size)


@pytest.mark.parametrize(("suite", "domain"), [(Suite.TDES, 12), (Suite.AES_128, 0), (Suite.AES_256, 16)])
def test_version_2_has_a_token(suite: Suite, domain: int) -> None:
    chip_passport = document(one(suite, domain, version=2))
    terminal = in_session(chip_passport)
    authenticate(terminal, offered(chip_passport))
    assert_goes_on(terminal, chip_passport)


def test_it_runs_after_pace_too() -> None:
    chip_passport = document(one(), pace=(PaceProfile(suite=Suite.AES_256, domain=12),))
    terminal = in_session(chip_passport)
    authenticate(terminal, offered(chip_passport))
    assert_goes_on(terminal, chip_passport)


@pytest.mark.parametrize("written", ["standardized", "explicit", "named"])
def test_curves_written_in_any_way(written: Written) -> None:
    chip_passport = document(one(written=written))
    terminal = in_session(chip_passport)
    authenticate(terminal, offered(chip_passport))
    assert_goes_on(terminal, chip_passport)


@pytest.mark.parametrize("domain", range(3))
@pytest.mark.parametrize("written", ["standardized", "explicit", "pkcs3"])
def test_groups_written_in_any_way(domain: int, written: Written) -> None:
    """PKCS #3 is what the standard asks for, X9.42 what chips have besides (section 8.5, note 2)."""
    chip_passport = document(one(Suite.AES_128, domain, written=written))
    terminal = in_session(chip_passport)
    choice = offered(chip_passport)
    assert choice.key.domain.number == domain
    authenticate(terminal, choice)
    assert_goes_on(terminal, chip_passport)


def test_a_key_without_protocol_means_triple_des() -> None:
    chip_passport = document(one(Suite.TDES, announced=False))
    infos = parse_security_infos(parse_dg14(chip_passport.files[lds.DG14]))
    assert infos.chip_authentication == ()
    terminal = in_session(chip_passport)
    choice = offered(chip_passport)
    assert choice.info.name == "CA-ECDH-3DES"
    authenticate(terminal, choice)
    assert_goes_on(terminal, chip_passport)


def test_the_strongest_of_several_keys_is_named() -> None:
    chip_passport = document(
        one(Suite.TDES, 11, key_id=1), one(Suite.AES_256, 16, key_id=2), one(Suite.AES_256, 12, key_id=3)
    )
    choice = offered(chip_passport)
    assert (choice.info.name, choice.key.domain.name, choice.key_id) == (
        "CA-ECDH-AES-256",
        "brainpoolP384r1",
        2,
    )
    terminal = in_session(chip_passport)
    authenticate(terminal, choice)
    assert_goes_on(terminal, chip_passport)


def test_two_ciphers_with_one_key() -> None:
    chip_passport = document(one(Suite.TDES), one(Suite.AES_192))
    infos = parse_security_infos(parse_dg14(chip_passport.files[lds.DG14]))
    assert len(infos.chip_keys) == 1
    choice = offered(chip_passport)
    assert choice.suite is Suite.AES_192
    terminal = in_session(chip_passport)
    authenticate(terminal, choice)
    assert_goes_on(terminal, chip_passport)
    old = ChipAuthenticationChoice(infos.chip_authentication[0], Suite.TDES, choice.key, None)
    if infos.chip_authentication[0].suite is not Suite.TDES:
        old = ChipAuthenticationChoice(infos.chip_authentication[1], Suite.TDES, choice.key, None)
    authenticate(terminal, old)
    assert_goes_on(terminal, chip_passport)


# --- wrongly -----------------------------------------------------------------------------------------


@pytest.mark.parametrize("suite", [Suite.TDES, Suite.AES_128])
@pytest.mark.parametrize("domain", [0, 12])
def test_a_copy_is_found_out_by_its_first_answer(suite: Suite, domain: int) -> None:
    genuine = document(one(suite, domain))
    copy = replace(genuine, static_keys=static_keys(genuine.protocols, "another chip"))
    terminal = in_session(copy)
    authenticate(terminal, offered(copy))
    with pytest.raises(MessagingError):
        terminal.send(READ_DG1)


def test_a_copy_is_found_out_by_the_token_of_version_2() -> None:
    genuine = document(one(version=2))
    copy = replace(genuine, static_keys=static_keys(genuine.protocols, "another chip"))
    with pytest.raises(AccessError, match="chip_authentication_token_wrong"):
        authenticate(in_session(copy), offered(copy))


def test_a_refusal_leaves_the_session_as_it_was() -> None:
    chip_passport = document(one(Suite.AES_128, key_id=1))
    terminal = in_session(chip_passport)
    with pytest.raises(AccessError) as refusal:
        authenticate(terminal, offered(document(one(Suite.AES_256))))
    assert (refusal.value.code, refusal.value.status) == ("chip_authentication_refused", 0x6A80)
    with pytest.raises(AccessError) as refusal:
        authenticate(terminal, offered(document(one(Suite.AES_128, key_id=2))))
    assert (refusal.value.code, refusal.value.status) == ("chip_authentication_refused", 0x6A88)
    assert_goes_on(terminal, chip_passport)
    authenticate(terminal, offered(chip_passport))
    assert_goes_on(terminal, chip_passport)


def set_at(oid: bytes, more: bytes = b"") -> Command:
    return Command(0x00, 0x22, 0x41, 0xA4, tlv.encode(0x80, oid) + more)


def general(key: bytes) -> Command:
    return Command(0x00, 0x86, 0x00, 0x00, tlv.encode(0x7C, tlv.encode(0x80, key)), 256)


def set_kat(key: bytes, more: bytes = b"") -> Command:
    return Command(0x00, 0x22, 0x41, 0xA6, tlv.encode(0x91, key) + more)


POINT = standardized(13).public_of(7)


def test_the_chip_wants_the_steps_in_order() -> None:
    chip_passport = document(one())
    terminal = in_session(chip_passport)
    assert terminal.send(general(POINT)).status == 0x6985
    assert terminal.send(set_at(one().oid)).ok
    assert terminal.send(general(POINT[:-1] + b"\0")).status == 0x6A80
    assert terminal.send(general(POINT)).status == 0x6985  # chosen anew each time
    assert terminal.send(set_at(one().oid)).ok
    assert terminal.send(Command(0x00, 0x86, 0x01, 0x00, general(POINT).body, 256)).status == 0x6A86
    assert terminal.send(set_kat(POINT)).status == 0x6A80  # no 3DES here
    assert_goes_on(terminal, chip_passport)


def test_the_chip_refuses_outside_of_a_session_and_outside_of_the_application() -> None:
    chip_passport = document(one(), pace=(PaceProfile(suite=Suite.AES_128, domain=13),))
    assert at(chip_passport).status(set_at(one().oid).encode()) == 0x6A86
    terminal = at(chip_passport)
    terminal.enter_pace()
    assert terminal.send(set_at(one().oid)).status == 0x6985
    assert terminal.send(select(lds.CARD_ACCESS)).ok


@pytest.mark.parametrize(
    ("command", "status"),
    [
        (set_at(b""), 0x6A80),
        (set_at(one(Suite.AES_192).oid), 0x6A80),
        (set_at(one(Suite.TDES).oid, bytes.fromhex("840109")), 0x6A88),
        (set_at(one(Suite.TDES).oid, bytes.fromhex("830101")), 0x6A80),
        (set_at(one(Suite.TDES).oid), 0x6A88),  # two keys, and none named
        (set_kat(POINT), 0x6A88),
        (set_kat(POINT, bytes.fromhex("840109")), 0x6A88),
        (set_kat(b"\0", bytes.fromhex("840101")), 0x6A80),
        (set_kat(POINT[:-1] + b"\0", bytes.fromhex("840101")), 0x6A80),
        (Command(0x00, 0x22, 0x41, 0xA6, bytes.fromhex("840101")), 0x6A80),
        (Command(0x00, 0x22, 0x41, 0xA6, b"\x91"), 0x6A80),
    ],
)
def test_commands_that_the_chip_refuses(command: Command, status: int) -> None:
    chip_passport = document(one(Suite.TDES, 13, key_id=1), one(Suite.TDES, 12, key_id=2))
    terminal = in_session(chip_passport)
    assert terminal.send(command).status == status
    assert_goes_on(terminal, chip_passport)


def test_the_chips_own_key_is_no_key_of_a_terminal() -> None:
    chip_passport = document(one(Suite.TDES))
    terminal = in_session(chip_passport)
    assert terminal.send(set_kat(chip_passport.static_keys[0].public)).status == 0x6A80
