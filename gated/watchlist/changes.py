"""Changes of packed documents: from one version to the next, or all of them since a pack was made.

    magic, length of the header     8 + 4 bytes
    header                          JSON: from which list to which, and the table of kinds
    seal of all before              16 bytes
    changes                         16 bytes each: tag, kind, reference, and `+` (it came) or `-` (it went)

Changes stand in strictly rising order of their records, so each record changes once. A *step* leads from one
version to a later one; what a gate keeps beside its pack is the *overlay*, the changes since that pack. A
step is merged into the overlay, and what came and went again leaves no trace. Merging is strict: what goes
must be there and what comes must not, and the result must have the count and the digest that the step
announces; anything else means that the step belongs to another list.
"""

import hmac
import struct
from bisect import bisect_left
from collections.abc import Callable, Iterable, Iterator
from itertools import groupby, islice
from operator import itemgetter, lt
from typing import Annotated, Final, Literal, NamedTuple

import msgspec
from msgspec import Meta

from gated.core.settings import Name
from gated.core.values import Value
from gated.watchlist.keyed import REFERENCE_BYTES, TAG_BYTES, KeyId, ListKey, ListKeys
from gated.watchlist.pack import (
    HEAD_SEAL_BYTES,
    MAX_KINDS,
    PREAMBLE_BYTES,
    RECORD_BYTES,
    Kind,
    Record,
    Seals,
    Tally,
    header_length,
)
from gated.watchlist.snapshot import MAX_DOCUMENTS, Digest, ListError, Utc, Version

FORMAT: Literal["egate-changes/1"] = "egate-changes/1"
MAGIC: Final = b"eGchng1\n"
MAX_CHANGES: Final = 1_000_000  # 16 MB in memory; beyond them a new pack is the way
CAME, WENT = b"+", b"-"

_CHANGE = struct.Struct(f">{TAG_BYTES}sH{REFERENCE_BYTES}sc")
CHANGE_BYTES: Final = _CHANGE.size
_CHECKED_AT_ONCE: Final = 10_000

Here = Callable[[bytes], Iterable[Record]]
"""The records of the pack under a tag."""


class Change(NamedTuple):
    """A record that came or went."""

    record: Record
    came: bool


class State(Value):
    """Which documents are listed: the version, their number, and their digest."""

    version: Version
    documents: Annotated[int, Meta(ge=0, le=MAX_DOCUMENTS)]
    digest: Digest


class ChangesHeader(Value):
    """What changes say of themselves: from where to where. `body` is the hash of the changes."""

    format: Literal["egate-changes/1"]
    list: Name
    created: Utc
    key: KeyId
    before: State
    after: State
    count: Annotated[int, Meta(ge=0, le=MAX_CHANGES)]
    body: Digest
    kinds: Annotated[tuple[Kind, ...], Meta(max_length=MAX_KINDS)]


class Changes:
    """Changes that were checked as a whole. Made by `parse_changes`."""

    def __init__(self, header: ChangesHeader, body: bytes) -> None:
        self.header = header
        self.body = body

    def __len__(self) -> int:
        return self.header.count

    def __iter__(self) -> Iterator[Change]:
        for at in range(0, len(self.body), CHANGE_BYTES):
            yield self._change(at)

    def under(self, tag: bytes) -> Iterator[Change]:
        """Yield the changes under this tag."""
        start, end = self.span(tag)
        for at in range(start, end, CHANGE_BYTES):
            yield self._change(at)

    def span(self, tag: bytes) -> tuple[int, int]:
        """From where to where in the body the changes under this tag stand, or would."""
        body = self.body
        start = end = CHANGE_BYTES * bisect_left(
            range(self.header.count),
            tag,
            key=lambda place: body[CHANGE_BYTES * place : CHANGE_BYTES * place + TAG_BYTES],
        )
        while body[end : end + TAG_BYTES] == tag:
            end += CHANGE_BYTES
        return start, end

    def _change(self, at: int) -> Change:
        tag, kind, reference, sign = _CHANGE.unpack_from(self.body, at)
        return Change(Record(tag, self.header.kinds[kind], reference), sign == CAME)


_headers = msgspec.json.Decoder(ChangesHeader)
_encoder = msgspec.json.Encoder()


def parse_changes(raw: bytes, keys: ListKeys) -> Changes:
    """Decode changes and check all of them. Raises ListError."""
    length = header_length(raw[:PREAMBLE_BYTES], MAGIC)
    start = PREAMBLE_BYTES + length
    try:
        header = _headers.decode(raw[PREAMBLE_BYTES:start])
    except (msgspec.MsgspecError, UnicodeError, RecursionError) as error:
        raise ListError("bad_header") from error
    seals = Seals(keys[header.key])
    body = raw[start + HEAD_SEAL_BYTES :]
    if not hmac.compare_digest(seals.head(raw[:start]), raw[start : start + HEAD_SEAL_BYTES]):
        raise ListError("damaged")
    if len(body) != header.count * CHANGE_BYTES:
        raise ListError("not_of_the_announced_length")
    if seals.body(body) != header.body:
        raise ListError("damaged")
    if header.before.version >= header.after.version:
        raise ListError("backwards")
    if len(set(header.kinds)) != len(header.kinds):
        raise ListError("kind_named_twice")
    _check(body, len(header.kinds))
    return Changes(header, body)


def encode_changes(
    key: ListKey, name: str, created: str, before: State, after: State, changes: Iterable[Change]
) -> bytes:
    """The bytes of these changes, which come in the order of their tags. Raises ListError: too many."""
    codes: dict[Kind, int] = {}
    body = bytearray()
    for _, under in groupby(changes, key=_tag):
        body += _group(under, codes)
        if len(body) > CHANGE_BYTES * MAX_CHANGES or len(codes) > MAX_KINDS:
            raise ListError("too_many_changes")
    return _sealed(key, name, created, (before, after), codes, body)


