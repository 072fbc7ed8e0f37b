"""Liveness from motion: whether what moves has the relief of a face, or is flat.

Between two views of a flat thing every point moves by one homography. Between two views of a head, points
that stand out move differently: the nose runs ahead of the ears when the head turns, and grows faster when
it comes near. So the tracks of the mesh's stable points are freed of everything that a plane could do, and
what is left is compared with what the relief of a face would do when it turns or comes near:

- `parallax`: how much the relief turned, in eye distances (root mean square over the frames);
- `share`: how much of all that a plane cannot do is explained by relief, in [0, 1];
- `nearing`: how much the relief grew as the face grew, per relative growth; about zero for what is flat.

A logistic regression joins them. A print that is turned in the hand shows some of the first, for the mesh has
a prior of its own, less of the second and nothing of the third. Nothing moving shows nothing: that is no
evidence, neither for life nor for an attack, and is called so. An attack is named only after an approach in
which the relief of a real head would have grown and this one's did not: noise that hides relief makes nobody
an attacker. A mask with real relief passes by construction. Image units cancel: no calibration.
"""

from collections import deque
from dataclasses import dataclass
from typing import Literal

import numpy as np
import numpy.typing as npt

from models.face import POINTS, Points, eye_centres
from models.manifest import MotionLiveness

Verdict = Literal["live", "attack", "undetermined"]
Vectors = npt.NDArray[np.float64]

# Points that move by themselves (lips, lids) or slide along the visible rim of the head (oval) tell nothing.
_LIPS = (
    0, 11, 12, 13, 14, 15, 16, 17, 18, 37, 38, 39, 40, 41, 42, 43, 57, 61, 62, 72, 73, 74, 76, 77, 78, 80,
    81, 82, 83, 84, 85, 86, 87, 88, 89, 90, 91, 92, 95, 96, 106, 146, 164, 165, 167, 178, 179, 180, 181, 182,
    183, 184, 185, 186, 191, 267, 268, 269, 270, 271, 272, 273, 287, 291, 292, 302, 303, 304, 306, 307, 308,
    310, 311, 312, 313, 314, 315, 316, 317, 318, 319, 320, 321, 322, 324, 325, 335, 375, 391, 393, 402, 403,
    404, 405, 406, 407, 408, 409, 410, 415,
)  # fmt: skip
_OVAL = (
    10, 21, 54, 58, 67, 93, 103, 109, 127, 132, 136, 148, 149, 150, 152, 162, 172, 176, 234, 251, 284, 288,
    297, 323, 332, 338, 356, 361, 365, 377, 378, 379, 389, 397, 400, 454,
)  # fmt: skip
_LIDS = (
    7, 144, 145, 153, 154, 155, 157, 158, 159, 160, 161, 163, 173, 246, 249, 373, 374, 380, 381, 382, 384,
    385, 386, 387, 388, 390, 398, 466,
)  # fmt: skip
MIN_PARALLAX = 1e-6  # eye distances; far below the noise of a mesh

STABLE = np.setdiff1d(np.arange(POINTS), (*_LIPS, *_OVAL, *_LIDS))


@dataclass(frozen=True, kw_only=True)
class Motion:
    """What the tracks show. `approach` is how much the face grew, as a part of its mean size."""

    frames: int
    parallax: float
    share: float
    nearing: float
    approach: float


@dataclass(frozen=True, kw_only=True)
class Evidence:
    """A verdict with its score in [0, 1]; 0.5 says nothing."""

    verdict: Verdict
    score: float
    motion: Motion | None


