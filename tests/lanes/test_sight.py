"""The lane of the vision process, with the other end of the line in the test's hand."""

import time
from collections.abc import Iterator
from pathlib import Path

import msgspec
import pytest
import zmq

from gated.core import events as ev
from gated.core.personal import Personal
from gated.core.portraits import Portrait
from gated.core.vocabulary import Device, Direction, Hint, Liveness
from gated.document.mrz import parse
from gated.lanes import sight as module
from gated.lanes.condition import Condition
from gated.lanes.dossier import Dossiers, Template
from gated.lanes.sight import MAX_HEARD, SightLane, View
from gated.lanes.strata import MARK_BYTES
from gated.runtime import messages as say
from gated.runtime.bus import Peer
from gated.store.evidence import Evidence
from tests.lanes.rounds import NEXT, PASSAGE, SOON_S, Posted, come_round, leave, rounds_until
from tests.lanes.test_background import TD1

IMAGE = b"\xff\xd8\xff\xe0 a photograph"


class Eye:
    """The far end: what a vision process would hear, and what it says."""

    def __init__(self, address: str) -> None:
        self.peer: Peer[say.ToVision] = Peer(address, say.ToVision, bind=False)

    def hear(self, wait_s: float = SOON_S) -> say.Message | None:
        """The next message that is no question for a sign of life; those are answered."""
        deadline = time.monotonic() + wait_s
        while (left := deadline - time.monotonic()) > 0:
            message = self.peer.receive(left)
            if not isinstance(message, say.Ping):
                return message
            self.peer.send(say.Pong(number=message.number, camera="asleep"))
        return None


class Bench:
    """The lane with its far end, which may come and go."""

    def __init__(self, run: Path, dossiers: Dossiers, posted: Posted) -> None:
        self.address = f"ipc://{run}/vision"
        self.folder = run / "evidence"
        self.posted = posted
        evidence = Evidence(self.folder, keep=True)
        self.lane = SightLane(self.address, dossiers, evidence, posted, ("high", "low"))
        self.eyes: list[Eye] = []

    def come_round(self) -> None:
        come_round(self.lane.lane)

    def eye(self) -> Eye:
        """A vision process that has just been started and is heard of."""
        self.eyes.append(Eye(self.address))
        self.lane._pinged_at = 0.0  # ask now
        rounds_until(self.lane.lane, self._answered)
        return self.eyes[-1]

    def _answered(self) -> bool:
        self.eyes[-1].hear(0.01)
        return self.lane.condition.is_ready

    def close(self) -> None:
        leave(self.lane.lane)
        for eye in self.eyes:
            eye.peer.close()


@pytest.fixture
def bench(run: Path, dossiers: Dossiers, posted: Posted, monkeypatch: pytest.MonkeyPatch) -> Iterator[Bench]:
    monkeypatch.setattr(module, "PING_S", 0.1)
    monkeypatch.setattr(module, "SILENT_S", 0.4)
    one = Bench(run, dossiers, posted)
    one.come_round()
    yield one
    one.close()


def said(bench: Bench, eye: Eye, message: say.Message) -> None:
    """Let the far end say something and the lane hear it."""
    count = len(bench.posted)
    assert eye.peer.send(message)
    rounds_until(bench.lane.lane, lambda: len(bench.posted) > count)


def answer(bench: Bench, eye: Eye, cameras: dict[str, str]) -> None:
    """Let the lane ask, and the far end answer with these states of its cameras."""
    bench.lane._pinged_at = 0.0
    bench.come_round()
    number = bench.lane._number
    assert eye.peer.send(say.Pong(number=number, camera="live", cameras=cameras))
    rounds_until(bench.lane.lane, lambda: bench.lane._answered == number)


def assessment(passage: str = PASSAGE, **more: object) -> say.Assessment:
    plain = say.Assessment(
        passage=passage,
        attempt=1,
        frames=8,
        match_score=0.75,
        liveness_score=0.5,
        liveness=Liveness.LIVE,
        best_crop=b"crop",
    )
    return msgspec.structs.replace(plain, **more)


