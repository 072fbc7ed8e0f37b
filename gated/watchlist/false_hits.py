"""Known false hits: what stands for a document and a case on record, and what an officer signs of them.

A false hit belongs to one document and one case: an officer found that the holder of that document is not the
person of that case. What is written down of it is a *mark*, a keyed hash of both under a sub-key of a list
key: `KEY:HASH`, the id of the key before it. Whoever holds the key can tell for a document and a case whether
there is one; nobody can tell from a mark which they are.
"""

import hashlib
from collections.abc import Collection, Mapping
from typing import Annotated, Final, Literal, NamedTuple

import msgspec
from msgspec import Meta

from gated.core.events import FalseHitMark
from gated.core.settings import Name
from gated.core.values import Value
from gated.watchlist.keyed import ListKey, ListKeys
from gated.watchlist.match import DocumentClaim, Hit, normal_issuer, normal_number
from gated.watchlist.snapshot import ListError

MARK_BYTES: Final = 16
FORMAT: Literal["egate-false-hits/1"] = "egate-false-hits/1"
MAX_WORDS: Final = 50_000  # that gates share: some 15 MB of a gate's memory
MAX_SHARED: Final = 40_000_000  # bytes of their file


class Marking:
    """Makes the marks of documents and cases, under each of the keys that a gate holds."""

    def __init__(self, keys: ListKeys) -> None:
        self.keys = keys.ids
        self._keyed = tuple((each, _keyed(keys[each])) for each in keys.ids)

    def of(self, document: DocumentClaim, reference: str) -> tuple[str, ...]:
        """The marks of this document and case, in the order in which the keys are named."""
        number, issuer = normal_number(document.number.reveal()), normal_issuer(document.issuer)
        text = f"{issuer}/{number}/{reference}".encode()
        return tuple(f"{key_id}:{_hashed(keyed, text)}" for key_id, keyed in self._keyed)


def _keyed(key: ListKey) -> "hashlib.blake2b":
    return hashlib.blake2b(key=key.derive("false hit"), digest_size=MARK_BYTES)


def _hashed(keyed: "hashlib.blake2b", text: bytes) -> str:
    hashing = keyed.copy()
    hashing.update(text)
    return hashing.hexdigest()


def signed_text(
    reference: str, marks: tuple[str, ...], officer: str, said_at: float, *, withdrawn: bool
) -> bytes:
    """The exact bytes that an officer signs: one line for each thing that is said, the kind of it first."""
    what = "withdrawn" if withdrawn else "false"
    lines = ("egate officer false hit", what, reference, *marks, officer, f"{said_at:.3f}", "")
    return "\n".join(lines).encode()


class Word(Value):
    """An officer's word that was said at one gate, for the others."""

    marks: Annotated[tuple[FalseHitMark, ...], Meta(min_length=1, max_length=8)]
    gate: Name
    officer: Name
    said_at: Annotated[int, Meta(ge=0, le=2**40)]
    withdrawn: bool = False


class Shared(Value):
    """The words of all gates, as the centre publishes them."""

    format: Literal["egate-false-hits/1"]
    words: Annotated[tuple[Word, ...], Meta(max_length=MAX_WORDS)] = ()


class Said(NamedTuple):
    """What was said last of a mark: by whom, when (seconds since 1970), and whether it takes it back."""

    officer: str
    at: int
    withdrawn: int
    gate: str = ""
    """Where; empty: here."""


def parse_shared(raw: bytes) -> Shared:
    """Decode and check the words of all gates. Raises ListError."""
    if len(raw) > MAX_SHARED:
        raise ListError("false_hits_too_long")
    try:
        return msgspec.json.decode(raw, type=Shared)
    except (msgspec.MsgspecError, UnicodeError, RecursionError) as error:
        raise ListError("bad_false_hits") from error


def by_mark(shared: Shared, keys: Collection[str]) -> Mapping[bytes, Said]:
    """What was said last of each mark under one of these keys."""
    said: dict[bytes, Said] = {}
    for word in shared.words:
        told = Said(word.officer, word.said_at, int(word.withdrawn), word.gate)
        for mark in word.marks:
            if mark.partition(":")[0] in keys and newer(told, said.get(raw_mark(mark))):
                said[raw_mark(mark)] = told
    return said


def newer(said: Said, before: Said | None) -> bool:
    """Whether a word counts before another; of two of one second the one that takes back."""
    return before is None or (said.at, said.withdrawn) > (before.at, before.withdrawn)


def raw_mark(mark: str) -> bytes:
    """The hash of a mark alone: keys differ, so their hashes do."""
    return bytes.fromhex(mark.partition(":")[2])


def document_is_listed(hits: tuple[Hit, ...]) -> bool:
    """Whether the document itself is on the list; it vouches for nobody then, and all hits stand."""
    return any(hit.kind == "document" for hit in hits)


def doubtful(hits: tuple[Hit, ...]) -> tuple[str, ...]:
    """The cases that may be false hits: those of persons, where the document itself is not listed."""
    if document_is_listed(hits):
        return ()
    return tuple(dict.fromkeys(hit.reference for hit in hits if hit.kind == "person"))


def standing(hits: tuple[Hit, ...], false: Collection[str]) -> tuple[Hit, ...]:
    """The hits that are left when those on persons of these cases are set aside."""
    return tuple(hit for hit in hits if hit.kind != "person" or hit.reference not in false)
