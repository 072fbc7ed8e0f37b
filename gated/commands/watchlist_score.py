"""How alike two names are: for measuring the matcher on pairs of names that somebody else has judged.

Rows go in and scores come out one by one, so a file of any length is read in little memory. What is wrong
with a row is told on standard error by its line number, without the row.
"""

import argparse
import csv
import io
import os
import sys
from collections.abc import Iterator
from itertools import chain
from typing import TextIO

import msgspec

from gated.commands.answer import Answer, UsageError, Words
from gated.core.values import Value
from gated.watchlist.names.birth import birth_of
from gated.watchlist.names.comparison import Comparison, Person, compare
from gated.watchlist.names.model import MATCH
from gated.watchlist.names.words import MAX_NAME, name_of

SIDES = ("left", "right")
NAMES = (
    SIDES,
    ("left_name", "right_name"),
    ("name1", "name2"),
    ("name_1", "name_2"),
    ("name_a", "name_b"),
    ("a", "b"),
)
BIRTHS = ("birth", "birth_date", "birthdate", "date_of_birth", "dob")
COUNTRIES = ("country", "nationality")
PARTED_BY = ",;\t"
MAX_FIELD = 4096
MAX_LINE = 65_536


class Pair(Value):
    """What `--json` says of a row."""

    line: int
    score: float
    match: bool
    fields: tuple[object, ...]
    words: tuple[dict[str, object], ...]


class _BadRow(Exception):
    """The row has no answer; the text says why, without the row."""


def add(watchlist: Words) -> None:
    """Put `score` under the word `watchlist`."""
    sub = watchlist.command("score", score)
    sub.epilog = (
        f"From {MATCH} on, two names are taken for one person's. Optional columns: left_birth, right_birth, "
        "left_country, right_country. A row that cannot be scored gives nan, and its line on standard error."
    )


def score(arguments: argparse.Namespace) -> Answer:
    """Score pairs of names: CSV on standard input, with a header and the columns left and right.

    Columns are parted by commas, semicolons or tabs, as in the first line.
    Optional columns: left_birth, right_birth, left_country, right_country. One line comes out for each row, a
    number from 0 to 1, `nan` for a bad row; with --json an object, whose `match` is the verdict.
    """
    if sys.stdin is None:
        raise UsageError("standard input is closed: pipe a CSV file into it")
    text = io.TextIOWrapper(sys.stdin.buffer, encoding="utf-8-sig", errors="surrogateescape", newline="")
    csv.field_size_limit(MAX_FIELD)
    bad = 0
    try:
        for line, found in scores(text):
            if isinstance(found, str):
                bad += 1
                sys.stderr.write(f"gatectl: line {line}: {found}\n")
            _say(line, found, as_json=arguments.json)
    except BrokenPipeError:  # whoever reads may stop reading
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    except OSError as error:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        raise UsageError(f"cannot read the rows or write the scores ({error.strerror})") from error
    return Answer(value=(), text=(), good=not bad, series=True)


def _say(line: int, found: "Row | str", *, as_json: bool) -> None:
    if as_json:
        value = {"line": line, "score": None, "error": found} if isinstance(found, str) else found.told(line)
        sys.stdout.write(f"{msgspec.json.encode(value).decode()}\n")
    else:
        sys.stdout.write("nan\n" if isinstance(found, str) else f"{found.comparison.score:.6f}\n")
    sys.stdout.flush()


class Row:
    """A row that was compared."""

    __slots__ = ("comparison", "left", "right")

    def __init__(self, left: Person, right: Person) -> None:
        self.left, self.right = left, right
        self.comparison: Comparison = compare(left, right)

    def told(self, line: int) -> Pair:
        """What is told of it: the words too, which the asker gave."""
        ours, theirs = self.left.name.spelled(), self.right.name.spelled()
        return Pair(
            line=line,
            score=round(self.comparison.score, 6),
            match=self.comparison.score >= MATCH,
            fields=self.comparison.fields,
            words=tuple(
                {
                    "left": " ".join(ours[at] for at in link.left),
                    "right": " ".join(theirs[at] for at in link.right),
                    "how": str(link.how),
                    "alike": round(link.degree, 3),
                }
                for link in self.comparison.links
            ),
        )


def scores(text: TextIO) -> Iterator[tuple[int, Row | str]]:
    """Yield the line number of each row with what came of it, or what is wrong with it. Raises UsageError."""
    lines = _lines(text)
    first = next(lines, "")
    reader = csv.reader(chain([first], lines), delimiter=max(PARTED_BY, key=first.count))
    try:
        columns = _Columns(next(reader, []))
    except csv.Error as error:
        raise UsageError("line 1: no CSV: give columns left,right") from error
    while True:
        try:
            row = next(reader)
        except StopIteration:
            return
        except csv.Error:
            yield reader.line_num, f"no CSV, or a field of more than {MAX_FIELD} characters"
            continue
        if row:
            try:
                yield reader.line_num, Row(*columns.persons(row))
            except _BadRow as error:
                yield reader.line_num, str(error)


def _lines(text: TextIO) -> Iterator[str]:
    """The lines of the file. Raises UsageError for one that has no end."""
    number = 0
    while line := text.readline(MAX_LINE):
        number += 1
        if len(line) == MAX_LINE and not line.endswith("\n"):
            raise UsageError(f"line {number} has more than {MAX_LINE} characters: give a CSV file of names")
        yield line


class _Columns:
    """Where the columns stand."""

    def __init__(self, header: list[str]) -> None:
        known = {title.strip().lower().replace(" ", "_"): at for at, title in enumerate(header)}
        names = next((pair for pair in NAMES if all(title in known for title in pair)), None)
        if names is None:
            raise UsageError("no columns left,right in the first line: give a CSV file with a header")
        self._names = tuple(known[title] for title in names)
        self._births = tuple(_find(known, side, BIRTHS) for side in (1, 2))
        self._countries = tuple(_find(known, side, COUNTRIES) for side in (1, 2))

    def persons(self, row: list[str]) -> tuple[Person, Person]:
        """The two persons of a row. Raises _BadRow."""
        left, right = (self._person(row, side) for side in (0, 1))
        return left, right

    def _person(self, row: list[str], side: int) -> Person:
        written = _cell(row, self._names[side])
        if len(written) > MAX_NAME:
            raise _BadRow(f"the {SIDES[side]} name has more than {MAX_NAME} characters")
        if any("\ud800" <= character <= "\udfff" for character in written):
            raise _BadRow(f"the {SIDES[side]} name is not UTF-8")
        name = name_of(written)
        if not name.words:
            raise _BadRow(f"the {SIDES[side]} name has no letters")
        birth = birth_of(_cell(row, self._births[side]))
        if birth is None:
            raise _BadRow(
                f"the {SIDES[side]} birth date is none: give one such as 1974-08-12, 1974-08 or 1974"
            )
        return Person(name, birth, _cell(row, self._countries[side]))


def _find(known: dict[str, int], side: int, titles: tuple[str, ...]) -> int | None:
    word, letter = SIDES[side - 1], "ab"[side - 1]
    for title in titles:
        for form in (
            f"{word}_{title}",
            f"{title}_{word}",
            f"{title}{side}",
            f"{title}_{side}",
            f"{title}_{letter}",
        ):
            if form in known:
                return known[form]
    return None


def _cell(row: list[str], at: int | None) -> str:
    if at is None:
        return ""
    if at >= len(row):
        raise _BadRow("too few columns")
    return row[at]