def test_what_the_heart_asks_arrives_in_order(bench: Bench, dossiers: Dossiers) -> None:
    eye = bench.eye()
    dossiers.put_photograph(PASSAGE, Personal(IMAGE))
    bench.lane.enrol(PASSAGE)
    bench.lane.capture(PASSAGE, 1)
    bench.lane.conclude(PASSAGE, 1)
    bench.lane.forget(PASSAGE)
    bench.come_round()
    assert [eye.hear() for _ in range(4)] == [
        say.SetReference(passage=PASSAGE, image=IMAGE),
        say.Capture(passage=PASSAGE, attempt=1),
        say.Conclude(passage=PASSAGE, attempt=1),
        say.Forget(passage=PASSAGE),
    ]
    assert dossiers.take_photograph(PASSAGE) is None


def test_without_a_photograph_there_is_no_reference(bench: Bench, posted: Posted) -> None:
    bench.lane.enrol(PASSAGE)
    bench.come_round()
    (event,) = posted
    assert isinstance(event, ev.ReferenceFailed)
    assert event.reason == "no_photograph"


def test_the_template_of_a_token_takes_the_place_of_the_photograph(bench: Bench, dossiers: Dossiers) -> None:
    eye = bench.eye()
    dossiers.put_mrz(PASSAGE, parse(TD1))
    dossiers.put_template(PASSAGE, Template("some-embedder", "0" * 64, Personal(b"numbers")))
    bench.lane.enrol(PASSAGE)
    bench.come_round()
    heard = eye.hear()
    assert isinstance(heard, say.SetTemplate)
    assert (heard.passage, heard.embedder, heard.version) == (PASSAGE, "some-embedder", "0" * 64)
    assert heard.template == b"numbers"
    assert (len(heard.subject), heard.stratum) == (MARK_BYTES, "adult-f")
    assert "numbers" not in repr(heard)
    assert dossiers.take_template(PASSAGE) is None


def test_whoever_makes_tokens_is_told_of_the_templates_that_they_asked_for(bench: Bench) -> None:
    heard: list[object] = []

    class Ear:
        def hear(self, message: object) -> None:
            heard.append(message)

    bench.lane.listen_for_templates(Ear())
    eye = bench.eye()
    bench.lane.give_template(PASSAGE, NEXT)
    bench.come_round()
    assert eye.hear() == say.GiveTemplate(passage=PASSAGE, token=NEXT)
    answer = say.TemplateNotGiven(passage=PASSAGE, token=NEXT, reason="no_reference")
    eye.peer.send(answer)
    rounds_until(bench.lane.lane, lambda: bool(heard))
    assert heard == [answer]


def test_whoever_registers_is_told_of_the_portraits_that_they_asked_for(bench: Bench) -> None:
    heard: list[object] = []

    class Ear:
        def hear(self, message: object) -> None:
            heard.append(message)

    kept = Portrait(embedder="some-embedder", version="0" * 64, numbers=b"numbers")
    eye = bench.eye()
    eye.peer.send(say.PortraitTold(passage=PASSAGE))  # nobody asked, and nobody listens
    bench.come_round()
    bench.lane.listen_for_portraits(Ear())
    bench.lane.ask_portrait(PASSAGE, None)
    bench.lane.ask_portrait(NEXT, Personal(kept))
    bench.come_round()
    assert [eye.hear(), eye.hear()] == [
        say.AskPortrait(passage=PASSAGE), say.AskPortrait(passage=NEXT, kept=kept)
    ]  # fmt: skip
    answer = say.PortraitTold(passage=NEXT, portrait=kept, likeness=0.5)
    eye.peer.send(answer)
    rounds_until(bench.lane.lane, lambda: bool(heard))
    assert heard == [answer]
    assert "numbers" not in repr(answer)


