"""DG4: irises (Doc 9303-10, section 4.7.4), counted only: a gate does not compare them.

Records of ISO/IEC 19794-6:2005; the later standards are named as unsupported.
"""

import struct

from gated.core.personal import Personal
from gated.document.errors import LdsError
from gated.document.lds.directory import DG4
from gated.document.lds.templates import parse_templates

MAX_IRISES = 16

_FORMAT = b"IIR\0"
_HEADER, _EYE, _IMAGE = 45, 3, 11  # bytes of each header (clause 6.5)


def parse_dg4(raw: bytes) -> tuple[Personal[bytes], ...]:
    """The encoded pictures in order, perhaps none.

    Raises LdsError: `dg4_malformed`, `dg4_length_wrong`, `dg4_format_unsupported`.
    """
    found: list[Personal[bytes]] = []
    for template in parse_templates(raw, DG4):
        if not template.block.startswith(_FORMAT + b"010\0"):
            raise LdsError("dg4_format_unsupported")
        try:
            found += _record(template.block)
        except struct.error as error:
            raise LdsError("dg4_malformed") from error
        if len(found) > MAX_IRISES:
            raise LdsError("dg4_malformed")
    return tuple(found)


def _record(record: bytes) -> list[Personal[bytes]]:
    length, _device, eyes = struct.unpack_from(">IHB", record, 8)
    if length != len(record):
        raise LdsError("dg4_length_wrong")
    found: list[Personal[bytes]] = []
    at = _HEADER
    for _ in range(eyes):
        _position, images = struct.unpack_from(">BH", record, at)
        at += _EYE
        if images > MAX_IRISES:
            raise LdsError("dg4_malformed")
        for _ in range(images):
            _number, _quality, _angle, _uncertainty, length = struct.unpack_from(">HBHHI", record, at)
            at += _IMAGE
            if length > len(record) - at:
                raise LdsError("dg4_length_wrong")
            found.append(Personal(record[at : at + length]))
            at += length
    if at != len(record):
        raise LdsError("dg4_length_wrong")
    return found
