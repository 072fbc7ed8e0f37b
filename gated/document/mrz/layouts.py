"""Where each field lies in the zones of Doc 9303-4 to -7 and of the old French identity card.

A zone is its lines joined; a span is [from, to) in it, counted from 0. The numbers below are those of the
standard's tables: line and position in the line, counted from 1, both ends included.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

Span = tuple[int, int]


@dataclass(frozen=True, slots=True)
class CheckDigit:
    """The digit at `at` that is calculated over the joined `covers`."""

    field: str
    at: int
    covers: tuple[Span, ...]


@dataclass(frozen=True, slots=True)
class Layout:
    """One format: its shape, the first letters of its document codes, its fields and check digits.

    `continuation` is the optional field in which a long document number runs on (Doc 9303-5 and -6, note j).
    The composite check digit, where there is one, is the last of `check_digits`.
    """

    format: str
    lines: int
    width: int
    types: str
    fields: Mapping[str, Span]
    check_digits: tuple[CheckDigit, ...]
    continuation: str | None = None

    def place(self, at: int) -> tuple[int, int]:
        """Line and column, counted from 1, of a position that is counted from 0."""
        return at // self.width + 1, at % self.width + 1

    def field_at(self, at: int) -> str:
        """The field at a position; a check digit belongs to the field that it checks."""
        digits = (check.field for check in self.check_digits if check.at == at)
        fields = (name for name, (start, end) in self.fields.items() if start <= at < end)
        return next(digits, None) or next(fields, "zone")


Places = tuple[int, int, int]  # line, first and last position in it


def _layout(
    form: str,
    lines: int,
    width: int,
    types: str,
    places: Mapping[str, Places],
    digits: Mapping[str, tuple[tuple[int, int], Sequence[Places]]],
    continuation: str | None = None,
) -> Layout:
    def span(place: Places) -> Span:
        line, first, last = place
        return (line - 1) * width + first - 1, (line - 1) * width + last

    checks = tuple(
        CheckDigit(field, (line - 1) * width + at - 1, tuple(span(place) for place in covers))
        for field, ((line, at), covers) in digits.items()
    )
    fields = {field: span(place) for field, place in places.items()}
    return Layout(form, lines, width, types, fields, checks, continuation)


_UPPER: Mapping[str, Places] = {"document_type": (1, 1, 2), "issuer": (1, 3, 5)}
_LOWER: Mapping[str, Places] = {
    "document_number": (2, 1, 9),
    "nationality": (2, 11, 13),
    "birth_date": (2, 14, 19),
    "sex": (2, 21, 21),
    "expiry_date": (2, 22, 27),
}
_LOWER_DIGITS: Mapping[str, tuple[tuple[int, int], Sequence[Places]]] = {
    "document_number": ((2, 10), [(2, 1, 9)]),
    "birth_date": ((2, 20), [(2, 14, 19)]),
    "expiry_date": ((2, 28), [(2, 22, 27)]),
}

TD3 = _layout(  # Doc 9303-4 sections 4.2.2 and 4.2.4: passports
    "TD3",
    2,
    44,
    "P",
    {**_UPPER, "name": (1, 6, 44), **_LOWER, "optional_data": (2, 29, 42)},
    {
        **_LOWER_DIGITS,
        "optional_data": ((2, 43), [(2, 29, 42)]),
        "composite": ((2, 44), [(2, 1, 10), (2, 14, 20), (2, 22, 43)]),
    },
)
TD2 = _layout(  # Doc 9303-6 sections 4.2.2 and 4.2.4
    "TD2",
    2,
    36,
    "ACI",
    {**_UPPER, "name": (1, 6, 36), **_LOWER, "optional_data": (2, 29, 35)},
    {**_LOWER_DIGITS, "composite": ((2, 36), [(2, 1, 10), (2, 14, 20), (2, 22, 35)])},
    continuation="optional_data",
)
TD1 = _layout(  # Doc 9303-5 sections 4.2.2 and 4.2.4
    "TD1",
    3,
    30,
    "ACI",
    {
        **_UPPER,
        "document_number": (1, 6, 14),
        "optional_data": (1, 16, 30),
        "birth_date": (2, 1, 6),
        "sex": (2, 8, 8),
        "expiry_date": (2, 9, 14),
        "nationality": (2, 16, 18),
        "optional_data_2": (2, 19, 29),
        "name": (3, 1, 30),
    },
    {
        "document_number": ((1, 15), [(1, 6, 14)]),
        "birth_date": ((2, 7), [(2, 1, 6)]),
        "expiry_date": ((2, 15), [(2, 9, 14)]),
        "composite": ((2, 30), [(1, 6, 30), (2, 1, 7), (2, 9, 15), (2, 19, 29)]),
    },
    continuation="optional_data",
)
MRVA = _layout(  # Doc 9303-7 section 4.2.2: visas of format A; no composite check digit
    "MRVA",
    2,
    44,
    "V",
    {**_UPPER, "name": (1, 6, 44), **_LOWER, "optional_data": (2, 29, 44)},
    _LOWER_DIGITS,
)
MRVB = _layout(  # Doc 9303-7 section 7.2.2: visas of format B
    "MRVB",
    2,
    36,
    "V",
    {**_UPPER, "name": (1, 6, 36), **_LOWER, "optional_data": (2, 29, 36)},
    _LOWER_DIGITS,
)
FRENCH_CARD = _layout(  # the French national identity card of 1988 to 2021: not of Doc 9303, no expiry
    "FRA-ID",
    2,
    36,
    "I",
    {
        **_UPPER,
        "surname": (1, 6, 30),
        "issuing_office": (1, 31, 36),  # department and office
        "document_number": (2, 1, 12),  # year and month of issue, department, serial number
        "given_names": (2, 14, 27),
        "birth_date": (2, 28, 33),
        "sex": (2, 35, 35),
    },
    {
        "document_number": ((2, 13), [(2, 1, 12)]),
        "birth_date": ((2, 34), [(2, 28, 33)]),
        "composite": ((2, 36), [(1, 1, 36), (2, 1, 35)]),
    },
)

LAYOUTS = (TD3, MRVA, TD2, MRVB, FRENCH_CARD, TD1)
BY_FORMAT: Mapping[str, Layout] = {layout.format: layout for layout in LAYOUTS}
CHECKED = ("document_number", "birth_date", "expiry_date", "optional_data", "composite")
"""All fields that have a check digit in one format or another."""

_BY_SHAPE = {(2, 44): (TD3, MRVA), (2, 36): (TD2, MRVB), (3, 30): (TD1, TD1)}
_LENGTHS = {lines * width: (lines, width) for lines, width in _BY_SHAPE}


def layout_of(lines: Sequence[str]) -> Layout | None:
    """The format of these lines, by their shape and first letters; they may come as one long line."""
    text = "".join(lines)
    shape = _LENGTHS.get(len(text))
    if shape is None or (len(lines) != 1 and [len(line) for line in lines] != [shape[1]] * shape[0]):
        return None
    if shape == (2, 36) and text.startswith("IDFRA"):
        return FRENCH_CARD
    return _BY_SHAPE[shape][text[0] == "V"]
