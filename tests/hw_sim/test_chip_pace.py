"""PACE between the terminal and the simulated chip, in every combination that the standard allows."""

import dataclasses
import itertools
import secrets
from collections.abc import Callable
from datetime import UTC, datetime
from functools import partial

import pytest
from msgspec.structs import replace

from gated.core.checks import Result
from gated.document import access, tlv
from gated.document.access import MappingEvidence, Opened, PacePolicy, Password, PasswordKind
from gated.document.access.security_infos import ChipAuthenticationKey, parse_security_infos
from gated.document.apdu import Command
from gated.document.errors import AccessError
from gated.document.genuine.mapping import verify_mapping
from gated.document.groups.domains import EllipticDomain, standardized
from gated.document.keys import Suite
from gated.document.reading import drive
from gated.document.trust.card_security import authenticate_card_security
from gated.document.trust.store import TrustStore
from hw_sim.passport import lds
from hw_sim.passport.chip import Chip
from hw_sim.passport.issuer import PaceProfile, Passport, Protocols
from hw_sim.passport.protocols import Mapping, static_keys
from tests.hw_sim.terminal import TODAY, UTOPIA, Terminal, at, passport

CURVES, GROUPS = range(8, 19), range(3)
P224 = 10  # on which the integrated mapping has no points (section 9.5.1)
MAPPINGS: tuple[Mapping, ...] = ("GM", "IM", "CAM")
COMBINATIONS: list[tuple[Mapping, int, Suite]] = [
    (mapping, domain, suite)
    for mapping, domain, suite in itertools.product(MAPPINGS, (*GROUPS, *CURVES), Suite)
    if not (mapping == "IM" and domain == P224)
    and not (mapping == "CAM" and (domain in GROUPS or suite is Suite.TDES))
]


def document(*profiles: PaceProfile, can: str | None = None) -> Passport:
    return passport(Protocols(bac=False, pace=profiles, can=can), b"\xff\xd8")


def one(mapping: Mapping, domain: int = 13, suite: Suite = Suite.AES_128) -> Passport:
    return document(PaceProfile(suite=suite, domain=domain, mapping=mapping))


def open_with_pace(terminal: Terminal, policy: PacePolicy | None = None) -> Opened:
    offered = terminal.raw("00B09C00000000")
    choice = access.parse_card_access(offered[:-2]).choose(policy or PacePolicy())
    assert choice is not None
    opened = drive(access.pace(choice, terminal.password, secrets.token_bytes), terminal.raw)
    terminal.channel = opened.channel
    return opened


@pytest.mark.parametrize(("mapping", "domain", "suite"), COMBINATIONS)
def test_every_combination_opens_the_chip(mapping: Mapping, domain: int, suite: Suite) -> None:
    chip_passport = one(mapping, domain, suite)
    terminal = at(chip_passport)
    opened = open_with_pace(terminal)
    terminal.select_application()
    assert terminal.chip.access == "pace"
    assert terminal.send(Command(0x00, 0xB0, 0x81, 0x00, b"", 256)).body == chip_passport.files[lds.DG1]
    assert (opened.mapping is not None) == (mapping == "CAM")
    if opened.mapping is not None:
        assert verify_mapping(signed_infos(chip_passport), opened.mapping) == ""


def signed_infos(chip_passport: Passport) -> access.SecurityInfos:
    """What passive authentication leaves of EF.CardSecurity."""
    store = TrustStore.load([UTOPIA.master_list()], [], [UTOPIA.anchor])
    at_noon = datetime(TODAY.year, TODAY.month, TODAY.day, 12, tzinfo=UTC)
    signed = authenticate_card_security(chip_passport.files[lds.CARD_SECURITY], store, at=at_noon)
    assert signed.check.result is not Result.FAILED
    return parse_security_infos(signed.security_infos)


def test_there_are_as_many_combinations_as_in_the_standard() -> None:
    assert len(COMBINATIONS) == 4 * 14 + 4 * 13 + 3 * 11


