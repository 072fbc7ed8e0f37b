"""The key that the centre signs receipts with: made once where it is needed, for its owner alone.

It stays on line, on the machine that collects journals. A gate knows its public part (`[journal]
receipt_key`): what is removed there was signed for here.
"""

import contextlib
import secrets
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    load_pem_private_key,
)

from gated.central.folder import CentralError, CentralFolder, write

MAX_PEM = 4096


def receipt_key(folder: CentralFolder) -> Ed25519PrivateKey:
    """The key; made where there is none yet. Raises CentralError, OSError."""
    path = folder.curve / "receipt.pem"
    if not path.exists():
        _make(path)
    return _read(path)


def receipt_public(folder: CentralFolder) -> str:
    """The public part, as `[journal] receipt_key` at the gates has it. Raises CentralError, OSError."""
    return receipt_key(folder).public_key().public_bytes_raw().hex()


def _make(path: Path) -> None:
    """Make a key, unless another process does so at this moment: then that one is the key."""
    raw = Ed25519PrivateKey.generate().private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    beside = path.with_name(f".new-{secrets.token_hex(8)}")
    write(beside, raw, 0o600)
    try:
        with contextlib.suppress(FileExistsError):
            path.hardlink_to(beside)
    finally:
        beside.unlink()


def _read(path: Path) -> Ed25519PrivateKey:
    if path.stat().st_mode & 0o077:
        raise CentralError(f"{path}: others may read this secret: chmod 600 {path}")
    with path.open("rb") as file:
        raw = file.read(MAX_PEM)
    try:
        key = load_pem_private_key(raw, password=None)
    except (ValueError, TypeError):
        raise CentralError(f"{path}: no key: put the copy back that was kept") from None
    if not isinstance(key, Ed25519PrivateKey):
        raise CentralError(f"{path}: not an Ed25519 key: put the copy back that was kept")
    return key
