"""What a chip says it can carry, in the historical bytes of its answer to reset (ISO 7816-4 section 12.1.1).

Nothing of this is authenticated, and none of it matters to security: a chip that lies here is read slowly, or
not at all. What is said counts only where it can be read without doubt; the rest is unknown and is tried out.
"""

from dataclasses import dataclass

_STATUS_BEHIND, _COMPACT = 0x00, 0x80  # category indicators, 12.1.1.2
_CAPABILITIES = 7  # compact tag, 12.1.1.9
_CHAINING, _EXTENDED, _IN_INFO_FILE = 0x80, 0x40, 0x20  # third software function table
_MAX_HISTORICAL = 64


@dataclass(frozen=True, slots=True)
class Capabilities:
    """None where the chip does not say. `in_info_file`: the limits of long APDUs stand in EF.ATR/INFO."""

    extended: bool | None = None
    chaining: bool | None = None
    in_info_file: bool = False


def card_capabilities(historical: bytes) -> Capabilities:
    """Read the historical bytes (12.1.1). Never raises: what cannot be read says nothing."""
    if not historical or len(historical) > _MAX_HISTORICAL or historical[0] not in {_STATUS_BEHIND, _COMPACT}:
        return Capabilities()
    end = len(historical) - (3 if historical[0] == _STATUS_BEHIND else 0)
    at = 1
    while at < end:
        tag, length = historical[at] >> 4, historical[at] & 0x0F
        value = historical[at + 1 : at + 1 + length]
        at += 1 + length
        if at > end:
            return Capabilities()
        if tag == _CAPABILITIES and length >= 3:
            third = value[2]
            return Capabilities(
                extended=bool(third & _EXTENDED),
                chaining=bool(third & _CHAINING),
                in_info_file=bool(third & _IN_INFO_FILE),
            )
    return Capabilities()
