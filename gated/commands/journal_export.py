"""The centre's export of a journal held against the journal itself: what this gate signed, and still has."""

import sqlite3
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import IO

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from gated.commands.answer import UsageError
from gated.core.values import Value
from gated.store.attested import MAX_LINE, ExportError, Line, Proven, proven, read_lines
from gated.store.journal import MAX_PROBLEMS, Verdict, foundation_of


class Compared(Value):
    """A verdict on the journal, and on what the centre has exported of it."""

    verdict: Verdict
    export: tuple[Proven, ...]
    differences: tuple[str, ...]

    @property
    def good(self) -> bool:
        """Whether both are whole, and the same."""
        problems = any(each.problems for each in self.export)
        return bool(self.export) and not (problems or self.differences or self.verdict.problems)


def compared(
    verdict: Verdict, database: sqlite3.Connection, export: Path, keys: Sequence[Ed25519PublicKey]
) -> Compared:
    """Judge an export of this gate's journal; `keys` are its journal keys. Raises UsageError."""
    differences: list[str] = []
    try:
        with export.open("rb") as file:
            lines = read_lines(_capped(file))
            found = tuple(_proven(_beside(lines, database, differences), keys))
    except (ExportError, OSError) as error:
        raise UsageError(f"--export {export}: {error}") from error
    return Compared(verdict=verdict, export=found, differences=tuple(differences[:MAX_PROBLEMS]))


def export_text(found: Compared) -> Iterator[str]:
    """Show what the export says."""
    for each in found.export:
        yield (
            f"export: {each.gate}, branch {each.branch}, entries {each.first} to {each.last},"
            f" {each.signed} of them signed by this gate"
        )
        yield from (f"PROBLEM  export: {problem}" for problem in each.problems)
    yield from (f"PROBLEM  export: {difference}" for difference in found.differences)
    if not found.export:
        yield "PROBLEM  export: there is nothing in it"


def _proven(lines: Iterator[Line], keys: Sequence[Ed25519PublicKey]) -> Iterator[Proven]:
    first = next(lines, None)
    if first is None:
        return

    def of_one() -> Iterator[Line]:
        yield first
        for line in lines:
            if line.gate != first.gate:
                raise ExportError("it is of several gates: export one with --gate NAME")
            yield line

    yield from proven(of_one(), {first.gate: tuple(keys)})


def _beside(lines: Iterator[Line], database: sqlite3.Connection, differences: list[str]) -> Iterator[Line]:
    """The same lines; what differs from the journal is noted, the first few of it."""
    base, link_below = foundation_of(database)
    for line in lines:
        row = database.execute("SELECT hash FROM entries WHERE seq = ?", (line.seq,)).fetchone()
        if row is not None:
            here: str | None = bytes(row[0]).hex()
        else:
            here = link_below.hex() if line.seq == base else None
        gone = row is None and line.seq < base
        if here != line.hash and not gone and len(differences) < MAX_PROBLEMS:
            what = "is not here" if here is None else "is another one here"
            differences.append(f"entry {line.seq} of branch {line.branch}: {what}")
        yield line


def _capped(file: IO[bytes]) -> Iterator[bytes]:
    while line := file.readline(MAX_LINE):
        yield line
