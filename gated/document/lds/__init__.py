"""The logical data structure (Doc 9303-10): the files of the chip, bytes in, values out."""

from gated.document.lds.files import (
    Com,
    FaceImage,
    SecurityObject,
    face_image,
    face_images,
    parse_com,
    parse_dg1,
    parse_security_object,
    parse_sod,
)

__all__ = [
    "Com",
    "FaceImage",
    "SecurityObject",
    "face_image",
    "face_images",
    "parse_com",
    "parse_dg1",
    "parse_security_object",
    "parse_sod",
]
