"""The chip's lane: real driver, real pyusb, a simulated reader with a simulated passport."""

from collections.abc import Iterator
from datetime import UTC, datetime

import pytest

from drivers.chip_reader import CcidChipReader
from gated.core import events as ev
from gated.core.checks import Result, overall
from gated.core.settings.readers import ChipReaderSettings
from gated.core.vocabulary import Advice
from gated.document import mrz
from gated.document.trust.store import TrustStore
from gated.lanes import chip as module
from gated.lanes.chip import ChipLane
from gated.lanes.dossier import Dossiers
from hw_sim.passport import issuer
from hw_sim.passport.chip import Behaviour, Chip
from hw_sim.reader.ccid_device import CcidDevice, Fault
from hw_sim.reader.usb_backend import BusBackend
from hw_sim.reader.usb_bus import UsbBus
from tests.hw_sim.terminal import PHOTOGRAPH, UTOPIA, passport
from tests.lanes.rounds import PASSAGE, Posted, come_round, leave, rounds_until

JPEG = b"\xff\xd8\xff\xe0" + PHOTOGRAPH[2:]
GENUINE = passport(issuer.PACE_AND_BAC, JPEG)
TRUST = TrustStore.load([UTOPIA.master_list()], [], [UTOPIA.anchor])


class Bench:
    """A reader on a bus with its lane, and a passage whose page was read."""

    def __init__(
        self,
        posted: Posted,
        *,
        pace: float = 0.0,
        read_s: float = 20.0,
        exchange_s: float = 2.0,
        numbered: bool = False,
    ) -> None:
        self.posted = posted
        self.device = CcidDevice(pace=pace)
        self.bus = UsbBus(self.device)
        self.dossiers = Dossiers()
        self.dossiers.begin(PASSAGE, datetime(2026, 11, 23, 4, tzinfo=UTC))
        self.dossiers.put_mrz(PASSAGE, mrz.parse("\n".join(GENUINE.lines).encode()))
        reader = CcidChipReader(ChipReaderSettings(exchange_s=exchange_s), BusBackend(self.bus))
        self.lane = ChipLane(reader, TRUST, self.dossiers, read_s, posted, numbered=lambda _: numbered)
        come_round(self.lane.lane)
        assert posted.kinds() == ["DeviceReady"]
        posted.clear()

    def read(self, chip: Chip) -> None:
        self.device.insert(chip)
        self.lane.read(PASSAGE)
        come_round(self.lane.lane)


@pytest.fixture
def bench(posted: Posted, monkeypatch: pytest.MonkeyPatch) -> Iterator[Bench]:
    monkeypatch.setattr(module, "AWAIT_CARD_S", 0.1)
    one = Bench(posted)
    yield one
    leave(one.lane.lane)


def failed(posted: Posted) -> str:
    assert isinstance(posted[0], ev.ChipFailed)
    assert posted[0].passage == PASSAGE
    return posted[0].reason


def advised(posted: Posted) -> list[Advice | None]:
    return [event.advice for event in posted.of(ev.PlacementAdvised)]


def test_a_genuine_chip_is_read_and_checked(bench: Bench) -> None:
    chip = Chip(GENUINE)
    bench.read(chip)
    (read,) = bench.posted
    assert isinstance(read, ev.ChipRead)
    assert (read.passage, read.access) == (PASSAGE, "PACE-ECDH-GM-AES-128")
    assert overall(read.checks) is Result.SUCCESSFUL
    assert len(read.signer) == len(read.csca) == 64
    assert (read.access_reason, read.proof) == ("", "")
    assert 0 < read.duration_s < 60
    assert read.checks[-1].name == "photograph"
    image = bench.dossiers.take_photograph(PASSAGE)
    assert image is not None
    assert image.reveal() == JPEG


def test_a_photograph_that_is_none_is_a_failed_check(bench: Bench) -> None:
    bench.read(Chip(passport(issuer.PACE_AND_BAC, issuer.NOT_AN_IMAGE)))
    (read,) = bench.posted
    assert isinstance(read, ev.ChipRead)
    assert (read.checks[-1].result, read.checks[-1].reason) == (Result.FAILED, "dg2_not_an_image")
    assert bench.dossiers.take_photograph(PASSAGE) is None


def test_without_a_card_the_read_fails(bench: Bench) -> None:
    bench.lane.read(PASSAGE)
    come_round(bench.lane.lane)
    assert failed(bench.posted) == "no_card"
    assert bench.posted.kinds() == ["ChipFailed", "PlacementAdvised"]  # the reader is well
    assert advised(bench.posted) == [Advice.PUSH_INTO_CORNER]


