"""SecurityInfos, EF.CardAccess, and which offer of PACE is chosen."""

import itertools

import pytest
from hypothesis import given

from gated.document import tlv
from gated.document.access import CardAccess, PaceChoice, PacePolicy, parse_card_access
from gated.document.access.security_infos import (
    PACE_OID,
    ActiveAuthenticationInfo,
    ChipAuthenticationInfo,
    Mapping,
    PaceDomain,
    PaceInfo,
    SecurityInfos,
    TerminalAuthenticationInfo,
    parse_security_infos,
)
from gated.document.errors import AccessError
from gated.document.groups.curves import by_number
from gated.document.groups.domains import EllipticDomain, ModpDomain, residues, standardized
from gated.document.groups.modp import STANDARD_GROUPS
from gated.document.keys import Suite
from gated.document.lds import parse_dg14
from tests.document.material import FUZZ, accepts_or_raises, damaged, refused, specimen
from tests.document.worked_examples import G1, I1, I1_STATIC_KEY

HEX = bytes.fromhex


def entry(*fields: str) -> bytes:
    return tlv.encode(0x30, b"".join(HEX(field) for field in fields))


CHIP_INFO = entry("060A04007F00070202030202", "020101", "020101")
TERMINAL_INFO = entry("060804007F0007020202", "020101", "3007040201230401" + "03")
ACTIVE_INFO = entry("0606678108010105", "020101", "060A04007F00070101040103")
DIRECTORY_INFO = entry("060667810801010D", "040B6109" + "4F07A0000002471001")
PRIVILEGED = entry("060804007F0007020208", "3100")


def infos(*entries: bytes) -> SecurityInfos:
    return parse_security_infos(tlv.encode(0x31, b"".join(entries)))


def offer(mapping: int, suite: int, parameters: int | None = 13, version: int = 2) -> PaceInfo:
    return PaceInfo(bytes([mapping, suite]), version, parameters)


def choice(*offers: PaceInfo, policy: PacePolicy | None = None) -> PaceChoice | None:
    return CardAccess(SecurityInfos(offers)).choose(policy or PacePolicy())


def chosen(*offers: PaceInfo, policy: PacePolicy | None = None) -> tuple[str, str]:
    found = choice(*offers, policy=policy)
    assert found is not None
    return found.offer.name, found.domain.name


# --- the entries -------------------------------------------------------------------------------------


def test_every_kind_of_entry_is_read() -> None:
    read = infos(G1.offer, I1_STATIC_KEY, CHIP_INFO, TERMINAL_INFO, ACTIVE_INFO, DIRECTORY_INFO, PRIVILEGED)
    assert read.pace == (PaceInfo(b"\x02\x02", 2, 13),)
    assert read.chip_authentication == (ChipAuthenticationInfo(b"\x02\x02", 1, 1),)
    assert read.chip_authentication[0].name == "CA-ECDH-AES-128"
    (key,) = read.chip_keys
    assert (key.agreement, key.key_id, key.problem) == ("ECDH", 13, "")
    assert key.key is not None
    assert (key.key.domain.name, key.key.value) == ("brainpoolP256r1", I1_STATIC_KEY[-68:-3])
    assert read.terminal_authentication == (TerminalAuthenticationInfo(1, 0x0123),)
    assert read.active_authentication == (ActiveAuthenticationInfo(1, "0.4.0.127.0.7.1.1.4.1.3"),)
    assert read.directories == (HEX("61094F07A0000002471001"),)
    assert read.others == ("0.4.0.127.0.7.2.2.8",)


def test_the_security_infos_of_the_specimen_passport() -> None:
    read = parse_security_infos(parse_dg14(specimen("DG14")))
    assert [info.name for info in read.chip_authentication] == ["CA-ECDH-3DES"]
    assert [(key.agreement, key.key and key.key.domain.name) for key in read.chip_keys] == [
        ("ECDH", "brainpoolP224r1")
    ]
    assert read.terminal_authentication == (TerminalAuthenticationInfo(1),)


def test_a_key_on_an_unknown_curve_is_kept_with_its_reason() -> None:
    named = entry("06072A8648CE3D0201", "06052B8104000A")  # secp256k1
    info = entry("060904007F000702020102", entry(named.hex(), "034200" + "04" + "00" * 64).hex())
    (key,) = infos(info, CHIP_INFO).chip_keys
    assert (key.key, key.problem) == (None, "curve_unknown")


