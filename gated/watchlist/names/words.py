"""A written name as words in the letters of the zone, each with the set of its forms.

Any script is taken: Latin, Cyrillic and Arabic by the tables of Doc 9303-3, 6, and everything besides by the
general table of the anyascii package. A character of a script that is written without spaces is a word of its
own; the comparison joins neighbours.
"""

import re
import unicodedata
from functools import lru_cache
from itertools import islice

from anyascii import anyascii

from gated.core.personal import MASK
from gated.document.mrz.printed_names import transliterations
from gated.watchlist.names.families import names_of
from gated.watchlist.names.parts import Part, part_of

MAX_NAME = 512  # characters that are looked at
MAX_WORDS = 16
MAX_FORMS = 12  # of a word
FULL_FIELDS = frozenset({30, 31, 39})  # characters of name in TD1, TD2 and TD3 (Doc 9303-4 to -6)

_WITHIN = frozenset("'’ʼ`´‘\u200c\u200d")  # signs inside a word
_OUTSIDE = re.compile("[^A-Z]+")
_HUMP = re.compile(r"(?<=[a-zß-öø-ÿа-яα-ω]{2})(?=[A-ZÀ-ÖØ-ÞА-ЯΑ-Ω][a-zß-öø-ÿа-яα-ω])")
_LETTERS = re.compile("[A-Z]+")
_LOOKALIKE = str.maketrans("0134578", "OIEASTB")
_BARE = re.compile("[\u0590-\u08ff]")
_ARTICLE = "\u0627\u0644"  # al-, written onto its word
_GREEK = re.compile("[Α-Ω]")
_GREEK_PAIRS = tuple(
    (re.compile(pair), latin)
    for pair, latin in (
        ("ΟΥ", "OU"),
        ("([ΑΕΗ])Υ(?=[ΘΚΞΠΣΤΦΧΨ]|$)", r"\1F"),
        ("([ΑΕΗ])Υ", r"\1V"),
        ("^ΜΠ", "B"),
        ("^ΝΤ", "D"),
        ("^ΓΚ", "G"),
        ("ΓΓ", "NG"),
        ("ΓΧ", "NCH"),
        ("ΓΞ", "NX"),
    )
)
_ASIDE = re.compile(r"\([^)]*\)")


class Word:
    """One word of a name: its forms in the zone, the likeliest first, and what it is in the name."""

    __slots__ = ("bare", "forms", "part")

    def __init__(self, forms: tuple[str, ...], part: Part, *, bare: bool = False) -> None:
        self.forms = forms
        self.part = part
        self.bare = bare
        """Its script leaves out vowels."""

    def __repr__(self) -> str:
        return f"Word({MASK})"


class Name:
    """A name as words; `may_be_cut` where words or letters may be missing at ends (Doc 9303-4, 4.2.3)."""

    __slots__ = ("may_be_cut", "words")

    def __init__(self, words: tuple[Word, ...], *, may_be_cut: bool = False) -> None:
        self.words = words
        self.may_be_cut = may_be_cut

    def __repr__(self) -> str:
        return f"Name({MASK})"

    def spelled(self) -> tuple[str, ...]:
        """The likeliest form of each word."""
        return tuple(word.forms[0] for word in self.words)


def name_of(written: str) -> Name:
    """The name in a written one: any script and order, commas, titles. No words if it has no letters."""
    text = "".join(character for character in written[:MAX_NAME] if unicodedata.category(character) != "No")
    text = unicodedata.normalize("NFKC", text)
    without = _ASIDE.sub(" ", text)
    words = _words(without) or _words(text)
    return Name(words, may_be_cut=False)


def zone_name(surname: str, given: str, *, may_be_cut: bool = False) -> Name:
    """The name in the two identifiers of a zone, fillers or spaces between words.

    It may be cut too if it has the length of a field of TD1, TD2 or TD3: lists are made of documents.
    """
    filled = "<<".join(part for part in (surname.strip("< "), given.strip("< ")) if part)
    return Name(_words(filled.replace("<", " ")), may_be_cut=may_be_cut or fills_its_field(filled))


def fills_its_field(identifiers: str) -> bool:
    """Whether a name, its identifiers parted by two fillers, has a letter in the last place of a field."""
    return len(identifiers) in FULL_FIELDS


def _words(text: str) -> tuple[Word, ...]:
    words: list[Word] = []
    for written in islice(_split(text), MAX_WORDS * 2):
        forms = spellings(written)
        if forms:
            bare, part = _BARE.match(written) is not None, part_of(forms[0])
            if bare and part is Part.TITLE:
                part = Part.NAME  # the letters of Umar without its vowels are MR
            words.append(Word(forms, part, bare=bare))
    words = words[:MAX_WORDS]
    if all(word.part in {Part.TITLE, Part.PARTICLE} for word in words):
        words = [Word(word.forms, Part.NAME) for word in words]
    return tuple(words)


def _split(text: str) -> list[str]:
    pieces: list[str] = []
    for written in "".join(map(_parted, text)).split():
        if any(_stands_alone(character) for character in written):
            pieces += _unspaced(written)
        elif written.startswith(_ARTICLE) and len(written) > 4:
            pieces += ["AL", written[len(_ARTICLE) :]]
        else:
            pieces += _HUMP.split(written)
    return pieces


def _parted(character: str) -> str:
    """The character, or a blank where a word ends."""
    return character if unicodedata.category(character)[0] in "LMN" or character in _WITHIN else " "


def _unspaced(written: str) -> list[str]:
    """The names in a run of Han or Hangul: one or two that are known as such, or else single characters.

    A syllable of Hangul is always a word of its own: given names of two are mostly written as two.
    """
    if all(map(_is_han, written)):
        if _is_known(written):
            return [written]
        for at in range(1, len(written)):
            if _is_known(written[:at]) and _is_known(written[at:]):
                return [written[:at], written[at:]]
    return list(written)


def _is_han(character: str) -> bool:
    return "\u3400" <= character <= "\u9fff" or character >= "\U00020000"


def _is_known(written: str) -> bool:
    return len(written) <= 12 and any(map(names_of, spellings(written)[:1]))


def _stands_alone(character: str) -> bool:
    """Whether the character is of a script that writes names without spaces: Han or Hangul."""
    return _is_han(character) or "\uac00" <= character <= "\ud7a3"


def _greek(upper: str) -> str:
    """Greek pairs of letters that stand for one sound, as ELOT 743 romanises them; the rest is left."""
    plain = "".join(each for each in unicodedata.normalize("NFD", upper) if each != "\u0301")
    if not _GREEK.search(plain):
        return upper
    for pair, latin in _GREEK_PAIRS:
        plain = pair.sub(latin, plain)
    return plain


@lru_cache(maxsize=65_536)
def spellings(written: str) -> tuple[str, ...]:
    """All forms of one written word in the zone, the likeliest first; none if it has no letters."""
    upper = written.upper()
    if _LETTERS.fullmatch(upper):
        return (upper,)
    if any(character.isdigit() for character in upper):
        if not any(character.isalpha() for character in upper):
            return ()
        upper = upper.translate(_LOOKALIKE)
    general = _OUTSIDE.sub("", anyascii(_greek(upper)).upper())
    forms = dict.fromkeys([general] if general else [])
    for form in sorted(transliterations(upper)):
        forms[form.replace("<", "")] = None
    forms.pop("", None)
    return tuple(islice(forms, MAX_FORMS))
