"""The published watchlist: what its lines look like, and what a line must be to be believed.

A list is a *set* of entries: documents and persons. It travels as lines of JSON. The first line is the
header; a snapshot then has one line for each entry, a delta (`gated.watchlist.delta`) one for each change.
There is one way to write an entry (its canonical line), and lines stand in strictly rising order of their
bytes, so that equal lists are equal files, duplicates cannot hide and two lists can be compared while
streaming.

The header says what the list *is* afterwards: its counts, and the sum modulo 2^256 of the SHA-256 of its
canonical lines. The sum does not depend on order and can be carried along through deltas, so a gate that
applied a hundred deltas knows that it holds exactly what was published. It guards against mistakes;
against forgery stand the signatures around the file.

Whatever is wrong ends in ListError, which names a line and a fault and never quotes the line.
"""

import hashlib
from collections.abc import Iterable, Iterator
from typing import Annotated, Literal, Protocol

import msgspec
from msgspec import Meta

from gated.core.personal import MASK
from gated.core.settings import Name
from gated.core.values import Value

FORMAT: Literal["egate-list/1"] = "egate-list/1"
MAX_LINE = 1024  # bytes with the newline; the longest possible entry has about 500
MAX_DOCUMENTS = 100_000_000
MAX_PERSONS = 1_000_000
_MODULUS = 2**256

Issuer = Annotated[str, Meta(pattern=r"^[A-Z]{1,3}\Z")]
Number = Annotated[str, Meta(pattern=r"^[A-Z0-9]{1,24}\Z")]
Letters = Annotated[str, Meta(pattern=r"^[A-Z]+( [A-Z]+)*\Z", max_length=100)]
MaybeLetters = Annotated[str, Meta(pattern=r"^([A-Z]+( [A-Z]+)*)?\Z", max_length=100)]
Birth = Annotated[
    str, Meta(pattern=r"^([0-9]{4}|XXXX)-(0[1-9]|1[0-2]|XX)-(0[1-9]|[12][0-9]|3[01]|XX)\Z", max_length=10)
]
Reason = Annotated[str, Meta(pattern=r"^[a-z][a-z0-9_]{0,39}\Z")]
Reference = Annotated[str, Meta(pattern=r"^[A-Za-z0-9][A-Za-z0-9._/:-]{0,63}\Z")]
Listed = Literal["silent", "refer", "stop"]  # a Grade without NONE
Utc = Annotated[str, Meta(pattern=r"^[0-9]{4}-[01][0-9]-[0-3][0-9]T[0-2][0-9]:[0-5][0-9]:[0-6][0-9]Z\Z")]
Version = Annotated[int, Meta(ge=1, le=2**53)]
Digest = Annotated[str, Meta(pattern=r"^[0-9a-f]{64}\Z")]


class ListError(Exception):
    """The list cannot be believed. `code` names the fault, `line` where it stands (1 is the header).

    Line 0: the fault has no line, as in a file that is not made of lines.
    """

    def __init__(self, code: str, line: int = 0) -> None:
        super().__init__(f"line {line}: {code}" if line else code)
        self.code = code
        self.line = line


class DocumentEntry(Value, tag_field="entry", tag="d", array_like=True):
    """A document looked for. `number` without fillers; `type` as in the MRZ, empty for any."""

    number: Number
    issuer: Issuer
    type: Annotated[str, Meta(pattern=r"^[A-Z]{0,2}\Z")]
    grade: Listed
    reason: Reason
    reference: Reference

    def __repr__(self) -> str:
        return MASK


class PersonEntry(Value, tag_field="entry", tag="p", array_like=True):
    """A person looked for: names in MRZ letters, birth date as `YYYY-MM-DD` with X for what is unknown."""

    surname: Letters
    given: MaybeLetters
    birth: Birth
    nationality: Annotated[str, Meta(pattern=r"^[A-Z]{0,3}\Z")]
    grade: Listed
    reason: Reason
    reference: Reference

    def __repr__(self) -> str:
        return MASK


Entry = DocumentEntry | PersonEntry


class Header(Value):
    """The first line. Counts and digest describe the list itself, for a delta the list after it."""

    format: Literal["egate-list/1"]
    kind: Literal["snapshot", "delta"]
    list: Name
    version: Version
    created: Utc
    documents: Annotated[int, Meta(ge=0, le=MAX_DOCUMENTS)]
    persons: Annotated[int, Meta(ge=0, le=MAX_PERSONS)]
    digest: Digest
    base: Annotated[int, Meta(ge=0, le=2**53)] = 0
    """Of a delta: the version that it starts from."""


