"""The listed documents of one version: a pack, and beside it the changes since.

    documents.pack      as the centre made it; shared by all versions that began with it
    changes.pack        what came and went since, in memory while the list is in force; absent at first

A step is merged into new changes beside; the pack, which may be gigabytes, is never written by a gate.
"""

import os
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import Final, Self

from gated.core.vocabulary import Grade
from gated.store.document_pack import DocumentPack, silent
from gated.watchlist.changes import (
    CHANGE_BYTES,
    MAX_CHANGES,
    Changes,
    State,
    changed,
    merge,
    parse_changes,
)
from gated.watchlist.keyed import ListKeys
from gated.watchlist.match import DocumentClaim, Hit, type_fits
from gated.watchlist.pack import HEAD_SEAL_BYTES, MAX_HEADER, PREAMBLE_BYTES, Record
from gated.watchlist.snapshot import ListError

PACK, CHANGES = "documents.pack", "changes.pack"
MAX_CHANGES_FILE: Final = PREAMBLE_BYTES + MAX_HEADER + HEAD_SEAL_BYTES + MAX_CHANGES * CHANGE_BYTES


class Documents:
    """The documents of an open version. For any thread, until they are closed. Make it with `open`."""

    def __init__(self, folder: Path, pack: DocumentPack, overlay: Changes | None, keys: ListKeys) -> None:
        self.folder = folder
        self.pack = pack
        self._overlay = overlay
        self._keys = keys

    @classmethod
    def open(cls, folder: Path, keys: ListKeys) -> Self:
        """Open the documents in a version's folder. Raises ListError, OSError."""
        pack = DocumentPack.open(folder / PACK, keys)
        try:
            overlay = _overlay(folder / CHANGES, pack, keys)
        except BaseException:
            pack.close()
            raise
        return cls(folder, pack, overlay, keys)

    @property
    def name(self) -> str:
        """The list that they are of."""
        return self.pack.header.list

    @property
    def state(self) -> State:
        """Which documents are listed."""
        return self._overlay.header.after if self._overlay is not None else self.pack.state

    @property
    def created(self) -> str:
        """When this version was made, as the centre says."""
        return self._overlay.header.created if self._overlay is not None else self.pack.header.created

    @property
    def changes(self) -> int:
        """How many records came or went since the pack was made."""
        return len(self._overlay) if self._overlay is not None else 0

    def find(self, tag: bytes) -> set[Record]:
        """The records under this tag. Raises ListError where the file is damaged, OSError."""
        return changed(self.pack.find(tag), self._overlay.under(tag) if self._overlay is not None else ())

    def hits(self, claim: DocumentClaim) -> tuple[Hit, ...]:
        """What the document that lies on the reader is listed as. Raises ListError, OSError.

        A hit's reference is the key's id and the number of the case under that key: the centre resolves it.
        """
        tag = self.pack.hashes.tag(claim.number.reveal(), claim.issuer)
        return tuple(
            Hit(
                kind="document",
                grade=Grade(kind.grade),
                reason=kind.reason,
                reference=f"{self.pack.key.id}:{reference.hex()}",
            )
            for _, kind, reference in sorted(self.find(tag), key=_order)
            if type_fits(kind.type, claim.type)
        )

    def after(self, *steps: bytes) -> bytes:
        """The changes file once these steps are made, in their order. Raises ListError: one does not fit."""
        return merge(self.pack.state, self._overlay, self._parsed(steps), self.pack.find, self.pack.key)

    def _parsed(self, steps: Iterable[bytes]) -> Iterator[Changes]:
        for step in steps:
            parsed = parse_changes(step, self._keys)
            if parsed.header.list != self.name:
                raise ListError("another_list")
            yield parsed

    def verify(self, alive: Callable[[], None] = silent) -> None:
        """Check the whole pack. Raises ListError, OSError."""
        self.pack.verify(alive)

    def close(self) -> None:
        """Give the file back. Idempotent."""
        self.pack.close()


def _overlay(path: Path, pack: DocumentPack, keys: ListKeys) -> Changes | None:
    """The changes beside a pack; None where there are none. Raises ListError, OSError."""
    try:
        file = path.open("rb")
    except FileNotFoundError:
        return None
    with file:
        if os.fstat(file.fileno()).st_size > MAX_CHANGES_FILE:
            raise ListError("too_many_changes")
        overlay = parse_changes(file.read(MAX_CHANGES_FILE), keys)
    if (overlay.header.list, overlay.header.before) != (pack.header.list, pack.state):
        raise ListError("does_not_fit")
    return overlay


def _order(record: Record) -> tuple[str, str, str, bytes]:
    """An order that is the same at every gate."""
    kind = record.kind
    return kind.grade, kind.reason, kind.type, record.reference
