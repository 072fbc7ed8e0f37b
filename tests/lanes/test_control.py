"""The control lane: what a technician and an officer may ask, and what is refused."""

import time
from collections.abc import Iterator
from pathlib import Path

import msgspec
import pytest
import zmq
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from gated.core import events as ev
from gated.core.settings.central import OfficerSettings
from gated.core.vocabulary import Device, Direction, Door, Mode, OfficerWord
from gated.lanes.control import MAX_REQUEST, ControlLane, Service
from gated.lanes.trace import AT_ONCE, Trace
from gated.runtime import requests as say
from gated.runtime.messages import Message
from tests.lanes.rounds import NEXT, PASSAGE, Posted, come_round, leave

STATUS = say.Status(
    gate="lane-1",
    topology="mantrap",
    mode="open",
    direction="forward",
    state="officer",
    passage=PASSAGE,
    faults={},
    devices={},
    doors={"entry": "locked, shut", "exit": "released, shut"},
    cameras={},
    persons=1,
    screen="officer_comes",
    lamps="officer",
    watchlist_version=1,
    watchlist_age_s=1.0,
    journal_entries=1,
    journal_head="0" * 64,
    uptime_s=1.0,
    versions={},
)
TESTED = say.SelfTested(
    status=STATUS,
    troubles={"power": say.Trouble(code="mains_lost", fix="restore the mains")},
    inputs=(say.Sensed(name="fire", active=False, since_s=3.0),),
    flapping=(),
    watched_s=0.5,
    cycles={"entry": 7, "exit": 9},
    messages=2,
    longest_command=261,
    link="live",
    safety=None,
)
DUTY_S = 0.3
KIM, EVE = Ed25519PrivateKey.generate(), Ed25519PrivateKey.generate()


class Bench:
    """The lane, and a client on its socket."""

    def __init__(self, run: Path, posted: Posted, duty_s: float = DUTY_S) -> None:
        self.path = run / "control"
        self.status = STATUS
        self.fire = [False]
        officers = (OfficerSettings(name="kim", public_key=KIM.public_key().public_bytes_raw().hex()),)
        self.trace, self.tried = Trace(), list[str]()
        self.service = Service(lambda: TESTED, self.trace, self.tried.append)
        self.lane = ControlLane(
            f"ipc://{self.path}", officers, posted, lambda: self.status, self._fire, self.service, duty_s
        )
        self.lane._turn()
        self.context = zmq.Context()
        self.socket = self.client()

    def client(self) -> "zmq.Socket[bytes]":
        socket: zmq.Socket[bytes] = self.context.socket(zmq.REQ)
        socket.setsockopt(zmq.LINGER, 0)
        socket.connect(f"ipc://{self.path}")
        return socket

    def _fire(self) -> bool:
        return self.fire.pop(0) if len(self.fire) > 1 else self.fire[0]

    def ask(self, *parts: bytes, rounds: int = 20) -> say.FromControl:
        self.socket.send_multipart(parts)
        for _ in range(rounds):
            come_round(self.lane.lane)
            if self.socket.poll(10):
                answer: say.FromControl = msgspec.msgpack.decode(self.socket.recv(), type=say.FromControl)
                return answer
        raise AssertionError("no answer")

    def say(self, request: Message) -> say.FromControl:
        return self.ask(msgspec.msgpack.encode(request))

    def close(self) -> None:
        self.socket.close()
        self.context.term()
        leave(self.lane.lane)


@pytest.fixture
def bench(run: Path, posted: Posted) -> Iterator[Bench]:
    one = Bench(run, posted)
    yield one
    one.close()


def signed(
    key: Ed25519PrivateKey = KIM,
    passage: str = PASSAGE,
    word: str = "accept",
    officer: str = "kim",
    *,
    ago_s: float = 0.0,
) -> say.OfficerCommand:
    command = say.OfficerCommand(
        passage=passage,
        word=word,  # type: ignore[arg-type]  # one of the words, by parameter
        officer=officer,
        said_at=time.time() - ago_s,
        signature=b"",
    )
    return msgspec.structs.replace(command, signature=key.sign(command.signed_text))


def refused(reply: say.FromControl) -> str:
    assert isinstance(reply, say.Refused)
    assert reply.fix
    return reply.reason


def test_only_the_gates_own_user_may_open_the_socket(bench: Bench) -> None:
    assert bench.path.stat().st_mode & 0o777 == 0o600


def test_status(bench: Bench) -> None:
    assert bench.say(say.AskStatus()) == STATUS


def test_a_self_test_is_told_what_the_lanes_know(bench: Bench) -> None:
    assert bench.say(say.SelfTest()) == TESTED


