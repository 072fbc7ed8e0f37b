"""Revocation lists: read, believed only from a root, fresh by policy, and never a reason to admit."""

from datetime import datetime, timedelta

import pytest
from asn1crypto import core, crl, pem, x509
from hypothesis import given, settings

from gated.core.checks import Check, Result
from gated.core.trust_policy import TrustPolicy
from gated.document.errors import TrustError
from gated.document.trust.certificates import parse_certificate
from gated.document.trust.crls import parse_crl
from gated.document.trust.passive import Authentication, Excuse, TrustStore
from hw_sim.passport.pki import Authority, Identity, Oddities
from hw_sim.passport.pki_lists import revocation_list
from tests.document.founded_states import AT, authentication, check, sod, state, store
from tests.document.material import FUZZ, accepts_or_raises, damaged, refused

ISSUED = AT - timedelta(days=10)
REQUIRED = TrustPolicy(revocation="required")


def with_lists(authority: Authority, *lists: bytes) -> TrustStore:
    return TrustStore.load([], [authority.csca.der], [], crls=lists)


def revocation(found: Authentication) -> Check:
    return next(item for item in found.checks if item.name == "revocation")


def signer_serial(authority: Authority) -> int:
    return int(authority.document_signer.certificate.serial_number)


def test_a_list_that_does_not_name_the_signer() -> None:
    listed = state().revocation_list({4711: "key_compromise", 4712: ""}, issued=ISSUED)
    found = authentication(sod(state()), with_lists(state(), listed), policy=REQUIRED)
    assert revocation(found) == Check("revocation", Result.SUCCESSFUL)
    assert found.result is Result.SUCCESSFUL
    assert found.excused == ()


@pytest.mark.parametrize("policy", [TrustPolicy(), REQUIRED])
@pytest.mark.parametrize("issued", [ISSUED, AT - timedelta(days=3000), AT + timedelta(days=30)])
def test_a_revoked_signer_fails_under_every_policy_and_by_lists_of_every_age(
    policy: TrustPolicy, issued: datetime
) -> None:
    listed = state().revocation_list({signer_serial(state()): "key_compromise"}, issued=issued)
    found = authentication(sod(state()), with_lists(state(), listed), policy=policy)
    assert revocation(found) == Check("revocation", Result.FAILED, "document_signer_revoked")
    assert found.result is Result.FAILED


def test_a_later_list_does_not_take_a_revocation_back() -> None:
    first = state().revocation_list({signer_serial(state()): ""}, issued=AT - timedelta(days=20))
    later = state().revocation_list({}, issued=ISSUED)
    found = authentication(sod(state()), with_lists(state(), later, first))
    assert revocation(found).reason == "document_signer_revoked"


def test_a_revoked_root() -> None:
    listed = state().revocation_list({state().csca.certificate.serial_number: "ca_compromise"}, issued=ISSUED)
    found = authentication(sod(state()), with_lists(state(), listed))
    assert revocation(found) == Check("revocation", Result.FAILED, "csca_revoked")


def test_a_missing_list_is_for_policy() -> None:
    missing = Check("revocation", Result.UNDETERMINED, "crl_missing")
    lenient = authentication(sod(state()), store(state()))
    assert revocation(lenient) == missing
    assert lenient.excused == (Excuse("revocation", "policy_revocation_if_known"),)
    assert lenient.result is Result.SUCCESSFUL
    strict = authentication(sod(state()), store(state()), policy=REQUIRED)
    assert revocation(strict) == missing
    assert strict.excused == ()
    assert strict.result is Result.UNDETERMINED
    assert check(sod(state()), store(state()), policy=REQUIRED) == {"revocation": "crl_missing"}


@pytest.mark.parametrize(
    ("issued_days", "valid_days", "max_age", "reason"),
    [
        (10, 80, 90, ""),
        (10, 10, 90, ""),
        (10, 9, 90, "crl_stale"),
        (100, 3650, 90, "crl_stale"),
        (100, 3650, 101, ""),
    ],
)
def test_lists_age(issued_days: int, valid_days: int, max_age: int, reason: str) -> None:
    listed = state().revocation_list({}, issued=AT - timedelta(days=issued_days), days=valid_days)
    policy = TrustPolicy(revocation="required", max_crl_age_d=max_age)
    found = authentication(sod(state()), with_lists(state(), listed), policy=policy)
    assert revocation(found).reason == reason


def test_a_list_without_a_next_update_ages_by_policy() -> None:
    for days, reason in ((80, ""), (100, "crl_stale")):
        issued = AT - timedelta(days=days)
        listed = revocation_list(state().csca, {}, this_update=issued, next_update=None)
        found = authentication(sod(state()), with_lists(state(), listed), policy=REQUIRED)
        assert revocation(found).reason == reason


def test_a_list_of_another_state_says_nothing() -> None:
    other = state("other land", state="FRA", country="FR")
    listed = other.revocation_list({signer_serial(state()): ""}, issued=ISSUED)
    loaded = TrustStore.load([], [state().csca.der, other.csca.der], [], crls=[listed])
    found = authentication(sod(state()), loaded, policy=REQUIRED)
    assert revocation(found).reason == "crl_missing"


