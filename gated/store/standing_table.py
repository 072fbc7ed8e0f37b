"""The table that a file of standings is made from: a CSV, read once, its bad rows told by their lines."""

import csv
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from gated.core.values import Value
from gated.rules.standing_rows import COLUMNS, RowError, StandingRow, parse_row

MAX_CELL: Final = 4096
TOLD: Final = 20  # bad rows that are kept; all are counted


class TableError(Exception):
    """The file is no such table; the text names the file and the fix."""


class BadRow(Value):
    """A row that is left out: its line in the file, and what is wrong with it."""

    line: int
    fault: str


class StandingTable:
    """A table on disk, read once, row by row."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self.rejected = 0
        self.rejects: list[BadRow] = []

    def rows(self) -> Iterator[StandingRow]:
        """The good rows. Raises TableError where the file is no such table."""
        csv.field_size_limit(MAX_CELL)
        try:
            with self._path.open(encoding="utf-8-sig", newline="") as file:
                reader = csv.DictReader(file, restval="")
                columns = tuple(reader.fieldnames or ())
                if not {"issuer", "number"} <= set(columns):
                    raise TableError(f"{self._path}: no columns `issuer` and `number`: add a first line")
                if wrong := next((n for n, name in enumerate(columns, 1) if name not in COLUMNS), 0):
                    fix = f"take {', '.join(COLUMNS)}"
                    raise TableError(f"{self._path}: column {wrong} is unknown: {fix}")
                for row in reader:
                    try:
                        yield parse_row(_cells(row))
                    except RowError as error:
                        self._reject(reader.line_num, str(error))
        except OSError as error:
            raise TableError(f"{self._path}: cannot be read ({error.strerror}): check the path") from error
        except (UnicodeDecodeError, csv.Error) as error:
            fix = "save it as CSV in UTF-8"
            raise TableError(f"{self._path}: no table: {fix}") from error

    def _reject(self, line: int, fault: str) -> None:
        self.rejected += 1
        if len(self.rejects) < TOLD:
            self.rejects.append(BadRow(line=line, fault=fault))


def _cells(row: dict[str | None, object]) -> dict[str, str]:
    """The cells by their columns. Raises RowError for a row that is longer than the first line."""
    if None in row:
        raise RowError("row: more cells than columns: correct it")
    return {str(name): str(cell) for name, cell in row.items()}
