"""Files of trust material of every kind, taken apart piece by piece; lists by their anchors and links."""

from dataclasses import replace

import pytest
from asn1crypto import pem
from hypothesis import given, settings

from gated.document.errors import TrustError
from gated.document.tlv import encode
from gated.document.trust.certificates import Certificate, parse_certificate
from gated.document.trust.contents import Contents, take_apart
from gated.document.trust.ldif import parse_ldif
from gated.document.trust.passive import TrustStore
from gated.document.trust.signed_data import parse_signed_data
from hw_sim.passport.pki import CONTENT_MASTER_LIST, Deviating, Habits, Identity, Oddities, signed_data
from hw_sim.passport.pki_lists import ldif
from tests.document.founded_states import AT, assert_not_loaded, check, list_of, sod, state, store
from tests.document.material import FUZZ, accepts_or_raises, damaged, refused, test_data

FRANCE = {"state": "FRA", "country": "FR"}


def root() -> Certificate:
    return parse_certificate(state().csca.der)


def opened(raw: bytes, *anchors: Certificate) -> Contents:
    return take_apart(raw, anchors)


# --- roll-over and links ------------------------------------------------------------------------------


def test_a_rolled_over_root_signs_for_the_same_state() -> None:
    old = state()
    new = old.renewed("utopia renewed")
    assert parse_certificate(new.csca.der).subject == root().subject
    for trusted in ((old.csca.der, new.csca.der), (new.csca.der, old.csca.der)):
        loaded = TrustStore.load([], list(trusted), [])
        assert check(sod(old), loaded) == check(sod(new), loaded) == {}
    assert check(sod(new), store(old))["csca"] == "csca_unknown"


def test_a_link_certificate_serves_as_the_root_whose_key_it_holds() -> None:
    new = state().renewed("utopia renamed", common_name="CSCA Utopia, second name")
    (link,) = new.links
    assert parse_certificate(link.dump()).subject == parse_certificate(new.csca.der).subject
    assert check(sod(new), TrustStore.load([], [link.dump()], [])) == {}


def test_a_list_is_anchored_by_an_older_root_through_links() -> None:
    """The old key signs the new one, never the other way."""
    old = state()
    new = old.renewed("utopia renewed")
    newest = new.renewed("utopia renewed again")
    for younger, older in ((new, old), (newest, new), (newest, old)):
        loaded = TrustStore.load([younger.master_list()], [], [older.anchor])
        assert check(sod(younger), loaded) == {}
        assert_not_loaded(
            [older.master_list()], [], [younger.anchor], "master list 1", "master_list_not_anchored"
        )


def test_a_link_that_nobody_signed_leads_nowhere() -> None:
    old, forger = state(), state("forger")
    new = forger.renewed("forger renewed")
    pretended = type(new)(
        state="UTO", country="UT", csca=new.csca, document_signer=new.document_signer,
        list_signer=new.list_signer, links=(*old.renewed("utopia renewed").links, *new.links),
    )  # fmt: skip
    assert_not_loaded(
        [pretended.master_list()], [], [old.anchor], "master list 1", "master_list_not_anchored"
    )


def test_a_root_may_sign_a_list_itself() -> None:
    """Not as Doc 9303-12 has it, but as lists have been made; only a root that is an anchor, or linked."""
    old = state()
    new = old.renewed("utopia renewed")
    for authority in (old, new):
        alone = replace(authority, list_signer=authority.csca)
        loaded = TrustStore.load([alone.master_list()], [], [old.anchor])
        assert check(sod(authority), loaded) == {}
        (looked,) = (looked for _, looked in opened(alone.master_list(), root()).lists)
        assert (looked.trouble, "list_signed_by_a_root" in looked.proof.notes) == ("", True)  # type: ignore[union-attr]  # a proof is there, or the test fails
        stranger = state("other land", **FRANCE).anchor
        assert_not_loaded([alone.master_list()], [], [stranger], "master list 1", "master_list_not_anchored")


