"""The simulated bus across processes: unplug and plug, a killed program, a simulator that goes away."""

import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from threading import Event, Thread, Timer

import pytest
import usb.core
import usb.util

from drivers.chip_reader import CcidChipReader
from gated.core.ports import DeviceError, DeviceGone
from gated.core.settings.readers import ChipReaderSettings
from hw_sim.reader.bulk_pipe import BulkPipe
from hw_sim.reader.ccid_descriptors import EVENTS, IN, OUT, STRINGS
from hw_sim.reader.ccid_device import CcidDevice, Fault
from hw_sim.reader.usb_backend import SocketBackend
from hw_sim.reader.usb_bus import UsbBus
from hw_sim.reader.usb_socket import MAX_FRAME, UsbServer

READ = bytes.fromhex("00b0000000")
STATUS = bytes.fromhex("65000000000000000000")


class Slow:
    """A card that answers after a while."""

    atr = bytes.fromhex("3b80800101")

    def __init__(self, busy: float = 0.0) -> None:
        self.busy = busy

    def reset(self) -> None:
        pass

    def command(self, apdu: bytes) -> bytes:  # noqa: ARG002 - always the same answer
        return b"\x90\x00"

    def busy_s(self, command: bytes, response: bytes) -> float:  # noqa: ARG002 - the same for all
        return self.busy


@pytest.fixture
def device() -> CcidDevice:
    return CcidDevice()


@pytest.fixture
def server(tmp_path: Path, device: CcidDevice) -> Iterator[UsbServer]:
    one = UsbServer(tmp_path / "usb", device)
    yield one
    one.close()


@pytest.fixture
def backend(server: UsbServer) -> Iterator[SocketBackend]:
    one = SocketBackend(server.path)
    yield one
    one.close()


@pytest.fixture
def reader(backend: SocketBackend) -> Iterator[CcidChipReader]:
    one = CcidChipReader(ChipReaderSettings(exchange_s=2.0), backend)
    yield one
    one.close()


def test_pyusb_sees_a_whole_device(backend: SocketBackend) -> None:
    node = usb.core.find(backend=backend, idVendor=0x1209)
    assert [usb.util.get_string(node, index) for index in (1, 2, 3)] == list(STRINGS[1:])
    interface = node.get_active_configuration()[0, 0]
    assert [end.bEndpointAddress for end in interface] == [OUT, IN, EVENTS]
    assert len(interface.extra_descriptors) == 54
    usb.util.dispose_resources(node)


def test_transfers_time_out_as_libusb_does(backend: SocketBackend) -> None:
    node = usb.core.find(backend=backend)
    started = time.monotonic()
    with pytest.raises(usb.core.USBTimeoutError):
        node.read(IN, 512, 100)
    assert 0.1 <= time.monotonic() - started < 0.4
    with pytest.raises(usb.core.USBError, match="Broken pipe"):
        node.ctrl_transfer(0x80, 6, 0x0600, 0, 10)
    usb.util.dispose_resources(node)


def test_events_and_transfers_go_on_side_by_side(device: CcidDevice, backend: SocketBackend) -> None:
    node = usb.core.find(backend=backend)
    assert bytes(node.read(EVENTS, 8, 500)) == b"\x50\x02"
    heard: list[bytes] = []
    waiting = Thread(target=lambda: heard.append(bytes(node.read(EVENTS, 8, 3000))))
    waiting.start()
    for _ in range(20):
        node.write(OUT, STATUS, 500)
        assert len(node.read(IN, 512, 500)) == 10
    device.insert(Slow())
    waiting.join(3.0)
    assert heard == [b"\x50\x03"]
    usb.util.dispose_resources(node)


def test_unplugged_and_plugged_in_again(
    server: UsbServer, device: CcidDevice, reader: CcidChipReader
) -> None:
    device.insert(Slow())
    reader.open()
    reader.connect()
    device.arm(Fault.UNPLUG, transfer=2)
    reader.transceive(READ)
    with pytest.raises(DeviceGone, match="unplugged"):
        reader.transceive(READ)
    with pytest.raises(DeviceGone, match="not_found"):
        reader.open()
    server.bus.plug(device)
    reader.open()
    reader.connect()
    assert reader.transceive(READ) == b"\x90\x00"


def test_unplugging_wakes_who_waits(server: UsbServer, device: CcidDevice, reader: CcidChipReader) -> None:
    device.insert(Slow(busy=1.5))
    reader.open()
    reader.connect()
    Timer(0.1, server.bus.unplug, [device]).start()
    started = time.monotonic()
    with pytest.raises(DeviceGone, match="unplugged"):
        reader.transceive(READ)
    assert time.monotonic() - started < 1.0


