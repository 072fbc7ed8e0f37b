"""Publishing a list: the next snapshot, the delta to it, the index, and the signatures over them.

Files are written first and signed last (`Repository`), so a gate sees the old state or the new one. The
snapshot's lines are sorted, so the delta comes from reading two files side by side. Old deltas stay while a
gate may still take them: a chain of `keep` deltas, then the snapshot is the way. The snapshot before stays,
too, so that a list can be withdrawn: its content is then published again, under a higher number.
"""

import hashlib
import os
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

import msgspec
from tuf.api.metadata import TargetFile

from gated.central.folder import CentralError, CentralFolder, write
from gated.central.intake import BadRow, read_list
from gated.central.packs import (
    Prepared,
    Sieve,
    is_unchanged,
    list_key,
    place,
    prepare,
    prepare_again,
    sweep,
)
from gated.central.repository import Lifetimes, Repository, utc_text
from gated.core.settings import Name
from gated.core.values import Value
from gated.watchlist.delta import delta_header, difference
from gated.watchlist.replica import (
    INDEX,
    MAX_PUBLISHED,
    Index,
    PublishedDelta,
    PublishedDocuments,
    PublishedSnapshot,
    parse_index,
)
from gated.watchlist.snapshot import (
    MAX_DOCUMENTS,
    MAX_PERSONS,
    DocumentEntry,
    Entry,
    Header,
    parse_header,
    read_snapshot,
    snapshot_lines,
    split,
)

MAX_REPORTED = 100
KEEP_DELTAS = 200  # more than a week of hourly lists: who comes back after one takes deltas


class Published(Value):
    """What a publication did. With bad rows and no leave to skip them nothing was published.

    `staged`: it waits for signatures, and for `gate-central publish`.
    """

    list: str
    version: int
    documents: int
    persons: int
    delta_bytes: int
    snapshot_bytes: int
    unchanged: bool
    staged: bool = False
    bad_rows: tuple[BadRow, ...] = ()
    more_bad_rows: int = 0
    passed_over: int = 0
    """Entities of FollowTheMoney that stand for no person or paper."""


class BadRows(CentralError):
    """The list has rows that cannot be taken."""

    def __init__(self, source: Path, rows: list[BadRow], count: int) -> None:
        super().__init__(
            f"{source}: {count} rows cannot be taken: correct them, or leave them out with --skip-bad"
        )
        self.rows = rows
        self.count = count


def publish(
    folder: CentralFolder,
    source: Path,
    now: datetime,
    *,
    name: str = "main",
    lifetimes: Lifetimes | None = None,
    keep: int = KEEP_DELTAS,
    skip_bad: bool = False,
    stage: bool = False,
    keys: tuple[Path, ...] = (),
    rows: Iterable[Entry | BadRow] | None = None,
    may_be_empty: bool = True,
) -> Published:
    """Publish the list in `source` as the next version, or stage it. Raises CentralError, BadRows, OSError.

    `rows` are those of the source, where it is no file of `read_list`. Unless it `may_be_empty`, a list
    without an entry is refused: a query that went wrong must not free everybody.
    """
    folder.require()
    try:
        msgspec.convert(name, Name)
    except msgspec.ValidationError:
        raise CentralError("the list's name: small letters, digits and hyphens, at most 63") from None
    rows = read_list(source) if rows is None else rows
    prepared: Prepared | None = None
    if (key := list_key(folder)) is not None:
        # A pack of 10^8 documents takes minutes: outside the lock, so that the server goes on vouching.
        sieve = Sieve()
        index = current_index(folder)
        prepared = prepare(folder, index, sieve.documents(rows), key, name=name, now=now)
        entries, bad, count = sieve.persons, sieve.bad, sieve.bad_count
    else:
        entries, bad, count = _take(source, rows)
    if bad and not skip_bad:
        raise BadRows(source, bad, count)
    if not (may_be_empty or entries or (prepared and prepared.header.documents)):
        raise CentralError(f"{source}: has no entry: if nobody is to be listed any more, say so with --empty")
    with folder.locked():
        publication = _Publication(Repository(folder, keys), now, lifetimes or Lifetimes(), keep, stage)
        published = _publish(folder, name, entries, publication, prepared)
    return msgspec.structs.replace(published, bad_rows=tuple(bad), more_bad_rows=count - len(bad))


