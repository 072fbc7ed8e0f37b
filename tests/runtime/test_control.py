"""Asking a running gate: one answer in time, or a word about what to do."""

import os
import tempfile
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Self

import msgspec
import pytest
import zmq

from gated.runtime import requests as say
from gated.runtime.control import NoAnswerError, ask


@pytest.fixture
def path() -> Iterator[Path]:
    with tempfile.TemporaryDirectory() as name:  # short: the path of a Unix socket has 108 bytes
        yield Path(name) / "control"


class Answering:
    """A gate that answers one request with these bytes, or not at all."""

    def __init__(self, path: Path, answer: bytes | None) -> None:
        self._context = zmq.Context()
        self._socket: zmq.Socket[bytes] = self._context.socket(zmq.REP)
        self._socket.setsockopt(zmq.LINGER, 1000)
        self._socket.bind(f"ipc://{path}")
        self._answer = answer
        self.heard = b""
        self._thread = threading.Thread(target=self._serve)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._thread.join()
        self._socket.close()
        self._context.term()

    def _serve(self) -> None:
        if self._socket.poll(5000):
            self.heard = self._socket.recv()
            if self._answer is not None:
                self._socket.send(self._answer)


def test_a_request_has_its_answer(path: Path) -> None:
    refused = say.Refused(reason="fire_input_active", fix="clear the fire alarm first")
    with Answering(path, msgspec.msgpack.encode(refused)) as gate:
        assert ask(f"ipc://{path}", say.ResetEmergency()) == refused
    assert msgspec.msgpack.decode(gate.heard, type=say.ToControl) == say.ResetEmergency()


def test_silence_ends_in_time(path: Path) -> None:
    began = time.monotonic()
    with Answering(path, None), pytest.raises(NoAnswerError, match="systemctl status gated"):
        ask(f"ipc://{path}", say.AskStatus(), timeout_s=0.2)
    assert 0.2 <= time.monotonic() - began < 2.0


@pytest.mark.parametrize("answer", [b"", b"\xc1", msgspec.msgpack.encode(say.AskStatus())])
def test_an_answer_that_makes_no_sense_is_another_version(path: Path, answer: bytes) -> None:
    with Answering(path, answer), pytest.raises(NoAnswerError, match="version"):
        ask(f"ipc://{path}", say.AskStatus())


def test_a_gate_that_does_not_run_is_told_at_once_by_its_socket(path: Path) -> None:
    began = time.monotonic()
    with pytest.raises(NoAnswerError, match=r"no socket at .*control .*--run"):
        ask(f"ipc://{path}", say.AskStatus())
    assert time.monotonic() - began < 0.5


def test_a_socket_that_this_user_may_not_open_is_told(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path.touch()
    monkeypatch.setattr(os, "access", lambda *_: False)  # the tests may run as root, who may everything
    with pytest.raises(NoAnswerError, match="may not be opened by this user"):
        ask(f"ipc://{path}", say.AskStatus())
