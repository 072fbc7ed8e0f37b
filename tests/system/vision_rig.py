"""gate-vision as a process, with a simulated camera before it and this test in the place of gated."""

import shutil
import tempfile
import time
import tomllib
from collections.abc import Callable, Mapping
from pathlib import Path
from types import TracebackType
from typing import Self, TypeVar

import cv2
import numpy as np

from gated.runtime import messages as say
from gated.runtime.bus import Peer
from hw_sim.camera.glass import GLASS_MM
from hw_sim.camera.scene import Presence, Scene
from hw_sim.supervisor import Daemon, python
from hw_sim.toml import to_toml
from models.tflite import Image
from tests.test_config import filled

M = TypeVar("M", bound=say.FromVision)
PING_S = 0.25
READ_S = 0.8
OPTICAL_S = 8.0


class Vision:
    """One gate-vision. Whatever is awaited, it is asked for a sign of life meanwhile, as gated does."""

    def __init__(
        self,
        folder: Path,
        camera: str | Mapping[str, str],
        *,
        keep_images: bool = False,
        awaits_light: bool = False,
        page_camera: str = "",
    ) -> None:
        self._run = Path(tempfile.mkdtemp(prefix="egate-"))  # a socket's path must be short
        config = tomllib.loads(filled())
        config["paths"] = {"state": str(folder), "run": str(self._run)}
        sources = {"middle": camera} if isinstance(camera, str) else camera
        config["cameras"] = [
            {"name": name, "source": source, "open_timeout_s": 2.0, "read_timeout_s": READ_S}
            for name, source in sources.items()
        ]
        config["vision"] |= {"keep_images": keep_images, "awaits_light": awaits_light}
        if awaits_light:
            config["io_board"]["outputs"]["face_light"] = {"line": 7}
        if page_camera:
            config["page_camera"] = {"source": page_camera, "glass_mm": GLASS_MM, "read_timeout_s": 1.0}
            config["policy"]["limits"]["optical_s"] = OPTICAL_S
        path = folder / "gate.toml"
        path.write_text(to_toml(config))
        self.daemon = Daemon("gate-vision", python("-m", "gated.vision", "--config", str(path)), folder)
        self.peer: Peer[say.FromVision] = Peer(f"ipc://{self._run}/vision", say.FromVision, bind=True)
        self.camera = ""
        """What the last Pong told; `cameras` of each by name."""
        self.cameras: dict[str, str] = {}
        self.page_camera: str | None = ""
        self.embedders = ""
        self.refused: dict[str, str] = {}
        self.answered = 0
        """Which question the last Pong answered."""
        self._heard: list[say.FromVision] = []
        self._number = 0
        self._pinged_at = 0.0

    def __enter__(self) -> Self:
        try:
            self.daemon.start()
        except BaseException:
            self.close()
            raise
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """End it. Idempotent."""
        self.daemon.stop()
        self.peer.close()
        shutil.rmtree(self._run, ignore_errors=True)

    @property
    def unanswered(self) -> int:
        """How many questions for a sign of life wait for their answer."""
        return self._number - self.answered

    def say(self, message: say.ToVision) -> None:
        """Send, after forgetting what was heard so far."""
        self.listen(0.0)
        self._heard.clear()
        assert self.peer.send(message)

    def listen(self, seconds: float, until: Callable[[], bool] = lambda: False) -> bool:
        """Hear what it says for so long, or until something holds; tell whether that came."""
        deadline = time.monotonic() + seconds
        while not until():
            now = time.monotonic()
            if now >= deadline:
                return False
            if now - self._pinged_at >= PING_S:
                self._number, self._pinged_at = self._number + 1, now
                self.peer.send(say.Ping(number=self._number))
            message = self.peer.receive(min(0.05, deadline - now))
            if isinstance(message, say.Pong):
                assert message.number <= self._number
                self.answered = message.number
                self.camera, self.page_camera = message.camera, message.page_camera
                self.cameras = message.cameras
                self.embedders, self.refused = message.embedders, message.refused
            elif message is not None:
                self._heard.append(message)
        return True

    def heard(self, kind: type[M]) -> list[M]:
        """Every message of a kind since the last `say`."""
        return [message for message in self._heard if isinstance(message, kind)]

    def hear(self, kind: type[M], seconds: float) -> M:
        """Wait for the first message of a kind."""
        assert self.listen(seconds, lambda: bool(self.heard(kind))), (kind.__name__, self._heard, self.camera)
        return self.heard(kind)[0]

    def await_camera(self, state: str, seconds: float = 8.0) -> None:
        """Wait until a Pong tells this of the camera."""
        assert self.listen(seconds, lambda: self.camera == state), (self.camera, state)

    def await_page_camera(self, state: str, seconds: float = 8.0) -> None:
        """Wait until a Pong tells this of the page camera."""
        assert self.listen(seconds, lambda: self.page_camera == state), (self.page_camera, state)

    def memory_mib(self) -> float:
        """The largest resident set so far (proc(5), VmHWM)."""
        lines = Path(f"/proc/{self.daemon.pid}/status").read_text(encoding="ascii").splitlines()
        (peak,) = [line for line in lines if line.startswith("VmHWM:")]
        return int(peak.split()[1]) / 1024


def showing(*present: Presence) -> Scene:
    """These people in the lane."""
    return Scene(present=present)


def picture(image: Image) -> bytes:
    """As a JPEG."""
    return cv2.imencode(".jpg", image)[1].tobytes()


def seen(jpeg: bytes) -> Image:
    """The image of a JPEG."""
    image: Image | None = cv2.imdecode(np.frombuffer(jpeg, np.uint8), cv2.IMREAD_COLOR)
    assert image is not None
    return image
