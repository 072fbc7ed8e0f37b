"""The documents of the scenarios: genuine ones, and what forgers make of them."""

from collections.abc import Callable, Mapping
from datetime import UTC, date, datetime

from msgspec.structs import replace

from hw_sim.passport.issuer import (
    PACE_AND_BAC,
    Authority,
    ChipAuthenticationProfile,
    Passport,
    Person,
    Suite,
    issue,
    with_another_birth_date,
    with_another_page,
    with_copied_chip,
)
from hw_sim.scenarios.people import HOLDERS
from hw_sim.scenarios.scenario import Scenario

# As passports are issued today: PACE, and a key that cannot be copied.
PROTOCOLS = replace(
    PACE_AND_BAC, chip_authentication=(ChipAuthenticationProfile(suite=Suite.AES_128, domain=13),)
)

Forgery = Callable[[Passport], Passport]

DOCUMENTS: Mapping[str, Forgery] = {
    "genuine": lambda passport: passport,
    "unknown_csca": lambda passport: passport,
    "tampered_dg1": lambda passport: with_another_birth_date(passport, date(1999, 1, 1)),
    "other_page": lambda passport: with_another_page(passport, "X7654321"),
    "copied_chip": with_copied_chip,
}


def holder_of(scenario: Scenario) -> Person:
    """Whose passport it is, with the number, the nationality and the age that the scenario asks for."""
    holder = HOLDERS[scenario.holder]
    person = replace(holder, nationality=scenario.nationality, optional=scenario.personal or holder.optional)
    if scenario.number is not None:
        person = replace(person, number=scenario.number)
    if scenario.age is None:
        return person
    return replace(person, birth=date(datetime.now(UTC).year - scenario.age, 1, 1))


def passport_of(scenario: Scenario, authority: Authority, photograph: bytes) -> Passport:
    """Make the document of a scenario; one of unknown origin is signed by a state that nobody knows."""
    if scenario.document == "unknown_csca":
        authority = Authority.establish("nowhere", today=datetime.now(UTC).date())
    genuine = issue(authority, holder_of(scenario), photograph, protocols=PROTOCOLS)
    return DOCUMENTS[scenario.document](genuine)
