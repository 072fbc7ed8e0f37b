"""Card-verifiable certificates: a published one, a simulated PKI, and everything that must not pass."""

import typing
from datetime import date
from functools import cache

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gated.document import tlv
from gated.document.errors import CvError
from gated.document.genuine.credentials import MAX_CERTIFICATES, Credentials
from gated.document.genuine.cv_certificates import (
    Authorization,
    CvCertificate,
    Role,
    check_dates,
    parse_certificate,
    parse_reference,
    signs,
    trust_point,
    verify_certificate,
)
from gated.document.trust.signatures import EllipticKey, RsaKey
from hw_sim.passport import cv_pki
from hw_sim.passport.cv_pki import (
    CVCA,
    DV_DOMESTIC,
    DV_FOREIGN,
    FINGERPRINTS,
    INSPECTION_SYSTEM,
    IRISES,
    Algorithm,
    CvIdentity,
    CvPrivate,
)
from tests.document.material import FUZZ, accepts_or_raises, damaged, refused

# BSI TR-03110, EAC worked example (2011): roots of both chains, and the document verifier below the first.
DECVCA = bytes.fromhex(
    "7F218202F37F4E82026A5F290100420D444543564341415430303030317F4982021F060A04007F000702020202058140"
    "AADD9DB8DBE9C48B3FD4E6AE33C9FC07CB308DB3B3C9D20ED6639CCA703308717D4D9B009BC66842AECDA12AE6A380E6"
    "2881FF2F2D82C68528AA6056583A48F382407830A3318B603B89E2327145AC234CC594CBDD8D3DF91610A83441CAEA98"
    "63BC2DED5D5AA8253AA10A2EF1C98B9AC8B57F1117A72BF2C7B9E7C1AC4D77FC94CA83403DF91610A83441CAEA9863BC"
    "2DED5D5AA8253AA10A2EF1C98B9AC8B57F1117A72BF2C7B9E7C1AC4D77FC94CADC083E67984050B75EBAE5DD2809BD63"
    "8016F7238481810481AEE4BDD82ED9645A21322E9C4C6A9385ED9F70B5D916C1B43B62EEF4D0098EFF3B1F78E2D0D48D"
    "50D1687B93B97D5F7C6D5047406A5E688B352209BCB9F8227DDE385D566332ECC0EABFA9CF7822FDF209F70024A57B1A"
    "A000C55B881F8111B2DCDE494A5F485E5BCA4BD88A2763AED1CA2B2FA8F0540678CD1E0F3AD808928540AADD9DB8DBE9"
    "C48B3FD4E6AE33C9FC07CB308DB3B3C9D20ED6639CCA70330870553E5C414CA92619418661197FAC10471DB1D381085D"
    "DADDB58796829CA900698681810464F09C617C0D5A4E2E88B2598AF06860440C07C5ED353A18A14E938A6CBCE30594D9"
    "4079594CCFAEFE28D9AAC9AC1BD37C89B6CCBD10B14FC3AA19DEB1FD03EA151A42B892547A339618C4C9F26FA983855D"
    "893F81413CD320EA4230D3415EBCCDB5908D91DC23C6566F47B8A0E0A19C175BDC775D8824676AACFAEDEA0C160E8701"
    "015F200D444543564341415430303030317F4C0E060904007F0007030102015301C35F25060100000903005F24060101"
    "000902055F378180A5E72244D0AC9CD3E8FE9B878EA32A24F4AA060FD17C2A8291D9797E8A60F28A2978E3F4EAE840E9"
    "5B6A64FDA44D8D39A699521CD5382203964945150A6CC4A50C49EE234AB36DF675E44C11499080676DD5B3AC1859D98B"
    "302CA9605CD94A51D7DA5738BEAA49848BCA7777B7DC9ACCDAA1D0B64432B2C13889A4854C9FF346"
)
DETESTDV = bytes.fromhex(
    "7F218201667F4E81DE5F290100420D444543564341415430303030317F498190060A04007F0007020202020586818104"
    "0A74972E84B7D2C428FBE46D40C92D6CB56AE6A4B0AF5B8BC0927E5EF6F73220776D31693E36D685DF6CF3763E41728D"
    "967DC1963F7CA70F0EA7ADB5EA856D8A133B867B8EF4132E7FFA3E8F32CD0321FC22199B9323376E59D84A0624919481"
    "17178BF4DB6C0EE7A235BFC3D4459183D408232AC781C78CF5C54E2FF35BA5165F200D44455445535444564445303139"
    "7F4C12060904007F0007030102025305801FFFFF105F25060100000903005F24060100010003005F37818098C637BEFA"
    "63058921902896A605206D5BE3BFF2F7E258EB0BB06EA7E84DFBC98E35276110C684BB23D277350E3862E6A30520808F"
    "417B8911985880A556E1758C7FE6545B3DA03383BD7B5B51DEC007139CBC44FF320F84F2B6AD44C7B28FCAEB2B7B98E3"
    "A2BAE8322B115A8F10D48349281B4F4645C9AAE307CFAE9AD6B194"
)
DETESTCVCA = bytes.fromhex(
    "7F2182016A7F4E81E25F290100420F4445544553544356434130303030337F498194060A04007F000702020201018181"
    "80B5ADA440F264803DBEEC57AB1FFBD12B42687423EC299DD52A6BB0345193D1E2A5BBC11955908A08760F400FA03D56"
    "097B5F2165648D85071A80A1B66FFA9321526DDA41E146D532991CA0C1DCFC8D0BBE298C1F0EDB57400FAED67E135D54"
    "2471C82E351B06D43C946604FCBD5045056C4B8A7B98EC3872E41BB3D7A591CCAD82030100015F200F44455445535443"
    "56434130303030337F4C0E060904007F0007030102015301C35F25060100000302045F24060101000301095F378180A2"
    "7ED830E99082E5813068B9B21662444ED1C8713ABA71985B5288F376423608B8EEC825173862F8DF9F259BCD611C96A2"
    "DBA86AC6C48A3310CFD6FADE9B4BD02BB520367AD90B379F6D35AD01D406F8CB1D94D025730A98D7DFBE3B0F74183531"
    "DE6E699D23652CE39067635A8D176C66064B79B7271A0EE600BAC94AD51E4F"
)

