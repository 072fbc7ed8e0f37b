"""The condition of one device: posts only changes, and keeps what a technician should do about it."""

import time
from collections.abc import Callable

from gated import logs
from gated.core.events import AnyEvent, DeviceReady, FaultRaised
from gated.core.ports import DeviceError
from gated.core.vocabulary import Device

Post = Callable[[AnyEvent], None]


class Condition:
    """Tells the loop when a device becomes ready or fails; each change once."""

    def __init__(self, device: Device, post: Post) -> None:
        self.device = device
        self.fix = ""
        """What to do about the present fault; empty while the device is well."""
        self._post = post
        self._code: str | None = "starting"
        self._log = logs.get(f"lane.{device}")

    @property
    def is_ready(self) -> bool:
        """Whether the device was well when it was last heard of."""
        return self._code is None

    def ready(self) -> None:
        """The device is well."""
        if self._code is None:
            return
        self._code, self.fix = None, ""
        self._log.info("device is ready", device=self.device)
        self._post(DeviceReady(at=time.monotonic(), device=self.device))

    def failed(self, code: str, fix: str, *, latched: bool = False) -> None:
        """The device failed; `fix` goes to the log and to the technician's status.

        A latched fault is no condition but an incident: the device goes on answering, and each one is told.
        """
        if self._code == code and not latched:
            return
        self.fix = fix
        if not latched:
            self._code = code
        self._log.error("device failed", device=self.device, code=code, fix=fix, latched=latched)
        self._post(FaultRaised(at=time.monotonic(), device=self.device, code=code, latched=latched))

    def failed_with(self, error: DeviceError, *, latched: bool = False) -> None:
        """Take code and fix from a driver's error."""
        self.failed(error.code, error.fix, latched=latched)