def test_a_domain_that_cannot_be_used_is_kept_with_its_reason() -> None:
    named = entry("06072A8648CE3D0201", "06052B8104000A")
    explicit = entry("060904007F000702020402", named.hex(), "020128")
    assert infos(G1.offer, explicit).pace_domains == (PaceDomain(40, None, "curve_unknown"),)


@pytest.mark.parametrize("length", [4, 5, 8, 16])
def test_identifiers_of_keys_may_be_long(length: int) -> None:
    named = entry("060A04007F00070202030202", "020101", f"02{length:02x}" + "11" * length)
    assert infos(named).chip_authentication[0].key_id == int("11" * length, 16)


@pytest.mark.parametrize(
    "raw",
    [
        "",
        "3000",
        "31023000",
        "310430020201",
        "3110300E060A04007F000702020402020500",
        "311330110" + "60A04007F000702020402020200020101",
        "310E300C060A04007F00070202040202",
        "31153013060A04007F000702020402020201020202" + "000D",
        "31163014060A04007F000702020402020201020201" + "0D0500",
        "31133011060A04007F000702020402020201FF0201",
        "3108300606" + "0180020101",
    ],
)
def test_security_infos_that_are_none(raw: str) -> None:
    if raw.startswith("3115"):
        raw = "31143012060A04007F0007020204020202010202018D"  # a negative identifier
    with refused(AccessError, "security_infos_malformed"):
        parse_security_infos(HEX(raw))
    with refused(AccessError, "card_access_malformed"):
        parse_card_access(HEX(raw))


def test_card_access_has_a_cap() -> None:
    with refused(AccessError, "card_access_malformed"):
        parse_card_access(tlv.encode(0x31, G1.offer * 206))


EVERYTHING = tlv.encode(
    0x31, G1.offer + I1_STATIC_KEY + CHIP_INFO + TERMINAL_INFO + ACTIVE_INFO + DIRECTORY_INFO
)


@FUZZ
@given(damaged(EVERYTHING))
def test_security_infos_accept_or_raise_one_error(raw: bytes) -> None:
    accepts_or_raises(parse_security_infos, AccessError, raw)
    accepts_or_raises(parse_card_access, AccessError, raw)


# --- the choice --------------------------------------------------------------------------------------


def test_the_worked_offer() -> None:
    found = parse_card_access(G1.card_access).choose()
    assert found is not None
    assert (found.offer.name, found.offer.oid) == ("PACE-ECDH-GM-AES-128", PACE_OID + b"\x02\x02")
    assert (found.suite, found.domain.name, found.ambiguous) == (Suite.AES_128, "brainpoolP256r1", False)


@pytest.mark.parametrize(
    "unsupported",
    [
        offer(1, 2, 13),  # a curve for DH
        offer(2, 2, 0),  # a group for ECDH
        offer(3, 2, 3),  # reserved
        offer(4, 2, 10),  # P-224, on which nothing can be encoded
        offer(6, 1),  # no 3DES with chip authentication mapping
        offer(6, 2, 0),
        offer(2, 2, None),
        offer(2, 2, 19),
        offer(2, 2, 32),
        offer(2, 2, 13, 1),
        offer(5, 2),
        offer(2, 9),
        PaceInfo(b"\x02\x02\x01", 2, 13),
        PaceInfo(b"", 2, 13),
    ],
)
def test_offers_that_this_terminal_does_not_speak(unsupported: PaceInfo) -> None:
    assert choice(unsupported) is None
    assert unsupported.name.startswith("PACE-")
    assert chosen(unsupported, offer(2, 1, 12))[0] == "PACE-ECDH-GM-3DES"


def test_every_combination_of_the_standard_can_be_chosen() -> None:
    """Section 4.4.3: all of tables 2, 3 and 12, but P-224 with integrated mapping."""
    curves, groups = range(8, 19), range(3)
    named = set()
    for mapping, suite in itertools.product((1, 2, 3, 4, 6), (1, 2, 3, 4)):
        for number in groups if mapping in {1, 3} else curves:
            found = choice(offer(mapping, suite, number))
            possible = (mapping, number) != (4, 10) and (mapping, suite) != (6, 1)
            assert (found is not None) == possible
            if found is not None:
                assert found.domain is standardized(number)
                named.add(found.offer.name)
    assert len(named) == 19


def test_chip_authentication_mapping_comes_first_unless_the_policy_says_otherwise() -> None:
    offers = (offer(2, 4, 16), offer(6, 2, 13), offer(4, 4, 16))
    assert chosen(*offers) == ("PACE-ECDH-CAM-AES-128", "brainpoolP256r1")
    by_strength = PacePolicy(chip_authentication_first=False)
    assert chosen(*offers, policy=by_strength) == ("PACE-ECDH-GM-AES-256", "brainpoolP384r1")


