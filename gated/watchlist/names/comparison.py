"""Two persons side by side: one score, and what each field brought to it.

The score of the names is given odds; birth dates and nationalities move them by fixed weights. A nationality
never excludes: people have several, and forgers choose. Birth dates that differ by more than a slip all but
do.
"""

from typing import NamedTuple

from gated.core.values import Value
from gated.watchlist.names.alignment import Link, align
from gated.watchlist.names.birth import UNKNOWN, Agreement, Birth, compare_births
from gated.watchlist.names.model import log_odds, score_of
from gated.watchlist.names.signs import signs_of
from gated.watchlist.names.words import Name

BIRTH_WEIGHTS = {
    Agreement.SAME: 3.0,
    Agreement.PARTLY: 1.0,
    Agreement.UNKNOWN: 0.0,
    Agreement.SLIP: -3.5,
    Agreement.DIFFERENT: -7.0,
}
NATIONALITY_WEIGHTS = {Agreement.SAME: 0.5, Agreement.UNKNOWN: 0.0, Agreement.DIFFERENT: -0.3}
SLIP_REACHES = 0.88
"""No two persons whose birth dates are a slip apart score more, whatever their names."""
NO_NAME = -40.0  # log-odds of a name without words


class Person(NamedTuple):
    """What is known of a person. `nationality` is a code of Doc 9303-3, 5 or of ISO 3166, or empty."""

    name: Name
    birth: Birth = UNKNOWN
    nationality: str = ""


class Field(Value):
    """What one field says: how it agrees, and what that adds to the logarithm of the odds. No personal data.

    `how` names, for a name, the reason of each pair of words.
    """

    field: str
    how: tuple[str, ...]
    weight: float


class Comparison(Value):
    """The score in [0, 1], what the fields brought to it, and the words that stand for each other."""

    score: float
    fields: tuple[Field, ...]
    links: tuple[Link, ...] = ()

    @property
    def certain(self) -> bool:
        """Whether the birth dates are known in full and the same."""
        return any(field.field == "birth" and field.how == (Agreement.SAME,) for field in self.fields)


def compare(left: Person, right: Person) -> Comparison:
    """Score whether two persons may be one, and say why."""
    if not left.name.words or not right.name.words:
        return Comparison(score=0.0, fields=(Field(field="name", how=("missing",), weight=NO_NAME),))
    links = align(left.name, right.name)
    odds = log_odds(signs_of(left.name, right.name, links))
    birth = compare_births(left.birth, right.birth)
    nationality = _compare_nationalities(left.nationality, right.nationality)
    fields = (
        Field(field="name", how=tuple(str(link.how) for link in links), weight=round(odds, 3)),
        Field(field="birth", how=(str(birth),), weight=BIRTH_WEIGHTS[birth]),
        Field(field="nationality", how=(str(nationality),), weight=NATIONALITY_WEIGHTS[nationality]),
    )
    odds += BIRTH_WEIGHTS[birth] + NATIONALITY_WEIGHTS[nationality]
    return Comparison(score=score_of(odds), fields=fields, links=links)


def _compare_nationalities(left: str, right: str) -> Agreement:
    ours, theirs = _code(left), _code(right)
    if not ours or not theirs or len(ours) != len(theirs):
        return Agreement.UNKNOWN
    return Agreement.SAME if ours == theirs else Agreement.DIFFERENT


def _code(nationality: str) -> str:
    code = nationality.upper().strip("< ")
    return "DEU" if code == "D" else code