def test_lists_that_no_root_signed_are_refused() -> None:
    forged = bytearray(state().revocation_list({signer_serial(state()): ""}, issued=ISSUED))
    forged[-1] ^= 1
    other = state("other land", state="FRA", country="FR")
    unknown = other.revocation_list({}, issued=ISSUED)
    for raw, reason in ((bytes(forged), "crl_signature_wrong"), (unknown, "crl_issuer_unknown")):
        with pytest.raises(TrustError) as refusal:
            with_lists(state(), raw)
        assert (refusal.value.source, refusal.value.code) == ("CRL 1", reason)
        loaded = TrustStore(store(state()).roots, crls=[parse_crl(raw)])
        assert loaded.crls == ()
        assert [item.reason for item in loaded.refused] == [reason]


def test_a_root_that_may_not_sign_lists() -> None:
    authority = state("no lists", oddities=Oddities(csca_usage=frozenset({"key_cert_sign"})))
    with pytest.raises(TrustError, match="crl_signature_wrong"):
        with_lists(authority, authority.revocation_list({}, issued=ISSUED))


def test_after_a_roll_over_the_new_key_revokes_for_the_old() -> None:
    old = state()
    new = old.renewed("utopia renewed")
    listed = new.revocation_list({signer_serial(old): "superseded"}, issued=ISSUED)
    loaded = TrustStore.load([], [old.csca.der, new.csca.der], [], crls=[listed])
    assert revocation(authentication(sod(old), loaded)).reason == "document_signer_revoked"
    assert revocation(authentication(sod(new), loaded)).reason == ""


@pytest.mark.parametrize("linked", [True, False])
def test_after_a_change_of_name_the_link_tells_whose_list_it_is(*, linked: bool) -> None:
    """Doc 9303-12 appendix D.3: the new name's list covers what was issued under the old one."""
    old = state()
    new = old.renewed("utopia renamed", common_name="CSCA Utopia, second name")
    listed = new.revocation_list({signer_serial(old): ""}, issued=ISSUED)
    links = [link.dump() for link in new.links] if linked else []
    loaded = TrustStore.load([], [old.csca.der, new.csca.der, *links], [], crls=[listed])
    reason = "document_signer_revoked" if linked else "crl_missing"
    assert revocation(authentication(sod(old), loaded)).reason == reason


def test_a_list_may_name_its_issuers_former_name() -> None:
    """Doc 9303-12 table 10, note 1: as alternative name of the issuer."""
    old = state()
    new = old.renewed("utopia renamed", common_name="CSCA Utopia, second name")
    former = x509.GeneralName("directory_name", old.csca.certificate.subject)
    told = crl.TBSCertListExtension({"extn_id": "issuer_alt_name", "extn_value": x509.GeneralNames([former])})
    listed = new.revocation_list({signer_serial(old): ""}, issued=ISSUED, extensions=[told])
    loaded = TrustStore.load([], [old.csca.der, new.csca.der], [], crls=[listed])
    assert revocation(authentication(sod(old), loaded)).reason == "document_signer_revoked"


def test_no_state_revokes_or_clears_for_another() -> None:
    """A list under the other state's name, and one that claims the name as a former one."""
    other = state("other land", state="FRA", country="FR")
    victim = state().csca.certificate.subject
    pretended = Identity(other.csca.key, with_subject(other.csca.certificate, victim))
    for revoked in ({signer_serial(state()): ""}, {}):
        under_its_name = revocation_list(pretended, revoked, this_update=ISSUED, next_update=None)
        former = x509.GeneralName("directory_name", victim)
        told = crl.TBSCertListExtension(
            {"extn_id": "issuer_alt_name", "extn_value": x509.GeneralNames([former])}
        )
        as_a_former = other.revocation_list(revoked, issued=ISSUED, extensions=[told])
        lists = [parse_crl(under_its_name), parse_crl(as_a_former)]
        loaded = TrustStore(store(state(), other).roots, crls=lists)
        assert loaded.crls == (lists[1],)
        found = authentication(sod(state()), loaded, policy=REQUIRED)
        assert revocation(found).reason == "crl_missing"


def with_subject(certificate: x509.Certificate, subject: x509.Name) -> x509.Certificate:
    changed = x509.Certificate.load(certificate.dump())
    changed["tbs_certificate"]["subject"] = subject
    return changed


# --- lists that say less than they seem to ----------------------------------------------------------


def extension(oid: str, value: bytes, *, critical: bool) -> crl.TBSCertListExtension:
    flag = b"\x01\x01\xff" if critical else b""
    body = core.ObjectIdentifier(oid).dump() + flag + core.OctetString(value).dump()
    return crl.TBSCertListExtension.load(b"\x30" + bytes([len(body)]) + body)


