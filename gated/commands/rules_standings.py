"""The command that makes a file of standings from a table: bad rows are told by their lines and left out."""

import argparse
import csv
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

from gated.commands.answer import Answer, UsageError, Words
from gated.commands.columns import wrapped
from gated.core.values import Value
from gated.rules.standing_rows import COLUMNS, RowError, StandingRow, parse_row
from gated.store.list_keys import read_list_key
from gated.store.standings import build
from gated.watchlist.keyed import ListKeyError

MAX_CELL: Final = 4096
TOLD: Final = 20  # bad rows in the answer; all are counted


class BadRow(Value):
    """A row that is left out: its line in the file, and what is wrong with it."""

    line: int
    fault: str


class Made(Value):
    """What was made, and what was left out."""

    standings: int
    version: int
    key: str
    rejected: int
    rejects: tuple[BadRow, ...]


def add(words: Words) -> None:
    """Put the command on the command line."""
    makes = words.command("standings", rules_standings)
    makes.add_argument("table", type=Path, metavar="CSV", help=f"with the columns {', '.join(COLUMNS)}")
    makes.add_argument("made", type=Path, metavar="FILE", help="what to make, or to replace at once")
    makes.add_argument("--key", type=Path, required=True, metavar="FILE", help="the list key")
    makes.add_argument("--version", type=_version, metavar="N", help="default: the time in seconds")


def rules_standings(arguments: argparse.Namespace) -> Answer:
    """Make the file of standings that the rules ask, from a table; bad rows are left out and told."""
    try:
        key = read_list_key(arguments.key)
    except ListKeyError as error:
        raise UsageError(str(error)) from error
    now = datetime.now(UTC)
    version = int(now.timestamp()) if arguments.version is None else arguments.version
    table = _Table(arguments.table)
    contents = build(table.rows(), arguments.made, key, version, now)
    made = Made(
        standings=contents.standings,
        version=version,
        key=key.id,
        rejected=table.rejected,
        rejects=tuple(table.rejects),
    )
    told = [f"{arguments.made}: {made.standings} standings, version {version}, list key {key.id}"]
    for each in made.rejects:
        told += wrapped(each.fault, first=f"line {each.line}: ")
    if made.rejected > TOLD:
        told.append(f"and {made.rejected - TOLD} more")
    return Answer(value=made, text=tuple(told), good=made.rejected == 0)


class _Table:
    """A table on disk, read once, row by row."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self.rejected = 0
        self.rejects: list[BadRow] = []

    def rows(self) -> Iterator[StandingRow]:
        """The good rows. Raises UsageError where the file is no such table."""
        csv.field_size_limit(MAX_CELL)
        try:
            with self._path.open(encoding="utf-8-sig", newline="") as file:
                reader = csv.DictReader(file, restval="")
                columns = tuple(reader.fieldnames or ())
                if not {"issuer", "number"} <= set(columns):
                    raise UsageError(f"{self._path}: no columns `issuer` and `number`: add a first line")
                if wrong := next((n for n, name in enumerate(columns, 1) if name not in COLUMNS), 0):
                    fix = f"take {', '.join(COLUMNS)}"
                    raise UsageError(f"{self._path}: column {wrong} is unknown: {fix}")
                for row in reader:
                    try:
                        yield parse_row(_cells(row))
                    except RowError as error:
                        self._reject(reader.line_num, str(error))
        except OSError as error:
            raise UsageError(f"{self._path}: cannot be read ({error.strerror}): check the path") from error
        except (UnicodeDecodeError, csv.Error) as error:
            fix = "save it as CSV in UTF-8"
            raise UsageError(f"{self._path}: no table: {fix}") from error

    def _reject(self, line: int, fault: str) -> None:
        self.rejected += 1
        if len(self.rejects) < TOLD:
            self.rejects.append(BadRow(line=line, fault=fault))


def _cells(row: dict[str | None, object]) -> dict[str, str]:
    """The cells by their columns. Raises RowError for a row that is longer than the first line."""
    if None in row:
        raise RowError("row: more cells than columns: correct it")
    return {str(name): str(cell) for name, cell in row.items()}


def _version(text: str) -> int:
    if not text.isascii() or not text.isdigit() or len(text) > 12:
        raise argparse.ArgumentTypeError(f"{text!r}: give a number")
    return int(text)
