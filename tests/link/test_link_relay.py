"""Neighbours: what a link keeps and gives to others, to whom, and that nobody has to believe it."""

import json
import signal
import subprocess
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import msgspec
import pytest
import zmq
from hypothesis import given
from hypothesis import strategies as st

from gated.central.folder import CentralFolder
from gated.central.keys import admit_gate
from gated.central.shelf import TIMESTAMP, Shelf
from gated.central.wire import Absent, Ask, KeyPair, Piece, read_key_file
from gated.link_relay import Neighbour, Relay
from gated.runtime.bus import Peer
from gated.runtime.messages import FromLink
from gated.store.replication import Failed, Unchanged, Updated
from tests.system.link_rig import BIN, GATE_TOML, Gate, Rig, free_port, until

PATH = f"targets/watchlist/{'0' * 64}.snapshot-1.jsonl"
STOLEN = "L898902C3,UTO,P,,,,,stop,stolen,R-1"


def piece(body: bytes, total: int | None = None, stamp: str = "a") -> Piece:
    return Piece(number=0, total=len(body) if total is None else total, stamp=stamp, body=body)


def ask(path: str = PATH, offset: int = 0, length: int = 1000) -> Ask:
    return Ask(number=7, path=path, offset=offset, length=length)


def timestamp(version: int) -> Piece:
    return piece(json.dumps({"signed": {"version": version}}).encode())


def test_a_piece_is_given_as_it_came_under_the_number_of_the_question() -> None:
    shelf = Shelf()
    shelf.put(PATH, 0, piece(b"x" * 1000, 1500))
    assert shelf.get(ask()) == Piece(number=7, total=1500, stamp="a", body=b"x" * 1000)
    assert shelf.get(ask(offset=1000)) is None
    assert shelf.get(ask(length=999)) is None  # never less, never more than was asked


def test_the_shelf_is_bounded_and_what_was_used_last_stays() -> None:
    shelf = Shelf(max_bytes=300)
    for number in range(3):
        shelf.put(f"metadata/{number}.rules.json", 0, piece(b"x" * 100))
    assert shelf.get(ask("metadata/0.rules.json"))
    shelf.put("metadata/3.rules.json", 0, piece(b"x" * 100))
    kept = [number for number in range(4) if shelf.get(ask(f"metadata/{number}.rules.json"))]
    assert kept == [0, 2, 3]


def test_of_a_file_that_was_replaced_nothing_old_is_given() -> None:
    shelf = Shelf()
    for offset in (0, 100):
        shelf.put(TIMESTAMP, offset, piece(b"x" * 100, 200, "old"))
    shelf.put(TIMESTAMP, 0, piece(b"y" * 100, 200, "new"))
    assert shelf.get(ask(TIMESTAMP, 100, 100)) is None


@given(st.binary(max_size=200))
def test_whatever_stands_in_for_a_timestamp_is_compared_or_let_pass(raw: bytes) -> None:
    shelf = Shelf()
    shelf.put(TIMESTAMP, 0, timestamp(5))
    assert shelf.is_older(TIMESTAMP, piece(raw)) in {True, False}


def test_an_older_timestamp_is_passed_over_and_a_newer_one_is_not() -> None:
    shelf = Shelf()
    assert not shelf.is_older(TIMESTAMP, timestamp(1))
    shelf.put(TIMESTAMP, 0, timestamp(5))
    assert [shelf.is_older(TIMESTAMP, timestamp(version)) for version in (4, 5, 6)] == [True, False, False]
    assert not shelf.is_older("metadata/1.rules.json", timestamp(4))


def pair() -> KeyPair:
    public, secret = zmq.curve_keypair()
    return KeyPair(public_key=public.decode(), secret_key=secret.decode())


@pytest.fixture
def relay() -> Iterator[tuple[Relay, KeyPair, KeyPair, str]]:
    """A relay, its key, the key of the one neighbour that it knows, and its address."""
    own, friend = pair(), pair()
    shelf = Shelf()
    shelf.put(PATH, 0, piece(b"signed"))
    shelf.put("keys/root.pem", 0, piece(b"never"))
    address = f"tcp://127.0.0.1:{free_port()}"
    relay = Relay(address, own, {friend.public_key: "gate-2"}, shelf)
    yield relay, own, friend, address
    relay.close()


def answered(relay: Relay, neighbour: Neighbour, question: Ask, seconds: float) -> Piece | Absent | None:
    deadline = time.monotonic() + seconds
    sent = False
    while time.monotonic() < deadline:
        sent = sent or neighbour.ask(question)
        relay.turn()
        for answer in neighbour.answers():
            return answer
        time.sleep(0.01)
    return None


def test_a_neighbour_gets_what_is_there_and_nothing_else(
    relay: tuple[Relay, KeyPair, KeyPair, str],
) -> None:
    server, own, friend, address = relay
    neighbour = Neighbour("gate-1", address, own.public_key, friend)
    try:
        answer = answered(server, neighbour, ask(), 5)
        assert isinstance(answer, Piece)
        assert answer.body == b"signed"
        for path in ("metadata/9.root.json", "keys/root.pem", "../x"):
            assert answered(server, neighbour, ask(path), 5) == Absent(number=7, reason="missing")
    finally:
        neighbour.close()


def test_a_stranger_gets_no_answer(relay: tuple[Relay, KeyPair, KeyPair, str]) -> None:
    server, own, _, address = relay
    stranger = Neighbour("gate-1", address, own.public_key, pair())
    try:
        assert answered(server, stranger, ask(), 1) is None
    finally:
        stranger.close()


