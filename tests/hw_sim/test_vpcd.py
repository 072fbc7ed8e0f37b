"""A simulated chip on the wire of a virtual reader: messages, power, silence, and the command for it."""

import json
import os
import secrets
import signal
import socket
import struct
import subprocess
import sys
import time
from collections.abc import Iterator
from datetime import date
from threading import Event, Thread

import pytest

from gated.document.access import Password, PasswordKind
from gated.document.reading import drive, read_passport
from hw_sim.passport import profiles, vpcd
from hw_sim.passport.behaviour import Behaviour
from hw_sim.passport.chip import Chip
from hw_sim.passport.vpcd import Address, VirtualCard, WireError, parse_address
from tests.hw_sim.terminal import WITH_BOTH

POWER_OFF, POWER_ON, RESET, ATR = b"\0", b"\1", b"\2", b"\4"
CARD_ACCESS = bytes.fromhex("00B09C0000")


class Reader:
    """The reader's end: listens, and speaks to the card that connects."""

    def __init__(self, port: int = 0) -> None:
        self.listener = socket.create_server(("127.0.0.1", port))
        self.listener.settimeout(5)
        self.address = Address(host="127.0.0.1", port=self.listener.getsockname()[1])
        self.peer: socket.socket | None = None

    def accept(self) -> None:
        if self.peer:
            self.peer.close()
        self.peer, _ = self.listener.accept()
        self.peer.settimeout(5)

    def send(self, message: bytes) -> None:
        assert self.peer
        self.peer.sendall(len(message).to_bytes(2, "big") + message)

    def receive(self) -> bytes:
        assert self.peer
        with self.peer.makefile("rb") as file:
            length = int.from_bytes(file.read(2), "big")
            return file.read(length)

    def ask(self, message: bytes) -> bytes:
        self.send(message)
        return self.receive()

    def close(self) -> None:
        if self.peer:
            self.peer.close()
        self.listener.close()


class Served:
    """A card that is served in a thread until the test ends."""

    def __init__(self, card: VirtualCard) -> None:
        self.states: list[str] = []
        self.error: WireError | None = None
        self._stop = Event()
        self._thread = Thread(target=self._serve, args=(card,))
        self._thread.start()

    def _serve(self, card: VirtualCard) -> None:
        try:
            card.serve(self.states.append, self._stop)
        except WireError as error:
            self.error = error

    def wait_for(self, *states: str) -> None:
        deadline = time.monotonic() + 5
        while tuple(self.states) != states:
            assert time.monotonic() < deadline, self.states
            time.sleep(0.005)

    def end(self) -> None:
        self._stop.set()
        self._thread.join(5)
        assert not self._thread.is_alive()


@pytest.fixture
def reader(monkeypatch: pytest.MonkeyPatch) -> Iterator[Reader]:
    monkeypatch.setattr(vpcd, "AWAY_S", 0.02)
    reader = Reader()
    yield reader
    reader.close()


@pytest.fixture
def served(reader: Reader) -> Iterator[Served]:
    served = Served(VirtualCard(Chip(WITH_BOTH), reader.address))
    reader.accept()
    yield served
    reader.close()
    served.end()


def test_the_answer_to_reset_is_the_only_control_message_with_an_answer(
    reader: Reader, served: Served
) -> None:
    for message in (POWER_OFF, POWER_ON, RESET):
        reader.send(message)
    assert reader.ask(ATR) == Chip(WITH_BOTH).atr
    assert served.states == ["connected"]


def test_commands_are_answered_at_every_length(reader: Reader, served: Served) -> None:
    reader.send(POWER_ON)
    assert reader.ask(CARD_ACCESS)[-2:] == b"\x90\x00"
    assert reader.ask(bytes.fromhex("00B09C00000100"))[-2:] == b"\x90\x00"
    assert reader.ask(b"\x00\xa4" + bytes(2)) == b"\x6a\x86"
    assert served.states == ["connected"]


def test_a_message_in_pieces_is_one_message(reader: Reader, served: Served) -> None:
    assert reader.peer
    for byte in len(CARD_ACCESS).to_bytes(2, "big") + CARD_ACCESS:
        reader.peer.sendall(bytes([byte]))
        time.sleep(0.001)
    assert reader.receive()[-2:] == b"\x90\x00"
    assert served.states == ["connected"]


