"""The issued passport, field by field, and what each forgery keeps and breaks."""

import hashlib
from datetime import UTC, date, datetime

import cv2
import numpy as np
import pytest
from asn1crypto import cms, x509
from asn1crypto import core as asn1
from cryptography import x509 as pyca
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa
from msgspec.structs import replace

from gated.document import tlv
from hw_sim.passport import faces, issuer, lds
from hw_sim.passport.issuer import (
    Authority,
    PaceProfile,
    Passport,
    Protocols,
    Suite,
    issue,
    mrz_lines,
)
from hw_sim.passport.pki import CONTENT_LDS, CONTENT_MASTER_LIST
from tests.holder import ANNA

TODAY = date(2026, 11, 23)


@pytest.fixture(scope="module")
def utopia() -> Authority:
    return Authority.establish("utopia", today=TODAY)


@pytest.fixture(scope="module")
def jpeg() -> bytes:
    chance = np.random.default_rng(1)
    done, coded = cv2.imencode(".jpg", chance.integers(0, 255, (120, 90, 3), np.uint8))
    assert done
    return bytes(coded)


@pytest.fixture(scope="module")
def passport(utopia: Authority, jpeg: bytes) -> Passport:
    return issue(utopia, ANNA, jpeg)


# --- the page ------------------------------------------------------------------------------------


def test_lines_are_those_of_the_specimen() -> None:
    # Doc 9303-4 appendix B
    specimen = replace(ANNA, expiry=date(2012, 4, 15), optional="ZE184226B")
    assert mrz_lines(specimen, "UTO") == (
        "P<UTOERIKSSON<<ANNA<MARIA<<<<<<<<<<<<<<<<<<<",
        "L898902C36UTO7408122F1204159ZE184226B<<<<<10",
    )


def test_empty_optional_data_has_no_check_digit() -> None:
    assert mrz_lines(ANNA, "UTO")[1][28:43] == "<" * 15


def test_short_codes_and_numbers_are_filled_up() -> None:
    person = replace(ANNA, number="AB1", nationality="D", sex="X")
    first, second = mrz_lines(person, "D")
    assert first.startswith("P<D<<ERIKSSON")
    assert second[:9] == "AB1<<<<<<"
    assert second[10:13] == "D<<"
    assert second[20] == "<"
    assert len(first) == len(second) == 44


def test_names_are_coded_as_the_zone_shows_them() -> None:
    person = replace(ANNA, surname="O'Connor-Smith", given_names="Mary Ann")
    assert mrz_lines(person, "UTO")[0] == "P<UTOOCONNOR<SMITH<<MARY<ANN".ljust(44, "<")


@pytest.mark.parametrize(
    "wrong",
    [{"surname": "Müller"}, {"surname": "A" * 30, "given_names": "B" * 10}],
)
def test_a_name_that_cannot_be_printed_is_refused(wrong: dict[str, str]) -> None:
    with pytest.raises(ValueError, match="name") as caught:
        mrz_lines(replace(ANNA, **wrong), "UTO")
    assert "MÜLLER" not in str(caught.value).upper()


@pytest.mark.parametrize(
    "wrong", [{"number": "L898902C36"}, {"number": "l1"}, {"nationality": "UTOP"}, {"optional": "A" * 15}]
)
def test_a_person_with_a_field_that_does_not_fit_is_refused(wrong: dict[str, str]) -> None:
    with pytest.raises(ValueError, match=next(iter(wrong))):
        replace(ANNA, **wrong)


def test_personal_data_does_not_show(passport: Passport) -> None:
    for shown in (repr(ANNA), str(ANNA), repr(passport), f"{passport}"):
        assert "ERIKSSON" not in shown.upper()
        assert "L898902C3" not in shown


def test_the_password_is_the_mrz_information(passport: Passport) -> None:
    assert passport.access_key == "L898902C3674081223204153"


# --- the files -----------------------------------------------------------------------------------


def test_com_lists_the_data_groups(passport: Passport) -> None:
    # Doc 9303-10 section 4.6.1
    assert passport.files[lds.COM] == bytes.fromhex("6015 5F0104 30313037 5F3606 303430303030 5C03 61756E")