def test_the_trace_is_read_piece_by_piece(bench: Bench) -> None:
    bench.trace.hold("exit_shut", True)  # noqa: FBT003 - the board's hook
    began = bench.say(say.AskTrace())
    assert began == say.Traced(last=1, marks=())
    for number in range(AT_ONCE + 5):
        bench.trace.edge("exit_shut", number % 2 == 0, float(number))
    first = bench.say(say.AskTrace(after=1))
    assert isinstance(first, say.Traced)
    assert [mark.number for mark in first.marks] == list(range(2, AT_ONCE + 2))
    rest = bench.say(say.AskTrace(after=first.last))
    assert isinstance(rest, say.Traced)
    assert len(rest.marks) == 5
    assert rest.marks[-1] == say.Mark(
        number=AT_ONCE + 6, at=AT_ONCE + 4, name="exit_shut", active=True, bounce=True
    )
    assert bench.say(say.AskTrace(after=rest.last)) == say.Traced(last=rest.last, marks=())


def test_a_lamp_is_tried_in_maintenance_only(bench: Bench) -> None:
    assert refused(bench.say(say.TryLamp(lamp="amber"))) == "not_in_maintenance"
    assert bench.tried == []
    bench.status = msgspec.structs.replace(STATUS, state="maintenance")
    assert bench.say(say.TryLamp(lamp="amber")) == say.Done()
    assert bench.tried == ["amber"]


def test_the_lane_is_opened_and_closed(bench: Bench, posted: Posted) -> None:
    told = [
        bench.say(say.SetMode(mode=mode, reason="test"))
        for mode in (Mode.OPEN, Mode.CLOSED, Mode.LOCKED, Mode.MAINTENANCE)
    ]
    assert told == [say.Done()] * 4
    assert [event.mode for event in posted.of(ev.ModeChanged)] == ["open", "closed", "locked", "maintenance"]
    assert {event.reason for event in posted.of(ev.ModeChanged)} == {"test"}


def test_free_passage_is_an_officers_signed_decision(bench: Bench, posted: Posted) -> None:
    bare = say.SetMode(mode=Mode.FREE_PASSAGE, reason="crowd")
    assert refused(bench.say(bare)) == "unknown_officer"
    named = msgspec.structs.replace(bare, officer="kim", said_at=time.time())
    forged = msgspec.structs.replace(named, signature=EVE.sign(named.signed_text))
    assert refused(bench.say(forged)) == "bad_signature"
    assert not posted.of(ev.ModeChanged)
    signed_ = msgspec.structs.replace(named, signature=KIM.sign(named.signed_text))
    assert bench.say(signed_) == say.Done()
    assert posted.of(ev.ModeChanged)[0].officer == "kim"
    assert refused(bench.say(signed_)) == "word_was_taken"


def told_by_kim(mode: Mode) -> say.SetMode:
    told = say.SetMode(mode=mode, reason="test", officer="kim", said_at=time.time())
    return msgspec.structs.replace(told, signature=KIM.sign(told.signed_text))


@pytest.mark.parametrize("mode", [Mode.OPEN, Mode.CLOSED, Mode.MAINTENANCE, Mode.LOCKED])
def test_a_lock_that_an_officer_signed_is_lifted_by_a_signature_only(
    bench: Bench, posted: Posted, mode: Mode
) -> None:
    bench.status = msgspec.structs.replace(STATUS, mode="locked", locked_by="eve")
    answer = bench.say(say.SetMode(mode=mode, reason="test"))
    assert refused(answer) == "locked_by_an_officer"
    assert "eve" in getattr(answer, "fix", "")
    assert not posted.of(ev.ModeChanged)
    assert bench.say(told_by_kim(mode)) == say.Done()
    assert posted.of(ev.ModeChanged)[0].officer == "kim"


def test_an_officers_name_is_never_taken_without_their_signature(bench: Bench, posted: Posted) -> None:
    claimed = say.SetMode(mode=Mode.OPEN, reason="test", officer="kim", said_at=time.time())
    assert refused(bench.say(claimed)) == "bad_signature"
    assert not posted.of(ev.ModeChanged)


def test_a_lane_with_one_direction_is_not_turned(bench: Bench, posted: Posted) -> None:
    assert refused(bench.say(say.SetDirection(direction=Direction.REVERSE))) == "one_direction"
    assert refused(bench.say(say.SetMode(mode=Mode.ONE_WAY, reason="test"))) == "one_direction"
    bench.status = msgspec.structs.replace(STATUS, topology="port")
    assert bench.say(say.SetDirection(direction=Direction.REVERSE)) == say.Done()
    assert posted.of(ev.DirectionWanted)[0].direction is Direction.REVERSE
    assert bench.say(say.SetMode(mode=Mode.ONE_WAY, reason="departures only")) == say.Done()
    assert posted.of(ev.ModeChanged)[-1].mode is Mode.ONE_WAY


