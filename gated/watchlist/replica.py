"""What to fetch next: pure decisions over the version that is here and the versions that are published.

The index names one snapshot and the deltas that are still kept. A gate takes a chain of deltas when it
leads from its version to the newest and is shorter than the snapshot; a gap in the chain means the snapshot
again. A version never goes backwards: an index that is older than the list here is refused, whoever
signed it.
"""

from typing import Annotated

import msgspec
from msgspec import Meta

from gated.core.settings import Name
from gated.core.values import Value
from gated.watchlist.snapshot import ListError, Utc, Version

INDEX = "watchlist/index.json"
MAX_INDEX = 256_000
SIGNED_AT = "x-egate-signed-at"  # our field in TUF's timestamp: when it was signed, as `YYYY-MM-DDTHH:MM:SSZ`
MAX_PUBLISHED = 1_000_000_000  # bytes of one file; what gate-link carries in one Fetch

TargetPath = Annotated[str, Meta(pattern=r"^watchlist/[a-z0-9][a-z0-9._-]{0,99}\Z")]
Length = Annotated[int, Meta(ge=1, le=MAX_PUBLISHED)]


class Backwards(Exception):
    """What is published is older than what is here."""


class PublishedSnapshot(Value):
    """A snapshot file."""

    path: TargetPath
    length: Length


class PublishedDelta(Value):
    """A delta file from version `base` to `version`."""

    path: TargetPath
    length: Length
    base: Version
    version: Version


class Index(Value):
    """What the central side has published of a list."""

    list: Name
    version: Version
    created: Utc
    snapshot: PublishedSnapshot
    deltas: Annotated[tuple[PublishedDelta, ...], Meta(max_length=1000)] = ()


class Plan(Value):
    """What to fetch, in order: a snapshot path, or delta paths; neither when nothing is to be done."""

    version: int
    snapshot: str | None = None
    deltas: tuple[str, ...] = ()


def parse_index(raw: bytes) -> Index:
    """Decode the index. Raises ListError."""
    if len(raw) > MAX_INDEX:
        raise ListError("index_too_long", 1)
    try:
        return msgspec.json.decode(raw, type=Index)
    except (msgspec.MsgspecError, UnicodeError, RecursionError) as error:
        raise ListError("bad_index", 1) from error


def plan(here: int, index: Index) -> Plan:
    """Decide what brings version `here` (0 for nothing) to the published one. Raises Backwards."""
    if index.version < here:
        raise Backwards(f"version {index.version} is published, version {here} is here")
    if index.version == here:
        return Plan(version=here)
    chain = _chain(here, index) if here else ()
    if chain and sum(delta.length for delta in chain) < index.snapshot.length:
        return Plan(version=index.version, deltas=tuple(delta.path for delta in chain))
    return Plan(version=index.version, snapshot=index.snapshot.path)


def _chain(here: int, index: Index) -> tuple[PublishedDelta, ...]:
    """The deltas from `here` to the newest version by the longest steps; empty if there is a gap."""
    chain: list[PublishedDelta] = []
    at = here
    while at != index.version:
        steps = [delta for delta in index.deltas if delta.base == at and at < delta.version <= index.version]
        if not steps:
            return ()
        chain.append(max(steps, key=lambda delta: delta.version))
        at = chain[-1].version
    return tuple(chain)