def test_dg1_holds_the_printed_lines(passport: Passport) -> None:
    assert passport.files[lds.DG1] == bytes.fromhex("615B5F1F58") + "".join(passport.lines).encode()


def test_dg2_holds_one_face_record_with_the_size_of_the_image(passport: Passport, jpeg: bytes) -> None:
    group = tlv.parse(tlv.parse_one(passport.files[lds.DG2], 0x75).value)
    instances = tlv.parse(tlv.only(group, 0x7F61))
    assert tlv.only(instances, 0x02) == b"\x01"
    template = tlv.parse(tlv.only(instances, 0x7F60))
    header = tlv.parse(tlv.only(template, 0xA1))
    assert tlv.only(header, 0x87) == b"\x01\x01"
    assert tlv.only(header, 0x88) == b"\x00\x08"
    record = tlv.only(template, 0x5F2E)
    # ISO/IEC 19794-5:2005: header of 14, facial information of 20, image information of 12 bytes
    assert record[:8] == b"FAC\x00010\x00"
    assert int.from_bytes(record[8:12], "big") == len(record)
    assert int.from_bytes(record[12:14], "big") == 1
    assert int.from_bytes(record[14:18], "big") == len(record) - 14
    assert int.from_bytes(record[18:20], "big") == 0
    assert record[20] == 2  # female
    assert record[34:36] == b"\x01\x00"  # full frontal, JPEG
    assert [int.from_bytes(record[at : at + 2], "big") for at in (36, 38)] == [90, 120]
    assert record[46:] == jpeg


@pytest.mark.parametrize(
    "image", [b"", b"\xff\xd8", b"\xff\xd8\xff", issuer.NOT_AN_IMAGE, b"\xff\xd8\xff\xe0\x00"]
)
def test_what_is_not_a_jpeg_gets_a_nominal_size(image: bytes) -> None:
    assert faces.image_size(image) == (240, 320)


def test_card_access_is_that_of_the_worked_example(passport: Passport) -> None:
    # Doc 9303-11 appendix G.1
    coded = bytes.fromhex("31143012060A04007F0007020204020202010202010D")
    assert passport.files[lds.CARD_ACCESS] == coded
    assert passport.files[lds.DG14] == tlv.encode(0x6E, coded)


def test_a_chip_without_pace_has_no_files_for_it(utopia: Authority, jpeg: bytes) -> None:
    files = issue(utopia, ANNA, jpeg, protocols=issuer.BAC_ONLY).files
    assert lds.CARD_ACCESS not in files
    assert lds.DG14 not in files


def test_a_chip_without_any_access_is_refused(utopia: Authority, jpeg: bytes) -> None:
    with pytest.raises(ValueError, match="needs BAC or PACE"):
        issue(utopia, ANNA, jpeg, protocols=Protocols(bac=False))


def test_several_profiles_stand_in_one_set(utopia: Authority, jpeg: bytes) -> None:
    profiles = (PaceProfile(suite=Suite.TDES, domain=12), PaceProfile(suite=Suite.AES_256, domain=16))
    files = issue(utopia, ANNA, jpeg, protocols=Protocols(pace=profiles)).files
    infos = asn1.SetOf.load(files[lds.CARD_ACCESS], spec=asn1.Sequence)
    assert [info[0].native for info in infos] == ["0.4.0.127.0.7.2.2.4.2.1", "0.4.0.127.0.7.2.2.4.2.4"]
    assert [info[2].native for info in infos] == [12, 16]


# --- the signatures ------------------------------------------------------------------------------


def _signed(coded: bytes) -> cms.SignedData:
    info = cms.ContentInfo.load(coded, strict=True)
    assert info["content_type"].native == "signed_data"
    return info["content"]


