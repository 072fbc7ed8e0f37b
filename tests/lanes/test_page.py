"""The lane of the page camera: over the line of the vision process, whose far end is in the test's hand."""

import time
from collections.abc import Callable, Iterator
from pathlib import Path

import msgspec
import pytest
import zmq

from drivers.mrz_scanner import SerialMrzScanner
from gated.core import events as ev
from gated.core.settings.readers import MrzScannerSettings
from gated.core.vocabulary import Advice, Device
from gated.lanes import scanner as scanner_module
from gated.lanes.dossier import Dossiers
from gated.lanes.page import PageLane
from gated.lanes.scanner import ScannerLane
from gated.lanes.sight import SightLane
from gated.runtime import messages as say
from gated.runtime.bus import Peer
from gated.store.evidence import Evidence
from hw_sim.reader.scanner import PtyScanner
from tests.lanes.rounds import NEXT, PASSAGE, SOON_S, Posted, come_round, leave, rounds_until

# Doc 9303-4, appendix B
LINES = ("P<UTOERIKSSON<<ANNA<MARIA<<<<<<<<<<<<<<<<<<<", "L898902C36UTO7408122F1204159ZE184226B<<<<<10")
FORGED = (LINES[0], LINES[1].replace("C36", "C37"))


class Bench:
    """The lane, the line that it speaks over, and the far end."""

    def __init__(self, run: Path, dossiers: Dossiers, posted: Posted, *, coaches_only: bool = False) -> None:
        address = f"ipc://{run}/vision"
        self.posted = posted
        self.sight = SightLane(address, dossiers, Evidence(run / "evidence", keep=False), posted)
        self.lane = PageLane(self.sight, dossiers, posted, coaches_only=coaches_only)
        self.page_camera: str | None = "asleep"
        self.heard: list[say.Message] = []
        self.come_round()
        self.peer: Peer[say.ToVision] = Peer(address, say.ToVision, bind=False)
        self.pinged()
        self.until(lambda: self.sight.condition.is_ready)

    def pinged(self) -> None:
        """Let the line ask for a sign of life now."""
        self.sight._pinged_at = 0.0

    def come_round(self) -> None:
        come_round(self.sight.lane)

    def until(self, reached: Callable[[], bool]) -> None:
        """Let both ends work until something is true."""
        deadline = time.monotonic() + SOON_S
        while not reached():
            assert time.monotonic() < deadline, (self.heard, self.posted)
            self.come_round()
            while (message := self.peer.receive(0.0)) is not None:
                if isinstance(message, say.Ping):
                    camera = self.page_camera
                    self.peer.send(say.Pong(number=message.number, camera="asleep", page_camera=camera))
                else:
                    self.heard.append(message)

    def say(self, *messages: say.Message) -> None:
        """Let the far end say something, and be sure that it was heard."""
        for message in messages:
            assert self.peer.send(message)
        answered = self.sight._answered
        self.pinged()
        self.until(lambda: self.sight._answered > answered)

    def asked(self) -> None:
        """Have a page looked at."""
        self.lane.read(PASSAGE)
        self.until(lambda: bool(self.heard))
        self.posted.clear()

    def close(self) -> None:
        leave(self.sight.lane)
        self.peer.close()


def page_read(passage: str = PASSAGE, lines: tuple[str, ...] = LINES) -> say.PageRead:
    return say.PageRead(passage=passage, lines=lines, confidence=0.97)


def placed(advice: Advice | None, passage: str = PASSAGE) -> say.PagePlacement:
    return say.PagePlacement(passage=passage, advice=advice)


@pytest.fixture
def bench(run: Path, dossiers: Dossiers, posted: Posted) -> Iterator[Bench]:
    one = Bench(run, dossiers, posted)
    yield one
    one.close()


@pytest.fixture
def coach(run: Path, dossiers: Dossiers, posted: Posted) -> Iterator[Bench]:
    one = Bench(run, dossiers, posted, coaches_only=True)
    yield one
    one.close()


def test_what_is_asked_for_and_seen_is_read(bench: Bench, dossiers: Dossiers, posted: Posted) -> None:
    bench.asked()
    assert bench.heard == [say.ReadPage(passage=PASSAGE)]
    bench.say(page_read())
    (event,) = posted
    assert isinstance(event, ev.MrzRead)
    assert (event.passage, event.format) == (PASSAGE, "TD3")
    known = dossiers.mrz(PASSAGE)
    assert known is not None
    assert known[0].document_number == "L898902C3"