@pytest.mark.parametrize("mapping", ["GM", "IM", "CAM"])
def test_the_number_on_the_page_opens_it_too(mapping: Mapping) -> None:
    chip_passport = document(PaceProfile(suite=Suite.AES_128, domain=12, mapping=mapping), can="123456")
    for number, code in (("123456", ""), ("123457", "access_denied")):
        terminal = at(chip_passport)
        terminal.password = Password(PasswordKind.CAN, number)
        if code:
            with pytest.raises(AccessError, match=code):
                open_with_pace(terminal)
        else:
            open_with_pace(terminal)
    assert terminal.chip.access is None


@pytest.mark.parametrize(("mapping", "domain"), [("GM", 0), ("IM", 0), ("IM", 13), ("CAM", 13)])
def test_the_wrong_password_is_refused_with_its_status(mapping: Mapping, domain: int) -> None:
    chip_passport = one(mapping, domain)
    terminal = Terminal(Chip(chip_passport), "L898902C3674081223204154")
    with pytest.raises(AccessError) as refusal:
        open_with_pace(terminal)
    assert (refusal.value.code, refusal.value.status) == ("access_denied", 0x6300)


# --- several offers ----------------------------------------------------------------------------------


def test_one_of_several_offers_is_named_by_its_domain() -> None:
    chip_passport = document(
        PaceProfile(suite=Suite.TDES, domain=0),
        PaceProfile(suite=Suite.AES_256, domain=16, mapping="IM"),
        PaceProfile(suite=Suite.AES_128, domain=13, mapping="CAM"),
    )
    terminal = at(chip_passport)
    assert open_with_pace(terminal).mapping is not None
    assert terminal.sent[1].hex() == "0022c1a412800a04007f0007020204060283010184010d"
    other = at(chip_passport)
    assert open_with_pace(other, PacePolicy(chip_authentication_first=False)).mapping is None
    assert other.sent[1].endswith(bytes.fromhex("840110"))


def test_parameters_written_out_are_named_by_the_chips_own_number() -> None:
    chip_passport = document(
        PaceProfile(suite=Suite.AES_256, domain=15, explicit=40),
        PaceProfile(suite=Suite.AES_128, domain=2, explicit=41),
        PaceProfile(suite=Suite.TDES, domain=13),
    )
    terminal = at(chip_passport)
    open_with_pace(terminal)
    assert terminal.sent[1].endswith(b"\x84\x01\x28")
    without_curve = document(
        PaceProfile(suite=Suite.AES_128, domain=2, explicit=41), PaceProfile(suite=Suite.TDES, domain=8)
    )
    terminal = at(without_curve)
    open_with_pace(terminal)
    assert terminal.sent[1].endswith(b"\x84\x01\x29")


# --- chip authentication mapping ---------------------------------------------------------------------


def evidence_of(chip_passport: Passport) -> MappingEvidence:
    found = open_with_pace(at(chip_passport)).mapping
    assert found is not None
    return found


def test_a_copy_without_the_static_key_opens_but_proves_nothing() -> None:
    genuine = one("CAM")
    copy = replace(genuine, static_keys=static_keys(genuine.protocols, "another chip"))
    assert verify_mapping(signed_infos(copy), evidence_of(copy)) == "mapping_mismatch"
    assert verify_mapping(signed_infos(genuine), evidence_of(genuine)) == ""


def test_evidence_says_nothing_of_other_keys() -> None:
    genuine = one("CAM")
    evidence = evidence_of(genuine)
    infos = signed_infos(genuine)
    key = infos.chip_keys[0]
    p256 = signed_infos(one("CAM", 12)).chip_keys[0]

    def verdict(*keys: ChipAuthenticationKey) -> str:
        return verify_mapping(access.SecurityInfos(chip_keys=keys), evidence)

    assert verdict() == "mapping_key_missing"
    assert verdict(p256) == "mapping_key_missing"
    assert verdict(type(key)("ECDH", p256.key, 13)) == "mapping_key_unusable"
    assert verdict(type(key)("ECDH", None, 13, "curve_unknown")) == "mapping_key_unusable"
    assert verdict(key, key) == "mapping_key_unusable"
    residues = replace_domain(evidence)
    assert verify_mapping(infos, residues) == "mapping_key_unusable"
    assert verdict(p256, key) == ""


def replace_domain(evidence: MappingEvidence) -> MappingEvidence:
    choice = dataclasses.replace(evidence.choice, domain=standardized(0))
    return MappingEvidence(choice, evidence.public, evidence.data)


