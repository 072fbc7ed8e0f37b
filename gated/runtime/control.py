"""Asking a running gate: one request, one answer, one deadline."""

import os
from pathlib import Path

import msgspec
import zmq

from gated.runtime.messages import Message
from gated.runtime.requests import FromControl

MAX_ANSWER = 256_000


class NoAnswerError(Exception):
    """The daemon did not answer; the text says what to look at."""


def ask(address: str, request: Message, timeout_s: float = 3.0) -> FromControl:
    """Send one request to `gated` and return its answer. Raises NoAnswerError."""
    path = Path(address.removeprefix("ipc://"))
    try:
        path.stat()
    except OSError as error:
        why = f"gated has no socket at {path} ({error.strerror}): see `systemctl status gated`, or give --run"
        raise NoAnswerError(why) from error
    if not os.access(path, os.R_OK | os.W_OK):
        raise NoAnswerError(f"{path} may not be opened by this user: use root or the user of gated")
    with zmq.Context() as context, context.socket(zmq.REQ) as socket:
        socket.setsockopt(zmq.LINGER, 0)
        socket.setsockopt(zmq.MAXMSGSIZE, MAX_ANSWER)
        socket.setsockopt(zmq.SNDTIMEO, int(timeout_s * 1000))
        socket.connect(address)
        socket.send(msgspec.msgpack.encode(request))
        if not socket.poll(int(timeout_s * 1000)):
            raise NoAnswerError("gated does not answer: see `systemctl status gated`")
        try:
            answer: FromControl = msgspec.msgpack.decode(socket.recv(), type=FromControl)
        except msgspec.MsgspecError as error:
            raise NoAnswerError("gated answered in another version: use its own gatectl") from error
        return answer