def withdraw_list(
    folder: CentralFolder, now: datetime, lifetimes: Lifetimes | None = None, keys: tuple[Path, ...] = ()
) -> Published:
    """Publish the list before the present one again, as the next version. Raises CentralError."""
    folder.require()
    with folder.locked():
        repository = Repository(folder, keys)
        index = current_index(folder)
        before = (
            repository.targets("watchlist").targets.get(_snapshot_path(index.version - 1)) if index else None
        )
        if index is None or before is None:
            raise CentralError("there is no list before this one: publish the right one instead")
        with repository.file(before).open("rb") as file:
            _, entries = read_snapshot(split(file))
            content = set(entries)
        prepared = prepare_again(folder, index, now) if index.documents else None
        publication = _Publication(repository, now, lifetimes or Lifetimes(), KEEP_DELTAS, stage=False)
        return _publish(folder, index.list, content, publication, prepared)


def current_index(folder: CentralFolder) -> Index | None:
    """What is published now; None before the first publication. Raises CentralError, ListError."""
    repository = Repository(folder)
    target = repository.targets("watchlist").targets.get(INDEX)
    return parse_index(repository.file(target).read_bytes()) if target else None


def current_header(folder: CentralFolder) -> Header | None:
    """The header of the list that is published now."""
    repository = Repository(folder)
    index = current_index(folder)
    return (
        _header(repository.file(repository.targets("watchlist").targets[index.snapshot.path]))
        if index
        else None
    )


@dataclass(frozen=True)
class _Publication:
    """How the next version is to be signed."""

    repository: Repository
    now: datetime
    lifetimes: Lifetimes
    keep: int
    stage: bool

    def conclude(self, files: dict[str, TargetFile]) -> None:
        if self.stage:
            self.repository.stage("watchlist", files, self.now, self.lifetimes)
        else:
            self.repository.publish("watchlist", files, self.now, self.lifetimes)


def _take(source: Path, rows: Iterable[Entry | BadRow]) -> tuple[set[Entry], list[BadRow], int]:
    entries: set[Entry] = set()
    bad: list[BadRow] = []
    count = 0
    for row in rows:
        if isinstance(row, BadRow):
            count += 1
            bad += [row] if len(bad) < MAX_REPORTED else []
        else:
            entries.add(row)
    documents = sum(isinstance(entry, DocumentEntry) for entry in entries)
    if documents > MAX_DOCUMENTS or len(entries) - documents > MAX_PERSONS:
        raise CentralError(
            f"{source}: at most {MAX_DOCUMENTS} documents and {MAX_PERSONS} persons fit on a list"
        )
    return entries, bad, count


