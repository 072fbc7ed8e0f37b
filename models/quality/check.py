"""Whether a live face can be used, and if not, what the person should do about it.

From the mesh come the distance between the eyes and the turn of the head; from the pixels of the face its
sharpness and brightness. The value orders shots: the best are kept for matching. Terms follow ISO/IEC
29794-5, but these are not its calibrated components.
"""

from dataclasses import dataclass

import cv2
import numpy as np

from models.face import CHIN, LEFT_EYE, RIGHT_EYE, Face, Points
from models.tflite import Image

FOREHEAD = 10

MIN_EYES_PX = 55.0  # the embedder's chip has 67 px between the eye centres; below, it is mostly interpolation
GOOD_EYES_PX = 110.0
MAX_TURN = 25.0  # degrees; TR-03121 asks for 15 while walking, and for less at the best shot
MIN_SHARPNESS = 12.0  # variance of the Laplacian on a face of CHECK_PX; a motion blur of 6 px gives about 5
DARK, BRIGHT = 40.0, 225.0  # mean luminance of the face
CHECK_PX = 96


@dataclass(frozen=True, kw_only=True)
class Quality:
    """What one frame of a face is worth. `hint` is empty when it is usable; `value` is in [0, 1]."""

    eyes_px: float
    yaw: float
    pitch: float
    roll: float
    sharpness: float
    luminance: float
    hint: str
    value: float

    @property
    def usable(self) -> bool:
        """Whether it may be matched."""
        return not self.hint


def assess(image: Image, face: Face) -> Quality:
    """Return the quality of a face in a BGR image. Angles in degrees."""
    yaw, pitch, roll = pose(face.points)
    sharpness, luminance = _look(image, face.points)
    eyes = face.eye_distance
    turn = max(abs(yaw), abs(pitch), abs(roll))
    return Quality(
        eyes_px=eyes,
        yaw=yaw,
        pitch=pitch,
        roll=roll,
        sharpness=sharpness,
        luminance=luminance,
        hint=_hint(eyes, turn, sharpness, luminance),
        value=_value(eyes, turn, sharpness),
    )


def pose(points: Points) -> tuple[float, float, float]:
    """Return yaw, pitch and roll of the head in degrees, from the mesh; zero when it looks at the camera."""
    right, left = points[list(RIGHT_EYE)].mean(0), points[list(LEFT_EYE)].mean(0)
    across, down = left - right, points[CHIN] - points[FOREHEAD]
    yaw = np.arctan2(across[2], np.hypot(across[0], across[1]))
    pitch = np.arctan2(down[2], np.hypot(down[0], down[1]))
    roll = np.arctan2(across[1], across[0])
    return float(np.degrees(yaw)), float(np.degrees(pitch)), float(np.degrees(roll))


def _look(image: Image, points: Points) -> tuple[float, float]:
    """Sharpness and mean luminance of the face's box, at one size for all distances."""
    height, width = image.shape[:2]
    low = np.clip(points[:, :2].min(0), 0, (width - 1, height - 1)).astype(int)
    high = np.clip(points[:, :2].max(0), 0, (width - 1, height - 1)).astype(int)
    box = image[low[1] : high[1] + 1, low[0] : high[0] + 1]
    grey = cv2.cvtColor(
        cv2.resize(box, (CHECK_PX, CHECK_PX), interpolation=cv2.INTER_AREA), cv2.COLOR_BGR2GRAY
    )
    return float(cv2.Laplacian(grey, cv2.CV_32F).var()), float(grey.mean())


def _hint(eyes: float, turn: float, sharpness: float, luminance: float) -> str:
    if eyes < MIN_EYES_PX:
        return "come_closer"
    if turn > MAX_TURN:
        return "look_here"
    if sharpness < MIN_SHARPNESS or not DARK <= luminance <= BRIGHT:
        return "stand_still"
    return ""


def _value(eyes: float, turn: float, sharpness: float) -> float:
    near = min(1.0, eyes / GOOD_EYES_PX)
    frontal = max(0.0, 1 - turn / (2 * MAX_TURN))
    sharp = min(1.0, sharpness / (10 * MIN_SHARPNESS))
    return float(near * frontal * (0.5 + 0.5 * sharp))