def test_a_linked_certificate_of_the_anchors_key_may_sign_a_list() -> None:
    """The signer's own certificate is by an older key that is no anchor; its key is the anchor's."""
    new = state().renewed("utopia renewed")
    linked = replace(new, list_signer=Identity(new.csca.key, new.links[0]))
    assert len(TrustStore.load([linked.master_list()], [], [new.anchor])) == 2
    stranger = state("other land", **FRANCE).anchor
    assert_not_loaded([linked.master_list()], [], [stranger], "master list 1", "master_list_not_anchored")


def test_links_are_followed_through_a_list_with_broken_certificates() -> None:
    old, new = state(), state().renewed("utopia renewed")
    listed = b"\x30\x00" + new.csca.der + new.links[0].dump()
    content = encode(0x30, b"\x02\x01\x00" + encode(0x31, listed))
    signer = new.list_signer
    raw = signed_data(CONTENT_MASTER_LIST, content, signer, (signer.certificate,), by_key_id=True)
    assert len(TrustStore.load([raw], [], [old.anchor])) == 2


@pytest.mark.parametrize(
    "habits", [Habits(), Habits(by_key_id=True, encoding="ber"), Habits(encoding="pieces")]
)
def test_lists_in_every_coding(habits: Habits) -> None:
    loaded = TrustStore.load([state().master_list(habits=habits)], [], [state().anchor])
    assert len(loaded) == 1


# --- files --------------------------------------------------------------------------------------------


def test_a_master_list_that_counts_and_one_that_does_not() -> None:
    other = state("other land", **FRANCE)
    raw = state().master_list(other)
    counted = opened(raw, root())
    assert (counted.kind, len(counted.roots), counted.lists[0][1].trouble) == ("master_list", 2, "")
    assert counted.lists[0][1].root == root()
    unanchored = opened(raw)
    assert unanchored.lists[0][1].trouble == "master_list_not_anchored"
    assert unanchored.lists[0][1].proof is not None
    assert len(unanchored.pieces) == 2
    assert unanchored.roots == []


def test_a_list_whose_signature_does_not_hold() -> None:
    forged = bytearray(state().master_list())
    forged[-1] ^= 1
    contents = opened(bytes(forged), root())
    (looked,) = (looked for _, looked in contents.lists)
    assert looked.trouble == "signature_wrong"
    assert looked.proof is None
    assert looked.signer == parse_certificate(state().list_signer.der)
    assert contents.roots == []


def test_listed_certificates_are_reported_one_by_one() -> None:
    constraints, unknown = bytes.fromhex("0603551D13"), bytes.fromhex("0603551D7F")
    broken = state().csca.der.replace(constraints, unknown)
    raw = list_of(broken, b"\x30\x00", state().document_signer.der, state().csca.der)
    contents = opened(raw, root())
    found = {piece.reason: (piece.role, piece.subject) for piece in contents.pieces}
    own, signer = root().subject_text, parse_certificate(state().document_signer.der).subject_text
    assert found == {
        "": ("csca", own),
        "certificate_critical_extension": ("other", own),
        "certificate_malformed": ("other", ""),
        "certificate_not_a_ca": ("document_signer", signer),
    }
    assert contents.roots == [root()]


def test_a_root_that_lacks_the_usage_is_named_so() -> None:
    odd = state("no usage", oddities=Oddities(csca_usage=frozenset({"digital_signature", "crl_sign"})))
    (piece,) = opened(list_of(odd.csca.der), root()).pieces
    assert (piece.role, piece.reason) == ("other", "ca_may_not_certify")


