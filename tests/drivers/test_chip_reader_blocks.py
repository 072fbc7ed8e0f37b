"""The reader driver on readers that leave T=1 to the host, have several slots, or hold two cards at once."""

import time
from threading import Timer

import pytest

from drivers import ccid_slot
from drivers.chip_reader import CcidChipReader
from gated.core.ports import CardGone, DeviceError, DeviceGone
from gated.core.settings.readers import ChipReaderSettings
from hw_sim.passport.chip import NoAnswer
from hw_sim.reader.ccid_device import CcidDevice
from hw_sim.reader.reader_model import (
    ALL_AUTOMATIC,
    BY_ATR,
    LEFT_TO_HOST,
    NEGOTIATES,
    PPS,
    Exchange,
    Fault,
    ReaderModel,
)
from hw_sim.reader.t1_card import Habits
from hw_sim.reader.usb_backend import BusBackend
from hw_sim.reader.usb_bus import UsbBus

TPDU = ReaderModel(exchange=Exchange.TPDU, max_message=271, features=LEFT_TO_HOST)
PLAIN = Habits()
READ = bytes.fromhex("00b0000000")
CONTACTLESS = bytes.fromhex("3b 80 80 01 01")
QUICK = bytes.fromhex("3b 80 80 21 0d 2c")  # T=0 and T=1, BWI 0: a waiting time of 0.1 s
ONLY_T0 = bytes.fromhex("3b 00")


class Sheet:
    """A card that returns as many zero bytes as bytes 5 and 6 of the command say."""

    def __init__(self, atr: bytes = CONTACTLESS) -> None:
        self.atr = atr
        self.busy = 0.0
        self.mute = False
        self.seen: list[bytes] = []

    def reset(self) -> None:
        if self.mute:
            raise NoAnswer

    def command(self, apdu: bytes) -> bytes:
        self.seen.append(apdu)
        if self.mute:
            raise NoAnswer
        return bytes(int.from_bytes(apdu[5:7], "big")) + b"\x90\x00"

    def busy_s(self, command: bytes, response: bytes) -> float:  # noqa: ARG002 - the same for all
        return self.busy


def wanting(size: int, length: int = 7) -> bytes:
    return READ + size.to_bytes(2, "big") + bytes(length - 7)


class Bench:
    """A reader on a bus with a card on it, and its driver."""

    def __init__(
        self,
        model: ReaderModel = TPDU,
        *,
        atr: bytes = CONTACTLESS,
        habits: Habits = PLAIN,
        pace: float = 0.0,
        **settings: int,
    ) -> None:
        self.device = CcidDevice(model, pace=pace)
        self.device.habits = habits
        self.bus = UsbBus(self.device)
        self.card = Sheet(atr)
        self.device.insert(self.card)
        self.reader = CcidChipReader(
            ChipReaderSettings(exchange_s=3.0, **settings),  # type: ignore[arg-type]  # its own fields
            BusBackend(self.bus),
        )

    def ready(self) -> CcidChipReader:
        self.reader.open()
        self.reader.connect()
        return self.reader


@pytest.mark.parametrize("packet", [64, 512])
@pytest.mark.parametrize(
    "features", [LEFT_TO_HOST, LEFT_TO_HOST | PPS, LEFT_TO_HOST | NEGOTIATES, ALL_AUTOMATIC], ids=hex
)
def test_every_length_is_carried_whatever_the_reader_leaves_to_the_host(features: int, packet: int) -> None:
    bench = Bench(ReaderModel(exchange=Exchange.TPDU, max_message=271, features=features, packet=packet))
    reader = bench.ready()
    for size in (0, 1, 30, 31, 32, 252, 253, 254, 256, 510, 4000, 65_535):
        assert reader.transceive(wanting(size)) == bytes(size) + b"\x90\x00"
    for length in (7, 32, 33, 64, 65, 254, 255, 261, 4000, 65_544):
        reader.transceive(wanting(0, length))
        assert len(bench.card.seen[-1]) == length
    reader.close()


def test_the_parameters_of_the_atr_are_set_in_the_reader() -> None:
    bench = Bench(atr=QUICK)
    bench.ready()
    assert bench.device.parameters == bytes.fromhex("11 10 00 0d 00 20 00")


def test_blocks_with_crc_where_the_atr_says_so() -> None:
    bench = Bench(atr=bytes.fromhex("3b 80 80 41 01 40"), habits=Habits(crc=True))
    assert bench.ready().transceive(wanting(300)) == bytes(300) + b"\x90\x00"
    assert bench.device.parameters[1] == 0x11


def test_blocks_fit_a_reader_with_small_messages() -> None:
    bench = Bench(ReaderModel(exchange=Exchange.TPDU, max_message=64, features=LEFT_TO_HOST))
    reader = bench.ready()
    assert reader.transceive(wanting(500, 400)) == bytes(500) + b"\x90\x00"


