"""The native measures of the components of ISO/IEC 29794-5, from the mesh and the pixels of one face.

As in OFIQ, the face is brought upright into a square of 616 pixels, eyes 113 apart, and its luminance is that
of linear light: a mid-grey of 128 counts 0.21. Only the part of it that the face fills is made.
Where our mesh and OFIQ's 98 points differ, the points were chosen by their place on the face.
"""

import functools
import math
from typing import Final

import cv2
import numpy as np
import numpy.typing as npt

from models.face import CHIN, NOSE_TIP, Points, eye_centres
from models.quality.pose import Pose
from models.tflite import Image

Floats = npt.NDArray[np.float32]

# the aligned square: where the middles of the eyes, the tip of the nose and the corners of the mouth lie
_TEMPLATE: Final = np.array([(251, 272), (364, 272), (308, 336), (262, 402), (355, 402)]) @ (1, 1j)
_MOUTH_CORNERS: Final = (61, 291)
_SQUARE: Final = 616
# the landmarked region: the jaw from ear to ear, and the brows
_REGION: Final = (
    127, 234, 93, 132, 58, 172, 136, 150, 149, 176, 148, CHIN, 377, 400, 378, 379, 365, 397, 288, 361, 323,
    454, 356, 70, 63, 105, 66, 107, 336, 296, 334, 293, 300,
)  # fmt: skip
# upper and lower edge at a quarter, the middle and three quarters of each eye and of the lips
_RIGHT_LIDS: Final = ((160, 159, 158), (144, 145, 153))
_LEFT_LIDS: Final = ((387, 386, 385), (373, 374, 380))
_LIPS: Final = ((81, 13, 311), (178, 14, 402))
_ZONE: Final = 0.3  # side of the zones below the eyes, in distances of the eyes
_DARK: Final = 25  # luminance, of 255, up to which a pixel shows nothing
_LIGHT: Final = 247  # and from which
_MIN_SEEN: Final = 500  # pixels of the landmarked region, of some 40,000, below which nothing is said of it

SHARP_EYES: Final = 64  # distance of the eyes at which sharpness is measured; the embedder's is 67
_MAX_SHARP_SIDE: Final = 320
_FINE: Final = 7  # pixels of the running means, at that scale
_COARSE: Final = 21


def shape(points: Points, pose: Pose, width: int, height: int) -> dict[str, float]:
    """Return what the mesh alone tells in an image of this size: distances, margins, lids, lips, pose."""
    right, left = eye_centres(points)
    middle, chin = (right + left) / 2, points[CHIN, :2]
    eyes = max(float(np.hypot(*(left - right))), 1e-6)
    face = max(float(np.hypot(*(chin - middle))), 1e-6)
    return {
        "inter_eye_distance": eyes / max(math.cos(math.radians(pose.yaw)), 1e-3),
        "head_size": face / height,
        "leftward_crop": float(left[0]) / eyes,
        "rightward_crop": (width - float(right[0])) / eyes,
        "margin_above": float(middle[1]) / face,
        "margin_below": (height - float(middle[1])) / face,
        "eyes_open": min(_opening(points, _RIGHT_LIDS), _opening(points, _LEFT_LIDS)) / face,
        "mouth_closed": _opening(points, _LIPS) / face,
        "head_pose_yaw": pose.yaw,
        "head_pose_pitch": pose.pitch,
        "head_pose_roll": pose.roll,
    }


def light(image: Image, points: Points) -> dict[str, float]:
    """Return the measures of light and colour; none when too little of the face is in the image."""
    matrix = _alignment(points)
    upright, seen = _region(image, matrix, points)
    luminance = _luminance(upright)
    counts = cv2.calcHist([luminance], [0], seen, [256], [0, 256])[:, 0].astype(np.float64)
    if counts.sum() < _MIN_SEEN:
        return {}
    shares = counts / counts.sum()
    levels = np.arange(256) / 255
    mean = float(shares @ levels)
    present = shares[shares > 0]
    measures = {
        "luminance_mean": mean,
        "luminance_variance": float(shares @ (levels - mean) ** 2),
        "under_exposure_prevention": float(shares[: _DARK + 1].sum()),
        "over_exposure_prevention": float(shares[_LIGHT:].sum()),
        "dynamic_range": float(-(present * np.log2(present)).sum()),
    }
    zones = _zones(points, matrix, seen)
    if zones is not None:
        right, left = (np.bincount(luminance[zone].ravel(), minlength=256) for zone in zones)
        measures["illumination_uniformity"] = float(np.minimum(right, left).sum() / right.sum())
        colour = np.mean([upright[zone].reshape(-1, 3).mean(0) for zone in zones], axis=0)
        measures["natural_colour"] = _unnatural(colour)
    return measures


