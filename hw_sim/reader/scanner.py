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
from random import Random
from threading import Event, Lock, Thread
from typing import Final

BITS_PER_BYTE: Final = 10  # start, eight data bits, stop
CHUNK_S: Final = 0.004  # bytes leave in bursts of this much line time, as a UART's FIFO makes them
POLL_S: Final = 0.1
BURST_BYTES: Final = 40  # of a disturbed line, and how long it is still between two
BURST_EVERY_S: Final = 0.3


class Framing(Enum):
    """How the lines of a zone are sent."""

    CR = "each line ended by CR"
    CRLF = "each line ended by CR and LF"
    BARE_CRS = "CRs in place of missing lines, then each line ended by CR"
    ONE_LINE = "all lines in one, ended by CR"
    STX_ETX = "STX, each line ended by CR and LF, ETX"
    SOH_EOT = "SOH, each line ended by CR, EOT"
    RTE = "RTE Native"
    ELYCTIS = "a letter, a length and the lines"

    def wrap(self, lines: Sequence[str]) -> bytes:
        """The bytes of one message."""
        by_cr = "".join(line + "\r" for line in lines).encode("latin-1")
        match self:
            case Framing.CRLF:
                return by_cr.replace(b"\r", b"\r\n")
            case Framing.BARE_CRS:
                return b"\r" * (3 - len(lines)) + by_cr
            case Framing.ONE_LINE:
                return by_cr.replace(b"\r", b"") + b"\r"
            case Framing.STX_ETX:
                return b"\x02" + by_cr.replace(b"\r", b"\r\n") + b"\x03"
            case Framing.SOH_EOT:
                return b"\x01" + by_cr + b"\x04"
            case Framing.RTE:
                return _rte_block(lines)
            case Framing.ELYCTIS:
                return b"I" + len(by_cr).to_bytes(2, "big") + by_cr
            case _:
                return by_cr


def _rte_block(lines: Sequence[str]) -> bytes:
    """A block of a 3M RTE6700 reader: three lines, missing ones empty, all filled up to one width.

    Its manual says so for 30 characters in three lines and 44 in two. How length and check byte are computed
    is not public: what stands here is a guess, and nothing may depend on it.
    """
    width = 30 if len(lines) == 3 else 44
    filled = [""] * (3 - len(lines)) + [line.ljust(width, "_") for line in lines]
    text = "".join(line + "\r" for line in filled).encode("latin-1")
    length = 7 + len(text)
    body = bytes((length & 0x7F, length >> 7)) + b"OU\x02\x20" + text + b"\x03"
    check = 0
    for one in body:
        check ^= one
    return b"\x01" + body + bytes((check,))


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
        continuous: str = "",
        filler: str = "<",
    ) -> None:
        """`continuous`: a command without which it sends nothing by itself, good for one document."""
        self.path = Path(directory or tempfile.mkdtemp(prefix="egate-")) / name
        self._framing = framing
        self._baud = baud
        self._inquire = inquire.encode("latin-1")
        self._continuous = continuous.encode("latin-1")
        self._filler = filler
        self._armed = not continuous
        self._heard = b""
        self._lines: tuple[str, ...] = ()
        self._sending = Lock()
        self._master = self._slave = -1
        self._listening: Thread | None = None
        self._disturbed: Random | None = None
        self._calm = Event()
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
        """Lay a document on the reader, which sends its lines; returns when the last byte has left."""
        self.place(lines)
        if self._disturbed is not None:
            Thread(target=self._babble, args=(self._disturbed,), name="disturbed-line", daemon=True).start()
        elif self._armed:
            self._armed = not self._continuous
            self._send_lines()

    def disturb(self, seed: int) -> None:
        """Let a motor beside the cable drown what is sent: from the next document on, until `calm`."""
        self._calm.clear()
        self._disturbed = Random(seed)

    def calm(self) -> None:
        """Let the line be still again."""
        self._disturbed = None
        self._calm.set()

    def _babble(self, noise: Random) -> None:
        with suppress(OSError):  # the device vanished
            while not self._calm.is_set():
                self.send_raw(bytes(noise.randrange(128, 256) for _ in range(BURST_BYTES)))
                self._calm.wait(BURST_EVERY_S)

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
        if self._lines:
            self.send_raw(self._framing.wrap([line.replace("<", self._filler) for line in self._lines]))
        elif self._framing is Framing.ELYCTIS:
            self.send_raw(b"I\x00\x00")

    def _listen(self) -> None:
        """Answer commands until the device vanishes."""
        master, self._heard = self._master, b""
        while self._master == master:
            readable, _, _ = select.select([master], [], [], POLL_S)
            if not readable:
                continue
            self._heard = (self._heard + os.read(master, 256))[-256:]
            with suppress(OSError):  # it vanished while it answered
                self._obey()

    def _obey(self) -> None:
        if self._continuous and self._continuous in self._heard:
            self._heard = self._heard.replace(self._continuous, b"")
            self._armed = True
            if self._framing is Framing.ELYCTIS:
                self.send_raw(self._continuous)  # it confirms by sending the command back
        if self._inquire and self._inquire in self._heard:
            self._heard = b""
            self._send_lines()
