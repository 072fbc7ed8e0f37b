"""The invented people of the scenarios, and the list that one of them is on."""

from collections.abc import Mapping
from datetime import UTC, date, datetime
from typing import Literal

from hw_sim.passport.issuer import Person


def _years_from_now(years: int) -> date:
    today = datetime.now(UTC).date()
    return date(today.year + years, 6, 15)


THIS_YEAR = datetime.now(UTC).year

# Invented people; each has a face of the same name in `hw_sim.camera.people`.
_PEOPLE: tuple[tuple[str, str, str, str, int, Literal["M", "F"]], ...] = (
    ("ada", "BERGSTROM", "ADA MARIE", "P10000001", 1984, "F"),
    ("blaise", "OKONJO", "BLAISE", "P10000002", 1961, "F"),
    ("carl", "WINTERFELD", "CARL", "P10000003", 1979, "M"),
    ("emmy", "HALLORAN", "EMMY ROSE", "P10000004", 1990, "F"),
    ("kurt", "LINDQVIST", "KURT", "P10000005", 1955, "M"),
    ("sofia", "MARCHETTI", "SOFIA", "P10000006", 1996, "F"),
    ("mina", "OYELARAN", "MINA", "P10000007", THIS_YEAR - 11, "F"),
    ("levi", "HALVORSEN", "LEVI", "P10000008", THIS_YEAR - 12, "M"),
)

HOLDERS: Mapping[str, Person] = {
    name: Person(
        surname=surname,
        given_names=given,
        number=number,
        birth=date(year, 4, 2),
        expiry=_years_from_now(6),
        sex=sex,
    )
    for name, surname, given, number, year, sex in _PEOPLE
}

WANTED = "carl"

BANNED_NUMBER, LOST_NUMBER = "P10000099", "L00000001"

# The published list: one wanted person, one who may not leave, and enough others that it is a list.
LIST: tuple[Mapping[str, str], ...] = (
    {
        "surname": HOLDERS[WANTED].surname,
        "given": HOLDERS[WANTED].given_names,
        "birth": HOLDERS[WANTED].birth.isoformat(),
        "nationality": "UTO",
        "grade": "stop",
        "reason": "wanted",
        "reference": "case-0001",
    },
    {
        "number": BANNED_NUMBER,
        "issuer": "UTO",
        "type": "P",
        "grade": "silent",  # the rules decide by the direction
        "reason": "exit_ban",
        "reference": "ban-0001",
    },
    *(
        {
            "number": f"L{number:08}",
            "issuer": "UTO",
            "type": "P",
            "grade": "refer",
            "reason": "lost",
            "reference": f"loss-{number}",
        }
        for number in range(1, 1001)
    ),
)
