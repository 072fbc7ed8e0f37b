"""The reader driver on simulated readers: real driver, real pyusb, every way in which it can go wrong."""

import time
from collections.abc import Iterator
from threading import Timer

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from drivers.chip_reader import CcidChipReader
from gated.core.ports import CardGone, DeviceError, DeviceGone, DeviceTimeout, Limits
from gated.core.settings.readers import ChipReaderSettings
from hw_sim.passport.chip import NoAnswer
from hw_sim.reader.ccid_device import CcidDevice
from hw_sim.reader.reader_model import Exchange, Fault, ReaderModel
from hw_sim.reader.usb_backend import BusBackend
from hw_sim.reader.usb_bus import UsbBus

EXCHANGE_S = 0.3
PLAIN = ReaderModel()
SHORT = ReaderModel(exchange=Exchange.SHORT_APDU, max_message=271)
SMALL = ReaderModel(max_message=271)
READ = bytes.fromhex("00b0000000")


class Sheet:
    """A card that returns as many zero bytes as the first data bytes or Le of the command say."""

    atr = bytes.fromhex("3b8880010000000000000000 09".replace(" ", ""))

    def __init__(self, busy: float = 0.0) -> None:
        self.busy = busy
        self.mute = False
        self.resets = 0
        self.seen: list[bytes] = []

    def reset(self) -> None:
        self.resets += 1
        if self.mute:
            raise NoAnswer

    def command(self, apdu: bytes) -> bytes:
        self.seen.append(apdu)
        if self.mute:
            raise NoAnswer
        size = int.from_bytes(apdu[5:7], "big") if len(apdu) > 5 else apdu[4]
        return bytes(size) + b"\x90\x00"

    def busy_s(self, command: bytes, response: bytes) -> float:  # noqa: ARG002 - the same for all
        return self.busy


def wanting(size: int, length: int = 7) -> bytes:
    return bytes.fromhex("00b0000000") + size.to_bytes(2, "big") + bytes(length - 7)


class Bench:
    """A reader on a bus, with its driver."""

    def __init__(self, model: ReaderModel, settings: ChipReaderSettings, *, pace: float) -> None:
        self.device = CcidDevice(model, pace=pace)
        self.bus = UsbBus(self.device)
        self.card = Sheet()
        self.reader = CcidChipReader(settings, BusBackend(self.bus))

    def ready(self) -> CcidChipReader:
        self.device.insert(self.card)
        self.reader.open()
        self.reader.connect()
        return self.reader


def bench(model: ReaderModel = PLAIN, *, pace: float = 0.0, exchange_s: float = EXCHANGE_S) -> Bench:
    return Bench(model, ChipReaderSettings(exchange_s=exchange_s), pace=pace)


@pytest.fixture
def plain() -> Iterator[Bench]:
    one = bench()
    yield one
    one.reader.close()


@pytest.mark.parametrize(
    "model",
    [ReaderModel(), SMALL, SHORT, ReaderModel(packet=64), ReaderModel(packet=64, closing_packet=True)],
)
def test_every_length_is_carried(model: ReaderModel) -> None:
    one = bench(model, exchange_s=5.0)
    reader = one.ready()
    sizes = [0, 1, 52, 116, 244, 249, 250, 254, 256]
    if model.exchange is Exchange.EXTENDED_APDU:
        sizes += [257, 259, 260, 500, 502, 1012, 1014, 4000, 65_534, 65_535]
    for size in sizes:
        assert reader.transceive(wanting(size)) == bytes(size) + b"\x90\x00"
    for length in (4, 5, 54, 118, 246, 261, *([262, 502, 65_544] if len(sizes) > 9 else [])):
        apdu = wanting(0, length) if length >= 7 else bytes(length)
        reader.transceive(apdu.ljust(5, b"\0"))
        assert one.card.seen[-1] == apdu.ljust(5, b"\0")
    reader.close()


