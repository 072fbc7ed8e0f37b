"""The camera, the same for everybody: lens, sensor, its processing, scaling and compression."""

from dataclasses import dataclass
from typing import Any

import cv2
import numpy as np
import numpy.typing as npt

from models.liveness.looking import Image
from models.liveness.training.chance import Chance
from models.liveness.training.patterns import Optics
from models.liveness.training.scene import GAMMA

Floats = npt.NDArray[np.float32]

_LEVELS = 4096
_RAW = 4 * _LEVELS - 1  # 14 bits: OpenCV's edge-aware interpolation overflows at 16
_MOSAICS = (
    (cv2.COLOR_BayerBG2BGR, cv2.COLOR_BayerBG2BGR_EA),
    (cv2.COLOR_BayerGB2BGR, cv2.COLOR_BayerGB2BGR_EA),
)


@dataclass(frozen=True)
class Shot:
    """An image with the middle and the size of the face in it, in pixels."""

    image: Image
    centre: tuple[float, float]
    size: float


def optics(chance: Chance) -> Optics:
    """A lens, in focus or not quite."""
    blur = chance.free_scale(0.22, 0.7) if chance.happens(0.7) else chance.free_scale(0.7, 2.2)
    return Optics(blur, chance.free(0.5, 1.0), chance.free(0, 0.12) if chance.happens(0.5) else 0.0)


def scaling(chance: Chance) -> float:
    """By how much the camera scales its pixels before it gives them out."""
    return chance.free_scale(0.5, 1.35) if chance.happens(0.45) else 1.0


def photographed(
    light: Floats, pattern: Floats | None, centre: tuple[float, float], size: float, scale: float,
    lens: Optics, chance: Chance,
) -> Shot:  # fmt: skip
    """The picture that the camera gives of linear light; `pattern` has passed the lens before."""
    light = np.asarray(cv2.GaussianBlur(light, (0, 0), max(lens.blur, 0.2)), np.float32)
    moving = chance.happens(0.12)
    if moving:
        light = _moved(light, chance)
    if pattern is not None:
        light = light + pattern * np.float32(0.25 if moving else 1)
    light = _exposed(light, centre, size, chance)
    pixels = _sensed(light, chance)
    pixels = _processed(pixels, chance)
    if scale != 1.0:
        side = max(32, round(pixels.shape[0] * scale))
        way = chance.one((cv2.INTER_AREA, cv2.INTER_LINEAR, cv2.INTER_LINEAR, cv2.INTER_CUBIC))
        pixels = np.asarray(cv2.resize(pixels, (side, side), interpolation=way), np.uint8)
        scale = side / light.shape[0]
    pixels, corner = _cut(pixels, centre, size, scale, chance)
    for _ in range(1 + chance.happens(0.15)):
        if chance.happens(0.85):
            pixels = _compressed(pixels, chance)
    middle = (centre[0] * scale - corner[0], centre[1] * scale - corner[1])
    return Shot(pixels, middle, size * scale)


def _moved(light: Floats, chance: Chance) -> Floats:
    length = chance.whole(2, 7)
    kernel = np.zeros((7, 7), np.float32)
    angle = chance.free(0, np.pi)
    for step in np.linspace(-length / 2, length / 2, 15):
        kernel[round(3 + np.sin(angle) * step * 0.9), round(3 + np.cos(angle) * step * 0.9)] += 1
    return np.asarray(cv2.filter2D(light, -1, kernel / kernel.sum()), np.float32)


def _exposed(light: Floats, centre: tuple[float, float], size: float, chance: Chance) -> Floats:
    """Exposure for the face, or for all of the image; white balance, nearly right."""
    x, y, half = round(centre[0]), round(centre[1]), max(4, round(size * 0.35))
    face = light[max(0, y - half) : y + half, max(0, x - half) : x + half]
    mean = float((face if chance.happens(0.7) else light).mean())
    gain = chance.free_scale(0.07, 0.4) / max(mean, 1e-4)
    balance = np.array([chance.free_scale(0.78, 1.28), 1.0, chance.free_scale(0.8, 1.25)], np.float32)
    if chance.happens(0.35):  # grey world
        means = face.reshape(-1, 3).mean(0)
        balance = balance * (np.float32(means.mean()) / np.maximum(means, 1e-4)) ** np.float32(
            chance.free(0.2, 0.9)
        )
    return np.asarray(light * (np.float32(gain) * balance), np.float32)


