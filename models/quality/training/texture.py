"""Colours and surfaces: cloth, knit, print, hair. Fields are float32, (height, width) with or without BGR."""

from typing import Any

import cv2
import numpy as np
import numpy.typing as npt

from models.quality.training.scene import SIZE

Floats = npt.NDArray[np.float32]


def colour(rng: np.random.Generator) -> Floats:
    """The reflectance of dyed things, BGR: black, white, grey, or of any hue."""
    kind = rng.random()
    if kind < 0.22:
        grey = rng.uniform(0.01, 0.12)
    elif kind < 0.38:
        grey = rng.uniform(0.7, 1.0)
    elif kind < 0.5:
        grey = rng.uniform(0.1, 0.7)
    elif kind < 0.58:  # leather, straw, felt
        brown = np.array((0.2, 0.35, 0.5)) * rng.uniform(0.3, 1.6) + rng.normal(0, 0.03, 3)
        return np.asarray(np.clip(brown, 0, 1), np.float32)
    else:
        hue = np.array([[[rng.uniform(0, 180), rng.uniform(60, 255), rng.uniform(40, 255)]]], np.uint8)
        return np.asarray(cv2.cvtColor(hue, cv2.COLOR_HSV2BGR)[0, 0] / 255, np.float32)
    return np.asarray(np.clip(grey + rng.normal(0, 0.02, 3), 0, 1), np.float32)


def relief(rng: np.random.Generator, down: float, across: float, angle: float | None = None) -> Floats:
    """Smooth noise of unit deviation, blots of so many pixels; turned by `angle` (radians), or by chance."""
    side = int(1.5 * max(SIZE))
    cells = max(2, round(side / max(down, 0.7))), max(2, round(side / max(across, 0.7)))
    grid = rng.normal(0, 1, cells).astype(np.float32)
    field: Any = cv2.resize(grid, (side, side), interpolation=cv2.INTER_CUBIC)
    degrees = np.degrees(rng.uniform(0, np.pi) if angle is None else angle)
    turn = cv2.getRotationMatrix2D((side / 2, side / 2), degrees, 1)
    turn[:, 2] += np.array(SIZE) / 2 - side / 2
    return np.asarray(cv2.warpAffine(field, turn, SIZE, borderMode=cv2.BORDER_REFLECT), np.float32)


def waves(rng: np.random.Generator, period: float, angle: float) -> Floats:
    """Parallel stripes, -1 to 1, bent a little."""
    down, across = np.mgrid[: SIZE[1], : SIZE[0]].astype(np.float32)
    along = across * np.float32(np.cos(angle)) + down * np.float32(np.sin(angle))
    bend = relief(rng, 60, 60) * np.float32(rng.uniform(0, 0.6) * period)
    return np.asarray(np.sin((along + bend) * np.float32(2 * np.pi / period)), np.float32)


def cloth(rng: np.random.Generator, ground: Floats | None = None, print_: Floats | None = None) -> Floats:
    """A woven or knitted surface: plain, striped, checked, dotted, blotched, or printed with a picture."""
    base = colour(rng) if ground is None else ground
    field = np.empty((SIZE[1], SIZE[0], 3), np.float32)
    field[:] = base
    kind = rng.random()
    if kind < 0.5:
        pass
    elif kind < 0.64:
        band = waves(rng, rng.uniform(4, 40), rng.uniform(0, np.pi)) > rng.uniform(-0.8, 0.8)
        field[band] = colour(rng)
    elif kind < 0.72:
        angle, period = rng.uniform(0, np.pi), rng.uniform(5, 24)
        for turn in (angle, angle + np.pi / 2):
            share: Any = 0.5 * (waves(rng, period, turn) > rng.uniform(0, 0.8))[..., None].astype(np.float32)
            field = field * (1 - share) + colour(rng) * share
    elif kind < 0.8:
        angle, period = rng.uniform(0, np.pi), rng.uniform(6, 26)
        dots = waves(rng, period, angle) + waves(rng, period, angle + np.pi / 2) > rng.uniform(0.8, 1.6)
        field[dots] = colour(rng)
    elif kind < 0.92 or print_ is None:
        size = rng.uniform(4, 40)
        for _ in range(int(rng.integers(1, 4))):
            field[relief(rng, size, size * rng.uniform(0.5, 2)) > rng.uniform(0, 1.2)] = colour(rng)
    else:
        field = print_ * np.float32(rng.uniform(0.7, 1.0))
    if rng.random() < 0.5:  # weave or wrinkles
        grain = relief(rng, rng.uniform(1, 3), rng.uniform(1, 14))
        field = field * (1 + grain * np.float32(rng.uniform(0, 0.1)))[..., None]
    if rng.random() < 0.5:
        folds = relief(rng, rng.uniform(8, 30), rng.uniform(20, 120))
        field = field * (1 + folds * np.float32(rng.uniform(0, 0.16)))[..., None]
    return np.asarray(np.clip(field, 0, 1.1), np.float32)


def hair(rng: np.random.Generator, angle: float) -> Floats:
    """Strands running along `angle`, of a natural colour."""
    tint = np.array(
        [
            (0.03, 0.03, 0.04),
            (0.06, 0.09, 0.15),
            (0.12, 0.2, 0.32),
            (0.3, 0.5, 0.66),
            (0.12, 0.22, 0.5),
            (0.5, 0.52, 0.55),
            (0.8, 0.82, 0.84),
        ][int(rng.integers(7))],
        np.float32,
    )
    tint = tint * np.float32(rng.uniform(0.7, 1.4))
    strands = relief(rng, rng.uniform(10, 60), rng.uniform(1, 2.6), angle)
    locks = relief(rng, rng.uniform(25, 90), rng.uniform(6, 22), angle)
    light = 1 + strands * np.float32(rng.uniform(0.1, 0.35)) + locks * np.float32(rng.uniform(0.1, 0.35))
    return np.asarray(np.clip(tint * light[..., None] + rng.uniform(0, 0.03), 0, 1), np.float32)
