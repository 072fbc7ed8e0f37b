"""The key that a gate signs its journal with (Ed25519): made at the gate, and never leaving it.

`gated` alone reads it, which has no network; the process that talks to the centre never does. The centre
knows the public part. There is no default key.
"""

from pathlib import Path
from typing import Annotated, Final

import msgspec
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from msgspec import Meta

from gated.core.values import Value
from gated.store.key_files import KeyFileError, read_secret, write_once

MAX_KEY_FILE: Final = 4096
MAKE: Final = "make one here with gatectl journal key, for the user of gated"

Hex32 = Annotated[str, Meta(pattern=r"^[0-9a-f]{64}\Z")]


class JournalKeyError(Exception):
    """A key file cannot be used, or not be made; the text names the file and the fix."""


class _KeyFile(Value):
    """What stands in the file."""

    journal_key: Hex32
    secret_key: Hex32

    def __repr__(self) -> str:
        return f"_KeyFile({self.journal_key})"


def make_journal_key(path: Path) -> str:
    """Write a new key, for the owner's eyes alone; return its public part. Raises JournalKeyError."""
    key = Ed25519PrivateKey.generate()
    public = public_part(key)
    lines = {"journal_key": public, "secret_key": key.private_bytes_raw().hex()}
    try:
        write_once(path, "".join(f'{name} = "{value}"\n' for name, value in lines.items()).encode())
    except KeyFileError as error:
        raise JournalKeyError(str(error)) from error
    return public


def read_journal_key(path: Path) -> Ed25519PrivateKey:
    """Read the key. Raises JournalKeyError; a file that others may read is refused."""
    try:
        raw = read_secret(path, MAX_KEY_FILE, MAKE)
    except KeyFileError as error:
        raise JournalKeyError(str(error)) from error
    try:
        found = msgspec.toml.decode(raw, type=_KeyFile)
    except (msgspec.MsgspecError, UnicodeError, RecursionError):
        # The decoder's words may quote the secret.
        raise JournalKeyError(f"{path}: not a key file for the journal: {MAKE}") from None
    key = Ed25519PrivateKey.from_private_bytes(bytes.fromhex(found.secret_key))
    if public_part(key) != found.journal_key:
        raise JournalKeyError(f"{path}: its two halves do not belong together: {MAKE}")
    return key


def public_part(key: Ed25519PrivateKey) -> str:
    """What the centre knows of the key: 64 hexadecimal digits."""
    return key.public_key().public_bytes_raw().hex()
