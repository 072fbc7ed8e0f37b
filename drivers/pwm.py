"""One dimmable output: a PWM channel of /sys/class/pwm, by python-periphery."""

import contextlib
import errno
from typing import Final

from periphery import PWM

from gated.core.ports import DeviceError, DeviceGone

GAMMA: Final = 2.2  # of how much light the eye sees half: about a fifth


class _Channel(PWM):
    def __del__(self) -> None:
        """Nothing: `Dimmer` closes it. Periphery's own would raise where nobody listens."""


class Dimmer:
    """A light on a PWM channel. What the kernel does not do is told as an error of `device`, by `key`."""

    def __init__(self, device: str, key: str, chip: int, channel: int, frequency: float) -> None:
        self._device = device
        self._key = key
        self._chip = chip
        self._channel = channel
        self._frequency = frequency
        self._pwm: PWM | None = None

    @property
    def is_open(self) -> bool:
        """Whether the channel is held."""
        return self._pwm is not None

    def open(self) -> None:
        """Take the channel, dark. It may take a second where udev is slow. Raises DeviceGone, DeviceError."""
        try:
            pwm = self._pwm = _Channel(self._chip, self._channel)
            if pwm.period_ns:  # as whoever had it before has left it; without a period there is no duty cycle
                pwm.duty_cycle_ns = 0
            pwm.frequency = self._frequency
            pwm.duty_cycle_ns = 0
            pwm.enable()
        except LookupError as error:
            raise self._gone() from error
        except OSError as error:
            self.close()
            raise self._refused(error) from error

    def light(self, brightness: float) -> None:
        """Shine so brightly to the eye, 0 to 1. Raises DeviceGone, DeviceError; then it is closed."""
        if self._pwm is None:
            raise DeviceGone(self._device, "not_open", f"{self._key} is not open: open it first")
        try:
            self._pwm.duty_cycle = brightness**GAMMA
        except OSError as error:
            self.close()
            raise self._refused(error) from error

    def close(self) -> None:
        """Darken the light and give the channel back. Idempotent, never raises."""
        pwm, self._pwm = self._pwm, None
        if pwm is None:
            return
        with contextlib.suppress(OSError):
            pwm.duty_cycle_ns = 0
            pwm.disable()
        with contextlib.suppress(OSError):
            pwm.close()

    def _gone(self) -> DeviceGone:
        return DeviceGone(
            self._device,
            "no_pwm_chip",
            f"there is no /sys/class/pwm/pwmchip{self._chip}: correct {self._key} chip, or enable that PWM in"
            " the device tree of the board",
        )

    def _refused(self, error: OSError) -> DeviceError:
        place = f"channel {self._channel} of /sys/class/pwm/pwmchip{self._chip}"
        match errno.EACCES if isinstance(error, TimeoutError) else error.errno:  # udev did not give it away
            case errno.ENODEV | errno.ENOENT | errno.EIO:
                code, fix = "no_pwm_channel", f"{place} is not there: correct {self._key} channel"
            case errno.EBUSY:
                code, fix = "pwm_busy", f"{place} is held by a driver of the kernel: correct {self._key}"
            case errno.EACCES | errno.EPERM | errno.EROFS:
                code = "no_access"
                fix = f"{place} may not be written: give it to this service as docs/wiring.md says"
            case errno.EINVAL:
                code = "pwm_refused"
                fix = f"{place} cannot do {self._frequency:g} Hz: correct {self._key} frequency"
            case _:
                code, fix = "pwm_refused", f"{place} refused {self._key}: see the kernel's log"
        return DeviceError(self._device, code, fix)
