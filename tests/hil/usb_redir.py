"""Simulated USB devices in QEMU's `usb-redir` port: the far end of the usbredir protocol, version 0.7.

A port is a Unix socket that QEMU listens on; whoever connects is a host with one device to lend. The guest
sees a device of the simulator (`hw_sim.reader.usb_bus.UsbDevice`) on its own bus: control, bulk and interrupt
transfers, unplugging and plugging in. Streams, isochronous transfers and filters are not spoken.
"""

import socket
import struct
import time
from contextlib import suppress
from pathlib import Path
from threading import Lock, Thread

from hw_sim.reader.usb_bus import Unplugged, UsbDevice

_HELLO, _CONNECT, _DISCONNECT, _RESET, _INTERFACES, _ENDPOINTS = range(6)
_SET_CONFIGURATION, _GET_CONFIGURATION, _CONFIGURATION = 6, 7, 8
_SET_ALTERNATE, _GET_ALTERNATE, _ALTERNATE = 9, 10, 11
_START_INTERRUPTS, _STOP_INTERRUPTS, _INTERRUPTS = 15, 16, 17
_CANCEL = 21
_CONTROL, _BULK, _INTERRUPT = 100, 101, 103
_SUCCESS, _CANCELLED, _STALL = 0, 1, 4
_HIGH_SPEED = 2
# release number of the device, sizes of packets, numbers of 64 bits, lengths of 32 bits
_SPOKEN = 1 << 1 | 1 << 4 | 1 << 5 | 1 << 6
_NO_ENDPOINT = 255

_HEAD_SHORT, _HEAD = struct.Struct("<III"), struct.Struct("<IIQ")
_CONTROL_HEAD, _BULK_HEAD = struct.Struct("<BBBBHHH"), struct.Struct("<BBHIH")
_FOR_EVER_S = 3600.0


