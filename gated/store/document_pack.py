"""A pack on disk, asked as it lies: its fan-out in memory (12 MB for 10^8 documents), one read a lookup.

The file stays open, so whoever asks is answered from the pack that was opened, whatever is built beside it or
renamed over it meanwhile. Every bucket that is read is checked against its seal; `verify` checks all of them,
their order and their kinds before a pack is put in force.
"""

import os
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path
from typing import Final, Self

from gated.watchlist.changes import State
from gated.watchlist.keyed import DocumentHashes, ListKey, ListKeys
from gated.watchlist.pack import (
    FANOUT,
    HEAD_SEAL_BYTES,
    MAX_BUCKET,
    PREAMBLE_BYTES,
    RECORD_BYTES,
    PackHeader,
    Record,
    Seals,
    bucket_of,
    check_bucket,
    header_length,
    layout,
    listed,
    parse_head,
    split_records,
    unpacked,
)
from gated.watchlist.snapshot import ListError

ALIVE_EVERY: Final = 4096  # buckets between two signs of life: some 100 ms


def silent() -> None:
    """Nobody listens."""


class DocumentPack:
    """An open pack. For any thread, until it is closed. Make it with `open`."""

    def __init__(self, file: int, header: PackHeader, key: ListKey, records_at: int, fanout: bytes) -> None:
        self.header = header
        self.key = key
        self.hashes = DocumentHashes(key)
        self._seals = Seals(key)
        self._file = file
        self._records_at = records_at
        self._fanout = fanout

    @classmethod
    def open(cls, path: Path, keys: ListKeys) -> Self:
        """Open a pack and check its head, its size and its fan-out. Raises ListError, OSError."""
        file = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
        try:
            return cls(file, *_opened(file, keys))
        except BaseException:
            os.close(file)
            raise

    @property
    def state(self) -> State:
        """Which documents the pack lists."""
        header = self.header
        return State(version=header.version, documents=header.documents, digest=header.digest)

    def find(self, tag: bytes) -> list[Record]:
        """The records under this tag. Raises ListError where the file is damaged, OSError."""
        records = self.bucket(bucket_of(tag, self.header.bits))
        return list(listed(records, tag, self.header.kinds))

    def bucket(self, bucket: int) -> bytes:
        """The records of a bucket, checked against its seal. Raises ListError, OSError."""
        start, count, seal = self._place(bucket)
        records = _read(self._file, count * RECORD_BYTES, self._records_at + start * RECORD_BYTES)
        if self._seals.bucket(self.header.bits, bucket, records) != seal:
            raise ListError("damaged")
        return records

    def verify(self, alive: Callable[[], None] = silent) -> None:
        """Check every bucket: its seal, its order, its kinds. Raises ListError, OSError."""
        header = self.header
        for bucket in range(2**header.bits):
            check_bucket(self.bucket(bucket), header.bits, bucket, len(header.kinds))
            if bucket % ALIVE_EVERY == 0:
                alive()
        if self._end(2**header.bits - 1) != header.documents:
            raise ListError("counted_otherwise")

    def span(self, bits: int, number: int) -> Iterator[Record]:
        """Yield the records whose tags begin with `number` in so many bits; at most the pack's own."""
        finer = self.header.bits - bits
        for bucket in range(number << finer, (number + 1) << finer):
            for record in split_records(self.bucket(bucket)):
                yield unpacked(record, self.header.kinds)

    def shares(self, other: Self, bucket: int) -> bool:
        """Whether a bucket is the same in both, by its seal alone."""
        return self._place(bucket)[1:] == other._place(bucket)[1:]

    def close(self) -> None:
        """Give the file back. Idempotent."""
        file, self._file = self._file, -1
        if file >= 0:
            with suppress(OSError):
                os.close(file)

    def _place(self, bucket: int) -> tuple[int, int, bytes]:
        """Where a bucket begins, how many records it has, and its seal. Raises ListError."""
        start = self._end(bucket - 1) if bucket else 0
        end, seal = FANOUT.unpack_from(self._fanout, bucket * FANOUT.size)
        if not start <= end <= self.header.documents or end - start > MAX_BUCKET:
            raise ListError("bad_fanout")
        return start, end - start, seal

    def _end(self, bucket: int) -> int:
        return int(FANOUT.unpack_from(self._fanout, bucket * FANOUT.size)[0])


def _opened(file: int, keys: ListKeys) -> tuple[PackHeader, ListKey, int, bytes]:
    """Header, key, where the records begin, and the fan-out, all checked. Raises ListError, OSError."""
    preamble = os.pread(file, PREAMBLE_BYTES, 0)
    length = header_length(preamble)
    header, key = parse_head(preamble, _read(file, length + HEAD_SEAL_BYTES, PREAMBLE_BYTES), keys)
    places = layout(header, length)
    if os.fstat(file).st_size != places.end:
        raise ListError("not_of_the_announced_length")
    fanout = _read(file, places.records - places.fanout, places.fanout)
    if Seals(key).body(fanout) != header.fanout:
        raise ListError("damaged")
    return header, key, places.records, fanout


def _read(file: int, length: int, at: int) -> bytes:
    """Read so many bytes. Raises ListError where the file ends before."""
    parts: list[bytes] = []
    while length:
        part = os.pread(file, length, at)
        if not part:
            raise ListError("truncated")
        parts.append(part)
        at, length = at + len(part), length - len(part)
    return parts[0] if len(parts) == 1 else b"".join(parts)
