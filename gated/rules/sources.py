"""Where the facts come from: the zone, the lane and its clock, the lists, and the traveller's standing."""

from collections.abc import Iterable
from datetime import date, datetime

from gated.document.mrz import Mrz, PartialDate
from gated.rules.facts import FACTS, WEEKDAYS, is_code_of
from gated.rules.knowledge import Known, Several, Span, exactly, one


def of_zone(mrz: Mrz, today: date) -> dict[str, Known]:
    """What the machine-readable zone says on this day; a partial birth date gives an age between two."""
    known: dict[str, Known] = {"document_type": one(mrz.document_type)}
    for name, code in (("issuer", mrz.issuer), ("nationality", mrz.nationality)):
        known[name] = one(code)
    if (age := _age(mrz, today)) is not None:
        known["age"] = age
    if (expiry := mrz.expiry_date(today)) is not None:
        known["document_days"] = exactly((expiry - today).days)
    return known


def of_moment(local: datetime, crossing: str | None) -> dict[str, Known]:
    """The date and time at the gate, and which way the lane leads now, if that is configured."""
    known: dict[str, Known] = {
        "date": local.date(),
        "time": 60 * local.hour + local.minute,
        "weekday": one(WEEKDAYS[local.weekday()]),
    }
    return known if crossing is None else known | {"direction": one(crossing)}


def of_lists(reasons: Iterable[str] | None) -> dict[str, Known]:
    """The reasons of the entries that fit; None: the lists did not answer.

    A publisher's words that are no code are told as `other`: a rule can't name them, and none is lost.
    """
    if reasons is None:
        return {}
    fact = FACTS["listed"]
    codes = (reason.lower().replace(" ", "_") for reason in reasons)
    return {"listed": Several(frozenset(code if is_code_of(fact, code) else "other" for code in codes))}


def _age(mrz: Mrz, today: date) -> Span | None:
    """From the least to the most years that the date of birth allows."""
    least = mrz.age(today)
    born = mrz.birth_date(today)
    if least is None or born.year is None:
        return None
    return Span(least, max(least, _years(_earliest(born, born.year), today)))


def _earliest(born: PartialDate, year: int) -> date:
    return date(year, born.month or 1, born.day or 1)


def _years(born: date, today: date) -> int:
    return today.year - born.year - ((today.month, today.day) < (born.month, born.day))
