"""Entities of FollowTheMoney as list rows: persons by their names, passports and identity papers by number.

An entity has many values of each property; every spelling of a name is an entry, with every date of birth.
Names in other letters than Latin are brought into the letters of the zone by Doc 9303-3 section 6, in all its
alternatives up to MAX_FORMS. What such data do not have is a grade: it is given when the list is built.
"""

import re
from collections.abc import Iterator
from itertools import product

import msgspec

from gated.central.countries import zone_code
from gated.core.personal import MASK
from gated.document.mrz.printed_names import transliterations

MAX_ENTITY = 256 * 1024  # bytes of a line: well-known persons have hundreds of spellings
MAX_VALUES = 200  # of one property
MAX_FORMS = 4  # of one spelling
NAMES = ("name", "alias", "previousName", "weakAlias")
DOCUMENTS = {"Passport": "P", "Identification": ""}
_DATE = re.compile(r"([0-9]{4})(?:-([0-9]{2}))?(?:-([0-9]{2}))?(?:T.*)?")

Row = dict[str, str]


class Entity(msgspec.Struct, frozen=True):
    """An entity as it is exported: other keys than these are no concern of ours."""

    id: str
    schema: str
    properties: dict[str, list[str]] = msgspec.field(default_factory=dict)

    def __repr__(self) -> str:
        return MASK


class UnusableEntity(Exception):
    """Nothing on a list can come of this entity; `field` says for want of what."""

    def __init__(self, field: str, expected: str) -> None:
        super().__init__(f"{field}: expected {expected}")
        self.field = field
        self.expected = expected


def is_listed(entity: Entity) -> bool:
    """Whether it is of a schema that stands for a person or for papers."""
    return entity.schema == "Person" or entity.schema in DOCUMENTS


def rows_of(entity: Entity, grade: str) -> Iterator[Row]:
    """Yield list rows for an entity. Raises UnusableEntity; schemas that stand for nobody yield nothing."""
    common = {"grade": grade, "reason": _reason(entity), "reference": entity.id}
    if entity.schema in DOCUMENTS:
        yield from _documents(entity, common)
    elif entity.schema == "Person":
        yield from _persons(entity, common)


def _documents(entity: Entity, common: Row) -> Iterator[Row]:
    numbers, states = _values(entity, "number"), [zone_code(each) for each in _values(entity, "country")]
    issuers = sorted(set(filter(None, states)))
    if not numbers:
        raise UnusableEntity("number", "a number")
    if not issuers:
        raise UnusableEntity("issuer", "a country, by its code of ISO 3166")
    for number, issuer in product(numbers, issuers):
        yield {**common, "number": number, "issuer": issuer, "type": DOCUMENTS[entity.schema]}


def _persons(entity: Entity, common: Row) -> Iterator[Row]:
    births = sorted({_birth(each) for each in _values(entity, "birthDate")} - {""}) or ["XXXX-XX-XX"]
    states = [zone_code(each) for each in (*_values(entity, "nationality"), *_values(entity, "citizenship"))]
    nationalities = sorted(set(filter(None, states))) or [""]
    names = dict.fromkeys(_names(entity))
    if not names:
        raise UnusableEntity("surname", "a name in letters that Doc 9303-3 section 6 transliterates")
    for (surname, given), birth, nationality in product(names, births, nationalities):
        yield {**common, "surname": surname, "given": given, "birth": birth, "nationality": nationality}
    for number, state in product(_values(entity, "passportNumber"), nationalities):
        if state:
            yield {**common, "number": number, "issuer": state, "type": "P"}


def _names(entity: Entity) -> Iterator[tuple[str, str]]:
    """Surname and given names where they are told apart, else all of a name as the surname."""
    for last, first in product(_values(entity, "lastName"), _values(entity, "firstName") or [""]):
        yield from product(_forms(last), _forms(first) if first else [""])
    for field in NAMES:
        for name in _values(entity, field):
            yield from ((form, "") for form in _forms(name))


def _forms(name: str) -> list[str]:
    return [form.replace("<", " ") for form in sorted(transliterations(name)) if form][:MAX_FORMS]


def _values(entity: Entity, name: str) -> list[str]:
    return [value.strip() for value in entity.properties.get(name, [])[:MAX_VALUES] if value.strip()]


def _birth(text: str) -> str:
    parsed = _DATE.fullmatch(text)
    year, month, day = parsed.groups() if parsed else (None, None, None)
    return f"{year}-{month or 'XX'}-{day or 'XX'}" if year else ""


def _reason(entity: Entity) -> str:
    topics = sorted(_values(entity, "topics"))
    code = re.sub(r"[^a-z0-9]+", "_", (topics or ["listed"])[0].lower()).strip("_")
    return code[:40] if re.match("[a-z]", code) else "listed"
