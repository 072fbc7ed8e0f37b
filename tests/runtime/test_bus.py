"""The line between two processes: either end may come and go, nothing wrong gets through, nothing blocks."""

import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import msgspec
import pytest
import zmq

from gated.runtime import messages as say
from gated.runtime.bus import QUEUE, Peer

SOON_S = 5.0


@pytest.fixture
def address() -> Iterator[str]:
    with tempfile.TemporaryDirectory() as name:  # short: the path of a Unix socket has 108 bytes
        yield f"ipc://{name}/line"


def gate(address: str) -> Peer[say.FromVision]:
    return Peer(address, say.FromVision, bind=True)


def vision(address: str) -> Peer[say.ToVision]:
    return Peer(address, say.ToVision, bind=False)


def send(peer: Peer[say.FromVision], message: say.Message) -> None:
    """Send as soon as the other end is there."""
    deadline = time.monotonic() + SOON_S
    while not peer.send(message):
        assert time.monotonic() < deadline
        time.sleep(0.01)


def test_messages_go_both_ways_in_order(address: str) -> None:
    with gate(address) as one, vision(address) as other:
        for number in range(5):
            send(one, say.Ping(number=number))
        assert [other.receive(SOON_S) for _ in range(5)] == [say.Ping(number=n) for n in range(5)]
        other.send(say.Pong(number=4, camera="live"))
        assert one.receive(SOON_S) == say.Pong(number=4, camera="live")


def test_the_group_may_speak_and_nobody_else(address: str) -> None:
    with gate(address):
        assert Path(address.removeprefix("ipc://")).stat().st_mode & 0o777 == 0o660


def test_nothing_said_is_nothing_heard_in_time(address: str) -> None:
    with gate(address) as one:
        began = time.monotonic()
        assert one.receive(0.1) is None
        assert 0.09 <= time.monotonic() - began < 1.0
        assert one.dropped == 0


def test_without_another_end_nothing_is_taken_and_nothing_waits(address: str) -> None:
    with gate(address) as one:
        began = time.monotonic()
        assert not one.send(say.Ping(number=1))
        assert one.dropped == 1
        assert time.monotonic() - began < 0.5


def test_a_full_queue_drops_the_newest_and_counts_it(address: str) -> None:
    with vision(address) as other:  # nobody is bound: what it says waits in its own queue
        sent = [other.send(say.Pong(number=number, camera="live")) for number in range(QUEUE + 10)]
        assert sent == [True] * QUEUE + [False] * 10
        assert other.dropped == 10
        with gate(address) as one:
            heard = [one.receive(SOON_S) for _ in range(QUEUE)]
            assert heard == [say.Pong(number=number, camera="live") for number in range(QUEUE)]
            assert one.receive(0.05) is None


@pytest.mark.parametrize(
    "raw",
    [
        b"",
        b"\xc1",
        b"\x93\x01\x02",
        msgspec.msgpack.encode(say.Ping(number=1)),  # a message, but not one that this end takes
        msgspec.msgpack.encode({"type": "Pong", "number": 1, "camera": "live", "more": 1}),
        msgspec.msgpack.encode({"type": "Pong", "number": "1", "camera": "live"}),
        msgspec.msgpack.encode({"type": "Enrolled", "passage": "A" * 16}),
    ],
)
def test_what_is_no_message_is_dropped_and_counted(address: str, raw: bytes) -> None:
    with gate(address) as one, vision(address) as other:
        other.pollable.send(raw)
        assert one.receive(SOON_S) is None
        assert one.dropped == 1
        other.send(say.Pong(number=1, camera="live"))
        assert one.receive(SOON_S) == say.Pong(number=1, camera="live")


def test_parts_are_each_a_message_or_none(address: str) -> None:
    good = msgspec.msgpack.encode(say.Pong(number=1, camera="live"))
    with gate(address) as one, vision(address) as other:
        other.pollable.send_multipart([b"junk", good])
        heard = [one.receive(SOON_S) for _ in range(2)]
        assert heard == [None, say.Pong(number=1, camera="live")]


def test_a_message_beyond_the_limit_never_arrives_and_the_line_heals(
    address: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("gated.runtime.bus.MAX_MESSAGE", 10_000)
    with gate(address) as one, vision(address) as other:
        other.pollable.send(bytes(10_001))
        assert one.receive(0.2) is None
        deadline = time.monotonic() + SOON_S
        heard = None
        while heard is None:
            assert time.monotonic() < deadline
            other.send(say.Pong(number=2, camera="live"))
            heard = one.receive(0.1)
        assert heard == say.Pong(number=2, camera="live")


def test_an_image_as_long_as_the_settings_allow_goes_through(address: str) -> None:
    image = say.SetReference(passage="a" * 16, image=bytes(4_000_000))
    with gate(address) as one, vision(address) as other:
        send(one, image)
        assert other.receive(SOON_S) == image


def test_either_end_may_be_started_again(address: str) -> None:
    with gate(address) as one:
        for number in range(3):
            with vision(address) as other:
                deadline = time.monotonic() + SOON_S
                while other.receive(0.05) != say.Ping(number=number):  # some may go to the one before
                    assert time.monotonic() < deadline
                    one.send(say.Ping(number=number))
    with vision(address) as other:
        for number in range(3):
            with gate(address) as one:
                send(one, say.Ping(number=number))
                assert other.receive(SOON_S) == say.Ping(number=number)


def test_an_address_that_cannot_be_had_is_an_error_at_once() -> None:
    with pytest.raises(zmq.ZMQError):
        gate("ipc:///nowhere/at/all/line")


def test_closing_twice_is_closing_once(address: str) -> None:
    one = gate(address)
    one.close()
    one.close()
    assert one.pollable.closed