def test_power_on_forgets_the_session(reader: Reader, served: Served) -> None:
    reader.send(POWER_ON)
    assert reader.ask(bytes.fromhex("00A4020C02011C")) == b"\x90\x00"
    assert reader.ask(bytes.fromhex("00B0000002"))[-2:] == b"\x90\x00"
    reader.send(RESET)
    assert reader.ask(bytes.fromhex("00B0000002")) == b"\x69\x86"
    assert served.states == ["connected"]


def test_a_passport_is_read_over_the_wire(reader: Reader, served: Served) -> None:
    reader.send(POWER_ON)
    password = Password(PasswordKind.MRZ, WITH_BOTH.access_key)
    files = drive(read_passport(password, random=secrets.token_bytes), reader.ask)
    assert files.access == "PACE-ECDH-GM-AES-128"
    assert served.states == ["connected"]


def test_a_card_waits_for_its_reader_and_comes_back_to_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(vpcd, "AWAY_S", 0.02)
    first = Reader()
    first.close()
    served = Served(VirtualCard(Chip(WITH_BOTH), first.address))
    served.wait_for("away")
    second = Reader(first.address.port)
    second.accept()
    served.wait_for("away", "connected")
    second.accept()
    served.wait_for("away", "connected", "away", "connected")
    second.close()
    served.end()


def test_a_chip_that_falls_silent_is_taken_from_the_reader_and_comes_back(reader: Reader) -> None:
    served = Served(VirtualCard(Chip(WITH_BOTH, Behaviour(lost_at=2)), reader.address))
    reader.accept()
    reader.send(POWER_ON)
    assert reader.ask(CARD_ACCESS)[-2:] == b"\x90\x00"
    assert reader.ask(CARD_ACCESS) == b""
    reader.accept()
    reader.send(POWER_ON)
    assert reader.ask(CARD_ACCESS)[-2:] == b"\x90\x00"
    assert reader.ask(CARD_ACCESS)[-2:] == b"\x90\x00"
    served.wait_for("connected", "lost", "connected")
    reader.close()
    served.end()


class Lengthy:
    """A card that answers with more than the wire can carry."""

    atr = b"\x3b\x80\x80\x01\x01"

    def __init__(self) -> None:
        self.resets = 0

    def reset(self) -> None:
        self.resets += 1

    def command(self, apdu: bytes) -> bytes:  # noqa: ARG002 - always the same
        return bytes(0xFFFE) + b"\x90\x00"

    def busy_s(self, command: bytes, response: bytes) -> float:  # noqa: ARG002 - it takes no time
        return 0.0


def test_a_response_that_the_wire_cannot_carry_is_a_wrong_length(reader: Reader) -> None:
    card = Lengthy()
    served = Served(VirtualCard(card, reader.address))
    reader.accept()
    assert reader.ask(b"\x00\xb0\x00\x00\x00") == b"\x67\x00"
    assert card.resets == 1  # nobody had powered it
    reader.close()
    served.end()


def test_a_reader_that_breaks_off_is_away(reader: Reader) -> None:
    served = Served(VirtualCard(Chip(WITH_BOTH), reader.address))
    reader.accept()
    served.wait_for("connected")
    assert reader.peer
    reader.peer.setsockopt(
        socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0)
    )  # a reset, not an end
    reader.close()
    served.wait_for("connected", "away")
    served.end()


def test_a_mute_chip_has_an_empty_answer_to_reset(reader: Reader) -> None:
    served = Served(VirtualCard(Chip(WITH_BOTH, Behaviour(mute=True)), reader.address))
    reader.accept()
    assert reader.ask(ATR) == b""
    reader.close()
    served.end()


def test_with_a_bit_rate_an_exchange_takes_the_time_of_chip_and_link(reader: Reader) -> None:
    chip = Chip(WITH_BOTH, Behaviour(slowness=20.0))
    served = Served(VirtualCard(chip, reader.address, bit_rate=106_000))
    reader.accept()
    reader.send(POWER_ON)
    began = time.monotonic()
    reader.ask(CARD_ACCESS)
    assert time.monotonic() - began >= 0.06
    reader.close()
    served.end()


