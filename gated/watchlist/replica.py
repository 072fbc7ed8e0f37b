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
MAX_PUBLISHED = 1_700_000_000  # bytes of one file, a pack of 10^8 documents; what one Fetch may bring

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


class PublishedPack(PublishedSnapshot):
    """A pack of documents, and which version of the list they are."""

    version: Version


class PublishedDocuments(Value):
    """Documents that are packed (`gated.watchlist.pack`): a pack, and steps between versions."""

    pack: PublishedPack
    steps: Annotated[tuple[PublishedDelta, ...], Meta(max_length=1000)] = ()


class Index(Value):
    """What the central side has published of a list. Without `documents` they are among its entries."""

    list: Name
    version: Version
    created: Utc
    snapshot: PublishedSnapshot
    deltas: Annotated[tuple[PublishedDelta, ...], Meta(max_length=1000)] = ()
    documents: PublishedDocuments | None = None


class Plan(Value):
    """What to fetch, in order: a snapshot path, or delta paths; neither when nothing is to be done."""

    version: int
    snapshot: str | None = None
    deltas: tuple[str, ...] = ()


class DocumentPlan(Value):
    """What to fetch of packed documents, in order: a pack or none, then steps."""

    pack: PublishedPack | None
    steps: tuple[PublishedDelta, ...]


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
    chain = _chain(here, index.version, index.deltas) if here else ()
    if chain and sum(delta.length for delta in chain) < index.snapshot.length:
        return Plan(version=index.version, deltas=tuple(delta.path for delta in chain))
    return Plan(version=index.version, snapshot=index.snapshot.path)


def plan_documents(here: int, published: PublishedDocuments, version: int) -> DocumentPlan:
    """Decide what brings packed documents of version `here` (0 for none) to `version`. Raises ListError."""
    pack = published.pack
    chain = _chain(here, version, published.steps) if 0 < here < version else ()
    if chain and sum(step.length for step in chain) < pack.length:
        return DocumentPlan(pack=None, steps=chain)
    chain = _chain(pack.version, version, published.steps)
    if pack.version > version or (not chain and pack.version != version):
        raise ListError("gap", 1)
    return DocumentPlan(pack=pack, steps=chain)


def _chain(here: int, version: int, deltas: tuple[PublishedDelta, ...]) -> tuple[PublishedDelta, ...]:
    """The deltas from `here` to `version` by the longest steps; empty if there is a gap."""
    chain: list[PublishedDelta] = []
    at = here
    while at != version:
        steps = [delta for delta in deltas if delta.base == at and at < delta.version <= version]
        if not steps:
            return ()
        chain.append(max(steps, key=lambda delta: delta.version))
        at = chain[-1].version
    return tuple(chain)