def test_a_card_that_is_taken_away_fails_the_read_and_the_next_one_is_whole(bench: Bench) -> None:
    bench.read(Chip(GENUINE, Behaviour(lost_at=14)))
    assert failed(bench.posted) == "card_mute"
    assert advised(bench.posted) == [Advice.HOLD_STILL]
    bench.posted.clear()
    bench.read(Chip(GENUINE))
    assert bench.posted.kinds() == ["ChipRead"]


def test_a_chip_that_never_answers_is_not_a_matter_of_placement(bench: Bench) -> None:
    bench.read(Chip(GENUINE, Behaviour(mute=True)))
    assert failed(bench.posted) == "card_mute"
    assert len(bench.posted) == 1


def test_a_chip_that_lies_is_named_by_its_fault(bench: Bench) -> None:
    bench.read(Chip(GENUINE, Behaviour(distorts="wrong_mac")))
    assert failed(bench.posted)
    assert len(bench.posted) == 1


def test_a_reader_that_goes_in_mid_read_is_a_fault_until_it_is_back(bench: Bench) -> None:
    bench.device.arm(Fault.UNPLUG, transfer=8)
    bench.read(Chip(GENUINE))
    failed(bench.posted)
    assert bench.posted.faults()
    assert not bench.lane.condition.is_ready
    bench.bus.plug(bench.device)
    rounds_until(bench.lane.lane, lambda: bench.lane.condition.is_ready)
    bench.posted.clear()
    bench.read(Chip(GENUINE))
    assert bench.posted.kinds() == ["ChipRead"]


def test_a_reader_that_goes_while_idle_is_told_once(bench: Bench) -> None:
    bench.bus.unplug(bench.device)
    come_round(bench.lane.lane)
    assert len(bench.posted.faults()) == 1
    for _ in range(5):
        come_round(bench.lane.lane)
    assert bench.posted.faults() == ["unplugged", "not_found"]
    bench.bus.plug(bench.device)
    rounds_until(bench.lane.lane, lambda: bench.lane.condition.is_ready)


def test_a_read_from_a_reader_that_is_away_does_not_hide_why_it_is(bench: Bench) -> None:
    bench.device.arm(Fault.UNPLUG, transfer=3)
    bench.read(Chip(GENUINE))
    bench.lane.read(PASSAGE)
    come_round(bench.lane.lane)
    assert [event.reason for event in bench.posted.of(ev.ChipFailed)] == ["unplugged", "not_open"]
    assert bench.posted.faults() == ["unplugged", "not_found"]


def test_a_garbled_exchange_fails_the_read_and_the_reader_is_kept(bench: Bench) -> None:
    bench.device.arm(Fault.GARBAGE, transfer=5)
    bench.read(Chip(GENUINE))
    failed(bench.posted)
    assert bench.posted.kinds() == ["ChipFailed", "FaultRaised", "DeviceReady"]


def test_a_chip_that_takes_its_time_for_ever_takes_nothing_from_the_reader(
    posted: Posted, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "AWAIT_CARD_S", 0.1)
    bench = Bench(posted, exchange_s=0.2)
    bench.device.arm(Fault.ENDLESS_EXTENSION, transfer=6)
    bench.read(Chip(GENUINE))
    assert failed(posted) == "chip_too_slow"
    posted.clear()
    bench.read(Chip(GENUINE))
    assert posted.kinds() == ["ChipRead"]
    leave(bench.lane.lane)


def test_a_read_ends_when_its_time_is_over_and_says_that_it_lives(
    posted: Posted, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "AWAIT_CARD_S", 0.1)
    bench = Bench(posted, pace=1.0, read_s=0.15)
    bench.lane.lane._came_round = 0.0
    bench.read(Chip(GENUINE))
    assert failed(posted) == "chip_too_slow"
    assert len(posted) == 1
    assert bench.lane.lane.is_well()
    leave(bench.lane.lane)


def test_nothing_is_read_for_a_passage_that_ended(bench: Bench) -> None:
    bench.dossiers.end(PASSAGE)
    bench.read(Chip(GENUINE))
    assert bench.posted == []


def test_the_end_gives_the_reader_back(bench: Bench) -> None:
    bench.read(Chip(GENUINE))
    leave(bench.lane.lane)
    other = CcidChipReader(ChipReaderSettings(), BusBackend(bench.bus))
    other.open()  # claims it
    other.close()
