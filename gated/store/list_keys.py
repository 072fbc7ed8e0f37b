"""Where list keys lie: one file each, for the owner's eyes alone, made once and never overwritten.

systemd hands a service its credentials in a folder that nobody else may enter; there it marks the group's
right to read for its own access list (systemd.exec(5), `LoadCredential=`), so only others are refused there.
"""

import os
import secrets
from collections.abc import Iterable
from pathlib import Path
from typing import Final

from gated.watchlist.keyed import (
    KEY_BYTES,
    MAX_KEY_FILE,
    ListKey,
    ListKeyError,
    ListKeys,
    encode_key_file,
    parse_key_file,
)

CREDENTIALS: Final = "CREDENTIALS_DIRECTORY"


def make_list_key(path: Path) -> ListKey:
    """Write a new key, for the owner's eyes alone. Raises ListKeyError; a file that is there stays."""
    key = ListKey(secrets.token_bytes(KEY_BYTES))
    try:
        flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC | os.O_NOFOLLOW
        with open(os.open(path, flags, 0o600), "wb") as file:  # noqa: PTH123  # the descriptor carries the mode
            file.write(encode_key_file(key))
            file.flush()
            os.fsync(file.fileno())
    except FileExistsError:
        raise ListKeyError(f"{path}: is there already: a key is made once; move the old one away") from None
    except OSError as error:
        raise ListKeyError(f"{path}: cannot be written ({error.strerror}): check the path") from error
    return key


def read_list_key(path: Path) -> ListKey:
    """Read a key. Raises ListKeyError; a file that others may read is refused."""
    try:
        with path.open("rb") as file:
            mode = os.fstat(file.fileno()).st_mode
            raw = file.read(MAX_KEY_FILE + 1)
    except OSError as error:
        fix = "carry it over from the centre, for the user of gated"
        raise ListKeyError(f"{path}: cannot be read ({error.strerror}): {fix}") from error
    if mode & _forbidden(path):
        raise ListKeyError(f"{path}: others may read this secret: chmod 600 {path}")
    try:
        return parse_key_file(raw)
    except ListKeyError as error:
        raise ListKeyError(f"{path}: {error}: carry it over from the centre again") from None


def read_list_keys(paths: Iterable[Path]) -> ListKeys:
    """Read the keys that a gate holds. Raises ListKeyError."""
    return ListKeys(read_list_key(path) for path in paths)


def _forbidden(path: Path) -> int:
    """The rights that the file of a key must not have."""
    credentials = os.environ.get(CREDENTIALS)
    return 0o037 if credentials and path.parent == Path(credentials) else 0o077
