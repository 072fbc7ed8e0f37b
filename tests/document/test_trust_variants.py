"""Every way in which states sign: algorithms, curves, codings, names; and what none of it may excuse."""

from datetime import timedelta

import pytest
from asn1crypto import x509

from gated.core.checks import Result
from gated.core.trust_policy import TrustPolicy
from gated.document import lds
from gated.document.tlv import encode
from gated.document.trust.certificates import parse_certificate
from gated.document.trust.passive import Authentication, PassiveAuthentication, TrustStore
from gated.document.trust.signatures import EllipticKey
from hw_sim.passport.pki import CONTENT_LDS, Authority, Habits, Oddities, Recipe, signed_data
from tests.document.founded_states import (
    AT,
    GROUPS,
    authentication,
    check,
    security_object,
    sod,
    state,
    store,
)


def notes(authority: Authority, habits: Habits | None = None, **options: object) -> tuple[str, ...]:
    """The notes on a document that is good in every check."""
    raw = sod(authority, habits=habits)
    found = authentication(raw, store(authority), **options)  # type: ignore[arg-type]  # its own keywords
    assert [item for item in found.counted if item.result is not Result.SUCCESSFUL] == []
    return found.notes


# --- algorithms --------------------------------------------------------------------------------------

RECIPES = [
    *(Recipe("rsa", digest) for digest in ("sha1", "sha224", "sha256", "sha384", "sha512")),
    *(Recipe("rsa-pss", digest) for digest in ("sha1", "sha224", "sha256", "sha384", "sha512")),
    *(Recipe("ecdsa", digest) for digest in ("sha1", "sha224", "sha256", "sha384", "sha512")),
    *(Recipe("ecdsa-plain", digest) for digest in ("sha1", "sha256", "sha512")),
    Recipe("rsa-pss", "sha256", mgf_digest="sha1", salt=20),
    Recipe("rsa-pss", "sha256", salt=0),
    Recipe("rsa-pss", "sha256", salt=64),  # as in one state
    Recipe("rsa-pss", "sha1", parameters="absent"),
    Recipe("rsa-pss", "sha1", parameters="null"),
    Recipe("rsa", "sha256", named="1.2.840.113549.1.1.1", parameters="null"),  # rsaEncryption
    Recipe("ecdsa", "sha256", named="1.2.840.10045.2.1"),  # ecPublicKey
    Recipe("ecdsa", "sha256", named="1.2.840.10045.4.2"),  # ecdsa-with-Recommended
]


@pytest.mark.parametrize("recipe", RECIPES, ids=str)
def test_documents_signed_by_every_algorithm(recipe: Recipe) -> None:
    authority = state(f"signer {recipe}", signer_recipe=recipe)
    habits = Habits(digest=recipe.digest)
    assert notes(authority, habits) == ()


@pytest.mark.parametrize(
    ("recipe", "digest"),
    [
        (Recipe("rsa", "sha256", named="1.2.840.113549.1.1.5"), "sha256"),  # says SHA-1
        (Recipe("rsa", "sha256", named="2.16.840.1.101.3.4.2.1"), "sha256"),  # names a hash alone
        (Recipe("rsa-pss", "sha256", named="1.2.840.113549.1.1.11"), "sha256"),  # says PKCS #1 v1.5
        (Recipe("rsa", "sha256", named="1.2.840.113549.1.1.10"), "sha256"),  # says PSS
        (Recipe("rsa-pss", "sha256", parameters="absent"), "sha256"),  # the defaults would be SHA-1
        (Recipe("rsa-pss", "sha256", salt=64, parameters="absent"), "sha256"),
        (Recipe("ecdsa", "sha256", named="1.2.840.10045.4.1"), "sha256"),
        (Recipe("ecdsa", "sha256", named="1.2.840.113549.1.1.11"), "sha256"),  # says RSA
        (Recipe("ecdsa", "sha384", named="1.2.840.10045.2.1"), "sha256"),
    ],
    ids=str,
)
def test_a_signature_under_a_wrong_name_holds_and_is_noted(recipe: Recipe, digest: str) -> None:
    authority = state(f"misnamed {recipe}", signer_recipe=recipe)
    assert notes(authority, Habits(digest=digest)) == ("signature_algorithm_misnamed",)


