"""SecurityInfos of one protocol, as DG14 lists them (Doc 9303-11 section 9.2)."""

from gated.document import tlv
from gated.document.errors import GenuineError, LdsError, TlvError
from gated.document.lds import parse_dg14
from gated.document.tlv import Tlv

MAX_INFOS = 64  # a chip with every protocol twice names some twenty


def infos_of(dg14: bytes, protocol: bytes) -> tuple[tuple[Tlv, ...], ...]:
    """What follows the identifier in each SecurityInfo of this protocol, `protocol` being its content octets.

    Takes the raw file. Raises GenuineError(`security_infos_malformed`, `dg14_malformed`).
    """
    try:
        infos = tlv.parse(tlv.parse_one(parse_dg14(dg14), 0x31).value, max_objects=MAX_INFOS)
        parts = [tlv.parse(info.value) for info in infos]
    except LdsError as error:
        raise GenuineError(error.code) from error
    except TlvError as error:
        raise GenuineError("security_infos_malformed") from error
    if any(info.tag != 0x30 for info in infos) or any(not part or part[0].tag != 0x06 for part in parts):
        raise GenuineError("security_infos_malformed")
    return tuple(part[1:] for part in parts if part[0].value == protocol)
