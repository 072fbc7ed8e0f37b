"""LDIF (RFC 2849), the form in which the ICAO PKD is downloaded: the binary attributes of its entries."""

import base64
import binascii
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

from gated.document.errors import TrustError

MAX_LDIF = 128 * 1024 * 1024  # the PKD's collection of document signers is 75 MiB
MAX_OBJECTS = 100_000
MAX_OBJECT = 24 * 1024 * 1024

Kind = Literal["master_list", "certificate", "crl", "deviation_list"]

_ATTRIBUTES: dict[str, Kind] = {
    "pkdmasterlistcontent": "master_list",
    "cscamasterlistdata": "master_list",
    "usercertificate": "certificate",
    "cacertificate": "certificate",
    "certificaterevocationlist": "crl",
    "authorityrevocationlist": "crl",
    "pkddeviationlistcontent": "deviation_list",
    "deviationlistdata": "deviation_list",
}


@dataclass(frozen=True, slots=True, repr=False)
class Entry:
    """One binary object and the line of its attribute; `reason` says why it could not be decoded."""

    kind: Kind
    line: int
    raw: bytes
    reason: str = ""


def is_ldif(raw: bytes) -> bool:
    """Whether the bytes begin as LDIF does: with a version, a name, or a comment before them."""
    for line in raw[:4096].lstrip(b"\xef\xbb\xbf \r\n\t").splitlines():
        if not line.startswith((b"#", b" ")) and line.strip():
            return line.lower().startswith((b"version:", b"dn:"))
    return False


def parse_ldif(raw: bytes) -> tuple[Entry, ...]:
    """The objects of the kinds that are known, in order. Raises TrustError and nothing else."""
    if len(raw) > MAX_LDIF:
        raise TrustError("ldif_too_long")
    entries: list[Entry] = []
    for number, line in _unfolded(raw):
        name, colon, value = line.partition(b":")
        kind = _ATTRIBUTES.get(name.split(b";")[0].decode("ascii", "replace").lower())
        if not colon or kind is None:
            continue
        if len(value) > MAX_OBJECT * 4 // 3 or len(entries) == MAX_OBJECTS:
            raise TrustError("ldif_too_long")
        entries.append(_entry(kind, number, value))
    return tuple(entries)


def _entry(kind: Kind, line: int, value: bytes) -> Entry:
    """What stands behind the first colon: a second one, and base64."""
    try:
        if value.startswith(b":"):
            return Entry(kind, line, base64.b64decode(value[1:].strip(), validate=True))
    except (binascii.Error, ValueError):
        pass
    return Entry(kind, line, b"", "ldif_not_base64")


def _unfolded(raw: bytes) -> Iterator[tuple[int, bytes]]:
    """Logical lines with the number of their first: a line that begins with a space continues the last."""
    parts: list[bytes] = []
    first = 0
    for number, line in enumerate(raw.split(b"\n"), 1):
        text = line.removesuffix(b"\r")
        if text.startswith(b" "):
            parts.append(text[1:])
            continue
        if parts:
            yield first, b"".join(parts)
        parts, first = [text], number
    if parts:
        yield first, b"".join(parts)
