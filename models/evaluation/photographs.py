"""The photographs of an evaluation: a folder or a zip file of `.../Person/Person_0001.jpg`.

A photograph is found in a listing made once, never by joining a name from a list to a path: no list can lead
out of the folder. Its number is the digits that its file name ends with. What desktops leave beside the files
(`._name`, `__MACOSX`) is none. Folders may be links: a set is often put together of links to a larger one.
"""

import lzma
import os
import re
import zipfile
import zlib
from collections import defaultdict
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from models.evaluation.pairs import Sample, same_name, text_of
from models.mrz import files

SUFFIXES = frozenset({".jpg", ".jpeg", ".png", ".jp2"})
MAX_FILE = files.MAX_BYTES
MAX_FILES = 200_000

# whatever a damaged archive, or one of a kind that is not read, makes of its readers
_UNREADABLE = (
    OSError, EOFError, ValueError, RuntimeError, zipfile.BadZipFile, zlib.error, lzma.LZMAError,
)  # fmt: skip
_NUMBER = re.compile(r"(\d{1,6})$", re.ASCII)


class PhotographsError(Exception):
    """The photographs cannot be listed, or one cannot be read: the text says why."""


@dataclass(frozen=True, kw_only=True)
class Photograph:
    """One file of a person: its path below the folder or in the archive; `number` is None without digits."""

    person: str
    number: int | None
    file: str


class Collection:
    """All photographs under one path, by person and in the order of their files, but those `without`."""

    def __init__(self, source: Path, without: frozenset[str] = frozenset()) -> None:
        """List them. `without` names photographs as `named` does. Raises PhotographsError."""
        self.source = source
        self.left_out = 0
        """How many of those that are not wanted are here."""
        try:
            files = _in_folder(source) if source.is_dir() else _in_archive(source)
        except _UNREADABLE as error:
            raise PhotographsError(f"{source}: neither a folder nor a zip file that can be read") from error
        if len(files) > MAX_FILES:
            raise PhotographsError(f"{source}: more than {MAX_FILES} photographs")
        people: dict[str, list[Photograph]] = defaultdict(list)
        for file in sorted(files):
            path = PurePosixPath(file if source.is_dir() else _slashed(file))
            if f"{same_name(path.parent.name)}/{path.name}" in without:
                self.left_out += 1
            elif path.parent.name:
                digits = _NUMBER.search(path.stem)
                number = int(digits[1]) if digits else None
                person = same_name(path.parent.name)
                people[person].append(Photograph(person=person, number=number, file=file))
        if not people:
            raise PhotographsError(
                f"{source}: no photographs: give a folder or zip file of NAME/NAME_0001.jpg"
            )
        self.people: dict[str, tuple[Photograph, ...]] = {name: tuple(each) for name, each in people.items()}
        self._by_sample: dict[tuple[str, int], Photograph] = {}
        self._twice: dict[tuple[str, int], Photograph] = {}  # who has a number that another photograph has
        for each in (photograph for group in self.people.values() for photograph in group):
            if each.number is not None:
                known = self._by_sample.setdefault((each.person, each.number), each)
                if known != each:
                    self._twice[each.person, each.number] = each

    def person(self, name: str) -> str | None:
        """Return the name under which a person's folder stands: as listed, or with _ for each blank."""
        return next((n for n in (name, name.replace(" ", "_")) if n in self.people), None)

    def find(self, sample: Sample) -> Photograph | None:
        """Return the photograph of a list's sample, or None when it is missing.

        Raises PhotographsError where two photographs have the number: a list cannot tell which it means.
        """
        person = self.person(sample.person)
        if person is None:
            return None
        found = self._by_sample.get((person, sample.number))
        other = self._twice.get((person, sample.number))
        if found is not None and other is not None:
            raise PhotographsError(
                f"{self.source}: two photographs of one person have the same number: "
                f"{found.file} and {other.file}: keep one of them"
            )
        return found

    def from_number(self, photograph: Photograph) -> tuple[Photograph, ...]:
        """Return all of the person's photographs, this one first and then in order, round the end."""
        group = self.people[photograph.person]
        place = group.index(photograph)
        return group[place:] + group[:place]


def named(raw: bytes) -> frozenset[str]:
    """Read a list of photographs, `NAME/NAME_0001.jpg` in each line, up to a #. Raises PhotographsError."""
    lines = text_of(raw).splitlines()
    found = [(number, line.partition("#")[0].strip()) for number, line in enumerate(lines, 1)]
    for number, name in found:
        if name and len(PurePosixPath(name).parts) != 2:
            raise PhotographsError(f"line {number} is no photograph of a person: write NAME/NAME_0001.jpg")
    return frozenset(same_name(name) for _, name in found if name)


class Opened:
    """Reads the photographs of a collection; one for each process."""

    def __init__(self, source: Path) -> None:
        self._source = source
        self._archive = None if source.is_dir() else zipfile.ZipFile(source)

    def read(self, photograph: Photograph) -> bytes:
        """Return a file's bytes, at most MAX_FILE and one. Raises PhotographsError."""
        try:
            if self._archive is None:
                with (self._source / photograph.file).open("rb") as file:
                    return file.read(MAX_FILE + 1)
            with self._archive.open(photograph.file) as file:
                return file.read(MAX_FILE + 1)
        except _UNREADABLE as error:
            raise PhotographsError(f"{photograph.file}: cannot be read") from error

    def close(self) -> None:
        """Close the archive."""
        if self._archive is not None:
            self._archive.close()


def _in_folder(source: Path) -> list[str]:
    found: list[str] = []
    entered: set[tuple[int, int]] = set()  # a link may lead back to where it came from
    for folder, below, names in os.walk(source, followlinks=True):
        status = Path(folder).stat()
        if (status.st_dev, status.st_ino) in entered:
            below.clear()
            continue
        entered.add((status.st_dev, status.st_ino))
        paths = (Path(folder, name) for name in names)
        found.extend(
            path.relative_to(source).as_posix()
            for path in paths
            if _is_photograph(PurePosixPath(path.relative_to(source))) and path.is_file()
        )
    return found


def _in_archive(source: Path) -> list[str]:
    with zipfile.ZipFile(source) as archive:
        return [
            entry.filename
            for entry in archive.infolist()
            if _is_photograph(PurePosixPath(_slashed(entry.filename))) and not entry.is_dir()
        ]


def _slashed(name: str) -> str:
    """The name of an archive's file, which some programs write with backslashes."""
    return name.replace("\\", "/")


def _is_photograph(path: PurePosixPath) -> bool:
    left_behind = path.name.startswith(".") or "__MACOSX" in path.parts
    return path.suffix.lower() in SUFFIXES and not left_behind
