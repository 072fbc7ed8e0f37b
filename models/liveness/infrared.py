"""A face in near infrared, where the colour camera sees one: an optional camera.

At 850 or 940 nm a display is dark: its picture is made of visible light, so a replay shows no face there.
Skin of any tone reflects about half, and eyes are dark in it; many inks are transparent, so that prints lose
their picture. Ink with carbon does not, so a face seen there is no proof of life; its absence is strong.

The frame is grey (uint8), aligned with the colour image and lit by the gate's own infrared lamp.
"""

from typing import Final

import cv2
import numpy as np

from models.face import Points, eye_centres
from models.liveness.cue import Cue, chance
from models.tflite import Image

_SIDE: Final = 48
_DARK: Final = 18.0  # grey levels: nothing reflects
_FLAT: Final = 0.05  # contrast, standard deviation over mean, of what shows no picture
_ALIKE: Final = 0.25  # correlation with the colour image's face
_SEEN: Final = 1.0  # log likelihood ratio of a face that is there
_MISSING: Final = -3.0
_MOST_BRIGHT: Final = 250.0


def read(infrared: Image, image: Image, points: Points) -> Cue:
    """Compare a near-infrared frame with a colour frame (BGR) of the same size and its mesh (468, 3).

    Raises ValueError when the frames do not fit together.
    """
    if infrared.dtype != np.uint8 or infrared.ndim != 2 or infrared.shape != image.shape[:2]:
        raise ValueError("a near-infrared frame has one channel of 8 bits and the size of the colour frame")
    seen, shown = _cut(infrared, points), _cut(cv2.cvtColor(image, cv2.COLOR_BGR2GRAY), points)
    if seen is None or shown is None:
        return Cue(name="infrared", score=None, reason="the face lies at the edge of the frame")
    mean = float(seen.mean())
    if mean > _MOST_BRIGHT:
        return Cue(name="infrared", score=None, reason="over-exposed in near infrared")
    if mean < _DARK:
        return Cue(name="infrared", score=chance(_MISSING), reason="dark in near infrared, as a display is")
    contrast = float(seen.std()) / mean
    if contrast < _FLAT:
        return Cue(name="infrared", score=chance(_MISSING), reason="no picture in near infrared")
    if float(shown.std()) < 1.0:
        return Cue(name="infrared", score=None, reason="the colour frame shows no contrast")
    alike = float(np.corrcoef(seen.ravel(), shown.ravel())[0, 1])
    if alike < _ALIKE:
        return Cue(name="infrared", score=chance(0.5 * _MISSING), reason="another picture in near infrared")
    return Cue(name="infrared", score=chance(_SEEN), reason="a face in near infrared too")


def _cut(grey: Image, points: Points) -> Image | None:
    """The inner face, upright, at a fixed size and without fine detail; None at the edge of the frame."""
    eyes = eye_centres(points)
    across, middle = eyes[1] - eyes[0], eyes.mean(0)
    scale = _SIDE / 2 / max(float(np.hypot(*across)), 1.0)
    low, high = points[:, :2].min(0), points[:, :2].max(0)
    height, width = grey.shape
    if (low < 0).any() or high[0] > width - 1 or high[1] > height - 1:
        return None
    angle = float(np.degrees(np.arctan2(across[1], across[0])))
    matrix = cv2.getRotationMatrix2D((float(middle[0]), float(middle[1])), angle, scale)
    matrix[:, 2] += np.array([_SIDE / 2, _SIDE / 3]) - middle
    small: Image = cv2.warpAffine(grey, matrix, (_SIDE, _SIDE), flags=cv2.INTER_LINEAR)
    soft: Image = cv2.GaussianBlur(small, (0, 0), 1.5)
    return soft
