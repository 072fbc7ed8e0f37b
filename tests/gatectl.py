"""`gatectl` run in the test's own process, and a gate's control socket for it to ask."""

import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import msgspec
import pytest
import zmq

from gated import cli
from gated.runtime import requests as say
from tests.test_report_text import STATUS

Run = Callable[..., tuple[int, str, str]]


def gatectl(capsys: pytest.CaptureFixture[str]) -> Run:
    """Return what runs one command and returns its status, what it printed and what it complained of."""

    def run(*arguments: object) -> tuple[int, str, str]:
        try:
            status = cli.main([str(argument) for argument in arguments])
        except SystemExit as end:  # argparse
            status = int(str(end.code))
        printed = capsys.readouterr()
        return status, printed.out, printed.err

    return run


class RunningGate:
    """A control socket that answers each request from a table, and keeps what it was asked."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.answer: Callable[[Any], say.FromControl] = self._usual
        self.status = STATUS
        self.asked: list[Any] = []
        self._context = zmq.Context()
        self._socket: zmq.Socket[bytes] = self._context.socket(zmq.REP)
        self._socket.setsockopt(zmq.LINGER, 0)
        self._socket.bind(f"ipc://{folder}/control")
        self._stopping = False
        self._thread = threading.Thread(target=self._serve)
        self._thread.start()

    def _usual(self, request: Any) -> say.FromControl:
        return self.status if isinstance(request, say.AskStatus) else say.Done()

    def _serve(self) -> None:
        decoder = msgspec.msgpack.Decoder(say.ToControl)
        while not self._stopping:
            if self._socket.poll(50):
                request = decoder.decode(self._socket.recv())
                self.asked.append(request)
                self._socket.send(msgspec.msgpack.encode(self.answer(request)))

    def close(self) -> None:
        self._stopping = True
        self._thread.join()
        self._socket.close()
        self._context.term()
