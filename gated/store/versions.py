"""The versions of one list that a gate holds: a folder each, and a small file that says which is in force.

    <version>/      entries.db, documents.pack, changes.pack, and list.json, which says what must be there
    current         the version in force; renamed into place
    .next/          a version that is being built
    go-back         somebody at the gate wants the content before back

A version is built in `.next`, verified, forced to disk, and named; it comes into force by the rename of
`current`. A crash between any two steps leaves the old list or the new one in force, and what is left over is
swept at the next start. The version before is kept, and serves where the one in force cannot be read.

Going back is going forward: the content before comes into force under the number of the version that it
replaces, so nothing that was published up to then counts as newer.
"""

import os
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Literal

import msgspec

from gated.core.values import Value
from gated.watchlist.changes import State
from gated.watchlist.snapshot import ListError, Version

POINTER, CONTENTS = "current", "list.json"
FORMAT: Literal["egate-version/1"] = "egate-version/1"
MAX_FILE = 4096
_NEXT, _NEW_POINTER, _GO_BACK = ".next", "current.new", "go-back"


class Contents(Value):
    """What a version is made of. `documents`: which packed documents must lie in its folder, if any."""

    format: Literal["egate-version/1"]
    version: Version
    documents: State | None = None


class Pointer(Value):
    """What is in force: `version` counts against rollback, `content` is the folder that it comes from.

    The two differ after somebody at the gate went back. `previous` is the content that was in force before.
    """

    version: Version
    content: Version
    previous: Version | None = None


class NothingBefore(Exception):
    """There is no earlier version to go back to."""


def _silent(_: str) -> None:
    pass


class Versions:
    """The folders of one list. Belongs to one thread; `reached` is told of each step that is on disk."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    @property
    def building(self) -> Path:
        """The folder that the next version is built in."""
        return self._folder / _NEXT

    @property
    def place_of_asking(self) -> Path:
        """A file that is there while somebody at the gate wants the content before back."""
        return self._folder / _GO_BACK

    def begin(self) -> Path:
        """An empty folder to build the next version in. Raises OSError."""
        self._folder.mkdir(parents=True, exist_ok=True)
        shutil.rmtree(self.building, ignore_errors=True)
        self.building.mkdir(mode=0o700)
        return self.building

    def abandon(self) -> None:
        """Throw away what was being built, and what has its name already but did not come into force.

        A disk that was too full for the pointer must not stay full of what the pointer did not reach.
        """
        self.sweep()

    def place(self, version: int) -> Path:
        """The folder of a version."""
        return self._folder / str(version)

    def pointer(self) -> Pointer | None:
        """What is in force; None before the first list, or where that cannot be read."""
        try:
            return msgspec.json.decode(_small(self._folder / POINTER), type=Pointer)
        except (OSError, ValueError, RecursionError):
            return None

    def candidates(self) -> Iterator[int]:
        """The contents that may serve, the best first."""
        if (now := self.pointer()) is not None:
            yield now.content
            if now.previous is not None:
                yield now.previous
        elif self._folder.is_dir():  # the pointer was lost: every named folder was whole and verified
            yield from sorted(self._named(), reverse=True)

    def name(self, contents: Contents, reached: Callable[[str], None] = _silent) -> Path:
        """Give what was built its name, all of it on disk; not in force yet. Raises OSError."""
        (self.building / CONTENTS).write_bytes(msgspec.json.encode(contents))
        for path in self.building.iterdir():
            _flush(path)
        _flush(self.building)
        target = self.place(contents.version)
        shutil.rmtree(target, ignore_errors=True)  # what bore this name is damaged, or was never in force
        reached("flushed")
        self.building.rename(target)
        _flush(self._folder)
        reached("named")
        return target

    def point(self, pointer: Pointer, reached: Callable[[str], None] = _silent) -> None:
        """Put a content in force. Raises OSError."""
        new = self._folder / _NEW_POINTER
        new.write_bytes(msgspec.json.encode(pointer))
        _flush(new)
        reached("pointed")
        new.replace(self._folder / POINTER)
        _flush(self._folder)
        reached("switched")

    def sweep(self) -> None:
        """Remove what is neither in force nor kept. Nothing is removed where the pointer was lost."""
        shutil.rmtree(self.building, ignore_errors=True)
        (self._folder / _NEW_POINTER).unlink(missing_ok=True)
        if (now := self.pointer()) is None or not self._folder.is_dir():
            return
        for version in set(self._named()) - {now.content, now.previous}:
            shutil.rmtree(self.place(version), ignore_errors=True)

    def _named(self) -> Iterator[int]:
        for path in self._folder.iterdir():
            if path.name.isascii() and path.name.isdigit() and path.is_dir():
                yield int(path.name)


def read_contents(folder: Path) -> Contents:
    """What must lie in a version's folder. Raises ListError, OSError."""
    try:
        return msgspec.json.decode(_small(folder / CONTENTS), type=Contents)
    except (ValueError, RecursionError) as error:
        raise ListError("bad_contents") from error


def _small(path: Path) -> bytes:
    with path.open("rb") as file:
        return file.read(MAX_FILE)


def _flush(path: Path) -> None:
    """Force a file or a folder to disk."""
    handle = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
