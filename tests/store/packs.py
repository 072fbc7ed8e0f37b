"""Packs for tests: made of short document numbers, under one key, in a folder of their own."""

from collections.abc import Iterable, Sequence
from pathlib import Path

from gated.core.personal import Personal
from gated.store.documents import PACK, Documents
from gated.store.pack_build import Built, build_pack
from gated.watchlist.keyed import KEY_BYTES, ListKey, ListKeys
from gated.watchlist.match import DocumentClaim
from gated.watchlist.pack import Kind
from gated.watchlist.snapshot import DocumentEntry, Listed

KEY, OTHER_KEY = ListKey(b"k" * KEY_BYTES), ListKey(b"o" * KEY_BYTES)
KEYS = ListKeys([KEY])
CREATED = "2026-11-23T03:00:00Z"


def entry(
    number: str, grade: Listed = "stop", *, type_: str = "P", reason: str = "stolen", reference: str = ""
) -> DocumentEntry:
    return DocumentEntry(
        number=number,
        issuer="UTO",
        type=type_,
        grade=grade,
        reason=reason,
        reference=reference or f"R-{number}",
    )


def numbered(numbers: Iterable[int]) -> list[DocumentEntry]:
    return [entry(f"A{number:06}") for number in numbers]


def claim(number: str, issuer: str = "UTO", kind: str = "P<") -> DocumentClaim:
    return DocumentClaim(number=Personal(number), issuer=issuer, type=kind)


def pack_into(
    folder: Path,
    entries: Iterable[DocumentEntry],
    version: int = 1,
    *,
    name: str = "main",
    key: ListKey = KEY,
    like: Sequence[Kind] = (),
) -> Built:
    folder.mkdir(parents=True, exist_ok=True)
    return build_pack(folder / PACK, entries, key, name=name, version=version, created=CREATED, like=like)


def opened(
    folder: Path, entries: Iterable[DocumentEntry], version: int = 1, like: Sequence[Kind] = ()
) -> Documents:
    pack_into(folder, entries, version, like=like)
    return Documents.open(folder, KEYS)
