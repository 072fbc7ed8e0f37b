"""What is in force of each published kind, and how a newer release takes its place.

    <kind>/<version>/       the files of a release, and release.json, which names and hashes them
    <kind>/current          which version is in force, and which content stands behind it; renamed into place

A release is built in a folder beside, verified and forced to disk, and comes into force by the rename of one
small file, so a crash between any two steps leaves the old release or the new one. The one before is kept,
but of the kinds of which the newest counts alone. If the release in force cannot be read at the start, the
one before serves, with its own version, until the next refresh brings the newest again.

Going back is going forward: the content of the release before gets the mark of being in force under the
version that it replaces, so nothing that was published before that counts as newer.
"""

import contextlib
import hashlib
import os
import shutil
from collections.abc import Callable
from pathlib import Path

import msgspec

from gated.core.values import Value
from gated.watchlist.publication import (
    ALONE,
    KINDS,
    MAX_KIND_INDEX,
    USES,
    Kind,
    PublishedFile,
    Release,
    check_files,
)
from gated.watchlist.snapshot import Digest, ListError, Version

POINTER, CONTENTS = "current", "release.json"
FOR_OTHERS: frozenset[Kind] = frozenset({"models"})
"""Kinds that another process of the gate reads by itself: gate-vision, which may read no other."""
_NEW = ".new"
_PIECE = 1024 * 1024


class InForce(Value):
    """What is in force of a kind: `version` counts against rollback, `content` is the folder it comes from.

    The two differ after somebody at the gate went back to the content before.
    """

    version: Version
    content: Version
    sha256: Digest
    """Stands for all its files: what goes on record."""
    previous: Version | None = None
    """The content that was in force before, if it is kept."""


def _silent(_: str) -> None:
    pass