def test_a_hash_under_a_wrong_name_holds_and_is_noted() -> None:
    assert notes(state(), Habits(digest="sha1", digest_named="sha256")) == ("digest_algorithm_misnamed",)
    changed = sod(state(), habits=Habits(digest="sha1", digest_named="sha256"))
    other = changed.replace(security_object(GROUPS), security_object({1: b"another", 2: b"content"}))
    assert other != changed
    assert check(other, store(state()))["sod_signature"] == "signed_digest_wrong"


def test_digest_algorithms_with_null_and_without() -> None:
    assert notes(state(), Habits(digest_null=True)) == ()
    assert notes(state(), Habits(digest="sha512")) == ()


@pytest.mark.parametrize(
    "curve",
    ["secp192r1", "secp224r1", "secp256r1", "secp384r1", "secp521r1", "brainpoolP192r1", "brainpoolP224r1",
     "brainpoolP256r1", "brainpoolP320r1", "brainpoolP384r1", "brainpoolP512r1"],
)  # fmt: skip
@pytest.mark.parametrize("explicit", [False, True])
def test_roots_and_signers_on_every_curve(curve: str, *, explicit: bool) -> None:
    authority = state(f"curve {curve} {explicit}", curve=curve, signer_curve=curve, explicit=explicit)
    key = parse_certificate(authority.csca.der).key
    assert isinstance(key, EllipticKey)
    assert notes(authority) == ()


@pytest.mark.parametrize("oddities", [Oddities(cofactor=False), Oddities(compressed_base=True)], ids=str)
def test_written_out_parameters_in_every_form(oddities: Oddities) -> None:
    assert notes(state(f"parameters {oddities}", oddities=oddities)) == ()


@pytest.mark.parametrize("scheme", ["rsa", "rsa-pss"])
def test_roots_with_rsa_keys(scheme: str) -> None:
    recipe = Recipe(scheme, "sha256")  # type: ignore[arg-type]  # one of its words, by parameter
    assert notes(state(f"rsa root {scheme}", root_recipe=recipe)) == ()


# --- what policy says about them -----------------------------------------------------------------------


def test_short_rsa_keys_are_refused_by_name_unless_policy_takes_them() -> None:
    signer = state("short signer", signer_recipe=Recipe("rsa", "sha1"), rsa_bits=1024)
    lenient = TrustPolicy(min_rsa_bits=1024)
    assert check(sod(signer), store(signer)) == {"document_signer": "document_signer_rsa_too_short"}
    assert notes(signer, policy=lenient) == ()
    root = state("short root", root_recipe=Recipe("rsa", "sha256"), rsa_bits=1024)
    assert check(sod(root), store(root)) == {"csca": "csca_rsa_too_short"}
    assert notes(root, policy=lenient) == ()


def test_sha1_is_for_policy() -> None:
    strict = TrustPolicy(allow_sha1=False)
    signer = state("sha1 signer", signer_recipe=Recipe("ecdsa", "sha1"))
    assert notes(signer) == ()
    assert check(sod(signer), store(signer), policy=strict) == {"sod_signature": "sha1_not_allowed"}
    root = state("sha1 root", root_recipe=Recipe("rsa", "sha1"))
    assert check(sod(root), store(root), policy=strict) == {"csca": "sha1_not_allowed"}
    hashes = sod(state(), object_digest="sha1")
    assert check(hashes, store(state())) == {}
    assert check(hashes, store(state()), policy=strict) == {"sod_signature": "sha1_not_allowed"}


# --- the structure ---------------------------------------------------------------------------------------