def test_an_apdu_level_reader_that_wants_parameters_gets_them() -> None:
    for exchange in (Exchange.SHORT_APDU, Exchange.EXTENDED_APDU):
        bench = Bench(ReaderModel(exchange=exchange, max_message=271, features=LEFT_TO_HOST))
        assert bench.ready().transceive(wanting(9)) == bytes(9) + b"\x90\x00"
        assert len(bench.device.parameters) == 7
        spared = Bench(ReaderModel(exchange=exchange, max_message=271, features=LEFT_TO_HOST | BY_ATR))
        spared.ready()
        assert spared.device.parameters == b""


def test_a_reader_without_parameters_serves_only_if_it_carries_whole_apdus() -> None:
    for exchange in (Exchange.SHORT_APDU, Exchange.EXTENDED_APDU):
        model = ReaderModel(exchange=exchange, max_message=271, features=LEFT_TO_HOST, sets_parameters=False)
        assert Bench(model).ready().transceive(wanting(9)) == bytes(9) + b"\x90\x00"
    blocks = ReaderModel(
        exchange=Exchange.TPDU, max_message=271, features=LEFT_TO_HOST, sets_parameters=False
    )
    with pytest.raises(DeviceError, match="command_not_supported"):
        Bench(blocks).ready()


@pytest.mark.parametrize("fault", [Fault.LOST_TO_CARD, Fault.LOST_TO_HOST, Fault.PARITY, Fault.NO_BLOCK])
@pytest.mark.parametrize("nth", [1, 2, 3, 4])
def test_a_block_that_is_lost_on_the_way_is_sent_again(fault: Fault, nth: int) -> None:
    bench = Bench()
    reader = bench.ready()
    bench.device.arm(fault, transfer=nth)
    assert reader.transceive(wanting(400, 60)) == bytes(400) + b"\x90\x00"
    assert len(bench.card.seen) == 1
    reader.close()


def test_a_line_that_stays_bad_is_a_lost_card_until_it_is_powered_again() -> None:
    bench = Bench()
    reader = bench.ready()
    for nth in range(1, 10):
        bench.device.arm(Fault.LOST_TO_HOST, transfer=nth)
    with pytest.raises(CardGone, match="link_lost"):
        reader.transceive(READ + bytes(2))
    with pytest.raises(CardGone, match="link_lost"):
        reader.transceive(READ + bytes(2))
    bench.device._faults.clear()
    reader.connect()
    assert reader.transceive(wanting(3)) == bytes(3) + b"\x90\x00"


def test_the_card_is_given_the_time_it_asks_for() -> None:
    bench = Bench(atr=QUICK, habits=Habits(bwi=0), pace=1.0)
    bench.card.busy = 0.35  # four waiting times
    reader = bench.ready()
    started = time.monotonic()
    assert reader.transceive(wanting(1)) == b"\x00\x90\x00"
    assert 0.35 <= time.monotonic() - started < 2.0


def test_a_chain_that_the_card_gives_up_is_no_lost_card() -> None:
    bench = Bench(habits=Habits(gives_up_at=2))
    reader = bench.ready()
    with pytest.raises(CardGone, match="chain_aborted"):
        reader.transceive(wanting(0, 90))
    assert reader.transceive(wanting(2)) == b"\x00\x00\x90\x00"


def test_a_card_that_dies_is_told_from_a_card_that_was_taken_away() -> None:
    bench = Bench()
    reader = bench.ready()
    bench.card.mute = True
    with pytest.raises(CardGone, match="card_mute"):
        reader.transceive(READ + bytes(2))
    bench.card.mute = False
    reader.connect()
    bench.device.remove()
    with pytest.raises(CardGone, match="card_removed"):
        reader.transceive(READ + bytes(2))


def test_a_card_taken_away_while_it_works() -> None:
    bench = Bench(atr=QUICK, habits=Habits(bwi=0), pace=1.0)
    bench.card.busy = 2.0
    reader = bench.ready()
    Timer(0.1, bench.device.remove).start()
    with pytest.raises(CardGone, match="card_removed"):
        reader.transceive(READ + bytes(2))


def test_unplugged_in_the_middle_of_a_chain_and_plugged_in_again() -> None:
    bench = Bench()
    reader = bench.ready()
    bench.device.arm(Fault.UNPLUG, transfer=3)
    with pytest.raises(DeviceGone, match="unplugged"):
        reader.transceive(wanting(0, 200))
    bench.bus.plug(bench.device)
    reader.open()
    with pytest.raises(CardGone, match="not_connected"):
        reader.transceive(READ)
    reader.connect()
    assert reader.transceive(wanting(0, 200)) == b"\x90\x00"


def test_a_hanging_reader_ends_at_the_deadline_and_serves_again() -> None:
    bench = Bench()
    reader = CcidChipReader(ChipReaderSettings(exchange_s=0.3), BusBackend(bench.bus))
    reader.open()
    reader.connect()
    bench.device.arm(Fault.ENDLESS_EXTENSION)
    with pytest.raises(CardGone, match="chip_too_slow"):
        reader.transceive(READ + bytes(2))
    reader.connect()
    assert reader.transceive(wanting(5)) == bytes(5) + b"\x90\x00"