@pytest.mark.parametrize(
    ("model", "command", "response"),
    [
        (ReaderModel(), 65_544, 65_536),
        (SMALL, 65_544, 65_536),
        (SHORT, 261, 256),
        (ReaderModel(exchange=Exchange.SHORT_APDU, max_message=263), 253, 251),  # the readers of one maker
        (ReaderModel(exchange=Exchange.SHORT_APDU, max_message=271, declared_message=65_558), 261, 256),
        (ReaderModel(exchange=Exchange.TPDU, max_message=271), 65_544, 65_536),
    ],
)
def test_the_limits_are_what_the_reader_carries(model: ReaderModel, command: int, response: int) -> None:
    one = bench(model, exchange_s=10.0)
    reader = one.ready()
    assert reader.limits == Limits(max_command=command, max_response=response)
    assert len(reader.transceive(wanting(min(response, 65_535)))) == min(response, 65_535) + 2
    reader.transceive(wanting(0, command))
    assert len(one.card.seen[-1]) == command
    reader.close()


def test_character_level_reader_is_refused_by_name_and_released() -> None:
    one = bench(ReaderModel(exchange=Exchange.CHARACTER, max_message=271))
    with pytest.raises(DeviceError, match=r"character_level_reader.*use a reader whose exchange level"):
        one.reader.open()
    assert not one.reader.is_open
    other = one.bus.open(2, "other")
    one.bus.claim(other, 0)


def test_short_apdu_reader_refuses_a_long_command() -> None:
    reader = bench(SHORT).ready()
    with pytest.raises(DeviceError, match="short_apdus_only"):
        reader.transceive(wanting(0, 262))


def test_short_apdu_reader_reports_overrun_as_a_lost_card() -> None:
    reader = bench(SHORT).ready()
    with pytest.raises(CardGone, match="overrun"):
        reader.transceive(wanting(300))


@pytest.mark.parametrize("apdu", [b"", b"\x00\xb0\x00", bytes(70_000)])
def test_what_is_no_apdu_is_a_programming_error(plain: Bench, apdu: bytes) -> None:
    with pytest.raises(ValueError, match="command APDU"):
        plain.ready().transceive(apdu)


def test_connect_resets_the_card_each_time(plain: Bench) -> None:
    reader = plain.ready()
    reader.connect()
    assert plain.card.resets == 2


def test_connecting_tells_the_historical_bytes(plain: Bench) -> None:
    plain.device.insert(plain.card)
    plain.reader.open()
    assert plain.reader.connect() == bytes(8)
    plain.card.atr = b"\x3b\xff"  # this reader carries whole APDUs: its ATR need not make sense
    assert plain.reader.connect() == b""


def test_empty_slot(plain: Bench) -> None:
    plain.reader.open()
    assert not plain.reader.card_present()
    with pytest.raises(CardGone, match="no_card"):
        plain.reader.connect()


def test_mute_card(plain: Bench) -> None:
    plain.card.mute = True
    plain.device.insert(plain.card)
    plain.reader.open()
    with pytest.raises(CardGone, match="card_mute"):
        plain.reader.connect()


def test_card_that_dies_in_mid_read_and_comes_back(plain: Bench) -> None:
    reader = plain.ready()
    plain.card.mute = True
    with pytest.raises(CardGone, match="card_mute"):
        reader.transceive(READ)
    with pytest.raises(CardGone):
        reader.transceive(READ)
    plain.card.mute = False
    reader.connect()
    assert reader.transceive(READ) == b"\x90\x00"


def test_card_taken_away_between_commands(plain: Bench) -> None:
    reader = plain.ready()
    plain.device.remove()
    with pytest.raises(CardGone, match="card_removed"):
        reader.transceive(READ)


def test_card_taken_away_while_it_works() -> None:
    one = bench(pace=1.0, exchange_s=5.0)
    one.card.busy = 3.0
    reader = one.ready()
    Timer(0.05, one.device.remove).start()
    started = time.monotonic()
    with pytest.raises(CardGone, match="card_removed"):
        reader.transceive(READ)
    assert time.monotonic() - started < 1.0


def test_disconnect_cuts_the_power_and_never_raises(plain: Bench) -> None:
    reader = plain.ready()
    reader.disconnect()
    with pytest.raises(CardGone):
        reader.transceive(READ)
    plain.bus.unplug(plain.device)
    reader.disconnect()
    reader.close()
    reader.close()
    reader.disconnect()