def test_evidence_that_was_changed() -> None:
    genuine = one("CAM")
    infos, good = signed_infos(genuine), evidence_of(genuine)
    domain = standardized(13)
    assert isinstance(domain, EllipticDomain)
    order = domain.curve.n

    def verdict(data: bytes, public: bytes = good.public) -> str:
        return verify_mapping(infos, MappingEvidence(good.choice, public, data))

    number = int.from_bytes(good.data, "big")
    assert verdict(((number + 1) % order).to_bytes(32, "big")) == "mapping_mismatch"
    assert verdict(good.data, domain.public_of(5)) == "mapping_mismatch"
    for wrong in (b"", b"\0" + good.data, bytes(32), order.to_bytes(32, "big"), good.data[:-1]):
        assert verdict(wrong) == "mapping_data_missing"


def _with_last_answer(change: Callable[[list[tlv.Tlv]], list[tlv.Tlv]]) -> MappingEvidence:
    """What PACE-CAM gives where somebody changes the objects of the chip's last answer."""
    genuine = one("CAM")
    terminal = at(genuine)

    def meddle(apdu: bytes) -> bytes:
        response = terminal.raw(apdu)
        if apdu[:2] != b"\x00\x86":
            return response
        items = change(list(tlv.parse(tlv.parse_one(response[:-2], 0x7C).value)))
        return tlv.encode(0x7C, b"".join(item.encode() for item in items)) + response[-2:]

    choice = access.parse_card_access(genuine.files[lds.CARD_ACCESS]).choose()
    assert choice is not None
    found = drive(access.pace(choice, terminal.password, secrets.token_bytes), meddle).mapping
    assert found is not None
    assert verify_mapping(signed_infos(genuine), found) == ("mapping_data_missing" if not found.data else "")
    return found


def test_data_that_do_not_decrypt_cost_the_proof_and_not_the_access() -> None:
    assert _with_last_answer(lambda items: items).data
    assert not _with_last_answer(lambda items: items[:1]).data
    assert not _with_last_answer(lambda items: [*items, items[1]]).data
    for length in (0, 15, 16, 48, 144):
        other = tlv.Tlv(0x8A, bytes(length))
        assert not _with_last_answer(partial(_replaced, other)).data


def _replaced(other: tlv.Tlv, items: list[tlv.Tlv]) -> list[tlv.Tlv]:
    return [items[0], other]


# --- the chip refuses --------------------------------------------------------------------------------


def started(mapping: Mapping, domain: int, suite: Suite = Suite.AES_128) -> Terminal:
    terminal = at(one(mapping, domain, suite))
    set_at = tlv.encode(0x80, PaceProfile(suite=suite, domain=domain, mapping=mapping).oid)
    body = set_at + bytes.fromhex("830101")
    assert terminal.status(Command(0x00, 0x22, 0xC1, 0xA4, body).encode()) == 0x9000
    terminal.raw("10860000027C0000")
    return terminal


def sent(tag: int, value: bytes) -> bytes:
    body = tlv.encode(0x7C, tlv.encode(tag, value))
    return Command(0x10, 0x86, 0x00, 0x00, body, 256 if len(body) < 256 else 65_536).encode()


P = standardized(0).prime


@pytest.mark.parametrize(
    "key",
    [b"", b"\0", b"\1", (P - 1).to_bytes(128, "big"), P.to_bytes(128, "big"), b"\2", bytes(129), b"\1" * 128],
)
def test_residues_that_are_no_keys_are_refused(key: bytes) -> None:
    """Out of range, too long, or outside the subgroup: 2 is of another order in this group."""
    terminal = started("GM", 0)
    assert terminal.status(sent(0x81, key)) == 0x6A80
    assert terminal.status(sent(0x81, key)) == 0x6985


@pytest.mark.parametrize(("suite", "length"), [(Suite.TDES, 8), (Suite.AES_128, 15), (Suite.AES_192, 16)])
def test_a_nonce_of_the_wrong_length_is_refused(suite: Suite, length: int) -> None:
    assert started("IM", 13, suite).status(sent(0x81, bytes(length))) == 0x6700


def test_the_chip_answers_integrated_mapping_with_nothing() -> None:
    assert started("IM", 13).raw(sent(0x81, bytes(16))) == bytes.fromhex("7C0282009000")
