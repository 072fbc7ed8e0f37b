"""Distinguished names: one canonical form for every way to write a name, and one that people can read.

States write one name in several orders, cases, spacings and string types, sometimes with bytes that their
string type forbids. So a name is taken apart here, leniently, and compared in a form that keeps only
attribute types and folded text. A name protects nothing: the signature of whoever bears it does.
"""

import unicodedata
from functools import lru_cache

from gated.document import tlv
from gated.document.errors import TlvError, TrustError

COUNTRY = "2.5.4.6"
LOCALITY = "2.5.4.7"
PROVINCE = "2.5.4.8"
MAX_NAME = 4096
MAX_TEXT = 256  # of one attribute, as it is shown

CanonicalName = tuple[tuple[str, str], ...]

_SHORT = {
    "2.5.4.3": "CN",
    "2.5.4.5": "SERIALNUMBER",
    COUNTRY: "C",
    LOCALITY: "L",
    PROVINCE: "ST",
    "2.5.4.10": "O",
    "2.5.4.11": "OU",
    "0.9.2342.19200300.100.1.25": "DC",
    "1.2.840.113549.1.9.1": "E",
}
_CODECS = {0x0C: "utf-8", 0x1E: "utf-16-be", 0x1C: "utf-32-be"}
_TEXTS = {0x0C, 0x12, 0x13, 0x14, 0x16, 0x1A, 0x1C, 0x1E}


def canonical(name: bytes) -> CanonicalName:
    """Attributes by identifier and folded text, sorted: equal for every way to write the same name."""
    return tuple(sorted((kind, _fold(text)) for kind, text in _attributes(name)))


def readable(name: bytes) -> str:
    """The name in its own order, `C=DE, O=bund, CN=csca-germany`, unprintable characters as `?`."""
    return ", ".join(f"{_SHORT.get(kind, kind)}={_printable(text)}" for kind, text in _attributes(name))


def _attributes(name: bytes) -> list[tuple[str, str]]:
    """Type and text of every attribute of a DER coded Name. Raises TrustError(`name_malformed`)."""
    try:
        sets = tlv.parse(tlv.parse_one(name, 0x30, max_length=MAX_NAME).value)
        pairs = [tlv.parse(item.value) for one in sets if one.tag == 0x31 for item in tlv.parse(one.value)]
        if any(one.tag != 0x31 for one in sets):
            raise TrustError("name_malformed")
    except TlvError as error:
        raise TrustError("name_malformed") from error
    found = []
    for pair in pairs:
        if len(pair) != 2 or pair[0].tag != 0x06:
            raise TrustError("name_malformed")
        found.append((dotted(pair[0].value), _text(pair[1])))
    return found


@lru_cache(maxsize=512)
def dotted(coded: bytes) -> str:
    """An object identifier as people write it. Raises TrustError(`oid_malformed`)."""
    if not coded or len(coded) > 32 or coded[-1] & 0x80:
        raise TrustError("oid_malformed")
    arcs, value = [], 0
    for byte in coded:
        value = value << 7 | byte & 0x7F
        if not byte & 0x80:
            arcs.append(value)
            value = 0
    first = min(arcs[0] // 40, 2)
    return ".".join(map(str, (first, arcs[0] - 40 * first, *arcs[1:])))


def _text(value: tlv.Tlv) -> str:
    """The text of a string of any type; bytes that its type forbids are taken as Latin-1."""
    if value.tag not in _TEXTS:
        return f"#{value.tag:02x}{value.value.hex()}"
    try:
        return value.value.decode(_CODECS.get(value.tag, "utf-8"))
    except UnicodeDecodeError:
        return value.value.decode("latin-1")


def _fold(text: str) -> str:
    return " ".join(unicodedata.normalize("NFKC", text).casefold().split())


def _printable(text: str) -> str:
    return "".join(letter if letter.isprintable() else "?" for letter in text[:MAX_TEXT])
