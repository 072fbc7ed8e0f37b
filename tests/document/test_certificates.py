"""Certificates that are read, refused, and compared by name."""

from collections.abc import Callable
from datetime import UTC, datetime

import pytest
from asn1crypto import core, keys, pem, x509
from hypothesis import given, settings
from hypothesis import strategies as st

from gated.document.errors import TrustError
from gated.document.trust import certificates
from gated.document.trust.certificates import parse_certificate
from gated.document.trust.passive import TrustStore
from tests.document.founded_states import assert_not_loaded, check, list_of, sod, state
from tests.document.material import FUZZ, accepts_or_raises, damaged, refused


def altered(change: Callable[[x509.Certificate], None], seed: str = "utopia") -> bytes:
    certificate = x509.Certificate.load(state(seed).csca.der)
    change(certificate)
    return bytes(certificate.dump(force=True))


def with_generator(certificate: x509.Certificate) -> None:
    """CVE-2020-0601: the public key itself as base point, for which every forger has a private key."""
    info = certificate["tbs_certificate"]["subject_public_key_info"]
    info["algorithm"]["parameters"].chosen["base"] = keys.ECPoint(bytes(info["public_key"]))


def with_point_off_curve(certificate: x509.Certificate) -> None:
    info = certificate["tbs_certificate"]["subject_public_key_info"]
    coded = bytearray(bytes(info["public_key"]))
    coded[-1] ^= 1
    info["public_key"] = keys.ECPointBitString(bytes(coded))


def with_critical_extension(certificate: x509.Certificate) -> None:
    unknown = {"extn_id": "1.2.3.4", "critical": True, "extn_value": core.ParsableOctetString(b"\x05\x00")}
    certificate["tbs_certificate"]["extensions"].append(x509.Extension(unknown))


def with_repeated_extension(certificate: x509.Certificate) -> None:
    extensions = certificate["tbs_certificate"]["extensions"]
    extensions.append(extensions[0])


def with_other_algorithm(certificate: x509.Certificate) -> None:
    certificate["signature_algorithm"] = {"algorithm": "sha512_ecdsa"}


@pytest.mark.parametrize(
    ("change", "code"),
    [
        (with_generator, "curve_parameters_unknown"),
        (with_point_off_curve, "point_off_curve"),
        (with_critical_extension, "certificate_critical_extension"),
        (with_repeated_extension, "certificate_extension_repeated"),
        (with_other_algorithm, "certificate_algorithms_differ"),
    ],
)
def test_certificates_that_are_refused(change: Callable[[x509.Certificate], None], code: str) -> None:
    with refused(TrustError, code):
        parse_certificate(altered(change))
    assert_not_loaded([], [state().csca.der, altered(change)], [], "certificate 2", code)
    listed = TrustStore.load([list_of(altered(change), state().csca.der)], [], [state().anchor])
    assert len(listed) == 1
    assert [item.reason for item in listed.refused] == [code]


def test_names_are_equal_in_every_order_case_and_spacing() -> None:
    authority = state()

    def change(certificate: x509.Certificate) -> None:
        name = certificate["tbs_certificate"]["subject"]
        native = {
            key: str(value).swapcase().replace(" ", "  ") for key, value in reversed(name.native.items())
        }
        certificate["tbs_certificate"]["subject"] = x509.Name.build(native)
        extensions = certificate["tbs_certificate"]["extensions"]
        kept = [item for item in extensions if "key_identifier" not in item["extn_id"].native]
        certificate["tbs_certificate"]["extensions"] = kept

    root = altered(change)
    assert parse_certificate(root).subject == parse_certificate(authority.csca.der).subject
    assert check(sod(authority), TrustStore.load([], [root], [])) == {}


@pytest.mark.parametrize(
    ("coded", "expected"),
    [
        (b"\x18\x0f20360101000000Z", datetime(2036, 1, 1, tzinfo=UTC)),
        (b"\x18\x1320360101000000+0100", datetime(2035, 12, 31, 23, tzinfo=UTC)),
        (b"\x17\x0b3601010000Z", datetime(2036, 1, 1, tzinfo=UTC)),  # without seconds
        (b"\x18\x0f99991231235959Z", datetime(9999, 12, 31, 23, 59, 59, tzinfo=UTC)),
    ],
)
def test_times_as_states_write_them(coded: bytes, expected: datetime) -> None:
    def change(certificate: x509.Certificate) -> None:
        certificate["tbs_certificate"]["validity"]["not_after"] = x509.Time.load(coded)

    assert parse_certificate(altered(change)).not_after == expected


def test_a_time_without_its_zone_is_utc() -> None:
    """asn1crypto does not write such a one into a certificate, but states do."""
    naive = x509.Time.load(b"\x18\x0e20360101000000")
    assert certificates._time(naive) == datetime(2036, 1, 1, tzinfo=UTC)


def test_a_time_that_no_calendar_holds() -> None:
    def change(certificate: x509.Certificate) -> None:
        certificate["tbs_certificate"]["validity"]["not_after"] = x509.Time.load(b"\x18\x0f00000101000000Z")

    with refused(TrustError, "certificate_malformed"):
        parse_certificate(altered(change))


def test_a_key_of_another_kind_did_not_sign() -> None:
    elliptic = parse_certificate(state().document_signer.der)
    rsa = parse_certificate(state(scheme="rsa-pss").document_signer.der)
    assert not elliptic.is_signed_by(rsa)


def test_reprs_are_short() -> None:
    certificate = parse_certificate(state().csca.der)
    assert repr(certificate) == f"Certificate(UT, serial {certificate.serial:x})"


def test_pem_is_read_too() -> None:
    armoured = pem.armor("CERTIFICATE", state().csca.der)
    assert parse_certificate(armoured) == parse_certificate(state().csca.der)


def test_oversized_certificates() -> None:
    with refused(TrustError, "certificate_too_long"):
        parse_certificate(bytes(20_000))


@settings(FUZZ, max_examples=400)
@given(st.sampled_from([state().csca.der, state(scheme="rsa-pss").document_signer.der]).flatmap(damaged))
def test_certificates_accept_or_raise_one_error(raw: bytes) -> None:
    accepts_or_raises(parse_certificate, TrustError, raw)