def test_await_card_wakes_on_the_event(plain: Bench) -> None:
    plain.reader.open()
    Timer(0.05, plain.device.insert, [plain.card]).start()
    started = time.monotonic()
    assert plain.reader.await_card(3.0)
    assert time.monotonic() - started < 1.0


@pytest.mark.parametrize("events", [True, False])
def test_await_card_gives_up_in_time(*, events: bool) -> None:
    one = bench(ReaderModel(events=events))
    one.reader.open()
    started = time.monotonic()
    assert not one.reader.await_card(0.1)
    assert 0.1 <= time.monotonic() - started < 0.5
    one.device.insert(one.card)
    assert one.reader.await_card(0.1)


def test_time_extensions_are_waited_through() -> None:
    one = bench(pace=1.0, exchange_s=3.0)
    one.card.busy = 0.7
    reader = one.ready()
    started = time.monotonic()
    assert reader.transceive(READ) == b"\x90\x00"
    assert 0.7 <= time.monotonic() - started < 1.2


def test_a_card_that_wants_more_time_for_ever_is_no_fault_of_the_reader(plain: Bench) -> None:
    reader = plain.ready()
    plain.device.arm(Fault.ENDLESS_EXTENSION)
    started = time.monotonic()
    with pytest.raises(CardGone, match="chip_too_slow"):
        reader.transceive(READ)
    assert EXCHANGE_S <= time.monotonic() - started < EXCHANGE_S + 0.3


@pytest.mark.parametrize("fault", [Fault.FREEZE, Fault.WRONG_SEQUENCE, Fault.WRONG_SLOT])
def test_no_answer_ends_at_the_deadline(plain: Bench, fault: Fault) -> None:
    reader = plain.ready()
    plain.device.arm(fault)
    started = time.monotonic()
    with pytest.raises(DeviceTimeout):
        reader.transceive(READ)
    assert EXCHANGE_S <= time.monotonic() - started < EXCHANGE_S + 0.3


@pytest.mark.parametrize("fault", [Fault.ENDLESS_EXTENSION, Fault.WRONG_SEQUENCE, Fault.GARBAGE])
@pytest.mark.parametrize("aborts", [True, False])
def test_the_reader_serves_again_after_a_fault(fault: Fault, *, aborts: bool) -> None:
    one = bench(ReaderModel(aborts=aborts))
    reader = one.ready()
    one.device.arm(fault)
    with pytest.raises(DeviceError):
        reader.transceive(READ)
    assert reader.transceive(wanting(9)) == bytes(9) + b"\x90\x00"


def test_garbage_is_told_apart_from_silence(plain: Bench) -> None:
    reader = plain.ready()
    plain.device.arm(Fault.GARBAGE)
    with pytest.raises(DeviceError, match="garbled_reply") as caught:
        reader.transceive(READ)
    assert not isinstance(caught.value, DeviceGone | DeviceTimeout | CardGone)


def test_a_late_reply_is_not_taken_for_the_next_one() -> None:
    one = bench(pace=1.0)
    reader = one.ready()
    one.card.busy = 0.4
    with pytest.raises(CardGone, match="chip_too_slow"):
        reader.transceive(wanting(33))
    one.card.busy = 0.0
    time.sleep(0.15)
    assert reader.transceive(wanting(7)) == bytes(7) + b"\x90\x00"


def test_a_frozen_reader_is_cured_by_plugging_it_in_again(plain: Bench) -> None:
    reader = plain.ready()
    plain.device.arm(Fault.FREEZE)
    for code in ("silent", "frozen"):
        with pytest.raises(DeviceTimeout, match=code):
            reader.transceive(READ)
    with pytest.raises(DeviceTimeout):
        reader.open()
    plain.bus.unplug(plain.device)
    plain.bus.plug(plain.device)
    reader.open()
    reader.connect()
    assert reader.transceive(READ) == b"\x90\x00"


