"""`gate-central registrations`: the key that gates seal for, what is held, and what is to be deleted.

Whom it is about comes as the lines of the zone on standard input, never on the command line.
"""

import argparse
import sys
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

from gated.central.folder import CentralError, CentralFolder
from gated.central.registrations import (
    KEY,
    Held,
    RegistrationBook,
    make_registration_key,
    registration_key,
)
from gated.core.values import Value
from gated.document.mrz import MAX_MESSAGE, MrzError, parse
from gated.store.database import StoreError
from gated.store.registration_letters import Holding, holding


class KeyMade(Value):
    """The key that gates' `[registration] centre_key` names."""

    key_file: str
    centre_key: str


class HeldAll(Value):
    """All registrations that the centre holds letters of."""

    registrations: tuple[Held, ...]


class Place(Value):
    """A registration, and the gate that holds it."""

    gate: str
    registration: str


class Places(Value):
    """The registrations of one traveller; `withdrawn`: their gates will delete them."""

    found: tuple[Place, ...]
    withdrawn: bool


def add(command: Callable[..., argparse.ArgumentParser]) -> None:
    """Put the command on the command line."""
    parser = command("registrations", _run, "travellers who registered at gates: key, list, find, withdraw")
    parser.add_argument("what", choices=("key", "list", "find", "withdraw"))
    parser.add_argument("--key", type=Path, metavar="FILE", help=f"the private key; default: keys/{KEY}")
    parser.add_argument(
        "--numbered",
        action="store_true",
        help="the passport tells a number for life: find by it too",
    )


def _run(options: argparse.Namespace, folder: CentralFolder) -> Value:
    folder.require()
    if options.what == "key":
        return KeyMade(key_file=str(folder.keys / KEY), centre_key=make_registration_key(folder))
    try:
        book = RegistrationBook(folder)
        try:
            if options.what == "list":
                return HeldAll(registrations=book.held())
            return _of_one(options, folder, book)
        finally:
            book.close()
    except StoreError as error:
        raise CentralError(str(error)) from error


def _of_one(options: argparse.Namespace, folder: CentralFolder, book: RegistrationBook) -> Places:
    """Find one traveller, and let the gates delete what they hold where that is asked."""
    key = registration_key(options.key or folder.keys / KEY)
    found = book.find(_who(numbered=options.numbered), key)
    if not found:
        raise CentralError("nothing is registered of this document")
    withdraw = options.what == "withdraw"
    utc = datetime.now(UTC).isoformat(timespec="milliseconds")
    for gate, number in found if withdraw else ():
        book.wish(gate, number, utc)
    places = tuple(Place(gate=gate, registration=number) for gate, number in found)
    return Places(found=places, withdrawn=withdraw)


def _who(*, numbered: bool) -> Holding:
    raw = sys.stdin.buffer.read(MAX_MESSAGE + 1)
    try:
        return holding(parse(b"\r\n".join(raw.split())), numbered=numbered).reveal()
    except MrzError as error:
        raise CentralError(f"{error}: give the lines of one zone on standard input") from error
