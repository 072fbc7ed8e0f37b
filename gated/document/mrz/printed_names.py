"""A name as it is printed, or as DG11 has it, against the name in the zone.

An issuer chooses among the alternatives of the tables once, not anew at each letter: a name has one form for
each combination of choices, and there are few, at most MAX_FORMS. Punctuation follows Doc 9303-3 section 4.6:
hyphens and commas part words, all else is omitted. Arabic words that begin with abd al- may be parted
after abd, as in the examples of appendix B.5.9.
"""

import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import islice, product

from gated.document.mrz.names import ZoneName
from gated.document.mrz.transliteration import (
    ALLAH,
    ALLAH_FORMS,
    ARABIC,
    CYRILLIC,
    LANGUAGES,
    LATIN,
    SHADDA,
    TEH_MARBUTA,
    TEH_MARBUTA_LAST,
    TEH_MARBUTA_WITHIN,
    Language,
)

MAX_PRINTED = 512  # characters of one identifier; the standard sets no limit, and a chip may say anything
MAX_FORMS = 256

_ABD_AL = "\u0639\u0628\u062f\u0627\u0644"
_ABD = 3  # letters of abd
_PARTING = frozenset(",<\u060c\u3001")
_ASCII = {letter: (letter,) for letter in "ABCDEFGHIJKLMNOPQRSTUVWXYZ"}
_TABLE = _ASCII | dict(LATIN) | dict(ARABIC)


@dataclass(frozen=True, slots=True)
class _Choices:
    """What an issuer decided: the form of each letter that has several, and the rest."""

    letters: dict[str, str]
    language: Language
    doubled: bool
    allah: str
    parted: bool


def transliterations(name: str) -> frozenset[str]:
    """All that may stand in the zone for a printed identifier: words parted by `<`, without other fillers.

    Empty if a character of it has no transliteration, or if it is longer than MAX_PRINTED.
    """
    words = _words(name)
    if words is None:
        return frozenset()
    forms = ("<".join(_spell(words, choices)) for choices in _all_choices(words))
    return frozenset(islice(forms, MAX_FORMS))


def same_name(zone: ZoneName, primary: str, secondary: str = "") -> bool | None:
    """Whether the zone shows this printed name, if need be cut to its field. None: it cannot be told.

    It cannot be told of letters without a transliteration, nor, where it seems another, of a name in Cyrillic
    or Arabic: the tables recommend, and many states write such names by their sound or by a law of their own.
    """
    verdicts = (
        _same(zone.primary, primary, may_be_cut=zone.primary_may_be_cut),
        _same(zone.secondary, secondary, may_be_cut=zone.secondary_may_be_cut),
    )
    if False in verdicts:
        return False
    return None if None in verdicts else True


def _same(identifier: str, printed: str, *, may_be_cut: bool) -> bool | None:
    shown = identifier.split()
    forms = [form.split("<") if form else [] for form in transliterations(printed)]
    if any(shown == form or (may_be_cut and _is_cut(shown, form)) for form in forms):
        return True
    return False if forms and _is_latin(printed) else None


def _is_cut(shown: list[str], whole: list[str]) -> bool:
    """Whether words lost letters at their ends, or were lost at the end (Doc 9303-4 section 4.2.3)."""
    return len(shown) <= len(whole) and all(map(str.startswith, whole, shown))


def _is_latin(printed: str) -> bool:
    return not any(
        letter in CYRILLIC or letter in ARABIC or letter == TEH_MARBUTA for letter in printed.upper()
    )


def _words(name: str) -> list[str] | None:
    """The words in letters of the tables; None if there is a character of none."""
    if len(name) > MAX_PRINTED:
        return None
    letters = []
    for character in unicodedata.normalize("NFC", unicodedata.normalize("NFC", name).upper()):
        known = _known(character)
        if known is None:
            return None
        letters.append(known)
    return "".join(letters).split()


def _known(character: str) -> str | None:
    """The letters of the tables for a character, a blank where words part, nothing for what is omitted."""
    if character in _TABLE or character in CYRILLIC or character in {SHADDA, TEH_MARBUTA}:
        return character
    kind = unicodedata.category(character)
    if character.isspace() or kind == "Pd" or character in _PARTING:
        return " "
    if kind[0] in "PM" or kind in {"Cf", "Lm", "Sk"}:
        return ""
    bare = [c for c in unicodedata.normalize("NFKD", character).upper() if not unicodedata.combining(c)]
    if bare != [character] and all(c in _TABLE or c in CYRILLIC or c == TEH_MARBUTA for c in bare):
        return "".join(bare)
    return None


def _all_choices(words: list[str]) -> Iterator[_Choices]:
    text = " ".join(words)
    several = {letter: _TABLE[letter] for letter in sorted(set(text)) if len(_TABLE.get(letter, ())) > 1}
    if TEH_MARBUTA in text:
        several[TEH_MARBUTA] = TEH_MARBUTA_LAST
    for language, doubled, allah, parted, *forms in product(
        LANGUAGES if any(letter in CYRILLIC for letter in text) else LANGUAGES[:1],
        (True, False) if SHADDA in text else (False,),
        ALLAH_FORMS if ALLAH in text else ALLAH_FORMS[:1],
        (False, True) if any(_is_abd_al(word) for word in words) else (False,),
        *several.values(),
    ):
        yield _Choices(dict(zip(several, forms, strict=True)), language, doubled, allah, parted)


def _spell(words: list[str], choices: _Choices) -> Iterator[str]:
    for word in words:
        parts = [word[:_ABD], word[_ABD:]] if choices.parted and _is_abd_al(word) else [word]
        yield from (spelled for part in parts if (spelled := _spell_word(part, choices)))


def _is_abd_al(word: str) -> bool:
    return word.startswith(_ABD_AL) and len(word) > len(_ABD_AL)


def _spell_word(word: str, choices: _Choices) -> str:
    head, allah, tail = word.partition(ALLAH)
    if allah and not tail:
        return _spell_letters(head, choices) + choices.allah
    return _spell_letters(word, choices)


def _spell_letters(word: str, choices: _Choices) -> str:
    spelled: list[str] = []
    language = choices.language
    for at, letter in enumerate(word):
        if letter == SHADDA:
            spelled.extend(spelled[-1:] if choices.doubled else [])
        elif letter == TEH_MARBUTA:
            last = at == len(word.rstrip(SHADDA)) - 1
            spelled.append(choices.letters[letter] if last else TEH_MARBUTA_WITHIN[0])
        elif letter in CYRILLIC:
            national = language.letters.get(letter, CYRILLIC[letter])
            spelled.append(language.first.get(letter, national) if at == 0 else national)
        else:
            spelled.append(choices.letters.get(letter) or _TABLE[letter][0])
    return "".join(spelled)
