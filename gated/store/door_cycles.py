"""How often each door has opened and shut again: what its maker's maintenance goes by.

The counts are written at most once a minute, and at the end, so a power cut loses a minute of them. They
decide nothing: a file that cannot be read or written is told in the log, and counted on without it.
"""

import contextlib
import threading
import time
from pathlib import Path

import msgspec

from gated import logs
from gated.core.values import Value
from gated.core.vocabulary import Door

KEEP_S = 60.0
MAX_FILE = 1024

_log = logs.get("door_cycles")


class Counts(Value):
    """Cycles since the file began, by the door at each physical end."""

    entry: int = 0
    exit: int = 0


class DoorCycles:
    """The counts of one gate, in one file. For any thread; `keep` is for one that may wait for the disk."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._counting = threading.Lock()
        self._counts = _read(path)
        self._kept = self._counts
        self._kept_at = time.monotonic()
        self._open: set[Door] = set()

    @property
    def counts(self) -> Counts:
        """The cycles so far."""
        return self._counts

    def moved(self, door: Door, *, shut: bool) -> None:
        """A door is shut, or is not: one that shuts again has made a cycle."""
        with self._counting:
            if not shut:
                self._open.add(door)
            elif door in self._open:
                self._open.discard(door)
                more = {door.value: getattr(self._counts, door.value) + 1}
                self._counts = msgspec.structs.replace(self._counts, **more)

    def keep(self, *, now: bool = False) -> None:
        """Write the counts down if they changed and it is time, or `now`."""
        counts = self._counts
        if counts == self._kept or not (now or time.monotonic() - self._kept_at >= KEEP_S):
            return
        self._kept, self._kept_at = counts, time.monotonic()
        partial = self._path.with_suffix(".part")
        try:
            partial.write_bytes(msgspec.json.encode(counts))
            partial.replace(self._path)
        except OSError as error:
            with contextlib.suppress(OSError):
                partial.unlink()
            _log.warning("door cycles not kept", reason=error.strerror)


def _read(path: Path) -> Counts:
    try:
        with path.open("rb") as file:
            return msgspec.json.decode(file.read(MAX_FILE), type=Counts)
    except FileNotFoundError:
        return Counts()
    except (OSError, msgspec.MsgspecError):
        _log.warning("door cycles begin anew", reason="unreadable")
        return Counts()