@pytest.mark.parametrize("encoding", ["ber", "pieces"])
def test_structures_in_ber(encoding: str) -> None:
    habits = Habits(encoding=encoding)  # type: ignore[arg-type]  # one of its words, by parameter
    raw = sod(state(), habits=habits)
    assert b"\x30\x80" in raw
    assert notes(state(), habits) == ("cms_not_der",)


def test_ber_excuses_no_change() -> None:
    raw = sod(state(), habits=Habits(encoding="ber"))
    other = raw.replace(security_object(GROUPS), security_object({1: b"another", 2: b"content"}))
    assert check(other, store(state()))["sod_signature"] == "signed_digest_wrong"


def test_attributes_out_of_order_are_signed_in_order() -> None:
    assert notes(state(), Habits(attributes="unsorted", signing_time=AT)) == ("signed_attributes_not_der",)


def test_a_signature_over_the_content_alone_is_refused() -> None:
    """RFC 5652 section 5.3: without attributes the type of the content is not signed."""
    raw = sod(state(), habits=Habits(attributes="missing"))
    assert check(raw, store(state()))["sod_signature"] == "cms_attributes_missing"


def test_the_signing_time_is_noted_when_it_cannot_be() -> None:
    assert notes(state(), Habits(signing_time=AT)) == ()
    late = Habits(signing_time=AT + timedelta(days=5000))
    assert notes(state(), late) == ("signed_outside_the_signers_validity",)


def test_signing_after_the_private_keys_period_is_noted() -> None:
    """Doc 9303-12 section 4.1: some three months, while the certificate lives for ten years."""
    coded = encode(0x30, encode(0x80, b"20260101000000Z") + encode(0x81, b"20261101000000Z"))
    odd = Oddities(signer_extensions=(("2.5.29.16", False, coded),))
    authority = state("private key's period", oddities=odd)
    assert notes(authority, Habits(signing_time=AT)) == ("signed_after_the_private_keys_period",)
    assert notes(authority, Habits(signing_time=AT - timedelta(days=40))) == ()


def test_of_several_signers_one_must_be_good() -> None:
    """Doc 9303-10 recommends one signer; of several the one counts that leads to a root."""
    one, other = state(), state("other land", state="FRA", country="FR")
    habits = Habits(further_signers=(one.document_signer,))
    content = security_object(GROUPS)
    enclosed = (other.document_signer.certificate, one.document_signer.certificate)
    raw = encode(0x77, signed_data(CONTENT_LDS, content, other.document_signer, enclosed, habits=habits))
    for authority, issuing_state in ((one, "UTO"), (other, "FRA")):
        found = authentication(raw, store(authority), issuing_state=issuing_state)
        assert found.result is Result.SUCCESSFUL
        assert found.notes == ("cms_several_signers",)
        assert found.signer == parse_certificate(authority.document_signer.der)
    assert check(raw, TrustStore([]))["csca"] == "csca_unknown"


def test_without_the_tag_and_with_filling() -> None:
    raw = sod(state())
    assert authentication(lds.parse_sod(raw), store(state())).notes == ("sod_without_tag",)
    for filling in (bytes(20), b"\xff" * 20):
        assert authentication(raw + filling, store(state())).notes == ("sod_followed_by_filling",)
    assert check(raw + b"\0\1", store(state()))["sod_signature"] == "sod_malformed"


# --- who signed -------------------------------------------------------------------------------------------


def test_a_signer_named_in_another_order_case_and_string_type() -> None:
    name = state().document_signer.certificate.issuer
    other = x509.Name.build({key: str(value).upper() for key, value in reversed(name.native.items())})
    assert other.dump() != name.dump()
    assert notes(state(), Habits(issuer=other)) == ()


def test_a_signer_named_wrongly_is_found_and_noted() -> None:
    other = x509.Name.build({"country_name": "UT", "common_name": "Somebody else"})
    assert notes(state(), Habits(issuer=other)) == ("signer_named_otherwise",)
    assert notes(state(), Habits(serial=4711)) == ("signer_named_otherwise",)