class Tally:
    """The counts and the digest of a list, kept while entries come and go."""

    def __init__(self, documents: int = 0, persons: int = 0, digest: str = "00") -> None:
        self.documents = documents
        self.persons = persons
        self._sum = int(digest, 16)

    def add(self, entry: Entry, line: bytes) -> None:
        """Count an entry in; `line` is its canonical line."""
        self._count(entry, line, 1)

    def remove(self, entry: Entry, line: bytes) -> None:
        """Count an entry out."""
        self._count(entry, line, -1)

    def _count(self, entry: Entry, line: bytes, sign: int) -> None:
        if isinstance(entry, DocumentEntry):
            self.documents += sign
        else:
            self.persons += sign
        self._sum = (self._sum + sign * int.from_bytes(hashlib.sha256(line).digest(), "big")) % _MODULUS

    @property
    def digest(self) -> str:
        """The digest as the header writes it."""
        return f"{self._sum:064x}"

    def agrees_with(self, header: Header) -> bool:
        """Whether this is the list that the header describes."""
        return (self.documents, self.persons, self.digest) == (
            header.documents,
            header.persons,
            header.digest,
        )


class Readable(Protocol):
    """Anything that gives bytes line by line."""

    def readline(self, limit: int, /) -> bytes:
        """Return up to `limit` bytes, ending after a newline; empty at the end."""


_headers = msgspec.json.Decoder(Header)
_entries: msgspec.json.Decoder[Entry] = msgspec.json.Decoder(Entry)
_encoder = msgspec.json.Encoder()


def encode_header(header: Header) -> bytes:
    """The first line, without its newline."""
    return _encoder.encode(header)


def encode_entry(entry: Entry) -> bytes:
    """The canonical line of an entry, without its newline."""
    return _encoder.encode(entry)


def split(file: Readable) -> Iterator[bytes]:
    """Yield the lines of a file without their newlines. Raises ListError on a long or an unfinished one."""
    number = 0
    while line := file.readline(MAX_LINE + 1):
        number += 1
        if len(line) > MAX_LINE:
            raise ListError("line_too_long", number)
        if not line.endswith(b"\n"):
            raise ListError("truncated", number)
        yield line[:-1]


def parse_header(line: bytes | None, kind: Literal["snapshot", "delta"]) -> Header:
    """Decode the first line. Raises ListError."""
    if line is None:
        raise ListError("empty", 1)
    try:
        header = _headers.decode(line)
    except (msgspec.MsgspecError, UnicodeError, RecursionError) as error:
        raise ListError("bad_header", 1) from error
    if header.kind != kind or (header.base == 0) != (kind == "snapshot"):
        raise ListError("wrong_kind", 1)
    return header


def parse_entry(line: bytes, number: int) -> Entry:
    """Decode the entry on line `number`. Raises ListError unless it is valid and canonical."""
    try:
        entry = _entries.decode(line)
    except (msgspec.MsgspecError, UnicodeError, RecursionError) as error:
        raise ListError("bad_entry", number) from error
    if _encoder.encode(entry) != line:
        raise ListError("not_canonical", number)
    return entry


def read_snapshot(lines: Iterable[bytes]) -> tuple[Header, Iterator[Entry]]:
    """Decode a snapshot. The entries are checked as they are taken, the counts and digest after the last.

    Both the call and the iteration raise ListError; until the iteration has ended, nothing is to be believed.
    """
    source = iter(lines)
    header = parse_header(next(source, None), "snapshot")
    return header, _snapshot_entries(header, source)


def _snapshot_entries(header: Header, lines: Iterator[bytes]) -> Iterator[Entry]:
    tally, last, number = Tally(), b"", 1
    for line in lines:
        number += 1
        entry = parse_entry(line, number)
        if line <= last:
            raise ListError("out_of_order", number)
        last = line
        tally.add(entry, line)
        if tally.documents > header.documents or tally.persons > header.persons:
            raise ListError("more_than_announced", number)
        yield entry
    if not tally.agrees_with(header):
        raise ListError("not_what_the_header_says", number)


def snapshot_lines(name: str, version: int, created: str, entries: Iterable[Entry]) -> Iterator[bytes]:
    """Yield the lines of a snapshot (no newlines) of the given entries, each counted once."""
    by_line = {encode_entry(entry): entry for entry in entries}
    tally = Tally()
    for line, entry in by_line.items():
        tally.add(entry, line)
    yield encode_header(
        Header(
            format=FORMAT,
            kind="snapshot",
            list=name,
            version=version,
            created=created,
            documents=tally.documents,
            persons=tally.persons,
            digest=tally.digest,
        )
    )
    yield from sorted(by_line)
