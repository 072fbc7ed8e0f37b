"""What paper, light, lens, sensor and compression do to a page. Images are float32, 0 to 1, grey or BGR."""

from typing import Any

import cv2
import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float32]


def relief(shape: tuple[int, int], cells: tuple[int, int], rng: np.random.Generator) -> Floats:
    """Smooth random noise of unit deviation with so many cells down and across."""
    grid = rng.normal(0, 1, cells).astype(np.float32)
    smooth: Any = cv2.resize(grid, (shape[1], shape[0]), interpolation=cv2.INTER_CUBIC)
    return np.asarray(smooth, np.float32)


def guilloche(shape: tuple[int, int], rng: np.random.Generator, period: float) -> Floats:
    """Wavy security lines, -1 to 1, about `period` pixels apart."""
    height, width = shape
    down, across = np.mgrid[:height, :width].astype(np.float32)
    angle = rng.uniform(0, np.pi)
    along = across * np.cos(angle) + down * np.sin(angle)
    aside = -across * np.sin(angle) + down * np.cos(angle)
    waves = rng.uniform(0.3, 3) * period * np.sin(aside * 2 * np.pi / (period * rng.uniform(4, 30)))
    lines = np.sin((along + waves) * 2 * np.pi / period)
    if rng.random() < 0.5:
        lines = np.sign(lines) * np.abs(lines) ** 0.3
    return np.asarray(lines, np.float32)


def paper(shape: tuple[int, int], rng: np.random.Generator, period: float) -> Floats:
    """A background around 0: shading, guilloche, and now and then a picture under the text."""
    ground = np.zeros(shape, np.float32)
    if rng.random() < 0.7:
        cells = int(rng.integers(2, 6)), int(rng.integers(2, 12))
        ground += relief(shape, cells, rng) * np.float32(rng.uniform(0, 0.07))
    for _ in range(int(rng.choice([0, 1, 2], p=[0.4, 0.35, 0.25]))):
        ground += guilloche(shape, rng, period * rng.uniform(0.2, 2.5)) * np.float32(rng.uniform(0.01, 0.09))
    if rng.random() < 0.2:
        cells = max(2, round(shape[0] / period)), max(2, round(shape[1] / period))
        ground += relief(shape, cells, rng) * np.float32(rng.uniform(0, 0.08))
    return ground


def blurred(image: Floats, rng: np.random.Generator, strongest: float) -> Floats:
    """Out of focus, or moved."""
    out: Any = image
    if rng.random() < 0.6:
        out = cv2.GaussianBlur(out, (0, 0), rng.uniform(0.25, max(0.3, strongest)))
    if rng.random() < 0.15 and strongest > 0.5:
        length = int(np.clip(round(strongest * rng.uniform(1, 3)), 2, 15))
        kernel = np.zeros((length, length), np.float32)
        kernel[length // 2] = 1 / length
        turned = cv2.getRotationMatrix2D((length / 2 - 0.5, length / 2 - 0.5), rng.uniform(0, 180), 1)
        kernel = np.asarray(cv2.warpAffine(kernel, turned, (length, length)), np.float32)
        out = cv2.filter2D(out, -1, kernel / max(float(kernel.sum()), 0.1))
    return np.asarray(out, np.float32)


def glare(image: Floats, rng: np.random.Generator) -> Floats:
    """A bright spot or streak of a laminate, a rainbow's worth of lightness."""
    height, width = image.shape[:2]
    down, across = np.mgrid[:height, :width].astype(np.float32)
    x, y = rng.uniform(0, width), rng.uniform(0, height)
    angle = rng.uniform(0, np.pi)
    size = rng.uniform(0.1, 0.5) * min(height, width)
    along = (across - x) * np.cos(angle) + (down - y) * np.sin(angle)
    aside = -(across - x) * np.sin(angle) + (down - y) * np.cos(angle)
    spot = np.exp(-((along / (size * rng.uniform(1, 5))) ** 2) - (aside / size) ** 2)
    light = spot * np.float32(rng.uniform(0.1, 0.5))
    lit: Floats = image + (light if image.ndim == 2 else light[..., None])
    return lit


def exposed(image: Floats, rng: np.random.Generator) -> Floats:
    """Uneven light, gamma, noise; then sharpening as scanners do it."""
    shape = image.shape[0], image.shape[1]
    out: Any = image
    if rng.random() < 0.4:
        shade = 1 + relief(shape, (2, 2), rng) * np.float32(rng.uniform(0, 0.15))
        out = out * (shade if image.ndim == 2 else shade[..., None])
    if rng.random() < 0.3:
        out = np.clip(out, 0, 1) ** np.float32(rng.uniform(0.6, 1.6))
    if rng.random() < 0.7:
        out = out + rng.normal(0, 1, image.shape).astype(np.float32) * np.float32(rng.uniform(0, 0.05))
    if rng.random() < 0.25:
        amount = np.float32(rng.uniform(0.3, 1.5))
        out = out + amount * (out - cv2.GaussianBlur(out, (0, 0), rng.uniform(0.7, 2)))
    return np.asarray(np.clip(out, 0, 1), np.float32)


def compressed(image: Floats, rng: np.random.Generator) -> npt.NDArray[np.uint8]:
    """Eight bits; most of the time through JPEG."""
    pixels: npt.NDArray[np.uint8] = np.round(np.clip(image, 0, 1) * 255).astype(np.uint8)
    if rng.random() < 0.7:
        quality = int(rng.integers(25, 96))
        _, encoded = cv2.imencode(".jpg", pixels, [cv2.IMWRITE_JPEG_QUALITY, quality])
        decoded: Any = cv2.imdecode(encoded, cv2.IMREAD_UNCHANGED)
        pixels = decoded
    return pixels
