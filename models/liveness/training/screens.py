"""Photographs on screens: sub-pixels, backlight, refresh, and what the glass mirrors."""

from typing import Final, Literal

import numpy as np
import numpy.typing as npt

from models.liveness.training.chance import Chance
from models.liveness.training.patterns import Optics, Term, waves
from models.liveness.training.prints import Seen
from models.liveness.training.scene import View, glints, relief, softened

Floats = npt.NDArray[np.float32]

ScreenKind = Literal["monitor", "tablet", "phone", "projection", "e-paper"]
SCREENS: Final[tuple[ScreenKind, ...]] = ("monitor", "tablet", "phone")
_PITCH_MM: Final = {  # of a pixel, smallest and largest
    "monitor": (0.155, 0.31),
    "tablet": (0.085, 0.17),
    "phone": (0.055, 0.085),
    "projection": (0.5, 1.6),
    "e-paper": (0.085, 0.15),
}
_FACE_MM: Final = {
    "monitor": (80.0, 260.0),
    "tablet": (60.0, 150.0),
    "phone": (35.0, 75.0),
    "projection": (150.0, 500.0),
    "e-paper": (60.0, 110.0),
}


def on_screen(
    picture: Floats, at: View, kind: ScreenKind, chance: Chance, optics: Optics, room: Floats
) -> Seen:
    """The picture, linear BGR 0 to 1, on a screen; `room` is what its glass mirrors."""
    cells = chance.scale(*_FACE_MM[kind]) / chance.scale(*_PITCH_MM[kind])
    if chance.happens(
        0.4
    ):  # near the camera's own pitch, where moire is: else it is rare in pictures this small
        cells = at.size * chance.scale(0.25, 1.8)
    light = _emitted(picture, at, kind, chance)
    if cells < 2 * at.size:  # the screen has no more pixels than that to show it with
        light = softened(light, max(0.2, 0.35 * at.size / cells))
    across, down = _grid(at, cells, chance)
    if kind == "phone" and chance.happens(0.7):
        terms = _pentile(chance)
    elif kind in {"projection", "e-paper"}:
        terms = _square_cells(chance)
    else:
        terms = _stripes(chance)
    pattern = light * waves(across, down, terms, optics)
    if chance.happens(0.45):
        refresh = _refreshed(at, chance)
        light, pattern = light * refresh, pattern * refresh
    if kind != "projection":
        blurred = softened(room, chance.free_scale(0.6, 0.6 + 0.1 * at.size))
        light = light + blurred * np.float32(chance.scale(0.001, 0.12))
    if chance.happens(0.3):
        light = glints(light, at, chance, on_face=False)
    return Seen(np.asarray(light, np.float32), np.asarray(pattern, np.float32))


def _grid(at: View, cells: float, chance: Chance) -> tuple[Floats, Floats]:
    """The count of screen pixels across and down; the picture may lie a little askew on them."""
    turn = np.pi / 2 if chance.happens(0.3) else 0.0
    cos, sin = np.float32(np.cos(turn) * cells), np.float32(np.sin(turn) * cells)
    start = np.float32(chance.free(0, 1)), np.float32(chance.free(0, 1))
    return cos * at.x + sin * at.y + start[0], cos * at.y - sin * at.x + start[1]


def _emitted(picture: Floats, at: View, kind: ScreenKind, chance: Chance) -> Floats:
    """Colours of a backlight or of pixels that glow, and a black that is not; seen from aside it fades."""
    tone = np.clip(picture, 0, 1) ** np.float32(chance.within(0.8, 1.3))
    grey = tone @ np.array([0.11, 0.59, 0.30], np.float32)
    dull = 0.95 if kind == "e-paper" else chance.within(-0.3, 0.3)
    tone = np.clip(tone + np.float32(dull) * (grey[..., None] - tone), 0, 1)
    lifted = {"e-paper": (0.05, 0.12), "projection": (0.02, 0.2)}.get(kind, (0.0006, 0.03))
    black = np.float32(chance.scale(*lifted))
    white = np.array([chance.within(0.75, 1.7), 1.0, chance.within(0.6, 1.15)], np.float32)
    light = white * (black + (1 - black) * tone)
    if chance.happens(0.5):
        angle = chance.free(0, 2 * np.pi)
        slope = at.x * np.float32(np.cos(angle)) + at.y * np.float32(np.sin(angle))
        light = light * np.clip(1 + np.float32(chance.within(0, 0.3)) * slope, 0.3, 2)[..., None]
    if chance.happens(0.3):  # a backlight in patches
        light = (
            light
            * (1 + np.float32(chance.within(0.01, 0.08)) * relief(at.side, chance.whole(3, 7), chance))[
                ..., None
            ]
        )
    return np.asarray(light, np.float32)


def _stripes(chance: Chance) -> tuple[Term, ...]:
    """Red, green and blue sub-pixels side by side, with black between the rows."""
    wide, high = chance.within(0.2, 0.33), chance.within(0.65, 0.95)
    first = 1 if chance.happens(0.8) else -1  # RGB or BGR
    thirds = tuple(first * place / 3 for place in (2, 1, 0))
    terms = []
    for across, down in ((1, 0), (0, 1), (1, 1), (1, -1), (2, 0), (0, 2), (3, 0)):
        strength = float(2 * np.sinc(across * wide) * np.sinc(down * high))
        phase = (across * thirds[0], across * thirds[1], across * thirds[2])
        terms.append(Term(across, down, (strength,) * 3, phase))
    return tuple(terms)


def _pentile(chance: Chance) -> tuple[Term, ...]:
    """Green in every cell, red and blue in every other, as on a chess board."""
    green, rest = chance.within(0.3, 0.5), chance.within(0.4, 0.7)
    terms = []
    for across, down in ((1, 0), (0, 1), (1, 1), (1, -1)):
        g = float(2 * np.sinc(across * green) * np.sinc(down * green))
        r = float(2 * np.sinc(across * rest) * np.sinc(down * rest))
        terms.append(Term(across, down, (r, g, r), (0.5 * (across + down), 0.25, 0.0)))
    coarse = float(2 * np.sinc(0.5 * rest) ** 2)
    terms += [Term(0.5, down, (coarse, 0.0, coarse), (0.5, 0.0, 0.0)) for down in (0.5, -0.5)]
    return tuple(terms)


def _square_cells(chance: Chance) -> tuple[Term, ...]:
    """Pixels of all colours, with narrow gaps."""
    fill = chance.within(0.8, 0.96)
    sides = [float(2 * np.sinc(n * fill)) for n in (1, 2)]
    return (
        Term(1, 0, (sides[0],) * 3),
        Term(0, 1, (sides[0],) * 3),
        Term(2, 0, (sides[1],) * 3),
        Term(0, 2, (sides[1],) * 3),
    )


def _refreshed(at: View, chance: Chance) -> Floats:
    """Bands along the camera's rows: the shutter rolls while the screen flickers."""
    period = chance.scale(0.15, 4) * at.size
    rows = np.arange(at.side, dtype=np.float32) / np.float32(period) + np.float32(chance.free(0, 1))
    wave = np.sin(2 * np.pi * rows)
    if chance.happens(0.4):  # pulse width modulation
        wave = np.tanh(wave * np.float32(chance.within(1.5, 6)))
    return np.asarray((1 + np.float32(chance.scale(0.01, 0.25)) * wave)[:, None, None], np.float32)
