"""A body height from all frames of a walk, with its uncertainty.

For each frame the crown's height is that of the camera plus the range times how far the ray rises. A camera
that hangs at the height of a rule needs no range to judge it: the horizon is the rule. Otherwise the range
comes from the feet (`models.height.steps`), and then only frames count whose range the feet tell. Where they
tell none it comes from the size of the face, which depends on the height itself and is therefore found
together with it; seen from above a face misleads so far that nobody much below the camera is measured by it.
Who walks is lower than who stands, by 0 to 4 cm, so an upper quantile over the frames is taken. Frames that
disagree by more than a walk explains make the height less certain. Hair is taken off: mostly what is usual,
in part what the face's size says of where the skull ends; an outline far above that is a hat or a bun, and
then the face alone counts.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt

from models import manifest
from models.face import Face
from models.height import proportions
from models.height.calibration import CalibrationError, CameraCalibration
from models.height.camera import GroundCamera
from models.height.outline import Outline
from models.height.ranges import ByFace, ByFeet, Method
from models.height.sighting import Feet, Sighting, sight
from models.height.steps import walked
from models.schema import Outlines
from models.tflite import Image

Points = npt.NDArray[np.float64]

MIN_FRAMES: Final = 5
MAX_FRAMES: Final = 256  # of one person; more say nothing new
CROWN_EVERY_S: Final = 0.09
FEET_EVERY_S: Final = 0.1
_QUANTILES: Final = {
    "horizon": 0.9,
    "feet": 0.8,
}  # ranges by feet are noisier, and noise has an upper end too
_COVERED_M: Final = 0.045  # an outline so far above the skull that the face suggests is a hat
_STRAY_M: Final = 0.02  # an outline that is farther from where it is in most frames is not the head's
_COVERED_SIGMA_M: Final = 0.015
_PIXEL_SIGMA: Final = 1.0  # of the crown in one frame
_ALIKE: Final = 3  # frames on end in which an outline is wrong alike
_MOST_ERROR_M: Final = 0.10  # a height below the camera's that is less certain is none
_MOST_DOUBT_M: Final = 0.03  # or whose frames disagree by more, as where a stain was taken for the feet
_LIFT_M: Final = 0.016  # what a gait lifts a crown above its median
_WALKS_M: Final = 0.012  # deviation of a crown that only walks: frames that differ more are in doubt
_LEAST_M, _MOST_M = 0.7, 2.3


@dataclass(frozen=True, kw_only=True)
class Stature:
    """A body height without hair and as if standing, metres; `error_m` is half the width of 95 %.

    `method`: what told the range. `is_covered`: a hat or a bun hid the crown, which the face's size replaced.
    """

    height_m: float
    error_m: float
    frames: int
    method: Method
    is_covered: bool = False


class HeightCheck:
    """Measures one person over the frames of one camera. Keeps numbers, no pictures."""

    def __init__(
        self,
        calibration: CameraCalibration,
        entry: Outlines | None = None,
        *,
        crown_every_s: float = CROWN_EVERY_S,
        feet_every_s: float = FEET_EVERY_S,
    ) -> None:
        """`entry`: the networks, those of the manifest by default. Raises ModelError.

        Frames that come sooner than `..._every_s` after one that was looked at are passed over.
        """
        outlines = manifest.load().height if entry is None else entry
        self._camera = GroundCamera(calibration)
        self._head = Outline(outlines.head)
        self._body = Outline(outlines.body)
        self._feet = Feet(self._body)
        self._sightings: list[Sighting] = []
        self._crown_every_s, self._feet_every_s = crown_every_s, feet_every_s
        self._next_crown = self._next_feet = -np.inf
        self._judged: tuple[int, Stature | None] = (0, None)  # of so many frames

    @property
    def frames(self) -> int:
        """How many frames were measured."""
        return len(self._sightings)

    def add(self, image: Image, face: Face, at: float) -> None:
        """Take a BGR frame of the calibrated camera and its face. `at`: monotonic seconds.

        Raises CalibrationError for a frame of another size.
        """
        self.fits(image)
        if at < self._next_crown or len(self._sightings) >= MAX_FRAMES:
            return
        look = at >= self._next_feet
        found = sight(image, face, at, self._camera, self._head, self._feet.ahead if look else None)
        if found is None:
            return
        self._sightings.append(found)
        self._next_crown = at + self._crown_every_s
        if look:
            self._next_feet = at + self._feet_every_s

    def fits(self, image: Image) -> None:
        """Raise CalibrationError for a frame that is not of the calibrated camera's size."""
        width, height = self._camera.size
        if image.shape[:2] != (height, width):
            raise CalibrationError(
                "other_image_size",
                f"frames of {image.shape[1]} x {image.shape[0]}, calibrated at {width} x {height}: "
                "calibrate the camera at the size at which it is used",
            )

    def judge(self) -> Stature | None:
        """The height of the person so far; None: too few frames."""
        if self._judged[0] != len(self._sightings):
            self._judged = len(self._sightings), estimate(self._sightings, self._camera.calibration)
        return self._judged[1]

    def wipe(self) -> None:
        """Forget the person, and overwrite what the last frame left in the networks."""
        self._sightings.clear()
        self._judged = (0, None)
        self._next_crown = self._next_feet = -np.inf
        self._head.wipe()
        self._body.wipe()


def estimate(sightings: Sequence[Sighting], calibration: CameraCalibration) -> Stature | None:
    """The height that these frames give; None when they are too few, too uncertain, or tell of nobody."""
    at = np.array([each.at for each in sightings])
    feet = np.array([np.nan if each.feet_ahead_m is None else each.feet_ahead_m for each in sightings])
    if (walk := walked(at, feet)) is not None:
        known = [each for each, metres in zip(sightings, walk.ahead_m, strict=True) if np.isfinite(metres)]
        return _estimate(known, ByFeet(known, walk), calibration)
    return _estimate(sightings, ByFace(sightings, calibration), calibration)


