"""What a zone may look like, field by field, for the search of `decoding`: Doc 9303-4 to -7, an old card.

This grammar is looser than the parser's and each looseness has a price: an unlisted code is possible but
less likely, so that an image may insist on it.
"""

from collections.abc import Callable
from dataclasses import dataclass
from math import log

from gated.document.mrz.characters import check_digit
from gated.document.mrz.codes import ISSUERS, NATIONALITIES

ALPHABET = "<0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ"
DIGITS = frozenset("0123456789")
LETTERS = frozenset("ABCDEFGHIJKLMNOPQRSTUVWXYZ")
ANY = frozenset(ALPHABET)
_VALUES = {c: i for i, c in enumerate(ALPHABET[1:])} | {"<": 0}

State = int
Step = Callable[[State, str], State | None]
UNLISTED_CODE = log(0.003)
DIGITS_FOR_CODE = log(0.002)
DIGIT_IN_TYPE = log(0.02)
UNKNOWN_DATE = log(0.01)
LEADING_FILLER = log(0.02)
LONG_NUMBER = log(0.1)
WRONG_DIGIT = log(0.002)
"""What a check digit costs that does not hold: samples and old cards have such, misreadings more."""


@dataclass(frozen=True, slots=True)
class Field:
    """Places `start` to `end` of the joined lines. `step` walks the symbols from state 0; None: not allowed.

    `ends` are the states that may be last (None: all); `prior` is the logarithm of what a text is worth
    beforehand. A `checked` field's last place is the check digit of the places before, or costs WRONG_DIGIT.
    """

    name: str
    start: int
    end: int
    symbols: tuple[frozenset[str], ...]
    step: Step | None = None
    ends: frozenset[State] | None = None
    prior: Callable[[str], float | None] | None = None
    checked: bool = False


@dataclass(frozen=True, slots=True)
class Format:
    """A kind of zone; `composite` is its field of one place, over the joined `covered` spans."""

    name: str
    lines: int
    width: int
    fields: tuple[Field, ...]
    composite: int | None = None
    covered: tuple[tuple[int, int], ...] = ()


def weighted(text: str, offset: int = 0) -> int:
    """Doc 9303-3 section 4.9: the sum with weights 7, 3, 1, modulo 10, of a text after `offset` others."""
    return sum(_VALUES[c] * (7, 3, 1)[(offset + i) % 3] for i, c in enumerate(text)) % 10


# a name: primary identifier, `<<`, secondary identifier, then filler only
_START, _PRIMARY, _PRIMARY_GAP, _SEPARATOR, _SECONDARY, _SECONDARY_GAP, _TAIL = range(7)
_ON_LETTER = {
    _START: _PRIMARY,
    _PRIMARY: _PRIMARY,
    _PRIMARY_GAP: _PRIMARY,
    _SEPARATOR: _SECONDARY,
    _SECONDARY: _SECONDARY,
    _SECONDARY_GAP: _SECONDARY,
}
_ON_FILLER = {
    _PRIMARY: _PRIMARY_GAP,
    _PRIMARY_GAP: _SEPARATOR,
    _SEPARATOR: _TAIL,
    _SECONDARY: _SECONDARY_GAP,
    _SECONDARY_GAP: _TAIL,
    _TAIL: _TAIL,
}


def name_step(state: State, symbol: str) -> State | None:
    """Doc 9303-3 section 4.6."""
    return (_ON_FILLER if symbol == "<" else _ON_LETTER).get(state)


def words_step(state: State, symbol: str) -> State | None:
    """Words with one or two fillers between: the fields of the French card."""
    if symbol != "<":
        return 1 if state in {0, 1, 2, 3} else None
    return {1: 2, 2: 3, 3: 4, 4: 4}.get(state)


def _date(text: str) -> float | None:
    """YYMMDD with good month and day; of a birth, parts may be unknown (Doc 9303-3 section 4.8)."""
    month, day = text[2:4], text[4:6]
    if text[:6].isdigit():
        return 0.0 if 1 <= int(month) <= 12 and 1 <= int(day) <= 31 else None
    if text[:6] == "<<<<<<" or (text[:2].isdigit() and month + day == "<<<<"):
        return UNKNOWN_DATE
    if text[:4].isdigit() and day == "<<":
        return UNKNOWN_DATE if 1 <= int(month) <= 12 else None
    return None


def _expiry(text: str) -> float | None:
    return _date(text) if text[:6].isdigit() else None


def _issuer(text: str) -> float | None:
    return _code(text, ISSUERS)


def _nationality(text: str) -> float | None:
    return _code(text, NATIONALITIES)


def _code(text: str, known: frozenset[str]) -> float | None:
    if text in known:
        return 0.0
    if text.isdigit():
        return DIGITS_FOR_CODE
    letters = text.rstrip("<")
    return UNLISTED_CODE if letters and letters.isalpha() else None


def _type(text: str) -> float | None:
    return DIGIT_IN_TYPE if text[1] in DIGITS else 0.0


def _number(text: str) -> float | None:
    if not text[:-1].strip("<"):
        return None
    return LEADING_FILLER if text[0] == "<" else 0.0


