"""Tokens on gate-link, with the server and `gated` in the test's hand: none is lost, none comes twice."""

import tempfile
import time
from collections.abc import Iterator
from itertools import count
from pathlib import Path

import pytest

from gated.central.wire import Collect, Leave, Left, Parcel, ToServer, token_topic
from gated.link_tokens import ASK_AGAIN_S, COLLECT_S, MAX_ASKED, OFFER_AGAIN_S, TokenCarrier
from gated.runtime import messages as say
from gated.runtime.bus import Peer
from gated.tokens import mark


class Server:
    """The central server: notes what it is asked, while there is a link."""

    def __init__(self) -> None:
        self.asked: list[ToServer] = []
        self.state = "live"

    def ask(self, ask: ToServer) -> bool:
        if self.state == "live":
            self.asked.append(ask)
        return self.state == "live"

    def last(self) -> ToServer:
        return self.asked[-1]


class Bench:
    """The carrier of a gate or of a kiosk between both."""

    def __init__(self, run: Path, *, collects: bool) -> None:
        address = f"ipc://{run}/tokens"
        self.gated: Peer[say.TokensToLink] = Peer(address, say.TokensFromLink, bind=True)
        self.peer: Peer[say.TokensToLink] = Peer(address, say.TokensToLink, bind=False)
        self.server = Server()
        self.now = 100.0
        self.carrier = TokenCarrier(self.server, self.peer, "lane-2", count(1).__next__, collects=collects)

    def says(self, message: say.TokensToLink) -> None:
        """`gated` says something, and the carrier hears it."""
        deadline = time.monotonic() + 2
        while not self.gated.send(message):  # until the two have met
            assert time.monotonic() < deadline
            time.sleep(0.01)
        assert self.peer.pollable.poll(2000)
        self.turn()

    def turn(self, later_s: float = 0.0) -> None:
        self.now += later_s
        self.carrier.turn(self.now)

    def heard(self, wait_s: float = 0.2) -> say.Message | None:
        return self.gated.receive(wait_s)

    def close(self) -> None:
        self.gated.close()
        self.peer.close()


@pytest.fixture
def run() -> Iterator[Path]:
    with tempfile.TemporaryDirectory() as name:
        yield Path(name)


@pytest.fixture
def gate(run: Path) -> Iterator[Bench]:
    bench = Bench(run, collects=True)
    yield bench
    bench.close()


@pytest.fixture
def kiosk(run: Path) -> Iterator[Bench]:
    bench = Bench(run, collects=False)
    yield bench
    bench.close()


def test_a_gate_collects_by_itself_and_at_once_when_it_hears_of_a_token(gate: Bench) -> None:
    assert gate.carrier.topic == token_topic("lane-2")
    gate.turn()
    assert gate.server.asked == [Collect(number=1)]
    gate.turn(COLLECT_S - 0.1)
    assert len(gate.server.asked) == 1
    gate.carrier.announced()
    assert gate.carrier.due(gate.now) <= gate.now
    gate.turn()
    assert len(gate.server.asked) == 2
    gate.turn(COLLECT_S)
    assert len(gate.server.asked) == 3


def test_without_a_link_it_is_soon_tried_again(gate: Bench) -> None:
    gate.server.state = "no_link"
    gate.turn()
    gate.server.state = "live"
    assert gate.carrier.due(gate.now) == gate.now + ASK_AGAIN_S
    gate.turn(ASK_AGAIN_S)
    assert len(gate.server.asked) == 1


def test_the_server_hears_that_a_token_is_done_with_when_the_gate_has_it(gate: Bench) -> None:
    gate.turn()
    gate.carrier.take(Parcel(number=1, body=b"one"), gate.now)
    assert gate.heard(2) == say.TokenCame(body=b"one")
    gate.turn(COLLECT_S)
    assert gate.heard(2) == say.TokenCame(body=b"one"), "gated may have been away"
    assert gate.server.last() == Collect(number=1), "nothing else is asked for meanwhile"
    gate.says(say.TokenTaken(mark=mark(b"two")))
    assert gate.server.last() == Collect(number=1), "of another one"
    gate.says(say.TokenTaken(mark=mark(b"one")))
    assert gate.server.last() == Collect(number=2, done=mark(b"one"))


def test_a_token_that_is_offered_is_not_offered_too_often(gate: Bench) -> None:
    gate.turn()
    gate.carrier.take(Parcel(number=1, body=b"one"), gate.now)
    assert gate.heard(2) is not None
    gate.turn(OFFER_AGAIN_S - 0.1)
    assert gate.heard() is None


def test_an_answer_to_an_earlier_question_brings_nothing_twice(gate: Bench) -> None:
    gate.turn()
    gate.carrier.take(Parcel(number=1, body=b"one"), gate.now)
    assert gate.heard(2) is not None
    gate.carrier.take(Parcel(number=2, body=b"one"), gate.now)
    gate.says(say.TokenTaken(mark=mark(b"one")))
    gate.carrier.take(Parcel(number=3, body=b"one"), gate.now)
    gate.carrier.take(Parcel(number=4, body=b""), gate.now)
    assert gate.heard() is None


def test_a_kiosk_hears_what_became_of_its_token(kiosk: Bench) -> None:
    assert kiosk.carrier.topic is None
    kiosk.says(say.PassToken(number=7, gate="lane-2", body=b"one"))
    assert kiosk.server.asked == [Leave(number=1, gate="lane-2", body=b"one")]
    kiosk.carrier.take(Left(number=1, reason="full"), kiosk.now)
    assert kiosk.heard(2) == say.TokenPassed(number=7, reason="full")
    kiosk.carrier.take(Left(number=1), kiosk.now)
    kiosk.carrier.take(Left(number=99), kiosk.now)
    kiosk.carrier.take(Parcel(number=1, body=b"two"), kiosk.now)
    assert kiosk.heard() is None, "nobody asked"


@pytest.mark.parametrize(("state", "reason"), [("no_link", "no_link"), ("refused", "refused")])
def test_a_kiosk_without_a_link_is_told_at_once(kiosk: Bench, state: str, reason: str) -> None:
    kiosk.server.state = state
    kiosk.says(say.PassToken(number=7, gate="lane-2", body=b"one"))
    answer = kiosk.heard(2)
    assert isinstance(answer, say.TokenPassed)
    assert (answer.number, answer.reason) == (7, reason)


def test_questions_that_are_never_answered_are_forgotten(kiosk: Bench) -> None:
    for number in range(MAX_ASKED + 5):
        kiosk.says(say.PassToken(number=number, gate="lane-2", body=b"one"))
    kiosk.carrier.take(Left(number=1), kiosk.now)
    assert kiosk.heard() is None
    kiosk.carrier.take(Left(number=MAX_ASKED + 5), kiosk.now)
    assert kiosk.heard(2) == say.TokenPassed(number=MAX_ASKED + 4)