def _check_signature(signed: cms.SignedData, certificate: x509.Certificate) -> None:
    (info,) = signed["signer_infos"]
    content = signed["encap_content_info"]["content"].contents
    attributes = {item["type"].native: item["values"][0].native for item in info["signed_attrs"]}
    assert attributes["content_type"] == signed["encap_content_info"]["content_type"].native
    digest = info["digest_algorithm"]["algorithm"].native
    assert attributes["message_digest"] == hashlib.new(digest, content).digest()
    covered = b"\x31" + info["signed_attrs"].dump()[1:]
    key = pyca.load_der_x509_certificate(certificate.dump()).public_key()
    if isinstance(key, rsa.RSAPublicKey):
        pss = padding.PSS(padding.MGF1(hashes.SHA256()), 32)
        key.verify(info["signature"].native, covered, pss, hashes.SHA256())
    else:
        assert isinstance(key, ec.EllipticCurvePublicKey)
        key.verify(info["signature"].native, covered, ec.ECDSA(hashes.SHA256()))


@pytest.mark.parametrize("by_key_id", [False, True])
@pytest.mark.parametrize("scheme", ["ecdsa", "rsa-pss"])
def test_sod_is_signed_by_the_document_signer(jpeg: bytes, scheme: str, by_key_id: bool) -> None:  # noqa: FBT001
    state = Authority.establish("utopia", today=TODAY, scheme=scheme)  # type: ignore[arg-type]  # one of its words, by parameter
    passport = issue(state, ANNA, jpeg, by_key_id=by_key_id)
    signed = _signed(tlv.parse_one(passport.files[lds.SOD], 0x77).value)
    assert signed["encap_content_info"]["content_type"].native == CONTENT_LDS
    (certificate,) = (item.chosen for item in signed["certificates"])
    assert certificate.dump() == state.document_signer.der
    _check_signature(signed, certificate)
    sid = signed["signer_infos"][0]["sid"]
    assert sid.name == ("subject_key_identifier" if by_key_id else "issuer_and_serial_number")


@pytest.mark.parametrize("digest", ["sha1", "sha256", "sha384", "sha512"])
def test_sod_lists_the_hash_of_each_whole_file(utopia: Authority, jpeg: bytes, digest: str) -> None:
    passport = issue(utopia, ANNA, jpeg, digest=digest)  # type: ignore[arg-type]  # one of its words, by parameter
    signed = _signed(tlv.parse_one(passport.files[lds.SOD], 0x77).value)
    content = asn1.Sequence.load(signed["encap_content_info"]["content"].contents)
    assert content[0].native == 0
    pairs = asn1.SequenceOf.load(content[2].dump(), spec=asn1.Sequence)
    listed = {pair[0].native: pair[1].native for pair in pairs}
    assert listed == {
        fid & 0xFF: hashlib.new(digest, passport.files[fid]).digest() for fid in (lds.DG1, lds.DG2, lds.DG14)
    }


def test_master_list_is_signed_and_holds_the_countries(utopia: Authority) -> None:
    other = Authority.establish("other", today=TODAY, state="XOM", country="XO", curve="secp384r1")
    signed = _signed(utopia.master_list(other))
    assert signed["encap_content_info"]["content_type"].native == CONTENT_MASTER_LIST
    _check_signature(signed, utopia.list_signer.certificate)
    chain = {item.chosen.dump() for item in signed["certificates"]}
    assert chain == {utopia.list_signer.der, utopia.csca.der}
    content = asn1.Sequence.load(signed["encap_content_info"]["content"].contents)
    listed = asn1.SetOf.load(content[1].dump(), spec=x509.Certificate)
    assert {item.dump() for item in listed} == {utopia.csca.der, other.csca.der}


@pytest.mark.parametrize("curve", ["secp256r1", "secp384r1", "brainpoolP256r1", "brainpoolP384r1"])
def test_certificates_lead_to_the_csca(curve: str) -> None:
    state = Authority.establish("utopia", today=TODAY, curve=curve, explicit=False)  # type: ignore[arg-type]  # one of its words, by parameter
    root = pyca.load_der_x509_certificate(state.anchor)
    root.verify_directly_issued_by(root)
    for identity in (state.document_signer, state.list_signer):
        pyca.load_der_x509_certificate(identity.der).verify_directly_issued_by(root)