def test_a_lane_is_not_turned_by_word_to_an_end_that_is_out_of_order(bench: Bench, posted: Posted) -> None:
    trouble = {"chip_reader: unplugged": "plug it in"}
    bench.status = msgspec.structs.replace(STATUS, topology="port", other_end=trouble)
    answer = bench.say(say.SetDirection(direction=Direction.REVERSE))
    assert refused(answer) == "other_end_in_trouble"
    assert "chip_reader: unplugged" in getattr(answer, "fix", "")
    assert posted.of(ev.DirectionWanted) == []
    assert bench.say(say.SetDirection(direction=Direction.FORWARD)) == say.Done(), "as it is walked now"


def test_a_door_is_moved_in_maintenance_only(bench: Bench, posted: Posted) -> None:
    assert refused(bench.say(say.AskDoor(door=Door.ENTRY))) == "not_in_maintenance"
    bench.status = msgspec.structs.replace(STATUS, state="maintenance")
    assert bench.say(say.AskDoor(door=Door.ENTRY)) == say.Done()
    assert posted.of(ev.DoorAsked)[0].door is Door.ENTRY


def test_a_door_that_the_lane_has_not_cannot_be_asked_for(bench: Bench, posted: Posted) -> None:
    doors = {"exit": "locked, shut"}
    bench.status = msgspec.structs.replace(STATUS, state="maintenance", doors=doors)
    assert refused(bench.say(say.AskDoor(door=Door.ENTRY))) == "no_such_door"
    assert not posted.of(ev.DoorAsked)
    assert bench.say(say.AskDoor(door=Door.EXIT)) == say.Done()
    assert bench.say(say.AskDoor(door=None)) == say.Done()


def test_a_duty_is_signed_and_ends_by_itself(bench: Bench, posted: Posted) -> None:
    begun = say.SetDuty(on=True, officer="kim", said_at=time.time(), signature=b"")
    assert refused(bench.say(begun)) == "bad_signature"
    signed_ = msgspec.structs.replace(begun, signature=KIM.sign(begun.signed_text))
    assert bench.say(signed_) == say.Done()
    time.sleep(DUTY_S)
    come_round(bench.lane.lane)
    assert [event.on for event in posted.of(ev.DutyChanged)] == [True, False]


@pytest.mark.parametrize("on", [True, False])
def test_a_duty_that_the_lane_does_not_ask_for_is_refused(run: Path, posted: Posted, *, on: bool) -> None:
    bench = Bench(run, posted, duty_s=0.0)
    told = say.SetDuty(on=on, officer="kim", said_at=time.time(), signature=b"")
    answer = bench.say(msgspec.structs.replace(told, signature=KIM.sign(told.signed_text)))
    assert refused(answer) == "no_duty"
    assert "duty_s in [policy.lane]" in getattr(answer, "fix", "")
    assert posted == []
    bench.close()


def test_a_party_is_let_out_only_by_its_number(bench: Bench) -> None:
    bench.status = msgspec.structs.replace(STATUS, persons=2)
    assert refused(bench.say(signed())) == "persons_differ"
    time.sleep(0.002)  # each word counts once, by its time
    command = msgspec.structs.replace(signed(), persons=2)
    assert refused(bench.say(command)) == "bad_signature"
    again = msgspec.structs.replace(command, signature=KIM.sign(command.signed_text))
    assert bench.say(again) == say.Done()


@pytest.mark.parametrize(
    ("changed", "reason"),
    [({"mode": "locked"}, "lane_locked"), ({"doors": {"entry": "locked, not shut"}}, "entry_not_shut")],
)
def test_a_word_that_lets_nobody_out_now_is_not_called_done(
    bench: Bench, changed: dict[str, object], reason: str
) -> None:
    bench.status = msgspec.structs.replace(STATUS, **changed)
    assert refused(bench.say(signed())) == reason
    assert bench.say(signed(word="escort", ago_s=-0.01)) == say.Done()


def test_faults_of_a_device_are_cleared_by_its_name(bench: Bench, posted: Posted) -> None:
    assert bench.say(say.ClearFaults(device="io_board")) == say.Done()
    assert posted.of(ev.FaultCleared)[0].device is Device.IO_BOARD
    assert refused(bench.say(say.ClearFaults(device="toaster"))) == "unknown_device"
    assert len(posted) == 1


def test_an_emergency_is_reset_only_when_the_fire_is_out(bench: Bench, posted: Posted) -> None:
    bench.fire = [True]
    assert refused(bench.say(say.ResetEmergency())) == "fire_input_active"
    assert posted == []
    bench.fire = [False]
    assert bench.say(say.ResetEmergency()) == say.Done()
    assert posted.kinds() == ["EmergencyReset"]


