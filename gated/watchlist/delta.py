"""The difference of two published lists, and what becomes of a list when it is applied.

A change is the canonical line of an entry behind `+` (it came) or `-` (it went). Changes stand in strictly
rising order of the entry, so each entry changes once, and both functions walk two sorted streams side by
side: memory does not grow with the lists. Applying is strict: what goes must be there and what comes must
not, for anything else means that the delta belongs to another list.
"""

from collections.abc import Iterable, Iterator

from gated.core.values import Value
from gated.watchlist.snapshot import (
    FORMAT,
    Entry,
    Header,
    ListError,
    encode_header,
    parse_entry,
    parse_header,
)

CAME, WENT = b"+", b"-"


class Change(Value):
    """One entry that came or went. `line` is its canonical line, `number` where the change stands."""

    came: bool
    entry: Entry
    line: bytes
    number: int


def difference(before: Iterable[bytes], after: Iterable[bytes]) -> Iterator[bytes]:
    """Yield the change lines between two sorted streams of entry lines."""
    olds, news = iter(before), iter(after)
    old, new = next(olds, None), next(news, None)
    while old is not None or new is not None:
        if old == new:
            old, new = next(olds, None), next(news, None)
        elif new is None or (old is not None and old < new):
            yield WENT + (old or b"")
            old = next(olds, None)
        else:
            yield CAME + new
            new = next(news, None)


def apply(before: Iterable[bytes], changes: Iterable[Change]) -> Iterator[bytes]:
    """Yield the sorted entry lines after the changes. Raises ListError when they do not fit."""
    olds = iter(before)
    old = next(olds, None)
    for change in changes:
        while old is not None and old < change.line:
            yield old
            old = next(olds, None)
        if change.came == (old == change.line):
            raise ListError("does_not_fit", change.number)
        if change.came:
            yield change.line
        else:
            old = next(olds, None)
    while old is not None:
        yield old
        old = next(olds, None)


def read_delta(lines: Iterable[bytes]) -> tuple[Header, Iterator[Change]]:
    """Decode a delta; both the call and the iteration raise ListError.

    Whether the list afterwards is what the header says, only the one who applies it can tell.
    """
    source = iter(lines)
    header = parse_header(next(source, None), "delta")
    if header.base >= header.version:
        raise ListError("backwards", 1)
    return header, _changes(source)


def _changes(lines: Iterator[bytes]) -> Iterator[Change]:
    last = b""
    for number, line in enumerate(lines, start=2):
        sign, body = line[:1], line[1:]
        if sign not in {CAME, WENT}:
            raise ListError("bad_change", number)
        entry = parse_entry(body, number)
        if body <= last:
            raise ListError("out_of_order", number)
        last = body
        yield Change(came=sign == CAME, entry=entry, line=body, number=number)


def delta_header(before: Header, after: Header) -> bytes:
    """The first line of the delta between two snapshots with these headers."""
    return encode_header(
        Header(
            format=FORMAT,
            kind="delta",
            list=after.list,
            version=after.version,
            created=after.created,
            documents=after.documents,
            persons=after.persons,
            digest=after.digest,
            base=before.version,
        )
    )
