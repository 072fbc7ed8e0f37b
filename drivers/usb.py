"""One interface of one USB device, found by its class, opened through pyusb, closed without a trace.

pyusb's `backend` is the seam: `None` means libusb, from the wheel that brings it or from the system; a
simulated bus is another backend. Every transfer has a time-out, and every error of the bus becomes one of the
gate's: gone (unplugged, or lost in a way that only opening again can cure), silent, or refused by the system.
"""

import errno
import math
from collections.abc import Generator, Iterator
from contextlib import contextmanager, suppress
from typing import Any, Final

import libusb_package
import usb.core
import usb.util

from gated.core.ports import DeviceError, DeviceGone, DeviceTimeout

BULK: Final = usb.util.ENDPOINT_TYPE_BULK
INTERRUPT: Final = usb.util.ENDPOINT_TYPE_INTR
MAX_INTERFACES: Final = 32  # of one class on one device
CLASS_REQUEST_OUT: Final = 0x21  # host to device, class, interface (USB 2.0, 9.3)

# What Linux reports when a device leaves during a transfer depends on how far the transfer had come.
_LOST: Final = frozenset({errno.ENODEV, errno.EIO, errno.EPIPE, errno.EPROTO, errno.ESHUTDOWN, errno.ENOENT})


def system_backend(device: str) -> Any:
    """The libusb backend of pyusb. Raises DeviceError when no libusb can be loaded."""
    backend = libusb_package.get_libusb1_backend()
    if backend is None:
        raise DeviceError(device, "no_libusb", "install the libusb-package wheel or the library libusb-1.0")
    return backend


@contextmanager
def _bus_errors(device: str) -> Generator[None, None, None]:
    """Say in the gate's words what went wrong on the bus."""
    try:
        yield
    except usb.core.USBTimeoutError as error:
        raise DeviceTimeout(device, "silent", "wait, then unplug the device and plug it in again") from error
    except usb.core.USBError as error:
        if error.errno in (errno.EACCES, errno.EPERM):
            raise DeviceError(
                device, "no_right", "give the gate's user the right to this device (udev rule)"
            ) from error
        if error.errno == errno.EBUSY:
            raise DeviceError(
                device, "claimed_by_other", "stop the other program that uses it (often pcscd)"
            ) from error
        if error.errno in _LOST:
            raise DeviceGone(device, "unplugged", "check the cable and plug the device in again") from error
        raise DeviceGone(device, "bus_error", "unplug the device and plug it in again") from error


def _milliseconds(timeout_s: float) -> int:
    """A time-out for libusb, where 0 would mean for ever."""
    return max(1, math.ceil(timeout_s * 1000))


class UsbInterface:
    """A claimed interface with one bulk pipe each way and at most one interrupt pipe inwards."""

    def __init__(self, device: str, node: Any, interface: Any) -> None:
        self._device = device
        self._node = node
        self.number: int = interface.bInterfaceNumber
        self.class_descriptors = bytes(interface.extra_descriptors)
        self._out = self._endpoint(interface, usb.util.ENDPOINT_OUT, BULK)
        self._in = self._endpoint(interface, usb.util.ENDPOINT_IN, BULK)
        self._events = self._endpoint(interface, usb.util.ENDPOINT_IN, INTERRUPT)
        if self._out is None or self._in is None:
            raise DeviceError(device, "no_bulk_pipes", "this is not a usable reader: replace it")
        self.packet: int = self._in.wMaxPacketSize & 0x7FF
        if self.packet < 8:
            raise DeviceError(device, "no_bulk_pipes", "this is not a usable reader: replace it")

    @staticmethod
    def _endpoint(interface: Any, direction: int, kind: int) -> Any:
        return usb.util.find_descriptor(
            interface,
            custom_match=lambda end: (
                usb.util.endpoint_direction(end.bEndpointAddress) == direction
                and usb.util.endpoint_type(end.bmAttributes) == kind
            ),
        )

    @property
    def has_events(self) -> bool:
        """Whether the interface has an interrupt pipe."""
        return self._events is not None

    def write(self, data: bytes, timeout_s: float) -> None:
        """Send all bytes. Raises DeviceTimeout, DeviceGone."""
        with _bus_errors(self._device):
            sent = self._node.write(self._out, data, _milliseconds(timeout_s))
        if sent != len(data):
            raise DeviceTimeout(self._device, "partial_write", "unplug the reader and plug it in again")

    def read(self, size: int, timeout_s: float) -> bytes:
        """Receive up to `size` bytes, ending at a short packet. Raises DeviceTimeout, DeviceGone."""
        with _bus_errors(self._device):
            return bytes(self._node.read(self._in, size, _milliseconds(timeout_s)))

    def event(self, timeout_s: float) -> bytes:
        """Receive one message of the interrupt pipe. Raises DeviceTimeout, DeviceGone."""
        with _bus_errors(self._device):
            return bytes(
                self._node.read(self._events, self._events.wMaxPacketSize & 0x7FF, _milliseconds(timeout_s))
            )

    def class_request(self, request: int, value: int, timeout_s: float) -> bool:
        """Send a class request without data; False when the device does not know it (a stall)."""
        with _bus_errors(self._device):
            try:
                self._node.ctrl_transfer(
                    CLASS_REQUEST_OUT, request, value, self.number, None, _milliseconds(timeout_s)
                )
            except usb.core.USBError as error:
                if error.errno == errno.EPIPE:
                    return False
                raise
        return True

    def close(self) -> None:
        """Release the interface and the device. Idempotent, never raises."""
        with suppress(usb.core.USBError):
            usb.util.dispose_resources(self._node)


