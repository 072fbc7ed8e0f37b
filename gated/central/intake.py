"""What operators hand in: CSV, JSON lines or a database query of documents and persons; which rows are wrong.

All have the same fields; columns of CSV are parted by commas, semicolons or tabs. A row with a `number` is a
document, one with a `surname` a person:

    number, issuer, type             the document; type may be empty
    surname, given, birth, nationality   the person; birth as YYYY-MM-DD, YYYY-MM or YYYY, XX for an
                                     unknown month or day, XXXX for an unknown year; given and nationality
                                     may be empty
    grade                            silent, refer or stop
    reason, reference                a code such as `stolen`, and the case's id

Small letters, hyphens and apostrophes are brought into MRZ form (Doc 9303-3, 4.6). Other letters are not
guessed at: transliterations differ between states, so such a row is reported. A report names the line and the
field, and never repeats what stands there.

A line of JSON may also be an entity of FollowTheMoney (`gated.central.entities`), from which several entries
come. A query names its columns by the same fields, over SQLite or, where psycopg is installed, PostgreSQL.
"""

import csv
import re
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing
from pathlib import Path
from typing import IO

import msgspec

from gated.central.database import query_rows
from gated.central.entities import MAX_ENTITY, Entity, UnusableEntity, is_listed, rows_of
from gated.central.folder import CentralError
from gated.core.values import Value
from gated.watchlist.match import normal_issuer, normal_number
from gated.watchlist.snapshot import DocumentEntry, Entry, Listed, PersonEntry

MAX_ROW = 4096
FIELDS = frozenset(
    {
        "number", "issuer", "type", "surname", "given", "birth", "nationality", "grade", "reason", "reference"
    }
)  # fmt: skip
DOCUMENT_FIELDS = ("number", "issuer", "type", "grade", "reason", "reference")
EVERY_ROW = ("grade", "reason", "reference")
PARTED_BY = ",;\t"  # spreadsheets write what their country does
PERSON_FIELDS = ("surname", "given", "birth", "nationality", "grade", "reason", "reference")
FAULTS = {
    "number": "letters and digits, at most 24",
    "issuer": "the issuing state's code, one to three letters (Doc 9303-3, 5)",
    "type": "at most two letters as in the MRZ, or empty",
    "surname": "MRZ letters A-Z (transliterate by Doc 9303-3, 6), at most 100",
    "given": "MRZ letters A-Z (transliterate by Doc 9303-3, 6), at most 100",
    "birth": "YYYY-MM-DD, with XX or XXXX for what is unknown, or YYYY-MM, or YYYY",
    "nationality": "a state's code, or empty",
    "grade": "silent, refer or stop",
    "reason": "a code of small letters, digits and _",
    "reference": "letters, digits and ._/:-, at most 64",
}
MAX_COLUMNS = 20  # that a complaint names
_PARTIAL = re.compile("[0-9]{4}(-[0-9]{2})?")
_UNKNOWN = {4: "-XX-XX", 7: "-XX"}


class BadRow(Value):
    """A row that cannot be taken: its line, the field (empty for the whole row), and what is expected."""

    line: int
    field: str
    expected: str


Row = dict[str, str]


def _silent(_: object) -> None:
    pass


def read_list(
    path: Path,
    entity_grade: Listed | None = None,
    told: Callable[[float], None] = _silent,
    passed_over: Callable[[str], None] = _silent,
) -> Iterator[Entry | BadRow]:
    """Yield the entries, or a BadRow, for each row of `*.csv`, `*.jsonl` or `*.json`. Raises CentralError.

    `entity_grade` is the grade of entries from entities of FollowTheMoney, which have none. `told` hears the
    share of the file that was read, `passed_over` the schema of each entity that is no person and no paper.
    """
    if path.suffix not in {".csv", ".jsonl", ".json"}:
        raise CentralError(f"{path}: neither .csv nor .jsonl: name the file by what it holds")
    try:
        file = path.open("rb")
    except OSError as error:
        raise CentralError(
            f"{path}: cannot be read ({error.strerror}): check the path and its rights"
        ) from error
    with closing(file):
        length, whole = max(1, path.stat().st_size), file.seekable()
        rows = _csv_rows(path, file) if path.suffix == ".csv" else _json_rows(file)
        for count, (line, row) in enumerate(rows):
            if count % 1000 == 0 and whole:  # nobody knows how long a pipe is
                told(file.tell() / length)
            match row:
                case BadRow():
                    yield row
                case Entity() if not is_listed(row):
                    passed_over(row.schema)
                case Entity():
                    yield from _entries_of(line, row, entity_grade)
                case _:
                    yield _entry(line, row)


def read_query(database: str, query: str) -> Iterator[Entry | BadRow]:
    """Yield an entry or a BadRow for each row of a query; its columns are named by `FIELDS`.

    `database` is the file of a SQLite database, which is only read, or an address `postgresql://...`.
    Raises CentralError.
    """
    for number, row in enumerate(query_rows(database, query, FIELDS), start=1):
        yield _entry(number, row)


def _entries_of(line: int, entity: Entity, grade: Listed | None) -> Iterator[Entry | BadRow]:
    """The entries of an entity; what of it cannot be taken is told, and the rest goes on."""
    if grade is None:
        yield BadRow(line=line, field="grade", expected="--entity-grade silent, refer or stop: it has none")
        return
    try:
        for row in rows_of(entity, grade):
            yield _entry(line, row)
    except UnusableEntity as error:
        yield BadRow(line=line, field=error.field, expected=error.expected)


