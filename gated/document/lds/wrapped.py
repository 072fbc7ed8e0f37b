"""Data groups whose content is another room's subject, or nobody's: taken out of their tag, and no more."""

from gated.core.personal import Personal
from gated.document import tlv
from gated.document.errors import LdsError, TlvError
from gated.document.lds.content import content_of
from gated.document.lds.directory import DG13, DG14, DG15, ElementaryFile


def parse_dg13(raw: bytes) -> Personal[bytes]:
    """Optional details, at the issuer's discretion. Raises LdsError(`dg13_malformed`)."""
    return Personal(content_of(raw, DG13))


def parse_dg14(raw: bytes) -> bytes:
    """The DER of SecurityInfos, whole: protocols and public keys. Raises LdsError(`dg14_malformed`)."""
    return _der(raw, DG14, 0x31)


def parse_dg15(raw: bytes) -> bytes:
    """The DER of SubjectPublicKeyInfo for active authentication. Raises LdsError(`dg15_malformed`)."""
    return _der(raw, DG15, 0x30)


def _der(raw: bytes, file: ElementaryFile, tag: int) -> bytes:
    value = content_of(raw, file)
    try:
        tlv.parse_one(value, tag)
    except TlvError as error:
        raise LdsError(f"{file.name}_malformed") from error
    return value