class Published:
    """The releases that this gate holds, under one folder. Belongs to one thread; reading is for any."""

    def __init__(self, folder: Path, reached: Callable[[str], None] = _silent) -> None:
        self._folder = folder
        self._reached = reached

    def in_force(self, kind: Kind) -> InForce | None:
        """What is in force of a kind, as its pointer says; None before the first, or when unreadable."""
        try:
            raw = self._place(kind, POINTER).read_bytes()
            return msgspec.json.decode(raw, type=InForce) if len(raw) <= MAX_KIND_INDEX else None
        except (OSError, msgspec.MsgspecError, UnicodeError, RecursionError):
            return None

    def files(self, kind: Kind) -> dict[str, tuple[Path, ...]]:
        """The files that are in force by what they are for; every use of the kind is a key."""
        found: dict[str, tuple[Path, ...]] = dict.fromkeys(USES[kind], ())
        if (now := self.in_force(kind)) is not None:
            where = self._place(kind, str(now.content))
            for file in self._contents(kind, now.content):
                found[file.use] = (*found[file.use], where / file.name)
        return found

    def place(self, kind: Kind, content: int) -> Path:
        """The folder in which the files of a release lie, if it is here."""
        return self._place(kind, str(content))

    def recover(self) -> dict[Kind, str]:
        """At the start: sweep leftovers; where a release cannot be read, let the one before serve.

        Returns the kinds whose release was found damaged, with what serves now: `previous` or `nothing`.
        """
        damaged: dict[Kind, str] = {}
        for kind in KINDS:
            shutil.rmtree(self._place(kind, _NEW), ignore_errors=True)
            now = self.in_force(kind)
            if now is None:
                if self._place(kind, POINTER).exists():
                    damaged[kind] = "nothing"
                    self._place(kind, POINTER).unlink()
                continue
            if self._is_whole(kind, now.content):
                if kind in FOR_OTHERS:  # it may have come under an earlier version of egate
                    _open_to_others(self.place(kind, now.content))
                continue
            if now.previous is not None and self._is_whole(kind, now.previous):
                damaged[kind] = "previous"
                # Its own version: the newest is fetched again, and its folder must not be in the way.
                self._point(
                    kind,
                    InForce(
                        version=now.previous, content=now.previous, sha256=self._digest(kind, now.previous)
                    ),
                )
            else:
                damaged[kind] = "nothing"
                self._place(kind, POINTER).unlink()
            shutil.rmtree(self._place(kind, str(now.content)), ignore_errors=True)
        return damaged

    def install(
        self,
        kind: Kind,
        release: Release,
        fetch: Callable[[PublishedFile], Path],
        check: Callable[[Path, tuple[PublishedFile, ...]], None],
    ) -> InForce:
        """Bring a release into force: fetch and lay its files beside, check them, switch.

        Raises what `fetch` and `check` raise, ListError for a file that is not the one described, OSError.
        """
        new = self._place(kind, _NEW)
        shutil.rmtree(new, ignore_errors=True)
        new.mkdir(parents=True)
        try:
            for file in release.files:
                _copy(fetch(file), new / file.name, file)
            _write(new / CONTENTS, msgspec.json.encode(release.files))
            if kind in FOR_OTHERS:
                _open_to_others(new)
            _flush(new)
            self._reached("built")
            check(new, release.files)
        except BaseException:
            shutil.rmtree(new, ignore_errors=True)
            raise
        before = self.in_force(kind)
        final = self._place(kind, str(release.version))
        shutil.rmtree(final, ignore_errors=True)  # of an activation that was cut short
        new.replace(final)
        _flush(final.parent)
        self._reached("placed")
        now = InForce(
            version=release.version,
            content=release.version,
            sha256=self._digest(kind, release.version),
            previous=before.content if before and kind not in ALONE else None,
        )
        self._point(kind, now)
        self._reached("switched")
        self._sweep(kind, now)
        return now

    def go_back(self, kind: Kind) -> InForce:
        """Put the content before in force, under the version that it replaces. Raises ListError, OSError."""
        now = self.in_force(kind)
        if now is None or now.previous is None or not self._is_whole(kind, now.previous):
            raise ListError("nothing_to_go_back_to", 1)
        back = InForce(
            version=now.version,
            content=now.previous,
            sha256=self._digest(kind, now.previous),
            previous=now.content,
        )
        self._point(kind, back)
        return back

    def _place(self, kind: Kind, name: str) -> Path:
        return self._folder / kind / name

    def _contents(self, kind: Kind, content: int) -> tuple[PublishedFile, ...]:
        """The files of a release that is here. None where that cannot be read."""
        with contextlib.suppress(OSError, msgspec.MsgspecError, UnicodeError, RecursionError, ListError):
            raw = self._place(kind, f"{content}/{CONTENTS}").read_bytes()
            files = msgspec.json.decode(raw, type=tuple[PublishedFile, ...])
            check_files(kind, files)
            return files
        return ()

    def _is_whole(self, kind: Kind, content: int) -> bool:
        files = self._contents(kind, content)
        where = self._place(kind, str(content))
        with contextlib.suppress(OSError):
            return bool(files) and all(_hash(where / file.name) == file.sha256 for file in files)
        return False

    def _digest(self, kind: Kind, content: int) -> str:
        lines = sorted(f"{file.use} {file.name} {file.sha256}" for file in self._contents(kind, content))
        return hashlib.sha256("\n".join(lines).encode()).hexdigest()

    def _point(self, kind: Kind, to: InForce) -> None:
        pointer = self._place(kind, POINTER)
        spare = pointer.with_suffix(".new")
        _write(spare, msgspec.json.encode(to))
        spare.replace(pointer)
        _flush(pointer.parent)

    def _sweep(self, kind: Kind, now: InForce) -> None:
        kept = {str(now.content), str(now.previous), POINTER}
        for path in (self._folder / kind).iterdir():
            if path.name not in kept and path.is_dir():
                shutil.rmtree(path, ignore_errors=True)


def _copy(source: Path, target: Path, described: PublishedFile) -> None:
    """Copy what was fetched, durably. Raises ListError unless it is what the index describes."""
    digest, length = hashlib.sha256(), 0
    with source.open("rb") as file, target.open("wb") as copy:
        while piece := file.read(_PIECE):
            digest.update(piece)
            length += len(piece)
            copy.write(piece)
        copy.flush()
        os.fsync(copy.fileno())
    if (length, digest.hexdigest()) != (described.length, described.sha256):
        raise ListError("not_what_the_index_says", 1)


def _open_to_others(folder: Path) -> None:
    """Let other processes of the gate read a release; the folders above tell whether they come so far."""
    for path in (folder.parent, folder):
        path.chmod(0o755)
    for path in folder.iterdir():
        path.chmod(0o644)


def _hash(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _write(path: Path, content: bytes) -> None:
    with path.open("wb") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())


def _flush(folder: Path) -> None:
    """Make renames in the folder durable."""
    handle = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
