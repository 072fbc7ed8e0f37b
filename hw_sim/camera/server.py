"""The simulated camera: a process that serves a live stream, and the handle by which a scenario steers it.

    python -m hw_sim.camera.server [--fps 15] [--port 0] [--quality 82] [--sees colour|infrared|depth]

The process reads commands from standard input and answers each on standard output, one JSON object a line
(`Show`, `Lay`, `Freeze`, `Resume`, `Measure` -> `Ready`, `Measured` or `Refused`). It looks into the lane, or
with `--glass` down on the glass of a document reader; `--sees` makes it a camera of near infrared or of
distances. It ends when its input ends, so it never outlives the scenario that started it. Its clock is the
machine's monotonic clock, the same in every process: a waypoint means the same moment to the world, to the
camera and to the gate.
"""

import argparse
import contextlib
import os
import signal
import subprocess
import sys
import threading
from collections.abc import Callable, Iterable
from pathlib import Path
from queue import Empty, SimpleQueue
from typing import IO, Final, Literal, Self, get_args

import cv2
import msgspec

from gated.core.values import Tagged
from hw_sim.camera import people, scene
from hw_sim.camera.glass import Bytes, Glass, picture, prepare
from hw_sim.camera.render import GATE_LENS, GATE_MOUNT, Lens, Mount
from hw_sim.camera.scene import Scene, Walker
from hw_sim.camera.sensing import depth_picture, infrared_picture
from hw_sim.camera.stream import PATHS, CameraServer, Coding, Stream, pgm
from hw_sim.native import errors_to
from models.image import use_one_thread

FPS: Final = 15.0
_QUALITY: Final = 82  # JPEG; what network cameras use
_LINE_BYTES: Final = 65_536  # of one command
_WAYPOINTS: Final = 1000  # of one path
_PRESENT: Final = 4  # people in one scene
_WORN: Final = 8  # things that one person puts on or takes off
_LIT: Final = 100  # times that the face light goes on
_CHATTER: Final = Path(os.devnull)  # of native libraries that draw people
_START_S: Final = 30.0  # imports, first scene: 2 s on an idle machine
_ANSWER_S: Final = 10.0
_END_S: Final = 5.0
_MAX_FPS: Final = 60.0
_EMPTY_FRAMES: Final = 4  # JPEGs of an empty lane in turn: noise that changes without being drawn again


class Show(Tagged):
    """From now on the camera sees this."""

    scene: Scene


class Lay(Tagged):
    """From now on the camera looks down on a glass where this lies."""

    glass: Glass


class Freeze(Tagged):
    """Hang: keep connections, send nothing."""


class Resume(Tagged):
    """Go on after `Freeze`."""


class Measure(Tagged):
    """Ask what rendering has cost so far."""


class Ready(Tagged):
    """The command was carried out; `port` is where the stream is served."""

    port: int


class Measured(Tagged):
    """Frames rendered since the start and CPU seconds that they took."""

    frames: int
    cpu_s: float


class Refused(Tagged):
    """The command was not understood, and nothing changed."""

    reason: str


Command = Show | Lay | Freeze | Resume | Measure
Answer = Ready | Measured | Refused


class CameraFailed(Exception):
    """The simulated camera did not start, does not answer, or refused a command."""


Sees = Literal["colour", "infrared", "depth"]
CODING: Final[dict[Sees, Coding]] = {"colour": "jpeg", "infrared": "jpeg", "depth": "pgm"}


class _Studio:
    """Renders the scene that is shown."""

    def __init__(self, quality: int, glass: Glass | None, sees: Sees = "colour") -> None:
        self._sees = sees
        self._options = (cv2.IMWRITE_JPEG_QUALITY, quality)
        self._scene = Scene()
        self._glass = glass
        self._empty: list[bytes] = []

    def show(self, shown: Scene) -> None:
        """Change the scene; what is slow to make is made now, not in the stream."""
        now = self._scene
        if (shown.seed, shown.lens, shown.mount) != (now.seed, now.lens, now.mount):
            self._empty = []
        with errors_to(_CHATTER):
            scene.prepare(shown)
        self._scene = shown

    @property
    def looks_at_glass(self) -> bool:
        """Whether it looks at documents."""
        return self._glass is not None

    def lay(self, glass: Glass) -> None:
        """Change what lies on the glass; what is slow to print is printed now."""
        with errors_to(_CHATTER):
            prepare(glass)
        self._glass = glass

    def coded(self, time_s: float) -> bytes:
        """The frame of a moment."""
        if self._glass is not None:
            return self._jpeg(picture(self._glass, time_s))
        if self._sees == "depth":
            return pgm(depth_picture(self._scene, time_s))
        if self._sees == "infrared":
            return self._jpeg(infrared_picture(self._scene, time_s))
        shown, empty = self._scene, self._empty
        if shown.present:
            return self._jpeg(scene.picture(shown, time_s))
        if len(empty) < _EMPTY_FRAMES:
            empty.append(self._jpeg(scene.picture(shown, time_s)))
        return empty[int(time_s * 1000) % len(empty)]

    def _jpeg(self, image: Bytes) -> bytes:
        return cv2.imencode(".jpg", image, self._options)[1].tobytes()