def _estimate(
    sightings: Sequence[Sighting], ranges: ByFeet | ByFace, calibration: CameraCalibration
) -> Stature | None:
    if len(sightings) < MIN_FRAMES:
        return None
    outlined = np.array([each.outline_rise is not None for each in sightings])
    eyes = np.array([each.eyes_rise for each in sightings])
    rises = np.array([np.nan if each.outline_rise is None else each.outline_rise for each in sightings])
    enough = outlined.sum() >= MIN_FRAMES
    height, ahead, ahead_sigma = _settled(rises if enough else eyes, ranges, calibration)
    of_skull = calibration.height_m + ranges.behind(ahead, height) * eyes + ranges.skull(ahead, height)
    # a round head is touched behind its crown by a ray from above, before it by one from below
    of_outline = calibration.height_m + ahead * rises
    of_outline -= proportions.ROUND_M * (np.sqrt(1 + rises**2) - 1)
    hair = of_outline - of_skull
    above = float(np.median(hair[outlined])) if enough else 0.0
    covered = above > _COVERED_M
    if enough and not covered:
        # hair does not grow during a walk: where it seems to, something behind the head was taken for it
        usable = outlined & (np.abs(hair - above) < _STRAY_M)
        chosen, (lower, crown_sigma) = of_outline, _hair(above, height)
        lower = max(lower, ranges.least_hair_m)
    else:
        rises, chosen, usable, lower = eyes, of_skull, np.isfinite(of_skull), 0.0
        crown_sigma = max(_skull_sigma(height), _COVERED_SIGMA_M)
    if usable.sum() < MIN_FRAMES:
        return None
    chosen, rises, ahead, ahead_sigma = (each[usable] for each in (chosen, rises, ahead, ahead_sigma))
    systematic = _systematic(rises, ahead, ahead_sigma, calibration, by_feet=ranges.method == "feet")
    of_pixel = _PIXEL_SIGMA * ahead / calibration.focal_px
    of_range = ranges.random(ahead, rises)
    weights = 1 / (systematic**2 + of_pixel**2 + of_range**2)
    found = _upper(chosen, weights, _QUANTILES[ranges.method])
    if ranges.method == "feet":  # feet that were taken for others lift some frames by more than a gait does
        found = min(found, _upper(chosen, weights, 0.5) + _LIFT_M)
    found += ranges.lost_m - lower

    def mean(sigmas: Points) -> float:
        return float(np.average(sigmas, weights=weights))

    # an outline is wrong alike in some frames on end, ranges were steadied over many
    random = np.hypot(mean(of_pixel) * np.sqrt(_ALIKE), mean(of_range)) / np.sqrt(len(chosen))
    spread = float(np.sqrt(mean((chosen - mean(chosen)) ** 2)))
    doubt = float(np.sqrt(max(0.0, spread**2 - _WALKS_M**2)))
    parts = (mean(systematic), random, crown_sigma, proportions.BOB_SIGMA_M, doubt)
    error = 1.96 * float(np.linalg.norm(parts))
    too_uncertain = found < calibration.height_m and (error > _MOST_ERROR_M or doubt > _MOST_DOUBT_M)
    if too_uncertain or not _LEAST_M < found < _MOST_M:
        return None
    return Stature(
        height_m=found, error_m=error, frames=len(chosen), method=ranges.method, is_covered=covered
    )


def _settled(
    rises: Points, ranges: ByFeet | ByFace, calibration: CameraCalibration
) -> tuple[float, Points, Points]:
    """The height at which the ranges are those of somebody of this height; these ranges and their errors."""
    height = 1.3
    for _ in range(6):
        ahead, sigma = ranges.at(height)
        height = float(np.clip(np.nanmedian(calibration.height_m + ahead * rises), _LEAST_M, _MOST_M))
    return height, ahead, sigma


def _skull_sigma(height_m: float) -> float:
    return proportions.SKULL_SIGMA * proportions.face_m(height_m)


def _hair(above_m: float, height_m: float) -> tuple[float, float]:
    """How much hair to take off an outline that is so far above the supposed skull; its standard error."""
    usual, told = proportions.HAIR_SIGMA_M**-2, _skull_sigma(height_m) ** -2
    hair = (usual * proportions.HAIR_M + told * above_m) / (usual + told)
    return max(0.0, hair), float((usual + told) ** -0.5)


def _systematic(
    rises: Points, ahead: Points, ahead_sigma: Points, calibration: CameraCalibration, *, by_feet: bool
) -> Points:
    """What is wrong in every frame alike: range, tilt, focal length and height of the camera."""
    tilted = ahead * (1 + rises**2)  # metres up for each radian
    if by_feet:  # a camera that looks higher than it thinks sees feet too near as well
        high = calibration.height_m
        tilted = tilted + rises * (ahead**2 + high**2) / high
    by_tilt = tilted * np.deg2rad(calibration.tilt_sigma_deg)
    by_focal = ahead * rises * calibration.focal_sigma_px / calibration.focal_px
    by_range = ahead_sigma * rises
    return np.asarray(np.sqrt(by_range**2 + by_tilt**2 + by_focal**2 + calibration.height_sigma_m**2))


def _upper(values: Points, weights: Points, quantile: float) -> float:
    """The weighted quantile."""
    order = np.argsort(values)
    share = np.cumsum(weights[order]) - weights[order] / 2
    return float(np.interp(quantile, share / weights.sum(), values[order]))