def sharpness(image: Image, points: Points) -> float:
    """Return how much fine detail there is against coarse detail, along the axis where there is less.

    Sharp faces have 0.37 to 0.55; a blur of 1/50 of the distance of the eyes (standard deviation) leaves 0.28
    to 0.38, one of 1/25 leaves 0.21 to 0.25. Contrast does not matter, a face that moved shows it along its
    way, and 0 means that there is no detail at all.
    """
    grey = _scaled(image, points)
    if grey is None:
        return 0.0
    smooth = cv2.GaussianBlur(grey, (5, 5), 0.8)
    ratios = []
    for along in ((1, 0), (0, 1)):
        fine = cv2.blur(smooth, _kernel(_FINE, along))
        coarse = cv2.blur(fine, _kernel(_COARSE, along))
        rough = cv2.norm(fine, coarse)
        # less than a tenth of a level a pixel is the noise of rounding
        ratios.append(cv2.norm(smooth, fine) / rough if rough > 0.1 * math.sqrt(grey.size) else 0.0)
    return float(min(ratios))


def _kernel(length: int, along: tuple[int, int]) -> tuple[int, int]:
    return (length, 1) if along[0] else (1, length)


def _opening(points: Points, edges: tuple[tuple[int, ...], tuple[int, ...]]) -> float:
    upper, lower = points[list(edges[0]), :2], points[list(edges[1]), :2]
    return float(np.hypot(*(upper - lower).T).max())


def _alignment(points: Points) -> Points:
    """The 2 x 3 similarity that brings the face upright, shifted so that its region begins at the origin."""
    places = np.concatenate([eye_centres(points), points[[NOSE_TIP, *_MOUTH_CORNERS], :2]]) @ (1, 1j)
    # as complex numbers a similarity is one factor and one shift
    centred = places - places.mean()
    spread = max(float(np.square(np.abs(centred)).sum()), 1e-6)
    factor = complex(np.vdot(centred, _TEMPLATE - _TEMPLATE.mean())) / spread
    shift = complex(_TEMPLATE.mean()) - factor * complex(places.mean())
    matrix = np.array([[factor.real, -factor.imag, shift.real], [factor.imag, factor.real, shift.imag]])
    matrix[:, 2] -= np.floor(np.maximum(_placed(points[list(_REGION), :2], matrix).min(0), 0))
    return matrix


def _region(image: Image, matrix: Points, points: Points) -> tuple[Image, Image]:
    """The upright face, cut to the landmarked region, and which of its pixels show that region."""
    outline = _placed(points[list(_REGION), :2], matrix)
    width, height = np.clip(outline.max(0) + 1, 1, _SQUARE).tolist()
    upright: Image = cv2.warpAffine(image, matrix, (width, height), flags=cv2.INTER_LINEAR)
    seen = cv2.fillConvexPoly(np.zeros((height, width), np.uint8), cv2.convexHull(outline), 1)
    rows, columns = image.shape[:2]
    if (points[list(_REGION), :2].min(0) < 0).any() or (
        points[list(_REGION), :2].max(0) > (columns - 1, rows - 1)
    ).any():
        corners = np.array([(0, 0), (columns - 1, 0), (columns - 1, rows - 1), (0, rows - 1)], np.float64)
        inside = cv2.fillConvexPoly(np.zeros_like(seen), _placed(corners, matrix), 1)
        seen = cv2.bitwise_and(seen, inside)
    return upright, seen