def test_what_is_no_question_gets_no_answer_and_ends_nothing(
    relay: tuple[Relay, KeyPair, KeyPair, str],
) -> None:
    server, own, friend, address = relay
    neighbour = Neighbour("gate-1", address, own.public_key, friend)
    try:
        assert isinstance(answered(server, neighbour, ask(), 5), Piece)
        for raw in (b"", b"\xff", b"x" * 500, msgspec.msgpack.encode({"type": "Leave"}), b"\x91" * 4000):
            neighbour.socket.send(raw)
        assert isinstance(answered(server, neighbour, ask(), 5), Piece)
        assert not neighbour.answers()
    finally:
        neighbour.close()


class Two:
    """Two gates beside each other: `gate-1` of the rig, and `gate-2` with a link of its own."""

    def __init__(self, rig: Rig) -> None:
        self.rig = rig
        self.handout = msgspec.to_builtins(admit_gate(CentralFolder(rig.central), "gate-2"))
        self.state, self.run = rig.folder / "state-2", rig.run / "2"
        self.run.mkdir()
        (self.state / "trust").mkdir(parents=True)
        (self.state / "trust" / "root.json").write_bytes(Path(self.handout["root"]).read_bytes())
        self.port = free_port()
        self.link: subprocess.Popen[str] | None = None

    def neighbours(self, key_file: str, name: str, address: str = "") -> str:
        public = read_key_file(Path(key_file)).public_key
        lines = f'[[link.neighbours]]\nname = "{name}"\npublic_key = "{public}"\n'
        return lines + (f'address = "{address}"\n' if address else "")

    def start(self) -> None:
        """The link of gate-1 listens for gate-2, which asks it when the centre is silent."""
        rig, address = self.rig, f"tcp://127.0.0.1:{self.port}"
        rig.link(
            timeout_s=0.6, more=f'relay = "{address}"\n' + self.neighbours(self.handout["key_file"], "gate-2")
        )
        text = GATE_TOML.format(
            state=self.state, run=self.run, requests=rig.ports[0], announcements=rig.ports[1],
            server_key=self.handout["server_key"], key_file=self.handout["key_file"], timeout_s=0.6,
        )  # fmt: skip
        config = rig.folder / "gate-2.toml"
        config.write_text(text + self.neighbours(rig.handout["key_file"], "gate-1", address))
        with (rig.folder / "link-2.log").open("a") as log:
            self.link = subprocess.Popen([BIN / "gate-link", "--config", config], stderr=log, text=True)
        rig.processes["link-2"] = self.link


@pytest.fixture
def two(tmp_path: Path) -> Iterator[Two]:
    with Rig(tmp_path) as rig:
        yield Two(rig)


def test_a_gate_takes_from_its_neighbour_what_the_silent_centre_has_published(two: Two) -> None:
    rig = two.rig
    rig.publish(STOLEN)
    rig.serve(interval_s=0.5)
    two.start()
    with rig.gate() as first, Peer[FromLink](f"ipc://{two.run}/link", FromLink, bind=True) as peer:
        second = Gate(two.state, peer, 8.0)
        first.refresh_until(Updated)
        second.refresh_until(Updated)
        rig.publish(STOLEN, "B00001,UTO,P,,,,,stop,stolen,R-2")
        assert first.refresh() == Updated(version=2, by="delta")
        rig.stop("serve", signal.SIGKILL)
        _until_it_knows(two)
        assert second.refresh_until(Updated) == Updated(version=2, by="delta")
        before = second.watchlist.signed_at
        assert isinstance(second.refresh(), Unchanged)
        assert second.watchlist.signed_at >= before
        second.watchlist.close()


def test_a_neighbour_that_lies_is_not_believed(two: Two) -> None:
    rig = two.rig
    rig.publish(STOLEN)
    rig.serve(interval_s=0.5)
    own = read_key_file(Path(rig.handout["key_file"]))
    two.start()
    rig.stop("link", signal.SIGKILL)  # in its place, with its very key, stands a liar
    liar = Relay(
        f"tcp://127.0.0.1:{two.port}",
        own,
        {read_key_file(Path(two.handout["key_file"])).public_key: "2"},
        Shelf(),
    )
    try:
        with Peer[FromLink](f"ipc://{two.run}/link", FromLink, bind=True) as peer:
            second = Gate(two.state, peer, 8.0)
            second.refresh_until(Updated)
            rig.stop("serve", signal.SIGKILL)
            _until_it_knows(two)
            forged = json.dumps({"signed": {"version": 10**6}, "signatures": []}).encode()
            liar._shelf.put(TIMESTAMP, 0, piece(forged))
            result = _while_turning(liar, second.refresh)
            assert isinstance(result, Failed)
            assert result.code in {"malformed", "bad_signature", "link_down"}
            assert second.watchlist.version == 1
            second.watchlist.close()
    finally:
        liar.close()


def _until_it_knows(two: Two) -> None:
    """Wait until gate-2's link has noticed that the centre is gone."""
    log = two.rig.folder / "link-2.log"
    until(lambda: "no link to the central server" in log.read_text())


def _while_turning(relay: Relay, work: Callable[[], object]) -> object:
    done: list[object] = []
    thread = threading.Thread(target=lambda: done.append(work()))
    thread.start()
    while thread.is_alive():
        relay.turn()
        time.sleep(0.005)
    thread.join()
    return done[0]
