"""A camera for tests: JPEG frames over HTTP (`multipart/x-mixed-replace`), with the faults of real ones."""

import threading
import time
from collections.abc import Callable
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import TracebackType
from typing import Self

import cv2
import numpy as np
import numpy.typing as npt

Image = npt.NDArray[np.uint8]


def jpeg(image: Image, quality: int = 90) -> bytes:
    good, encoded = cv2.imencode(".jpg", image, [cv2.IMWRITE_JPEG_QUALITY, quality])
    assert good
    return bytes(encoded)


def plain(number: int) -> bytes:
    """A dark 640 x 360 frame that tells its number by a light bar."""
    image = np.full((360, 640, 3), 20, np.uint8)
    image[:, : 8 * (number % 80) + 8] = 120
    return jpeg(image)


class MjpegServer:
    """Serves `frame(number)` at `rate`; tests set `frozen`, `garbage`, `ending` while it runs."""

    def __init__(self, frame: Callable[[int], bytes] = plain, rate: float = 25.0) -> None:
        self.frame = frame
        self.rate = rate
        self.frozen = False
        self.garbage = False
        self.ending = False
        self.clients = 0
        self._closing = threading.Event()
        server = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                server.serve(self)

            def log_message(self, format: str, *args: object) -> None:  # noqa: A002
                """Tests stay silent."""

        self._http = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._http.daemon_threads = True
        self._thread = threading.Thread(target=self._http.serve_forever, args=(0.05,), daemon=True)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self._http.server_address[1]}/live.mjpg"

    def serve(self, request: BaseHTTPRequestHandler) -> None:
        self.clients += 1
        request.send_response(200)
        request.send_header("Content-Type", "multipart/x-mixed-replace; boundary=frame")
        request.end_headers()
        number, started = 0, time.monotonic()
        try:
            while not self._closing.is_set() and not self.ending:
                if not self.frozen:
                    body = bytes(range(256)) * 40 if self.garbage else self.frame(number)
                    head = f"--frame\r\nContent-Type: image/jpeg\r\nContent-Length: {len(body)}\r\n\r\n"
                    request.wfile.write(head.encode() + body + b"\r\n")
                    request.wfile.flush()
                number += 1
                self._closing.wait(max(0.0, started + number / self.rate - time.monotonic()))
        except OSError:
            pass  # the client left
        finally:
            self.clients -= 1
            request.close_connection = True

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._closing.set()
        self._http.shutdown()
        self._http.server_close()
        self._thread.join(2)
