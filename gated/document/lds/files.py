"""The files of the eMRTD application (Doc 9303-10): EF.COM, DG1, DG2 and the content of EF.SOD.

Each function takes the raw bytes of one file, as the chip gave them, and raises LdsError and nothing
else. Nothing here is trusted or hashed: the hash of a data group is taken over its raw bytes, elsewhere.
EF.COM is read for the record only, since nothing signs it.
"""

from dataclasses import dataclass

from gated.core.personal import Personal
from gated.document import tlv
from gated.document.errors import LdsError, TlvError
from gated.document.mrz import Mrz, MrzError, parse

MAX_FILE = 0x4_0000
MAX_TEMPLATES = 9  # ISO 7816-11 counts the biometric templates of a group in one digit
MAX_IMAGES = 16  # of one ISO 19794-5 record; portraits in use have one
MAX_HASHES = 16  # data groups 1 to 16

JPEG = b"\xff\xd8\xff"
JPEG_2000 = (bytes.fromhex("0000000C6A5020200D0A870A"), bytes.fromhex("FF4FFF51"))

_FACE_HEADER = 14  # ISO 19794-5:2005, section 5.4: FAC, version, length of record, number of images
_FACE_INFORMATION = 20  # section 5.5
_FEATURE_POINT = 8  # section 5.6
_IMAGE_INFORMATION = 12  # section 5.7


@dataclass(frozen=True, slots=True)
class Com:
    """What EF.COM claims: versions and the tags of the data groups."""

    lds_version: str
    unicode_version: str
    tags: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class FaceImage:
    """One encoded portrait, undecoded. `format` is what its first bytes say: `jpeg` or `jpeg2000`.

    `width` and `height` are what the record declares, in pixels; a decoder must not believe them.
    """

    format: str
    width: int
    height: int
    image: Personal[bytes]


@dataclass(frozen=True, slots=True)
class SecurityObject:
    """The LDS security object: hash algorithm (`sha256`) and the hash of each data group by number."""

    version: int
    digest: str
    hashes: dict[int, bytes]


def parse_com(raw: bytes) -> Com:
    """EF.COM, section 4.6.1. Raises LdsError(`com_malformed`)."""
    try:
        items = tlv.parse(tlv.parse_one(raw, 0x60, max_length=MAX_FILE).value)
        versions = [tlv.only(items, tag) for tag in (0x5F01, 0x5F36)]
        tags = tuple(tlv.only(items, 0x5C))
    except TlvError as error:
        raise LdsError("com_malformed") from error
    if not all(version.isascii() and version.isdigit() for version in versions):
        raise LdsError("com_malformed")
    return Com(versions[0].decode(), versions[1].decode(), tags)


def parse_dg1(raw: bytes) -> Mrz:
    """DG1, section 4.7.1. Raises LdsError: `dg1_malformed`, or `dg1_mrz_wrong` for what is no good zone."""
    try:
        zone = tlv.parse_one(tlv.parse_one(raw, 0x61, max_length=MAX_FILE).value, 0x5F1F).value
    except TlvError as error:
        raise LdsError("dg1_malformed") from error
    try:
        mrz = parse(zone)
    except MrzError as error:
        raise LdsError("dg1_mrz_wrong") from error
    if mrz.text.encode() != zone:  # the chip has no serial line whose habits could be forgiven
        raise LdsError("dg1_mrz_wrong")
    return mrz


def face_image(raw: bytes) -> FaceImage:
    """The first portrait of DG2, which is the one to compare with (section 4.7.2). Raises LdsError."""
    return face_images(raw)[0]


def face_images(raw: bytes) -> tuple[FaceImage, ...]:
    """All portraits of DG2: ISO 7816-11 templates around ISO 19794-5 records.

    Raises LdsError: `dg2_malformed`, `dg2_format_unsupported`, `dg2_not_an_image`, `dg2_no_image`.
    """
    try:
        records = _biometric_records(raw)
    except TlvError as error:
        raise LdsError("dg2_malformed") from error
    images = tuple(image for record in records for image in _face_record(record))
    if not images:
        raise LdsError("dg2_no_image")
    return images


def parse_sod(raw: bytes) -> bytes:
    """The CMS structure in EF.SOD, section 4.6.2. Raises LdsError(`sod_malformed`)."""
    try:
        return tlv.parse_one(raw, 0x77, max_length=MAX_FILE).value
    except TlvError as error:
        raise LdsError("sod_malformed") from error


