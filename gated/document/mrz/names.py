"""Names of the zone: primary and secondary identifier, and whether they may have been cut (Doc 9303-3, 4.6).

A name that ends with a letter in the last place of its field must be taken for a cut one, even if it just
fits (Doc 9303-4 section 4.2.3); so must the names of the old French card, whose fields are short.
"""

import re
from dataclasses import dataclass

from gated.core.personal import MASK

NAME = re.compile("[A-Z]+(?:<[A-Z]+)*(?:<<[A-Z]+(?:<[A-Z]+)*)?<*")
"""A name field: words parted by one filler, the identifiers by two, fillers to its end."""
WORDS = re.compile("[A-Z]+(?:<<?[A-Z]+)*<*")
"""A field of the French card: one filler inside a double name, two between names."""


@dataclass(frozen=True, slots=True, repr=False)
class ZoneName:
    """A name in the letters of the zone, its words parted by spaces. Personal data.

    Of an identifier that may be cut, words at the end or letters at the end of any word may be missing.
    """

    primary: str
    secondary: str
    primary_may_be_cut: bool
    secondary_may_be_cut: bool

    def __repr__(self) -> str:
        return f"ZoneName({MASK})"


def name_of(field: str) -> ZoneName:
    """The name in a name field."""
    primary, _, secondary = field.rstrip("<").partition("<<")
    full = not field.endswith("<")
    return ZoneName(_words(primary), _words(secondary), full, full)


def french_name_of(surname: str, given: str) -> ZoneName:
    """The name in the two fields of the French card, which are cut off where they end.

    If no letter would have fitted after the separator of words, the next word may be missing.
    """
    return ZoneName(_words(surname), _words(given), not surname.endswith("<<"), not given.endswith("<<<"))


def _words(text: str) -> str:
    return " ".join(word for word in text.split("<") if word)