def _refusal(shown: Scene) -> str | None:
    """Why a scene cannot be shown."""
    if len(shown.present) > _PRESENT:
        return f"more than {_PRESENT} people"
    if len(shown.light) > _LIT:
        return f"the light goes on more than {_LIT} times"
    for presence in shown.present:
        if not 0 < len(presence.path) <= _WAYPOINTS:
            return f"a path has 1 to {_WAYPOINTS} waypoints"
        if isinstance(presence, Walker) and len(presence.wears) > _WORN:
            return f"somebody wears more than {_WORN} things"
        if any(b.time_s < a.time_s for a, b in zip(presence.path, presence.path[1:], strict=False)):
            return "the waypoints of a path are in order of time"
    return scene.unknown_person(shown)


def _lines(source: IO[bytes]) -> Iterable[bytes]:
    """The lines of a source; of one that is too long, what tells that."""
    while line := source.readline(_LINE_BYTES):
        rest = line
        while len(rest) == _LINE_BYTES and not rest.endswith(b"\n"):
            rest = source.readline(_LINE_BYTES)
        yield line


def _obey(line: bytes, studio: _Studio, stream: Stream, port: int) -> Answer:
    if len(line) >= _LINE_BYTES:
        return Refused(reason=f"a command has fewer than {_LINE_BYTES} bytes")
    try:
        command: Command = msgspec.json.decode(line, type=Command)
    except msgspec.DecodeError as error:
        return Refused(reason=str(error))
    match command:
        case Show() | Lay() if isinstance(command, Lay) is not studio.looks_at_glass:
            return Refused(reason="this camera looks elsewhere")
        case Show(scene=shown):
            if (reason := _refusal(shown)) is not None:
                return Refused(reason=reason)
            studio.show(shown)
        case Lay(glass=glass):
            if glass.page is not None and not people.known(glass.page.holder):
                return Refused(reason="nobody is called so")
            studio.lay(glass)
        case Freeze():
            stream.freeze(frozen=True)
        case Resume():
            stream.freeze(frozen=False)
        case Measure():
            frames, cpu_s = stream.figures()
            return Measured(frames=frames, cpu_s=cpu_s)
    return Ready(port=port)


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m hw_sim.camera.server", description="a simulated camera")
    parser.add_argument("--fps", type=float, default=FPS)
    parser.add_argument("--port", type=int, default=0, help="on the loopback interface; 0: any free one")
    parser.add_argument("--glass", action="store_true", help="look at documents, not at people")
    parser.add_argument("--sees", choices=get_args(Sees), default="colour", help="what the sensor is for")
    parser.add_argument("--quality", type=int, default=_QUALITY, help="of the JPEGs, 1 to 100")
    chosen = parser.parse_args()
    if not 1 <= chosen.fps <= _MAX_FPS:
        parser.error(f"--fps is 1 to {_MAX_FPS:g}")
    if not 1 <= chosen.quality <= 100:
        parser.error("--quality is 1 to 100")
    return chosen


def main() -> int:
    """Serve until standard input ends."""
    chosen = _arguments()
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is the scenario's; it closes our input
    use_one_thread()  # the gate needs the other core
    studio = _Studio(chosen.quality, Glass() if chosen.glass else None, chosen.sees)
    stream = Stream(studio.coded, chosen.fps)
    server = CameraServer(stream, chosen.port, CODING[chosen.sees])
    port = int(server.server_address[1])
    threading.Thread(target=server.serve_forever, name="sim-camera-http", daemon=True).start()
    _tell(Ready(port=port))
    for line in _lines(sys.stdin.buffer):
        _tell(_obey(line, studio, stream, port))
    stream.end()
    server.shutdown()
    server.server_close()
    return 0


def _tell(answer: Answer) -> None:
    sys.stdout.buffer.write(msgspec.json.encode(answer) + b"\n")
    sys.stdout.buffer.flush()