YEARS = (date(2025, 1, 1), date(2028, 1, 1))
TODAY = date(2026, 11, 23)
BODY = (0x7F21, 0x7F4E)
KEY = (*BODY, 0x7F49)
ALGORITHMS: tuple[Algorithm, ...] = typing.get_args(Algorithm)


class Pki(typing.NamedTuple):
    """One CVCA, its next key, a document verifier and an inspection system under it."""

    root: CvIdentity
    link: CvIdentity
    verifier: CvIdentity
    system: CvIdentity

    @property
    def files(self) -> list[bytes]:
        return [one.certificate for one in self]


@cache
def pki(algorithm: Algorithm = "ecdsa-sha256", domain: int = 13, rights: int = FINGERPRINTS) -> Pki:
    def key(name: str) -> CvPrivate:
        return CvPrivate(f"{algorithm}/{name}", algorithm, domain)

    root = cv_pki.root("UTCVCA00001", key("old"), YEARS)
    link = root.certify("UTCVCA00002", key("new"), CVCA, YEARS, rights=FINGERPRINTS | IRISES)
    verifier = link.certify("UTDVGATE00001", key("dv"), DV_DOMESTIC, YEARS, rights=rights)
    system = verifier.certify("UTISLANE00001", key("is"), INSPECTION_SYSTEM, YEARS, rights=rights)
    return Pki(root, link, verifier, system)


def changed(raw: bytes, *path: int, value: bytes | None = None, insert: bytes = b"") -> bytes:
    """The object at a path of tags replaced, or left out, or followed by something."""
    items = []
    for item in tlv.parse(raw):
        if item.tag != path[0]:
            items.append(item.encode())
        elif len(path) > 1:
            items.append(tlv.encode(item.tag, changed(item.value, *path[1:], value=value, insert=insert)))
        elif value is not None:
            items.append(tlv.encode(item.tag, value) + insert)
    return b"".join(items)


def parsed(identity: CvIdentity) -> CvCertificate:
    return parse_certificate(identity.certificate)


# --- good ones --------------------------------------------------------------------------------------


def test_the_elliptic_root_of_the_worked_example() -> None:
    certificate = parse_certificate(DECVCA)
    assert (certificate.issuer, certificate.holder) == ("DECVCAAT00001", "DECVCAAT00001")
    assert certificate.is_root
    assert certificate.authorization == Authorization(Role.CVCA, fingerprints=True, irises=True)
    assert (certificate.effective, certificate.expires) == (date(2010, 9, 30), date(2011, 9, 25))
    assert certificate.key.curve is not None
    assert (certificate.key.curve.name, certificate.key.scheme.digest) == ("brainpoolP512r1", "sha512")
    assert certificate.coded == DECVCA
    assert verify_certificate(certificate, trust_point(certificate)) == trust_point(certificate)
    assert repr(certificate) == "CvCertificate('DECVCAAT00001' by 'DECVCAAT00001', CVCA)"


