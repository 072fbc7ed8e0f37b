"""EF.COM (Doc 9303-10, section 4.6.1): versions, and which data groups there should be.

Nothing signs this file, so it is read for the record only: which groups there are, the security object says.
"""

from dataclasses import dataclass

from gated.document import tlv
from gated.document.errors import LdsError, TlvError
from gated.document.lds.content import content_of
from gated.document.lds.directory import COM


@dataclass(frozen=True, slots=True)
class Com:
    """What EF.COM claims: versions and the tags of the data groups."""

    lds_version: str
    unicode_version: str
    tags: tuple[int, ...]


def parse_com(raw: bytes) -> Com:
    """Raises LdsError(`com_malformed`)."""
    content = content_of(raw, COM)
    try:
        items = tlv.parse(content)
        versions = [tlv.only(items, tag) for tag in (0x5F01, 0x5F36)]
        tags = tuple(tlv.only(items, 0x5C))
    except TlvError as error:
        raise LdsError("com_malformed") from error
    if not all(version.isascii() and version.isdigit() for version in versions):
        raise LdsError("com_malformed")
    return Com(versions[0].decode(), versions[1].decode(), tags)