def test_csca_has_explicit_parameters_of_its_curve(utopia: Authority) -> None:
    public = utopia.csca.certificate.public_key
    parameters = public["algorithm"]["parameters"]
    assert parameters.name == "specified"
    # RFC 5639 section 3.4
    p = 0xA9FB57DBA1EEA9BC3E660A909D838D726E3BF623D52620282013481D1F6E5377
    assert parameters.chosen["field_id"]["parameters"].native == p
    assert parameters.chosen["base"].native[:5].hex() == "048bd2aeb9"
    twin = Authority.establish("utopia", today=TODAY, explicit=False)
    assert twin.csca.certificate.public_key["public_key"].native == public["public_key"].native


def test_certificates_follow_the_profiles(utopia: Authority) -> None:
    # Doc 9303-12 section 7.1
    csca, signer, lister = (
        identity.certificate for identity in (utopia.csca, utopia.document_signer, utopia.list_signer)
    )
    assert csca.key_usage_value.native == {"key_cert_sign", "crl_sign"}
    assert csca.basic_constraints_value.native == {"ca": True, "path_len_constraint": 0}
    assert {"key_usage", "basic_constraints"} <= csca.critical_extensions
    assert signer.key_usage_value.native == {"digital_signature"}
    assert lister.extended_key_usage_value.native == ["2.23.136.1.1.3"]
    for certificate in (csca, signer, lister):
        assert certificate.subject.native["country_name"] == "UT"
        assert certificate.authority_key_identifier == csca.key_identifier
        (name,) = certificate.subject_alt_name_value
        assert name.native == {"locality_name": "UTO"}
        now = datetime(2026, 11, 23, 12, tzinfo=UTC)
        assert certificate.not_valid_before < now < certificate.not_valid_after


# --- repeatability ---------------------------------------------------------------------------------


def test_the_same_seed_gives_the_same_bytes(utopia: Authority, passport: Passport, jpeg: bytes) -> None:
    again = Authority.establish("utopia", today=TODAY)
    assert again.master_list() == utopia.master_list()
    assert issue(again, ANNA, jpeg) == passport


def test_another_seed_gives_other_keys(utopia: Authority) -> None:
    other = Authority.establish("another", today=TODAY)
    ids = {
        identity.certificate.key_identifier
        for state in (utopia, other)
        for identity in (state.csca, state.document_signer, state.list_signer)
    }
    assert len(ids) == 6


# --- forgeries -------------------------------------------------------------------------------------


def test_another_birth_date_changes_page_and_dg1_but_not_the_sod(passport: Passport) -> None:
    forged = issuer.with_another_birth_date(passport, date(1999, 1, 2))
    assert forged.lines[1][13:20] == "9901029"
    assert forged.lines[1][-1] == issuer.check_digit(
        forged.lines[1][:10] + forged.lines[1][13:20] + forged.lines[1][21:43]
    )
    assert forged.files[lds.DG1].endswith("".join(forged.lines).encode())
    assert forged.access_key != passport.access_key
    unchanged = [fid for fid in passport.files if fid != lds.DG1]
    assert [forged.files[fid] for fid in unchanged] == [passport.files[fid] for fid in unchanged]


def test_another_page_leaves_the_chip_genuine(passport: Passport) -> None:
    forged = issuer.with_another_page(passport, "X1234567")
    assert forged.files == passport.files
    assert forged.lines[1].startswith("X1234567<")
    assert forged.access_key.startswith("X1234567<")


def test_another_face_keeps_the_sod(passport: Passport) -> None:
    forged = issuer.with_another_face(passport, b"\xff\xd8 other")
    assert forged.files[lds.DG2].endswith(b"\xff\xd8 other")
    assert forged.files[lds.SOD] == passport.files[lds.SOD]


def test_a_cut_sod_promises_more_than_it_has(passport: Passport) -> None:
    cut = issuer.with_cut_sod(passport).files[lds.SOD]
    head = tlv.read_head(cut)
    assert head.total > len(cut) == len(passport.files[lds.SOD]) // 2


def test_a_file_can_be_taken_away(passport: Passport) -> None:
    assert lds.SOD not in issuer.with_file(passport, lds.SOD, None).files
    assert lds.SOD in passport.files