@pytest.mark.parametrize("serial", [-5, 0, 2**159 + 1, 255])
def test_odd_serial_numbers(serial: int) -> None:
    """Doc 9303-12 asks for a positive one of at most 20 octets; some are negative by a missing zero."""
    authority = state(f"serial {serial}", oddities=Oddities(signer_serial=serial))
    assert notes(authority) == ()
    if serial == -5:
        assert notes(authority, Habits(serial=0xFB)) == ()


def test_a_signer_that_is_not_enclosed_but_known() -> None:
    authority = state()
    signer = authority.document_signer
    raw = encode(0x77, signed_data(CONTENT_LDS, security_object(GROUPS), signer, ()))
    assert check(raw, store(authority))["document_signer"] == "document_signer_missing"
    known = TrustStore(store(authority).roots, signers=[parse_certificate(signer.der)])
    found = authentication(raw, known)
    assert found.result is Result.SUCCESSFUL
    assert found.notes == ("signer_certificate_not_enclosed",)


def test_a_certificate_beside_the_signers_may_be_broken() -> None:
    """What is enclosed besides is not asked for; what the signer needs is."""

    def with_certificates(*certificates: bytes) -> bytes:
        enclosed = tuple(x509.Certificate.load(item) for item in certificates)
        signer = state().document_signer
        return encode(0x77, signed_data(CONTENT_LDS, security_object(GROUPS), signer, enclosed))

    elliptic, dsa = bytes.fromhex("06072A8648CE3D0201"), bytes.fromhex("06072A8648CE380401")
    broken = state().document_signer.der.replace(elliptic, dsa)
    assert check(with_certificates(broken, state().document_signer.der), store(state())) == {}
    assert check(with_certificates(broken), store(state()))["document_signer"] == "key_unsupported"


# --- who may sign, and what ----------------------------------------------------------


@pytest.mark.parametrize(
    ("oddities", "reason"),
    [
        (Oddities(key_usage=frozenset({"non_repudiation"})), ""),
        (Oddities(key_usage=frozenset({"key_agreement"})), "document_signer_key_usage"),
        (Oddities(key_usage=frozenset({"digital_signature", "key_cert_sign"})), "document_signer_is_a_ca"),
        (Oddities(purposes=("2.23.136.1.1.3",)), "document_signer_other_purpose"),
        (Oddities(purposes=("2.23.136.1.1.10.1",)), "document_signer_other_purpose"),
        (Oddities(purposes=("1.3.6.1.5.5.7.3.1",)), "document_signer_other_purpose"),
        (Oddities(purposes=("1.2.840.113533.7.74.3",)), ""),  # a vendor's, as on three real roots
        (Oddities(purposes=("2.5.29.37.0",)), ""),
    ],
    ids=str,
)
def test_who_may_sign_documents(oddities: Oddities, reason: str) -> None:
    authority = state(f"purpose {oddities}", oddities=oddities)
    assert check(sod(authority), store(authority)) == ({"document_signer": reason} if reason else {})


@pytest.mark.parametrize(
    ("types", "document_type", "reason"),
    [
        (("P",), "P", ""),
        (("P",), "P<", ""),
        (("P",), "PD", ""),
        (("PP",), "PP", ""),
        (("PP",), "PD", "document_type_not_allowed"),
        (("I", "AC"), "P", "document_type_not_allowed"),
        (("V",), "P", "document_type_not_allowed"),
        (None, "P", ""),
    ],
)
def test_documents_of_the_types_that_the_signer_may_sign(
    types: tuple[str, ...] | None, document_type: str, reason: str
) -> None:
    authority = state(f"types {types}", oddities=Oddities(document_types=types))
    found = check(sod(authority), store(authority), document_type=document_type)
    assert found == ({"signer_document_type": reason} if reason else {})