@pytest.mark.parametrize("nth", [1, 2, 5])
def test_unplugged_in_mid_read_and_plugged_in_again(plain: Bench, nth: int) -> None:
    reader = plain.ready()
    plain.device.arm(Fault.UNPLUG, transfer=nth)
    for _ in range(nth - 1):
        reader.transceive(READ)
    with pytest.raises(DeviceGone, match="unplugged"):
        reader.transceive(READ)
    with pytest.raises(DeviceGone):
        reader.card_present()
    with pytest.raises(DeviceGone, match=r"not_found.*\[chip_reader\]"):
        reader.open()
    plain.bus.plug(plain.device)
    reader.open()
    reader.connect()
    assert reader.transceive(READ) == b"\x90\x00"


def test_two_readers_of_one_model_are_told_apart_by_where_they_are_plugged_in() -> None:
    left, right = CcidDevice(), CcidDevice()
    bus = UsbBus(left, right)
    left.insert(Sheet())
    places = [bus.place_of(device) for device in (left, right)]
    readers = [CcidChipReader(ChipReaderSettings(usb_path=place), BusBackend(bus)) for place in places]
    for reader in readers:
        reader.open()
    assert [reader.card_present() for reader in readers] == [True, False]
    bus.unplug(left)
    readers[1].card_present()
    with pytest.raises(DeviceGone):
        readers[0].card_present()
    with pytest.raises(DeviceGone, match=f"not_found.*plugged in at {places[0]}"):
        readers[0].open()
    bus.plug(left)
    readers[0].open()
    readers[0].await_card(0.1)
    assert len(set(places)) == 2


@pytest.mark.parametrize("nth", [1, 2, 3, 4, 5])
def test_unplugged_in_the_middle_of_a_chain_of_messages(nth: int) -> None:
    one = bench(SMALL)
    reader = one.ready()
    one.device.arm(Fault.UNPLUG, transfer=nth)
    with pytest.raises(DeviceGone, match="unplugged"):
        reader.transceive(wanting(600, 600))  # three messages there, three back
    one.bus.plug(one.device)
    reader.open()
    reader.connect()
    assert reader.transceive(wanting(600, 600)) == bytes(600) + b"\x90\x00"
    reader.close()


def test_unplugged_while_waiting_for_the_chip() -> None:
    one = bench(pace=1.0, exchange_s=5.0)
    one.card.busy = 3.0
    reader = one.ready()
    Timer(0.05, one.bus.unplug, [one.device]).start()
    started = time.monotonic()
    with pytest.raises(DeviceGone, match="unplugged"):
        reader.transceive(READ)
    assert time.monotonic() - started < 1.0


def test_unplugged_while_waiting_for_a_card(plain: Bench) -> None:
    plain.reader.open()
    Timer(0.05, plain.bus.unplug, [plain.device]).start()
    with pytest.raises(DeviceGone):
        plain.reader.await_card(3.0)


def test_a_closed_reader_says_so(plain: Bench) -> None:
    for ask in (plain.reader.card_present, plain.reader.connect, lambda: plain.reader.limits.max_response):
        with pytest.raises(DeviceGone, match="not_open"):
            ask()
    with pytest.raises(DeviceGone, match="not_open"):
        plain.reader.transceive(READ)


def test_found_by_its_ids_only() -> None:
    one = bench()
    reader = CcidChipReader(ChipReaderSettings(vendor_id=0x1234), BusBackend(one.bus))
    with pytest.raises(DeviceGone, match="not_found"):
        reader.open()
    reader = CcidChipReader(ChipReaderSettings(vendor_id=0x1209, product_id=0x0001), BusBackend(one.bus))
    reader.open()
    reader.close()


def test_a_reader_that_another_program_holds(plain: Bench) -> None:
    handle = plain.bus.open(2, "pcscd")
    plain.bus.claim(handle, 0)
    with pytest.raises(DeviceError, match=r"claimed_by_other.*pcscd"):
        plain.reader.open()
    plain.bus.drop_client("pcscd")
    plain.reader.open()


