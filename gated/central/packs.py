"""Packed documents at the centre: made under the list key, published as a pack and as steps between versions.

Where `keys/list.key` is, documents leave the centre as keyed hashes only (`gated.watchlist.pack`). Each
version's pack is built whole from the list that was handed in, in `packs/`, and the step to it found by
comparing it with the pack before. Gates take steps; a pack is published anew when there are many steps or
large ones, and when the key changes. The packs of the last versions stay, so that a list can be withdrawn.

A hit's reference is a number under the key; `resolve` finds the entries that it stands for in a list.
"""

import hashlib
import os
from collections.abc import Iterable, Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path

from tuf.api.metadata import TargetFile

from gated.central.folder import CentralError, CentralFolder, write
from gated.central.intake import BadRow
from gated.central.repository import Repository, utc_text
from gated.store.document_pack import DocumentPack
from gated.store.list_keys import make_list_key, read_list_key
from gated.store.pack_build import Progress, build_pack, pack_changes, renumber_pack, untold
from gated.watchlist.changes import CHANGE_BYTES, MAX_CHANGES
from gated.watchlist.keyed import MAX_KEYS, DocumentHashes, ListKey, ListKeyError, ListKeys
from gated.watchlist.pack import Kind, PackHeader
from gated.watchlist.replica import Index, PublishedDelta, PublishedDocuments, PublishedPack
from gated.watchlist.snapshot import MAX_PERSONS, DocumentEntry, Entry, ListError, PersonEntry

KEPT_PACKS = 3  # versions: the published one, the one before, and one that waits for signatures
LARGE = 4  # steps that together exceed this part of the pack mean that a new pack is published
MOST = MAX_CHANGES * CHANGE_BYTES // 2  # bytes of steps: far from what no gate could take beside a pack
MAX_REPORTED = 100
_PIECE = 1 << 20


@dataclass(frozen=True)
class Prepared:
    """The pack of the next version, not published yet."""

    path: Path
    header: PackHeader
    key: ListKey


@dataclass
class Sieve:
    """Parts the rows of a list: documents go by, persons and bad rows stay here."""

    persons: set[Entry] = field(default_factory=set)
    bad: list[BadRow] = field(default_factory=list)
    bad_count: int = 0

    def documents(self, rows: Iterable[Entry | BadRow]) -> Iterator[DocumentEntry]:
        """Yield the documents. Raises CentralError: too many persons."""
        for row in rows:
            if isinstance(row, DocumentEntry):
                yield row
            elif isinstance(row, PersonEntry):
                self.persons.add(row)
                if len(self.persons) > MAX_PERSONS:
                    raise CentralError(f"at most {MAX_PERSONS} persons fit on a list")
            else:
                self.bad_count += 1
                self.bad += [row] if len(self.bad) < MAX_REPORTED else []


def list_key(folder: CentralFolder) -> ListKey | None:
    """The key that documents are packed under; None where they are published as they are."""
    path = _key_file(folder)
    try:
        return read_list_key(path) if path.exists() else None
    except ListKeyError as error:
        raise CentralError(str(error)) from error


def all_keys(folder: CentralFolder) -> list[ListKey]:
    """The list key, and those that were in its place before. Raises CentralError."""
    paths = sorted(folder.keys.glob("list-*.key"), key=lambda path: path.stat().st_mtime_ns, reverse=True)
    if _key_file(folder).exists():
        paths.insert(0, _key_file(folder))
    try:
        return [read_list_key(path) for path in paths[:MAX_KEYS]]
    except ListKeyError as error:
        raise CentralError(str(error)) from error


def new_list_key(folder: CentralFolder) -> ListKey:
    """Make the list key, or a new one in its place; the old one stays beside. Raises CentralError, OSError.

    Gates must have the new one before the next list is published: it is packed under it.
    """
    folder.require()
    path = _key_file(folder)
    with folder.locked():
        if (old := list_key(folder)) is not None:
            write(folder.keys / f"list-{old.id}.key", path.read_bytes(), 0o600)
            path.unlink()
        try:
            return make_list_key(path)
        except ListKeyError as error:
            raise CentralError(str(error)) from error


def prepare(
    folder: CentralFolder,
    index: Index | None,
    documents: Iterable[DocumentEntry],
    key: ListKey,
    *,
    name: str,
    now: datetime,
    progress: Progress = untold,
) -> Prepared:
    """Build the pack of the version after `index`. Raises CentralError, OSError."""
    version = index.version + 1 if index else 1
    before = _kinds(folder, version - 1, key)
    try:
        built = build_pack(
            _pack(folder, version),
            documents,
            key,
            name=name,
            version=version,
            created=utc_text(now),
            like=before,
            progress=progress,
        )
    except ListError as error:
        raise CentralError(f"the documents cannot be packed: {error.code}") from error
    return Prepared(_pack(folder, version), built.header, key)


def prepare_again(folder: CentralFolder, index: Index, now: datetime) -> Prepared:
    """Make the documents of the version before `index` those of the version after it. Raises CentralError."""
    before = _pack(folder, index.version - 1)
    key = list_key(folder)
    if key is None or not before.exists():
        raise CentralError("there is no list before this one: publish the right one instead")
    target = _pack(folder, index.version + 1)
    try:
        header = renumber_pack(
            before, target, ListKeys([key]), version=index.version + 1, created=utc_text(now)
        )
    except ListError as error:
        raise CentralError(f"{before}: cannot be published again ({error.code}): publish a list") from error
    return Prepared(target, header, key)


