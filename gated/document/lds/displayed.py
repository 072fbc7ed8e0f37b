"""DG5 and DG7: the portrait and the signature or mark as they are printed (Doc 9303-10, 4.7.5 and 4.7.7)."""

from dataclasses import dataclass

from gated.core.personal import Personal
from gated.document import tlv
from gated.document.errors import LdsError, TlvError
from gated.document.lds import pictures
from gated.document.lds.content import content_of
from gated.document.lds.directory import DG5, DG7, ElementaryFile

MAX_DISPLAYED = 9

_COUNT = 0x02


@dataclass(frozen=True, slots=True)
class DisplayedImage:
    """One encoded picture; `format` is what its first bytes say (see `pictures`)."""

    format: str
    image: Personal[bytes]


def parse_dg5(raw: bytes) -> tuple[DisplayedImage, ...]:
    """The displayed portraits. Raises LdsError(`dg5_malformed`)."""
    return _displayed(raw, DG5, 0x5F40)


def parse_dg7(raw: bytes) -> tuple[DisplayedImage, ...]:
    """The displayed signatures or usual marks. Raises LdsError(`dg7_malformed`)."""
    return _displayed(raw, DG7, 0x5F43)


def _displayed(raw: bytes, file: ElementaryFile, tag: int) -> tuple[DisplayedImage, ...]:
    content = content_of(raw, file)
    try:
        items = tlv.parse(content)
        count = tlv.only(items, _COUNT)
    except TlvError as error:
        raise LdsError(f"{file.name}_malformed") from error
    images = [item.value for item in items if item.tag == tag]
    if len(count) != 1 or count[0] != len(images) or not 1 <= len(images) <= MAX_DISPLAYED:
        raise LdsError(f"{file.name}_malformed")
    return tuple(DisplayedImage(pictures.picture_format(image), Personal(image)) for image in images)
