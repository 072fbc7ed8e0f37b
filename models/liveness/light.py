"""The face's answer to the gate's own lamp.

The gate switches its face light by a code that nobody knows before. A face before the gate answers in step
and far more than the wall behind it, and a face in relief answers unevenly: what looks towards the lamp more
than what looks aside. A screen shines by itself and answers little, and so does what lies further away. A
print answers as paper does, in step but evenly, so an answer alone is no proof of life.

    light(t) = base + drift t + gain code(t) + noise, for each region of the face and for what surrounds it

Gains are parts of each region's own brightness. No code played, or too few changes of it seen: no evidence.

A frame is as old as its way from the sensor to here took, which differs from camera to camera and grows with
the machine's load. So the code is laid upon what was seen with each of LATE_S, and the best counts. That
makes chance look like an answer more often: where frames are late, one must be clearer to count for life.

The glass of a screen mirrors the lamp, in step and in one place more than in another. What it mirrors lies
upon the picture as a veil: it adds the same to dark and bright. What skin scatters is a share of what skin
sends back anyway, so that dark marks (brows, eyes, nostrils, lips) answer less than the skin beside them and
their own picture grows by that share. So it is followed through the code as brightness is how much of the
picture of each of MARKS, as it is in the dark, each frame holds. Marks lie on all of the face, and their
median counts: a compact patch of light, a blink, or lenses that mirror the lamp reach two or three of them.
"""

import functools
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
Marked = npt.NDArray[np.float32]  # (MARKS, pixels): grey levels about a quadratic surface

REGIONS: Final[Mapping[str, tuple[int, ...]]] = {
    "forehead": (9, 108, 337, 151),
    "right_cheek": (50, 101, 118),
    "left_cheek": (280, 330, 347),
    "nose": (4, 195, 5),
    "right_side": (227, 137, 123),
    "left_side": (447, 366, 352),
    "chin": (199, 175, 200),
}
MARKS: Final[Mapping[str, tuple[int, ...]]] = {  # what a dark mark and the skin beside it lie between
    "right_brow": (70, 63, 105, 66, 107),
    "left_brow": (300, 293, 334, 296, 336),
    "right_eye": (33, 133, 159, 145),
    "left_eye": (263, 362, 386, 374),
    "nostrils": (64, 294, 4),
    "mouth": (61, 291, 0, 17),
}
LEAST_MARKS: Final = 4
KEPT: Final = 240
MAX_CODE: Final = 256
LEAST_CHANGES: Final = 4
LEAST_FRAMES: Final = 12
SETTLE_S: Final = 0.05  # a frame so near a change may have been exposed on both sides of it
LATE_S: Final = (0.0, 0.03, 0.06, 0.09, 0.12, 0.15, 0.18, 0.21, 0.24)  # from what a frame shows to its moment
_IN_STEP: Final = 0.5  # least correlation of what follows a code
_CLEAR: Final = (0.7, 0.85)  # from where on that begins to count for life, and counts in full
_LATE_CHANGES: Final = 8  # of the lamp that must have been seen for that where frames are late
_MARGIN: Final = 0.05  # of correlation by which a later frame must fit better than one in time
_EVEN: Final = 0.10  # relative spread of gains below which a surface answers evenly
_PATCH: Final = 1.0  # relative spread above which one place answers alone: lamps far aside of a face give 0.8
_ANSWER: Final = 0.02  # a gain that a face in the lamp's reach passes
_SCATTERED: Final = 0.4  # of an answer, the least share that marks must show to be scattered by the face
_FAINT: Final = 3.0  # grey levels (standard deviation) of a mark's picture, below which it tells nothing
_SIDE_PX: Final = 12  # of the picture of one mark: coarse, for the mesh trembles
_MOST: Final = 3.0


@dataclass(frozen=True, kw_only=True)
class Look:
    """What is kept of a frame: brightness as `brightness` gives it, marks as `marked` does."""

    at: float
    light: Series
    marks: Marked


@dataclass(frozen=True, kw_only=True)
class Answer:
    """How the face followed the code. `agreement` is the correlation, `unevenness` the gains' spread.

    `late_s`: how old the frames are taken to be; `changes` of the lamp were seen.
    `marks` is the share by which the pictures of the face's marks grew, `marks_agreement` their correlation.
    None: too few of them are strong enough and in the picture.
    """

    frames: int
    changes: int
    late_s: float
    agreement: float
    gain: float
    behind: float
    unevenness: float
    marks: float | None
    marks_agreement: float