def test_the_rsa_root_of_the_worked_example() -> None:
    certificate = parse_certificate(DETESTCVCA)
    assert (certificate.key.scheme.name, certificate.key.scheme.digest) == ("rsa", "sha1")
    assert verify_certificate(certificate, trust_point(certificate)).reference == "DETESTCVCA00003"
    with refused(CvError, "cv_signature_wrong"):
        verify_certificate(parse_certificate(DETESTCVCA[:-1] + b"\x00"), trust_point(certificate))


def test_the_verifier_of_the_worked_example_is_signed_but_not_for_inspection_systems() -> None:
    """Its template is that of authentication terminals, which read identity cards."""
    body, signature = tlv.parse(tlv.parse_one(DETESTDV, 0x7F21).value)
    assert signs(trust_point(parse_certificate(DECVCA)), signature.value, body.encode())
    assert not signs(trust_point(parse_certificate(DECVCA)), signature.value, body.value)
    with refused(CvError, "cv_not_inspection_system"):
        parse_certificate(DETESTDV)


@pytest.mark.parametrize("algorithm", ALGORITHMS)
def test_a_chain_with_every_algorithm(algorithm: Algorithm) -> None:
    chain = Credentials.load(pki(algorithm).files).chain_for(["UTCVCA00001"], TODAY)
    assert [one.holder for one in chain.certificates] == ["UTCVCA00002", "UTDVGATE00001", "UTISLANE00001"]
    assert chain.authorization == Authorization(Role.TERMINAL, fingerprints=True, irises=False)
    kind = RsaKey if algorithm.startswith("rsa") else EllipticKey
    assert isinstance(chain.terminal.public, kind)


@pytest.mark.parametrize("domain", range(8, 19))
def test_a_chain_on_every_curve_whose_parameters_only_the_root_has(domain: int) -> None:
    chain = Credentials.load(pki("ecdsa-sha512", domain).files).chain_for(["UTCVCA00001"], TODAY)
    public = chain.terminal.public
    assert isinstance(public, EllipticKey)
    assert public.curve.number == domain
    assert chain.certificates[-1].key.curve is None
    signature = pki("ecdsa-sha512", domain).system.private.sign(b"message")
    assert signs(chain.terminal, signature, b"message")
    assert not signs(chain.terminal, signature, b"massage")
    assert not signs(chain.terminal, signature + b"\0", b"message")


def test_the_cofactor_may_be_left_out() -> None:
    whole, without = parse_certificate(DECVCA), parse_certificate(changed(DECVCA, *KEY, 0x87))
    assert without.key == whole.key


def test_a_link_may_leave_the_parameters_to_the_root_and_change_the_algorithm() -> None:
    root = pki().root
    same = root.certify("UTCVCA00002", CvPrivate("x"), CVCA, YEARS, in_full=False)
    curve = parsed(root).key.curve
    public = verify_certificate(parsed(same), trust_point(parsed(root))).public
    assert isinstance(public, EllipticKey)
    assert public.curve is curve
    other = root.certify("UTCVCA00002", CvPrivate("y", "rsa-pss-sha256"), CVCA, YEARS)
    assert isinstance(verify_certificate(parsed(other), trust_point(parsed(root))).public, RsaKey)


@pytest.mark.parametrize(
    ("granted", "left"),
    [
        (FINGERPRINTS, (True, False)),
        (IRISES, (False, True)),
        (0, (False, False)),
        (3, (True, True)),
        (0x3C, (False, False)),
    ],
)
def test_rights_are_those_that_all_of_the_chain_have(granted: int, left: tuple[bool, bool]) -> None:
    root, link, _, _ = pki()
    verifier = link.certify("UTDVGATE00009", CvPrivate("dv9"), DV_FOREIGN, YEARS, rights=granted)
    system = verifier.certify("UTISLANE00009", CvPrivate("is9"), INSPECTION_SYSTEM, YEARS, rights=3)
    files = [one.certificate for one in (root, link, verifier, system)]
    authorization = Credentials.load(files).chain_for(["UTCVCA00001"], TODAY).authorization
    assert (authorization.fingerprints, authorization.irises) == left