def open_interface(
    device: str,
    interface_class: int,
    *,
    vendor_id: int = 0,
    product_id: int = 0,
    place: str = "",
    ordinal: int = 0,
    backend: Any = None,
) -> UsbInterface:
    """Claim an interface of a class, on any device or on the one with these ids (0: any), at this place.

    `place`: bus and ports as `place_of` says them; empty: anywhere.
    `ordinal` counts the interfaces of that class on one device, from 0; devices with fewer are passed over.

    Raises DeviceGone when there is none, DeviceError when the system refuses it.
    """
    if backend is None:
        backend = system_backend(device)
    wanted = {"idVendor": vendor_id, "idProduct": product_id}
    with _bus_errors(device):
        node = usb.core.find(
            backend=backend,
            custom_match=lambda node: (
                place in ("", place_of(node)) and _has_interface(node, interface_class, ordinal)
            ),
            **{name: value for name, value in wanted.items() if value},
        )
    if node is None:
        where = f", and that it is plugged in at {place}" if place else ""
        raise DeviceGone(device, "not_found", f"check the cable and the ids in [{device}]{where}")
    try:
        return _claim(device, node, interface_class, ordinal)
    except BaseException:
        with suppress(usb.core.USBError):
            usb.util.dispose_resources(node)
        raise


def place_of(node: Any) -> str:
    """Where a device is plugged in: its bus, and the ports from the root on, as Linux names it (`1-2.3`).

    It stays the same when the device is unplugged and plugged in again there. Empty where it is not known.
    """
    if node.bus is None or not node.port_numbers:
        return ""
    return f"{node.bus}-{'.'.join(str(port) for port in node.port_numbers)}"


def interfaces_of(
    device: str, interface_class: int, *, backend: Any = None
) -> Iterator[tuple[int, int, int, str, bytes]]:
    """Vendor, product, ordinal, place and class descriptors of every interface of a class; opens nothing.

    Raises DeviceError when USB cannot be looked at. An unreadable device has no interfaces.
    """
    if backend is None:
        backend = system_backend(device)
    with _bus_errors(device):
        nodes = list(usb.core.find(find_all=True, backend=backend))
    for node in nodes:
        for ordinal in range(MAX_INTERFACES):
            found = _described(node, interface_class, ordinal)
            if found is None:
                break
            yield node.idVendor, node.idProduct, ordinal, place_of(node), found


def _described(node: Any, interface_class: int, ordinal: int) -> bytes | None:
    """The class descriptors of an interface, or None where there is no such interface."""
    with suppress(usb.core.USBError, NotImplementedError):
        for configuration in node:
            interface = _pick(configuration, interface_class, ordinal)
            if interface is not None:
                return bytes(interface.extra_descriptors)
    return None


def _has_interface(node: Any, interface_class: int, ordinal: int) -> bool:
    """Whether any configuration has that interface; an unreadable device has none."""
    return _described(node, interface_class, ordinal) is not None


def _pick(configuration: Any, interface_class: int, ordinal: int) -> Any:
    """The interface of the class with this ordinal, or None. Alternate settings do not count."""
    found = [
        one
        for one in usb.util.find_descriptor(configuration, find_all=True, bInterfaceClass=interface_class)
        if one.bAlternateSetting == 0
    ]
    return found[ordinal] if ordinal < len(found) else None


def _claim(device: str, node: Any, interface_class: int, ordinal: int) -> UsbInterface:
    with _bus_errors(device):
        interface = _pick(node.get_active_configuration(), interface_class, ordinal)
        if interface is None:
            raise DeviceError(device, "other_configuration", "unplug the device and plug it in again")
        number = interface.bInterfaceNumber
        with suppress(NotImplementedError):  # LIBUSB_ERROR_NOT_SUPPORTED: no kernel drivers here
            if node.is_kernel_driver_active(number):
                node.detach_kernel_driver(number)
        usb.util.claim_interface(node, number)
    return UsbInterface(device, node, interface)
