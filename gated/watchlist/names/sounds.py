"""What different spellings of one name in Latin letters have in common: three ever coarser keys of a word.

`fold` undoes the choices of Doc 9303-3, 6 (AE for Ä, or A); `sound` also those of the national romanisations
(TSCHECHOW, CHEKHOV; YUSUF, JOUSSOUF); `skeleton` keeps the order of the consonant classes only, so that few
misspellings change it: it finds candidates and decides nothing. All take and give letters A to Z.
"""

import re
from functools import lru_cache

_CHOICES = (("UXX", "U"), ("NXX", "N"), ("AE", "A"), ("OE", "O"), ("UE", "U"), ("AA", "A"))

_ROMANISATIONS = tuple(
    (re.compile(pattern), plain)
    for pattern, plain in (
        ("SCHTSCH|SHTCH|SHCH|CHTCH|SZCZ", "S"),
        ("DSCH|DZH|DJ|DZ", "J"),
        ("TSCH|TCH|CZ|CS(?=[AEIOU])", "C"),
        ("SCH|SH|SZ", "S"),
        ("TSZ|TZ|TS", "C"),
        ("^X", "S"),
        ("X", "KS"),
        ("KH|(?<=A)CH$", "H"),
        ("ZH", "Z"),
        ("CH", "C"),
        ("CK|Q|C(?=[AOULRTK])|C$", "K"),
        ("PH|FF$|(?<=[EO])W$|(?<=[EO])F$", "V"),
        ("W", "V"),
        ("(?<=[BDGTLRN])H", ""),
        ("EO", "O"),
        ("OU|OO|EU", "U"),
        ("EE", "I"),
        ("[JY]", "I"),
        ("^I(?=E)", ""),
        ("(?<=..)IE$", "I"),
        ("[AE]", "A"),
        ("[OU]", "U"),
        ("(?<=[AIU])H(?![AIU])", ""),
    )
)
_SON_OF = re.compile("^MC(?=..)")
_DOUBLE = re.compile(r"(.)\1+")
_CLASSES = str.maketrans("GZCDPV", "KSSTBF", "HAIU")


@lru_cache(maxsize=65_536)
def fold(word: str) -> str:
    """The word without the choices of the standard's tables: MUELLER is MULLER, and MCKAY is MACKAY."""
    for written, plain in _CHOICES:
        word = word.replace(written, plain)
    return _SON_OF.sub("MAC", word)


@lru_cache(maxsize=65_536)
def sound(word: str) -> str:
    """The word as the romanisations of many languages would agree on it; vowels in three classes."""
    for pattern, plain in _ROMANISATIONS:
        word = pattern.sub(plain, word)
    return _DOUBLE.sub(r"\1", word)


@lru_cache(maxsize=65_536)
def skeleton(word: str) -> str:
    """The classes of the word's consonants, behind `A` where it begins with a vowel; never empty."""
    heard = sound(word)
    consonants = _DOUBLE.sub(r"\1", heard.translate(_CLASSES))
    return f"A{consonants}" if heard[:1] in {"A", "I", "U"} else consonants or "H"
