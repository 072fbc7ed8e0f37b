"""What the central side publishes beside the watchlist, and which of it is for this gate: pure decisions.

Each kind has its own signed role and an index of its own: the releases of it, from the oldest that is kept to
the newest; of `ALONE` the newest alone. A release names its files by length and hash, and says how far it is
rolled out: to gates of a group, or to a share of all, chosen by a hash of the gate's name: a share that grows
keeps whom it had.

A gate goes forward only. A release that was withdrawn is taken by nobody any more; what takes its place is a
release with a higher number, which may well have the old content.
"""

import hashlib
from typing import Annotated, Literal, get_args

import msgspec
from msgspec import Meta

from gated.core.settings import Name
from gated.core.values import Value
from gated.watchlist.snapshot import Digest, ListError, Utc, Version

Kind = Literal["rules", "config", "trust", "models", "prompts", "standings", "false_hits"]
KINDS: tuple[Kind, ...] = get_args(Kind)
ROLES = ("watchlist", *KINDS)
"""The delegated roles, each with keys of its own. Everything under `ROLE/` is signed by its role."""

USES: dict[Kind, tuple[str, ...]] = {
    "rules": ("rules",),
    "config": ("overlay",),
    "trust": ("master_lists", "certificates", "crls", "deviations"),
    "models": ("model",),
    "prompts": ("prompt",),
    "standings": ("standings",),
    "false_hits": ("false_hits",),
}
"""What the files of a kind are for. Of rules and overlay there is one; an anchor comes by hand alone."""

DECIDING: tuple[Kind, ...] = ("rules", "trust", "standings")
"""Travellers are decided by these as they are now, so they may grow too old."""

ALONE: frozenset[Kind] = frozenset({"standings", "false_hits"})
"""Of these the newest release alone is kept, here and there: the ones before hold whom it leaves out."""

FORMAT: Literal["egate-published/1"] = "egate-published/1"
MAX_KIND_INDEX = 512_000
MAX_FILE = 512_000_000
MAX_FILES = 256
MAX_RELEASES = 16

FileName = Annotated[str, Meta(pattern=r"^[a-z0-9][a-z0-9._-]{0,63}\Z")]
Share = Annotated[int, Meta(ge=1, le=100)]


class PublishedFile(Value):
    """A file of a release: `use` is one of the kind's `USES`."""

    name: FileName
    use: Annotated[str, Meta(pattern=r"^[a-z_]{1,20}\Z")]
    length: Annotated[int, Meta(ge=1, le=MAX_FILE)]
    sha256: Digest


class Stage(Value):
    """Some of the gates: a percentage of those in a group, or of all (no group)."""

    group: Annotated[str, Meta(pattern=r"^([a-z0-9][a-z0-9-]{0,62})?\Z")] = ""
    share: Share = 100


class Release(Value):
    """One version of a kind. Without a stage it reaches nobody yet."""

    version: Version
    created: Utc
    files: Annotated[tuple[PublishedFile, ...], Meta(min_length=1, max_length=MAX_FILES)]
    stages: Annotated[tuple[Stage, ...], Meta(max_length=64)] = ()
    withdrawn: bool = False


class KindIndex(Value):
    """All that is published of a kind, the newest release last."""

    format: Literal["egate-published/1"]
    kind: Kind
    created: Utc
    releases: Annotated[tuple[Release, ...], Meta(max_length=MAX_RELEASES)] = ()
    groups: Annotated[dict[Name, Annotated[tuple[Name, ...], Meta(max_length=5000)]], Meta(max_length=64)] = (
        msgspec.field(default_factory=dict)
    )

    def release(self, version: int) -> Release | None:
        """The release of this number, if it is still listed."""
        return next((each for each in self.releases if each.version == version), None)


def index_path(kind: Kind) -> str:
    """The target that holds the index of a kind."""
    return f"{kind}/index.json"


def file_path(kind: Kind, version: int, name: str) -> str:
    """The target that holds a file of a release."""
    return f"{kind}/{version}-{name}"


def parse_kind_index(raw: bytes, kind: Kind) -> KindIndex:
    """Decode and check the index of a kind. Raises ListError."""
    if len(raw) > MAX_KIND_INDEX:
        raise ListError("index_too_long", 1)
    try:
        index = msgspec.json.decode(raw, type=KindIndex)
    except (msgspec.MsgspecError, UnicodeError, RecursionError) as error:
        raise ListError("bad_index", 1) from error
    if index.kind != kind:
        raise ListError("another_kind", 1)
    versions = [release.version for release in index.releases]
    if versions != sorted(set(versions)):
        raise ListError("releases_out_of_order", 1)
    for release in index.releases:
        check_files(kind, release.files)
    return index


def check_files(kind: Kind, files: tuple[PublishedFile, ...]) -> None:
    """Raise ListError unless these can be the files of one release of a kind."""
    if len({each.name for each in files}) != len(files):
        raise ListError("file_named_twice", 1)
    if any(each.use not in USES[kind] for each in files):
        raise ListError("unknown_use", 1)
    if kind in {"rules", "config", *ALONE} and len(files) != 1:
        raise ListError("one_file_expected", 1)


def reaches(kind: Kind, release: Release, gate: str, groups: dict[str, tuple[str, ...]]) -> bool:
    """Whether the roll-out of a release has come to this gate."""
    lot = _lot(kind, release.version, gate)
    return any(
        lot < stage.share and (not stage.group or gate in groups.get(stage.group, ()))
        for stage in release.stages
    )


def wanted(index: KindIndex, gate: str, here: int) -> Release | None:
    """The newest release that this gate, which has version `here` (0: none), is to take; None: it stays."""
    for release in reversed(index.releases):
        if release.version <= here:
            return None
        if not release.withdrawn and reaches(index.kind, release, gate, index.groups):
            return release
    return None


def groups_of(index: KindIndex, gate: str) -> tuple[str, ...]:
    """The groups that name this gate."""
    return tuple(sorted(name for name, members in index.groups.items() if gate in members))


def _lot(kind: Kind, version: int, gate: str) -> int:
    """A gate's place in the order of a roll-out, 0 to 99; another one for each release."""
    drawn = hashlib.sha256(f"{kind} {version} {gate}".encode()).digest()
    return int.from_bytes(drawn[:8], "big") % 100