def test_two_programs_do_not_share_the_reader(server: UsbServer, reader: CcidChipReader) -> None:
    other = SocketBackend(server.path)
    second = CcidChipReader(ChipReaderSettings(), other)
    reader.open()
    with pytest.raises(DeviceError, match="claimed_by_other"):
        second.open()
    reader.close()
    second.open()
    second.close()
    other.close()


DAEMON = """
import sys
from drivers.chip_reader import CcidChipReader
from gated.core.settings.readers import ChipReaderSettings
from hw_sim.reader.usb_backend import SocketBackend

reader = CcidChipReader(ChipReaderSettings(exchange_s=30), SocketBackend(sys.argv[1]))
reader.open()
reader.connect()
print("reading", flush=True)
reader.transceive(bytes.fromhex("00b0000000"))
"""


def test_a_killed_program_leaves_the_reader_free(
    server: UsbServer, device: CcidDevice, reader: CcidChipReader
) -> None:
    card = Slow(busy=20.0)
    device.insert(card)
    with subprocess.Popen(
        [sys.executable, "-c", DAEMON, str(server.path)],
        stdout=subprocess.PIPE,
        cwd=Path(__file__).parents[2],
    ) as daemon:
        assert daemon.stdout is not None
        assert daemon.stdout.readline() == b"reading\n"
        with pytest.raises(DeviceError, match="claimed_by_other"):
            reader.open()
        time.sleep(0.1)
        os.kill(daemon.pid, signal.SIGKILL)
    card.busy = 0.0
    started = time.monotonic()
    while True:
        try:
            reader.open()
            break
        except DeviceError:
            assert time.monotonic() - started < 2.0
            time.sleep(0.01)
    reader.connect()
    assert reader.transceive(READ) == b"\x90\x00"


def test_a_simulator_that_goes_away_and_comes_back(
    tmp_path: Path, server: UsbServer, device: CcidDevice, reader: CcidChipReader
) -> None:
    device.insert(Slow())
    reader.open()
    server.close()
    with pytest.raises(DeviceGone):
        reader.connect()
    with pytest.raises(DeviceGone, match="not_found"):
        reader.open()
    again = UsbServer(tmp_path / "usb", device)
    reader.open()
    reader.connect()
    assert reader.transceive(READ) == b"\x90\x00"
    reader.close()
    again.close()


@pytest.mark.parametrize(
    "frame",
    [
        b"\xff\xff\xff\xff",
        (MAX_FRAME + 1).to_bytes(4, "big"),
        b"\x00\x00\x00\x03abc",
        b"\x00\x00\x00\x01\xc0",
        b"\x00\x00",
    ],
)
def test_nonsense_on_the_socket_ends_only_its_own_connection(
    server: UsbServer, reader: CcidChipReader, frame: bytes
) -> None:
    with socket.socket(socket.AF_UNIX) as peer:
        peer.connect(str(server.path))
        peer.sendall(frame)
        peer.shutdown(socket.SHUT_WR)
        peer.settimeout(2.0)
        assert peer.recv(1) == b""
    reader.open()
    assert not reader.card_present()


def test_many_programs_come_and_go(server: UsbServer) -> None:
    stop = Event()
    seen: list[int] = []

    def enumerate_for_ever() -> None:
        backend = SocketBackend(server.path)
        while not stop.is_set():
            seen.append(len(list(backend.enumerate_devices())))
        backend.close()

    programs = [Thread(target=enumerate_for_ever) for _ in range(4)]
    for program in programs:
        program.start()
    time.sleep(0.2)
    stop.set()
    for program in programs:
        program.join(2.0)
    assert set(seen) == {1}


def test_a_device_is_plugged_in_once(device: CcidDevice) -> None:
    bus = UsbBus(device)
    with pytest.raises(ValueError, match="already"):
        bus.plug(device)
    bus.unplug(device)
    bus.unplug(device)
    assert not bus.enumerate()


def test_a_message_of_whole_packets_ends_a_transfer_only_with_a_closing_packet() -> None:
    for closing in (True, False):
        pipe = BulkPipe(8, closing_packet=closing)
        pipe.put(bytes(16), 0.0)
        assert pipe.take(64, final=False) == (bytes(16) if closing else None)
        assert pipe.take(64, final=True) == (None if closing else bytes(16))
        pipe.put(bytes(16), 0.0)
        assert pipe.take(16, final=False) == bytes(16)
        assert bool(pipe) is closing


def test_what_is_still_on_the_air_cannot_be_taken() -> None:
    pipe = BulkPipe(8, closing_packet=False)
    pipe.put(b"now", 0.0)
    pipe.put(b"later", time.monotonic() + 60)
    assert pipe.take(64, final=True) == b"now"
    assert pipe.take(64, final=True) is None
    assert 59 < (pipe.due_s() or 0) <= 60
    assert pipe.withdraw()
    assert not pipe.withdraw()
