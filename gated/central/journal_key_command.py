"""`gate-central journal-key` and `verify`: what a gate signs its journal with, and what it has signed."""

import argparse
import re
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import IO

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from gated.central.folder import CentralError, CentralFolder
from gated.central.journal_keys import Enrolled, all_keys, enrol
from gated.core.values import Value
from gated.store.attested import MAX_LINE, ExportError, Proven, proven, read_lines

_PUBLIC = re.compile("[0-9a-f]{64}")
MAX_KEEP_DAYS = 366


class Verified(Value):
    """What an export proves. `good`: every entry in it is one that its gate has signed."""

    good: bool
    journals: tuple[Proven, ...]


def add(command: Callable[..., argparse.ArgumentParser]) -> None:
    """Put the commands on the command line."""
    enrolling = command(
        "journal-key", _journal_key, "put a gate's journal key on record, which signs what it delivers"
    )
    enrolling.add_argument("--gate", required=True, metavar="NAME")
    enrolling.add_argument(
        "--public", required=True, type=_public, metavar="KEY", help="as gatectl journal key told it there"
    )
    enrolling.add_argument(
        "--keep-old", type=_days, metavar="DAYS", help="the key before it counts so long still; 0: no more"
    )
    verifying = command("verify", _verify, "check, without the database, that gates have signed an export")
    verifying.add_argument("--export", required=True, type=Path, metavar="FILE", help="from collect --export")
    verifying.add_argument(
        "--key",
        action="append",
        default=[],
        type=_named,
        metavar="NAME=KEY",
        help="a journal key of this gate that you know yourself, in place of those on record in DIR",
    )


def _journal_key(options: argparse.Namespace, folder: CentralFolder) -> Enrolled:
    return enrol(folder, options.gate, options.public, datetime.now(UTC), options.keep_old)


def _verify(options: argparse.Namespace, folder: CentralFolder) -> Verified:
    known = {gate: tuple(each.public_key for each in keys) for gate, keys in all_keys(folder.gates).items()}
    told: dict[str, tuple[str, ...]] = {}
    for gate, key in options.key:
        told[gate] = (*told.get(gate, ()), key)
    keys = {
        gate: tuple(Ed25519PublicKey.from_public_bytes(bytes.fromhex(each)) for each in reversed(texts))
        for gate, texts in {**known, **told}.items()
    }
    try:
        with options.export.open("rb") as file:
            journals = tuple(proven(read_lines(_capped(file)), keys))
    except ExportError as error:
        raise CentralError(f"{options.export}: {error}") from error
    return Verified(good=bool(journals) and not any(each.problems for each in journals), journals=journals)


def _capped(file: IO[bytes]) -> Iterator[bytes]:
    while line := file.readline(MAX_LINE):
        yield line


def _public(text: str) -> str:
    if not _PUBLIC.fullmatch(text):
        raise argparse.ArgumentTypeError("a public key: 64 hexadecimal digits, in small letters")
    return text


def _named(text: str) -> tuple[str, str]:
    gate, _, key = text.partition("=")
    return gate, _public(key)


def _days(text: str) -> timedelta:
    days = float(text)
    if not 0 <= days <= MAX_KEEP_DAYS:
        raise argparse.ArgumentTypeError(f"days, from 0 to {MAX_KEEP_DAYS}")
    return timedelta(days=days)