@pytest.mark.parametrize(
    ("oid", "value", "critical", "code"),
    [
        ("2.5.29.27", b"\x02\x01\x01", True, "crl_is_a_delta"),
        ("2.5.29.27", b"\x02\x01\x01", False, "crl_is_a_delta"),
        ("2.5.29.28", b"\x30\x03\x81\x01\xff", True, "crl_is_partial"),
        ("1.2.3.4", b"\x05\x00", True, "crl_critical_extension"),
    ],
)
def test_partial_lists(oid: str, value: bytes, code: str, *, critical: bool) -> None:
    added = [extension(oid, value, critical=critical)]
    with refused(TrustError, code):
        parse_crl(state().revocation_list({}, issued=ISSUED, extensions=added))


def test_lists_that_contradict_themselves() -> None:
    raw = state().revocation_list({5: ""}, issued=ISSUED)
    algorithm = state().csca.algorithm.dump()
    at = raw.rindex(algorithm)
    other = raw[:at] + algorithm[:-1] + bytes([algorithm[-1] + 1]) + raw[at + len(algorithm) :]
    with refused(TrustError, "crl_algorithms_differ"):
        parse_crl(other)
    hold = crl.CRLEntryExtension.load(bytes.fromhex("300D 0603551D17 0101FF 0403 060100".replace(" ", "")))
    with refused(TrustError, "crl_critical_extension"):
        parse_crl(state().revocation_list({5: ""}, issued=ISSUED, entry_extensions=[hold]))
    assert not parse_crl(raw).is_signed_by(parse_certificate(state(scheme="rsa-pss").document_signer.der))


def test_an_armoured_file_may_hold_several_lists() -> None:
    other = state("other land", state="FRA", country="FR")
    lists = [it.revocation_list({5: ""}, issued=ISSUED) for it in (state(), other)]
    both = b"".join(pem.armor("X509 CRL", raw) for raw in lists)
    roots = [state().csca.der, other.csca.der]
    assert len(TrustStore.load([], roots, [], crls=[both]).crls) == 2
    with pytest.raises(TrustError) as refusal:
        TrustStore.load([], roots, [], crls=[both + pem.armor("X509 CRL", b"\x30\x00")])
    assert (refusal.value.source, refusal.value.code) == ("CRL 1, block 3", "crl_malformed")


def test_a_negative_serial_is_found_by_its_octets() -> None:
    authority = state("serial -5", oddities=Oddities(signer_serial=-5))
    listed = authority.revocation_list({0xFB: ""}, issued=ISSUED)
    found = authentication(sod(authority), with_lists(authority, listed))
    assert revocation(found).reason == "document_signer_revoked"


def test_unknown_extensions_that_are_not_critical_do_no_harm() -> None:
    added = [extension("1.2.3.4", b"\x05\x00", critical=False)]
    assert parse_crl(state().revocation_list({5: ""}, issued=ISSUED, extensions=added)).revoked.keys() == {5}


def test_indirect_lists() -> None:
    name = x509.GeneralName("directory_name", state().csca.certificate.subject)
    entry = crl.CRLEntryExtension({"extn_id": "certificate_issuer", "extn_value": x509.GeneralNames([name])})
    with refused(TrustError, "crl_is_indirect"):
        parse_crl(state().revocation_list({5: ""}, issued=ISSUED, entry_extensions=[entry]))


def test_what_a_list_says() -> None:
    listed = parse_crl(state().revocation_list({5: "key_compromise", -6: "", 7: "superseded"}, issued=ISSUED))
    assert {serial: entry.reason for serial, entry in listed.revoked.items()} == {
        5: "key_compromise",
        -6: "unspecified",
        7: "superseded",
    }
    assert listed.revoked[5].since == ISSUED
    assert listed.number == 1
    assert listed.authority_key_id == parse_certificate(state().csca.der).key_id
    assert repr(listed) == "RevocationList(UT, 3 entries)"


def test_a_list_of_version_1_without_extensions() -> None:
    """RFC 5280 asks for version 2; an earlier one says enough by its issuer's name."""
    root = state().csca
    listed = crl.TbsCertList(
        {
            "signature": root.algorithm,
            "issuer": root.certificate.subject,
            "this_update": x509.Time({"utc_time": ISSUED}),
            "revoked_certificates": [
                {"user_certificate": 5, "revocation_date": x509.Time({"utc_time": ISSUED})}
            ],
        }
    )
    signed = {
        "tbs_cert_list": listed, "signature_algorithm": root.algorithm, "signature": root.sign(listed.dump()),
    }  # fmt: skip
    raw = bytes(crl.CertificateList(signed).dump())
    assert parse_crl(raw).revoked.keys() == {5}
    assert with_lists(state(), raw).crls == (parse_crl(raw),)


def test_oversized_lists() -> None:
    with refused(TrustError, "crl_too_long"):
        parse_crl(bytes(5 * 1024 * 1024))


@settings(FUZZ, max_examples=300)
@given(damaged(state().revocation_list({5: "key_compromise", 6: ""}, issued=ISSUED)))
def test_lists_accept_or_raise_one_error(raw: bytes) -> None:
    accepts_or_raises(parse_crl, TrustError, raw)