def _placed(points: Points, matrix: Points) -> npt.NDArray[np.int32]:
    """Whole pixels, near enough for a rasteriser that counts in 16 bits."""
    placed = points @ matrix[:, :2].T + matrix[:, 2]
    whole: npt.NDArray[np.int32] = np.clip(np.rint(placed), -30_000, 30_000).astype(np.int32)
    return whole


@functools.cache
def _linear() -> Floats:
    """What each level of blue, green and red adds to the luminance, 0..255 (IEC 61966-2-1, BT.709)."""
    level = np.arange(256) / 255
    linear = np.where(level > 0.04045, ((level + 0.055) / 1.055) ** 2.4, level / 12.92)
    table: Floats = (255 * linear[None, :, None] * (0.0722, 0.7152, 0.2126)).astype(np.float32)
    return table


def _luminance(image: Image) -> Image:
    """Luminance of linear light, 0..255."""
    parts = cv2.LUT(image, _linear())
    luminance: Image = cv2.convertScaleAbs(cv2.transform(parts, np.ones((1, 3), np.float32)))
    return luminance


def _zones(
    points: Points, matrix: Points, seen: Image
) -> tuple[tuple[slice, slice], tuple[slice, slice]] | None:
    """The zones below the right and the left eye; None where they are not wholly seen."""
    right, left = eye_centres(points) @ matrix[:, :2].T + matrix[:, 2]
    lips = points[[13, 14], :2].mean(0) @ matrix[:, :2].T + matrix[:, 2]
    side = int(_ZONE * np.hypot(*(left - right)))
    down = float(np.hypot(*(lips - (right + left) / 2))) / 2
    zones = []
    for x, y in ((right[0], right[1] + down), (left[0] - side, left[1] + down)):
        if side < 1 or min(x, y) < 0 or x + side > seen.shape[1] or y + side > seen.shape[0]:
            return None
        zones.append((slice(int(y), int(y) + side), slice(int(x), int(x) + side)))
    if not all(seen[zone].all() for zone in zones):
        return None
    return zones[0], zones[1]


def _unnatural(colour: Points) -> float:
    """How far a mean colour (blue, green, red, 0..255) is from those of skin, in units of CIELAB (D50)."""
    level = colour[::-1] / 255
    linear = np.where(level > 0.04045, ((level + 0.055) / 1.055) ** 2.4, level / 12.92)
    to_xyz = np.array([(0.43605, 0.38508, 0.14309), (0.22249, 0.71689, 0.06062), (0.01393, 0.09710, 0.71419)])
    relative = to_xyz @ linear / (0.964221, 1.0, 0.825211)
    root = np.where(relative > 216 / 24389, np.cbrt(relative), (24389 / 27 * relative + 16) / 116)
    a, b = 500 * (root[0] - root[1]), 200 * (root[1] - root[2])
    if a < 0 or b < 0:
        return 100.0
    return float(np.hypot(max(0.0, 5 - a, a - 25), max(0.0, 5 - b, b - 35)))


def _scaled(image: Image, points: Points) -> Floats | None:
    """The face's box in grey, scaled so that the eyes are `SHARP_EYES` apart; None when it is too small."""
    rows, columns = image.shape[:2]
    low = np.clip(np.floor(points[:, :2].min(0)), 0, (columns, rows)).astype(int)
    high = np.clip(np.ceil(points[:, :2].max(0)), 0, (columns, rows)).astype(int)
    width, height = high - low
    eyes = float(np.hypot(*np.diff(eye_centres(points), axis=0)[0]))
    if min(width, height) < 4 or eyes < 1:
        return None
    scale = min(SHARP_EYES / eyes, _MAX_SHARP_SIDE / max(width, height))
    size = max(round(width * scale), _COARSE), max(round(height * scale), _COARSE)
    box = cv2.cvtColor(image[low[1] : high[1], low[0] : high[0]], cv2.COLOR_BGR2GRAY)
    box = cv2.resize(box, size, interpolation=cv2.INTER_AREA if scale < 1 else cv2.INTER_LINEAR)
    grey: Floats = box.astype(np.float32)
    return grey
