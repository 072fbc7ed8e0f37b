"""How alike two spellings of one word of a name are, and why: the strongest reason that holds."""

import re
from enum import StrEnum
from functools import lru_cache
from typing import NamedTuple

from rapidfuzz.distance import OSA

from gated.watchlist.names.families import Kinship, kinship
from gated.watchlist.names.sounds import fold, skeleton, sound

_LEAST = 0.45  # below it two words are no pair
_EDIT = 1.25
_FIRST_LETTER = 0.12  # typists and listeners get the first letter right
_STRANGERS = 0.12
_SHORT = 3  # letters of a short form
_CUT = 2  # letters that must be left of a word that was cut


class How(StrEnum):
    """Why two words are taken for the same, the best reason first."""

    SAME = "same"
    TRANSLITERATION = "transliteration"
    VARIANT = "variant"
    SOUND = "sound"
    CUT = "cut"
    NICKNAME = "nickname"
    INITIAL = "initial"
    TYPING = "typing"
    ALIKE = "alike"
    """Few letters differ, but both are known as names of their own."""


class Likeness(NamedTuple):
    """How alike, from 0 to 1, and why."""

    degree: float
    how: How


_IE = re.compile("IE$")
_HALF = re.compile("[WVY]")
_SURE = {
    How.SAME: 1.0,
    How.TRANSLITERATION: 0.98,
    How.VARIANT: 0.95,
    How.SOUND: 0.92,
    How.CUT: 0.9,
    How.NICKNAME: 0.8,
    How.INITIAL: 0.7,
}


@lru_cache(maxsize=16_384)
def likeness(left: str, right: str) -> Likeness | None:
    """Compare two spellings in zone letters; None where they are no pair."""
    if left == right:
        return Likeness(_SURE[How.SAME], How.SAME)
    if len(left) == 1 or len(right) == 1:
        return Likeness(_SURE[How.INITIAL], How.INITIAL) if left[0] == right[0] else None
    plain, other = fold(left), fold(right)
    if plain == other:
        return Likeness(_SURE[How.TRANSLITERATION], How.TRANSLITERATION)
    kin = kinship(left, right)
    if kin is Kinship.VARIANT:
        return Likeness(_SURE[How.VARIANT], How.VARIANT)
    heard, said = sound(left), sound(right)
    if heard == said and (kin is not Kinship.STRANGERS or _vowels(left) == _vowels(right)):
        return Likeness(_SURE[How.SOUND], How.SOUND)
    if kin is Kinship.NICKNAME:
        return Likeness(_SURE[How.NICKNAME], How.NICKNAME)
    return _by_letters(plain, other, heard, said, strangers=kin is Kinship.STRANGERS)


def _by_letters(plain: str, other: str, heard: str, said: str, *, strangers: bool) -> Likeness | None:
    longest = max(len(plain), len(other))
    if 2 * abs(len(plain) - len(other)) > longest:
        return None
    edits = min(
        OSA.distance(plain, other) / longest,
        (OSA.distance(heard, said) + 0.5) / max(len(heard), len(said)),
    )
    degree = 1 - _EDIT * edits
    ours, theirs = skeleton(plain), skeleton(other)
    if plain[0] != other[0] and ours[0] != theirs[0]:
        degree -= _FIRST_LETTER
    if ours == theirs:
        degree += 0.08
    if strangers:
        degree -= _STRANGERS
    if degree < _LEAST:
        return None
    return Likeness(min(degree, 0.93), How.ALIKE if strangers else How.TYPING)


def _vowels(word: str) -> str:
    """The vowels as written, which `sound` puts into three classes: ERIC has those of ERIK."""
    return "".join(letter for letter in _IE.sub("I", word).replace("Y", "I") if letter in "AEIOU")


def _without_vowels(word: str) -> str:
    """The word without W, V and Y behind its first letter, which stand for vowels where none are written."""
    return word[0] + _HALF.sub("", word[1:])


def short_likeness(left: str, right: str) -> Likeness | None:
    """Whether one word may be the other's short form: its beginning, as Konst is of Konstantin."""
    shorter, longer = sorted((left, right), key=len)
    if len(shorter) < _SHORT or len(longer) < len(shorter) + 2 or not longer.startswith(shorter):
        return None
    strangers = kinship(left, right) is Kinship.STRANGERS
    return None if strangers else Likeness(_SURE[How.NICKNAME], How.NICKNAME)


def cut_likeness(shown: str, whole: str) -> Likeness | None:
    """Whether the shown word may be the whole one, cut at its end."""
    cut = len(shown) >= _CUT and len(shown) < len(whole) and whole.startswith(shown)
    return Likeness(_SURE[How.CUT], How.CUT) if cut else None


def bare_likeness(left: str, right: str) -> Likeness | None:
    """Compare a word of a script without vowels with one of another: by their consonants."""
    ours, theirs = skeleton(left), skeleton(right)
    if ours.removeprefix("A") == theirs.removeprefix("A"):
        return Likeness(_SURE[How.SOUND], How.SOUND) if len(ours) > 1 else None
    fewer, few = skeleton(_without_vowels(left)), skeleton(_without_vowels(right))
    if len(fewer) > 1 and fewer.removeprefix("A") == few.removeprefix("A"):
        return Likeness(_SURE[How.SOUND] - 0.04, How.SOUND)
    if min(len(ours), len(theirs)) > 3 and OSA.distance(ours, theirs) == 1:
        return Likeness(0.75, How.TYPING)
    return None
