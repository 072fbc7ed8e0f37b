"""A pack: the listed documents as one file that is fetched, kept and asked as it is.

    magic, length of the header     8 + 4 bytes
    header                          JSON: what list this is, and the table of kinds (type, grade, reason)
    seal of all before              16 bytes
    fan-out                         12 bytes for each of 2^bits buckets: where it ends, and its seal
    records                         15 bytes for each document: tag, kind, reference

A record stands in the bucket that the first bits of its tag name, so one read of some 1.5 KB answers a
question. Tag and reference are keyed hashes (`gated.watchlist.keyed`): nothing in the file is a number.

Seals are keyed too. Signatures vouch for the file on its way; the seals vouch for what is read years later
from a disk that ages, or that somebody had in their hands. The header names the hash of the fan-out, the
fan-out the seal of each bucket, so what a lookup reads is checked at the moment that it is read, whatever the
size of the file. What does not agree is an error, never "not listed".

`digest` says which documents these are, whatever their order: the sum modulo 2^256 of a keyed hash of each.
It is carried along through changes (`gated.watchlist.changes`). Everything wrong ends in ListError.
"""

import hashlib
import hmac
import struct
from collections.abc import Iterator, Sequence
from itertools import islice
from operator import lt
from typing import Annotated, Final, Literal, NamedTuple

import msgspec
from msgspec import Meta

from gated.core.settings import Name
from gated.core.values import Value
from gated.watchlist.keyed import REFERENCE_BYTES, SEAL_BYTES, TAG_BYTES, KeyId, ListKey, ListKeys
from gated.watchlist.snapshot import MAX_DOCUMENTS, Digest, Listed, ListError, Reason, Utc, Version

FORMAT: Literal["egate-pack/1"] = "egate-pack/1"
MAGIC: Final = b"eGpack1\n"
MIN_BITS, MAX_BITS = 8, 20
IN_BUCKET: Final = 128  # records that a bucket holds at most on average
MAX_BUCKET: Final = 4096  # records; tags are spread evenly, so only one document listed thousands of times
MAX_KINDS: Final = 65_535
MAX_HEADER: Final = 8_000_000  # bytes; MAX_KINDS kinds take 4.5 MB

_PREAMBLE = struct.Struct(">8sI")
RECORD = struct.Struct(f">{TAG_BYTES}sH{REFERENCE_BYTES}s")
FANOUT = struct.Struct(f">I{SEAL_BYTES}s")
PREAMBLE_BYTES: Final = _PREAMBLE.size
RECORD_BYTES: Final = RECORD.size
HEAD_SEAL_BYTES: Final = 16
_KIND = slice(TAG_BYTES, TAG_BYTES + 2)
_MODULUS = 2**256


class Kind(Value, array_like=True):
    """What a document is listed as: its type as in the MRZ (empty for any), how grave, and why."""

    type: Annotated[str, Meta(pattern=r"^[A-Z]{0,2}\Z")]
    grade: Listed
    reason: Reason


class PackHeader(Value):
    """What a pack says of itself. `fanout` is the hash of its fan-out, `digest` that of its documents."""

    format: Literal["egate-pack/1"]
    list: Name
    version: Version
    created: Utc
    key: KeyId
    documents: Annotated[int, Meta(ge=0, le=MAX_DOCUMENTS)]
    bits: Annotated[int, Meta(ge=MIN_BITS, le=MAX_BITS)]
    digest: Digest
    fanout: Digest
    kinds: Annotated[tuple[Kind, ...], Meta(max_length=MAX_KINDS)]


class Record(NamedTuple):
    """One listing of the document with this tag. `reference` is the number of its case."""

    tag: bytes
    kind: Kind
    reference: bytes


class Seals:
    """Makes the seals of files that were made under one key."""

    def __init__(self, key: ListKey) -> None:
        self._buckets = hashlib.blake2b(key=key.derive("bucket seal"), digest_size=SEAL_BYTES)
        self._heads = hashlib.blake2b(key=key.derive("head seal"), digest_size=HEAD_SEAL_BYTES)
        self._bodies = hashlib.blake2b(key=key.derive("body seal"), digest_size=32)

    def bucket(self, bits: int, bucket: int, records: bytes) -> bytes:
        """The seal of one bucket's records: of this bucket, among so many."""
        hashing = self._buckets.copy()
        hashing.update(struct.pack(">BI", bits, bucket))
        hashing.update(records)
        return hashing.digest()

    def head(self, head: bytes) -> bytes:
        """The seal of preamble and header."""
        hashing = self._heads.copy()
        hashing.update(head)
        return hashing.digest()

    def body(self, body: bytes | bytearray) -> str:
        """The hash of a fan-out, or of changes, as their header names it."""
        hashing = self._bodies.copy()
        hashing.update(body)
        return hashing.hexdigest()