def _digit(text: str, digit: str) -> float:
    return 0.0 if digit == check_digit(text) else WRONG_DIGIT


def _optional(text: str) -> float | None:
    """An optional field of TD3 with its check digit, which is a filler only if the field is empty."""
    body, digit = text[:-1], text[-1]
    if digit == "<":
        return 0.0 if not body.strip("<") else None
    return _digit(body, digit)


def _number_td1(text: str) -> float | None:
    """Number, check digit and optional data of a TD1: a filler for the digit tells of a long number.

    Then the rest and the digit of the whole stand at the head of the optional data (Doc 9303-5, note j).
    """
    plain = _number(text[:10])
    if text[9] != "<" or plain is None:
        return None if plain is None else plain + _digit(text[:9], text[9])
    rest = text[10:].partition("<")[0]
    if len(rest) < 2 or rest[-1] not in DIGITS:
        return None
    return LONG_NUMBER + _digit(text[:9] + rest[:-1], rest[-1])


def _field(name: str, start: int, end: int, allowed: frozenset[str], **more: object) -> Field:
    return Field(name, start, end, (allowed,) * (end - start), **more)  # type: ignore[arg-type]  # Field's own names


def _birth(start: int) -> Field:
    symbols = (DIGITS | {"<"},) * 6 + (DIGITS,)
    return Field("birth", start, start + 7, symbols, prior=_date, checked=True)


def _expires(start: int) -> Field:
    return Field("expiry", start, start + 7, (DIGITS,) * 7, prior=_expiry, checked=True)


def _name(start: int, end: int) -> Field:
    return _field("name", start, end, LETTERS | {"<"}, step=name_step)


def _kind(first: str) -> Field:
    return Field("type", 0, 2, (frozenset(first), ANY), prior=_type)


def _sex(at: int) -> Field:
    return _field("sex", at, at + 1, frozenset("FM<"))


def _issued_by() -> Field:
    return _field("issuer", 2, 5, ANY, prior=_issuer)


def _citizen_of(start: int) -> Field:
    return _field("nationality", start, start + 3, ANY, prior=_nationality)


def _document_number(start: int) -> Field:
    symbols = (ANY,) * 9 + (DIGITS,)
    return Field("number", start, start + 10, symbols, prior=_number, checked=True)


FORMATS = (
    Format(
        "TD3",
        2,
        44,
        (
            _kind("P"),
            _issued_by(),
            _name(5, 44),
            _document_number(44),
            _citizen_of(54),
            _birth(57),
            _sex(64),
            _expires(65),
            Field("optional", 72, 87, (ANY,) * 14 + (DIGITS | {"<"},), prior=_optional),
        ),
        87,
        ((44, 54), (57, 64), (65, 87)),
    ),
    Format(
        "MRVA",
        2,
        44,
        (
            _kind("V"),
            _issued_by(),
            _name(5, 44),
            _document_number(44),
            _citizen_of(54),
            _birth(57),
            _sex(64),
            _expires(65),
            _field("optional", 72, 88, ANY),
        ),
    ),
    Format(
        "TD2",
        2,
        36,
        (
            _kind("ACI"),
            _issued_by(),
            _name(5, 36),
            _document_number(36),
            _citizen_of(46),
            _birth(49),
            _sex(56),
            _expires(57),
            _field("optional", 64, 71, ANY),
        ),
        71,
        ((36, 46), (49, 56), (57, 71)),
    ),
    Format(
        "MRVB",
        2,
        36,
        (
            _kind("V"),
            _issued_by(),
            _name(5, 36),
            _document_number(36),
            _citizen_of(46),
            _birth(49),
            _sex(56),
            _expires(57),
            _field("optional", 64, 72, ANY),
        ),
    ),
    Format(  # the French national identity card of 1988 to 2021
        "FRA-ID",
        2,
        36,
        (
            Field("type", 0, 2, (frozenset("I"), frozenset("D"))),
            Field("issuer", 2, 5, (frozenset("F"), frozenset("R"), frozenset("A"))),
            _field("surname", 5, 30, LETTERS | {"<"}, step=words_step),
            Field("office", 30, 36, (ANY,) * 6),
            Field("number", 36, 49, (DIGITS,) * 4 + (ANY,) * 3 + (DIGITS,) * 6, checked=True),
            _field("given_names", 49, 63, LETTERS | {"<"}, step=words_step),
            _birth(63),
            _field("sex", 70, 71, frozenset("FM")),
        ),
        71,
        ((0, 71),),
    ),
    Format(
        "TD1",
        3,
        30,
        (
            _kind("ACI"),
            _issued_by(),
            Field("number", 5, 30, (ANY,) * 9 + (DIGITS | {"<"},) + (ANY,) * 15, prior=_number_td1),
            _birth(30),
            _sex(37),
            _expires(38),
            _citizen_of(45),
            _field("optional", 48, 59, ANY),
            _name(60, 90),
        ),
        59,
        ((5, 37), (38, 45), (48, 59)),
    ),
)