@pytest.mark.parametrize(
    ("oid", "value"),
    [
        ("2.23.136.1.1.6.2", "300C 020100 3103130150 3102 1300"),
        ("2.23.136.1.1.6.2", "300E 020100 3104 13025641 3103130150"),  # a set for each type
        ("2.23.136.1.1.4", "3008 020100 3103130150"),  # the identifier of a draft
    ],
)
def test_lists_of_document_types_as_states_write_them(oid: str, value: str) -> None:
    added = ((oid, False, bytes.fromhex(value)),)
    odd = Oddities(document_types=None, signer_extensions=added)
    authority = state(f"types {oid} {value}", oddities=odd)
    assert check(sod(authority), store(authority), document_type="P") == {}
    refused_types = check(sod(authority), store(authority), document_type="C")
    assert refused_types == {"signer_document_type": "document_type_not_allowed"}


@pytest.mark.parametrize("version", ["v1", "v3", "v4", "v5"])
def test_every_version_of_the_structure(version: str) -> None:
    """RFC 5652 section 5.1 derives it from what is inside; it decides nothing."""
    assert notes(state(), Habits(version=version)) == ()  # type: ignore[arg-type]  # one of its words, by parameter


def test_content_as_pkcs7_had_it() -> None:
    """RFC 5652 section 5.2.1: no octet string, and the hash is over the value alone."""
    habits = Habits(encoding="pkcs7")
    assert notes(state(), habits) == ("cms_content_bare",)
    other = sod(state(), habits=habits).replace(
        security_object(GROUPS), security_object({1: b"another", 2: b"content"})
    )
    assert check(other, store(state()))["sod_signature"] == "signed_digest_wrong"


def test_malformed_descriptions_are_noted_and_malformed_decisions_refused() -> None:
    garbage = ((("2.5.29.17"), False, b"garbage"),)
    odd = Oddities(alternative_names=False, signer_extensions=garbage)
    assert notes(state("odd names", state="D", country="DE", oddities=odd), issuing_state="D") == (
        "subject_alt_name_malformed",
    )
    period = ((("2.5.29.16"), False, b"garbage"),)
    assert notes(state("odd period", oddities=Oddities(signer_extensions=period))) == (
        "private_key_usage_period_malformed",
    )
    purposes = ((("2.5.29.37"), False, b"garbage"),)
    authority = state("odd purposes", oddities=Oddities(signer_extensions=purposes))
    found = check(sod(authority), store(authority))
    assert found["document_signer"] == "certificate_extension_malformed"


# --- what EF.COM says ---------------------------------------------------------------


def test_a_difference_to_ef_com_is_noted_and_decides_nothing() -> None:
    def concluded(*listed: int) -> Authentication:
        run = PassiveAuthentication(sod(state()), store(state()), at=AT)
        for number, raw in GROUPS.items():
            assert run.compare(number, raw) == ""
        return run.conclude(issuing_state="UTO", document_type="P", com_groups=listed)

    assert concluded(1, 2).notes == ()
    for listed in ((1,), (1, 2, 3), ()):
        found = concluded(*listed)
        assert found.notes == ("com_differs_from_sod",)
        assert found.result is Result.SUCCESSFUL


def test_the_reading_can_be_planned_by_the_security_object() -> None:
    run = PassiveAuthentication(sod(state()), store(state()), at=AT)
    assert run.signed_groups == {1, 2}
    assert run.signer_is_proven
    assert run.compare(2, GROUPS[2]) == ""
    assert run.compare(1, b"changed") == "dg1_hash_wrong"
    assert run.compare(15, b"a key") == "dg15_not_signed"
    unknown = PassiveAuthentication(sod(state()), TrustStore([]), at=AT)
    assert unknown.signed_groups == {1, 2}
    assert not unknown.signer_is_proven
    broken = PassiveAuthentication(b"", store(state()), at=AT)
    assert broken.signed_groups == frozenset()
    assert broken.compare(1, GROUPS[1]) == "not_reached"