class LightCheck:
    """Collects the brightness of regions of one face, to compare it with the lamp's code."""

    def __init__(self) -> None:
        self._code: list[tuple[float, bool]] = []
        self._seen: deque[Look] = deque(maxlen=KEPT)

    def play(self, code: Code) -> None:
        """Take what the lamp does: at most MAX_CODE changes."""
        self._code = sorted(code)[-MAX_CODE:]

    def add(self, image: Image, points: Points, at: float) -> None:
        """Take one frame (BGR) with its mesh (468, 3). Without a code nothing is kept."""
        if self._code:
            self._seen.append(Look(at=at, light=brightness(image, points), marks=marked(image, points)))

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
        for look in self._seen:
            look.light.fill(0)
            look.marks.fill(0)
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


def marked(image: Image, points: Points) -> Marked:
    """Return the picture of each of MARKS without slow changes of light (NaN where it is outside)."""
    eyes = float(np.hypot(*(points[33, :2] - points[263, :2])))
    return np.stack([_mark(image, points[list(numbers), :2], 0.15 * eyes) for numbers in MARKS.values()])


def _mark(image: Image, corners: Points, margin: float) -> Marked:
    low = np.floor(corners.min(0) - margin).astype(int)
    high = np.ceil(corners.max(0) + margin).astype(int)
    if low.min() < 0 or high[0] > image.shape[1] or high[1] > image.shape[0]:
        return np.full(_SIDE_PX**2, np.nan, np.float32)
    grey = cv2.cvtColor(image[low[1] : high[1], low[0] : high[0]], cv2.COLOR_BGR2GRAY)
    small = cv2.resize(grey, (_SIDE_PX, _SIDE_PX), interpolation=cv2.INTER_AREA).ravel().astype(np.float64)
    slow = _slow()
    return np.asarray(small - slow @ (slow.T @ small), np.float32)


@functools.cache
def _slow() -> Series:
    """An orthonormal basis (pixels, 6) of the quadratic surfaces over the picture of a mark."""
    y, x = (axis.ravel() for axis in np.mgrid[-1 : 1 : _SIDE_PX * 1j, -1 : 1 : _SIDE_PX * 1j])
    basis: Series = np.linalg.qr(np.stack([np.ones_like(x), x, y, x * x, x * y, y * y], axis=1))[0]
    return basis


def respond(code: Code, seen: Sequence[Look]) -> Answer | None:
    """Compare what was seen with the code. None: too few frames or changes to say anything."""
    looks = [look for look in seen if look.at >= code[0][0] and not np.isnan(look.light[:-1]).any()]
    if len(looks) < LEAST_FRAMES:
        return None
    at = np.array([look.at for look in looks])
    light = np.stack([look.light for look in looks])
    whole = light[:, :-1].mean(1)
    laid = [found for late_s in LATE_S if (found := _lay(code, at, whole, late_s)) is not None]
    if not laid:
        return None
    best = max(laid, key=lambda each: each.agreement - _MARGIN * (each.late_s > 0))
    kept, lamp = best.kept, best.lamp
    at, face, behind = at[kept], light[kept, :-1], light[kept, -1]
    gains = np.array([_gain(at, lamp, face[:, region]) for region in range(face.shape[1])])
    ground = _gain(at, lamp, behind) if not np.isnan(behind).any() else 0.0
    gain = float(gains.mean())
    shown = _shown(lamp, np.stack([look.marks for look, keep in zip(looks, kept, strict=True) if keep]))
    return Answer(
        frames=len(at),
        changes=best.changes,
        late_s=best.late_s,
        agreement=best.agreement,
        gain=gain,
        behind=ground,
        unevenness=float(gains.std() / max(abs(gain), 1e-6)),
        marks=None if shown is None else _step(at, lamp, shown),
        marks_agreement=0.0 if shown is None else _agreement(at, lamp, shown),
    )


@dataclass(frozen=True, kw_only=True)
class _Laid:
    """The code laid upon what was seen, as if frames were `late_s` old.

    `kept` are the frames that lie apart from the lamp's changes, `lamp` is what it did at each of them.
    """

    late_s: float
    kept: npt.NDArray[np.bool_]
    lamp: Series
    changes: int
    agreement: float