def test_extensions_are_passed_over() -> None:
    template = tlv.encode(
        0x73, tlv.encode(0x06, bytes.fromhex("04007F00070301030203")) + tlv.encode(0x80, b"any")
    )
    extended = pki().verifier.certify(
        "UTISLANE00002", CvPrivate("is2"), INSPECTION_SYSTEM, YEARS, extensions=tlv.encode(0x65, template)
    )
    files = [one.certificate for one in (*pki()[:3], extended)]
    assert Credentials.load(files).chain_for(["UTCVCA00001"], TODAY).terminal.reference == "UTISLANE00002"


# --- which chain ------------------------------------------------------------------------------------


def test_no_link_is_shown_to_a_chip_that_knows_the_present_key() -> None:
    credentials = Credentials.load(pki().files)
    for known in (["UTCVCA00002"], ["UTCVCA00002", "UTCVCA00001"], ["UTCVCA00001", "UTCVCA00002"]):
        chain = credentials.chain_for(known, TODAY)
        assert [one.holder for one in chain.certificates] == ["UTDVGATE00001", "UTISLANE00001"]


@pytest.mark.parametrize("known", [[], ["UTCVCA00003"], ["DECVCAAT00001"]])
def test_a_chip_of_which_no_chain_is_known(known: list[str]) -> None:
    with refused(CvError, "cv_no_chain"):
        Credentials.load(pki().files).chain_for(known, TODAY)


def test_dates_of_the_chain() -> None:
    credentials = Credentials.load(pki().files)
    for day in YEARS:
        credentials.chain_for(["UTCVCA00001"], day)
    with refused(CvError, "cv_not_yet_valid"):
        credentials.chain_for(["UTCVCA00001"], date(2024, 12, 31))
    with refused(CvError, "cv_expired"):
        credentials.chain_for(["UTCVCA00001"], date(2028, 1, 2))


def test_a_link_does_not_expire() -> None:
    root = pki().root
    link = root.certify("UTCVCA00002", CvPrivate("l"), CVCA, (date(2025, 1, 1), date(2025, 2, 1)))
    check_dates(parsed(link), TODAY)
    with refused(CvError, "cv_not_yet_valid"):
        check_dates(parsed(link), date(2024, 1, 1))


def test_the_one_of_two_terminal_certificates_that_is_valid_is_taken() -> None:
    _, _, verifier, _ = pki()
    past, present = (
        verifier.certify(f"UTISLANE0000{number}", CvPrivate("is"), INSPECTION_SYSTEM, dates)
        for number, dates in ((4, (date(2025, 1, 1), date(2025, 6, 1))), (5, YEARS))
    )
    for order in ((past, present), (present, past)):
        files = [*pki().files[:3], *(one.certificate for one in order)]
        assert Credentials.load(files).chain_for(["UTCVCA00002"], TODAY).terminal.reference == "UTISLANE00005"


def test_one_terminal_key_certified_under_two_states() -> None:
    german = cv_pki.root("DECVCA00001", CvPrivate("de"), YEARS)
    verifier = german.certify("UTDVGATE00001", CvPrivate("dv-de"), DV_FOREIGN, YEARS)
    system = verifier.certify("UTISLANE00007", CvPrivate("is"), INSPECTION_SYSTEM, YEARS)
    other = pki().link.certify("UTDVGATE00008", CvPrivate("dv8"), DV_DOMESTIC, YEARS)
    certificates = [*pki(), other, german, verifier, system]
    credentials = Credentials.load(one.certificate for one in certificates)
    for known, terminal in (("DECVCA00001", "UTISLANE00007"), ("UTCVCA00001", "UTISLANE00001")):
        assert credentials.chain_for([known], TODAY).terminal.reference == terminal


def test_the_root_has_to_be_among_the_credentials() -> None:
    with refused(CvError, "cv_root_missing"):
        Credentials.load(pki().files[1:]).chain_for(["UTCVCA00001"], TODAY)


def test_links_in_a_circle_lead_nowhere() -> None:
    root = pki().root
    back = pki().link.certify("UTCVCA00001", CvPrivate("back"), CVCA, YEARS)
    verifier = root.certify("UTDVGATE00001", CvPrivate("dv"), DV_DOMESTIC, YEARS)
    system = verifier.certify("UTISLANE00001", CvPrivate("is"), INSPECTION_SYSTEM, YEARS)
    files = [one.certificate for one in (back, pki().link, verifier, system)]
    with refused(CvError, "cv_no_chain"):
        Credentials.load(files).chain_for(["UTCVCA00007"], TODAY)