def test_the_strongest_offer_is_chosen() -> None:
    offers = (offer(2, 1, 17), offer(2, 4, 12), offer(2, 4, 13), offer(2, 2, 17), offer(2, 4, 16))
    found = choice(*offers)
    assert found is not None
    assert (found.suite, found.domain.name, found.ambiguous) == (Suite.AES_256, "brainpoolP384r1", True)
    assert found.strength == 192


@pytest.mark.parametrize(
    ("offers", "best"),
    [
        ((offer(1, 2, 2), offer(2, 2, 11)), ("PACE-ECDH-GM-AES-128", "brainpoolP224r1")),  # curve before DH
        ((offer(4, 2), offer(2, 2)), ("PACE-ECDH-GM-AES-128", "brainpoolP256r1")),  # GM before IM
        ((offer(2, 2, 13), offer(2, 2, 12)), ("PACE-ECDH-GM-AES-128", "brainpoolP256r1")),  # the file's order
        ((offer(2, 2, 13), offer(2, 4, 13)), ("PACE-ECDH-GM-AES-256", "brainpoolP256r1")),
        ((offer(2, 4, 8), offer(2, 2, 13)), ("PACE-ECDH-GM-AES-128", "brainpoolP256r1")),  # the weaker part
    ],
)
def test_what_decides_between_offers(offers: tuple[PaceInfo, ...], best: tuple[str, str]) -> None:
    assert chosen(*offers) == best


def test_the_policy_can_ask_for_strength() -> None:
    weak = (offer(1, 2, 0), offer(2, 1, 13))
    assert chosen(*weak)[0] == "PACE-ECDH-GM-3DES"
    assert choice(*weak, policy=PacePolicy(least_strength=120)) is None
    strict = PacePolicy(least_strength=120)
    assert chosen(*weak, offer(2, 2, 12), policy=strict) == ("PACE-ECDH-GM-AES-128", "P-256")


def test_written_out_parameters_count_if_they_are_standardized_ones() -> None:
    """Section 9.2.2: a terminal uses none that it does not know to be secure."""
    known, foreign = standardized(13), residues((1 << 1279) - 1, 3)
    explicit = offer(2, 2, 40)
    found = CardAccess(SecurityInfos((explicit,), (PaceDomain(40, known),))).choose()
    assert found is not None
    assert found.domain is known
    for domains in (
        (),
        (PaceDomain(41, known),),
        (PaceDomain(40, known), PaceDomain(40, known)),
        (PaceDomain(40, None, "domain_unsupported"),),
    ):
        assert CardAccess(SecurityInfos((explicit,), domains)).choose() is None
    strange = SecurityInfos((offer(1, 2, 40),), (PaceDomain(40, foreign),))
    assert CardAccess(strange).choose() is None


def test_one_set_of_written_out_parameters_needs_no_identifier() -> None:
    group = STANDARD_GROUPS[2]
    numbers = b"".join(
        tlv.encode(0x02, b"\0" + value.to_bytes((value.bit_length() + 7) // 8, "big"))
        for value in (group.p, group.g, group.q or 0)
    )
    algorithm = tlv.encode(0x30, HEX("06072A8648CE3E0201") + tlv.encode(0x30, numbers))
    explicit = tlv.encode(0x30, HEX("060904007F000702020401") + algorithm)
    pace_info = HEX("300F060A04007F00070202040102020102")
    found = parse_card_access(tlv.encode(0x31, pace_info + explicit)).choose()
    assert found is not None
    assert isinstance(found.domain, ModpDomain)
    assert (found.domain.number, found.offer.parameter_id, found.ambiguous) == (2, None, False)


def test_offers_are_compared_with_their_signed_copy() -> None:
    offered = parse_card_access(tlv.encode(0x31, G1.offer))
    assert offered.confirmed(infos(CHIP_INFO, G1.offer)) == ""
    assert offered.confirmed(infos(G1.offer, I1.offer)) == "pace_offers_not_signed"
    assert offered.confirmed(infos(CHIP_INFO)) == "pace_offers_not_signed"


def test_a_mapping_of_another_kind_is_no_mapping() -> None:
    assert offer(6, 2).mapping is Mapping.CHIP_AUTHENTICATION
    assert offer(5, 2).mapping is None
    assert isinstance(standardized(13), EllipticDomain)
    assert standardized(13).prime == by_number(13).p