class SimulatedCamera:
    """A camera process, seen from the scenario. Use as a context manager, or `start` and `stop`.

    Any thread may call any method: commands and their answers are one at a time. `lens` and `mount` are this
    camera's own; who shows it a scene puts them into it.
    """

    def __init__(
        self,
        fps: float = FPS,
        *,
        glass: bool = False,
        sees: Sees = "colour",
        lens: Lens = GATE_LENS,
        mount: Mount = GATE_MOUNT,
    ) -> None:
        self.lens = lens
        self.mount = mount
        self._fps = fps
        self._glass = glass
        self._sees: Sees = sees
        self._port = 0
        self._turn = threading.Lock()
        self._process: subprocess.Popen[bytes] | None = None
        self._reader: threading.Thread | None = None
        self._answers: SimpleQueue[bytes] = SimpleQueue()

    @property
    def url(self) -> str:
        """Where OpenCV opens the stream; stays the same over `die` and `start`."""
        if not self._port:
            raise CameraFailed("the simulated camera has not been started")
        return f"http://127.0.0.1:{self._port}{PATHS[CODING[self._sees]]}"

    def start(self) -> None:
        """Start the process and wait until it serves. Raises CameraFailed."""
        with self._turn:
            if self._process is not None:
                raise CameraFailed("the simulated camera runs already")
            command = [
                sys.executable,
                "-m",
                "hw_sim.camera.server",
                f"--fps={self._fps}",
                f"--port={self._port}",
                f"--sees={self._sees}",
                *(["--glass"] if self._glass else []),
            ]
            process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE)
            self._process, self._answers = process, SimpleQueue()
            self._reader = threading.Thread(
                target=_forward, args=(process.stdout or (), self._answers.put), daemon=True
            )
            self._reader.start()
            try:
                ready = self._answer(_START_S)
            except CameraFailed as error:
                self._reap()
                raise CameraFailed("the simulated camera did not start: see its standard error") from error
            if isinstance(ready, Ready):
                self._port = ready.port

    def show(self, shown: Scene) -> None:
        """Change what the camera sees. Raises CameraFailed, with the reason of a refusal."""
        self._ask(Show(scene=shown))

    def lay(self, glass: Glass) -> None:
        """Change what lies on the glass. Raises CameraFailed, with the reason of a refusal."""
        self._ask(Lay(glass=glass))

    def freeze(self) -> None:
        """Hang: connections stay, frames cease."""
        self._ask(Freeze())

    def resume(self) -> None:
        """End a `freeze`."""
        self._ask(Resume())

    def measure(self) -> tuple[int, float]:
        """Frames rendered and CPU seconds that they took."""
        answer = self._ask(Measure())
        if not isinstance(answer, Measured):
            raise CameraFailed("the simulated camera does not say what it measured")
        return answer.frames, answer.cpu_s

    def die(self) -> None:
        """Vanish at once: connections break, the port refuses; `start` brings it back on the same address."""
        if (process := self._process) is not None:
            process.kill()  # before taking turns: who waits for an answer gets none
        with self._turn:
            self._reap()

    def stop(self) -> None:
        """End in order. Idempotent."""
        with self._turn:
            self._reap()

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    def _ask(self, command: Command) -> Answer:
        with self._turn:
            if self._process is None or self._process.stdin is None:
                raise CameraFailed("the simulated camera does not run")
            try:
                self._process.stdin.write(msgspec.json.encode(command) + b"\n")
                self._process.stdin.flush()
            except OSError as error:
                raise CameraFailed("the simulated camera has died") from error
            answer = self._answer(_ANSWER_S)
        if isinstance(answer, Refused):
            raise CameraFailed(f"the simulated camera refused: {answer.reason}")
        return answer

    def _answer(self, timeout_s: float) -> Answer:
        try:
            line = self._answers.get(timeout=timeout_s)
        except Empty as error:
            self._reap()  # a late answer would be taken for that of the next command
            raise CameraFailed("the simulated camera does not answer") from error
        if not line:
            raise CameraFailed("the simulated camera has ended")
        answer: Answer = msgspec.json.decode(line, type=Answer)
        return answer

    def _reap(self) -> None:
        """Close the input, by which the process ends, and wait; kill it if that takes too long."""
        process, self._process = self._process, None
        if process is None:
            return
        if process.stdin is not None:
            with contextlib.suppress(OSError):  # a dead process does not take what was still to be written
                process.stdin.close()
        try:
            process.wait(_END_S)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
        if self._reader is not None:
            self._reader.join(_END_S)
        if process.stdout is not None:
            process.stdout.close()


def _forward(lines: Iterable[bytes], put: Callable[[bytes], None]) -> None:
    """Pass the process's answers on; an empty line says that it has ended."""
    with contextlib.suppress(OSError, ValueError):
        for line in lines:
            put(line)
    put(b"")


if __name__ == "__main__":
    sys.exit(main())
