"""Face image data blocks of ISO/IEC 39794-5: tagged binary (DER of the standard's ASN.1 module).

    FaceImageDataBlock         [APPLICATION 5] { versionBlock [0], representationBlocks [1] }
    RepresentationBlock        { representationId [0], imageRepresentation [1], ... landmarkBlocks [9] ... }
    ImageRepresentation        base [0] or extensionBlock [1]
    base                       imageRepresentation2DBlock [0] or shapeRepresentation3DBlock [1]
    ImageRepresentation2DBlock { representationData2D [0] OCTET STRING, imageInformation2DBlock [1], ... }
    ImageInformation2DBlock    { imageDataFormat [0], ... imageSizeBlock [7] { width [0], height [1] }, ... }

The standard lets every block grow by fields with new tags; those are passed over.
"""

from gated.document import tlv
from gated.document.errors import LdsError
from gated.document.lds.templates import blocks_of

EDITION = "39794-5"
BEGINNINGS = (b"\xa1", b"\x65")  # the passport profile's wrapping, or the bare block

_DATA_BLOCK = 0x65
_REPRESENTATION, _BASE, _IMAGE_2D = 0xA1, 0xA0, 0xA0
_PICTURE, _INFORMATION, _SIZE = 0x80, 0xA1, 0xA7
_WIDTH, _HEIGHT = 0x80, 0x81


def parse(block: bytes) -> list[tuple[int, int, bytes]]:
    """Width and height (0 where not declared) and picture of each representation.

    Raises TlvError for what is not so structured, and LdsError(`dg2_format_unsupported`) for a
    representation that is no plane image.
    """
    return [_picture(representation.value) for representation in blocks_of(block, _DATA_BLOCK)]


def _picture(representation: bytes) -> tuple[int, int, bytes]:
    base = tlv.parse_one(tlv.only(tlv.parse(representation), _REPRESENTATION))
    image = tlv.parse_one(base.value) if base.tag == _BASE else base
    if base.tag != _BASE or image.tag != _IMAGE_2D:
        raise LdsError("dg2_format_unsupported")
    fields = tlv.parse(image.value)
    information = tlv.parse(tlv.only(fields, _INFORMATION))
    width = height = 0
    if any(field.tag == _SIZE for field in information):
        size = tlv.parse(tlv.only(information, _SIZE))
        width, height = (_pixels(tlv.only(size, tag)) for tag in (_WIDTH, _HEIGHT))
    return width, height, tlv.only(fields, _PICTURE)


def _pixels(value: bytes) -> int:
    """An INTEGER (0..65535)."""
    number = int.from_bytes(value, "big", signed=True)
    if not 0 <= number <= 0xFFFF:
        raise LdsError("dg2_malformed")
    return number
