"""A site that registers its travellers: its rules, its keys, who registered before, and what comes of it."""

import time
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PublicKey

from gated.central.folder import CentralFolder
from gated.central.registrations import RegistrationBook, make_registration_key
from gated.core import events as ev
from gated.core.settings.travellers import RegistrationSettings
from gated.store.journal import Entry
from gated.store.list_keys import make_list_key, read_list_key
from gated.store.registration_letters import Holding
from gated.store.registrations import Registrations
from hw_sim.passport.issuer import Person

BUTTONS: Final = ("consent_yes", "consent_no")
TEXT: Final = "2026-1"
STATE: Final = "UTO"
EARLIER: Final = "0" * 16  # the passage of a registration that was made before the story begins
COMES_S: Final = 10.0  # from the registration to the centre
RULES: Final = f"""\
format = 1
name = "registering"
version = 1
title = "Nationals who are registered, or register here"

[law]
lanes-1 = "The lanes serve nationals."
lanes-2 = "They are registered once, with their consent."

[groups]
nationals = ["{STATE}"]

[[grounds]]
id = "national"
law = "lanes-1"
when = {{ nationality = "@nationals" }}

[[rules]]
id = "registered"
check = "registration"
law = "lanes-2"
that = {{ registered = true, consent = true }}
reason = "not_registered"
unsure = "registration_unknown"
"""


class Registering:
    """What the site of `folder` needs besides to register travellers."""

    def __init__(self, folder: Path, state: Path, centre: Path) -> None:
        self._state, self._centre = state, CentralFolder(centre)
        self._key = folder / "registration.key"
        self._rules = folder / "registering.toml"

    def settings(self) -> RegistrationSettings:
        """What the gate is told; the keys are made when they are first asked for."""
        if not self._key.exists():
            make_list_key(self._key)
        return RegistrationSettings(
            key_file=str(self._key),
            centre_key=make_registration_key(self._centre),
            text=TEXT,
            states=(STATE,),
            numbered=(STATE,),
        )

    def rules(self) -> str:
        """The file of its rules."""
        self._rules.write_text(RULES, encoding="utf-8")
        return str(self._rules)

    def remember(self, gate: str, person: Person, number: str) -> None:
        """Let somebody have registered here before, with a passport of this number."""
        centre = X25519PublicKey.from_public_bytes(bytes.fromhex(make_registration_key(self._centre)))
        store = Registrations(self._state, read_list_key(self._key), gate, centre)
        try:
            birth = person.birth.strftime("%y%m%d")
            who = Holding(issuer=STATE, number=number, birth=birth, personal=person.optional)
            store.register(who, TEXT, EARLIER, int(datetime.now(UTC).timestamp()))
        finally:
            store.close()

    def at_the_centre(self, registration: str) -> bool:
        """Whether the centre comes to hold it, within a while."""
        deadline = time.monotonic() + COMES_S
        book = RegistrationBook(self._centre)
        try:
            while all(each.registration != registration for each in book.held()):
                if time.monotonic() > deadline:
                    return False
                time.sleep(0.1)
            return True
        finally:
            book.close()


def answers(entries: Sequence[Entry]) -> tuple[bool, ...]:
    """What travellers said, in the order of the journal."""
    return tuple(each.event.given for each in entries if isinstance(each.event, ev.ConsentAnswered))


def registered(registering: Registering, entries: Sequence[Entry]) -> Iterator[str]:
    """What is missing of a registration that was kept and came to the centre."""
    kept = [each.event for each in entries if isinstance(each.event, ev.Registered)]
    if answers(entries) != (True,) or len(kept) != 1:
        yield "the traveller agreed, and was not registered once"
    elif not registering.at_the_centre(kept[0].registration):
        yield "the registration did not come to the centre"


def linked(entries: Sequence[Entry]) -> Iterator[str]:
    """What is missing of a registration that went over to a new passport without a question."""
    found = [each.event for each in entries if isinstance(each.event, ev.RegistrationLinked)]
    if [each.by for each in found] != ["personal_number"]:
        yield "the registration did not go over to the new passport"
    if answers(entries) or any(isinstance(each.event, ev.Registered) for each in entries):
        yield "the traveller was asked again"