def _publish(
    folder: CentralFolder,
    name: str,
    entries: set[Entry],
    publication: _Publication,
    prepared: Prepared | None = None,
) -> Published:
    repository, now = publication.repository, publication.now
    files = dict(repository.targets("watchlist").targets)
    index = current_index(folder)
    if index and index.list != name:
        raise CentralError(f"this folder publishes the list {index.list}: use another folder for {name}")
    before = repository.file(files[index.snapshot.path]) if index else None
    version = index.version + 1 if index else 1
    if prepared and prepared.header.version != version:
        raise CentralError("somebody else has published meanwhile: look at the list, and publish again")
    packed = prepared.header.documents if prepared else 0
    snapshot = _place(
        folder, f"snapshot-{version}.jsonl", snapshot_lines(name, version, utc_text(now), entries)
    )
    after = repository.file(snapshot)
    same = index and before and _header(before).digest == _header(after).digest
    if index and before and same and is_unchanged(folder, index, prepared):
        after.unlink()
        if prepared:
            prepared.path.unlink()
        if not publication.stage:
            publication.conclude(files)
        return _report(_header(before), 0, index.snapshot.length, packed, unchanged=True)
    deltas = list(index.deltas) if index else []
    delta = _place(folder, f"delta-{version - 1}-{version}.jsonl", _delta(before, after)) if before else None
    if delta:
        files[delta.path] = delta
        deltas.append(PublishedDelta(path=delta.path, length=delta.length, base=version - 1, version=version))
    deltas = deltas[max(0, len(deltas) - publication.keep) :]
    kept = {each.path: files[each.path] for each in deltas}
    if index:
        kept[index.snapshot.path] = files[index.snapshot.path]
    kept[snapshot.path] = snapshot
    documents: PublishedDocuments | None = None
    delta_bytes, snapshot_bytes = delta.length if delta else 0, snapshot.length
    if prepared:
        documents, packs = place(folder, index, prepared, files, publication.keep)
        kept |= packs
        delta_bytes += sum(step.length for step in documents.steps if step.version == version)
        snapshot_bytes += documents.pack.length
    kept[INDEX] = _place_index(folder, name, version, now, snapshot, deltas, documents)
    publication.conclude(kept)
    sweep(folder, version)
    report = _report(_header(after), delta_bytes, snapshot_bytes, packed, unchanged=False)
    return msgspec.structs.replace(report, staged=publication.stage)


def _snapshot_path(version: int) -> str:
    return f"watchlist/snapshot-{version}.jsonl"


def _report(
    header: Header, delta_bytes: int, snapshot_bytes: int, packed: int, *, unchanged: bool
) -> Published:
    return Published(
        list=header.list,
        version=header.version,
        documents=header.documents + packed,
        persons=header.persons,
        delta_bytes=delta_bytes,
        snapshot_bytes=snapshot_bytes,
        unchanged=unchanged,
    )


def _place_index(
    folder: CentralFolder,
    name: str,
    version: int,
    now: datetime,
    snapshot: TargetFile,
    deltas: list[PublishedDelta],
    documents: PublishedDocuments | None,
) -> TargetFile:
    index = Index(
        list=name,
        version=version,
        created=utc_text(now),
        snapshot=PublishedSnapshot(path=snapshot.path, length=snapshot.length),
        deltas=tuple(deltas),
        documents=documents,
    )
    raw = msgspec.json.encode(index)
    file = TargetFile.from_data(INDEX, raw, ["sha256"])
    write(Repository(folder).file(file), raw)
    return file


def _place(folder: CentralFolder, name: str, lines: Iterable[bytes]) -> TargetFile:
    """Write lines as a published file; its name carries its hash. Raises CentralError when it is too long."""
    spare = folder.targets / "watchlist" / f".new-{name}"
    digest, length = hashlib.sha256(), 0
    with spare.open("wb") as file:
        for line in lines:
            file.write(line + b"\n")
            digest.update(line + b"\n")
            length += len(line) + 1
        file.flush()
        os.fsync(file.fileno())
    if length > MAX_PUBLISHED:
        spare.unlink()
        raise CentralError(f"the list takes {length} bytes; one file holds at most {MAX_PUBLISHED}")
    target = TargetFile(length, {"sha256": digest.hexdigest()}, f"watchlist/{name}")
    spare.replace(Repository(folder).file(target))
    return target


def _delta(before: Path, after: Path) -> Iterator[bytes]:
    with before.open("rb") as old, after.open("rb") as new:
        olds, news = split(old), split(new)
        yield delta_header(
            parse_header(next(olds, None), "snapshot"), parse_header(next(news, None), "snapshot")
        )
        yield from difference(olds, news)


def _header(snapshot: Path) -> Header:
    with snapshot.open("rb") as file:
        return parse_header(next(split(file), None), "snapshot")