def is_unchanged(folder: CentralFolder, index: Index, prepared: Prepared | None) -> bool:
    """Whether these are the documents that are published now."""
    if prepared is None or index.documents is None:
        return prepared is None and index.documents is None
    before = _open(folder, index.version, prepared.key)
    if before is None:
        return False
    with closing(before):
        return before.header.digest == prepared.header.digest


def place(
    folder: CentralFolder, index: Index | None, prepared: Prepared, files: dict[str, TargetFile], keep: int
) -> tuple[PublishedDocuments, dict[str, TargetFile]]:
    """Lay in place what gates fetch: the step, and the pack where it is time. `files` are those of now.

    Returns what the index says of it, and the files. Raises OSError.
    """
    version = prepared.header.version
    steps: tuple[PublishedDelta, ...] = ()
    fresh: dict[str, TargetFile] = {}
    before = index.documents if index else None
    step = _step(folder, prepared) if before and keep else None
    if before and step is not None:
        target = TargetFile.from_data(f"watchlist/changes-{version - 1}-{version}.pack", step, ["sha256"])
        write(Repository(folder).file(target), step)
        fresh[target.path] = target
        added = PublishedDelta(path=target.path, length=len(step), base=version - 1, version=version)
        steps = (*before.steps, added)[-keep:]
    pack = before.pack if before and _still_serves(before.pack, steps, keep) else None
    if pack is None:
        target = _published(folder, prepared)
        fresh[target.path] = target
        pack = PublishedPack(path=target.path, length=target.length, version=version)
    documents = PublishedDocuments(pack=pack, steps=steps)
    wanted = {pack.path, *(each.path for each in steps)}
    return documents, {path: file for path, file in {**files, **fresh}.items() if path in wanted}


def packed_documents(folder: CentralFolder, index: Index | None) -> int:
    """How many documents of the published list are packed."""
    if index is None or index.documents is None:
        return 0
    pack = _open(folder, index.version, *all_keys(folder))
    if pack is None:
        return 0
    with closing(pack):
        return pack.header.documents


def sweep(folder: CentralFolder, version: int) -> None:
    """Remove packs that are too old to be published again."""
    for path in (folder.path / "packs").glob("*.pack"):
        if path.stem.isdigit() and int(path.stem) <= version - KEPT_PACKS:
            path.unlink()


def resolve(entries: Iterable[Entry], reference: str, keys: Iterable[ListKey]) -> Iterator[DocumentEntry]:
    """Yield the documents of a list that a hit's reference may stand for. Raises CentralError."""
    key_id, _, number = reference.partition(":")
    found = {key.id: key for key in keys}.get(key_id)
    if found is None:
        raise CentralError("that reference was made under a list key that is not here")
    hashes = DocumentHashes(found)
    for entry in entries:
        if isinstance(entry, DocumentEntry) and hashes.reference(entry.reference).hex() == number:
            yield entry


def _key_file(folder: CentralFolder) -> Path:
    return folder.keys / "list.key"


def _pack(folder: CentralFolder, version: int) -> Path:
    packs = folder.path / "packs"
    packs.mkdir(mode=0o700, exist_ok=True)
    return packs / f"{version}.pack"


def _open(folder: CentralFolder, version: int, *keys: ListKey) -> DocumentPack | None:
    """The pack of an earlier version; None where it is lost, or under another key."""
    try:
        return DocumentPack.open(_pack(folder, version), ListKeys(keys))
    except (ListError, OSError):
        return None


def _kinds(folder: CentralFolder, version: int, key: ListKey) -> Sequence[Kind]:
    before = _open(folder, version, key)
    if before is None:
        return ()
    with closing(before):
        return before.header.kinds


def _step(folder: CentralFolder, prepared: Prepared) -> bytes | None:
    """The step to the pack; None where there is no way from the one before."""
    before = _open(folder, prepared.header.version - 1, prepared.key)
    after = _open(folder, prepared.header.version, prepared.key)
    if before is None or after is None:
        return None
    with closing(before), closing(after):
        try:
            return pack_changes(before, after)
        except ListError:
            return None


def _still_serves(pack: PublishedPack, steps: tuple[PublishedDelta, ...], keep: int) -> bool:
    """Whether a gate without a list is well served by the pack and the steps since."""
    since = [step for step in steps if step.base >= pack.version]
    linked = bool(since) and since[0].base == pack.version
    together = sum(step.length for step in since)
    return linked and len(since) < keep and LARGE * together < pack.length and together < MOST


def _published(folder: CentralFolder, prepared: Prepared) -> TargetFile:
    """Publish the pack, under a second name of the same file."""
    digest, length = hashlib.sha256(), 0
    with prepared.path.open("rb") as file:
        while piece := file.read(_PIECE):
            digest.update(piece)
            length += len(piece)
    path = f"watchlist/documents-{prepared.header.version}.pack"
    target = TargetFile(length, {"sha256": digest.hexdigest()}, path)
    place = Repository(folder).file(target)
    place.unlink(missing_ok=True)
    os.link(prepared.path, place)
    return target
