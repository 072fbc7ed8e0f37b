"""Which persons of a long list are worth comparing: codes that two records of one person have in common.

Each record has codes of its birth date and of its words, made of consonant skeletons, so that a misspelling
or another transliteration rarely changes one. One code in common makes a candidate:

- the birth date and the beginning of a word, whatever else of the name is garbled;
- two words and a birth date that is one slip away, where slips are sought;
- a word, the beginning of another and the year, where the list does not know the month or the day;
- two words, whatever the date, where one side does not know the year.

A name of one word goes by that word alone.

The codes are plain text here; who stores them makes keyed hashes of them.
"""

from itertools import combinations, permutations

from gated.watchlist.names.birth import Birth, slips_of
from gated.watchlist.names.parts import Part
from gated.watchlist.names.sounds import skeleton
from gated.watchlist.names.words import Name

MAX_KEYED = 7  # words of a name that make codes
BEGINNING = 2  # letters of a skeleton


def listed_codes(name: Name, birth: Birth) -> frozenset[str]:
    """The codes under which a listed person is stored."""
    words = _words(name)
    pairs = _pairs(words) or words
    codes = {f"any {pair}" for pair in pairs}
    if None not in birth:
        codes |= _dated(words, birth) | {f"day {pair} {_day(birth)}" for pair in pairs}
    elif birth.year is not None:
        codes |= {f"year {begun} {birth.year % 100}" for begun in _begun(words) or words}
    else:
        codes |= {f"undated {pair}" for pair in pairs}
    return frozenset(codes)


def sought_codes(name: Name, birth: Birth, *, slips: bool) -> frozenset[str]:
    """The codes that a traveller's candidates are found by; with slips, those of birth dates nearby too."""
    words = _words(name)
    pairs = {*_pairs(words), *words}
    codes = {f"undated {pair}" for pair in pairs}
    if None in birth:
        codes |= {f"any {pair}" for pair in pairs}
    else:
        codes |= _dated(words, birth)
        if slips:
            codes |= {f"day {pair} {_day(near)}" for near in slips_of(birth) for pair in pairs}
    if birth.year is not None:
        codes |= {f"year {begun} {birth.year % 100}" for begun in (*_begun(words), *words)}
    return frozenset(codes)


def _words(name: Name) -> list[str]:
    """The skeletons of the words that tell people apart."""
    telling = {Part.NAME, Part.PATRONYMIC}
    kept = [word for word in name.words if word.part in telling and len(word.forms[0]) > 1]
    return sorted({skeleton(word.forms[0]) for word in (kept or name.words)[:MAX_KEYED]})


def _pairs(words: list[str]) -> list[str]:
    return [f"{one} {other}" for one, other in combinations(words, 2)]


def _begun(words: list[str]) -> list[str]:
    """Each word with the beginning of each other."""
    return [f"{one} {other[:BEGINNING]}-" for one, other in permutations(words, 2)]


def _dated(words: list[str], birth: Birth) -> set[str]:
    return {f"begin {word[:BEGINNING]} {_day(birth)}" for word in words}


def _day(birth: Birth) -> str:
    year, month, day = birth
    return f"{(year or 0) % 100}-{month}-{day}"