def test_credentials_are_bounded() -> None:
    with refused(CvError, "cv_too_many"):
        Credentials.load([DECVCA] * (MAX_CERTIFICATES + 1))


# --- what must not pass -----------------------------------------------------------------------------


def test_roles_that_may_not_issue() -> None:
    root, link, verifier, system = pki()
    wrong = (
        (root, INSPECTION_SYSTEM),
        (verifier, DV_DOMESTIC),
        (verifier, CVCA),
        (system, INSPECTION_SYSTEM),
        (system, DV_FOREIGN),
    )
    for issuer, role in wrong:
        certificate = issuer.certify("UTWRONG00001", CvPrivate("w"), role, YEARS)
        holder = trust_point(parsed(root))
        for step in (link, verifier, system):
            if holder.reference != issuer.reference:
                holder = verify_certificate(parsed(step), holder)
        with refused(CvError, "cv_role_not_allowed"):
            verify_certificate(parsed(certificate), holder)
    with refused(CvError, "cv_not_a_cvca"):
        trust_point(parsed(verifier))


def test_signatures_that_are_not_the_issuers() -> None:
    root, link, _, _ = pki()
    holder = trust_point(parsed(root))
    stranger = cv_pki.root("UTCVCA00001", CvPrivate("stranger"), YEARS)
    forged = stranger.certify("UTCVCA00002", CvPrivate("new"), CVCA, YEARS)
    raised = changed(link.certificate, 0x7F21, 0x7F4E, 0x5F24, value=bytes([9, 9, 1, 2, 3, 1]))
    shorter = changed(link.certificate, 0x7F21, 0x5F37, value=parsed(link).signature[:-1])
    for raw in (forged.certificate, raised, shorter):
        with refused(CvError, "cv_signature_wrong"):
            verify_certificate(parse_certificate(raw), holder)
    with refused(CvError, "cv_issuer_differs"):
        verify_certificate(parsed(link), trust_point(parsed(link)))


def test_a_der_signature_is_not_taken() -> None:
    """Plain is the one form; nor may a signature come in two codings."""
    root, link, _, _ = pki()
    plain = parsed(link).signature
    r, s = (plain[:32], plain[32:])
    der = tlv.encode(0x30, tlv.encode(0x02, b"\0" + r) + tlv.encode(0x02, b"\0" + s))
    with refused(CvError, "cv_signature_wrong"):
        verify_certificate(
            parse_certificate(changed(link.certificate, 0x7F21, 0x5F37, value=der)), trust_point(parsed(root))
        )


def test_domain_parameters_where_they_may_not_be_and_where_they_are_missing() -> None:
    root, link, _, _ = pki()
    issuer = verify_certificate(parsed(link), trust_point(parsed(root)))
    own = link.certify("UTDVGATE00002", CvPrivate("dv2"), DV_DOMESTIC, YEARS, in_full=True)
    with refused(CvError, "cv_domain_parameters_not_allowed"):
        verify_certificate(parsed(own), issuer)
    bare = cv_pki.root("UTCVCA00003", CvPrivate("r"), YEARS).certify(
        "UTCVCA00003", CvPrivate("r"), CVCA, YEARS, in_full=False
    )
    with refused(CvError, "cv_domain_parameters_missing"):
        trust_point(parsed(bare))


def test_a_point_that_is_not_on_the_issuers_curve() -> None:
    root, link, _, _ = pki()
    issuer = verify_certificate(parsed(link), trust_point(parsed(root)))
    other = link.certify("UTDVGATE00002", CvPrivate("dv2", domain=12), DV_DOMESTIC, YEARS)
    with refused(CvError, "cv_key"):
        verify_certificate(parsed(other), issuer)


END = b"\1\1\0\4\0\1"
AUTHENTICATION_TERMINAL = bytes.fromhex("04007F000703010202")