def test_single_certificates_and_armoured_ones() -> None:
    authority = state()
    for raw, role in (
        (authority.csca.der, "csca"),
        (authority.renewed("utopia renamed", common_name="Other").links[0].dump(), "link"),
        (authority.document_signer.der, "document_signer"),
        (authority.list_signer.der, "master_list_signer"),
        (authority.deviation_signer.der if authority.deviation_signer else b"", "deviation_list_signer"),
    ):
        assert [piece.role for piece in opened(raw).pieces] == [role]
    crl = authority.revocation_list({}, issued=AT)
    bundle = b"# a comment\n" + b"".join(
        (pem.armor("CERTIFICATE", authority.csca.der), pem.armor("X509 CRL", crl),
         pem.armor("CERTIFICATE", b"\x30\x00"), pem.armor("CMS", authority.master_list()))
    )  # fmt: skip
    contents = opened(bundle, root())
    assert contents.kind == "pem"
    assert [(piece.source, piece.reason) for piece in contents.pieces] == [
        ("block 1", ""),
        ("block 3", "certificate_malformed"),
        ("block 4, certificate 1", ""),
    ]
    assert len(contents.crls) == 1


@pytest.mark.parametrize(
    "raw",
    [
        b"-----BEGIN CERTIFICATE-----\nAAAA\n",
        b"-----BEGIN CERTIFICATE-----\n***\n-----END CERTIFICATE-----\n",
    ],
)
def test_armour_that_is_broken(raw: bytes) -> None:
    with refused(TrustError, "pem_malformed"):
        opened(raw)


def test_revocation_lists_and_deviation_lists() -> None:
    assert opened(state().revocation_list({5: ""}, issued=AT)).kind == "crl"
    raw = state().deviation_list(Deviating(deviations=(("4", None),), document_type="P"))
    contents = opened(raw, root())
    assert (contents.kind, len(contents.deviations), contents.lists[0][1].trouble) == (
        "deviation_list",
        1,
        "",
    )
    assert opened(raw).lists[0][1].trouble == "deviation_list_not_anchored"


def test_filling_behind_an_object_is_no_harm() -> None:
    for filling in (b"\n", b"\r\n", bytes(16)):
        assert opened(state().csca.der + filling).roots == [root()]
    assert opened(state().csca.der + b"x").roots == []


def test_a_list_may_enclose_many_certificates() -> None:
    authority = state()
    chain = (authority.list_signer.certificate, *[authority.csca.certificate] * 40)
    content = parse_signed_data(authority.master_list(), max_length=10**6).content
    raw = signed_data(CONTENT_MASTER_LIST, content, authority.list_signer, chain, by_key_id=True)
    assert opened(raw, root()).roots == [root()]


def test_files_that_are_none() -> None:
    with refused(TrustError, "file_unknown"):
        opened(state().sign_document(b"\x30\x00"))
    (piece,) = opened(b"garbage").pieces
    assert piece.reason == "certificate_malformed"


# --- directory files ------------------------------------------------------------------------------------


def test_a_directory_file_of_everything() -> None:
    authority, other = state(), state("other land", **FRANCE)
    raw = ldif(
        [
            ("pkdMasterListContent", authority.master_list()),
            ("CscaMasterListData", other.master_list()),
            ("userCertificate;binary", authority.document_signer.der),
            ("certificateRevocationList;binary", authority.revocation_list({}, issued=AT)),
            ("userCertificate;binary", b"\x30\x00"),
        ]
    )
    contents = opened(raw, root())
    assert contents.kind == "ldif"
    assert contents.roots == [root()]
    assert [signer.serial for signer in contents.signers] == [
        authority.document_signer.certificate.serial_number
    ]
    assert [looked.trouble for _, looked in contents.lists] == ["", "master_list_not_anchored"]
    assert len(contents.crls) == 1
    assert [piece.reason for piece in contents.pieces if piece.reason] == ["certificate_malformed"]
    assert all(piece.source.startswith("line ") for piece in contents.pieces)