def test_advice_becomes_a_fact_when_it_changes(bench: Bench, posted: Posted) -> None:
    bench.asked()
    cut, still = Advice.PUSH_INTO_CORNER, Advice.HOLD_STILL
    bench.say(placed(cut), placed(cut), placed(None), placed(still), placed(still))
    assert [event.advice for event in posted.of(ev.PlacementAdvised)] == [cut, None, still]
    assert {event.passage for event in posted.of(ev.PlacementAdvised)} == {PASSAGE}


def test_lines_whose_check_digits_do_not_hold_are_refused_by_their_fault_and_asked_for_again(
    bench: Bench, dossiers: Dossiers, posted: Posted
) -> None:
    bench.asked()
    bench.say(page_read(lines=FORGED))
    (event,) = posted
    assert isinstance(event, ev.MrzFailed)
    assert (event.passage, event.reason) == (PASSAGE, "mrz_document_number_check_digit")
    assert dossiers.mrz(PASSAGE) is None
    bench.asked()
    bench.say(page_read())
    assert posted.kinds() == ["MrzRead"]


@pytest.mark.parametrize(
    "lines",
    [
        LINES[::-1],
        (LINES[0], LINES[0]),
        (LINES[1][:30],) * 3,
        ("<" * 44, "<" * 44),
        (LINES[0], LINES[1][:36]),
    ],
    ids=["upside down", "twice the same", "three", "fillers", "two widths"],
)
def test_lines_that_are_no_zone_are_refused(
    bench: Bench, dossiers: Dossiers, posted: Posted, lines: tuple[str, ...]
) -> None:
    bench.asked()
    bench.say(page_read(lines=lines))
    assert posted.kinds() == ["MrzFailed"]
    assert dossiers.mrz(PASSAGE) is None


def test_what_nobody_asked_for_is_not_heard(bench: Bench, dossiers: Dossiers, posted: Posted) -> None:
    bench.say(page_read(), placed(Advice.TURN_OVER))
    bench.asked()
    bench.say(page_read(NEXT), placed(Advice.TURN_OVER, NEXT))
    assert posted == []
    bench.say(page_read(), page_read(), page_read(lines=FORGED), placed(Advice.TURN_OVER))
    assert posted.kinds() == ["MrzRead"], "one answer for each question"
    assert dossiers.mrz(NEXT) is None


def test_the_end_of_the_passage_stops_the_reading(bench: Bench, dossiers: Dossiers, posted: Posted) -> None:
    bench.asked()
    bench.lane.forget()
    bench.until(lambda: say.StopPage(passage=PASSAGE) in bench.heard)
    bench.say(page_read(), placed(Advice.TURN_OVER))
    assert posted == []
    assert dossiers.mrz(PASSAGE) is None


def test_a_zone_that_comes_after_its_passage_ended_is_not_kept(bench: Bench, dossiers: Dossiers) -> None:
    bench.asked()
    dossiers.end(PASSAGE)
    bench.say(page_read())
    assert dossiers.mrz(PASSAGE) is None


@pytest.mark.parametrize(
    "message",
    [
        {"type": "PageRead", "passage": PASSAGE, "confidence": 1.0, "lines": [LINES[0]]},
        {"type": "PageRead", "passage": PASSAGE, "confidence": 1.0, "lines": [LINES[0]] * 4},
        {"type": "PageRead", "passage": PASSAGE, "confidence": 1.0, "lines": [LINES[0], "<" * 45]},
        {"type": "PageRead", "passage": PASSAGE, "confidence": 1.0, "lines": [LINES[0], LINES[1].lower()]},
        {"type": "PageRead", "passage": PASSAGE, "confidence": 1.0, "lines": [LINES[0], LINES[1] + "\n"]},
        {"type": "PageRead", "passage": PASSAGE, "confidence": 1.0, "lines": [LINES[0], "A" * 1_000_000]},
        {"type": "PageRead", "passage": PASSAGE, "confidence": float("nan"), "lines": list(LINES)},
        {"type": "PagePlacement", "passage": PASSAGE, "advice": "buy_a_ticket"},
        {"type": "PagePlacement", "passage": "../../etc/passwd", "advice": "turn_over"},
        {"type": "Pong", "number": 1, "camera": "asleep", "page_camera": "ERIKSSON, ANNA"},
    ],
)
def test_what_is_no_word_of_the_vocabulary_goes_nowhere(
    bench: Bench, posted: Posted, message: dict[str, object]
) -> None:
    bench.asked()
    peer = bench.sight._peer
    assert peer is not None
    dropped = peer.dropped
    bench.peer.pollable.send(msgspec.msgpack.encode(message), zmq.DONTWAIT)
    bench.until(lambda: peer.dropped > dropped)
    assert posted == []


def test_lines_are_personal_wherever_a_message_is_shown() -> None:
    assert "ERIKSSON" not in f"{page_read()!r} {page_read()}"


# --- the camera -----------------------------------------------------------------------------------


