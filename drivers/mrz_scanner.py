"""A serial reader of machine-readable zones: when a document is laid on it, it sends the lines.

Readers frame in one of two ways, told apart by the first byte. STX ... ETX is explicit. Else the lines of the
zone come one after the other, each ended by CR, LF or both, and nothing but a pause tells that the last
has come; a message whose lines already have the form of a zone (Doc 9303: 3 x 30, 2 x 36 or 2 x 44
characters) need not wait for the pause.

What is not a zone but ends within the limits is returned all the same: the parser of the zone is the judge
of it. What goes beyond `max_bytes`, or beyond the time that so many bytes take, is noise: it is thrown
away up to the next pause and raised as DeviceError `noise`. Neither is ever quoted: a zone is personal data.
"""

import re
import time
from collections.abc import Callable
from typing import Final

from drivers.serial_line import SerialLine
from gated.core.ports import DeviceError
from gated.core.settings import MrzScannerSettings

DEVICE: Final = "mrz_scanner"
BITS_PER_BYTE: Final = 11  # start, eight data bits, parity, stop
QUIET_AFTER_S: Final = 2.0  # a line that babbles longer than this is left to the next call
STX, ETX = b"\x02", b"\x03"
_ENDS: Final = re.compile(rb"[\r\n]+")
_ZONES: Final = frozenset({(30, 30, 30), (36, 36), (44, 44)})


class SerialMrzScanner:
    """A `gated.core.ports.MrzScanner` on a serial line, used by one thread."""

    def __init__(self, settings: MrzScannerSettings, clock: Callable[[], float] = time.monotonic) -> None:
        self._settings = settings
        self._clock = clock
        self._line = SerialLine(
            DEVICE,
            settings.port,
            baud=settings.baud,
            bytesize=settings.bytesize,
            parity=settings.parity,
        )
        self._held = b""  # came after the end of the last message
        self._message_s = 2 * settings.max_bytes * BITS_PER_BYTE / settings.baud + settings.byte_gap_s

    def open(self) -> None:
        """Open the port; what was sent before is forgotten. Raises DeviceGone, DeviceError."""
        self._held = b""
        self._line.open()

    def close(self) -> None:
        """Give the port back. Idempotent, never raises."""
        self._line.close()

    def inquire(self) -> None:
        """Ask for the document that lies on the reader. Raises DeviceGone, DeviceTimeout."""
        if self._settings.inquire:
            self._line.write(self._settings.inquire.encode("latin-1"))

    def read(self, timeout_s: float) -> bytes | None:
        r"""Return one message, its lines joined by `\n` and nothing else; None when none began in time.

        A message that began is waited for beyond `timeout_s`, at most as long as `max_bytes` take twice.
        Raises DeviceGone, DeviceError (`noise`).
        """
        begun_by = self._clock() + timeout_s
        while True:
            gathered = self._begin(begun_by)
            if gathered is None:
                return None
            message = self._finish(gathered)
            if message:
                return message

    def _begin(self, begun_by: float) -> bytes | None:
        """Wait for the first bytes of a message: line ends left over from the one before do not count."""
        gathered, self._held = self._held.lstrip(b"\r\n"), b""
        while not gathered:
            left = begun_by - self._clock()
            gathered = self._line.read(max(0.0, left)).lstrip(b"\r\n")
            if not gathered and left <= 0:
                return None
        return gathered

    def _finish(self, gathered: bytes) -> bytes:
        """Gather until the message has ended, and strip its framing. Raises DeviceError."""
        deadline = self._clock() + self._message_s
        while True:
            whole = _explicit_end(gathered) or _zone_end(gathered)
            if whole:
                self._held = gathered[whole:]
                return _lines(gathered[:whole])
            if len(gathered) > self._settings.max_bytes or self._clock() >= deadline:
                self._await_quiet()
                raise DeviceError(DEVICE, "noise", "check the cable, and baud, bytesize and parity")
            more = self._line.read(self._settings.byte_gap_s)
            if not more:
                return _lines(gathered)
            gathered += more

    def _await_quiet(self) -> None:
        """Throw away what comes until there is a pause."""
        give_up = self._clock() + QUIET_AFTER_S
        while self._clock() < give_up and self._line.read(self._settings.byte_gap_s):
            pass


def _explicit_end(gathered: bytes) -> int:
    """Where the message ends that began with STX; 0 while it has not."""
    return gathered.find(ETX) + 1 if gathered.startswith(STX) else 0


def _zone_end(gathered: bytes) -> int:
    """Where the lines that have the form of a whole zone end; 0 while they do not have it."""
    if gathered.startswith(STX):
        return 0
    end = 0
    widths: tuple[int, ...] = ()
    for found in _ENDS.finditer(gathered):
        widths = (*widths, found.start() - end)
        end = found.end()
        if widths in _ZONES:
            return end
    return 0


def _lines(message: bytes) -> bytes:
    r"""The lines of a message, joined by `\n`."""
    text = message.removeprefix(STX).removesuffix(ETX)
    return b"\n".join(line for line in _ENDS.split(text) if line)
