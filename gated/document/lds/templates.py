"""Biometric information templates of DG2 to DG4 (Doc 9303-10, section 4.7.2; ISO/IEC 7816-11; CBEFF).

A group counts its templates; each has a header in A1, which says whose format the data block has, and the
data block, in 5F2E or 7F2E. What a block is, its own first bytes say. The header is kept as a claim: genuine
passports with a wrong one exist, and nobody gains by it, since block and header are under one signature.
"""

from dataclasses import dataclass

from gated.document import tlv
from gated.document.errors import LdsError, TlvError
from gated.document.lds.content import content_of
from gated.document.lds.directory import ElementaryFile

MAX_TEMPLATES = 16  # ten fingers, or some portraits

SC_37 = 0x0101  # format owner: ISO/IEC JTC 1/SC 37, by whose numbers a format type is to be read

_GROUP, _TEMPLATE, _HEADER, _COUNT = 0x7F61, 0x7F60, 0xA1, 0x02
_BLOCKS = (0x5F2E, 0x7F2E)
_OWNER, _FORMAT = 0x87, 0x88


@dataclass(frozen=True, slots=True, repr=False)
class Template:
    """A data block, and the format type (of SC 37) that its header claims; None without such a claim."""

    block: bytes
    claimed_format: int | None

    def __repr__(self) -> str:
        return f"Template({len(self.block)} bytes)"


def parse_templates(raw: bytes, file: ElementaryFile) -> tuple[Template, ...]:
    """The templates in order; none in a group that counts zero. Raises LdsError(`dg2_malformed`) ..."""
    content = content_of(raw, file)
    try:
        items = tlv.parse(tlv.parse_one(content, _GROUP).value)
        count = tlv.only(items, _COUNT)
        templates = [item for item in items if item.tag == _TEMPLATE]
        if len(count) != 1 or count[0] != len(templates) or len(templates) > MAX_TEMPLATES:
            raise LdsError(f"{file.name}_malformed")
        return tuple(_template(template.value) for template in templates)
    except TlvError as error:
        raise LdsError(f"{file.name}_malformed") from error


def _template(value: bytes) -> Template:
    items = tlv.parse(value)
    blocks = [item.value for item in items if item.tag in _BLOCKS]
    if len(blocks) != 1:
        raise TlvError("tlv_object_missing")
    headers = [tlv.parse(item.value) for item in items if item.tag == _HEADER]
    claims = {item.tag: int.from_bytes(item.value, "big") for header in headers for item in header}
    return Template(blocks[0], claims.get(_FORMAT) if claims.get(_OWNER) == SC_37 else None)


def blocks_of(constructed: bytes, application: int) -> tuple[tlv.Tlv, ...]:
    """The representation blocks of an ISO/IEC 39794 data block with this tag. Raises TlvError.

    The application profile for passports puts A1 around the data block.
    """
    outer = tlv.parse_one(constructed)
    if outer.tag == 0xA1:
        outer = tlv.parse_one(outer.value)
    if outer.tag != application:
        raise TlvError("tlv_unexpected_tag")
    items = tlv.parse(outer.value)
    tlv.only(items, 0xA0)  # the version block; a later generation may only add what is passed over
    blocks = tlv.parse(tlv.only(items, 0xA1))
    if any(block.tag != 0x30 for block in blocks):
        raise TlvError("tlv_unexpected_tag")
    return blocks


def coded(choice: bytes) -> int | None:
    """The code in a CHOICE of ISO/IEC 39794 between a code [0] and an extension; None for the latter."""
    items = tlv.parse(choice)
    codes = [item.value for item in items if item.tag == 0x80]
    return int.from_bytes(codes[0], "big") if codes else None
