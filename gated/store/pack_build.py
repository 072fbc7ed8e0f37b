"""Making a pack of any size in bounded memory, and the changes between two packs.

Records are sorted by buckets: as they come they go into 256 shards by the first byte of their tags, which lie
in unnamed files beside the target when they are many; then shard after shard is sorted, sealed and written.
Tags are spread evenly, so 10^8 documents make shards of 390,000. Nothing but keyed hashes ever touches the
disk. A pack that is not finished does not yet bear the target's name.
"""

import os
import shutil
import tempfile
from bisect import bisect_left
from collections.abc import Callable, Iterable, Iterator, Sequence
from operator import eq
from pathlib import Path
from typing import IO, Final, Literal

import msgspec

from gated.core.values import Value
from gated.store.document_pack import DocumentPack
from gated.store.documents import Documents
from gated.watchlist.changes import Change, after_changes, encode_changes
from gated.watchlist.keyed import TAG_BYTES, DocumentHashes, ListKey, ListKeys
from gated.watchlist.match import normal_issuer
from gated.watchlist.pack import (
    FANOUT,
    FORMAT,
    MAX_BUCKET,
    MAX_KINDS,
    PREAMBLE_BYTES,
    RECORD,
    RECORD_BYTES,
    Kind,
    PackHeader,
    Record,
    Seals,
    Tally,
    bits_for,
    encode_head,
    header_length,
    layout,
    split_records,
)
from gated.watchlist.snapshot import MAX_DOCUMENTS, DocumentEntry, ListError

SHARDS: Final = 256
IN_MEMORY: Final = 4_096 * RECORD_BYTES  # of one shard, before it goes to disk; 15 MiB of all
TOLD_EVERY: Final = 100_000  # documents

Stage = Literal["taken", "sorted"]
Progress = Callable[[Stage, int], None]
"""Hears, now and then, how many documents were taken, and then how many of them are sorted."""


class Built(Value):
    """A finished pack. `doubles` came more than once, and count once."""

    header: PackHeader
    doubles: int
    length: int


def untold(_: Stage, __: int) -> None:
    """Nobody watches."""


def build_pack(
    target: Path,
    entries: Iterable[DocumentEntry],
    key: ListKey,
    *,
    name: str,
    version: int,
    created: str,
    like: Sequence[Kind] = (),
    progress: Progress = untold,
) -> Built:
    """Write the pack of these documents, on disk when it returns. Raises ListError, OSError.

    `like` is the table of kinds of the pack before: with it, what did not change is byte for byte the same,
    and `pack_changes` has little to read.
    """
    spare = target.with_name(f".{target.name}.new")
    shards = _Shards(target.parent)
    try:
        kinds = _take(entries, DocumentHashes(key), shards, like, progress)
        built = _write(spare, shards, kinds, key, _Naming(name, version, created), progress)
    except BaseException:
        spare.unlink(missing_ok=True)
        raise
    finally:
        shards.close()
    spare.replace(target)
    _flush(target.parent)
    return built


def renumber_pack(source: Path, target: Path, keys: ListKeys, *, version: int, created: str) -> PackHeader:
    """Write a pack of the same documents as another version. Raises ListError, OSError."""
    pack = DocumentPack.open(source, keys)
    pack.close()
    header = msgspec.structs.replace(pack.header, version=version, created=created)
    spare = target.with_name(f".{target.name}.new")
    with source.open("rb") as old, spare.open("wb") as new:
        old.seek(layout(pack.header, header_length(old.read(PREAMBLE_BYTES))).fanout)
        new.write(encode_head(header, Seals(pack.key)))
        shutil.copyfileobj(old, new, 1 << 20)
        new.flush()
        os.fsync(new.fileno())
    spare.replace(target)
    _flush(target.parent)
    return header


def pack_changes(before: DocumentPack, after: DocumentPack) -> bytes:
    """The step between two packs of one list under one key. Raises ListError, OSError."""
    if (before.header.list, before.key) != (after.header.list, after.key):
        raise ListError("another_list")
    return encode_changes(
        after.key,
        after.header.list,
        after.header.created,
        before.state,
        after.state,
        _difference(before, after),
    )


def step_of(
    documents: Documents,
    came: Iterable[DocumentEntry],
    went: Iterable[DocumentEntry],
    *,
    version: int,
    created: str,
) -> bytes:
    """The step that adds and removes these documents, without a pack of the result.

    Raises ListError, OSError. Strict: what comes must not be listed yet, and what goes must.
    """
    hashes = documents.pack.hashes
    changes = {
        *(Change(record_of(entry, hashes), came=True) for entry in came),
        *(Change(record_of(entry, hashes), came=False) for entry in went),
    }
    if len({change.record for change in changes}) != len(changes):
        raise ListError("does_not_fit")
    for change in changes:
        if change.came == (change.record in documents.find(change.record.tag)):
            raise ListError("does_not_fit")
    rising = sorted(changes, key=lambda change: change.record.tag)
    key, before = documents.pack.key, documents.state
    after = after_changes(before, version, rising, key)
    return encode_changes(key, documents.name, created, before, after, rising)


def record_of(entry: DocumentEntry, hashes: DocumentHashes) -> Record:
    """What stands in a pack for an entry."""
    return Record(
        hashes.tag(entry.number, entry.issuer),
        Kind(type=entry.type, grade=entry.grade, reason=entry.reason),
        hashes.reference(entry.reference),
    )


class _Naming:
    """What the pack is of."""

    def __init__(self, name: str, version: int, created: str) -> None:
        self.name = name
        self.version = version
        self.created = created


