"""Frames to whoever reads them: Motion-JPEG over HTTP, as network cameras send it; distances as PGM.

PGM frames follow one another with nothing between them. FFmpeg reads such a stream in blocks of 4096 bytes,
so each frame is padded to whole blocks: otherwise its end would come with the next one.

One thread renders while at least one client reads, each at the frame's own time; a client that falls behind
misses frames, as with a camera. With nobody reading, nothing is drawn. `freeze` keeps every connection and
sends nothing more: what a hung camera does.
"""

import select
import socket
import threading
import time
from collections.abc import Callable
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Final, Literal

import numpy as np
from numpy.typing import NDArray

PATHS: Final = {"jpeg": "/camera.mjpg", "pgm": "/camera.pgm"}
_BOUNDARY: Final = "frame"
_BLOCK: Final = 4096
_CLIENTS: Final = 8  # at a time; the next one is told 503
_STALLED_S: Final = 5.0  # a client that takes no byte for so long is let go
_LOOK_S: Final = 0.5  # how often who waits for a frame looks whether the other side is still there


Coding = Literal["jpeg", "pgm"]


def pgm(depths: NDArray[np.uint16]) -> bytes:
    """One frame of distances, lossless, in whole blocks."""
    height, width = depths.shape
    size = f"{width} {height}\n65535\n".encode()
    pixels = depths.astype(">u2").tobytes()
    spare = -(len(b"P5\n#\n") + len(size) + len(pixels)) % _BLOCK
    return b"P5\n#" + b" " * spare + b"\n" + size + pixels


class Stream:
    """The newest frame and who waits for it. `render(monotonic seconds)` gives one frame, coded."""

    def __init__(self, render: Callable[[float], bytes], fps: float) -> None:
        self._render = render
        self._period_s = 1 / fps
        self._changed = threading.Condition()
        self._coded = b""
        self._taken_s = 0.0
        self._number = 0
        self._old = 0  # frames up to this number are sent no more
        self._wanted_s = 0.0  # since when somebody wants frames: none that was begun before is sent
        self._clients = 0
        self._frozen = False
        self._ended = False
        self._spent_s = 0.0
        self._thread = threading.Thread(target=self._run, name="sim-camera", daemon=True)
        self._thread.start()

    def enter(self) -> int | None:
        """A client begins to read: the number of the last frame before it came. None: too many clients."""
        with self._changed:
            if self._clients >= _CLIENTS or self._ended:
                return None
            if self._clients == 0:
                self._wanted_s = time.monotonic()
            self._clients += 1
            self._changed.notify_all()
            return self._number

    def leave(self) -> None:
        """A client has gone."""
        with self._changed:
            self._clients -= 1

    def freeze(self, *, frozen: bool) -> None:
        """Stop sending, or go on with frames that are taken from now on."""
        with self._changed:
            self._frozen = frozen
            self._old = self._number
            self._wanted_s = time.monotonic()
            self._changed.notify_all()

    def end(self) -> None:
        """Let every client go."""
        with self._changed:
            self._ended = True
            self._changed.notify_all()
        self._thread.join(timeout=5)

    @property
    def ended(self) -> bool:
        """Whether no more frames will come."""
        return self._ended

    def next(self, after: int) -> tuple[int, float, bytes] | None:
        """The newest frame once it is later than number `after`: number, time, frame. None: not for now."""
        with self._changed:
            self._changed.wait_for(lambda: self._ended or self._has(after), _LOOK_S)
            if self._ended or not self._has(after):
                return None
            return self._number, self._taken_s, self._coded

    def _has(self, after: int) -> bool:
        return not self._frozen and self._number > max(after, self._old)

    def figures(self) -> tuple[int, float]:
        """Frames rendered and the CPU seconds they took."""
        with self._changed:
            return self._number, self._spent_s

    def _run(self) -> None:
        try:
            self._draw()
        finally:  # whatever ends the drawing ends the stream: clients shall not wait for nothing
            with self._changed:
                self._ended = True
                self._changed.notify_all()

    def _draw(self) -> None:
        due = time.monotonic()
        while True:
            with self._changed:
                while not self._ended and (self._clients == 0 or self._frozen):
                    self._changed.wait(_LOOK_S)
                    due = time.monotonic()
                if self._ended:
                    return
            due += self._period_s
            taken = time.monotonic()
            if taken > due + self._period_s:
                due = taken  # late by more than a frame: skip, do not catch up
            began = time.thread_time()
            coded = self._render(taken)
            with self._changed:
                if taken >= self._wanted_s:
                    self._coded, self._taken_s, self._number = coded, taken, self._number + 1
                self._spent_s += time.thread_time() - began
                self._changed.notify_all()
            time.sleep(max(0.0, due - time.monotonic()))


class CameraServer(ThreadingHTTPServer):
    """HTTP on the loopback interface that serves one stream."""

    daemon_threads = True
    request_queue_size = 16

    def __init__(self, stream: Stream, port: int, coding: Coding = "jpeg") -> None:
        super().__init__(("127.0.0.1", port), _Client)
        self.stream = stream
        self.coding = coding

    def handle_error(self, request: object, client_address: object) -> None:
        """A client that went away is no error of the camera's."""


class _Client(BaseHTTPRequestHandler):
    server: CameraServer
    timeout = _STALLED_S
    protocol_version = "HTTP/1.1"

    def do_GET(self) -> None:
        """Send frames until one side ends."""
        if self.path != PATHS[self.server.coding]:
            self.send_error(404)
            return
        stream = self.server.stream
        if (before := stream.enter()) is None:
            self.send_error(503)
            return
        try:
            self._send_frames(stream, before)
        finally:
            stream.leave()
            self.close_connection = True

    def _send_frames(self, stream: Stream, number: int) -> None:
        self.send_response(200)
        parts = f"multipart/x-mixed-replace; boundary={_BOUNDARY}"
        in_parts = self.server.coding == "jpeg"
        self.send_header("Content-Type", parts if in_parts else "image/x-portable-graymap")
        self.send_header("Cache-Control", "no-store")
        self.send_header("Connection", "close")
        self.end_headers()
        while not stream.ended and not self._hung_up():
            if (frame := stream.next(number)) is None:
                continue
            number, taken_s, body = frame
            head = (
                f"--{_BOUNDARY}\r\nContent-Type: image/jpeg\r\nContent-Length: {len(body)}\r\n"
                f"X-Timestamp: {taken_s:.6f}\r\n\r\n"
            )
            try:
                self.wfile.write(head.encode("ascii") + body + b"\r\n" if in_parts else body)
            except OSError:
                return

    def _hung_up(self) -> bool:
        """Whether the client has closed its side; a frozen camera would not learn it from writing."""
        readable, _, _ = select.select([self.connection], [], [], 0)
        try:
            return bool(readable) and not self.connection.recv(1, socket.MSG_PEEK)
        except OSError:
            return True

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the name is http.server's
        """Requests are not printed: standard output is the control channel."""
