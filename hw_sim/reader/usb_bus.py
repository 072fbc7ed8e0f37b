"""A USB bus with simulated devices: what an operating system offers a program, without the operating system.

A *device* is transport-free: descriptors, control requests, bytes in, bytes out. The *bus* adds what the host
side sees of it: enumeration, addresses that change when a device is plugged in again, handles that die with
their device or their program, interfaces that one program claims at a time, time-outs. It speaks in `OSError`
with the errno that Linux would give, and knows nothing of pyusb.
"""

import errno
import itertools
import os
import time
from dataclasses import dataclass, field
from threading import Condition, Lock
from typing import Final, Protocol


class Unplugged(Exception):
    """Raised by a device whose plug is pulled by what it was just sent."""


Listed = tuple[bytes, bytes, tuple[int, ...]]  # device and configuration descriptor, ports from the root on
HUB_PORT: Final = 2  # of the root hub; the devices are plugged into another hub


class UsbDevice(Protocol):
    """A device as the bus sees it. `changed` guards it and is notified when something may be read."""

    device_descriptor: bytes
    configuration_descriptor: bytes
    changed: Condition

    def control(self, request_type: int, request: int, value: int, length: int) -> bytes | None:
        """Answer a control request without an outward data stage; None is a stall."""

    def bulk_out(self, data: bytes) -> None:
        """Take the bytes of one bulk transfer. May raise Unplugged."""

    def take(self, endpoint: int, size: int, *, final: bool) -> bytes | None:
        """What an inward transfer of `size` brings; None while incomplete (`final`: bring what there is)."""

    def due_s(self, endpoint: int) -> float | None:
        """Seconds until more can be taken, None when nothing is under way."""

    def power_cycle(self) -> None:
        """Forget everything that does not survive without power."""


def failure(number: int) -> OSError:
    """An error as Linux would give it."""
    return OSError(number, os.strerror(number))


@dataclass
class _Opened:
    device: UsbDevice
    client: str
    claimed: set[int] = field(default_factory=set)


class UsbBus:
    """A bus with the devices plugged in now. Every verb may raise OSError; safe from several threads."""

    def __init__(self, *devices: UsbDevice) -> None:
        self._lock = Lock()
        self._addresses = itertools.count(2)
        self._numbers = itertools.count(1)
        self._plugged: dict[int, UsbDevice] = {}
        self._ports: dict[int, int] = {}  # the socket of each device, where it comes back
        self._opened: dict[int, _Opened] = {}
        self._kernel_drivers: set[int] = set()
        self._forbidden: set[int] = set()
        for device in devices:
            self.plug(device)

    def plug(self, device: UsbDevice, *, kernel_driver: bool = False, rights: bool = True) -> None:
        """Plug a device in: held by a kernel driver until it is detached, or one that nobody may open."""
        with self._lock:
            if device in self._plugged.values():
                raise ValueError("this device is plugged in already")
            address = next(self._addresses)
            self._plugged[address] = device
            self._ports.setdefault(id(device), 1 + len(self._ports))
            if kernel_driver:
                self._kernel_drivers.add(id(device))
            if not rights:
                self._forbidden.add(address)

    def unplug(self, device: UsbDevice) -> None:
        """Pull a device out: its handles die, whoever waits for it is told. No effect when it is out."""
        with self._lock:
            self._plugged = {
                address: other for address, other in self._plugged.items() if other is not device
            }
            self._opened = {number: one for number, one in self._opened.items() if one.device is not device}
            self._kernel_drivers.discard(id(device))
        device.power_cycle()
        with device.changed:
            device.changed.notify_all()

    def is_plugged(self, device: UsbDevice) -> bool:
        """Whether the device is on the bus."""
        return device in self._plugged.values()

    def drop_client(self, client: str) -> None:
        """Close all handles of a program, as the kernel does when it dies."""
        with self._lock:
            dropped = [number for number, one in self._opened.items() if one.client == client]
            devices = [self._opened.pop(number).device for number in dropped]
        for device in devices:
            with device.changed:
                device.changed.notify_all()

    def place_of(self, device: UsbDevice) -> str:
        """Where a device is plugged in, as Linux names it: this is bus 1."""
        return f"1-{HUB_PORT}.{self._ports[id(device)]}"

    def enumerate(self) -> dict[int, Listed]:
        """Every device, by address."""
        return {
            address: (
                device.device_descriptor,
                device.configuration_descriptor,
                (HUB_PORT, self._ports[id(device)]),
            )
            for address, device in dict(self._plugged).items()
        }

    def open(self, address: int, client: str) -> int:
        """Open a device for a program; returns the handle."""
        with self._lock:
            if address not in self._plugged:
                raise failure(errno.ENODEV)
            if address in self._forbidden:
                raise failure(errno.EACCES)
            number = next(self._numbers)
            self._opened[number] = _Opened(self._plugged[address], client)
            return number

    def close(self, handle: int) -> None:
        """Close a handle and give up what it claimed."""
        with self._lock:
            self._opened.pop(handle, None)

    def claim(self, handle: int, interface: int) -> None:
        """Claim an interface: EBUSY when a kernel driver or another handle has it."""
        with self._lock:
            mine = self._live(handle)
            if id(mine.device) in self._kernel_drivers:
                raise failure(errno.EBUSY)
            for other in self._opened.values():
                if other is not mine and other.device is mine.device and interface in other.claimed:
                    raise failure(errno.EBUSY)
            mine.claimed.add(interface)

    def release(self, handle: int, interface: int) -> None:
        """Give an interface up."""
        with self._lock:
            self._live(handle).claimed.discard(interface)

    def kernel_driver(self, handle: int) -> bool:
        """Whether a kernel driver holds the device."""
        with self._lock:
            return id(self._live(handle).device) in self._kernel_drivers

    def detach_kernel_driver(self, handle: int) -> None:
        """Take the device from the kernel driver."""
        with self._lock:
            self._kernel_drivers.discard(id(self._live(handle).device))

    def control(self, handle: int, request_type: int, request: int, value: int, length: int) -> bytes:
        """Do a control request; EPIPE when the device stalls it."""
        answer = self._live(handle).device.control(request_type, request, value, length)
        if answer is None:
            raise failure(errno.EPIPE)
        return answer

    def write(self, handle: int, data: bytes) -> int:
        """Do an outward bulk transfer; returns the bytes taken."""
        opened = self._live(handle)
        self._need_claim(opened)
        try:
            opened.device.bulk_out(data)
        except Unplugged:
            self.unplug(opened.device)
            raise failure(errno.ENODEV) from None
        return len(data)

    def read(self, handle: int, endpoint: int, size: int, timeout_s: float) -> bytes:
        """Do an inward transfer of at most `size` bytes: ETIMEDOUT when nothing came in time."""
        opened = self._live(handle)
        self._need_claim(opened)
        device, deadline = opened.device, time.monotonic() + timeout_s
        with device.changed:
            while True:
                self._live(handle)
                left = deadline - time.monotonic()
                data = device.take(endpoint, size, final=left <= 0)
                if data is not None:
                    return data
                if left <= 0:
                    raise failure(errno.ETIMEDOUT)
                due = device.due_s(endpoint)
                device.changed.wait(left if due is None else min(left, due))

    def _live(self, handle: int) -> _Opened:
        opened = self._opened.get(handle)
        if opened is None:
            raise failure(errno.ENODEV)
        return opened

    def _need_claim(self, opened: _Opened) -> None:
        if not opened.claimed:
            raise failure(errno.ENOENT)
