"""EF.SOD opened: the document security object of Doc 9303-10 section 4.6.2, parsed and not yet believed."""

from dataclasses import dataclass

from gated.document import lds, tlv
from gated.document.errors import LdsError, TlvError, TrustError
from gated.document.trust.asn1 import definite
from gated.document.trust.signed_data import SignedData, parse_signed_data

MAX_SOD = 0x1_0000

# ldsSecurityObject, and two identifiers that early documents used for the same content
SECURITY_OBJECTS = ("2.23.136.1.1.1", "1.3.27.1.1.1", "1.2.528.1.1006.1.20.1")


@dataclass(frozen=True, slots=True, repr=False)
class Sod:
    """The signed structure, and the hashes in it by number; `digest` names the hash."""

    signed: SignedData
    digest: str
    groups: dict[int, bytes]
    version: int
    notes: tuple[str, ...]


def open_sod(raw: bytes) -> Sod:
    """Open EF.SOD, or the CMS structure that it wraps. Raises TrustError and nothing else."""
    notes: list[str] = []
    try:
        cms, odd = _unwrapped(raw)
        notes += odd
        signed = parse_signed_data(cms, max_length=MAX_SOD)
        if signed.content_type not in SECURITY_OBJECTS:
            raise TrustError("sod_content_type")
        if signed.content_type != SECURITY_OBJECTS[0]:
            notes.append("sod_content_type_of_early_documents")
        content = lds.parse_security_object(definite(signed.content))
    except LdsError as error:
        raise TrustError(error.code) from error
    return Sod(signed, content.digest, content.hashes, content.version, (*notes, *signed.notes))


def _unwrapped(raw: bytes) -> tuple[bytes, tuple[str, ...]]:
    """The value of tag 77; filling behind the file, as some dumps have it, is cut off."""
    if raw.startswith(b"\x30"):
        return raw, ("sod_without_tag",)
    try:
        head = tlv.read_head(raw, max_length=MAX_SOD)
    except TlvError as error:
        raise TrustError("sod_malformed") from error
    rest = raw[head.total :]
    filled = bool(rest) and not rest.strip(rest[:1]) and rest[:1] in {b"\0", b"\xff"}
    return lds.parse_sod(raw[: head.total] if filled else raw), ("sod_followed_by_filling",) if filled else ()