def test_a_fire_that_breaks_out_during_the_reset_is_an_emergency_again(bench: Bench, posted: Posted) -> None:
    bench.fire = [False, True]
    assert refused(bench.say(say.ResetEmergency())) == "fire_input_active"
    assert posted.kinds() == ["EmergencyReset", "EmergencyRaised"]


@pytest.mark.parametrize("word", list(OfficerWord))
def test_an_officers_signed_word_is_taken(bench: Bench, posted: Posted, word: OfficerWord) -> None:
    assert bench.say(signed(word=word.value)) == say.Done()
    (event,) = posted.of(ev.OfficerDecided)
    assert (event.passage, event.word, event.officer) == (PASSAGE, word, "kim")


def test_an_unknown_officer_is_refused(bench: Bench, posted: Posted) -> None:
    assert refused(bench.say(signed(EVE, officer="eve"))) == "unknown_officer"
    assert posted == []


@pytest.mark.parametrize(
    "command",
    [
        signed(EVE),
        msgspec.structs.replace(signed(word="refuse"), word="accept"),
        msgspec.structs.replace(signed(passage=NEXT), passage=PASSAGE),
        msgspec.structs.replace(signed(), signature=b""),
        msgspec.structs.replace(signed(), signature=bytes(64)),
        msgspec.structs.replace(signed(), signature=bytes(1000)),
    ],
)
def test_a_signature_of_something_else_is_refused(
    bench: Bench, posted: Posted, command: say.OfficerCommand
) -> None:
    assert refused(bench.say(command)) == "bad_signature"
    assert posted == []


@pytest.mark.parametrize(("passage", "state"), [(NEXT, "officer"), (PASSAGE, "idle"), (PASSAGE, "verify")])
def test_a_good_word_that_nothing_waits_for_is_on_record_but_not_called_done(
    bench: Bench, posted: Posted, passage: str, state: str
) -> None:
    bench.status = msgspec.structs.replace(STATUS, state=state)
    assert refused(bench.say(signed(passage=passage))) == "passage_does_not_wait"
    assert [event.passage for event in posted.of(ev.OfficerDecided)] == [passage]


@pytest.mark.parametrize(
    "raw",
    [
        b"",
        b"\xc1",
        b"status",
        msgspec.msgpack.encode({"type": "Open", "door": "exit"}),
        msgspec.msgpack.encode({"type": "AskStatus", "more": 1}),
        msgspec.msgpack.encode({"type": "OfficerCommand", "passage": PASSAGE, "word": "accept"}),
        msgspec.msgpack.encode(say.Done()),
        msgspec.msgpack.encode(msgspec.structs.replace(signed(), passage="../../x")),
        *(
            msgspec.msgpack.encode(say.SetMode(mode=Mode.OPEN, reason=reason))
            for reason in ("", "x" * 121, "two\nlines", "\x1b[2J", "\u202e")
        ),
    ],
)
def test_what_is_no_request_is_refused_and_the_lane_goes_on(bench: Bench, posted: Posted, raw: bytes) -> None:
    assert refused(bench.ask(raw)) == "unknown_request"
    assert posted == []
    assert bench.say(say.AskStatus()) == STATUS


def test_a_request_of_several_parts_is_refused_and_the_lane_goes_on(bench: Bench, posted: Posted) -> None:
    service = msgspec.msgpack.encode(say.SetMode(mode=Mode.OPEN, reason="test"))
    assert refused(bench.ask(service, service, service)) == "unknown_request"
    assert posted == []
    assert bench.say(say.AskStatus()) == STATUS


def test_an_oversized_request_is_not_answered_and_the_lane_goes_on(bench: Bench, posted: Posted) -> None:
    with pytest.raises(AssertionError, match="no answer"):
        bench.ask(bytes(MAX_REQUEST + 1), rounds=3)
    assert posted == []
    bench.socket.close()
    bench.socket = bench.client()
    assert bench.say(say.AskStatus()) == STATUS


@pytest.mark.parametrize("ago_s", [31.0, 3.0, -6.0, float("nan"), float("inf"), float("-inf")])
def test_an_old_word_does_not_count(bench: Bench, posted: Posted, ago_s: float) -> None:
    assert refused(bench.ask(msgspec.msgpack.encode(signed(ago_s=ago_s)))) == "word_too_old"
    assert posted == []


def test_a_word_counts_once(bench: Bench, posted: Posted) -> None:
    raw = msgspec.msgpack.encode(signed())
    bench.ask(raw)
    assert refused(bench.ask(raw)) == "word_was_taken"
    assert len(posted) == 1
