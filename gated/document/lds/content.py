"""The first step into every file: its one data object, with the right tag and within the file's cap."""

from gated.document import tlv
from gated.document.errors import LdsError, TlvError
from gated.document.lds.directory import ElementaryFile


def content_of(raw: bytes, file: ElementaryFile) -> bytes:
    """What the file's tag is around. Raises LdsError, named by the file: `dg11_malformed` ..."""
    try:
        return tlv.parse_one(raw, file.tag, max_length=file.max_length).value
    except TlvError as error:
        raise LdsError(f"{file.name}_malformed") from error
