"""Where the chip keeps what: identifier, tag and cap of each file (Doc 9303-10, sections 3.6 and 4).

A cap is what a reading accepts as declared length, and what a parser accepts as file. A chip holds 64
to 180 KiB in all, so a file that declares more than its cap is not one that somebody could have stored. The
caps leave several times the room that files in circulation take; together they bound a reading in time.
"""

from dataclasses import dataclass

KIB = 1024


@dataclass(frozen=True, slots=True)
class ElementaryFile:
    """An elementary file, by the name that errors and records use (`dg2`).

    `tag` is that of the one data object which the file is; None where a series of objects stands in the file
    with nothing around them. `max_length` is of the whole file, in bytes. `number` is that of a data group.
    """

    name: str
    identifier: int
    tag: int | None
    max_length: int
    number: int | None = None
    in_application: bool = True
    _short: int | None = None

    @property
    def short_identifier(self) -> int:
        """The five bits by which READ BINARY can name the file without selecting it."""
        return self.identifier & 0x1F if self._short is None else self._short


# In the master file, for anyone to read. Two of the identifiers mean other files in the application.
CARD_ACCESS = ElementaryFile("card_access", 0x011C, 0x31, 4 * KIB, in_application=False)
CARD_SECURITY = ElementaryFile("card_security", 0x011D, 0x30, 16 * KIB, in_application=False)  # a CMS
ATR_INFO = ElementaryFile("atr_info", 0x2F01, None, KIB, in_application=False)
DIR = ElementaryFile(
    "dir", 0x2F00, None, KIB, in_application=False, _short=0x1E
)  # a template for each application

# In the eMRTD application.
COM = ElementaryFile("com", 0x011E, 0x60, KIB)
SOD = ElementaryFile("sod", 0x011D, 0x77, 64 * KIB)  # 2 KiB in use; several certificates of long keys fit
CVCA = ElementaryFile("cvca", 0x011C, None, 36)  # TR-03110-3, A.3.2.2: two references, filled up with zeros

_NEVER_DEFINED = 32 * KIB  # reserved or national groups: text or a small picture

_DATA_GROUPS = (
    (1, 0x61, 256),  # a zone of 90 characters at most
    (2, 0x75, 256 * KIB),  # portraits of 12 to 20 KiB, seldom above 60
    (3, 0x63, 256 * KIB),  # up to ten fingers of 10 to 15 KiB
    (4, 0x76, 128 * KIB),  # two irises
    (5, 0x65, 128 * KIB),  # portraits as displayed
    (6, 0x66, _NEVER_DEFINED),
    (7, 0x67, 128 * KIB),  # signatures as displayed
    (8, 0x68, _NEVER_DEFINED),
    (9, 0x69, _NEVER_DEFINED),
    (10, 0x6A, _NEVER_DEFINED),
    (11, 0x6B, 128 * KIB),  # text, and the image of a proof of citizenship
    (12, 0x6C, 256 * KIB),  # text, and the images of both sides of the page
    (13, 0x6D, _NEVER_DEFINED),
    (14, 0x6E, 16 * KIB),  # security infos; explicit domain parameters take a KiB each
    (15, 0x6F, 4 * KIB),  # one public key
    (16, 0x70, 16 * KIB),  # some persons with address and telephone
)

DATA_GROUPS = {
    number: ElementaryFile(f"dg{number}", 0x0100 | number, tag, cap, number)
    for number, tag, cap in _DATA_GROUPS
}
DG1, DG2, DG3, DG4, DG5, DG6, DG7, DG8, DG9, DG10, DG11, DG12, DG13, DG14, DG15, DG16 = DATA_GROUPS.values()

NUMBER_BY_TAG = {file.tag: number for number, file in DATA_GROUPS.items()}
