"""Known false hits: what stands for a document and a case on record, and what an officer signs of them.

A false hit belongs to one document and one case: an officer found that the holder of that document is not the
person of that case. What is written down of it is a *mark*, a keyed hash of both under a sub-key of a list
key: `KEY:HASH`, the id of the key before it. Whoever holds the key can tell for a document and a case whether
there is one; nobody can tell from a mark which they are.
"""

import hashlib
from collections.abc import Collection
from typing import Final

from gated.watchlist.keyed import ListKey, ListKeys
from gated.watchlist.match import DocumentClaim, Hit, normal_issuer, normal_number

MARK_BYTES: Final = 16


class Marking:
    """Makes the marks of documents and cases, under each of the keys that a gate holds."""

    def __init__(self, keys: ListKeys) -> None:
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
