"""EF.SOD and what is signed in it: the LDS security object (Doc 9303-10, section 4.6.2 and appendix D)."""

from dataclasses import dataclass

from gated.document import tlv
from gated.document.errors import LdsError, TlvError
from gated.document.lds.content import content_of
from gated.document.lds.directory import DATA_GROUPS, SOD

MAX_VERSION = 16  # characters of a version; `0108` and `040000` in use

_DIGESTS = {
    bytes.fromhex("2B0E03021A"): "sha1",
    bytes.fromhex("608648016503040204"): "sha224",
    bytes.fromhex("608648016503040201"): "sha256",
    bytes.fromhex("608648016503040202"): "sha384",
    bytes.fromhex("608648016503040203"): "sha512",
}


@dataclass(frozen=True, slots=True)
class SecurityObject:
    """The LDS security object: hash algorithm (`sha256`) and the hash of each data group by number.

    `lds_version` and `unicode_version` (`0108`, `040000`) are there from version 1 on, and signed.
    """

    version: int
    digest: str
    hashes: dict[int, bytes]
    lds_version: str | None = None
    unicode_version: str | None = None


def parse_sod(raw: bytes) -> bytes:
    """The CMS structure in EF.SOD. Raises LdsError(`sod_malformed`)."""
    return content_of(raw, SOD)


def parse_security_object(content: bytes) -> SecurityObject:
    """LDSSecurityObject version 0 or 1. Raises LdsError: `security_object_malformed` ..."""
    try:
        fields = tlv.parse(tlv.parse_one(content, 0x30, max_length=SOD.max_length).value)
        if len(fields) not in {3, 4} or [field.tag for field in fields[:3]] != [0x02, 0x30, 0x30]:
            raise LdsError("security_object_malformed")
        version = int.from_bytes(fields[0].value, "big")
        algorithm = tlv.parse(fields[1].value)
        pairs = [tlv.parse(tlv.parse_one(group.encode(), 0x30).value) for group in tlv.parse(fields[2].value)]
        if version != len(fields) - 3:  # version 1 adds LDSVersionInfo, and only that
            raise LdsError("security_object_version")
        versions = _version_info(fields[3]) if version else (None, None)
    except TlvError as error:
        raise LdsError("security_object_malformed") from error
    oid = algorithm[0].value if algorithm and algorithm[0].tag == 0x06 else b""
    if oid not in _DIGESTS:
        raise LdsError("security_object_digest")
    return SecurityObject(version, _DIGESTS[oid], _hashes(pairs), *versions)


def _hashes(pairs: list[tuple[tlv.Tlv, ...]]) -> dict[int, bytes]:
    """Data group numbers with their hashes; a number that comes twice is refused."""
    found: dict[int, bytes] = {}
    for pair in pairs:
        if [item.tag for item in pair] != [0x02, 0x04]:
            raise LdsError("security_object_malformed")
        number = int.from_bytes(pair[0].value, "big")
        if number not in DATA_GROUPS or number in found:
            raise LdsError("security_object_malformed")
        found[number] = pair[1].value
    return found


def _version_info(field: tlv.Tlv) -> tuple[str, str]:
    """LDSVersionInfo: two PrintableStrings of digits."""
    items = tlv.parse(tlv.parse_one(field.encode(), 0x30).value)
    if [item.tag for item in items] != [0x13, 0x13]:
        raise LdsError("security_object_malformed")
    for item in items:
        if not (item.value.isdigit() and len(item.value) <= MAX_VERSION):
            raise LdsError("security_object_malformed")
    return items[0].value.decode("ascii"), items[1].value.decode("ascii")