def test_the_page_camera_is_the_device_that_reads(bench: Bench, posted: Posted) -> None:
    assert bench.lane.condition.is_ready
    assert {event.device for event in posted.of(ev.DeviceReady)} == {Device.VISION, Device.MRZ_SCANNER}
    posted.clear()
    bench.page_camera = "no_stream"
    bench.say()
    (fault,) = posted
    assert isinstance(fault, ev.FaultRaised)
    assert (fault.device, fault.code) == (Device.MRZ_SCANNER, "no_stream")
    assert "[page_camera] source" in bench.lane.condition.fix("no_stream")
    bench.page_camera = "live"
    bench.say()
    assert posted.kinds() == ["FaultRaised", "DeviceReady"]


def test_a_vision_process_that_knows_no_page_camera_is_to_be_restarted(bench: Bench, posted: Posted) -> None:
    bench.page_camera = None
    bench.say()
    assert posted.faults() == ["not_configured"]
    assert "gate-vision" in bench.lane.condition.fix("not_configured")


# --- beside a scanner -----------------------------------------------------------------------------


def test_where_a_scanner_reads_trouble_with_the_page_camera_is_no_fault(coach: Bench, posted: Posted) -> None:
    coach.page_camera = "no_stream"
    coach.say()
    assert posted.kinds() == ["DeviceReady"]
    assert posted.of(ev.DeviceReady)[0].device is Device.VISION


def test_where_a_scanner_reads_lines_of_the_camera_do_not_count(
    coach: Bench, dossiers: Dossiers, posted: Posted
) -> None:
    coach.asked()
    assert coach.heard == [say.ReadPage(passage=PASSAGE, only_coach=True)]
    coach.say(page_read(), placed(Advice.TURN_OVER))
    assert posted.kinds() == ["PlacementAdvised"]
    assert dossiers.mrz(PASSAGE) is None


class Noted:
    """A coach that notes what it is asked."""

    def __init__(self) -> None:
        self.asked: list[str] = []

    def read(self, passage: str) -> None:
        self.asked.append(passage)

    def forget(self) -> None:
        self.asked.append("forget")


@pytest.fixture
def scanner(tmp_path: Path) -> Iterator[PtyScanner]:
    one = PtyScanner(tmp_path, baud=115_200)
    yield one
    one.close()


@pytest.fixture
def noted() -> Noted:
    return Noted()


@pytest.fixture
def scanned(
    scanner: PtyScanner, noted: Noted, dossiers: Dossiers, posted: Posted, monkeypatch: pytest.MonkeyPatch
) -> Iterator[ScannerLane]:
    """The lane of a scanner beside which a page camera looks on."""
    monkeypatch.setattr(scanner_module, "LISTEN_S", 0.02)
    monkeypatch.setattr(scanner_module, "COACH_AFTER_S", 0.3)
    settings = MrzScannerSettings(port=str(scanner.path), byte_gap_s=0.1, baud=115200)
    lane = ScannerLane(SerialMrzScanner(settings), dossiers, posted, noted)
    come_round(lane.lane)
    posted.clear()
    yield lane
    leave(lane.lane)


def test_a_scanner_that_reads_at_once_needs_no_coach(
    scanned: ScannerLane, scanner: PtyScanner, noted: Noted, posted: Posted
) -> None:
    scanned.read(PASSAGE)
    come_round(scanned.lane)
    scanner.send(LINES)
    rounds_until(scanned.lane, lambda: bool(posted))
    scanned.forget()
    come_round(scanned.lane)
    assert noted.asked == []


def test_a_scanner_that_stays_silent_is_helped_until_it_reads(
    scanned: ScannerLane, scanner: PtyScanner, noted: Noted, posted: Posted
) -> None:
    scanned.read(PASSAGE)
    rounds_until(scanned.lane, lambda: bool(noted.asked))
    assert noted.asked == [PASSAGE]
    scanner.send(LINES)
    rounds_until(scanned.lane, lambda: bool(posted))
    assert posted.kinds() == ["MrzRead"]
    assert noted.asked == [PASSAGE, "forget"]


def test_a_reading_that_failed_is_helped_at_once_and_once(
    scanned: ScannerLane, scanner: PtyScanner, noted: Noted, posted: Posted
) -> None:
    for count in (1, 2):
        scanned.read(PASSAGE)
        come_round(scanned.lane)
        scanner.send(FORGED)
        rounds_until(scanned.lane, lambda count=count: len(posted) == count)
    assert posted.kinds() == ["MrzFailed", "MrzFailed"]
    assert noted.asked == [PASSAGE]
    scanned.forget()
    come_round(scanned.lane)
    assert noted.asked == [PASSAGE, "forget"]
