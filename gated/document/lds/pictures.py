"""What an encoded picture is by its first bytes; no label beside it is believed. Nothing is decoded."""

JPEG, JPEG_2000, JPEG_LS, PNG, WSQ, UNKNOWN = "jpeg", "jpeg2000", "jpeg_ls", "png", "wsq", "unknown"
PORTRAITS = frozenset({JPEG, JPEG_2000})  # what ISO/IEC 19794-5 and 39794-5 let a portrait be

_BEGINNINGS = (
    (bytes.fromhex("FFD8FFF7"), JPEG_LS),  # ISO/IEC 14495-1: its frame header comes first,
    (bytes.fromhex("FFD8FFF8"), JPEG_LS),  # or its preset parameters
    (bytes.fromhex("FFD8FF"), JPEG),
    (bytes.fromhex("0000000C6A5020200D0A870A"), JPEG_2000),  # a JP2 file
    (bytes.fromhex("FF4FFF51"), JPEG_2000),  # its code stream alone
    (bytes.fromhex("89504E470D0A1A0A"), PNG),
    (bytes.fromhex("FFA0"), WSQ),  # fingerprints: the start of a wavelet scalar quantised image
)


def picture_format(picture: bytes) -> str:
    """`jpeg`, `jpeg2000`, `jpeg_ls`, `png`, `wsq`, or `unknown` for what begins otherwise."""
    return next((name for start, name in _BEGINNINGS if picture.startswith(start)), UNKNOWN)