def parse_security_object(content: bytes) -> SecurityObject:
    """LDSSecurityObject version 0 or 1, appendix D.1. Raises LdsError: `security_object_malformed` ..."""
    try:
        fields = tlv.parse(tlv.parse_one(content, 0x30, max_length=MAX_FILE).value)
        if len(fields) not in {3, 4} or [field.tag for field in fields[:3]] != [0x02, 0x30, 0x30]:
            raise LdsError("security_object_malformed")
        version = int.from_bytes(fields[0].value, "big")
        algorithm = tlv.parse(fields[1].value)
        pairs = [tlv.parse(tlv.parse_one(group.encode(), 0x30).value) for group in tlv.parse(fields[2].value)]
    except TlvError as error:
        raise LdsError("security_object_malformed") from error
    if version != len(fields) - 3:  # version 1 adds LDSVersionInfo, and only that
        raise LdsError("security_object_version")
    oid = algorithm[0].value if algorithm and algorithm[0].tag == 0x06 else b""
    if oid not in _DIGESTS:
        raise LdsError("security_object_digest")
    return SecurityObject(version, _DIGESTS[oid], _hashes(pairs))


_DIGESTS = {
    bytes.fromhex("2B0E03021A"): "sha1",
    bytes.fromhex("608648016503040204"): "sha224",
    bytes.fromhex("608648016503040201"): "sha256",
    bytes.fromhex("608648016503040202"): "sha384",
    bytes.fromhex("608648016503040203"): "sha512",
}


def _hashes(pairs: list[tuple[tlv.Tlv, ...]]) -> dict[int, bytes]:
    """Data group numbers with their hashes; a number that comes twice is refused."""
    found: dict[int, bytes] = {}
    for pair in pairs:
        if [item.tag for item in pair] != [0x02, 0x04]:
            raise LdsError("security_object_malformed")
        number = int.from_bytes(pair[0].value, "big")
        if not 1 <= number <= MAX_HASHES or number in found:
            raise LdsError("security_object_malformed")
        found[number] = pair[1].value
    return found


def _biometric_records(raw: bytes) -> list[bytes]:
    """The biometric data blocks of DG2, in order. Raises TlvError and LdsError."""
    group = tlv.parse_one(tlv.parse_one(raw, 0x75, max_length=MAX_FILE).value, 0x7F61)
    items = tlv.parse(group.value)
    count = tlv.only(items, 0x02)
    templates = [item for item in items if item.tag == 0x7F60]
    if len(count) != 1 or count[0] != len(templates) or count[0] > MAX_TEMPLATES:
        raise LdsError("dg2_malformed")
    records = []
    for template in templates:
        parts = {item.tag: item.value for item in tlv.parse(template.value)}
        record = parts.get(0x5F2E) or parts.get(0x7F2E)
        if record is None:
            raise LdsError("dg2_malformed")
        records.append(record)
    return records


def _face_record(record: bytes) -> list[FaceImage]:
    """ISO 19794-5:2005 section 5: a header, then for each image its information, points and bytes."""
    if not record.startswith(b"FAC\0"):
        raise LdsError("dg2_format_unsupported")
    count = int.from_bytes(record[12:14], "big")
    if len(record) < _FACE_HEADER or int.from_bytes(record[8:12], "big") != len(record):
        raise LdsError("dg2_malformed")
    if count > MAX_IMAGES:
        raise LdsError("dg2_malformed")
    images = []
    at = _FACE_HEADER
    for _ in range(count):
        length = int.from_bytes(record[at : at + 4], "big")
        if length > len(record) - at:
            raise LdsError("dg2_malformed")
        images.append(_facial_image(record[at : at + length]))
        at += length
    return images


def _facial_image(block: bytes) -> FaceImage:
    points = int.from_bytes(block[4:6], "big")
    start = _FACE_INFORMATION + points * _FEATURE_POINT
    information, image = block[start : start + _IMAGE_INFORMATION], block[start + _IMAGE_INFORMATION :]
    if len(information) < _IMAGE_INFORMATION:
        raise LdsError("dg2_malformed")
    kind = "jpeg" if image.startswith(JPEG) else "jpeg2000" if image.startswith(JPEG_2000) else None
    if kind is None:
        raise LdsError("dg2_not_an_image")
    width, height = (int.from_bytes(information[place : place + 2], "big") for place in (2, 4))
    return FaceImage(kind, width, height, Personal(image))
