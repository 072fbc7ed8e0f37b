"""The keys of tokens: a kiosk's signing key, a gate's opening key. Made at the lane, and never leaving it.

A key file says what it is for, so that neither lane takes the other's; what the other lane has to know is its
public key, which is no secret. There is no default key.
"""

import os
from pathlib import Path
from typing import Annotated, Literal

import msgspec
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey
from msgspec import Meta

from gated.core.values import Value

MAX_KEY_FILE = 4096

Hex32 = Annotated[str, Meta(pattern=r"^[0-9a-f]{64}\Z")]
Kind = Literal["kiosk", "gate"]
PrivateKey = Ed25519PrivateKey | X25519PrivateKey


class TokenKeyError(Exception):
    """A key file cannot be used, or not be made; the text names the file and the fix."""


class _KeyFile(Value):
    """What stands in the file."""

    token_key: Kind
    public_key: Hex32
    secret_key: Hex32

    def __repr__(self) -> str:
        return f"_KeyFile({self.public_key})"


def make_key(path: Path, kind: Kind) -> str:
    """Write a new key, for the owner's eyes alone; return its public part. Raises TokenKeyError."""
    key: PrivateKey = Ed25519PrivateKey.generate() if kind == "kiosk" else X25519PrivateKey.generate()
    public = key.public_key().public_bytes_raw().hex()
    lines = {"token_key": kind, "public_key": public, "secret_key": key.private_bytes_raw().hex()}
    body = "".join(f'{name} = "{value}"\n' for name, value in lines.items())
    try:
        flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC | os.O_NOFOLLOW
        with open(os.open(path, flags, 0o600), "wb") as file:  # noqa: PTH123  # the descriptor carries the mode
            file.write(body.encode())
            file.flush()
            os.fsync(file.fileno())
    except FileExistsError:
        raise TokenKeyError(f"{path}: is there already: a key is made once; move the old one away") from None
    except OSError as error:
        raise TokenKeyError(f"{path}: cannot be written ({error.strerror}): check the path") from error
    return public


def signing_key(path: Path) -> Ed25519PrivateKey:
    """Read a kiosk's key. Raises TokenKeyError; a file that others may read is refused."""
    return Ed25519PrivateKey.from_private_bytes(_secret(path, "kiosk"))


def opening_key(path: Path) -> X25519PrivateKey:
    """Read a gate's key. Raises TokenKeyError; a file that others may read is refused."""
    return X25519PrivateKey.from_private_bytes(_secret(path, "gate"))


def _secret(path: Path, kind: Kind) -> bytes:
    try:
        with path.open("rb") as file:
            mode = os.fstat(file.fileno()).st_mode
            raw = file.read(MAX_KEY_FILE)
    except OSError as error:
        fix = f"make one with gate-central token-key {path} --for {kind}, for the user of gated"
        raise TokenKeyError(f"{path}: cannot be read ({error.strerror}): {fix}") from error
    if mode & 0o077:
        raise TokenKeyError(f"{path}: others may read this secret: chmod 600 {path}")
    try:
        found = msgspec.toml.decode(raw, type=_KeyFile)
    except (msgspec.MsgspecError, UnicodeError, RecursionError):
        # The decoder's words may quote the secret.
        fix = "make one with gate-central token-key"
        raise TokenKeyError(f"{path}: not a key file for tokens: {fix}") from None
    if found.token_key != kind:
        raise TokenKeyError(
            f"{path}: is the key of a {found.token_key}, not of a {kind}: name the right file"
        )
    return bytes.fromhex(found.secret_key)
