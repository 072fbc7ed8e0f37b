"""The simulated bus as pyusb sees it: in one process, or across two over a Unix socket.

`BusBackend` is a pyusb backend on a bus. For an unmodified daemon in a process of its own the simulator
serves its bus (`usb_socket.UsbServer`); the launcher gives the daemon a `SocketBackend` of that path.
"""

import errno
from array import array
from collections.abc import Generator, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from types import SimpleNamespace
from typing import Final, Protocol

import usb.backend
import usb.core

from hw_sim.reader.usb_bus import Listed
from hw_sim.reader.usb_descriptors import Node
from hw_sim.reader.usb_socket import RemoteBus

FOREVER_S: Final = 3600.0  # pyusb's time-out of 0
LOCAL: Final = "local"


class Bus(Protocol):
    """The verbs of `UsbBus` that a backend needs; `RemoteBus` has them too."""

    def enumerate(self) -> dict[int, Listed]:
        """Every device, by address."""

    def open(self, address: int, client: str) -> int:
        """Open a device; returns the handle."""

    def close(self, handle: int) -> None:
        """Close a handle."""

    def claim(self, handle: int, interface: int) -> None:
        """Claim an interface."""

    def release(self, handle: int, interface: int) -> None:
        """Give an interface up."""

    def kernel_driver(self, handle: int) -> bool:
        """Whether a kernel driver holds the device."""

    def detach_kernel_driver(self, handle: int) -> None:
        """Take the device from the kernel driver."""

    def control(self, handle: int, request_type: int, request: int, value: int, length: int) -> bytes:
        """Do a control request."""

    def write(self, handle: int, data: bytes) -> int:
        """Do an outward bulk transfer."""

    def read(self, handle: int, endpoint: int, size: int, timeout_s: float) -> bytes:
        """Do an inward transfer."""


@contextmanager
def _as_pyusb() -> Generator[None, None, None]:
    """Turn the errno of the bus into what pyusb raises."""
    try:
        yield
    except OSError as error:
        raised = usb.core.USBTimeoutError if error.errno == errno.ETIMEDOUT else usb.core.USBError
        raise raised(error.strerror, None, error.errno) from error


class BusBackend(usb.backend.IBackend):  # type: ignore[misc]  # pyusb has no types
    """A pyusb backend on a bus; `client` names the program for the bus."""

    def __init__(self, bus: Bus, client: str = LOCAL) -> None:
        self._bus = bus
        self._client = client

    def enumerate_devices(self) -> Iterator[Node]:
        """Yield the devices; a bus that cannot be reached has none."""
        found: dict[int, Listed] = {}
        with suppress(OSError):
            found = self._bus.enumerate()
        for address, (device, configuration, ports) in found.items():
            yield Node(address, device, configuration, ports)

    def get_device_descriptor(self, dev: Node) -> SimpleNamespace:
        """Return the device descriptor."""
        return dev.device

    def get_configuration_descriptor(self, dev: Node, config: int) -> SimpleNamespace:
        """Return the only configuration; IndexError for others."""
        return (dev.configuration,)[config]

    def get_interface_descriptor(self, dev: Node, intf: int, alt: int, config: int) -> SimpleNamespace:  # noqa: ARG002 - one configuration
        """Return an interface; IndexError when there is none."""
        if alt:
            raise IndexError(alt)
        return dev.interfaces[intf]

    def get_endpoint_descriptor(
        self,
        dev: Node,
        ep: int,
        intf: int,
        alt: int,  # noqa: ARG002 - no alternate settings
        config: int,  # noqa: ARG002 - one configuration
    ) -> SimpleNamespace:
        """Return an endpoint; IndexError when there is none."""
        return dev.endpoints[intf][ep]

    def open_device(self, dev: Node) -> int:
        """Open a device."""
        with _as_pyusb():
            return self._bus.open(dev.address, self._client)

    def close_device(self, dev_handle: int) -> None:
        """Close a device."""
        with _as_pyusb():
            self._bus.close(dev_handle)

    def set_configuration(self, dev_handle: int, config_value: int) -> None:
        """Accept the only configuration, which is always set."""

    def get_configuration(self, dev_handle: int) -> int:  # noqa: ARG002 - every device has but this one
        """Return the active configuration."""
        return 1

    def claim_interface(self, dev_handle: int, intf: int) -> None:
        """Claim an interface."""
        with _as_pyusb():
            self._bus.claim(dev_handle, intf)

    def release_interface(self, dev_handle: int, intf: int) -> None:
        """Give an interface up."""
        with _as_pyusb():
            self._bus.release(dev_handle, intf)

    def is_kernel_driver_active(self, dev_handle: int, intf: int) -> bool:  # noqa: ARG002 - it has the whole device
        """Whether a kernel driver holds the interface."""
        with _as_pyusb():
            return self._bus.kernel_driver(dev_handle)

    def detach_kernel_driver(self, dev_handle: int, intf: int) -> None:  # noqa: ARG002 - it has the whole device
        """Take the interface from the kernel driver."""
        with _as_pyusb():
            self._bus.detach_kernel_driver(dev_handle)

    def ctrl_transfer(
        self,
        dev_handle: int,
        bm_request_type: int,
        b_request: int,
        w_value: int,
        w_index: int,  # noqa: ARG002 - one interface
        data: "array[int]",
        timeout: int,  # noqa: ARG002 - these devices answer control requests at once
    ) -> int:
        """Do a control transfer."""
        with _as_pyusb():
            answer = self._bus.control(dev_handle, bm_request_type, b_request, w_value, len(data))
        if not bm_request_type & 0x80:
            return len(data)
        data[: len(answer)] = array("B", answer)
        return len(answer)

    def bulk_write(self, dev_handle: int, ep: int, intf: int, data: "array[int]", timeout: int) -> int:  # noqa: ARG002 - one pipe, never full
        """Do an outward bulk transfer."""
        with _as_pyusb():
            return self._bus.write(dev_handle, data.tobytes())

    def bulk_read(self, dev_handle: int, ep: int, intf: int, buff: "array[int]", timeout: int) -> int:  # noqa: ARG002 - the endpoint says it all
        """Do an inward bulk transfer."""
        with _as_pyusb():
            data = self._bus.read(dev_handle, ep, len(buff), timeout / 1000 if timeout else FOREVER_S)
        buff[: len(data)] = array("B", data)
        return len(data)

    def intr_read(self, dev_handle: int, ep: int, intf: int, size: "array[int]", timeout: int) -> int:
        """Do an inward interrupt transfer."""
        return self.bulk_read(dev_handle, ep, intf, size, timeout)


class SocketBackend(BusBackend):
    """A pyusb backend on the bus that a simulator in another process serves at this path."""

    def __init__(self, path: Path | str) -> None:
        self._remote = RemoteBus(Path(path))
        super().__init__(self._remote)

    def close(self) -> None:
        """Hang up, as the end of the process would. Idempotent."""
        self._remote.hang_up()
