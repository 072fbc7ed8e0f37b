"""A serial line held by one program: bytes in, bytes out, each wait with a deadline, through pyserial.

It knows nothing of what the bytes mean. The port is opened exclusively; a port that is not there, or vanishes
while it is read (a USB adapter pulled out), is DeviceGone, and may be opened again later.
"""

import errno
import termios
from collections.abc import Generator
from contextlib import contextmanager, suppress
from typing import Final

import serial

from gated.core.ports import DeviceError, DeviceGone, DeviceTimeout

WRITE_S: Final = 2.0
_LOCKED: Final = "exclusively lock"  # pyserial gives the refusal of its lock no type or errno of its own


class SerialLine:
    """A serial line; `device` is the section of the configuration that errors point to."""

    def __init__(
        self, device: str, port: str, *, baud: int, bytesize: int, parity: str, stopbits: int
    ) -> None:
        self._device = device
        self._port = port
        self._format = {"baudrate": baud, "bytesize": bytesize, "parity": parity, "stopbits": stopbits}
        self._line: serial.Serial | None = None

    def open(self) -> None:
        """Open the port exclusively and forget what waits in it. Raises DeviceGone, DeviceError."""
        self.close()
        try:
            line = serial.Serial(self._port, timeout=0, write_timeout=WRITE_S, exclusive=True, **self._format)
        except (serial.SerialException, OSError, termios.error) as error:
            if _LOCKED in str(error):
                raise DeviceError(
                    self._device, "in_use", f"stop the other program that holds [{self._device}] port"
                ) from error
            if getattr(error, "errno", None) in {errno.EACCES, errno.EPERM}:
                raise DeviceError(
                    self._device, "no_right", "give the gate's user the right to this device (udev rule)"
                ) from error
            raise self._gone("not_there") from error
        except ValueError as error:
            raise DeviceError(
                self._device,
                "bad_line_format",
                f"correct baud, bytesize, parity or stopbits in [{self._device}]",
            ) from error
        self._line = line
        with self._errors():
            line.reset_input_buffer()

    def close(self) -> None:
        """Give the port back. Idempotent, never raises."""
        line, self._line = self._line, None
        if line is not None:
            with suppress(OSError, termios.error):
                line.close()

    def read(self, timeout_s: float) -> bytes:
        """Wait for bytes, at most `timeout_s`; return all that came, or nothing. Raises DeviceGone."""
        line = self._opened()
        with self._errors():
            line.timeout = timeout_s
            first: bytes = line.read(1)
            waiting = line.in_waiting if first else 0
            return first + (line.read(waiting) if waiting else b"")

    def write(self, data: bytes) -> None:
        """Send all bytes. Raises DeviceGone, DeviceTimeout."""
        line = self._opened()
        with self._errors():
            line.write(data)

    def _opened(self) -> serial.Serial:
        if self._line is None:
            raise DeviceGone(self._device, "not_open", "open the port first")
        return self._line

    def _gone(self, code: str) -> DeviceGone:
        return DeviceGone(self._device, code, f"check the cable and [{self._device}] port")

    @contextmanager
    def _errors(self) -> Generator[None, None, None]:
        try:
            yield
        except serial.SerialTimeoutException as error:
            raise DeviceTimeout(
                self._device, "stuck", "check the cable and the flow control of the device"
            ) from error
        except (serial.SerialException, OSError, termios.error, TypeError) as error:
            # TypeError: pyserial reads from a descriptor that a concurrent close has taken away
            raise self._gone("vanished") from error