def test_a_kernel_driver_gives_way() -> None:
    one = bench()
    one.bus.unplug(one.device)
    one.bus.plug(one.device, kernel_driver=True)
    one.ready().close()


def test_a_device_without_rights_names_the_fix() -> None:
    one = bench()
    one.bus.unplug(one.device)
    one.bus.plug(one.device, rights=False)
    with pytest.raises(DeviceError, match=r"no_right.*udev"):
        one.reader.open()


def test_libusb_comes_with_its_wheel_and_looks_for_real_devices() -> None:
    reader = CcidChipReader(ChipReaderSettings(vendor_id=0xFFFF, product_id=0xFFFF))
    with pytest.raises(DeviceGone, match="not_found"):
        reader.open()


@pytest.mark.parametrize(
    ("fault", "kind", "code"),
    [
        (Fault.BROKEN_CHAIN, DeviceError, "response_chain_broken"),
        (Fault.HARDWARE, DeviceError, "hardware_error"),
        (Fault.SLOT_BUSY, DeviceTimeout, "slot_busy"),
    ],
)
def test_a_reader_that_refuses_once(plain: Bench, fault: Fault, kind: type[DeviceError], code: str) -> None:
    reader = plain.ready()
    plain.device.arm(fault)
    with pytest.raises(DeviceError, match=code) as caught:
        reader.transceive(READ)
    assert type(caught.value) is kind
    assert reader.transceive(READ) == b"\x90\x00"


def test_a_response_without_a_status_word(plain: Bench) -> None:
    plain.card.command = lambda _: b"\x90"  # type: ignore[method-assign]  # this card answers amiss
    with pytest.raises(CardGone, match="card_garbled"):
        plain.ready().transceive(READ)


def test_a_response_longer_than_an_apdu_can_be(plain: Bench) -> None:
    reader = plain.ready()
    plain.card.command = lambda _: bytes(65_539)  # type: ignore[method-assign]  # this card answers amiss
    with pytest.raises(CardGone, match="card_garbled"):
        reader.transceive(READ)


def test_a_reader_that_went_mad_under_a_killed_process_is_opened(plain: Bench) -> None:
    reader = plain.ready()
    plain.device.arm(Fault.ENDLESS_EXTENSION)
    with pytest.raises(CardGone):
        reader.transceive(READ)
    plain.bus.drop_client("local")
    other = CcidChipReader(ChipReaderSettings(), BusBackend(plain.bus, "other"))
    other.open()
    other.connect()
    assert other.transceive(READ) == b"\x90\x00"
    other.close()


def test_closing_gives_the_device_back(plain: Bench) -> None:
    plain.ready().close()
    other = CcidChipReader(ChipReaderSettings(), BusBackend(plain.bus, "other"))
    other.open()
    other.connect()
    other.close()


def test_errors_never_quote_the_card(plain: Bench) -> None:
    reader = plain.ready()
    plain.device.arm(Fault.GARBAGE)
    with pytest.raises(DeviceError) as caught:
        reader.transceive(b"\x00\xb0\x00\x00CANARY")
    assert "CANARY" not in repr(caught.value) + str(caught.value.__cause__)


def test_the_account_holds_the_modelled_time() -> None:
    one = bench()
    one.card.busy = 0.25
    reader = one.ready()
    one.device.start_account()
    reader.transceive(wanting(4000))
    spent = one.device.spent
    on_the_air = 4000 * 9 / 848_000
    assert spent.exchanges == 1
    assert 0.25 + on_the_air < spent.modelled_s < 0.25 + on_the_air * 1.15


@settings(max_examples=40, deadline=None)
@given(st.lists(st.binary(max_size=600), min_size=1, max_size=4))
def test_whatever_the_reader_sends_ends_in_a_response_or_a_device_error(noise: list[bytes]) -> None:
    one = bench(exchange_s=0.05)
    reader = one.ready()
    with one.device.changed:
        for piece in noise:
            one.device._answers.send(piece, 0.0)
    try:
        assert reader.transceive(READ) == b"\x90\x00"
    except DeviceError as error:
        assert error.device == "chip_reader"  # noqa: PT017 - either end is right
    reader.close()
