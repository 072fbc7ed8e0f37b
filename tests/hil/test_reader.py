"""The contactless reader on USB: libusb, the kernel's USB, hot unplugging, and whole passports."""

from collections.abc import Iterator
from datetime import date
from hashlib import sha256

import pytest

from hw_sim.passport import issuer, lds
from hw_sim.passport.chip import Chip
from hw_sim.reader.ccid_device import CcidDevice
from hw_sim.reader.reader_model import Exchange, Fault, ReaderModel
from tests.hil.guest import reader
from tests.hil.machine import Machine, RaisedInsideError
from tests.hil.usb_redir import Port
from tests.holder import ANNA

pytestmark = [pytest.mark.hil, pytest.mark.timeout(900)]

TODAY = date(2026, 11, 23)
AUTHORITY = issuer.Authority.establish("utopia", today=TODAY)
PATIENT_S = 30.0  # a long answer in blocks of T=1 takes this machine without KVM some seconds
PHOTOGRAPH = b"\xff\xd8\xff\xe0" + bytes(range(256)) * 60
READERS = {
    "extended": ReaderModel(),
    "chaining": ReaderModel(max_message=271),
    "blocks": ReaderModel(exchange=Exchange.TPDU, max_message=271, packet=64),
}
ACCESS = {"BAC": issuer.BAC_ONLY, "PACE-ECDH-GM-AES-128": issuer.PACE_AND_BAC}


def passport(access: str) -> issuer.Passport:
    return issuer.issue(AUTHORITY, ANNA, PHOTOGRAPH, protocols=ACCESS[access])


def digests(document: issuer.Passport) -> dict[str, str]:
    """The files that must come out of the guest."""
    wanted = {"sod": lds.SOD, "dg1": lds.DG1, "dg2": lds.DG2}
    return {name: sha256(document.files[file]).hexdigest() for name, file in wanted.items()}


@pytest.fixture(scope="module")
def port(machine: Machine) -> Iterator[Port]:
    """The machine's USB port for the reader."""
    port = machine.usb_port("reader")
    yield port
    port.close()


@pytest.fixture
def plugged(machine: Machine, port: Port) -> Iterator[CcidDevice]:
    """A reader that is plugged in and open, and empty."""
    device = CcidDevice(pace=0.0)
    port.plug(device)
    machine.call(reader.await_readers, count=1)
    machine.call(reader.open_reader)
    yield device
    machine.call(reader.close_reader)
    port.unplug()
    machine.call(reader.await_readers, count=0)


@pytest.mark.parametrize("access", ACCESS)
@pytest.mark.parametrize("model", READERS)
def test_a_whole_passport_is_read(machine: Machine, port: Port, model: str, access: str) -> None:
    document = passport(access)
    device = CcidDevice(READERS[model], pace=0.0)
    port.plug(device)
    machine.call(reader.await_readers, count=1)
    machine.call(reader.open_reader, exchange_s=PATIENT_S)
    try:
        device.insert(Chip(document))
        assert machine.call(reader.await_card, within_s=10.0)
        found = machine.call(reader.read_chip, lines=list(document.lines))
    finally:
        machine.call(reader.close_reader)
        port.unplug()
        machine.call(reader.await_readers, count=0)
    assert found["access"] == access
    assert found["files"] == digests(document)


def test_a_card_is_told_as_it_comes_and_goes(machine: Machine, plugged: CcidDevice) -> None:
    assert machine.call(reader.card_present) is False
    assert machine.call(reader.await_card, within_s=0.5) is False
    plugged.insert(Chip(passport("BAC")))
    assert machine.call(reader.await_card, within_s=10.0) is True
    plugged.remove()
    assert machine.call(reader.card_present) is False


def test_a_reader_that_is_pulled_out_in_mid_read_serves_again_when_it_is_back(
    machine: Machine, port: Port, plugged: CcidDevice
) -> None:
    document = passport("BAC")
    plugged.insert(Chip(document))
    plugged.arm(Fault.UNPLUG, transfer=9)
    with pytest.raises(RaisedInsideError) as raised:
        machine.call(reader.read_chip, lines=list(document.lines))
    assert (raised.value.error, raised.value.code) == ("DeviceGone", "unplugged")
    machine.call(reader.await_readers, count=0)
    with pytest.raises(RaisedInsideError) as raised:
        machine.call(reader.open_reader)
    assert (raised.value.error, raised.value.code) == ("DeviceGone", "not_found")
    port.plug(plugged)
    machine.call(reader.await_readers, count=1)
    machine.call(reader.open_reader)
    found = machine.call(reader.read_chip, lines=list(document.lines))
    assert found["files"] == digests(document)


def test_a_reader_that_is_pulled_out_at_rest_is_gone_at_the_next_question(
    machine: Machine, port: Port, plugged: CcidDevice
) -> None:
    port.unplug()
    machine.call(reader.await_readers, count=0)
    with pytest.raises(RaisedInsideError) as raised:
        machine.call(reader.card_present)
    assert (raised.value.error, raised.value.code) == ("DeviceGone", "unplugged")
    assert plugged.device_descriptor


def test_a_reader_that_answers_nothing_any_more_is_silent_and_not_waited_for(
    machine: Machine, plugged: CcidDevice
) -> None:
    document = passport("BAC")
    plugged.insert(Chip(document))
    plugged.arm(Fault.FREEZE, transfer=5)
    with pytest.raises(RaisedInsideError) as raised:
        machine.call(reader.read_chip, lines=list(document.lines))
    assert raised.value.error in {"DeviceTimeout", "DeviceGone"}