def _group(under: Iterable[Change], codes: dict[Kind, int]) -> bytes:
    """The bytes of the changes under one tag; `codes` grows by the kinds that are new."""
    return b"".join(
        sorted(
            _CHANGE.pack(tag, codes.setdefault(kind, len(codes)), reference, CAME if came else WENT)
            for (tag, kind, reference), came in under
        )
    )


def _sealed(
    key: ListKey, name: str, created: str, way: tuple[State, State], codes: Iterable[Kind], body: bytearray
) -> bytes:
    """The file around the bytes of changes that lead from one state to another."""
    seals = Seals(key)
    raw = _encoder.encode(
        ChangesHeader(
            format=FORMAT,
            list=name,
            created=created,
            key=key.id,
            before=way[0],
            after=way[1],
            count=len(body) // CHANGE_BYTES,
            body=seals.body(body),
            kinds=tuple(codes),
        )
    )
    head = struct.pack(">8sI", MAGIC, len(raw)) + raw
    return b"".join((head, seals.head(head), body))


def after_changes(before: State, version: int, changes: Iterable[Change], key: ListKey) -> State:
    """What is listed once these changes are made."""
    tally = Tally(key, before.documents, before.digest)
    for change in changes:
        (tally.add if change.came else tally.remove)(change.record)
    return State(version=version, documents=tally.documents, digest=tally.digest)


def merge(pack: State, overlay: Changes | None, steps: Iterable[Changes], here: Here, key: ListKey) -> bytes:
    """The overlay of the pack after one more step, or several. Raises ListError when one does not fit."""
    now = overlay.header.after if overlay is not None else pack
    tally = Tally(key, now.documents, now.digest)
    touched: dict[bytes, _Tag] = {}
    header: ChangesHeader | None = None
    for step in steps:
        header = step.header
        if (header.before, header.key) != (now, key.id):
            raise ListError("does_not_fit")
        for change in step:
            tag = change.record.tag
            if (under := touched.get(tag)) is None:
                overlaid = dict(overlay.under(tag)) if overlay is not None else {}
                under = touched[tag] = _Tag(overlaid, frozenset(here(tag)))
            under.make(change)
            (tally.add if change.came else tally.remove)(change.record)
        if (tally.documents, tally.digest) != (header.after.documents, header.after.digest):
            raise ListError("not_what_the_header_says")
        if len(touched) > MAX_CHANGES:
            raise ListError("too_many_changes")
        now = header.after
    if header is None:
        raise ListError("no_step")
    codes, body = _woven(overlay, touched)
    return _sealed(key, header.list, header.created, (pack, now), codes, body)


class _Tag(NamedTuple):
    """What stands under one tag that steps touch: what came or went since the pack, and what is in it."""

    changed: dict[Record, bool]
    packed: frozenset[Record]

    def make(self, change: Change) -> None:
        """Raises ListError when what goes is not there, or what comes is."""
        record, came = change
        if came == self.changed.get(record, record in self.packed):
            raise ListError("does_not_fit")
        if record in self.changed:
            del self.changed[record]
        else:
            self.changed[record] = came


def _woven(overlay: Changes | None, touched: dict[bytes, _Tag]) -> tuple[dict[Kind, int], bytearray]:
    """The kinds and the bytes of an overlay in which what was touched takes the place of what was there.

    All else is copied as it stands, by stretches: an overlay of a million changes takes a step of a thousand
    no longer than an empty one takes a large step. Raises ListError: too many.
    """
    before = b"" if overlay is None else overlay.body
    codes = {} if overlay is None else {kind: code for code, kind in enumerate(overlay.header.kinds)}
    body, at = bytearray(), 0
    for tag in sorted(touched):
        start, end = (0, 0) if overlay is None else overlay.span(tag)
        body += before[at:start]
        body += _group((Change(record, came) for record, came in touched[tag].changed.items()), codes)
        at = end
    body += before[at:]
    if len(body) > CHANGE_BYTES * MAX_CHANGES or len(codes) > MAX_KINDS:
        raise ListError("too_many_changes")
    return codes, body


def changed(packed: Iterable[Record], overlay: Iterable[Change]) -> set[Record]:
    """The records that are listed, of those in the pack and the changes under one tag."""
    records = set(packed)
    for record, came in overlay:
        (records.add if came else records.discard)(record)
    return records


def _tag(change: Change) -> bytes:
    return change.record.tag


def _check(body: bytes, kinds: int) -> None:
    """Raise ListError unless the changes are in order, of kinds that there are, and signed + or -."""
    if not set(body[CHANGE_BYTES - 1 :: CHANGE_BYTES]) <= set(CAME + WENT):
        raise ListError("bad_change")
    last = b""
    for start in range(0, len(body), CHANGE_BYTES * _CHECKED_AT_ONCE):
        part = body[start : start + CHANGE_BYTES * _CHECKED_AT_ONCE]
        records = list(map(itemgetter(slice(RECORD_BYTES)), _each(part)))
        if not (last < records[0] and all(map(lt, records, islice(records, 1, None)))):
            raise ListError("out_of_order")
        last = records[-1]
        if max(record[TAG_BYTES : TAG_BYTES + 2] for record in records) >= kinds.to_bytes(2, "big"):
            raise ListError("unknown_kind")


def _each(body: bytes) -> Iterator[bytes]:
    return (change for (change,) in struct.iter_unpack(f"{CHANGE_BYTES}s", body))