class MotionCheck:
    """Collects the mesh of one face, frame by frame, and judges the last `window` of them."""

    def __init__(self, constants: MotionLiveness) -> None:
        self._constants = constants
        self._tracks: deque[Points] = deque()

    def add(self, points: Points) -> None:
        """Take one frame's mesh (468, 3); a face too small for its relief to show is left out."""
        eyes = eye_centres(points)
        if float(np.hypot(*(eyes[1] - eyes[0]))) < self._constants.min_eyes_px:
            return
        if len(self._tracks) == self._constants.window:
            self._tracks.popleft().fill(0)
        self._tracks.append(points.copy())

    def judge(self) -> Evidence:
        """Return what is known so far. An undetermined score lies between those of the two verdicts."""
        constants = self._constants
        if len(self._tracks) < constants.min_frames:
            return Evidence(verdict="undetermined", score=0.5, motion=None)
        motion = measure(list(self._tracks))
        value = score(motion, constants)
        if value >= constants.live_score:
            return Evidence(verdict="live", score=value, motion=motion)
        if value <= constants.attack_score and self._was_tried(motion):
            return Evidence(verdict="attack", score=value, motion=motion)
        return Evidence(verdict="undetermined", score=max(value, constants.attack_score), motion=motion)

    def _was_tried(self, motion: Motion) -> bool:
        """Whether a head would have shown its relief by now, and this did not."""
        constants = self._constants
        return (
            motion.frames >= constants.attack_frames
            and motion.approach >= constants.attack_approach
            and motion.nearing <= constants.attack_nearing
        )

    def wipe(self) -> None:
        """Overwrite and drop everything."""
        for points in self._tracks:
            points.fill(0)
        self._tracks.clear()


def score(motion: Motion, constants: MotionLiveness) -> float:
    """Return a number in [0, 1] that rises with every sign of relief."""
    weights = constants.weights
    tried = min(1.0, motion.approach / constants.attack_approach)  # without an approach `nearing` is noise
    strength = (
        constants.bias
        + weights.parallax * np.log(max(motion.parallax, MIN_PARALLAX))
        + weights.share * motion.share
        + weights.nearing * motion.nearing * tried
    )
    return float(1 / (1 + np.exp(-np.clip(strength, -50, 50))))


def measure(tracks: list[Points]) -> Motion:
    """Measure relief in motion over the meshes of one face, at least three."""
    sizes = np.array([np.hypot(*np.diff(eye_centres(points), axis=0)[0]) for points in tracks])
    shapes = _upright([points[STABLE, :2] / size for points, size in zip(tracks, sizes, strict=True)])
    mean = shapes.mean(0)
    relief = np.median([points[STABLE, 2] / size for points, size in zip(tracks, sizes, strict=True)], axis=0)
    plane, depth = _planar(mean), _raised(mean, relief - relief.mean())
    moved = (shapes - mean).transpose(0, 2, 1).reshape(len(tracks), -1)
    moved -= (moved @ plane) @ plane.T
    depth -= plane @ (plane.T @ depth)
    amounts = moved @ depth @ np.linalg.pinv(depth.T @ depth)
    amounts -= amounts.mean(0)
    moved -= moved.mean(0)
    explained = float(np.square(amounts @ depth.T).sum())
    growth = sizes / sizes.mean() - 1
    return Motion(
        frames=len(tracks),
        parallax=float(np.sqrt(amounts[:, :2].var(0).sum())),
        share=explained / max(float(np.square(moved).sum()), 1e-12),
        nearing=float(amounts[:, 2] @ growth / max(growth @ growth, 1e-12)),
        approach=float(np.ptp(sizes) / sizes.mean()),
    )


def _upright(shapes: list[Vectors]) -> Vectors:
    """Centre all shapes and turn them, in the image, onto their common mean (Procrustes without scale)."""
    centred = np.stack([shape - shape.mean(0) for shape in shapes])
    mean: Vectors = centred[len(centred) // 2]
    for _ in range(2):
        turned = []
        for shape in centred:
            left, _, right = np.linalg.svd(shape.T @ mean)
            sign = np.sign(np.linalg.det(left @ right))
            turned.append(shape @ (left @ np.diag([1.0, sign]) @ right))
        aligned: Vectors = np.stack(turned)
        mean = aligned.mean(0)
    return aligned


def _planar(shape: Vectors) -> Vectors:
    """An orthonormal basis (2N, 8) of all that a homography can do to the shape, to first order."""
    x, y = shape.T
    zero, one = np.zeros_like(x), np.ones_like(x)
    across = np.stack([one, x, y, zero, zero, zero, x * x, x * y], 1)
    down = np.stack([zero, zero, zero, one, x, y, x * y, y * y], 1)
    basis: Vectors = np.linalg.qr(np.concatenate([across, down]))[0]
    return basis


def _raised(shape: Vectors, relief: Vectors) -> Vectors:
    """What relief does (2N, 3): when the head turns, nods, or comes near."""
    x, y = shape.T
    zero = np.zeros_like(x)
    across = np.stack([relief, zero, -relief * x], 1)
    down = np.stack([zero, relief, -relief * y], 1)
    return np.concatenate([across, down])
