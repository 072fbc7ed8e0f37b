"""Photographs on paper: what ink, screening, paper and gloss make of a picture."""

from dataclasses import dataclass
from typing import Final, Literal

import cv2
import numpy as np
import numpy.typing as npt

from models.liveness.training.chance import Chance
from models.liveness.training.patterns import Optics, Term, waves
from models.liveness.training.scene import GAMMA, View, glints, relief, shaded, softened

Floats = npt.NDArray[np.float32]

PrintKind = Literal["laser", "inkjet", "photo", "grey", "poster"]
PRINTS: Final[tuple[PrintKind, ...]] = ("laser", "inkjet", "photo", "grey")
INCH_MM: Final = 25.4
_ANGLES: Final = (
    0.0,
    75.0,
    15.0,
)  # degrees of yellow, magenta and cyan screens: they act on blue, green, red


@dataclass(frozen=True)
class Seen:
    """Light of a surface, and the fine pattern on it, which the lens has already blurred."""

    light: Floats
    pattern: Floats


def on_paper(picture: Floats, at: View, kind: PrintKind, chance: Chance, optics: Optics) -> Seen:
    """The picture, linear BGR 0 to 1, as a print in the light of a room."""
    face_mm = chance.scale(45, 260)
    px_mm = at.size / face_mm
    finest_mm = chance.scale(0.05, 0.35)
    if kind == "poster":
        face_mm, finest_mm = chance.scale(150, 500), chance.scale(0.2, 0.8)
        px_mm = at.size / face_mm
    ink = _inked(picture, kind, chance)
    blur = finest_mm * px_mm
    if blur > 0.3:
        ink = softened(ink, blur)
    if kind in {"laser", "grey", "poster"}:
        lines = chance.scale(22, 70) if kind == "poster" else chance.scale(53, 180)
        pattern = _halftone(ink, at, face_mm / INCH_MM * lines, chance, optics, grey=kind == "grey")
    else:
        pattern = np.zeros_like(ink)
    if kind in {"inkjet", "grey", "photo"}:
        ink = _dithered(ink, at, 0.3 if kind == "photo" else 1.0, chance)
    if chance.happens(0.35):
        ink = _streaked(ink, at, px_mm, chance)
    light, lit = _lit(ink, at, chance)
    pattern = pattern * lit[..., None]
    if chance.happens(0.75 if kind == "photo" else 0.3):
        light = glints(light, at, chance, on_face=False)
    return Seen(light, pattern)


def _inked(picture: Floats, kind: PrintKind, chance: Chance) -> Floats:
    """Reflectance: the gamut of inks on paper that is neither white nor, where inked, black."""
    tone = np.clip(picture, 0, 1) ** np.float32(chance.within(0.7, 1.4))
    grey = tone @ np.array([0.11, 0.59, 0.30], np.float32)
    dull = 1.0 if kind == "grey" else chance.within(-0.1, 0.45)
    tone = tone + np.float32(dull) * (grey[..., None] - tone)
    black = np.float32(chance.scale(0.008, 0.09))
    paper = np.array(
        [chance.within(0.75, 1.05), chance.within(0.82, 1.0), chance.within(0.82, 1.02)], np.float32
    )
    cast = np.array([chance.within(0.8, 1.2) for _ in range(3)], np.float32) if chance.happens(0.5) else 1
    return np.asarray(paper * (black + (1 - black) * np.clip(tone * cast, 0, 1)), np.float32)


def _halftone(ink: Floats, at: View, cells: float, chance: Chance, optics: Optics, *, grey: bool) -> Floats:
    """The screens of the inks, `cells` to the size of a face; dots grow with the tone."""
    pattern = np.zeros_like(ink)
    turn = chance.within(0, 90)
    contrast = chance.within(0.4, 1.0)
    dot = np.sqrt(np.clip(1 - ink ** np.float32(1 / GAMMA), 0.02, 0.98))
    first, second = 2 * dot * np.sin(np.pi * dot) / np.pi, 2 * np.square(np.sin(np.pi * dot) / np.pi)
    for channel, angle in enumerate(_ANGLES):
        turned = np.deg2rad(turn + (45 if grey else angle))
        cos, sin = np.float32(np.cos(turned) * cells), np.float32(np.sin(turned) * cells)
        across, down = cos * at.x + sin * at.y, cos * at.y - sin * at.x
        only = tuple(float(channel == c) for c in range(3))
        plain = (1.0, 1.0, 1.0) if grey else (only[0], only[1], only[2])
        ones = waves(across, down, (Term(1, 0, plain), Term(0, 1, plain)), optics)
        twos = waves(across, down, (Term(1, 1, plain), Term(1, -1, plain)), optics)
        pattern += np.float32(contrast) * (ones * first + twos * second)
        if grey:
            break
    return pattern * np.float32(0.6)


def _dithered(ink: Floats, at: View, strength: float, chance: Chance) -> Floats:
    """Drops at random: grain that is strongest in the middle tones, fine or clotted."""
    grain = chance.noise(at.side, 3)
    if chance.happens(0.4):
        grain[:] = grain[..., :1]
    size = chance.scale(0.3, 1.2)
    if size > 0.35:
        grain = np.asarray(cv2.GaussianBlur(grain, (0, 0), size), np.float32)
    amount = np.float32(strength * chance.scale(0.01, 0.25)) * np.sqrt(np.clip(ink * (1 - ink), 0, 1))
    return np.asarray(np.maximum(ink + amount * grain, 0), np.float32)


def _streaked(ink: Floats, at: View, px_mm: float, chance: Chance) -> Floats:
    """Bands along the way of the print head or of the drum."""
    period = max(1.0, chance.scale(0.4, 6) * px_mm)  # pixels
    along = at.y if chance.happens(0.6) else at.x
    rows = chance.rng.standard_normal(4096).astype(np.float32)
    where = (along * np.float32(at.size / period) + 2048) % 4095
    low = where.astype(np.int32)
    part = where - low
    band = rows[low] * (1 - part) + rows[low + 1] * part
    return np.asarray(
        np.maximum(ink * (1 + np.float32(chance.scale(0.008, 0.1)) * band[..., None]), 0), np.float32
    )


def _lit(ink: Floats, at: View, chance: Chance) -> tuple[Floats, Floats]:
    """The room's light on the sheet, and a haze of its gloss; the share of light everywhere."""
    shade = shaded(np.ones_like(ink), at, chance, 0.7)[..., 0]
    if chance.happens(0.25):  # creases and waves of thin paper
        waves_ = relief(at.side, chance.whole(3, 8), chance)
        shade = shade * (1 + np.float32(chance.within(0.02, 0.15)) * waves_)
    if chance.happens(0.5):  # fibres
        fibre = chance.noise(at.side, 1)[..., 0]
        fibre = np.asarray(cv2.GaussianBlur(fibre, (0, 0), chance.scale(0.5, 2.5)), np.float32)
        shade = shade * (1 + np.float32(chance.scale(0.004, 0.06)) * fibre)
    shade = np.asarray(np.maximum(shade, 0.05), np.float32)
    haze = np.float32(chance.scale(0.002, 0.12))
    return np.asarray(ink * shade[..., None] + haze, np.float32), shade