def test_a_directory_file_loads_into_the_store() -> None:
    authority, other = state(), state("other land", **FRANCE)
    serial = int(authority.document_signer.certificate.serial_number)
    raw = ldif(
        [
            ("pkdMasterListContent", authority.master_list()),
            ("pkdMasterListContent", other.master_list()),
            ("userCertificate;binary", authority.document_signer.der),
            ("certificateRevocationList;binary", authority.revocation_list({serial: ""}, issued=AT)),
            ("certificateRevocationList;binary", other.revocation_list({}, issued=AT)),
        ]
    )
    loaded = TrustStore.load([raw], [], [authority.anchor])
    assert (len(loaded), len(loaded.signers), len(loaded.crls)) == (1, 1, 1)
    assert [item.reason for item in loaded.refused] == ["master_list_not_anchored", "crl_issuer_unknown"]
    assert loaded.refused[0].source.startswith("master list 1, line ")
    assert check(sod(authority), loaded) == {"revocation": "document_signer_revoked"}
    assert_not_loaded([raw], [], [], "master list 1", "master_list_not_anchored")


def test_a_root_in_a_directory_needs_an_anchor() -> None:
    new = state().renewed("utopia renewed")
    raw = ldif([("cACertificate;binary", new.csca.der), ("cACertificate;binary", new.links[0].dump())])
    contents = opened(raw, root())
    assert [(piece.role, piece.reason) for piece in contents.pieces] == [
        ("csca", "certificate_not_vouched_for"),
        ("csca", ""),
    ]
    assert contents.roots == [parse_certificate(new.links[0].dump())]


def test_lines_of_every_kind() -> None:
    head = (b"# comment", b"", b"version: 1", b"dn: cn=x", b"cn: x")
    lines = (*head, b"userCertificate;binary:: QUJD", b" REVG", b"sn: 1")
    raw = b"\r\n".join(lines)
    (entry,) = parse_ldif(raw)
    assert (entry.kind, entry.line, entry.raw) == ("certificate", 6, b"ABCDEF")
    good = ldif([("userCertificate;binary", state().csca.der)])
    broken = good + b"dn: x\nuserCertificate: text\nuserCertificate:: ***\nuserCertificate:< file:///x\n"
    assert [entry.reason for entry in parse_ldif(broken)] == ["", *["ldif_not_base64"] * 3]
    assert [reason for _, reason in opened(broken).refused] == ["ldif_not_base64"] * 3


# --- the real list ------------------------------------------------------------------------------------------


def test_every_certificate_of_a_real_list_is_usable_or_named() -> None:
    raw = test_data("emrtd/masterlist/DE_ML_2024-08-07-07-38-24.ml")
    contents = opened(raw)
    assert len(contents.pieces) == 541
    refusals = [(piece.source, piece.reason) for piece in contents.pieces if piece.reason]
    assert refusals == [("certificate 273", "ca_may_not_certify")]
    refused_piece = contents.pieces[272]
    assert refused_piece.certificate is not None
    same_key = [
        piece for piece in contents.pieces
        if piece.certificate and piece.certificate.public_info == refused_piece.certificate.public_info
    ]  # fmt: skip
    assert [piece.role for piece in same_key if not piece.reason] == ["csca"]  # nothing is lost by it


# --- fuzzing ---

SAMPLES = (
    ldif([("pkdMasterListContent", state().master_list()), ("userCertificate;binary", state().csca.der)]),
    pem.armor("CERTIFICATE", state().csca.der),
    state().master_list(),
    state().deviation_list(Deviating(deviations=(("2.2", 12),), numbers=("L898902C3",))),
)


@pytest.mark.parametrize("sample", SAMPLES, ids=["ldif", "pem", "master list", "deviation list"])
def test_files_are_taken_apart_or_raise_one_error(sample: bytes) -> None:
    @settings(FUZZ, max_examples=80)
    @given(damaged(sample))
    def taken(raw: bytes) -> None:
        accepts_or_raises(lambda it: take_apart(it, [root()]), TrustError, raw)

    taken()
