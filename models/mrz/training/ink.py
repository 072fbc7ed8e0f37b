"""Draws the lines of a zone as ink on a canvas of its own, at PITCH pixels a character."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import numpy.typing as npt

from models.mrz.cutting import Strip
from models.mrz.training.typeface import BASE, CELL, OCR_B, characters, other_fonts
from models.mrz.training.zones import Zone

Floats = npt.NDArray[np.float32]

PITCH = 24.0
EDGE = 56.0  # free canvas around the zone
CAP = 0.945 * PITCH  # OCR-B size I of ISO 1073-2: 2.4 mm at 2.54 mm a character
SPACING = {3: 1.667 * PITCH, 2: 2.5 * PITCH}  # six lines an inch on cards of three lines, four elsewhere


@dataclass(frozen=True, slots=True)
class Inked:
    """`ink` in [0, 1] and the strips of its lines on the canvas."""

    ink: Floats
    strips: tuple[Strip, ...]


def draw(zone: Zone, rng: np.random.Generator, *, plain: bool = False) -> Inked:
    """Draw with a random print: font, weight, spacing and unsteadiness; `plain`: as the standard wants."""
    font = OCR_B if plain or rng.random() < 0.8 or not other_fonts() else _other(rng)
    cap = CAP if plain else CAP * float(np.clip(rng.normal(1, 0.08), 0.8, 1.2))
    lines = len(zone.lines)
    spacing = SPACING[lines] if plain else PITCH * rng.uniform(1.45, 2.2 if lines == 3 else 2.7)
    pictures = characters(font, round(cap))
    unsteady = 0.0 if plain else float(rng.choice([0, 0.3, 0.8]))
    width = round(PITCH * len(zone.lines[0]) + 2 * EDGE)
    height = round(spacing * (len(zone.lines) - 1) + CELL + 2 * EDGE)
    canvas = np.zeros((height, width), np.uint8)
    strips = []
    for number, line in enumerate(zone.lines):
        base = EDGE + BASE + number * spacing
        left = EDGE + (0.0 if plain else rng.normal(0, 2))
        for place, character in enumerate(line):
            x = round(left + PITCH * (place + 0.5) + rng.normal(0, unsteady)) - CELL // 2
            y = round(base - BASE + rng.normal(0, unsteady))
            target = canvas[y : y + CELL, x : x + CELL]
            np.maximum(target, pictures[character], out=target)
        middle = round(base) - cap / 2
        strips.append(Strip((left, middle), (left + PITCH * len(line), middle), cap))
    canvas = canvas if plain else _weight(canvas, rng)
    return Inked(canvas.astype(np.float32) / 255, tuple(strips))


def _other(rng: np.random.Generator) -> Path:
    fonts = other_fonts()
    return fonts[rng.integers(len(fonts))]


def _weight(canvas: Any, rng: np.random.Generator) -> Any:
    """Spread or starve the ink; drop specks of it."""
    kind = rng.random()
    if kind < 0.25:
        canvas = cv2.dilate(canvas, np.ones((2, 2), np.uint8))
    elif kind < 0.35:
        canvas = cv2.dilate(canvas, cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (3, 3)))
    elif kind < 0.45:
        canvas = cv2.erode(canvas, np.ones((2, 2), np.uint8))
    if rng.random() < 0.15:
        height, width = canvas.shape
        specks = rng.random((height // 2, width // 2)) < rng.uniform(0.02, 0.2)
        holes = cv2.resize(specks.astype(np.uint8), (width, height), interpolation=cv2.INTER_NEAREST)
        canvas = np.where(holes > 0, (canvas * rng.uniform(0, 0.6)).astype(np.uint8), canvas)
    return canvas
