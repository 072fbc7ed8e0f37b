"""EF.COM, DG1 and the security object: of the BSI specimen passport of 2008, and made wrong on purpose."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gated.document import lds
from gated.document.errors import LdsError
from gated.document.tlv import encode
from gated.document.trust.signed_data import parse_signed_data
from tests.document.material import FUZZ, accepts_or_raises, damaged, refused, specimen

HEX = bytes.fromhex
ZONE = b"P<UTOERIKSSON<<ANNA<MARIA<<<<<<<<<<<<<<<<<<<L898902C36UTO7408122F1204159ZE184226B<<<<<10"
COM = HEX("60165F0104303130375F36063034303030305C046175636E")


def security_object(
    *groups: tuple[int, bytes], version: int = 0, digest: str = "608648016503040201", tail: bytes = b""
) -> bytes:
    hashes = b"".join(
        encode(0x30, encode(0x02, bytes([number])) + encode(0x04, value)) for number, value in groups
    )
    algorithm = encode(0x30, encode(0x06, HEX(digest)) + encode(0x05, b""))
    return encode(0x30, encode(0x02, bytes([version])) + algorithm + encode(0x30, hashes) + tail)


def test_the_specimen() -> None:
    com = lds.parse_com(specimen("COM"))
    assert (com.lds_version, com.unicode_version) == ("0107", "040000")
    assert com.tags == (0x61, 0x75, 0x63, 0x6E)
    zone = lds.parse_dg1(specimen("DG1"))
    assert (zone.issuer, zone.surname, zone.document_number) == ("D", "MUSTERMANN", "C11T002JM")
    signed = parse_signed_data(lds.parse_sod(specimen("SOD")), max_length=65536)
    signed_object = lds.parse_security_object(signed.content)
    assert (signed_object.version, signed_object.digest) == (0, "sha1")
    assert {1, 2} <= set(signed_object.hashes)


def test_com() -> None:
    assert lds.parse_com(COM).tags == (0x61, 0x75, 0x63, 0x6E)
    for raw in (b"", COM[:-1], b"\x61" + COM[1:], COM.replace(b"0107", b"01x7"), HEX("6000")):
        with refused(LdsError, "com_malformed"):
            lds.parse_com(raw)


def test_dg1() -> None:
    assert lds.parse_dg1(encode(0x61, encode(0x5F1F, ZONE))).surname == "ERIKSSON"
    for raw in (
        b"",
        HEX("6100"),
        encode(0x75, encode(0x5F1F, ZONE)),
        encode(0x61, encode(0x5F1F, ZONE)) + b"\0",
    ):
        with refused(LdsError, "dg1_malformed"):
            lds.parse_dg1(raw)
    for zone in (ZONE[:-1] + b"9", ZONE + b"\n", ZONE[:44] + b"\n" + ZONE[44:]):
        with refused(LdsError, "dg1_mrz_wrong"):
            lds.parse_dg1(encode(0x61, encode(0x5F1F, zone)))


def test_an_error_shows_nothing_of_the_zone() -> None:
    with pytest.raises(LdsError) as refusal:
        lds.parse_dg1(encode(0x61, encode(0x5F1F, ZONE[:-1] + b"9")))
    assert "ERIKSSON" not in repr(refusal.value) + repr(refusal.value.__cause__)


VERSIONS = encode(0x30, encode(0x13, b"0108") + encode(0x13, b"040000"))


def test_security_objects_of_both_versions() -> None:
    plain = lds.parse_security_object(security_object((1, b"one"), (2, b"two")))
    assert (plain.version, plain.digest, plain.hashes) == (0, "sha256", {1: b"one", 2: b"two"})
    assert (plain.lds_version, plain.unicode_version) == (None, None)
    newer = lds.parse_security_object(security_object((1, b"one"), version=1, tail=VERSIONS))
    assert (newer.version, newer.lds_version, newer.unicode_version) == (1, "0108", "040000")


@pytest.mark.parametrize(
    "versions",
    [
        encode(0x13, b"0108") + encode(0x13, b"04000x"),
        encode(0x13, b"0108") + encode(0x13, b"0" * 17),
        encode(0x13, b"0108") + encode(0x0C, b"040000"),
        encode(0x13, b"0108"),
        b"",
    ],
)
def test_version_info_that_is_none(versions: bytes) -> None:
    with refused(LdsError, "security_object_malformed"):
        lds.parse_security_object(security_object((1, b"one"), version=1, tail=encode(0x30, versions)))


@pytest.mark.parametrize(
    ("raw", "code"),
    [
        (b"", "security_object_malformed"),
        (HEX("3000"), "security_object_malformed"),
        (security_object((1, b"one"), (1, b"two")), "security_object_malformed"),
        (security_object((0, b"one")), "security_object_malformed"),
        (security_object((17, b"one")), "security_object_malformed"),
        (security_object((1, b"one")).replace(HEX("020101"), HEX("040101")), "security_object_malformed"),
        (security_object((1, b"one"), version=1), "security_object_version"),
        (security_object((1, b"one"), tail=HEX("3000")), "security_object_version"),
        (security_object((1, b"one"), version=2), "security_object_version"),
        (security_object((1, b"one"), digest="2A864886F70D0205"), "security_object_digest"),  # MD5
    ],
)
def test_security_objects_that_are_wrong(raw: bytes, code: str) -> None:
    with refused(LdsError, code):
        lds.parse_security_object(raw)


def test_sod_is_a_wrapper() -> None:
    assert lds.parse_sod(HEX("77023000")) == HEX("3000")
    for raw in (HEX("770230"), HEX("60023000"), b""):
        with refused(LdsError, "sod_malformed"):
            lds.parse_sod(raw)


@FUZZ
@given(
    st.sampled_from(
        [
            COM,
            encode(0x61, encode(0x5F1F, ZONE)),
            encode(0x77, HEX("3000")),
            security_object((1, b"one"), (2, b"two")),
            security_object((1, b"one"), version=1, tail=VERSIONS),
        ]
    ).flatmap(damaged)
)
def test_accepts_or_raises_one_error(raw: bytes) -> None:
    for parser in (lds.parse_com, lds.parse_dg1, lds.parse_sod, lds.parse_security_object):
        accepts_or_raises(parser, LdsError, raw)
