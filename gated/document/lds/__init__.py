"""The logical data structure (Doc 9303-10): the files of the chip, bytes in, values out.

Each function takes the raw bytes of one file, as the chip gave them, and raises LdsError and nothing else.
Nothing is trusted or hashed here: the hash of a data group is taken over its raw bytes, elsewhere. Pictures
are found, never decoded. `directory` lists the files.
"""

from gated.document.lds.com import Com, parse_com
from gated.document.lds.details import DocumentDetails, PersonalDetails, parse_dg11, parse_dg12
from gated.document.lds.displayed import DisplayedImage, parse_dg5, parse_dg7
from gated.document.lds.faces import FaceImage, face_image, face_images
from gated.document.lds.fingers import FingerImage, parse_dg3
from gated.document.lds.irises import parse_dg4
from gated.document.lds.master_file import AtrInfo, parse_atr_info, parse_dir
from gated.document.lds.persons import PersonToNotify, parse_dg16
from gated.document.lds.security_object import SecurityObject, parse_security_object, parse_sod
from gated.document.lds.texts import CalendarDate, FullName
from gated.document.lds.wrapped import parse_dg13, parse_dg14, parse_dg15
from gated.document.lds.zone import parse_dg1

__all__ = [
    "AtrInfo",
    "CalendarDate",
    "Com",
    "DisplayedImage",
    "DocumentDetails",
    "FaceImage",
    "FingerImage",
    "FullName",
    "PersonToNotify",
    "PersonalDetails",
    "SecurityObject",
    "face_image",
    "face_images",
    "parse_atr_info",
    "parse_com",
    "parse_dg1",
    "parse_dg3",
    "parse_dg4",
    "parse_dg5",
    "parse_dg7",
    "parse_dg11",
    "parse_dg12",
    "parse_dg13",
    "parse_dg14",
    "parse_dg15",
    "parse_dg16",
    "parse_dir",
    "parse_security_object",
    "parse_sod",
]