def _lay(code: Code, at: Series, whole: Series, late_s: float) -> _Laid | None:
    times = np.array([moment for moment, _ in code]) + late_s
    states = np.array([float(on) for _, on in code])
    step = np.searchsorted(times, at, side="right")  # of the changes, the next one
    since = np.where(step > 0, at - times[step - 1], -np.inf)
    until = np.where(step < len(times), times[np.minimum(step, len(times) - 1)] - at, np.inf)
    kept = np.asarray((since > SETTLE_S) & (until > SETTLE_S))
    lamp = states[step[kept] - 1]
    changes = int(np.abs(np.diff(lamp)).sum())
    if int(kept.sum()) < LEAST_FRAMES or changes < LEAST_CHANGES:
        return None
    agreement = _agreement(at[kept], lamp, whole[kept])
    return _Laid(late_s=late_s, kept=kept, lamp=lamp, changes=changes, agreement=agreement)


def _without_drift(at: Series, values: Series) -> Series:
    basis = np.vander((at - at.mean()) / max(float(np.ptp(at)), 1e-6), 3)
    rest: Series = values - basis @ np.linalg.lstsq(basis, values, rcond=None)[0]
    return rest


def _gain(at: Series, lamp: Series, values: Series) -> float:
    return _step(at, lamp, values) / max(float(values.mean()), 1.0)


def _step(at: Series, lamp: Series, values: Series) -> float:
    pulse = _without_drift(at, lamp)
    return float(pulse @ _without_drift(at, values)) / max(float(pulse @ pulse), 1e-9)


def _shown(lamp: Series, marks: Marked) -> Series | None:
    """How much of marks (frames, MARKS, pixels) is in each frame, 1 in the dark. None: too faint or few."""
    dark = marks[lamp == 0].mean(0)
    power = np.square(dark).mean(1)
    told = (power >= _FAINT**2) & ~np.isnan(marks).any((0, 2))
    if int(told.sum()) < LEAST_MARKS:
        return None
    amounts = (marks[:, told] * dark[told]).mean(2) / power[told]
    return np.asarray(np.median(amounts, axis=1), np.float64)


def _agreement(at: Series, lamp: Series, values: Series) -> float:
    pulse, rest = _without_drift(at, lamp), _without_drift(at, values)
    scale = float(np.sqrt((pulse @ pulse) * (rest @ rest)))
    return float(pulse @ rest) / scale if scale > 1e-9 else 0.0


def strength(answer: Answer) -> float:
    """Return the log likelihood ratio: for an uneven answer in step that the face's marks show, too.

    Against: no answer, an even one, one that its marks do not show. Marks that tell nothing leave it open.
    """
    enough = max(_ANSWER, _SCATTERED * answer.gain)
    scattered = answer.gain if answer.marks is None else min(answer.gain, answer.marks)
    lit_alike = answer.gain < 1.5 * answer.behind
    if scattered < enough or answer.agreement < _IN_STEP or lit_alike:
        return -_MOST * float(np.clip(1 - answer.agreement * scattered / enough, 0, 1))
    uneven = answer.agreement * float(np.clip(answer.unevenness / _EVEN - 1, -0.5, 1))
    if uneven < 0 or (answer.late_s > SETTLE_S and answer.changes < _LATE_CHANGES):
        return _MOST * min(uneven, 0.0)
    low, high = _CLEAR
    clear = float(np.clip((answer.agreement - low) / (high - low), 0, 1))
    return _MOST * uneven * clear * _shared(answer, enough)


def _shared(answer: Answer, enough: float) -> float:
    """How far marks bear an answer of more than one place out, from 0 to 1."""
    if answer.marks is None or answer.marks_agreement < _IN_STEP or answer.unevenness > _PATCH:
        return 0.0
    return answer.marks_agreement * float(np.clip(answer.marks / enough - 1, 0, 1))


def _told(answer: Answer) -> str:
    late = f", {answer.late_s:.2f} s late" if answer.late_s else ""
    followed = f"followed the lamp by {answer.gain:.1%}{late}, agreement {answer.agreement:.2f}"
    marks = "unknown" if answer.marks is None else f"{answer.marks:.1%}"
    return f"{followed}, unevenness {answer.unevenness:.2f}, its marks by {marks}"
