"""When a traveller is on the list: normal forms for comparing, and the verdict over one candidate.

The document is compared exactly after normalisation: only letters and digits count (Doc 9303-3, 4.6 writes
everything else as fillers). A person is compared by the set of name parts in MRZ letters, whatever
their order and whichever of them is called surname, and by the birth date, where a part that either side does
not know agrees with everything (Doc 9303-3, 4.8). The MRZ has two digits of the year, so two are
compared. A nationality never excludes: people have several, and forgers choose.
"""

import re
from collections.abc import Iterable
from typing import Literal

from gated.core.personal import Personal
from gated.core.values import Value
from gated.core.vocabulary import Grade

_NOT_IN_NUMBER = re.compile(r"[^A-Z0-9]")
_NOT_IN_NAME = re.compile(r"[^A-Z]+")
_MRZ_DATE = re.compile(r"([0-9]{2}|<<)([0-9]{2}|<<)([0-9]{2}|<<)")
_RISING = tuple(Grade)
_SAME_STATE = {"DEU": "D"}  # Doc 9303-3, 5: Germany is D in the MRZ


class DocumentClaim:
    """The document that lies on the reader, as its MRZ says."""

    __slots__ = ("issuer", "number", "type")

    def __init__(self, *, number: Personal[str], issuer: str, type: str = "") -> None:  # noqa: A002  the MRZ's own word
        self.number = number
        self.issuer = issuer
        self.type = type


class PersonClaim:
    """The person that the document names: MRZ name fields, birth date as YYMMDD (`<<` for unknown).

    `may_be_cut`: the name fills its field (Doc 9303-4, 4.2.3).
    """

    __slots__ = ("birth", "given", "may_be_cut", "nationality", "surname")

    def __init__(
        self,
        *,
        surname: Personal[str],
        given: Personal[str],
        birth: Personal[str],
        nationality: str = "",
        may_be_cut: bool = False,
    ) -> None:
        self.surname = surname
        self.given = given
        self.birth = birth
        self.nationality = nationality
        self.may_be_cut = may_be_cut


class Hit(Value):
    """One entry that fits. Codes only; `certain` is False where the birth date agrees for want of a part.

    `score` orders persons, 1 for what fits to the letter; `why` says of each field how it agrees.
    """

    kind: Literal["document", "person"]
    grade: Grade
    reason: str
    reference: str
    certain: bool = True
    score: float = 1.0
    why: tuple[str, ...] = ()


class Answer(Value):
    """All hits, the gravest grade among them, and the version of the list that was asked."""

    version: int
    hits: tuple[Hit, ...] = ()

    @property
    def grade(self) -> Grade:
        """The gravest grade; NONE without a hit."""
        return gravest(hit.grade for hit in self.hits)


def gravest(grades: Iterable[Grade]) -> Grade:
    """The highest of the grades."""
    return max(grades, key=_RISING.index, default=Grade.NONE)


def normal_number(number: str) -> str:
    """The document number by letters and digits alone."""
    return _NOT_IN_NUMBER.sub("", number.upper())


def normal_issuer(issuer: str) -> str:
    """The issuing state without fillers, one code for one state."""
    code = issuer.upper().rstrip("< ")
    return _SAME_STATE.get(code, code)


def name_key(surname: str, given: str) -> str:
    """All name parts in alphabetical order: equal for names of equal parts."""
    return " ".join(sorted(part for part in _NOT_IN_NAME.split(f"{surname} {given}".upper()) if part))


def type_fits(listed: str, shown: str) -> bool:
    """Whether the types agree: a listed single letter stands for its family, an unknown type for any."""
    known = shown.upper().rstrip("< ")
    return not known or known.startswith(listed)


def birth_fits(listed: str, shown: str) -> tuple[bool, bool]:
    """Compare `YYYY-MM-DD` (X unknown) with YYMMDD (`<` unknown): (agrees, all parts known).

    A date that is no MRZ date counts as wholly unknown: it must not be a way past the list.
    """
    parsed = _MRZ_DATE.fullmatch(shown)
    shown_parts = parsed.groups() if parsed else ("<<", "<<", "<<")
    listed_parts = (listed[2:4], listed[5:7], listed[8:10])
    certain = True
    for there, here in zip(listed_parts, shown_parts, strict=True):
        if there == "XX" or here == "<<":
            certain = False
        elif there != here:
            return False, False
    return True, certain