@pytest.mark.parametrize(
    ("atr", "code"),
    [
        (ONLY_T0, "card_without_t1"),
        (b"\x3b\x80\x80\x01\x02", "atr_check_character"),
        (b"", "atr_length"),
    ],
)
def test_a_card_that_cannot_speak_t1_is_no_fault_of_the_reader(atr: bytes, code: str) -> None:
    bench = Bench(atr=atr)
    bench.reader.open()
    with pytest.raises(CardGone, match=code):
        bench.reader.connect()


def test_a_card_that_refuses_the_protocol() -> None:
    bench = Bench(ReaderModel(exchange=Exchange.TPDU, max_message=271, features=LEFT_TO_HOST | PPS))
    assert bench.ready().transceive(wanting(1)) == b"\x00\x90\x00"  # the reader selects: no PPS of ours
    other = Bench()
    other.device.arm(Fault.LOST_TO_HOST)
    other.reader.open()
    with pytest.raises(CardGone, match="protocol_refused"):
        other.reader.connect()


# slots and interfaces


def test_the_slot_with_the_antenna_is_chosen_by_its_number() -> None:
    model = ReaderModel(slots=3, slot=1)
    bench = Bench(model, slot=1)
    assert bench.ready().transceive(wanting(4)) == bytes(4) + b"\x90\x00"
    wrong = Bench(model)
    wrong.reader.open()
    assert not wrong.reader.card_present()
    with pytest.raises(CardGone, match="no_card"):
        wrong.reader.connect()


def test_a_slot_that_there_is_not_names_the_fix() -> None:
    with pytest.raises(DeviceError, match=r"no_such_slot.*\[chip_reader\] slot to a number from 0 to 1"):
        Bench(ReaderModel(slots=2), slot=2).reader.open()


def test_a_change_of_the_chosen_slot_wakes_who_waits() -> None:
    bench = Bench(ReaderModel(slots=6, slot=5), slot=5)
    bench.device.remove()
    bench.reader.open()
    assert not bench.reader.await_card(0.1)
    Timer(0.05, bench.device.insert, [bench.card]).start()
    started = time.monotonic()
    assert bench.reader.await_card(3.0)
    assert time.monotonic() - started < 0.9


def test_changes_of_other_slots_do_not_wake_who_waits_for_this_one() -> None:
    bench = Bench(ReaderModel(slots=2))
    bench.device.remove()
    bench.reader.open()
    with bench.device.changed:
        bench.device._events.extend([b"\x50\x0c", b"\x50\x08"])
    started = time.monotonic()
    assert not bench.reader.await_card(0.3)
    assert time.monotonic() - started >= 0.3


def test_a_garbled_event_is_told() -> None:
    bench = Bench()
    bench.device.remove()
    bench.reader.open()
    with bench.device.changed:
        bench.device._events.clear()
        bench.device._events.append(b"\x99\x01")
    with pytest.raises(DeviceError, match="garbled_event"):
        bench.reader.await_card(1.0)


def test_an_event_that_was_missed_is_made_good_by_looking(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ccid_slot, "LOOK_S", 0.1)
    bench = Bench()
    bench.device.remove()
    bench.reader.open()

    def lay_down_unnoticed() -> None:
        bench.device.insert(bench.card)
        bench.device._events.clear()

    Timer(0.05, lay_down_unnoticed).start()
    assert bench.reader.await_card(2.0)


def test_an_abort_speaks_for_the_chosen_slot() -> None:
    bench = Bench(ReaderModel(slots=2, slot=1), slot=1)
    reader = CcidChipReader(ChipReaderSettings(exchange_s=0.3, slot=1), BusBackend(bench.bus))
    reader.open()
    reader.connect()
    bench.device.arm(Fault.ENDLESS_EXTENSION)
    with pytest.raises(CardGone, match="chip_too_slow"):
        reader.transceive(READ)
    assert reader.transceive(wanting(5)) == bytes(5) + b"\x90\x00"


def test_the_second_ccid_interface_of_a_reader_for_both_kinds_of_cards() -> None:
    model = ReaderModel(companion=True)
    assert Bench(model, ccid_interface=1).ready().transceive(wanting(4)) == bytes(4) + b"\x90\x00"
    with pytest.raises(DeviceGone, match="not_found"):
        Bench(ReaderModel(), ccid_interface=1).reader.open()


# two cards


def test_two_cards_are_named_where_the_reader_has_a_number_for_them() -> None:
    bench = Bench(ReaderModel(two_cards_error=0xC0), two_cards_error=0xC0)
    bench.device.insert_second(Sheet())
    bench.reader.open()
    with pytest.raises(CardGone, match=r"two_cards.*one document"):
        bench.reader.connect()
    bench.device.insert(bench.card)
    assert bench.ready().transceive(wanting(4)) == bytes(4) + b"\x90\x00"


def test_cards_that_disturb_each_other_are_told_from_a_mute_one() -> None:
    bench = Bench(ReaderModel(two_cards_error=0xFD))
    bench.device.insert_second(Sheet())
    bench.reader.open()
    with pytest.raises(CardGone, match=r"parity_error.*one document"):
        bench.reader.connect()
