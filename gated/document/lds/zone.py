"""DG1: the machine-readable zone (Doc 9303-10, section 4.7.1)."""

from gated.document import tlv
from gated.document.errors import LdsError, TlvError
from gated.document.lds.content import content_of
from gated.document.lds.directory import DG1
from gated.document.mrz import Mrz, MrzError, parse

_FORMATS = {"TD1", "TD2", "TD3"}  # of travel documents; there are no chips in visas and old French cards


def parse_dg1(raw: bytes) -> Mrz:
    """Raises LdsError: `dg1_malformed`, or `dg1_mrz_wrong` for what is no good zone."""
    content = content_of(raw, DG1)
    try:
        zone = tlv.parse_one(content, 0x5F1F).value
    except TlvError as error:
        raise LdsError("dg1_malformed") from error
    try:
        mrz = parse(zone)
    except MrzError as error:
        raise LdsError("dg1_mrz_wrong") from error
    if mrz.text.encode() != zone:  # the chip has no serial line whose habits could be forgiven
        raise LdsError("dg1_mrz_wrong")
    if mrz.format not in _FORMATS:
        raise LdsError("dg1_mrz_wrong")
    return mrz