@pytest.mark.parametrize("message", [b"", b"\x03", b"\xff"])
def test_who_does_not_speak_the_language_is_told_apart(reader: Reader, message: bytes) -> None:
    served = Served(VirtualCard(Chip(WITH_BOTH), reader.address))
    reader.accept()
    reader.send(message)
    served.end()
    assert served.error


@pytest.mark.parametrize(
    ("text", "host", "port"),
    [
        ("localhost:35963", "localhost", 35963),
        ("localhost", "localhost", vpcd.PORT),
        ("[::1]:7000", "::1", 7000),
        ("[::1]", "::1", vpcd.PORT),
    ],
)
def test_an_address_is_host_and_port(text: str, host: str, port: int) -> None:
    assert parse_address(text) == Address(host=host, port=port)


@pytest.mark.parametrize(
    "text", ["", ":35963", "localhost:", "localhost:0", "localhost:65536", "localhost:x"]
)
def test_a_wrong_address_says_what_to_write(text: str) -> None:
    with pytest.raises(ValueError, match="write HOST:PORT"):
        parse_address(text)


# --- the command -------------------------------------------------------------------------------------


def gate_sim(*arguments: str) -> "subprocess.Popen[str]":
    return subprocess.Popen(
        [sys.executable, "-m", "hw_sim", "chip", *arguments],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env=os.environ | {"PYTHONUNBUFFERED": "1"},
    )


def test_the_list_names_every_profile_with_a_line() -> None:
    output, _ = gate_sim("--list").communicate(timeout=30)
    lines = output.splitlines()
    assert [line.split()[0] for line in lines] == [profile.name for profile in profiles.TABLE]
    coded, _ = gate_sim("--list", "--json").communicate(timeout=30)
    assert [json.loads(line)["profile"] for line in coded.splitlines()] == list(profiles.BY_NAME)


def test_who_has_read_enough_of_the_list_may_leave() -> None:
    process = gate_sim("--list")
    assert process.stdout
    process.stdout.close()  # long before the first line comes
    process.wait(30)
    assert process.stderr
    assert (process.returncode, process.stderr.read()) == (0, "")
    process.stderr.close()


@pytest.mark.parametrize("end", [signal.SIGINT, signal.SIGTERM])
def test_the_command_serves_a_profile_and_ends_cleanly(reader: Reader, end: signal.Signals) -> None:
    process = gate_sim("--vpcd", str(reader.address), "--profile", "can-only", "--json")
    assert process.stdout
    reader.listener.settimeout(30)
    reader.accept()
    about = json.loads(process.stdout.readline())
    assert about["can"] == "314159"
    assert json.loads(process.stdout.readline()) == {"state": "connected"}
    reader.send(POWER_ON)
    password = Password(PasswordKind.CAN, about["can"])
    files = drive(read_passport(password, random=secrets.token_bytes), reader.ask)
    zone = "".join(about["mrz"]).encode()
    assert zone in files["dg1"].reveal()
    process.send_signal(end)
    output, errors = process.communicate(timeout=10)
    assert (process.returncode, output, errors) == (0, "", "")


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (["--profile", "nobody"], "gate-sim chip --list"),
        (["--vpcd", "here:none"], "write HOST:PORT"),
        (["--vpcd", "nowhere.invalid:35963"], "correct --vpcd"),
    ],
)
def test_a_wrong_argument_says_what_to_do(arguments: list[str], says: str) -> None:
    process = gate_sim(*arguments)
    output, errors = process.communicate(timeout=30)
    assert (process.returncode, output) == (2, "")
    assert says in errors


def test_the_zone_on_the_page_is_printed_because_it_opens_the_chip(reader: Reader) -> None:
    process = gate_sim("--vpcd", str(reader.address), "--profile", "bac")
    reader.listener.settimeout(30)
    reader.accept()
    process.send_signal(signal.SIGTERM)
    output, _ = process.communicate(timeout=10)
    lines = profiles.BY_NAME["bac"].passport(date(2026, 11, 23)).lines
    assert all(line in output for line in lines)
