"""Where the central server keeps what: one folder, and how files get into it without ever being half there.

keys/           ROLE.pem ROLE-2.pem ...                            signing keys, 0600; next/ and retired/
                list.key list-ID.key                               what documents are packed under, 0600
packs/          VERSION.pack                                       packed documents of the last versions
staged/         ROLE.json                                          publications that still want signatures
groups.json                                                        which gate is in which group
curve/          server.key (0600), server.pub                      transport keys of the server
gates/          NAME.pub                                           the allow-list: one file per gate
                NAME.journal                                       the keys that it signs its journal with
repository/     metadata/*.json, targets/ROLE/*                    what gates may fetch
handout/        NAME/: gate.key server.pub root.json list.key  to be carried to the gate
"""

import contextlib
import fcntl
import os
import tempfile
from collections.abc import Iterator
from pathlib import Path


class CentralError(Exception):
    """The central side cannot do what was asked; the text names the thing and the fix."""


class CentralFolder:
    """The places in one central folder."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.keys = path / "keys"
        self.curve = path / "curve"
        self.gates = path / "gates"
        self.repository = path / "repository"
        self.metadata = path / "repository" / "metadata"
        self.targets = path / "repository" / "targets"
        self.handout = path / "handout"
        self.staged = path / "staged"
        self.groups = path / "groups.json"

    def require(self) -> None:
        """Raise CentralError unless the folder was initialised."""
        if not (self.metadata / "timestamp.json").exists():
            raise CentralError(f"{self.path}: not a central folder: run gate-central init {self.path}")

    @contextlib.contextmanager
    def locked(self, *, wait: bool = True) -> Iterator[bool]:
        """Alone with the signing keys: publishing and re-signing never mix. False where it did not wait."""
        with (self.path / "lock").open("w") as file:
            try:
                fcntl.flock(file, fcntl.LOCK_EX | (0 if wait else fcntl.LOCK_NB))
            except BlockingIOError:
                yield False
                return
            yield True


def write(path: Path, content: bytes, mode: int = 0o644) -> None:
    """Write a file durably and all at once, readable by `mode` from its first moment."""
    handle, name = tempfile.mkstemp(dir=path.parent, prefix=".new-")  # mkstemp: 0600
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(content)
            os.fchmod(file.fileno(), mode)
            file.flush()
            os.fsync(file.fileno())
        Path(name).replace(path)
    except BaseException:
        Path(name).unlink(missing_ok=True)
        raise
