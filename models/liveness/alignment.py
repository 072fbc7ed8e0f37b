"""Lays one view of a face upon another by its texture, and says what of the movement a face alone could do.

The mesh of a network has a prior of its own: shown a print, it moves its points a little as those of a head
would. It is asked only where the face is, and how far its points stand out. What moves is measured on the
texture (Lucas and Kanade's alignment, with the gradients of the first view), under one model of 20
parameters, in eye distances:

- `PLANE` (8): all that a homography does, to first order;
- `BEND` (9): what the three quadratic reliefs x x, x y, y y do when they turn, nod, and come near;
- `RELIEF` (3): the same for the relief of the face. Turn and nod are in radians.

Since all are fitted together, `RELIEF` holds only what neither a plane nor a bent sheet could do, and the
normal equations say how exactly it is known.
"""

from typing import Final, NamedTuple

import cv2
import numpy as np
import numpy.typing as npt

from models.face import POINTS, Points, eye_centres
from models.tflite import Image

Vectors = npt.NDArray[np.float64]
Singles = npt.NDArray[np.float32]

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

STABLE: Final = np.setdiff1d(np.arange(POINTS), (*_LIPS, *_OVAL, *_LIDS))

PLANE: Final = slice(0, 8)
BEND: Final = slice(8, 17)
RELIEF: Final = slice(17, 20)

EYES_PX: Final = 37.0  # eye distance in the picture on which views are compared
SIDE_PX: Final = 96
_FINE: Final = 2  # the view is cut this much finer first, so that nothing aliases
_FINER_EYES_PX: Final = 150.0  # from here on twice as fine
_BELOW_EYES: Final = 0.3  # of the eye distance: where the middle of the picture lies
_INSIDE: Final = 0.7  # of a face's points that lie in its picture; fewer, and the mesh has gone astray
_SMOOTH_PX: Final = 0.8
_DETAIL_PX: Final = 8.0  # coarser shades are light, not texture
_FLOOR: Final = 3.0  # grey levels below which contrast is noise
_AROUND: Final = 1.3 * np.array([[0, 0], [-1, -1], [1, -1], [-1, 1], [1, 1]])  # samples at each point, px
_ITERATIONS: Final = 5
_PLANE_FIRST: Final = 1
_ENOUGH_PX: Final = 0.02
_HUBER: Final = 1.5
_INDEPENDENT: Final = 1 / 4  # of the samples: neighbours share their noise
_SYSTEMATIC: Final = 0.002  # of bend and relief: what first order and interpolation leave
_PRIORS: Final = np.array([1e-6] * 8 + [1 / 0.25**2] * 12)  # bend and relief: within 0.25 of nothing


class View(NamedTuple):
    """A face cut out at a fixed eye distance: grey pixels, and where the mesh's points lie (N, 2)."""

    pixels: Image
    points: Points
    relief: Points  # (N,) in eye distances
    eyes_px: float  # in the image it was cut from

    @property
    def is_whole(self) -> bool:
        """Whether the points lie in the picture: those of a mesh gone astray do not."""
        inside = ((self.points > 1) & (self.points < SIDE_PX - 2)).all(1)
        return bool(inside.mean() >= _INSIDE)


class Fit(NamedTuple):
    """One view laid upon the first.

    `found`: the parameters (20,); `noise`: the variance of the relief's turn and nod together, as far as this
    view's texture tells them; `relief`, `bend`: chi squares of those parameters against none (3 and 9);
    `misfit`: the share not explained; `eyes_px`: the eye distance, its growth measured on the texture.
    """

    found: Vectors
    noise: float
    relief: float
    bend: float
    misfit: float
    eyes_px: float


def cut(image: Image, points: Points) -> View:
    """Cut out a face (BGR image, mesh (468, 3)), upright and with its eyes `EYES_PX` apart."""
    eyes = eye_centres(points)
    across, middle = eyes[1] - eyes[0], eyes.mean(0)
    distance = float(np.hypot(*across))
    fine = _FINE if distance < _FINER_EYES_PX else 2 * _FINE
    scale = EYES_PX * fine / distance
    cos, sin = across / distance
    turn = scale * np.array([[cos, sin], [-sin, cos]])
    centre = SIDE_PX * fine / 2 - 0.5
    shift = np.array([centre, centre - _BELOW_EYES * EYES_PX * fine]) - turn @ middle
    size = (SIDE_PX * fine, SIDE_PX * fine)
    colour = cv2.warpAffine(
        image, np.column_stack([turn, shift]), size, flags=cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE
    )
    grey = cv2.cvtColor(colour, cv2.COLOR_BGR2GRAY)
    pixels = cv2.resize(grey, (SIDE_PX, SIDE_PX), interpolation=cv2.INTER_AREA)
    return View(
        pixels=pixels,
        points=(points[STABLE, :2] @ turn.T + shift + 0.5) / fine - 0.5,
        relief=points[STABLE, 2] / distance,
        eyes_px=distance,
    )


