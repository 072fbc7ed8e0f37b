"""The optional data groups of a simulated chip (Doc 9303-10, sections 4.7.3 to 4.7.16), each as one file.

`everything` makes a set of all of them for one person: what a chip that leaves nothing out has to offer.
"""

from collections.abc import Mapping, Sequence
from datetime import date
from typing import Literal

from gated.document.tlv import encode

FingerStandard = Literal["19794-4:2005", "19794-4:2011", "39794-4"]

WSQ_LIKE = bytes.fromhex("FFA0FFA4003A") + bytes(3000)  # begins like a fingerprint picture; nobody decodes it

DG3, DG5, DG7 = 0x0103, 0x0105, 0x0107
DG11, DG12, DG13, DG16 = 0x010B, 0x010C, 0x010D, 0x0110

_FINGER_FORMATS = {"19794-4:2005": "0007", "19794-4:2011": "0007", "39794-4": "0028"}
_PPI = (500).to_bytes(2, "big")
_SIDE = (320).to_bytes(2, "big")


def dg3(
    fingers: Sequence[tuple[int, bytes]], standard: FingerStandard = "19794-4:2005", *, random: bytes = b""
) -> bytes:
    """EF.DG3: a template for each finger, by position and picture. `random` fills a group without fingers."""
    templates = b""
    for position, picture in fingers:
        header = encode(0x81, b"\x08") + encode(0x87, bytes.fromhex("0101"))
        header += encode(0x88, bytes.fromhex(_FINGER_FORMATS[standard]))
        block = finger_record([(position, picture)], standard)
        tag = 0x7F2E if standard == "39794-4" else 0x5F2E
        templates += encode(0x7F60, encode(0xA1, header) + encode(tag, block))
    filler = encode(0x53, random) if random else b""
    return encode(0x63, encode(0x7F61, encode(0x02, bytes([len(fingers)])) + templates + filler))


def finger_record(fingers: Sequence[tuple[int, bytes]], standard: FingerStandard) -> bytes:
    """The biometric data block with these fingers."""
    if standard == "39794-4":
        blocks = b"".join(encode(0x30, _representation(*finger)) for finger in fingers)
        version = encode(0x80, b"\x03") + encode(0x81, (2019).to_bytes(2, "big"))
        return encode(0xA1, encode(0x64, encode(0xA0, version) + encode(0xA1, blocks)))
    if standard == "19794-4:2011":
        views = b"".join(_with_length(_view_of_2011(*finger)) for finger in fingers)
        length, count = (16 + len(views)).to_bytes(4, "big"), len(fingers).to_bytes(2, "big")
        return b"FIR\x00020\x00" + length + count + bytes([0, len(fingers)]) + views
    views = b"".join(_with_length(_view_of_2005(*finger)) for finger in fingers)
    length = (32 + len(views)).to_bytes(6, "big")
    device = bytes(2) + (31).to_bytes(2, "big") + bytes([len(fingers), 1]) + _PPI * 4 + bytes([8, 2, 0, 0])
    return b"FIR\x00010\x00" + length + device + views


def displayed(fid: int, images: Sequence[bytes]) -> bytes:
    """EF.DG5 (portraits) or EF.DG7 (signatures) as printed."""
    group, tag = {DG5: (0x65, 0x5F40), DG7: (0x67, 0x5F43)}[fid]
    pictures = b"".join(encode(tag, image) for image in images)
    return encode(group, encode(0x02, bytes([len(images)])) + pictures)


def details(fid: int, elements: Mapping[int, bytes], names: Sequence[str] = ()) -> bytes:
    """EF.DG11 or EF.DG12 from its elements, and the names of other names or persons in their container."""
    group, tag = {DG11: (0x6B, 0x5F0F), DG12: (0x6C, 0x5F1A)}[fid]
    listed = b"".join(element.to_bytes(2, "big") for element in elements) + (b"\xa0" if names else b"")
    content = encode(0x5C, listed) + b"".join(encode(key, value) for key, value in elements.items())
    if names:
        inner = b"".join(encode(tag, name.encode()) for name in names)
        content += encode(0xA0, encode(0x02, bytes([len(names)])) + inner)
    return encode(group, content)


def dg13(content: bytes) -> bytes:
    """EF.DG13: whatever the issuer likes."""
    return encode(0x6D, content)


def dg16(persons: Sequence[tuple[date, str, str, str]]) -> bytes:
    """EF.DG16: for each person the day of recording, name, telephone and address."""
    templates = b""
    for number, (day, name, telephone, address) in enumerate(persons, start=1):
        content = encode(0x5F50, f"{day:%Y%m%d}".encode()) + encode(0x5F51, name.encode())
        content += encode(0x5F52, telephone.encode()) + encode(0x5F53, address.encode())
        templates += encode(0xA0 + number, content)
    return encode(0x70, encode(0x02, bytes([len(persons)])) + templates)


def everything(surname: str, given_names: str, birth: date, picture: bytes) -> dict[int, bytes]:
    """DG3, DG5, DG7, DG11 to DG13 and DG16 by file identifier; `picture` is both portrait and mark."""
    name = f"{surname}<<{given_names.replace(' ', '<')}"
    personal = {
        0x5F0E: name.encode(),
        0x5F10: b"UTO-0042",
        0x5F2B: f"{birth:%Y%m%d}".encode(),
        0x5F11: "Zürich<Utopia".encode(),
        0x5F42: b"1 Harbour Street<Port Utopia",
        0x5F12: b"+999 1 234",
        0x5F13: b"Cartographer",
    }
    document = {0x5F19: b"Ministry of Passports", 0x5F26: bytes.fromhex("20240101"), 0x5F56: b"P-7"}
    return {
        DG3: dg3([(2, WSQ_LIKE), (7, WSQ_LIKE)]),
        DG5: displayed(DG5, [picture]),
        DG7: displayed(DG7, [picture]),
        DG11: details(DG11, personal, [name]),
        DG12: details(DG12, document, ["TRAVELLER<<CHILD"]),
        DG13: dg13(encode(0x5F7F, b"Utopia")),
        DG16: dg16([(date(2024, 1, 1), "TRAVELLER<<NEXT OF KIN", "+999 1 235", "Port Utopia")]),
    }


def _with_length(content: bytes) -> bytes:
    return (4 + len(content)).to_bytes(4, "big") + content


def _view_of_2005(position: int, picture: bytes) -> bytes:
    return bytes([position, 1, 1, 100, 0]) + _SIDE * 2 + b"\0" + picture


def _view_of_2011(position: int, picture: bytes) -> bytes:
    head = bytes(9) + bytes(5) + b"\0"  # capture time, device, no score
    about = bytes([position, 1, 1]) + _PPI * 4 + bytes([8, 2, 0]) + _SIDE * 2
    return head + about + len(picture).to_bytes(4, "big") + picture


def _representation(position: int, picture: bytes) -> bytes:
    """Position, plain contact impression, WSQ, and the picture."""
    codes = (position, 0, 1)
    fields = b"".join(encode(0xA0 + at, encode(0x80, bytes([code]))) for at, code in enumerate(codes))
    return fields + encode(0x83, picture)