class _Shards:
    """Records by the first byte of their tags; on disk where there are many."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._buffers = [bytearray() for _ in range(SHARDS)]
        self._files: dict[int, IO[bytes]] = {}
        self.count = 0

    def add(self, record: bytes) -> None:
        """Put one record by."""
        shard = record[0]
        buffer = self._buffers[shard]
        buffer += record
        self.count += 1
        if len(buffer) >= IN_MEMORY:
            self._spill(shard)

    def take(self, shard: int) -> bytes:
        """All records of a shard, in no order; they are gone from here afterwards."""
        buffer, self._buffers[shard] = self._buffers[shard], bytearray()
        file = self._files.pop(shard, None)
        if file is None:
            return bytes(buffer)
        with file:
            file.seek(0)
            return file.read() + buffer

    def close(self) -> None:
        """Give the files back, and their room. Idempotent."""
        while self._files:
            self._files.popitem()[1].close()

    def _spill(self, shard: int) -> None:
        if (file := self._files.get(shard)) is None:
            file = self._files[shard] = tempfile.TemporaryFile(dir=self._folder, buffering=0)  # noqa: SIM115 - `close`
        buffer = self._buffers[shard]
        if file.write(buffer) != len(buffer):
            raise OSError("a write was cut short")
        buffer.clear()


def _take(
    entries: Iterable[DocumentEntry],
    hashes: DocumentHashes,
    shards: _Shards,
    like: Sequence[Kind],
    progress: Progress,
) -> tuple[Kind, ...]:
    """Turn the entries into records; return the kinds that they name by their places."""
    codes = {(kind.type, kind.grade, kind.reason): code for code, kind in enumerate(like)}
    issuers: dict[str, str] = {}
    for entry in entries:
        kind = (entry.type, entry.grade, entry.reason)
        if (code := codes.get(kind)) is None:
            code = codes[kind] = len(codes)
            if code >= MAX_KINDS:
                raise ListError("too_many_kinds")
        if (issuer := issuers.get(entry.issuer)) is None:
            issuer = issuers[entry.issuer] = normal_issuer(entry.issuer)
        tag = hashes.tag_of_normal(entry.number, issuer)
        shards.add(RECORD.pack(tag, code, hashes.reference(entry.reference)))
        if shards.count % TOLD_EVERY == 0:
            progress("taken", shards.count)
    progress("taken", shards.count)
    if shards.count > MAX_DOCUMENTS:
        raise ListError("too_many_documents")
    return tuple(Kind(type=type_, grade=grade, reason=reason) for type_, grade, reason in codes)


def _write(
    target: Path, shards: _Shards, kinds: tuple[Kind, ...], key: ListKey, naming: _Naming, progress: Progress
) -> Built:
    """Sort, seal and write: the records behind the room for their fan-out, then head and fan-out."""
    seals, tally, bits = Seals(key), Tally(key), bits_for(shards.count)
    header = PackHeader(
        format=FORMAT,
        list=naming.name,
        version=naming.version,
        created=naming.created,
        key=key.id,
        documents=shards.count,
        bits=bits,
        digest="0" * 64,
        fanout="0" * 64,
        kinds=kinds,
    )
    room = len(msgspec.json.encode(header))  # doubles make the count shorter, never longer
    fanout = bytearray()
    with target.open("wb") as file:
        file.seek(len(encode_head(header, seals, room)) + FANOUT.size * 2**bits)
        end = 0
        for shard in range(SHARDS):
            records = sorted(set(split_records(shards.take(shard))))
            tally.add_packed(records, kinds)
            for bucket, packed in _buckets(records, shard, bits):
                end += len(packed) // RECORD_BYTES
                fanout += FANOUT.pack(end, seals.bucket(bits, bucket, packed))
                file.write(packed)
            progress("sorted", end)
        length = file.tell()
        header = msgspec.structs.replace(
            header, documents=end, digest=tally.digest, fanout=seals.body(fanout)
        )
        file.seek(0)
        file.write(encode_head(header, seals, room) + fanout)
        file.flush()
        os.fsync(file.fileno())
    return Built(header=header, doubles=shards.count - end, length=length)


def _buckets(records: Sequence[bytes], shard: int, bits: int) -> Iterator[tuple[int, bytes]]:
    """Yield each bucket of a shard with its records. Raises ListError."""
    a_shard = 2**bits // SHARDS
    start = 0
    for bucket in range(shard * a_shard, (shard + 1) * a_shard):
        beyond = ((bucket + 1) << (8 * TAG_BYTES - bits)).to_bytes(TAG_BYTES + 1, "big")[1:]
        end = bisect_left(records, beyond, start) if any(beyond) else len(records)
        if end - start > MAX_BUCKET:
            raise ListError("too_often_one_document")
        yield bucket, b"".join(records[start:end])
        start = end


def _difference(before: DocumentPack, after: DocumentPack) -> Iterator[Change]:
    """Yield what came and went, tag by tag; buckets with one seal are not read."""
    bits = min(before.header.bits, after.header.bits)
    alike = before.header.bits == after.header.bits and all(
        map(eq, before.header.kinds, after.header.kinds)
    )  # equal as far as both go, so equal records mean equal listings
    for number in range(2**bits):
        if alike and before.shares(after, number):
            continue
        olds, news = set(before.span(bits, number)), set(after.span(bits, number))
        changes = [Change(record, came=False) for record in olds - news]
        changes += [Change(record, came=True) for record in news - olds]
        yield from sorted(changes, key=lambda change: change.record.tag)


def _flush(folder: Path) -> None:
    """Make what was renamed in the folder durable."""
    handle = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
