"""The zone as an issuer prints it: Doc 9303-4 to -7, long numbers, cut names, the old French card.

Nothing here is the parser's: what it prints is what the parser is tested with.
"""

import re
from collections.abc import Callable, Mapping
from datetime import date
from typing import Literal

from gated.core.values import Value

Format = Literal["TD1", "TD2", "TD3", "MRVA", "MRVB"]

_NUMBER = 9  # characters of a document number before it runs on


class Entry(Value):
    """What is to be printed. Names in A to Z, space, hyphen and apostrophe.

    `birth` may be six characters as they stand in the zone, `<<` for an unknown part. `optional` follows the
    rest of a long number where there is one; `optional_2` is for TD1 only.
    """

    surname: str
    given_names: str
    number: str
    birth: date | str
    expiry: date
    document_type: str = ""
    state: str = "UTO"
    nationality: str = "UTO"
    sex: Literal["M", "F", "X"] = "X"
    optional: str = ""
    optional_2: str = ""

    def __post_init__(self) -> None:
        if not re.fullmatch("[A-Z0-9]+", self.number):
            raise ValueError("a document number is of A to Z and 0 to 9: correct `number`")

    def __repr__(self) -> str:
        return "Entry(‹personal›)"


def print_zone(entry: Entry, form: Format) -> tuple[str, ...]:
    """Print the lines of the zone. Raises ValueError for what does not fit, a name apart: that is cut."""
    return _PRINTERS[form](entry)


def print_french_card(entry: Entry, office: str = "") -> tuple[str, str]:
    """Print the zone of the French identity card of 1988 to 2021.

    The number is twelve characters: year and month of issue, department, serial number. Given names are
    parted by two fillers, and both names are cut off where their fields end. There is no expiry.
    """
    surname = "<".join(_words(entry.surname)).ljust(25, "<")[:25]
    given = "<<".join(_words(entry.given_names)).ljust(14, "<")[:14]
    if len(entry.number) != 12:
        raise ValueError("the number of a French card has twelve characters: correct `number`")
    upper = f"IDFRA{surname}{office:<<6}"
    lower = entry.number + check_digit(entry.number) + given + _day(entry.birth) + _sex(entry)
    return upper, lower + check_digit(upper + lower)


def check_digit(field: str) -> str:
    """Weights 7, 3, 1 modulo 10; A to Z count as 10 to 35 and `<` as 0 (Doc 9303-3 section 4.9)."""
    worth = (0 if letter == "<" else int(letter, 36) for letter in field)
    return str(sum(value * (7, 3, 1)[at % 3] for at, value in enumerate(worth)) % 10)


def cut_name(surname: str, given_names: str, width: int) -> str:
    """Write the name field; a name that is too long is cut and then ends with a letter (9303-4, 4.2.3).

    Letters are taken from the longest word of the surname until the first given name has a place; what goes
    beyond the field is left out; and if a filler would be last, another word gives a letter.
    """
    primary, secondary = _words(surname), _words(given_names)
    whole = _written(primary, secondary)
    if len(whole) <= width:
        return whole.ljust(width, "<")
    while len("<".join(primary)) > width - (3 if secondary else 0):
        _shorten(primary)
    while (field := _written(primary, secondary)[:width]).endswith("<"):
        _shorten(primary)
    return field


def _written(primary: list[str], secondary: list[str]) -> str:
    return "<<".join("<".join(words) for words in (primary, secondary) if words)


def _shorten(words: list[str]) -> None:
    """Take a letter from the longest word, or the last word if all are initials."""
    longest = max(range(len(words)), key=lambda at: len(words[at]))
    if len(words[longest]) > 1:
        words[longest] = words[longest][:-1]
    else:
        words.pop()


def _words(name: str) -> list[str]:
    words = name.upper().replace("'", "").replace("-", " ").split()
    if not all(re.fullmatch("[A-Z]+", word) for word in words):
        raise ValueError("a name has letters outside A to Z: transliterate it first (Doc 9303-3, 6)")
    return words


def _two_lines(
    width: int, code: str, *, long_numbers: bool, digits: int
) -> Callable[[Entry], tuple[str, ...]]:
    """A printer of two lines; `digits` of them at the end are check digits: of the optional data, of all."""

    def lines(entry: Entry) -> tuple[str, ...]:
        upper = _head(entry, code) + cut_name(entry.surname, entry.given_names, width - 5)
        number, optional = _number(entry, width - 28 - digits, long_numbers=long_numbers)
        birth, expiry = _day(entry.birth), _day(entry.expiry)
        if digits == 2:
            optional += check_digit(optional)
        ends = check_digit(number + birth + expiry + optional) if digits else ""
        return upper, f"{number}{entry.nationality:<<3}{birth}{_sex(entry)}{expiry}{optional}{ends}"

    return lines


def _three_lines(entry: Entry) -> tuple[str, ...]:
    number, optional = _number(entry, 15, long_numbers=True)
    birth, expiry = _day(entry.birth), _day(entry.expiry)
    second = _filled(entry.optional_2, 11)
    composite = check_digit(number + optional + birth + expiry + second)
    middle = f"{birth}{_sex(entry)}{expiry}{entry.nationality:<<3}{second}{composite}"
    return _head(entry, "I") + number + optional, middle, cut_name(entry.surname, entry.given_names, 30)


def _head(entry: Entry, code: str) -> str:
    return f"{entry.document_type or code:<<2}{entry.state:<<3}"


def _number(entry: Entry, room: int, *, long_numbers: bool) -> tuple[str, str]:
    """The number with its check digit, and the optional data; note j of Doc 9303-5 and -6."""
    if len(entry.number) <= _NUMBER:
        number = entry.number.ljust(_NUMBER, "<")
        return number + check_digit(number), _filled(entry.optional, room)
    if not long_numbers:
        raise ValueError("a number in this format has at most nine characters: shorten `number`")
    rest = entry.number[_NUMBER:] + check_digit(entry.number) + "<"
    return entry.number[:_NUMBER] + "<", _filled(rest + entry.optional, room)


def _filled(text: str, room: int) -> str:
    if len(text) > room:
        raise ValueError(f"optional data takes {len(text)} of {room} characters: shorten it")
    return text.ljust(room, "<")


def _day(day: date | str) -> str:
    text = day if isinstance(day, str) else day.strftime("%y%m%d")
    return text + check_digit(text)


def _sex(entry: Entry) -> str:
    return "<" if entry.sex == "X" else entry.sex


_PRINTERS: Mapping[Format, Callable[[Entry], tuple[str, ...]]] = {
    "TD1": _three_lines,
    "TD2": _two_lines(36, "I", long_numbers=True, digits=1),
    "TD3": _two_lines(44, "P", long_numbers=False, digits=2),
    "MRVA": _two_lines(44, "V", long_numbers=False, digits=0),
    "MRVB": _two_lines(36, "V", long_numbers=False, digits=0),
}