@pytest.mark.parametrize(
    ("raw", "code"),
    [
        (b"", "cv_malformed"),
        (DECVCA + b"\0", "cv_malformed"),
        (DECVCA[:-1], "cv_malformed"),
        (bytes(5000), "cv_malformed"),
        (changed(DECVCA, 0x7F21, 0x5F37), "cv_malformed"),
        (changed(DECVCA, *BODY, 0x5F29), "cv_malformed"),
        (changed(DECVCA, *BODY, 0x5F29, value=b"\1"), "cv_profile"),
        (changed(DECVCA, *BODY, 0x42, value=b"decvca00001"), "cv_reference"),
        (changed(DECVCA, *BODY, 0x42, value=b"DE0001"), "cv_reference"),
        (changed(DECVCA, *BODY, 0x5F20, value=b"DECVCAePASS000001"), "cv_reference"),
        (changed(DECVCA, *BODY, 0x5F25, value=b"\0\7\0\4\0\0"), "cv_date"),
        (changed(DECVCA, *BODY, 0x5F25, value=b"070401"), "cv_date"),
        (changed(DECVCA, *BODY, 0x5F25, value=b"\0\7\0\4\0\1\0"), "cv_date"),
        (changed(DECVCA, *BODY, 0x5F25, value=b"\1\2\0\4\0\1"), "cv_date"),  # later than its end
        (changed(DECVCA, *BODY, 0x7F4C, 0x06, value=AUTHENTICATION_TERMINAL), "cv_not_inspection_system"),
        (changed(DECVCA, *BODY, 0x7F4C, 0x53, value=b"\xc1\0"), "cv_role"),
        (changed(DECVCA, *BODY, 0x7F4C, 0x53), "cv_malformed"),
        (changed(DECVCA, *KEY, value=b""), "cv_algorithm"),
        (changed(DECVCA, *KEY, 0x06, value=bytes.fromhex("04007F00070202020209")), "cv_algorithm"),
        (changed(DECVCA, *KEY, 0x06, value=bytes.fromhex("04007F00070202020102")), "cv_key"),  # RSA
        (changed(DECVCA, *KEY, 0x83), "cv_key"),
        (changed(DECVCA, *KEY, 0x85), "cv_key"),
        (changed(DECVCA, *KEY, 0x87, value=b"\4"), "cv_key"),
        (changed(DECVCA, *KEY, 0x84, value=b"\4" + bytes(56)), "cv_key"),  # a base point of one's own
        (changed(DECVCA, *KEY, 0x86, value=b"\4" + bytes(56)), "cv_key"),
        (changed(DECVCA, *KEY, 0x86), "cv_malformed"),
        (changed(DECVCA, *BODY, 0x5F24, value=END, insert=b"\x65\x02\x73\x00"), "cv_extensions"),
        (changed(DECVCA, *BODY, 0x5F24, value=END, insert=b"\x65\x00\x65\x00"), "cv_malformed"),
    ],
)  # fmt: skip
def test_certificates_that_are_refused(raw: bytes, code: str) -> None:
    with refused(CvError, code):
        parse_certificate(raw)


@pytest.mark.parametrize(
    ("n", "e"),
    [
        (2**1023 - 1, 65537),
        (2**4096 + 1, 65537),
        (2**2047 + 1, 1),
        (2**2047 + 1, 4),
        (2**2047, 3),
        (2**2047 + 1, 2**32 + 1),
    ],
)
def test_rsa_keys_that_are_refused(n: int, e: int) -> None:
    root = pki("rsa-v1-5-sha256").root.certificate
    raw = changed(root, *KEY, 0x81, value=n.to_bytes(513, "big"))
    raw = changed(raw, *KEY, 0x82, value=e.to_bytes(5, "big"))
    with refused(CvError, "cv_key"):
        parse_certificate(raw)


@FUZZ
@given(damaged(DECVCA))
def test_certificates_are_accepted_or_refused(raw: bytes) -> None:
    accepts_or_raises(parse_certificate, CvError, raw)


@FUZZ
@given(damaged(pki("rsa-pss-sha256").root.certificate))
def test_damaged_certificates_do_not_verify(raw: bytes) -> None:
    root = pki("rsa-pss-sha256").root
    accepts_or_raises(
        lambda it: verify_certificate(parse_certificate(it), trust_point(parsed(root))), CvError, raw
    )
    try:
        verified = verify_certificate(parse_certificate(raw), trust_point(parsed(root)))
    except CvError:
        return
    assert (verified, raw) == (trust_point(parsed(root)), root.certificate)


@FUZZ
@given(st.binary(max_size=20))
def test_references_are_accepted_or_refused(raw: bytes) -> None:
    accepts_or_raises(parse_reference, CvError, raw)
