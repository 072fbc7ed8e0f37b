"""From the painted picture to the chip: how it is framed, lit, resolved, blurred, and compressed."""

from typing import Any

import cv2
import numpy as np
import numpy.typing as npt

from models.quality import chip
from models.quality.training import texture
from models.quality.training.scene import FINER, MARGIN, Scene

Floats = npt.NDArray[np.float32]
Image = npt.NDArray[np.uint8]


def shoot(made: Scene, rng: np.random.Generator) -> Image:
    """Return the chip (HEIGHT, WIDTH, 3), BGR, as a mesh that errs a little would have it cut."""
    picture = _lit(made.picture, rng)
    picture = cv2.GaussianBlur(picture, (0, 0), rng.uniform(0.5, 1.3))  # overlays no sharper than photographs
    framed = _framed(picture, rng)
    small = cv2.resize(framed, (chip.WIDTH, chip.HEIGHT), interpolation=cv2.INTER_AREA)
    return _sensed(np.asarray(small, np.float32), rng)


def photographed(made: Scene, rng: np.random.Generator) -> Image:
    """Return the whole picture, BGR, as it would come from a camera: to be searched for a face."""
    picture = cv2.GaussianBlur(_lit(made.picture, rng), (0, 0), rng.uniform(0.5, 1.3))
    return _sensed(np.asarray(picture, np.float32), rng)


def _lit(picture: Floats, rng: np.random.Generator) -> Floats:
    """Exposure, colour of the light, a shadow across, contrast."""
    out = picture
    if rng.random() < 0.6:
        out = out * np.float32(np.exp(rng.normal(0, 0.3)))
    if rng.random() < 0.35:
        out = out * np.exp(rng.normal(0, 0.1, 3)).astype(np.float32)
    if rng.random() < 0.3:
        shade = 1 + texture.relief(rng, 90, 90) * np.float32(rng.uniform(0, 0.35))
        out = out * np.clip(shade, 0.25, 1.8)[..., None]
    if rng.random() < 0.35:
        out = np.clip(out, 0, 1) ** np.float32(np.exp(rng.normal(0, 0.3)))
    if rng.random() < 0.25:
        middle = np.float32(out.mean())
        out = middle + (out - middle) * np.float32(rng.uniform(0.5, 1.3))
    if rng.random() < 0.12:  # colours fade
        grey = out.mean(2, keepdims=True)
        out = grey + (out - grey) * np.float32(rng.uniform(0, 0.8))
    return np.asarray(np.clip(out, 0, 1), np.float32)


def _framed(picture: Floats, rng: np.random.Generator) -> Floats:
    """Errors of the mesh: shift, size, turn, and a little shear."""
    width, height = chip.WIDTH * FINER, chip.HEIGHT * FINER
    angle, zoom = rng.normal(0, 0.06), np.exp(rng.normal(0, 0.05, 2))
    cos, sin = np.cos(angle), np.sin(angle)
    linear = np.array([[cos * zoom[0], -sin + rng.normal(0, 0.03)], [sin, cos * zoom[1]]])
    centre = np.array([width / 2, height / 2])
    shift = rng.normal(0, [3.5, 4.5])
    matrix = np.column_stack([linear, centre + shift - linear @ (centre + MARGIN)])
    out: Any = cv2.warpAffine(picture, matrix, (width, height), borderMode=cv2.BORDER_REPLICATE)
    return np.asarray(out, np.float32)


def _sensed(small: Floats, rng: np.random.Generator) -> Image:
    """Resolution, motion, noise, sharpening, JPEG."""
    out: Any = small
    if rng.random() < 0.35:
        share = rng.uniform(0.35, 0.95)
        tiny = cv2.resize(out, None, fx=share, fy=share, interpolation=cv2.INTER_AREA)
        out = cv2.resize(tiny, small.shape[1::-1], interpolation=cv2.INTER_LINEAR)
    if rng.random() < 0.25:
        out = cv2.GaussianBlur(out, (0, 0), rng.uniform(0.3, 1.6))
    if rng.random() < 0.12:
        length = int(rng.integers(2, 6))
        kernel = np.zeros((5, 5), np.float32)
        cv2.line(kernel, (0, 2), (length - 1, 2), 1.0)
        turned = cv2.warpAffine(kernel, cv2.getRotationMatrix2D((2, 2), rng.uniform(0, 180), 1), (5, 5))
        out = cv2.filter2D(out, -1, turned / max(float(turned.sum()), 0.2))
    if rng.random() < 0.25:
        out = out + np.float32(rng.uniform(0.2, 1.2)) * (out - cv2.GaussianBlur(out, (0, 0), 1.0))
    if rng.random() < 0.5:
        out = out + rng.normal(0, rng.uniform(0, 0.05), out.shape).astype(np.float32)
    pixels = np.round(np.clip(out, 0, 1) * 255).astype(np.uint8)
    if rng.random() < 0.4:
        quality = int(rng.integers(25, 95))
        encoded = cv2.imencode(".jpg", pixels, (cv2.IMWRITE_JPEG_QUALITY, quality))[1]
        pixels = np.asarray(cv2.imdecode(encoded, cv2.IMREAD_COLOR), np.uint8)
    return np.asarray(pixels, np.uint8)