class Tally:
    """The count and the digest of listed documents, kept while records come and go."""

    def __init__(self, key: ListKey, documents: int = 0, digest: str = "00") -> None:
        self.documents = documents
        self._sum = int(digest, 16)
        self._empty = hashlib.blake2b(key=key.derive("record print"), digest_size=32)
        self._of_kind: dict[Kind, hashlib.blake2b] = {}

    def add(self, record: Record) -> None:
        """Count a record in."""
        self.documents += 1
        self._sum += self._print(record)

    def remove(self, record: Record) -> None:
        """Count a record out."""
        self.documents -= 1
        self._sum -= self._print(record)

    def add_packed(self, records: Sequence[bytes], kinds: Sequence[Kind]) -> None:
        """Count in records as they stand in a pack with these kinds."""
        hashings = [self._hashing(kind) for kind in kinds]
        found = int.from_bytes
        total = 0
        for record in records:
            hashing = hashings[found(record[_KIND], "big")].copy()
            hashing.update(record[:TAG_BYTES] + record[TAG_BYTES + 2 :])
            total += found(hashing.digest(), "big")
        self._sum += total
        self.documents += len(records)

    @property
    def digest(self) -> str:
        """The digest as a header writes it."""
        return f"{self._sum % _MODULUS:064x}"

    def _print(self, record: Record) -> int:
        hashing = self._hashing(record.kind).copy()
        hashing.update(record.tag + record.reference)
        return int.from_bytes(hashing.digest(), "big")

    def _hashing(self, kind: Kind) -> hashlib.blake2b:
        """The hash with the kind in it already: there are few kinds and many documents."""
        if (hashing := self._of_kind.get(kind)) is None:
            hashing = self._empty.copy()
            hashing.update(f"{kind.type}/{kind.grade}/{kind.reason}\n".encode())
            self._of_kind[kind] = hashing
        return hashing


class Layout(NamedTuple):
    """Where the parts of a pack lie, in bytes from its beginning."""

    fanout: int
    records: int
    end: int


_headers = msgspec.json.Decoder(PackHeader)
_encoder = msgspec.json.Encoder()


def bits_for(documents: int) -> int:
    """How many bits of the tag choose the bucket, for a pack of so many documents."""
    return min(max(MIN_BITS, ((max(documents, 1) - 1) // IN_BUCKET).bit_length()), MAX_BITS)


def encode_head(header: PackHeader, seals: Seals, room: int = 0) -> bytes:
    """Preamble, header and seal; the header filled up with blanks to `room` bytes."""
    raw = _encoder.encode(header).ljust(room)
    head = _PREAMBLE.pack(MAGIC, len(raw)) + raw
    return head + seals.head(head)


def header_length(preamble: bytes, magic: bytes = MAGIC) -> int:
    """How long the header is. Raises ListError."""
    if len(preamble) != PREAMBLE_BYTES:
        raise ListError("truncated")
    found, length = _PREAMBLE.unpack(preamble)
    if found != magic:
        raise ListError("not_this_format")
    if not 2 <= length <= MAX_HEADER:
        raise ListError("header_too_long")
    return int(length)


def parse_head(preamble: bytes, rest: bytes, keys: ListKeys) -> tuple[PackHeader, ListKey]:
    """Decode what follows the preamble, up to the fan-out. Raises ListError."""
    raw = rest[:-HEAD_SEAL_BYTES]
    try:
        header = _headers.decode(raw)
    except (msgspec.MsgspecError, UnicodeError, RecursionError) as error:
        raise ListError("bad_header") from error
    key = keys[header.key]
    if not hmac.compare_digest(Seals(key).head(preamble + raw), rest[-HEAD_SEAL_BYTES:]):
        raise ListError("damaged")
    if len(set(header.kinds)) != len(header.kinds):
        raise ListError("kind_named_twice")
    return header, key


def layout(header: PackHeader, length: int) -> Layout:
    """The places in a pack whose header takes `length` bytes."""
    fanout = PREAMBLE_BYTES + length + HEAD_SEAL_BYTES
    records = fanout + FANOUT.size * 2**header.bits
    return Layout(fanout=fanout, records=records, end=records + RECORD_BYTES * header.documents)


def bucket_of(tag: bytes, bits: int) -> int:
    """The bucket that a tag belongs in."""
    return int.from_bytes(tag, "big") >> (8 * TAG_BYTES - bits)


def listed(records: bytes, tag: bytes, kinds: Sequence[Kind]) -> Iterator[Record]:
    """Yield the records of a bucket under this tag. Raises ListError on a kind that there is not."""
    at = records.find(tag)
    while at >= 0:
        if at % RECORD_BYTES:
            at = records.find(tag, at + 1)
            continue
        yield unpacked(records[at : at + RECORD_BYTES], kinds)
        at = records.find(tag, at + RECORD_BYTES)


def unpacked(record: bytes, kinds: Sequence[Kind]) -> Record:
    """Decode a record. Raises ListError."""
    tag, kind, reference = RECORD.unpack(record)
    if kind >= len(kinds):
        raise ListError("unknown_kind")
    return Record(tag, kinds[kind], reference)


def split_records(records: bytes) -> list[bytes]:
    """The records of a bucket one by one; their length is a multiple of a record's."""
    return [record for (record,) in struct.iter_unpack(f"{RECORD_BYTES}s", records)]


def check_bucket(records: bytes, bits: int, bucket: int, kinds: int) -> None:
    """Raise ListError unless these are records in rising order, of this bucket, of kinds that there are."""
    each = split_records(records)
    if not each:
        return
    if not all(map(lt, each, islice(each, 1, None))):
        raise ListError("out_of_order")
    if bucket_of(each[0][:TAG_BYTES], bits) != bucket or bucket_of(each[-1][:TAG_BYTES], bits) != bucket:
        raise ListError("in_another_bucket")
    if max(record[_KIND] for record in each) >= kinds.to_bytes(2, "big"):
        raise ListError("unknown_kind")