def _lines(file: IO[bytes], longest: int = MAX_ROW) -> Iterator[tuple[int, str | BadRow]]:
    number = 0
    while raw := file.readline(longest + 1):
        number += 1
        if len(raw) > longest:
            while raw and not raw.endswith(b"\n"):  # skip the rest of it, piece by piece
                raw = file.readline(longest)
            yield number, BadRow(line=number, field="", expected=f"at most {longest} bytes")
            continue
        try:
            yield number, raw.decode("utf-8-sig" if number == 1 else "utf-8").rstrip("\r\n")
        except UnicodeDecodeError:
            yield number, BadRow(line=number, field="", expected="UTF-8")


def _csv_rows(path: Path, file: IO[bytes]) -> Iterator[tuple[int, Row | BadRow]]:
    lines = _lines(file)
    first = next(lines, (0, ""))[1]
    if isinstance(first, BadRow):
        raise CentralError(f"{path}: line 1: expected {first.expected}: save the list as CSV in UTF-8")
    by = max(PARTED_BY, key=first.count)
    names = [name.strip().lower() for name in _cells(first, by) or ()]
    _check_names(path, names)
    for number, line in lines:
        if isinstance(line, BadRow):
            yield number, line
        elif line.strip():
            cells = _cells(line, by)
            if cells is None or len(cells) != len(names):
                yield number, BadRow(line=number, field="", expected=f"{len(names)} columns on one line")
            else:
                yield number, dict(zip(names, cells, strict=True))


def _check_names(path: Path, names: Sequence[str]) -> None:
    """Raise CentralError unless these are columns of a list. They are not quoted: they may be a person's."""
    unknown = [
        str(at) for at, name in enumerate(names, start=1) if name not in FIELDS or names.count(name) > 1
    ]
    if not names or unknown:
        which = f" (look at column {', '.join(unknown[:MAX_COLUMNS])})" if unknown else ""
        raise CentralError(
            f"{path}: line 1 must name the columns, each once, out of: {', '.join(sorted(FIELDS))}{which}"
        )
    lacking = [name for name in EVERY_ROW if name not in names]
    lacking += [] if {"number", "surname"} & set(names) else ["number or surname"]
    if lacking:
        raise CentralError(f"{path}: line 1 lacks what every row needs: {', '.join(lacking)}")


def _cells(line: str, by: str) -> list[str] | None:
    try:
        return next(csv.reader([line], delimiter=by, strict=True), None)
    except csv.Error:
        return None


def _json_row(line: str) -> Row | Entity:
    """A row of fields, or an entity, which is known by its schema. Raises MsgspecError."""
    if '"schema"' in line:
        return msgspec.json.decode(line, type=Entity)
    return msgspec.json.decode(line, type=Row)


def _json_rows(file: IO[bytes]) -> Iterator[tuple[int, Row | Entity | BadRow]]:
    for number, line in _lines(file, MAX_ENTITY):
        if isinstance(line, BadRow):
            yield number, line
        elif line.strip():
            try:
                row = _json_row(line)
            except (msgspec.MsgspecError, RecursionError):
                yield number, BadRow(line=number, field="", expected="one JSON object of strings")
                continue
            if isinstance(row, Entity):
                yield number, row
                continue
            unknown = not set(row) <= FIELDS
            bad = BadRow(line=number, field="", expected=f"only the fields {', '.join(sorted(FIELDS))}")
            yield number, bad if unknown else row


def _entry(line: int, row: Row) -> Entry | BadRow:
    row = {name: value.strip() for name, value in row.items() if value.strip()}
    kind: type[DocumentEntry | PersonEntry]
    fields: tuple[str, ...]
    if "number" in row and "surname" not in row:
        kind, fields = DocumentEntry, DOCUMENT_FIELDS
    elif "surname" in row and "number" not in row:
        kind, fields = PersonEntry, PERSON_FIELDS
    else:
        return BadRow(line=line, field="", expected="a number (document) or a surname (person), not both")
    for extra in sorted(set(row) - set(fields)):
        return BadRow(line=line, field=extra, expected=f"empty here: only {', '.join(fields)}")
    values = [_normal(name, row.get(name, "")) for name in fields]
    tag = "d" if kind is DocumentEntry else "p"
    try:
        return msgspec.convert([tag, *values], kind)
    except msgspec.ValidationError as error:
        field = fields[_position(str(error)) - 1]
        return BadRow(line=line, field=field, expected=FAULTS[field])


def _position(message: str) -> int:
    """Which element msgspec complains about: `... - at `$[3]``."""
    found = re.search(r"\$\[([0-9]+)\]", message)
    return int(found.group(1)) if found else 1


def _normal(field: str, value: str) -> str:
    match field:
        case "number":
            return normal_number(value) if re.fullmatch(r"[A-Za-z0-9< .-]+", value) else value
        case "issuer" | "nationality":
            return normal_issuer(value)
        case "surname" | "given":
            return " ".join(re.sub(r"[-<,]", " ", re.sub(r"['’`]", "", value)).upper().split())
        case "birth":
            return f"{value}{_UNKNOWN.get(len(value), '')}" if _PARTIAL.fullmatch(value) else value.upper()
        case "type":
            return value.upper()
        case "grade" | "reason":
            return value.lower()
        case _:
            return value
