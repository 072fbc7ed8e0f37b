"""The scanner on a serial line over USB: the kernel's driver for the adapter, its formats, its lines."""

import time
from collections.abc import Iterator

import pytest

from hw_sim.reader.scanner import Framing
from tests.hil.ftdi import Format, SerialAdapter
from tests.hil.guest import line
from tests.hil.machine import Machine, RaisedInsideError
from tests.hil.usb_redir import Port

pytestmark = [pytest.mark.hil, pytest.mark.timeout(900)]

ZONE = ("P<UTOERIKSSON<<ANNA<MARIA<<<<<<<<<<<<<<<<<<<", "L898902C36UTO7408122F1204159ZE184226B<<<<<10")
MESSAGE = Framing.CR.wrap(ZONE)
READ = "\n".join(ZONE)
SEVEN_EVEN = {"bytesize": 7, "parity": "E"}
ASK = "I\r"


@pytest.fixture(scope="module")
def port(machine: Machine) -> Iterator[Port]:
    """The machine's USB port for the adapter."""
    port = machine.usb_port("line")
    yield port
    port.close()


@pytest.fixture
def adapter(machine: Machine, port: Port) -> Iterator[SerialAdapter]:
    """An adapter that is plugged in, with a scanner of eight bits without parity at its far end."""
    adapter = SerialAdapter(Format())
    port.plug(adapter)
    machine.call(line.await_node, there=True)
    yield adapter
    machine.call(line.close_scanner)
    port.unplug()
    machine.call(line.await_node, there=False)


def heard(adapter: SerialAdapter, expected: bytes) -> bytes:
    """What has come out of the line, as soon as it is what is expected."""
    deadline = time.monotonic() + 10.0
    while adapter.heard != expected and time.monotonic() < deadline:
        time.sleep(0.05)
    return adapter.heard


def read_or_fault(machine: Machine) -> str | None:
    """What the scanner's driver makes of what comes, or the code of the noise that it finds there."""
    try:
        message: str | None = machine.call(line.read, within_s=10.0)
    except RaisedInsideError as raised:
        if raised.code not in {"noise", "cut_off"}:
            raise
        return raised.code
    return message


@pytest.mark.parametrize(
    ("far", "habits"),
    [
        (Format(), {}),
        (Format(9600, 7, "E"), SEVEN_EVEN),
        (Format(115_200, 7, "O"), {"baud": 115_200, "bytesize": 7, "parity": "O"}),
        (Format(19_200, 8, "E"), {"baud": 19_200, "parity": "E"}),
    ],
    ids=["8N1", "7E1", "7O1-115200", "8E1-19200"],
)
def test_a_zone_is_read_in_the_format_of_the_line(
    machine: Machine, adapter: SerialAdapter, far: Format, habits: dict[str, object]
) -> None:
    adapter.far = far
    machine.call(line.open_scanner, **habits)
    assert adapter.format == far
    for _ in range(3):
        adapter.send(MESSAGE)
        assert machine.call(line.read, within_s=10.0) == READ


@pytest.mark.parametrize(
    ("far", "habits"),
    [(Format(9600, 7, "E"), {}), (Format(9600, 7, "O"), {}), (Format(), {"baud": 19_200})],
    ids=["7E1-as-8N1", "7O1-as-8N1", "9600-as-19200"],
)
def test_in_another_format_no_zone_is_read(
    machine: Machine, adapter: SerialAdapter, far: Format, habits: dict[str, object]
) -> None:
    adapter.far = far
    machine.call(line.open_scanner, **habits)
    adapter.send(MESSAGE)
    assert read_or_fault(machine) != READ


def test_what_is_asked_goes_out_over_the_line(machine: Machine, adapter: SerialAdapter) -> None:
    machine.call(line.open_scanner, inquire=ASK)
    machine.call(line.inquire)
    assert heard(adapter, ASK.encode()) == ASK.encode()
    adapter.send(MESSAGE)
    assert machine.call(line.read, within_s=10.0) == READ


def test_the_lines_to_the_scanner_are_up_while_the_port_is_open(
    machine: Machine, adapter: SerialAdapter
) -> None:
    assert adapter.raised == (False, False)
    machine.call(line.open_scanner)
    assert adapter.raised == (True, True)
    machine.call(line.close_scanner)
    assert adapter.raised == (False, False)


def test_a_scanner_that_raises_no_lines_is_read_all_the_same(
    machine: Machine, adapter: SerialAdapter
) -> None:
    adapter.set_modem_lines(clear_to_send=False, data_set_ready=False, carrier=False)
    assert machine.call(line.modem_lines) == {"cts": False, "dsr": False, "cd": False}
    machine.call(line.open_scanner, inquire=ASK)
    machine.call(line.inquire)
    assert heard(adapter, ASK.encode()) == ASK.encode()
    adapter.send(MESSAGE)
    assert machine.call(line.read, within_s=10.0) == READ
    machine.call(line.close_scanner)
    adapter.set_modem_lines(clear_to_send=True, data_set_ready=True, carrier=True)
    assert machine.call(line.modem_lines) == {"cts": True, "dsr": True, "cd": True}


def test_a_line_that_drops_its_carrier_in_mid_message_is_read_on(
    machine: Machine, adapter: SerialAdapter
) -> None:
    adapter.set_modem_lines(clear_to_send=True, data_set_ready=True, carrier=True)
    machine.call(line.open_scanner)
    adapter.send(MESSAGE[:50])
    adapter.set_modem_lines(clear_to_send=True, data_set_ready=True, carrier=False)
    adapter.send(MESSAGE[50:])
    assert machine.call(line.read, within_s=10.0) == READ


def test_a_break_spoils_no_more_than_the_message_it_comes_in(
    machine: Machine, adapter: SerialAdapter
) -> None:
    machine.call(line.open_scanner)
    adapter.send(MESSAGE[:20])
    adapter.send_break()
    adapter.send(MESSAGE[20:])
    assert read_or_fault(machine) != READ
    adapter.send(MESSAGE)
    assert machine.call(line.read, within_s=10.0) == READ


def test_an_adapter_that_is_pulled_out_is_gone_and_is_opened_again_under_its_name(
    machine: Machine, port: Port, adapter: SerialAdapter
) -> None:
    machine.call(line.open_scanner)
    adapter.send(MESSAGE[:20])
    port.unplug()
    with pytest.raises(RaisedInsideError) as raised:
        machine.call(line.read_on, within_s=10.0)
    assert (raised.value.error, raised.value.code) == ("DeviceGone", "vanished")
    machine.call(line.await_node, there=False)
    machine.call(line.close_scanner)
    with pytest.raises(RaisedInsideError) as raised:
        machine.call(line.open_scanner)
    assert (raised.value.error, raised.value.code) == ("DeviceGone", "not_there")
    port.plug(adapter)
    machine.call(line.await_node, there=True)
    machine.call(line.open_scanner)
    adapter.send(MESSAGE)
    assert machine.call(line.read, within_s=10.0) == READ
