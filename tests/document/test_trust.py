"""Passive authentication against states founded for the test, and the BSI specimen."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import pytest
from asn1crypto import cms, keys, x509
from hypothesis import given, settings

from gated.core.checks import Check, Result, overall
from gated.document import lds
from gated.document.errors import TrustError
from gated.document.groups.curves import by_oid
from gated.document.tlv import encode
from gated.document.trust.certificates import parse_certificate
from gated.document.trust.passive import CHECKS, TrustStore, authenticate
from gated.document.trust.signatures import EllipticKey
from gated.document.trust.signed_data import parse_signed_data
from gated.document.trust.states import issuer_codes
from hw_sim.passport.pki import CONTENT_LDS, Authority, signed_data
from tests.document.founded_states import (
    AT,
    GOOD,
    GROUPS,
    NOT_REACHED,
    authentication,
    check,
    security_object,
    sod,
    state,
    store,
)
from tests.document.material import FUZZ, accepts_or_raises, damaged, refused, specimen

# --- what is genuine ---------------------------------------------------------------------------------


@pytest.mark.parametrize("by_key_id", [False, True])
@pytest.mark.parametrize("scheme", ["ecdsa", "rsa-pss"])
def test_a_genuine_document(scheme: str, *, by_key_id: bool) -> None:
    authority = state(scheme=scheme)
    made = authenticate(
        sod(authority, by_key_id=by_key_id), GROUPS, store(authority), at=AT, issuing_state="UTO"
    )
    assert made == GOOD
    assert overall(made) is Result.SUCCESSFUL


@pytest.mark.parametrize("curve", ["secp256r1", "secp384r1", "brainpoolP256r1", "brainpoolP384r1"])
def test_roots_on_many_curves_with_explicit_parameters(curve: str) -> None:
    authority = state(f"utopia-{curve}", curve=curve)
    key = parse_certificate(authority.csca.der).key
    assert isinstance(key, EllipticKey)
    assert (
        key.curve.oid == keys.NamedCurve.unmap(curve) if curve.startswith("secp") else key.curve.name == curve
    )
    assert check(sod(authority), store(authority)) == {}


def test_several_roots_of_one_name_are_all_tried() -> None:
    """Two states that call themselves the same: only the signature tells their roots apart."""
    one, other = state("utopia"), state("utopia again")
    assert check(sod(one), store(other, one)) == {}
    assert check(sod(other), store(other, one)) == {}


# --- what is not ------------------------------------------------------------------------------------


def test_a_changed_data_group() -> None:
    authority = state()
    changed = GROUPS | {1: b"data group one with another name"}
    assert check(sod(authority), store(authority), changed) == {"dg_hashes": "dg1_hash_wrong"}


def test_a_data_group_that_nobody_signed() -> None:
    authority = state()
    assert check(sod(authority, {1: GROUPS[1]}), store(authority)) == {"dg_hashes": "dg2_not_signed"}
    assert check(sod(authority), store(authority), {}) == {"dg_hashes": "nothing_read"}


def test_a_root_that_is_not_in_the_store() -> None:
    reasons = {"csca": "csca_unknown", "issuing_state": NOT_REACHED, "validity": NOT_REACHED}
    assert check(sod(state()), TrustStore([])) == reasons


def test_a_root_of_the_same_name_that_did_not_sign() -> None:
    """A name alone may be that of a root rolled over since; with its key identifier it is a forgery."""
    genuine = state()
    reasons = {"issuing_state": NOT_REACHED, "validity": NOT_REACHED}
    forged = forge_with_same_names(genuine, with_key_identifier=True)
    assert check(sod(forged), store(genuine)) == reasons | {"csca": "csca_signature_wrong"}
    unknown = forge_with_same_names(genuine, with_key_identifier=False)
    assert check(sod(unknown), store(genuine)) == reasons | {"csca": "csca_unknown"}


def forge_with_same_names(genuine: Authority, *, with_key_identifier: bool) -> Authority:
    """Another key under the same name as the genuine root, and under its key identifier or its own."""
    other = state("forger")
    certificate = x509.Certificate.load(other.document_signer.der)
    body = certificate["tbs_certificate"]
    body["issuer"] = genuine.csca.certificate.subject
    if with_key_identifier:
        for extension in body["extensions"]:
            if extension["extn_id"].native == "authority_key_identifier":
                named = {"key_identifier": genuine.csca.certificate.key_identifier}
                extension["extn_value"] = x509.AuthorityKeyIdentifier(named)
    signer = type(other.document_signer)(other.document_signer.key, resigned(certificate, other))
    return Authority(
        state="UTO", country="UT", csca=other.csca, document_signer=signer, list_signer=other.list_signer
    )


def resigned(certificate: x509.Certificate, authority: Authority) -> x509.Certificate:
    certificate["signature_value"] = authority.csca.sign(certificate["tbs_certificate"].dump(force=True))
    return x509.Certificate.load(certificate.dump(force=True))


def test_a_signature_that_does_not_hold() -> None:
    authority = state()
    raw = sod(authority)
    at = raw.rindex(b"\x02")  # somewhere in the last integer of the signature
    broken = raw[: at + 4] + bytes([raw[at + 4] ^ 1]) + raw[at + 5 :]
    assert check(broken, store(authority)) == {"sod_signature": "signature_wrong"}


def test_content_exchanged_under_the_signature() -> None:
    authority = state()
    other = security_object({1: b"another", 2: b"content"})
    raw = sod(authority).replace(security_object(GROUPS), other)
    assert check(raw, store(authority), {1: b"another", 2: b"content"}) == {
        "sod_signature": "signed_digest_wrong"
    }


def resealed(change: Callable[[cms.SignedData], None]) -> bytes:
    """The structure changed and coded anew; the signature is that of the unchanged one."""
    wrapper = cms.ContentInfo.load(lds.parse_sod(sod(state())))
    change(wrapper["content"])
    return encode(0x77, wrapper.dump(force=True))


def test_a_content_type_that_was_not_signed() -> None:
    def change(body: cms.SignedData) -> None:
        body["encap_content_info"]["content_type"] = "1.3.27.1.1.1"

    assert check(resealed(change), store(state())) == {"sod_signature": "signed_type_wrong"}


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        (lambda body: body.__setitem__("signer_infos", []), "cms_no_signer"),
        (
            lambda body: [body["signer_infos"].append(body["signer_infos"][0]) for _ in range(4)],
            "cms_too_many_signers",
        ),
        (lambda body: body["signer_infos"][0].__setitem__("signed_attrs", None), "cms_attributes_missing"),
        (
            lambda body: body["encap_content_info"].__setitem__("content_type", "2.23.136.1.1.2"),
            "sod_content_type",
        ),
        (lambda body: body["encap_content_info"].__setitem__("content", None), "cms_content_missing"),
        (
            lambda body: body["signer_infos"][0].__setitem__("digest_algorithm", {"algorithm": "md5"}),
            "digest_unsupported",
        ),
        (
            lambda body: body["signer_infos"][0].__setitem__("signature_algorithm", {"algorithm": "md5_rsa"}),
            "signature_algorithm_unsupported",
        ),
    ],
)
def test_structures_that_are_refused(change: Callable[[cms.SignedData], None], reason: str) -> None:
    reasons = check(resealed(change), store(state()))
    assert reasons["sod_signature"] == reason
    assert set(reasons) == set(CHECKS)


@pytest.mark.parametrize(
    ("raw", "reason"),
    [
        (b"", "sod_malformed"),
        (b"\x77\x02\x30\x00", "cms_malformed"),
        (b"\x60\x00", "sod_malformed"),
        (sod(state())[:-1], "sod_malformed"),
        (encode(0x77, lds.parse_sod(sod(state()))[:200]), "cms_malformed"),
    ],
)
def test_security_objects_that_cannot_be_read(raw: bytes, reason: str) -> None:
    reasons = check(raw, store(state()))
    assert reasons == dict.fromkeys(CHECKS, NOT_REACHED) | {"sod_signature": reason}


def test_no_signer_certificate_inside() -> None:
    def change(body: cms.SignedData) -> None:
        body["certificates"] = []

    reasons = check(resealed(change), store(state()))
    assert reasons.pop("document_signer") == "document_signer_missing"
    assert set(reasons) == {"sod_signature", "csca", "issuing_state", "validity"}


def test_other_certificates_of_the_root_may_not_sign_documents() -> None:
    """A master list signer, or the root itself, signs a security object."""
    authority = state()
    for identity, reason in (
        (authority.list_signer, "document_signer_other_purpose"),
        (authority.csca, "document_signer_is_a_ca"),
    ):
        certificates = (identity.certificate,)
        signed = signed_data(CONTENT_LDS, security_object(GROUPS), identity, certificates, by_key_id=True)
        reasons = check(encode(0x77, signed), store(authority))
        assert reasons == {"document_signer": reason}


def test_structures_have_caps() -> None:
    raw = lds.parse_sod(sod(state()))
    with refused(TrustError, "cms_too_long"):
        parse_signed_data(raw, max_length=len(raw) - 1)

    def change(body: cms.SignedData) -> None:
        for _ in range(20):
            body["certificates"].append(body["certificates"][0])

    assert check(resealed(change), store(state()))["sod_signature"] == "cms_too_many_certificates"


# --- time and state ---------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("days", "expired_csca", "reasons"),
    [
        (-61, False, {"validity": "document_signer_not_yet_valid"}),
        (3799, False, {}),
        (3801, False, {"validity": "document_signer_expired"}),
        (3801, True, {"validity": "document_signer_expired"}),
    ],
)
def test_validity_of_the_signer(days: int, reasons: dict[str, str], *, expired_csca: bool) -> None:
    authority, at = state(), AT + timedelta(days=days)
    assert check(sod(authority), store(authority), at=at, expired_csca=expired_csca) == reasons


def test_validity_of_the_root() -> None:
    authority = state()
    root = x509.Certificate.load(authority.csca.der)
    period = root["tbs_certificate"]["validity"]
    period["not_after"] = x509.Time({"utc_time": datetime(2026, 11, 1, tzinfo=UTC)})
    expired = resigned(root, authority).dump()
    trusted = TrustStore.load([], [expired], [])
    assert check(sod(authority), trusted) == {"validity": "csca_expired"}
    assert check(sod(authority), trusted, expired_csca=True) == {}
    never = TrustStore.load([], [resigned(never_valid(root), authority).dump()], [])
    assert check(sod(authority), never, expired_csca=True) == {"validity": "csca_expired"}
    renewed = TrustStore.load([], [expired, authority.csca.der], [])
    assert check(sod(authority), renewed) == {}


def never_valid(root: x509.Certificate) -> x509.Certificate:
    """Expired before it certified the signer, two months before today."""
    period = root["tbs_certificate"]["validity"]
    period["not_after"] = x509.Time({"utc_time": datetime(2026, 8, 1, tzinfo=UTC)})
    return root


def test_a_root_under_another_name_than_its_signers_know() -> None:
    """A last resort within the state; the key decides, and the record tells."""
    authority = state()
    root = x509.Certificate.load(authority.csca.der)
    body = root["tbs_certificate"]
    body["subject"] = x509.Name.build({"country_name": "UT", "common_name": "CSCA by another name"})
    body["extensions"] = [it for it in body["extensions"] if "key_identifier" not in it["extn_id"].native]
    loaded = TrustStore.load([], [root.dump(force=True)], [])
    found = authentication(sod(authority), loaded)
    assert found.result is Result.SUCCESSFUL
    assert found.notes == ("csca_named_otherwise",)
    body["subject"] = x509.Name.build({"country_name": "FR", "common_name": "CSCA of another state"})
    other = TrustStore.load([], [root.dump(force=True)], [])
    assert check(sod(authority), other)["csca"] == "csca_unknown"


def test_a_naive_time_is_a_programming_error() -> None:
    with pytest.raises(ValueError, match="aware"):
        authenticate(b"", {}, TrustStore([]), at=datetime(2026, 11, 23), issuing_state=None)  # noqa: DTZ001


def test_the_state_of_dg1_is_that_of_the_root() -> None:
    authority = state()
    assert check(sod(authority), store(authority), issuing_state="D") == {
        "issuing_state": "issuing_state_differs"
    }
    assert check(sod(authority), store(authority), issuing_state=None) == {"issuing_state": NOT_REACHED}


def test_germany_is_de_and_d() -> None:
    germany = state("germany", state="D", country="DE")
    assert check(sod(germany), store(germany), issuing_state="D") == {}
    assert check(sod(germany), store(germany), issuing_state="DEU") == {
        "issuing_state": "issuing_state_differs"
    }


def test_a_known_country_may_not_call_itself_another_state() -> None:
    """The country decides; the localities of the alternative names count only where no table helps."""
    pretender = state("pretender", state="FRA", country="DE")
    assert check(sod(pretender), store(pretender), issuing_state="FRA") == {
        "issuing_state": "issuing_state_differs"
    }


def test_a_state_that_nothing_tells_is_undetermined() -> None:
    nowhere = state("nowhere", state="", country="QQ")
    made = authenticate(sod(nowhere), GROUPS, store(nowhere), at=AT, issuing_state="UTO")
    assert Check("issuing_state", Result.UNDETERMINED, "state_unknown") in made
    assert overall(made) is Result.UNDETERMINED


def test_a_signer_of_another_state_than_its_root() -> None:
    authority = state()
    certificate = x509.Certificate.load(authority.document_signer.der)
    certificate["tbs_certificate"]["subject"] = x509.Name.build(
        {"country_name": "FR", "common_name": "Signer"}
    )
    signer = type(authority.csca)(authority.document_signer.key, resigned(certificate, authority))
    foreign = Authority(
        state="UTO",
        country="UT",
        csca=authority.csca,
        document_signer=signer,
        list_signer=authority.list_signer,
    )
    assert check(sod(foreign), store(authority)) == {"issuing_state": "signer_of_another_state"}


@pytest.mark.parametrize(
    ("country", "codes"),
    [
        ("de", {"D"}),
        ("FR", {"FRA"}),
        ("KS", {"RKS"}),
        ("EU", {"EUE"}),
        ("UN", {"UNO", "UNA", "UNK"}),
        ("QQ", set()),
    ],
)
def test_codes_of_states(country: str, codes: set[str]) -> None:
    assert issuer_codes(country) == codes


# --- the specimen -----------------------------------------------------------------------------------


def test_the_specimen_is_signed_with_explicit_parameters() -> None:
    raw = specimen("SOD")
    signed = parse_signed_data(lds.parse_sod(raw), max_length=65536)
    signer = signed.signer_certificate()
    assert signer is not None
    assert isinstance(signer.key, EllipticKey)
    assert signer.key.curve is by_oid("1.3.36.3.3.2.8.1.1.5")  # brainpoolP224r1
    signed.verify(signer)
    groups = {1: specimen("DG1"), 2: specimen("DG2")}
    reasons = check(raw, TrustStore([]), groups, at=datetime(2008, 6, 1, tzinfo=UTC), issuing_state="D")
    assert reasons == {"csca": "csca_unknown", "issuing_state": NOT_REACHED, "validity": NOT_REACHED}
    groups[2] = groups[2][:-1] + b"\0"
    assert check(raw, TrustStore([]), groups)["dg_hashes"] == "dg2_hash_wrong"


# --- fuzzing ---


@settings(FUZZ, max_examples=400)
@given(damaged(lds.parse_sod(sod(state()))))
def test_signed_data_accepts_or_raises_one_error(raw: bytes) -> None:
    accepts_or_raises(lambda it: parse_signed_data(it, max_length=65536), TrustError, raw)


@settings(FUZZ, max_examples=400)
@given(damaged(sod(state())))
def test_only_the_genuine_security_object_is_good(raw: bytes) -> None:
    """Whatever is changed: never an error, and all six good only if signed content and chain are the same."""
    made = authenticate(raw, GROUPS, store(state()), at=AT, issuing_state="UTO")
    if overall(made) is Result.SUCCESSFUL:
        body, same = (cms.ContentInfo.load(lds.parse_sod(it))["content"] for it in (raw, sod(state())))
        assert bytes(body["encap_content_info"]["content"]) == bytes(same["encap_content_info"]["content"])
        assert body["signer_infos"][0]["signature"].native == same["signer_infos"][0]["signature"].native
