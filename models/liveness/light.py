"""The face's answer to the gate's own lamp.

The gate switches its face light by a code that nobody knows before. A face before the gate answers in step
and far more than the wall behind it, and a face in relief answers unevenly: what looks towards the lamp more
than what looks aside. A screen shines by itself and answers little, and so does what lies further away. A
print answers as paper does, in step but evenly, so an answer alone is no proof of life.

    light(t) = base + drift t + gain code(t) + noise, for each region of the face and for what surrounds it

Gains are parts of each region's own brightness. No code played, or too few changes of it seen: no evidence.
"""

from collections import deque
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

import cv2
import numpy as np
import numpy.typing as npt

from models.face import Points
from models.liveness.cue import Cue, chance
from models.tflite import Image

Code = Sequence[tuple[float, bool]]  # (monotonic seconds, lamp on from then), in order of time
Series = npt.NDArray[np.float64]

REGIONS: Final[Mapping[str, tuple[int, ...]]] = {
    "forehead": (9, 108, 337, 151),
    "right_cheek": (50, 101, 118),
    "left_cheek": (280, 330, 347),
    "nose": (4, 195, 5),
    "right_side": (227, 137, 123),
    "left_side": (447, 366, 352),
    "chin": (199, 175, 200),
}
KEPT: Final = 240
MAX_CODE: Final = 256
LEAST_CHANGES: Final = 4
LEAST_FRAMES: Final = 12
SETTLE_S: Final = 0.05  # a frame so near a change may have been exposed on both sides of it
_EVEN: Final = 0.10  # relative spread of gains below which a surface answers evenly
_ANSWER: Final = 0.02  # a gain that a face in the lamp's reach passes
_MOST: Final = 3.0


@dataclass(frozen=True, kw_only=True)
class Answer:
    """How the face followed the code. `agreement` is the correlation, `unevenness` the gains' spread."""

    frames: int
    agreement: float
    gain: float
    behind: float
    unevenness: float


class LightCheck:
    """Collects the brightness of regions of one face, to compare it with the lamp's code."""

    def __init__(self) -> None:
        self._code: list[tuple[float, bool]] = []
        self._seen: deque[tuple[float, Series]] = deque(maxlen=KEPT)

    def play(self, code: Code) -> None:
        """Take what the lamp does: at most MAX_CODE changes."""
        self._code = sorted(code)[-MAX_CODE:]

    def add(self, image: Image, points: Points, at: float) -> None:
        """Take one frame (BGR) with its mesh (468, 3). Without a code nothing is kept."""
        if self._code:
            self._seen.append((at, brightness(image, points)))

    def judge(self) -> Cue:
        """Say how the face answered."""
        if not self._code:
            return Cue(name="light", score=None, reason="no light code was played")
        answer = respond(self._code, list(self._seen))
        if answer is None:
            return Cue(name="light", score=None, reason="too little of the light code was seen")
        return Cue(name="light", score=chance(strength(answer)), reason=_told(answer))

    def wipe(self) -> None:
        """Overwrite and drop everything."""
        for _, values in self._seen:
            values.fill(0)
        self._seen.clear()
        self._code = []


def brightness(image: Image, points: Points) -> Series:
    """Return the mean grey of each of REGIONS, and last of what lies beside the head (NaN outside)."""
    eyes = float(np.hypot(*(points[33, :2] - points[263, :2])))
    half = max(1, round(0.09 * eyes))
    centres = [points[list(numbers), :2].mean(0) for numbers in REGIONS.values()]
    values = [_mean(image, centre, half) for centre in centres]
    middle = points[168, :2]
    beside = [_mean(image, middle + np.array([side * 1.6 * eyes, -0.2 * eyes]), 2 * half) for side in (-1, 1)]
    known = [value for value in beside if not np.isnan(value)]
    return np.array([*values, float(np.mean(known)) if known else np.nan])


def _mean(image: Image, centre: Series, half: int) -> float:
    x, y = (round(float(value)) for value in centre)
    height, width = image.shape[:2]
    part = image[max(y - half, 0) : min(y + half + 1, height), max(x - half, 0) : min(x + half + 1, width)]
    if part.size == 0 or x + half < 0 or y + half < 0:
        return float("nan")
    blue, green, red = cv2.mean(part)[:3]
    return float(0.114 * blue + 0.587 * green + 0.299 * red)


def respond(code: Code, seen: Sequence[tuple[float, Series]]) -> Answer | None:
    """Compare brightness at moments with the code. None: too few frames or changes to say anything."""
    times = np.array([at for at, _ in code])
    states = [1.0 if on else 0.0 for _, on in code]
    kept = [
        (at, values)
        for at, values in seen
        if at >= times[0] and not np.isnan(values[:-1]).any() and np.abs(times - at).min() > SETTLE_S
    ]
    if len(kept) < LEAST_FRAMES:
        return None
    at = np.array([moment for moment, _ in kept])
    lamp = np.array([states[int(np.searchsorted(times, moment, side="right")) - 1] for moment in at])
    if int(np.abs(np.diff(lamp)).sum()) < LEAST_CHANGES:
        return None
    light = np.stack([values for _, values in kept])
    face, behind = light[:, :-1], light[:, -1]
    gains = np.array([_gain(at, lamp, face[:, region]) for region in range(face.shape[1])])
    whole = face.mean(1)
    ground = _gain(at, lamp, behind) if not np.isnan(behind).any() else 0.0
    gain = float(gains.mean())
    return Answer(
        frames=len(kept),
        agreement=_agreement(at, lamp, whole),
        gain=gain,
        behind=ground,
        unevenness=float(gains.std() / max(abs(gain), 1e-6)),
    )


def _without_drift(at: Series, values: Series) -> Series:
    basis = np.vander((at - at.mean()) / max(float(np.ptp(at)), 1e-6), 3)
    rest: Series = values - basis @ np.linalg.lstsq(basis, values, rcond=None)[0]
    return rest


def _gain(at: Series, lamp: Series, values: Series) -> float:
    pulse = _without_drift(at, lamp)
    power = float(pulse @ pulse)
    mean = max(float(values.mean()), 1.0)
    return float(pulse @ _without_drift(at, values)) / max(power, 1e-9) / mean


def _agreement(at: Series, lamp: Series, values: Series) -> float:
    pulse, rest = _without_drift(at, lamp), _without_drift(at, values)
    scale = float(np.sqrt((pulse @ pulse) * (rest @ rest)))
    return float(pulse @ rest) / scale if scale > 1e-9 else 0.0


def strength(answer: Answer) -> float:
    """Return the log likelihood ratio: for an uneven answer in step, against none or an even one."""
    if answer.gain < _ANSWER or answer.agreement < 0.5 or answer.gain < 1.5 * answer.behind:
        return -_MOST * float(np.clip(1 - answer.agreement * answer.gain / _ANSWER, 0, 1))
    return _MOST * answer.agreement * float(np.clip(answer.unevenness / _EVEN - 1, -0.5, 1))


def _told(answer: Answer) -> str:
    followed = f"followed the lamp by {answer.gain:.1%}, agreement {answer.agreement:.2f}"
    return f"{followed}, unevenness {answer.unevenness:.2f}"
