"""The list of pairs to compare, as Labeled Faces in the Wild (LFW) writes it.

    10<tab>300                          folds, and pairs of each kind in a fold; or one number: one fold
    Name<tab>1<tab>4                    images 1 and 4 of one person
    Name<tab>1<tab>Other Name<tab>2     image 1 of one and image 2 of another

A fold is its mated pairs and then its non-mated ones. The heading may be missing. Where it does not agree
with the number of lines, the pairs are taken and `folds` is 1, since nobody can tell where a fold ends;
`told` says what the heading said.
"""

import codecs
import unicodedata

from gated.core.values import Value

MAX_BYTES = 20_000_000
MAX_PAIRS = 500_000
MAX_NAME = 255
MAX_NUMBER = 999_999


class PairsError(Exception):
    """The list is not one of pairs: `reason` is a snake_case code, `line` counts from 1 (0: the whole)."""

    def __init__(self, reason: str, line: int = 0) -> None:
        super().__init__(f"{reason} in line {line}" if line else reason)
        self.reason = reason
        self.line = line


class Sample(Value):
    """An image of the list: whose, and which."""

    person: str
    number: int


class Pair(Value):
    """Two images; `fold` counts from 0."""

    reference: Sample
    probe: Sample
    fold: int

    @property
    def mated(self) -> bool:
        """Whether both are of one person."""
        return self.reference.person == self.probe.person


class PairList(Value):
    """The pairs in the order of the file. `told`: pairs that the heading speaks of, None without one.

    `draws`: how many lists these are together, drawn one by one, so that a pair may be here several times.
    """

    pairs: tuple[Pair, ...]
    folds: int
    told: int | None
    draws: int = 1


def parse(raw: bytes) -> PairList:
    """Read a list of pairs. Raises PairsError."""
    if len(raw) > MAX_BYTES:
        raise PairsError("too_long")
    lines = text_of(raw).split("\n")
    rows = [(number, fields) for number, line in enumerate(lines, 1) if (fields := _fields(line))]
    if not rows:
        raise PairsError("no_pairs")
    heading = _heading(rows[0])
    body = rows[1:] if heading else rows
    if not body:
        raise PairsError("no_pairs")
    if len(body) > MAX_PAIRS:
        raise PairsError("too_many_pairs")
    folds, kind = heading or (1, 0)
    told = 2 * folds * kind if heading else None
    agreed = told == len(body)
    size = 2 * kind if agreed else len(body)
    pairs = tuple(_pair(row, index // size) for index, row in enumerate(body))
    return PairList(pairs=pairs, folds=folds if agreed else 1, told=told)


def text_of(raw: bytes) -> str:
    """Return the text of a list of names: UTF-16 where its mark says so, as by some editors, else UTF-8.

    Names are file names, and those are bytes: what is not UTF-8 is kept as Python keeps it in paths.
    """
    if raw.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        return raw.decode("utf-16", "replace")
    return raw.decode("utf-8", "surrogateescape").removeprefix("\ufeff")


def same_name(name: str) -> str:
    """Return the spelling of a person's name by which folders and lists agree (Unicode NFC)."""
    return unicodedata.normalize("NFC", name)


def _fields(line: str) -> list[str]:
    """The fields of a line: between tabs, or between any blanks where there is no tab."""
    line = line.strip("\r \t")
    fields = line.split("\t") if "\t" in line else line.split()
    return [field.strip() for field in fields if field.strip()]


def _heading(row: tuple[int, list[str]]) -> tuple[int, int] | None:
    """Folds and pairs of a kind in each, or None where the first line is a pair. Raises PairsError."""
    number, fields = row
    if len(fields) > 2:
        return None
    counts = [_number(field, number) for field in fields]
    return (counts[0], counts[1]) if len(counts) == 2 else (1, counts[0])


def _pair(row: tuple[int, list[str]], fold: int) -> Pair:
    number, fields = row
    if len(fields) == 3:
        fields = [fields[0], fields[1], fields[0], fields[2]]
    if len(fields) != 4:
        raise PairsError("not_three_or_four_fields", number)
    if max(len(fields[0]), len(fields[2])) > MAX_NAME:
        raise PairsError("name_too_long", number)
    return Pair(
        reference=Sample(person=same_name(fields[0]), number=_number(fields[1], number)),
        probe=Sample(person=same_name(fields[2]), number=_number(fields[3], number)),
        fold=fold,
    )


def _number(field: str, line: int) -> int:
    if not (field.isascii() and field.isdigit() and len(field) <= 6 and int(field)):
        raise PairsError("not_a_number", line)
    return int(field)
