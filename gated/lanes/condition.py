"""The condition of one device: posts only changes, and keeps what a technician should do about it."""

import threading
import time
from collections.abc import Callable

from gated import logs
from gated.core.events import AnyEvent, DeviceReady, FaultRaised
from gated.core.ports import DeviceError
from gated.core.vocabulary import Device

Post = Callable[[AnyEvent], None]

MAX_CODES = 32  # more than any device has; one that makes up codes may not fill the memory


class Condition:
    """Tells the loop when a device becomes ready or fails; each change once. For any thread."""

    def __init__(self, device: Device, post: Post, above: str = "") -> None:
        """Of the device whose section of the configuration is below `above`, such as `port.`."""
        self.device = device
        self._section = f"[{above}{device}]"
        self._post = post
        self._changing = threading.Lock()  # the loop hears of changes in the order in which they are kept
        self._code: str | None = "starting"
        self._fixes: dict[str, str] = {}  # by code; the codes are a driver's few
        self._log = logs.get(f"lane.{device}")

    @property
    def is_ready(self) -> bool:
        """Whether the device was well when it was last heard of."""
        return self._code is None

    @property
    def code(self) -> str | None:
        """What is wrong with the device; None when it is well."""
        return self._code

    def ready(self) -> None:
        """The device is well."""
        with self._changing:
            if self._code is None:
                return
            self._code = None
            self._post(DeviceReady(at=time.monotonic(), device=self.device))
        self._log.info("device is ready", device=self.device)

    def fix(self, code: str) -> str:
        """What to do about this fault; empty for one that this device never had."""
        return self._fixes.get(code, "")

    def failed(self, code: str, fix: str, *, latched: bool = False) -> None:
        """The device failed; `fix` goes to the log and to the technician's status.

        A latched fault is no condition but an incident: the device goes on answering, and each one is told.
        """
        fix = fix.replace(f"[{self.device}]", self._section)
        with self._changing:
            if self._code == code and not latched:
                return
            if len(self._fixes) >= MAX_CODES:
                self._fixes.clear()
            self._fixes[code] = fix
            if not latched:
                self._code = code
            self._post(FaultRaised(at=time.monotonic(), device=self.device, code=code, latched=latched))
        self._log.error("device failed", device=self.device, code=code, fix=fix, latched=latched)

    def failed_with(self, error: DeviceError, *, latched: bool = False) -> None:
        """Take code and fix from a driver's error."""
        self.failed(error.code, error.fix, latched=latched)
