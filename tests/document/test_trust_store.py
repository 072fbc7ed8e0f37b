"""Master lists: founded ones, and a real national one."""

import pytest
from asn1crypto import pem
from hypothesis import given, settings

from gated.document import lds
from gated.document.errors import TrustError
from gated.document.trust.certificates import Certificate
from gated.document.trust.passive import TrustStore
from gated.document.trust.signatures import EllipticKey
from gated.document.trust.signed_data import parse_signed_data
from hw_sim.passport.pki import CONTENT_MASTER_LIST, signed_data
from tests.document.founded_states import assert_not_loaded, sod, state, store
from tests.document.material import FUZZ, accepts_or_raises, damaged, test_data


def test_a_master_list_counts_by_its_anchor() -> None:
    one, other = state(), state("other land", state="FRA", country="FR")
    loaded = TrustStore.load([one.master_list(other)], [], [one.anchor])
    assert len(loaded) == 2
    assert loaded.refused == ()
    for anchors in ([], [other.anchor]):
        assert_not_loaded([one.master_list(other)], [], anchors, "master list 1", "master_list_not_anchored")
    assert_not_loaded([], [], [one.anchor, b"garbage"], "anchor 2", "certificate_malformed")
    signer = one.document_signer.der
    assert_not_loaded([], [signer], [], "certificate 1", "certificate_not_a_ca")


def test_the_same_root_counts_once() -> None:
    one = state()
    loaded = TrustStore.load([one.master_list(), one.master_list()], [one.csca.der], [one.anchor])
    assert len(loaded) == 1
    assert loaded.sha256 == store(one).sha256 != TrustStore([]).sha256


def test_an_armoured_file_may_hold_several_roots() -> None:
    one, other = state(), state("other land", state="FRA", country="FR")
    both = pem.armor("CERTIFICATE", one.csca.der) + pem.armor("CERTIFICATE", other.csca.der)
    assert len(TrustStore.load([], [both], [])) == 2
    assert len(TrustStore.load([other.master_list()], [], [both])) == 1
    broken = both + pem.armor("CERTIFICATE", b"\x30\x00")
    assert_not_loaded([], [broken], [], "certificate 1, block 3", "certificate_malformed")
    signer = both + pem.armor("CERTIFICATE", one.document_signer.der)
    assert_not_loaded([], [signer], [], "certificate 1", "certificate_not_a_ca")


@pytest.mark.parametrize(
    ("raw", "reason"),
    [
        (b"", "cms_malformed"),
        (state().master_list()[:300], "cms_malformed"),
        (lds.parse_sod(sod(state())), "master_list_type"),
    ],
)
def test_lists_that_are_none(raw: bytes, reason: str) -> None:
    assert_not_loaded([raw], [], [state().anchor], "master list 1", reason)


def test_lists_signed_by_somebody_who_may_not() -> None:
    authority = state()
    content = parse_signed_data(authority.master_list(), max_length=10**6).content
    signer = authority.document_signer
    raw = signed_data(CONTENT_MASTER_LIST, content, signer, (signer.certificate,), by_key_id=True)
    assert_not_loaded([raw], [], [authority.anchor], "master list 1", "master_list_signer_not_allowed")
    raw = signed_data(CONTENT_MASTER_LIST, content, authority.list_signer, (), by_key_id=True)
    assert_not_loaded([raw], [], [authority.anchor], "master list 1", "master_list_signer_missing")


def test_a_list_with_other_content() -> None:
    authority = state()
    signer = authority.list_signer
    for content in (b"\x30\x00", b"\x30\x05\x02\x01\x01\x31\x00", b"nothing"):
        raw = signed_data(CONTENT_MASTER_LIST, content, signer, (signer.certificate,), by_key_id=True)
        assert_not_loaded([raw], [], [authority.anchor], "master list 1", "master_list_malformed")


def real_list() -> bytes:
    return test_data("emrtd/masterlist/DE_ML_2024-08-07-07-38-24.ml")


def real_root() -> Certificate:
    """The German CSCA that certified the list's signer; the list encloses it."""
    enclosed = parse_signed_data(real_list(), max_length=2**24).certificates
    return next(item for item in enclosed if item.may_certify)


def test_the_german_master_list() -> None:
    loaded = TrustStore.load([real_list()], [], [real_root().der])
    assert len(loaded) == 540
    # Portugal's link certificate ECN004 005 is not for signing certificates; the key is listed besides.
    assert [(item.source, item.reason) for item in loaded.refused] == [
        ("master list 1, certificate 273", "ca_may_not_certify")
    ]
    assert len({root.country for root in loaded.roots}) > 90
    elliptic = [root for root in loaded.roots if isinstance(root.key, EllipticKey)]
    assert len(elliptic) == 130


def test_roots_that_name_themselves_as_issuer_did_sign_themselves() -> None:
    """Our signature checks against several hundred real certificates, of every algorithm in the field."""
    loaded = TrustStore.load([real_list()], [], [real_root().der])
    own = [
        root for root in loaded.roots if root.issuer == root.subject and root.authority_key_id == root.key_id
    ]
    assert len(own) > 250
    assert {root.scheme.name for root in own} == {"rsa", "pss", "ecdsa"}
    assert all(root.is_signed_by(root) for root in own)


def test_a_younger_root_does_not_anchor_the_list() -> None:
    younger = test_data("emrtd/masterlist/DE_ROOT_CA_CSCA07.cer")
    assert_not_loaded([real_list()], [], [younger], "master list 1", "master_list_not_anchored")


@settings(FUZZ, max_examples=100)
@given(damaged(state().master_list()))
def test_lists_load_or_raise_one_error(raw: bytes) -> None:
    accepts_or_raises(lambda it: TrustStore.load([it], [], [state().anchor]), TrustError, raw)