def test_what_was_seen_becomes_facts(bench: Bench, posted: Posted) -> None:
    eye = bench.eye()
    said(bench, eye, say.Enrolled(passage=PASSAGE))
    said(bench, eye, say.NotEnrolled(passage=PASSAGE, reason="not_an_image"))
    said(bench, eye, say.Guidance(passage=PASSAGE, hint=Hint.LOOK_HERE))
    said(bench, eye, assessment())
    assert posted.kinds() == [
        "DeviceReady",
        "ReferenceReady",
        "ReferenceFailed",
        "GuidanceGiven",
        "FaceAssessed",
    ]
    (face,) = posted.of(ev.FaceAssessed)
    assert (face.passage, face.attempt, face.frames) == (PASSAGE, 1, 8)
    assert (face.match_score, face.liveness_score, face.liveness) == (0.75, 0.5, Liveness.LIVE)
    assert [path.name for path in bench.folder.iterdir()] == [f"{PASSAGE}-best-1.jpg"]


def test_crops_of_a_passage_that_is_over_are_not_kept(bench: Bench, posted: Posted) -> None:
    eye = bench.eye()
    said(bench, eye, assessment(NEXT))
    assert posted.of(ev.FaceAssessed)  # the heart ignores it, and the journal has it
    assert not bench.folder.exists()


def test_silence_is_a_fault_until_there_is_an_answer(bench: Bench, posted: Posted) -> None:
    eye = bench.eye()
    rounds_until(bench.lane.lane, lambda: "vision_silent" in posted.faults())
    assert "gate-vision" in bench.lane.condition.fix("vision_silent")
    rounds_until(bench.lane.lane, lambda: bool(eye.hear(0.01)) or bench.lane.condition.is_ready)
    assert posted.faults() == ["vision_silent"]


def test_a_camera_in_trouble_is_a_fault_by_its_own_code(bench: Bench, posted: Posted) -> None:
    eye = bench.eye()
    bench.lane._pinged_at = 0.0
    bench.come_round()
    said(bench, eye, say.Pong(number=bench.lane._number, camera="frozen"))
    assert posted.faults() == ["frozen"]
    assert "camera" in bench.lane.condition.fix("frozen")


def test_one_camera_of_several_that_fails_is_told_and_is_no_fault(
    bench: Bench, posted: Posted, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "TOLD_S", 0.0)
    eye = bench.eye()
    states = (("live", "live"), ("live", "frozen"), ("live", "frozen"), ("asleep", "live"))
    for high, low in states:
        answer(bench, eye, {"high": high, "low": low, "nobody": "frozen"})
        assert bench.lane.cameras == {"high": high, "low": low}
    told = [(event.camera, event.code) for event in posted.of(ev.CameraChanged)]
    assert told == [("low", "frozen"), ("low", "well")]
    assert posted.faults() == []


def test_a_camera_that_comes_and_goes_does_not_flood_the_journal(bench: Bench, posted: Posted) -> None:
    eye = bench.eye()
    for number in range(10):
        answer(bench, eye, {"low": "frozen" if number % 2 else "live"})
    assert len(posted.of(ev.CameraChanged)) <= 2


def test_strangers_that_were_compared_are_told_by_strata(bench: Bench, posted: Posted) -> None:
    eye = bench.eye()
    count = say.StrangerCount(strata="adult-f/child-m", comparisons=3, matches=1)
    said(bench, eye, say.StrangersCompared(passage=PASSAGE, counts=(count,)))
    (told,) = posted.of(ev.StrangersCompared)
    assert told.counts == (ev.StrangerCount(strata="adult-f/child-m", comparisons=3, matches=1),)


def test_the_photograph_goes_with_a_mark_and_a_kind_that_name_nobody(
    bench: Bench, dossiers: Dossiers
) -> None:
    eye = bench.eye()
    dossiers.put_mrz(PASSAGE, parse(TD1))
    dossiers.put_photograph(PASSAGE, Personal(IMAGE))
    bench.lane.enrol(PASSAGE)
    bench.come_round()
    reference = eye.hear()
    assert isinstance(reference, say.SetReference)
    assert reference.stratum == "adult-f"
    assert len(reference.subject) == MARK_BYTES
    assert b"D23145890" not in reference.subject


def test_only_the_answer_to_a_question_is_a_sign_of_life(bench: Bench, posted: Posted) -> None:
    eye = bench.eye()
    answered = bench.lane._answered
    for number in (answered, answered - 1, bench.lane._number + 1, -1):
        eye.peer.send(say.Pong(number=number, camera="frozen"))
    for _ in range(10):
        bench.come_round()
    assert posted.faults() in ([], ["vision_silent"])


