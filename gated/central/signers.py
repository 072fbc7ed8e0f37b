"""The private keys of the signing roles: `ROLE.pem`, `ROLE-2.pem` and so on, in one or more folders.

`keys/next` holds keys that take the place of others soon: while they lie there, both sign.
"""

import re
from pathlib import Path

from cryptography.hazmat.primitives.serialization import load_pem_private_key
from securesystemslib.signer import CryptoSigner

from gated.central.folder import CentralError, CentralFolder

MAX_KEYS = 16
_NUMBERED = re.compile(r"-[1-9][0-9]?")


def key_name(role: str, number: int) -> str:
    """The file of a role's `number`th key, from 1 on."""
    return f"{role}.pem" if number == 1 else f"{role}-{number}.pem"


def key_files(where: Path, role: str) -> list[Path]:
    """The key files of a role in a folder."""
    found = [path for path in where.glob(f"{role}*.pem") if _is_of(path.stem, role)]
    return sorted(found)[:MAX_KEYS]


def load_signers(folder: CentralFolder, role: str, further: tuple[Path, ...] = ()) -> list[CryptoSigner]:
    """Every signer of a role that is here. Raises CentralError for a key that cannot be used."""
    for place in further:  # a stick that is not in is no stick without keys
        if not place.is_dir():
            raise CentralError(f"{place}: there is no such folder of keys: bring it, or correct --keys")
    places = (folder.keys, folder.keys / "next", *further)
    signers = [signer for place in places for signer in signers_in(place, role)]
    return list({signer.public_key.keyid: signer for signer in signers}.values())


def signers_in(where: Path, role: str) -> list[CryptoSigner]:
    """The signers of a role that lie in one folder. Raises CentralError for a key that cannot be used."""
    return [signer_of(path) for path in key_files(where, role)]


def _is_of(stem: str, role: str) -> bool:
    return stem == role or _NUMBERED.fullmatch(stem.removeprefix(role)) is not None


def signer_of(path: Path) -> CryptoSigner:
    """The signer of one key file. Raises CentralError."""
    try:
        if path.stat().st_mode & 0o077:
            raise CentralError(f"{path}: others may read this secret: chmod 600 {path}")
        return CryptoSigner(load_pem_private_key(path.read_bytes(), None))
    except OSError as error:
        raise CentralError(f"{path}: cannot be read ({error.strerror}): check its rights") from error
    except (ValueError, TypeError):
        raise CentralError(f"{path}: not a private key in PEM: restore it from its backup") from None