def _sensed(light: Floats, chance: Chance) -> Image:
    """Noise of photons and of the amplifier, a mosaic of colours, a tone curve, eight bits."""
    shot, read = chance.free_scale(1e-5, 4e-3), chance.free_scale(3e-4, 0.012)
    kind = chance.one((0, 0, 1))
    mosaic = chance.happens(0.6)
    if mosaic:
        down, across = np.mgrid[0 : light.shape[0], 0 : light.shape[1]] & 1
        order = chance.whole(0, 1)
        channel = (down + across + order) & 1  # 1: green
        flat = np.where(channel == 1, light[..., 1], np.where(down == 1, light[..., 0], light[..., 2]))
        light = flat[..., None]
    noise = chance.noise(light.shape[0], light.shape[2])
    light = light + noise * np.sqrt(np.maximum(light, 0) * np.float32(shot) + np.float32(read * read))
    curve = _curve(chance)
    if not mosaic:
        levels = np.clip(light * (_LEVELS - 1), 0, _LEVELS - 1).astype(np.int32)
        return np.asarray(np.take(curve, levels), np.uint8)
    raw = np.clip(light[..., 0] * _RAW, 0, _RAW).astype(np.uint16)
    # OpenCV names a mosaic by the second row's second and third pixel
    full: Any = cv2.cvtColor(raw, _MOSAICS[order][1 if kind else 0])
    return np.asarray(np.take(curve, full >> 2), np.uint8)


def _curve(chance: Chance) -> Image:
    """From linear light to eight bits: gamma, contrast, a lifted black, a soft shoulder."""
    x = np.arange(_LEVELS, dtype=np.float32) / (_LEVELS - 1)
    if chance.happens(0.5):
        x = x * np.float32(1.25) / (1 + 0.25 * x * x)
    y = np.clip(x, 0, 1) ** np.float32(1 / (GAMMA * chance.free(0.85, 1.2)))
    bent = y * y * (3 - 2 * y)
    y = y + np.float32(chance.free(-0.25, 0.6)) * (bent - y)
    low, high = (chance.free(0, 0.1) if chance.happens(0.3) else 0.0), chance.free(0.88, 1.0)
    return np.asarray(np.round(255 * np.clip(low + (high - low) * y, 0, 1)), np.uint8)


def _processed(pixels: Image, chance: Chance) -> Image:
    """Saturation, less noise in colours or in all, and sharpening, as cameras do it."""
    work: Any = pixels
    if chance.happens(0.6):
        work = work.astype(np.float32)
        grey = cv2.transform(work, np.array([[0.114, 0.587, 0.299]], np.float32))[..., None]
        vivid = np.float32(chance.free(0.55, 1.45))
        work = np.clip(grey + vivid * (work - grey), 0, 255).astype(np.uint8)
    if chance.happens(0.3):
        lightness = cv2.cvtColor(work, cv2.COLOR_BGR2YCrCb)
        sigma = chance.free(0.6, 2.5)
        lightness[..., 1:] = cv2.GaussianBlur(lightness[..., 1:], (0, 0), sigma)
        work = cv2.cvtColor(lightness, cv2.COLOR_YCrCb2BGR)
    if chance.happens(0.22):
        reach = chance.one((3, 5))
        work = cv2.bilateralFilter(work, reach, chance.free(8, 40), chance.free(1, 3))
    if chance.happens(0.45):
        smooth = cv2.GaussianBlur(work, (0, 0), chance.free(0.6, 2.0))
        amount = chance.free(0.2, 1.6)
        work = cv2.addWeighted(work, 1 + amount, smooth, -amount, 0)
    return np.asarray(work, np.uint8)


def _cut(
    pixels: Image, centre: tuple[float, float], size: float, scale: float, chance: Chance
) -> tuple[Image, tuple[int, int]]:
    """Most faces have room around them; some are near the border of their image."""
    left = top = 0
    side = pixels.shape[0]
    right = bottom = side
    if chance.happens(0.3):
        reach = [scale * size * chance.free(0.5, 1.3) for _ in range(4)]
        left, top = (max(0, round(at * scale - r)) for at, r in zip(centre, reach[:2], strict=True))
        right, bottom = (min(side, round(at * scale + r)) for at, r in zip(centre, reach[2:], strict=True))
    return np.ascontiguousarray(pixels[top:bottom, left:right]), (left, top)


def _compressed(pixels: Image, chance: Chance) -> Image:
    quality = chance.whole(38, 97)
    sampling = chance.one((0x111111, 0x211111, 0x221111, 0x221111))
    settings = [cv2.IMWRITE_JPEG_QUALITY, quality, cv2.IMWRITE_JPEG_SAMPLING_FACTOR, sampling]
    _, file = cv2.imencode(".jpg", pixels, settings)
    decoded: Any = cv2.imdecode(file, cv2.IMREAD_COLOR)
    return np.asarray(decoded, np.uint8)
