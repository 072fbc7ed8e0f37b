"""Files of secrets at a gate: for the owner's eyes alone, made once and never overwritten.

systemd hands a service its credentials in a folder that nobody else may enter; there it marks the group's
right to read for its own access list (systemd.exec(5), `LoadCredential=`), so only others are refused there.
"""

import os
from pathlib import Path
from typing import Final

CREDENTIALS: Final = "CREDENTIALS_DIRECTORY"


class KeyFileError(Exception):
    """A file cannot be made or read; the text names the file and the fix."""


def write_once(path: Path, body: bytes) -> None:
    """Write a new file durably. Raises KeyFileError; a file that is there stays."""
    try:
        flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC | os.O_NOFOLLOW
        with open(os.open(path, flags, 0o600), "wb") as file:  # noqa: PTH123  # the descriptor carries the mode
            file.write(body)
            file.flush()
            os.fsync(file.fileno())
    except FileExistsError:
        raise KeyFileError(f"{path}: is there already: a key is made once; move the old one away") from None
    except OSError as error:
        raise KeyFileError(f"{path}: cannot be written ({error.strerror}): check the path") from error


def read_secret(path: Path, most: int, fix: str) -> bytes:
    """The first `most` bytes. Raises KeyFileError, with `fix` where there is no file to read."""
    try:
        with path.open("rb") as file:
            mode = os.fstat(file.fileno()).st_mode
            raw = file.read(most)
    except OSError as error:
        raise KeyFileError(f"{path}: cannot be read ({error.strerror}): {fix}") from error
    if mode & _forbidden(path):
        raise KeyFileError(f"{path}: others may read this secret: chmod 600 {path}")
    return raw


def _forbidden(path: Path) -> int:
    """The rights that the file of a key must not have."""
    credentials = os.environ.get(CREDENTIALS)
    return 0o037 if credentials and path.parent == Path(credentials) else 0o077
