"""The page under the page camera: looked at frame by frame until its zone is read for sure, with coaching.

What is not sure is not said: the next frame may show it better. Of a page no more is kept than the frame
before, to see motion by; it is wiped, and the networks with it, at the answer or when the passage ends.
"""

import time
from collections.abc import Callable

from drivers.camera import Camera
from gated.core.settings.cameras import PageCameraSettings
from gated.core.vocabulary import Advice
from gated.document.mrz.decoding import NOTHING, Reading, decode
from gated.document.placement import Coach, Station
from gated.runtime import messages as say
from gated.seeing.eye import Eye
from models.mrz.page import PageReader
from models.schema import MrzReading
from models.tflite import Image

LINGER_S = 3.0  # awake for so long after an answer: a zone that does not hold is asked for again at once


class PageWatch:
    """One page camera and the document of one passage at a time. `tell` sends a message to `gated`."""

    def __init__(
        self,
        settings: PageCameraSettings,
        models: MrzReading,
        patience_s: float,
        tell: Callable[[say.FromVision], object],
    ) -> None:
        """Load the networks; raises ModelError. After `patience_s` the gate waits for no page any more."""
        self._eye = Eye(Camera(settings, "page_camera"), "page_camera")
        self._reader = PageReader(models)
        self._station = Station(glass_mm=settings.glass_mm)
        self._patience_s = patience_s
        self._tell = tell
        self._passage = ""
        self._only_coach = False
        self._reading = False
        self._until = self._awake_until = 0.0
        self._coach = Coach(self._station)
        self._said: Advice | None = None
        self._before: Image | None = None

    @property
    def state(self) -> str:
        """The camera: `asleep`, `live`, or the code of its trouble."""
        return self._eye.state

    @property
    def is_reading(self) -> bool:
        """Whether the page is looked at now."""
        return self._reading

    def begin(self, passage: str, *, only_coach: bool) -> None:
        """Look at this passage's document from now on; asked again for the same, the coaching goes on."""
        if passage != self._passage:
            self.stop()
            self._until = time.monotonic() + self._patience_s
        self._passage, self._only_coach, self._reading = passage, only_coach, True
        self._eye.wake()

    def stop(self, passage: str | None = None) -> None:
        """Look no longer at the document, if it is this passage's; wipe what was seen. Idempotent."""
        if passage is not None and passage != self._passage:
            return
        self._passage, self._reading, self._awake_until = "", False, 0.0
        self._coach, self._said = Coach(self._station), None
        self._keep(None)
        self._reader.wipe()
        self._eye.sleep()

    def turn(self) -> None:
        """One frame of a page, or a moment of rest."""
        if self._reading:
            self._look()
        elif time.monotonic() < self._awake_until or self._eye.needs_check():
            self._eye.look()
        else:
            self._eye.sleep()

    def _look(self) -> None:
        if time.monotonic() > self._until:
            self.stop()
            return
        frame = self._eye.look()
        if frame is None:
            return
        image = frame.image
        page = self._reader.read(image, self._before)
        reading = decode(page.lines) if page.lines else NOTHING
        self._keep(image)
        is_read = reading.verdict == "read"
        # `present`: the gate asks while its own sensor feels the document
        advice = self._coach.look(page.sight, "present", time.monotonic(), read=is_read)
        if is_read and not self._only_coach:
            self._answer(reading)
        elif advice != self._said:
            self._said = advice
            self._tell(say.PagePlacement(passage=self._passage, advice=advice))

    def _answer(self, reading: Reading) -> None:
        self._reading = False
        self._awake_until = time.monotonic() + LINGER_S
        self._keep(None)
        self._reader.wipe()
        confidence = min(min(line) for line in reading.confidence)
        lines = reading.lines.reveal()
        self._tell(say.PageRead(passage=self._passage, lines=lines, confidence=confidence))

    def _keep(self, image: Image | None) -> None:
        """Keep this frame in place of the one before, which is wiped."""
        if self._before is not None:
            self._before.fill(0)
        self._before = image