def test_what_could_not_be_said_is_said_in_order_when_the_process_is_back(
    bench: Bench, dossiers: Dossiers
) -> None:
    dossiers.put_photograph(PASSAGE, Personal(IMAGE))
    bench.lane.enrol(PASSAGE)
    bench.lane.capture(PASSAGE, 1)
    bench.come_round()
    assert len(bench.lane._unsent) == 2
    eye = Eye(bench.address)
    bench.eyes.append(eye)
    deadline = time.monotonic() + SOON_S
    heard: list[say.Message] = []
    bench.lane.conclude(PASSAGE, 1)  # may find the line open before the first answer came: it must wait
    while len(heard) < 3:
        assert time.monotonic() < deadline
        bench.come_round()
        if (message := eye.hear(0.02)) is not None:
            heard.append(message)
    assert [type(message).__name__ for message in heard] == ["SetReference", "Capture", "Conclude"]


def test_a_photograph_that_waits_is_wiped_when_its_passage_ends(bench: Bench, dossiers: Dossiers) -> None:
    dossiers.begin(NEXT, dossiers._open[PASSAGE].began)
    for passage in (PASSAGE, NEXT):
        dossiers.put_photograph(passage, Personal(IMAGE))
        bench.lane.enrol(passage)
    bench.lane.forget(PASSAGE)
    bench.come_round()
    assert [(type(m).__name__, getattr(m, "passage", "")) for m in bench.lane._unsent] == [
        ("SetReference", NEXT),
        ("Forget", PASSAGE),
    ]


def test_a_process_that_babbles_is_a_fault_and_does_not_flood_the_journal(
    bench: Bench, posted: Posted, monkeypatch: pytest.MonkeyPatch
) -> None:
    eye = bench.eye()
    monkeypatch.setattr(module, "PING_S", 60.0)
    bench.lane._heard = 0
    for _ in range(3 * MAX_HEARD):
        assert eye.peer.send(say.Guidance(passage=PASSAGE, hint=Hint.LOOK_HERE))
    rounds_until(bench.lane.lane, lambda: "vision_babbles" in posted.faults())
    for _ in range(3 * MAX_HEARD):
        bench.come_round()
    assert len(posted.of(ev.GuidanceGiven)) == MAX_HEARD
    assert posted.faults().count("vision_babbles") == 1


@pytest.mark.parametrize(
    "message",
    [
        {"type": "Guidance", "passage": PASSAGE, "hint": "ERIKSSON, ANNA MARIA"},
        {"type": "Guidance", "passage": PASSAGE, "hint": "a" * 70_000},
        {"type": "Guidance", "passage": "../../etc/passwd", "hint": "look_here"},
        {"type": "NotEnrolled", "passage": PASSAGE, "reason": "look_here\n"},
        {"type": "Pong", "number": 1, "camera": ""},
        {"type": "Assessment", "passage": PASSAGE, "attempt": 1, "frames": 1, "match_score": float("nan")}
        | {"liveness_score": 1.0, "liveness": "live"},
        {"type": "Assessment", "passage": PASSAGE, "attempt": 1, "frames": 1, "match_score": 1.5}
        | {"liveness_score": 1.0, "liveness": "live"},
        {"type": "Assessment", "passage": PASSAGE, "attempt": -1, "frames": 1, "match_score": 1.0}
        | {"liveness_score": 1.0, "liveness": "live"},
        {"type": "Ping", "number": 1},
    ],
)
def test_what_is_no_word_of_the_vocabulary_goes_nowhere(
    bench: Bench, posted: Posted, message: dict[str, object]
) -> None:
    eye = bench.eye()
    posted.clear()
    assert bench.lane._peer is not None
    dropped = bench.lane._peer.dropped
    eye.peer.pollable.send(msgspec.msgpack.encode(message), zmq.DONTWAIT)
    rounds_until(bench.lane.lane, lambda: bench.lane._peer is not None and bench.lane._peer.dropped > dropped)
    assert [event for event in posted if not isinstance(event, ev.FaultRaised | ev.DeviceReady)] == []


