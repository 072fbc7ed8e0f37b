"""DG2: portraits (Doc 9303-10, section 4.7.2), from whichever record standard they are stored by.

Which portrait counts: the first. "If there is more than one", the section has the most recent encoding that
every state can read stand first; so later ones are told of, but never taken because the first is no good.
"""

from dataclasses import dataclass

from gated.core.personal import Personal
from gated.document.errors import LdsError, TlvError
from gated.document.lds import face_blocks, face_records, pictures
from gated.document.lds.directory import DG2
from gated.document.lds.templates import Template, parse_templates

MAX_IMAGES = 16  # in all; portraits in use are one, seldom two

_FORMAT_TYPES = {0x0008: "19794-5", 0x002A: "39794-5"}  # of SC 37


@dataclass(frozen=True, slots=True)
class FaceImage:
    """One encoded portrait, undecoded. `format` is what its first bytes say: see `pictures`.

    `width` and `height` are what the record declares, in pixels, and 0 where it does not; a decoder must not
    believe them. `record` is the standard of the record (`19794-5:2005`), and `as_claimed` says whether the
    template's header names the same.
    """

    format: str
    width: int
    height: int
    image: Personal[bytes]
    record: str = face_records.OF_2005
    as_claimed: bool = True


def face_image(raw: bytes) -> FaceImage:
    """The portrait of DG2 to compare with: the first.

    Raises LdsError as `face_images` does, and for a first picture that is no portrait a gate decodes:
    `dg2_png_unsupported`, `dg2_jpeg_ls_unsupported`, `dg2_wsq_unsupported`, `dg2_not_an_image`.
    """
    image = face_images(raw)[0]
    if image.format == pictures.UNKNOWN:
        raise LdsError("dg2_not_an_image")
    if image.format not in pictures.PORTRAITS:
        raise LdsError(f"dg2_{image.format}_unsupported")
    return image


def face_images(raw: bytes) -> tuple[FaceImage, ...]:
    """All portraits of DG2 in order, at least one, whatever pictures they are.

    Raises LdsError: `dg2_malformed`, `dg2_length_wrong`, `dg2_format_unsupported`, `dg2_no_image`.
    """
    images: list[FaceImage] = []
    for template in parse_templates(raw, DG2):
        images += _portraits(template)
        if len(images) > MAX_IMAGES:
            raise LdsError("dg2_malformed")
    if not images:
        raise LdsError("dg2_no_image")
    return tuple(images)


def _portraits(template: Template) -> list[FaceImage]:
    block = template.block
    try:
        if block.startswith(face_records.FORMAT):
            record, found = face_records.parse(block, MAX_IMAGES)
        elif block[:1] in face_blocks.BEGINNINGS:
            record, found = face_blocks.EDITION, face_blocks.parse(block)
        else:
            raise LdsError("dg2_format_unsupported")
    except TlvError as error:
        raise LdsError("dg2_malformed") from error
    claimed = _FORMAT_TYPES.get(template.claimed_format or 0, "")
    as_claimed = bool(claimed) and record.startswith(claimed)
    return [
        FaceImage(pictures.picture_format(image), width, height, Personal(image), record, as_claimed)
        for width, height, image in found
    ]