class Reference:
    """The first view, prepared: what each sample would change by for each parameter."""

    def __init__(self, view: View) -> None:
        self._points, self._middle = view.points.copy(), view.points.mean(0)
        samples = (view.points[:, None] + _AROUND).reshape(-1, 2)
        inside = ((samples > 2) & (samples < SIDE_PX - 3)).all(1)
        relief = np.repeat(view.relief - view.relief.mean(), len(_AROUND))[inside]
        self._samples = samples[inside].astype(np.float32)
        moves = EYES_PX * _moves(self._samples, relief, self._middle)
        self._moves = np.ascontiguousarray(moves.transpose(1, 0, 2)).reshape(-1, 20)  # all x, then all y
        plane = EYES_PX * _moves(self._points, np.zeros(len(self._points)), self._middle)[..., PLANE]
        self._to_plane = np.linalg.pinv(plane.reshape(-1, 8).astype(np.float64))
        texture = _texture(view.pixels)
        across = cv2.Sobel(texture, cv2.CV_32F, 1, 0, ksize=3, scale=1 / 8)
        down = cv2.Sobel(texture, cv2.CV_32F, 0, 1, ksize=3, scale=1 / 8)
        x, y = self._samples.T.copy()
        self._at = np.concatenate([x, y])
        self._values = _values(texture, self._at)
        slopes = [_values(gradient, self._at)[:, None] for gradient in (across, down)]
        self._changes = slopes[0] * moves[:, 0] + slopes[1] * moves[:, 1]
        self._energy = float(np.square(self._values).mean()) + 1e-9

    def lay(self, view: View) -> Fit:
        """Fit all parameters to another view, beginning with where its mesh lies."""
        texture = _texture(view.pixels)
        found = np.zeros(20)
        found[PLANE] = self._to_plane @ (view.points - self._points).ravel()
        for step in range(_ITERATIONS):
            rest = _values(texture, self._at + self._moves @ found.astype(np.float32)) - self._values
            off = np.abs(rest)
            noise = 1.4826 * float(np.median(off)) + 1e-3
            weighted = self._changes * (1 / np.maximum(1, off / (_HUBER * noise)))[:, None]
            share = _INDEPENDENT / noise**2
            known = share * (weighted.T @ self._changes).astype(np.float64) + np.diag(_PRIORS)
            slope = share * (weighted.T @ rest).astype(np.float64) + _PRIORS * found
            free = 8 if step < _PLANE_FIRST else 20
            change = np.linalg.solve(known[:free, :free], -slope[:free])
            found[:free] += change
            if free == 20 and np.abs(self._moves[::50] @ change).max() < _ENOUGH_PX:
                break
        spread = np.linalg.inv(known) + np.diag([0.0] * 8 + [_SYSTEMATIC**2] * 12)
        return Fit(
            found=found,
            noise=float(spread[17, 17] + spread[18, 18]),
            relief=_chi_square(found[RELIEF], spread[RELIEF, RELIEF]),
            bend=_chi_square(found[BEND], spread[BEND, BEND]),
            misfit=float(np.square(rest).mean()) / self._energy,
            eyes_px=view.eyes_px * float(1 + found[2]),
        )

    def wipe(self) -> None:
        """Overwrite what came from the picture."""
        for array in (
            self._points,
            self._samples,
            self._at,
            self._values,
            self._changes,
            self._moves,
            self._to_plane,
        ):
            array.fill(0)


def _chi_square(found: Vectors, spread: Vectors) -> float:
    return float(found @ np.linalg.solve(spread, found))


def _moves(points: Vectors | Singles, relief: Vectors, middle: Vectors) -> Singles:
    """Where each point goes for a unit of each parameter (N, 2, 20), in eye distances."""
    x, y = ((points - middle) / EYES_PX).T
    zero, one = np.zeros_like(x), np.ones_like(x)
    fields = [(one, zero), (zero, one), (x, y), (-y, x), (x, -y), (y, x), (x * x, x * y), (x * y, y * y)]
    bends = (x * x - (x * x).mean(), x * y, y * y - (y * y).mean())
    for depth in (*bends, relief):
        fields += [(depth, zero), (zero, depth), (-depth * x, -depth * y)]
    moves: Singles = np.stack([np.stack(field, 1) for field in fields], 2).astype(np.float32)
    return moves


def _texture(pixels: Image) -> Singles:
    """The picture without its light: fine shades alone, as parts of the contrast around them."""
    grey = cv2.GaussianBlur(pixels.astype(np.float32), (0, 0), _SMOOTH_PX)
    fine = grey - cv2.GaussianBlur(grey, (0, 0), _DETAIL_PX)
    contrast = np.sqrt(cv2.GaussianBlur(fine * fine, (0, 0), 2 * _DETAIL_PX))
    texture: Singles = fine / (contrast + _FLOOR)
    return texture


def _values(picture: Singles, at: Singles) -> Singles:
    """The picture's values at points, given as all x and then all y, between pixels too."""
    x, y = at.reshape(2, -1)
    values: Singles = cv2.remap(picture, x, y, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE).ravel()
    return values