def test_the_thread_serves_and_gives_its_socket_back(run: Path, dossiers: Dossiers, posted: Posted) -> None:
    lane = SightLane(f"ipc://{run}/vision", dossiers, Evidence(run / "evidence", keep=False), posted)
    lane.lane.start()
    eye = Eye(f"ipc://{run}/vision")
    deadline = time.monotonic() + SOON_S
    while not lane.condition.is_ready:
        assert time.monotonic() < deadline
        eye.hear(0.05)
    eye.peer.close()
    lane.lane.stop()
    assert lane.lane.failure is None
    assert lane._peer is not None
    assert lane._peer.pollable.closed


# --- a lane that is walked both ways ------------------------------------------------------------------


class BothWays(Bench):
    """With a camera for each direction, and one that sees both."""

    def __init__(self, run: Path, dossiers: Dossiers, posted: Posted) -> None:
        super().__init__(run, dossiers, posted)
        self.told = {direction: Posted() for direction in Direction}
        seeing = {Direction.FORWARD: ("there", "wide"), Direction.REVERSE: ("back", "wide")}
        views = {
            direction: View(Condition(Device.VISION, self.told[direction]), seeing[direction])
            for direction in Direction
        }
        names = ("there", "back", "wide")
        evidence = Evidence(self.folder, keep=False)
        self.lane = SightLane(self.address, dossiers, evidence, posted, names, views=views)

    def pong(self, **cameras: str) -> None:
        """Answer the next sign of life with these states."""
        self.lane._pinged_at = 0.0
        self.come_round()
        self.lane._answer(
            say.Pong(number=self.lane._number, camera="live", cameras=cameras), time.monotonic()
        )

    def words(self) -> dict[Direction, list[str]]:
        found = {}
        for direction, told in self.told.items():
            found[direction] = [getattr(event, "code", "well") for event in told]
            told.clear()
        return found


@pytest.fixture
def both_ways(run: Path, dossiers: Dossiers, posted: Posted) -> Iterator[BothWays]:
    one = BothWays(run, dossiers, posted)
    yield one
    one.close()


def test_each_direction_is_as_well_as_the_best_camera_that_looks_at_it(both_ways: BothWays) -> None:
    both_ways.pong(there="live", back="asleep", wide="asleep")
    assert both_ways.words() == {Direction.FORWARD: ["well"], Direction.REVERSE: ["well"]}
    both_ways.pong(there="live", back="vision_frozen", wide="no_stream")
    assert both_ways.words() == {Direction.FORWARD: [], Direction.REVERSE: ["vision_frozen"]}
    both_ways.pong(there="no_stream", back="live", wide="no_stream")
    assert both_ways.words() == {Direction.FORWARD: ["no_stream"], Direction.REVERSE: ["well"]}
    both_ways.pong(there="no_stream", back="no_stream", wide="live")
    assert both_ways.words() == {Direction.FORWARD: ["well"], Direction.REVERSE: []}


def test_a_vision_process_that_is_silent_is_no_good_for_either_direction(
    both_ways: BothWays, monkeypatch: pytest.MonkeyPatch
) -> None:
    both_ways.pong(there="live", back="live", wide="live")
    both_ways.words()
    monkeypatch.setattr(module, "SILENT_S", 0.0)
    both_ways.come_round()
    assert both_ways.words() == {direction: ["vision_silent"] for direction in Direction}


def test_who_comes_is_looked_at_by_the_cameras_of_their_direction(
    both_ways: BothWays, dossiers: Dossiers
) -> None:
    eye = Eye(both_ways.address)
    both_ways.eyes.append(eye)
    sent: list[say.Message] = []
    both_ways.lane.send = sent.append  # type: ignore[method-assign]
    for direction in (Direction.FORWARD, Direction.REVERSE):
        both_ways.lane.turn(direction)
        dossiers.put_photograph(PASSAGE, Personal(IMAGE))
        both_ways.lane.enrol(PASSAGE)
        both_ways.lane.capture(PASSAGE, 1)
        both_ways.come_round()
    used = [message.cameras for message in sent if isinstance(message, say.SetReference | say.Capture)]
    assert used == [("there", "wide")] * 2 + [("back", "wide")] * 2
