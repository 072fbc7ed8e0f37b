"""A serial MRZ reader on a pseudo-terminal: the far end of the line that the real driver opens.

`path` is a symbolic link that stays the same when the device vanishes and comes back. Bytes leave at the pace
of the modelled line. A pseudo-terminal has limits of its own: it refuses parity and seven data bits. A line
that nobody reads loses what overflows, here as there.
"""

import errno
import os
import select
import tempfile
import time
import tty
from collections.abc import Sequence
from contextlib import suppress
from enum import Enum
from pathlib import Path
from threading import Lock, Thread
from typing import Final

BITS_PER_BYTE: Final = 10  # start, eight data bits, stop
CHUNK_S: Final = 0.004  # bytes leave in bursts of this much line time, as a UART's FIFO makes them
POLL_S: Final = 0.1


class Framing(Enum):
    """How the lines of a zone are sent."""

    CR = ("", "\r", "")
    CRLF = ("", "\r\n", "")
    STX_ETX = ("\x02", "\r\n", "\x03")


class PtyScanner:
    """A reader that sends what is laid on it, and again when it is asked to."""

    def __init__(
        self,
        directory: Path | None = None,
        *,
        name: str = "mrz-scanner",
        framing: Framing = Framing.CR,
        baud: int = 9600,
        inquire: str = "",
    ) -> None:
        self.path = Path(directory or tempfile.mkdtemp(prefix="egate-")) / name
        self._framing = framing
        self._baud = baud
        self._inquire = inquire.encode("latin-1")
        self._lines: tuple[str, ...] = ()
        self._sending = Lock()
        self._master = self._slave = -1
        self._listening: Thread | None = None
        self.appear()

    def appear(self) -> None:
        """Plug the device in (again). No effect when it is there."""
        if self._master >= 0:
            return
        self._master, self._slave = os.openpty()
        tty.setraw(self._slave)
        os.set_blocking(self._master, False)
        self.path.unlink(missing_ok=True)
        self.path.symlink_to(os.ttyname(self._slave))
        self._listening = Thread(target=self._listen, name="pty-scanner", daemon=True)
        self._listening.start()

    def vanish(self) -> None:
        """Pull the device out: the port is gone, and whoever reads it is told. Idempotent."""
        master, slave, self._master, self._slave = self._master, self._slave, -1, -1
        if master < 0:
            return
        self.path.unlink(missing_ok=True)
        if self._listening is not None:
            self._listening.join()
        with self._sending:
            os.close(slave)
            os.close(master)

    close = vanish

    def place(self, lines: Sequence[str]) -> None:
        """Lay a document on the reader without its sending anything by itself."""
        self._lines = tuple(lines)

    def take(self) -> None:
        """Take the document away."""
        self._lines = ()

    def send(self, lines: Sequence[str]) -> None:
        """Lay a document on the reader and send its lines; returns when the last byte has left."""
        self.place(lines)
        self._send_lines()

    def send_raw(self, data: bytes) -> None:
        """Send bytes as they are, at the pace of the line. Raises OSError when the device is gone."""
        burst = max(1, round(CHUNK_S * self._baud / BITS_PER_BYTE))
        with self._sending:
            started = time.monotonic()
            for sent in range(0, len(data), burst):
                chunk = data[sent : sent + burst]
                due = started + (sent + len(chunk)) * BITS_PER_BYTE / self._baud
                time.sleep(max(0.0, due - time.monotonic()))
                with suppress(BlockingIOError):  # nobody reads, and the buffer is full: the bytes are lost
                    if self._master < 0:
                        raise OSError(errno.ENODEV, os.strerror(errno.ENODEV))
                    os.write(self._master, chunk)

    def _send_lines(self) -> None:
        before, end, after = self._framing.value
        if self._lines:
            text = before + "".join(line + end for line in self._lines) + after
            self.send_raw(text.encode("latin-1"))

    def _listen(self) -> None:
        """Answer the inquire command until the device vanishes."""
        master, heard = self._master, b""
        while self._master == master:
            readable, _, _ = select.select([master], [], [], POLL_S)
            if not readable:
                continue
            heard = (heard + os.read(master, 256))[-256:]
            if self._inquire and self._inquire in heard:
                heard = b""
                with suppress(OSError):  # it vanished while it answered
                    self._send_lines()
