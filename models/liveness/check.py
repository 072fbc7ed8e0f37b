"""Liveness of one person over the frames of a capture: every cue that this gate can have, fused."""

from collections import deque
from typing import Final, Protocol

import numpy as np

from models.face import Face
from models.liveness import depth as depth_camera
from models.liveness import infrared as infrared_camera
from models.liveness.background import BackgroundCheck
from models.liveness.blink import BlinkCheck
from models.liveness.cue import Cue, chance, logit_of
from models.liveness.fusion import UNKNOWN, Evidence, fuse
from models.liveness.light import SETTLE_S, Code, LightCheck
from models.liveness.motion import MotionCheck
from models.schema import Liveness
from models.tflite import Image

KEPT: Final = 15  # single-frame readings whose median counts
RECAPTURE_S: Final = 0.25  # single frames of one capture are much alike: no need to look at each


class Recapture(Protocol):
    """Tells from a single frame how probable a re-capture is."""

    def read(self, image: Image, face: Face) -> float | None:
        """Return the probability of a print or screen; None: cannot tell."""

    def wipe(self) -> None:
        """Overwrite what the last frame left."""


class LivenessCheck:
    """Collects what one person's frames tell. Not for use from two threads at once."""

    def __init__(
        self, entry: Liveness, recapture: Recapture | None = None, *, awaits_light: bool = False
    ) -> None:
        """`awaits_light`: where a code is played, nobody is live before the face answered it.

        Otherwise only those wait for it whom single frames or the surroundings do not clear: a film on a
        screen moves as a face does, but it cannot know the code.
        """
        self._entry = entry
        self._awaits_light = awaits_light
        # the lamp changes the texture that motion is measured on: each light has views of its own
        self._motion = {lit: MotionCheck(entry.motion) for lit in (False, True)}
        self._code: Code = ()
        self._background = BackgroundCheck()
        self._blink = BlinkCheck()
        self._light = LightCheck()
        self._recapture = recapture
        self._readings: dict[str, deque[Cue]] = {
            name: deque(maxlen=KEPT) for name in ("recapture", "infrared", "depth")
        }
        self._recaptured_at = float("-inf")
        self._frames = 0

    def light(self, code: Code) -> None:
        """Say what the gate's lamp does: (monotonic seconds, on from then), in order of time."""
        self._code = tuple(sorted(code))
        self._light.play(code)

    def add(
        self,
        image: Image,
        face: Face,
        at: float,
        *,
        infrared: Image | None = None,
        depth: depth_camera.Depth | None = None,
    ) -> None:
        """Take one frame (BGR), its face and its moment, monotonic seconds.

        A near-infrared frame (grey) or depth frame (uint16, millimetres) is aligned with it pixel by pixel.
        """
        self._frames += 1
        lit = self._lit(at)
        if lit is not None:
            self._motion[lit].add(image, face.points, at)
        self._background.add(image, face.points, at)
        self._blink.add(face.points, at)
        self._light.add(image, face.points, at)
        if self._recapture is not None and at - self._recaptured_at >= RECAPTURE_S:
            self._recaptured_at = at
            self._readings["recapture"].append(_recaptured(self._recapture.read(image, face)))
        if infrared is not None:
            self._readings["infrared"].append(infrared_camera.read(infrared, image, face.points))
        if depth is not None:
            self._readings["depth"].append(depth_camera.read(depth, face.points))

    def judge(self) -> Evidence:
        """Return what is known so far."""
        views = sorted(self._motion.values(), key=lambda check: check.frames)
        moved = both([check.judge() for check in views])
        cues = [moved, self._background.judge(), self._blink.judge(), self._light.judge()]
        cues += [joined(list(readings)) for readings in self._readings.values() if readings]
        return fuse(cues, self._entry, self._frames, hold=self._holds(cues))

    def _holds(self, cues: list[Cue]) -> bool:
        """Whether the lamp's code must be answered first: it was not, not clearly, or not long enough."""
        score = {cue.name: cue.score for cue in cues}
        if not any(not on for _, on in self._code) or (score["light"] or UNKNOWN) >= self._entry.answer_score:
            return False
        frame, around = score.get("recapture", UNKNOWN), score["background"]
        doubted = frame is None or frame < UNKNOWN or (around is not None and around < UNKNOWN)
        return self._awaits_light or doubted

    def _lit(self, at: float) -> bool | None:
        """Whether the lamp was on at a moment; None so near a change that a frame may have seen both."""
        if any(abs(at - moment) < SETTLE_S for moment, _ in self._code):
            return None
        return next((on for moment, on in reversed(self._code) if moment <= at), False)

    def wipe(self) -> None:
        """Overwrite and forget everything, in the model too; the lamp's code as well."""
        for views in self._motion.values():
            views.wipe()
        for check in (self._background, self._blink, self._light):
            check.wipe()
        self._code = ()
        if self._recapture is not None:
            self._recapture.wipe()
        for readings in self._readings.values():
            readings.clear()
        self._recaptured_at = float("-inf")
        self._frames = 0


def both(cues: list[Cue]) -> Cue:
    """Join what one cue says of several sets of frames, of which the last is the largest."""
    known = [cue for cue in cues if cue.score is not None]
    if not known:
        return cues[-1]
    total = sum(logit_of(cue.score) for cue in known if cue.score is not None)
    surest = max(known, key=lambda cue: abs(logit_of(cue.score or UNKNOWN)))
    return Cue(name=surest.name, score=chance(total), reason=surest.reason)


def joined(readings: list[Cue]) -> Cue:
    """Join one cue's readings of single frames: the median of their logits, for they are not independent."""
    known = [reading for reading in readings if reading.score is not None]
    if not known:
        return readings[-1]
    logits = [logit_of(reading.score) for reading in known if reading.score is not None]
    middle = int(np.argsort(logits)[len(logits) // 2])
    return Cue(name=known[0].name, score=chance(float(np.median(logits))), reason=known[middle].reason)


def _recaptured(probability: float | None) -> Cue:
    if probability is None:
        return Cue(name="recapture", score=None, reason="the face is too small or blurred to tell a print by")
    told = "texture of a print or screen" if probability > 0.5 else "no texture of a print or screen"
    return Cue(name="recapture", score=1 - probability, reason=told)
