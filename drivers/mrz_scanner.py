"""A serial reader of machine-readable zones: when a document is laid on it, it sends the lines.

`drivers.mrz_profiles` knows what readers are like and `drivers.mrz_framing` how they wrap a message; this
file gathers bytes until there is one. A message may take as long as `max_bytes` take twice, and at most
`byte_gap_s` between two bytes. What goes beyond that, or has no frame, is thrown away up to the next pause
and raised as DeviceError: `noise`, or `cut_off` for a message that lacks its end. Neither is ever quoted.
What has a frame but is no text is noise too: a wrong speed or a disturbed cable makes such.
"""

import time
from collections.abc import Callable
from typing import Final

from drivers.mrz_framing import CR_LF, FramingError, lines_of
from drivers.mrz_profiles import habits_of
from drivers.serial_line import SerialLine
from gated.core.ports import DeviceError
from gated.core.settings.readers import MrzScannerSettings

DEVICE: Final = "mrz_scanner"
BITS_PER_BYTE: Final = 12  # start, eight data bits, parity, two stop bits
QUIET_AFTER_S: Final = 2.0  # a line that babbles longer than this is left to the next call

_FIXES: Final = {
    "noise": "check the cable, and [mrz_scanner] baud, bytesize, parity and framing",
    "cut_off": "check the cable, and [mrz_scanner] framing, start, end and byte_gap_s",
}


class SerialMrzScanner:
    """A `gated.core.ports.MrzScanner` on a serial line, used by one thread."""

    def __init__(self, settings: MrzScannerSettings, clock: Callable[[], float] = time.monotonic) -> None:
        habits = habits_of(settings)
        self._habits = habits
        self._framing = habits.make_framing()
        self._clock = clock
        self._line = SerialLine(
            DEVICE,
            settings.port,
            baud=habits.baud,
            bytesize=habits.bytesize,
            parity=habits.parity,
            stopbits=habits.stopbits,
        )
        self._held = b""  # came after the end of the last message
        self._message_s = 2 * habits.max_bytes * BITS_PER_BYTE / habits.baud + habits.byte_gap_s

    def open(self) -> None:
        """Open the port; what was sent before is forgotten. Raises DeviceGone, DeviceTimeout, DeviceError."""
        self._held = b""
        self._line.open()
        self._arm()

    def close(self) -> None:
        """Give the port back. Idempotent, never raises."""
        self._line.close()

    def inquire(self) -> None:
        """Ask for the document that lies on the reader. Raises DeviceGone, DeviceTimeout."""
        if self._habits.inquire:
            self._line.write(self._habits.inquire)

    def read(self, timeout_s: float) -> bytes | None:
        r"""Return one message, its lines joined by `\n` and nothing else; None when none began in time.

        A message that began is waited for beyond `timeout_s`, at most as long as `max_bytes` take twice.
        Raises DeviceGone, DeviceTimeout, DeviceError (`noise`, `cut_off`).
        """
        begun_by = self._clock() + timeout_s
        while True:
            gathered = self._begin(begun_by)
            if gathered is None:
                return None
            text = self._finish(gathered)
            message = lines_of(text, filler=self._habits.filler, padding=self._habits.padding)
            if message:
                if self._habits.rearm:
                    self._arm()
                return message

    def _arm(self) -> None:
        """Have the reader read by itself, where that takes a command."""
        if self._habits.continuous:
            self._line.write(self._habits.continuous)

    def _begin(self, begun_by: float) -> bytes | None:
        """Wait for the first bytes of a message: line ends left over from the one before do not count."""
        gathered, self._held = self._held.lstrip(CR_LF), b""
        while not gathered:
            left = begun_by - self._clock()
            gathered = self._receive(max(0.0, left)).lstrip(CR_LF)
            if not gathered and left <= 0:
                return None
        return gathered

    def _finish(self, gathered: bytes) -> bytes:
        """Gather until the message has ended, and return its text. Raises DeviceError."""
        try:
            return _as_text(self._gather(gathered, self._clock() + self._message_s))
        except FramingError as error:
            self._await_quiet()
            raise DeviceError(DEVICE, error.code, _FIXES[error.code]) from None

    def _gather(self, gathered: bytes, deadline: float) -> bytes:
        """Receive up to the end of the first frame. Raises FramingError."""
        while (frame := self._framing.first(gathered)) is None:
            if len(gathered) > self._habits.max_bytes or self._clock() >= deadline:
                raise FramingError("noise")
            more = self._receive(self._habits.byte_gap_s)
            if not more:
                return self._framing.rest(gathered)
            gathered += more
        self._held = gathered[frame.end :]
        return frame.text

    def _receive(self, timeout_s: float) -> bytes:
        """Wait for bytes; those without meaning are dropped, and do not count as a pause."""
        deadline = self._clock() + timeout_s
        while True:
            raw = self._line.read(max(0.0, deadline - self._clock()))
            kept = raw.translate(None, self._habits.ignored)
            if kept or not raw:
                return kept

    def _await_quiet(self) -> None:
        """Throw away what comes until there is a pause."""
        give_up = self._clock() + QUIET_AFTER_S
        while self._clock() < give_up and self._line.read(self._habits.byte_gap_s):
            pass


def _as_text(raw: bytes) -> bytes:
    """Return it, if all of it are lines of signs that can be printed. Raises FramingError."""
    if raw.isascii() and raw.translate(None, CR_LF).decode("ascii").isprintable():
        return raw
    raise FramingError("noise")