class Port:
    """One port of the virtual machine, with at most one device in it."""

    def __init__(self, path: Path) -> None:
        self._socket = socket.socket(socket.AF_UNIX)
        self._socket.connect(str(path))
        self._sending = Lock()
        self._device: UsbDevice | None = None
        self._wanted: dict[int, tuple[int, int]] = {}  # bulk transfers that wait: endpoint and size
        self._told = 0  # interrupts
        self._listens = False  # whether the guest wants to hear interrupts
        self._ended = False
        self._send(_HELLO, b"simulated device".ljust(64, b"\0") + struct.pack("<I", _SPOKEN), short=True)
        self._expect_hello()
        for work in (self._listen, self._deliver):
            Thread(target=work, name="usb-redir", daemon=True).start()

    def plug(self, device: UsbDevice) -> None:
        """Plug a device in."""
        device.power_cycle()
        self._wanted.clear()
        self._listens = False
        interfaces, endpoints = _pieces(device.configuration_descriptor)
        self._send(_INTERFACES, _interface_table(interfaces))
        self._send(_ENDPOINTS, _endpoint_table(endpoints))
        identity = device.device_descriptor[8:14]  # vendor, product, release
        self._send(_CONNECT, bytes((_HIGH_SPEED, 0, 0, 0)) + identity)
        self._device = device

    def unplug(self) -> None:
        """Pull the device out. No effect when there is none."""
        device, self._device = self._device, None
        if device is not None:
            self._send(_DISCONNECT)

    def close(self) -> None:
        """Leave the port."""
        self._ended = True
        with suppress(OSError):
            self._socket.shutdown(socket.SHUT_RDWR)
        self._socket.close()

    # --- the wire --------------------------------------------------------------------------------

    def _send(self, kind: int, body: bytes = b"", number: int = 0, *, short: bool = False) -> None:
        head = _HEAD_SHORT if short else _HEAD
        with self._sending:
            self._socket.sendall(head.pack(kind, len(body), number) + body)

    def _exactly(self, size: int) -> bytes:
        gathered = bytearray()
        while len(gathered) < size:
            more = self._socket.recv(size - len(gathered))
            if not more:
                raise ConnectionResetError
            gathered += more
        return bytes(gathered)

    def _expect_hello(self) -> None:
        _, length, _ = _HEAD_SHORT.unpack(self._exactly(_HEAD_SHORT.size))
        (spoken,) = struct.unpack_from("<I", self._exactly(length), 64)
        if spoken & _SPOKEN != _SPOKEN:
            raise RuntimeError("this QEMU speaks an older usbredir")

    def _listen(self) -> None:
        with suppress(OSError):
            while True:
                kind, length, number = _HEAD.unpack(self._exactly(_HEAD.size))
                self._take(kind, self._exactly(length), number)

    def _take(self, kind: int, body: bytes, number: int) -> None:
        device = self._device
        if device is None:
            return
        if kind == _SET_CONFIGURATION:
            self._send(_CONFIGURATION, bytes((_SUCCESS, body[0])), number)
        elif kind == _GET_CONFIGURATION:
            self._send(_CONFIGURATION, bytes((_SUCCESS, 1)), number)
        elif kind == _SET_ALTERNATE:
            self._send(_ALTERNATE, bytes((_SUCCESS, body[0], body[1])), number)
        elif kind == _GET_ALTERNATE:
            self._send(_ALTERNATE, bytes((_SUCCESS, body[0], 0)), number)
        elif kind == _START_INTERRUPTS:
            self._send(_INTERRUPTS, bytes((_SUCCESS, body[0])), number)
            self._interrupts(device, listens=True)
        elif kind == _STOP_INTERRUPTS:
            self._interrupts(device, listens=False)
            self._send(_INTERRUPTS, bytes((_SUCCESS, body[0])), number)
        elif kind == _CONTROL:
            self._control(device, body, number)
        elif kind == _BULK:
            self._bulk(device, body, number)
        elif kind == _CANCEL:
            with device.changed:
                wanted = self._wanted.pop(number, None)
            if wanted is not None:
                self._send(_BULK, _BULK_HEAD.pack(wanted[0], _CANCELLED, 0, 0, 0), number)

    # --- transfers -------------------------------------------------------------------------------

    def _control(self, device: UsbDevice, body: bytes, number: int) -> None:
        endpoint, request, kind, _, value, index, length = _CONTROL_HEAD.unpack_from(body)
        answer = device.control(kind, request, value, length)
        inward = bool(kind & 0x80)
        status = _STALL if answer is None else _SUCCESS
        data = answer if inward and answer else b""
        sent = len(data) if inward else length
        head = _CONTROL_HEAD.pack(
            endpoint, request, kind, status, value, index, sent if answer is not None else 0
        )
        self._send(_CONTROL, head + data, number)

    def _bulk(self, device: UsbDevice, body: bytes, number: int) -> None:
        endpoint, _, low, stream, high = _BULK_HEAD.unpack_from(body)
        if endpoint & 0x80:
            with device.changed:
                self._wanted[number] = (endpoint, low | high << 16)
                device.changed.notify_all()
            return
        try:
            device.bulk_out(body[_BULK_HEAD.size :])
        except Unplugged:
            self.unplug()
            return
        self._send(_BULK, _BULK_HEAD.pack(endpoint, _SUCCESS, low, stream, high), number)

    def _interrupts(self, device: UsbDevice, *, listens: bool) -> None:
        with device.changed:
            self._listens = listens
            device.changed.notify_all()

    def _deliver(self) -> None:
        """Bring what the device has for the guest, as soon as it can be read."""
        while not self._ended:
            device = self._device
            if device is None:
                time.sleep(0.02)
                continue
            with device.changed, suppress(OSError):
                dues = [self._deliver_bulk(device), self._deliver_interrupt(device)]
                wait_s = min((due for due in dues if due is not None), default=_FOR_EVER_S)
                device.changed.wait(max(0.0, min(wait_s, 0.5)))

    def _deliver_bulk(self, device: UsbDevice) -> float | None:
        """Serve the oldest transfer of each endpoint; seconds until there may be more."""
        due: float | None = None
        for number in sorted(self._wanted):
            endpoint, size = self._wanted[number]
            data = device.take(endpoint, size, final=False)
            if data is None:
                due = device.due_s(endpoint)
                break
            del self._wanted[number]
            head = _BULK_HEAD.pack(endpoint, _SUCCESS, len(data) & 0xFFFF, 0, len(data) >> 16)
            self._send(_BULK, head + data, number)
        return due

    def _deliver_interrupt(self, device: UsbDevice) -> float | None:
        for endpoint in _interrupt_endpoints(device.configuration_descriptor) if self._listens else ():
            data = device.take(endpoint, 8, final=True)
            if data is None:
                return device.due_s(endpoint)
            self._send(_INTERRUPT, struct.pack("<BBH", endpoint, _SUCCESS, len(data)) + data, self._told)
            self._told += 1
            return 0.0
        return None


def _pieces(configuration: bytes) -> tuple[list[bytes], list[tuple[int, bytes]]]:
    """The descriptors of the interfaces, and of the endpoints with the interface that each belongs to."""
    interfaces: list[bytes] = []
    endpoints: list[tuple[int, bytes]] = []
    offset = 0
    while offset < len(configuration):
        piece = configuration[offset : offset + configuration[offset]]
        if piece[1] == 4:
            interfaces.append(piece)
        elif piece[1] == 5:
            endpoints.append((interfaces[-1][2], piece))
        offset += configuration[offset]
    return interfaces, endpoints


def _interrupt_endpoints(configuration: bytes) -> list[int]:
    return [piece[2] for _, piece in _pieces(configuration)[1] if piece[3] & 3 == 3]


def _interface_table(interfaces: list[bytes]) -> bytes:
    numbers = bytes(piece[2] for piece in interfaces)
    kinds = [bytes(piece[field] for piece in interfaces) for field in (5, 6, 7)]
    return struct.pack("<I", len(interfaces)) + b"".join(each.ljust(32, b"\0") for each in (numbers, *kinds))


def _endpoint_table(endpoints: list[tuple[int, bytes]]) -> bytes:
    kinds, intervals, owners, packets = [_NO_ENDPOINT] * 32, [0] * 32, [0] * 32, [0] * 32
    kinds[0] = kinds[16] = 0
    packets[0] = packets[16] = 64
    for owner, piece in endpoints:
        place = (piece[2] & 0x80) >> 3 | piece[2] & 0x0F
        kinds[place], intervals[place], owners[place] = piece[3] & 3, piece[6], owner
        packets[place] = int.from_bytes(piece[4:6], "little")
    return bytes(kinds) + bytes(intervals) + bytes(owners) + struct.pack("<32H", *packets)
