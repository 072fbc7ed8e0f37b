"""Whole readings with each kind of access and proof, by readers and chips with long and with short APDUs."""

import pytest
from msgspec.structs import replace

from gated.document.access import SecurityInfos, parse_security_infos
from gated.document.errors import AccessError
from gated.document.genuine.mapping import verify_mapping
from gated.document.keys import Suite
from gated.document.lds import directory
from gated.document.trust.card_security import authenticate_card_security
from hw_sim.passport.behaviour import Behaviour
from hw_sim.passport.issuer import ChipAuthenticationProfile, PaceProfile, Passport, Protocols
from hw_sim.passport.protocols import Mapping, static_keys
from tests.document.chips import AT, STORE, Slot, assert_complete, passport
from tests.document.material import refused

SHORT, LONG = 256, 65_536
BEHAVIOURS = (
    Behaviour(),
    Behaviour(extended_lengths=False),
    Behaviour(extended_lengths=False, longest_response=160),
)
MODP_2048 = 2


def document(
    mapping: Mapping = "GM",
    domain: int = 13,
    chip_authentication: tuple[ChipAuthenticationProfile, ...] = (),
    suite: Suite = Suite.AES_256,
) -> Passport:
    profile = PaceProfile(suite=suite, domain=domain, mapping=mapping)
    return passport(Protocols(bac=False, pace=(profile,), chip_authentication=chip_authentication))


@pytest.mark.parametrize("behaviour", BEHAVIOURS, ids=["long", "short", "160"])
@pytest.mark.parametrize("max_response", [SHORT, LONG])
@pytest.mark.parametrize(
    ("mapping", "domain", "name"),
    [("GM", MODP_2048, "DH-GM"), ("IM", MODP_2048, "DH-IM"), ("IM", 18, "ECDH-IM"), ("GM", 17, "ECDH-GM")],
)
def test_keys_of_any_length_pass_readers_and_chips_of_any_length(
    mapping: Mapping, domain: int, name: str, max_response: int, behaviour: Behaviour
) -> None:
    """A key of 2048 bits is longer than a short APDU: it goes in a chain, and comes in parts."""
    profile = ChipAuthenticationProfile(suite=Suite.TDES, domain=MODP_2048)
    whole = document(mapping, domain, (profile,))
    files = Slot(whole, behaviour).read(max_response=max_response)
    assert_complete(files, whole)
    assert files.access == f"PACE-{name}-AES-256"
    assert files.proofs.chip_authentication == ""


def signed(raw: bytes) -> SecurityInfos:
    return parse_security_infos(authenticate_card_security(raw, STORE, at=AT).security_infos)


def test_chip_authentication_mapping_is_read_with_what_proves_it() -> None:
    whole = document("CAM")
    files = Slot(whole).read()
    assert_complete(files, whole)
    assert files.access == "PACE-ECDH-CAM-AES-256"
    infos = signed(files[directory.CARD_SECURITY.name].reveal())
    assert files.proofs.mapping is not None
    assert verify_mapping(infos, files.proofs.mapping) == ""


def test_a_copy_is_read_and_found_out() -> None:
    """All files of the genuine chip, and none of its private keys."""
    profile = ChipAuthenticationProfile(suite=Suite.AES_128, domain=12)
    for genuine in (document("CAM"), document("GM", chip_authentication=(profile,))):
        copy = replace(genuine, static_keys=static_keys(genuine.protocols, "another chip"))
        files = Slot(copy).read()
        assert_complete(files, copy)
        if files.proofs.mapping is None:
            assert files.proofs.chip_authentication == "chip_authentication_keys_differ"
        else:
            infos = signed(files[directory.CARD_SECURITY.name].reveal())
            assert verify_mapping(infos, files.proofs.mapping) == "mapping_mismatch"


@pytest.mark.parametrize("pace_key", ["echoed", "off_group", "neutral"])
@pytest.mark.parametrize(("mapping", "domain"), [("GM", 0), ("GM", 13), ("IM", 0), ("IM", 13), ("CAM", 13)])
def test_a_chip_with_false_keys_is_refused(mapping: Mapping, domain: int, pace_key: str) -> None:
    whole = document(mapping, domain)
    code = "pace_echoed_key" if pace_key == "echoed" else "pace_point"
    with refused(AccessError, code):
        Slot(whole, Behaviour(pace_key=pace_key)).read()  # type: ignore[arg-type]  # one of its words, by parameter
