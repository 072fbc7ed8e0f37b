"""A camera that shows a film: JPEG frames at a rate, to each who connects from the first frame on.

    python -m tests.bench.film FOLDER RATE

A process of its own, so that it takes nothing from the process whose pace is measured.
"""

import subprocess
import sys
import tempfile
import threading
from collections.abc import Sequence
from pathlib import Path
from types import TracebackType
from typing import Self

from tests.mjpeg import MjpegServer


class Film:
    """Serves these frames, the last one for ever; use with `with`."""

    def __init__(self, frames: Sequence[bytes], rate: float) -> None:
        self.url = ""
        self._folder = tempfile.TemporaryDirectory(prefix="egate-film-")
        for number, frame in enumerate(frames):
            (Path(self._folder.name) / f"{number:04}.jpg").write_bytes(frame)
        self._command = [sys.executable, "-m", "tests.bench.film", self._folder.name, str(rate)]

    def __enter__(self) -> Self:
        self._process = subprocess.Popen(
            self._command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )
        assert self._process.stdout is not None
        self.url = self._process.stdout.readline().strip()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._process.communicate()
        self._folder.cleanup()


def main(folder: str, rate: str) -> None:
    """Serve until the input ends."""
    frames = [file.read_bytes() for file in sorted(Path(folder).iterdir())]
    with MjpegServer(lambda number: frames[min(number, len(frames) - 1)], float(rate)) as server:
        print(server.url, flush=True)
        ended = threading.Thread(target=sys.stdin.read)
        ended.start()
        ended.join()


if __name__ == "__main__":
    main(*sys.argv[1:])
