"""What operators hand in: a CSV or JSON-lines file of documents and persons, and which rows are wrong.

Both have the same fields; a row with a `number` is a document, one with a `surname` a person:

    number, issuer, type             the document; type may be empty
    surname, given, birth, nationality   the person; birth as YYYY-MM-DD, XX for an unknown month or day,
                                     XXXX for an unknown year; given and nationality may be empty
    grade                            silent, refer or stop
    reason, reference                a code such as `stolen`, and the case's id

Small letters, hyphens and apostrophes are brought into MRZ form (Doc 9303-3, 4.6). Other letters are not
guessed at: transliterations differ between states, so such a row is reported. A report names the line and the
field, and never repeats what stands there.
"""

import csv
import re
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import IO

import msgspec

from gated.central.folder import CentralError
from gated.core.values import Value
from gated.watchlist.match import normal_issuer, normal_number
from gated.watchlist.snapshot import DocumentEntry, Entry, PersonEntry

MAX_ROW = 4096
FIELDS = frozenset(
    {
        "number", "issuer", "type", "surname", "given", "birth", "nationality", "grade", "reason", "reference"
    }
)  # fmt: skip
DOCUMENT_FIELDS = ("number", "issuer", "type", "grade", "reason", "reference")
PERSON_FIELDS = ("surname", "given", "birth", "nationality", "grade", "reason", "reference")
FAULTS = {
    "number": "letters and digits, at most 24",
    "issuer": "the issuing state's code, one to three letters (Doc 9303-3, 5)",
    "type": "at most two letters as in the MRZ, or empty",
    "surname": "MRZ letters A-Z (transliterate by Doc 9303-3, 6), at most 100",
    "given": "MRZ letters A-Z (transliterate by Doc 9303-3, 6), at most 100",
    "birth": "YYYY-MM-DD, with XX or XXXX for what is unknown",
    "nationality": "a state's code, or empty",
    "grade": "silent, refer or stop",
    "reason": "a code of small letters, digits and _",
    "reference": "letters, digits and ._/:-, at most 64",
}


class BadRow(Value):
    """A row that cannot be taken: its line, the field (empty for the whole row), and what is expected."""

    line: int
    field: str
    expected: str


Row = dict[str, str]


def read_list(path: Path) -> Iterator[Entry | BadRow]:
    """Yield an entry or a BadRow for each row of `*.csv`, `*.jsonl` or `*.json`. Raises CentralError."""
    if path.suffix not in {".csv", ".jsonl", ".json"}:
        raise CentralError(f"{path}: neither .csv nor .jsonl: name the file by what it holds")
    try:
        file = path.open("rb")
    except OSError as error:
        raise CentralError(
            f"{path}: cannot be read ({error.strerror}): check the path and its rights"
        ) from error
    with closing(file):
        rows = _csv_rows(path, file) if path.suffix == ".csv" else _json_rows(file)
        for line, row in rows:
            yield row if isinstance(row, BadRow) else _entry(line, row)


def _lines(file: IO[bytes]) -> Iterator[tuple[int, str | BadRow]]:
    number = 0
    while raw := file.readline(MAX_ROW + 1):
        number += 1
        if len(raw) > MAX_ROW:
            while raw and not raw.endswith(b"\n"):  # skip the rest of it, piece by piece
                raw = file.readline(MAX_ROW)
            yield number, BadRow(line=number, field="", expected=f"at most {MAX_ROW} bytes")
            continue
        try:
            yield number, raw.decode("utf-8-sig" if number == 1 else "utf-8").rstrip("\r\n")
        except UnicodeDecodeError:
            yield number, BadRow(line=number, field="", expected="UTF-8")


def _csv_rows(path: Path, file: IO[bytes]) -> Iterator[tuple[int, Row | BadRow]]:
    lines = _lines(file)
    first = next(lines, (0, ""))[1]
    names = (
        [] if isinstance(first, BadRow) else [name.strip().lower() for name in next(csv.reader([first]), [])]
    )
    if not names or not set(names) <= FIELDS or len(set(names)) != len(names):
        raise CentralError(
            f"{path}: line 1 must name the columns, each once, out of: {', '.join(sorted(FIELDS))}"
        )
    for number, line in lines:
        if isinstance(line, BadRow):
            yield number, line
        elif line.strip():
            cells = _cells(line)
            if cells is None or len(cells) != len(names):
                yield number, BadRow(line=number, field="", expected=f"{len(names)} columns on one line")
            else:
                yield number, dict(zip(names, cells, strict=True))


def _cells(line: str) -> list[str] | None:
    try:
        return next(csv.reader([line], strict=True), None)
    except csv.Error:
        return None


def _json_rows(file: IO[bytes]) -> Iterator[tuple[int, Row | BadRow]]:
    for number, line in _lines(file):
        if isinstance(line, BadRow):
            yield number, line
        elif line.strip():
            try:
                row = msgspec.json.decode(line, type=Row)
            except (msgspec.MsgspecError, RecursionError):
                yield number, BadRow(line=number, field="", expected="one JSON object of strings")
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
        case "type" | "birth":
            return value.upper()
        case "grade" | "reason":
            return value.lower()
        case _:
            return value
