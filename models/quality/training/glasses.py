"""Things before the eyes: sunglasses, and what are none (clear glasses, glasses on the hair, deep shadow)."""

from typing import Any, NamedTuple

import cv2
import numpy as np
import numpy.typing as npt

from models.quality.training import texture
from models.quality.training.scene import SIZE, Scene, cover, lay, shadow, stroke

Floats = npt.NDArray[np.float32]
Points = npt.NDArray[np.float64]


class Pair(NamedTuple):
    """Two lenses (or one shield) as polygons of pixels, and lines of the frame."""

    lenses: tuple[Points, ...]
    lines: tuple[Points, ...]
    temples: tuple[Points, ...]
    rim: float  # pixels


def wear_sunglasses(made: Scene, rng: np.random.Generator, print_: Floats | None) -> str:
    """Put on lenses through which the eyes are hard or impossible to see; return their kind."""
    pair = _shape(made, rng, 0.0)
    kind = str(rng.choice(["dark", "tinted", "gradient", "mirrored"], p=[0.38, 0.2, 0.22, 0.2]))
    passed = _transmission(pair, rng, kind)
    _put(made, rng, pair, passed, _reflection(made, rng, kind, print_))
    return kind


def wear_tinted(made: Scene, rng: np.random.Generator) -> None:
    """Lenses of which nobody could say whether they are sunglasses."""
    pair = _shape(made, rng, 0.0)
    passed = np.ones((SIZE[1], SIZE[0], 3), np.float32) * np.float32(rng.uniform(0.38, 0.68))
    passed *= np.clip(1 + rng.normal(0, 0.1, 3), 0.6, 1.3).astype(np.float32)
    _put(made, rng, pair, passed, np.zeros((SIZE[1], SIZE[0], 3), np.float32))


def wear_clear(made: Scene, rng: np.random.Generator) -> None:
    """Spectacles: the eyes are seen; glare now and then."""
    pair = _shape(made, rng, 0.0, clear=True)
    passed = np.full((SIZE[1], SIZE[0], 3), rng.uniform(0.8, 1.0), np.float32)
    shine = np.zeros((SIZE[1], SIZE[0], 3), np.float32)
    if rng.random() < 0.5:
        shine += _glints(made, rng, pair)[..., None] * np.float32(rng.uniform(0.1, 0.8))
    _put(made, rng, pair, passed, shine)


def on_hair(made: Scene, rng: np.random.Generator, print_: Floats | None) -> None:
    """Sunglasses pushed up: the eyes are free."""
    pair = _shape(made, rng, rng.uniform(-1.5, -0.95))
    kind = str(rng.choice(["dark", "mirrored"]))
    _put(made, rng, pair, _transmission(pair, rng, kind), _reflection(made, rng, kind, print_))


def deep_shadow(made: Scene, rng: np.random.Generator) -> None:
    """Light from above that does not reach the sockets, or make-up around the eyes."""
    dark = np.zeros((SIZE[1], SIZE[0]), np.float32)
    size = rng.uniform(0.2, 0.42)
    for eye in (-0.5, 0.5):
        ring = [
            made.at(eye + 1.1 * size * np.cos(t), rng.uniform(-0.12, 0.0) + 0.7 * size * np.sin(t), 0.1)
            for t in np.linspace(0, 2 * np.pi, 13)[:-1]
        ]
        dark = np.maximum(dark, cover(np.array(ring), rng.uniform(3, 8)))
    if rng.random() < 0.3:  # a brim's shadow over the whole upper face
        low = rng.uniform(0.05, 0.4)
        dark = np.maximum(
            dark, cover(made.many([(-1.5, -1, 0), (1.5, -1, 0), (1.4, low, 0), (-1.4, low, 0)]), 5)
        )
    made.picture *= (1 - np.float32(rng.uniform(0.3, 0.75)) * dark)[..., None]


def _shape(made: Scene, rng: np.random.Generator, lift: float, *, clear: bool = False) -> Pair:
    """Two lenses of one random form before the eyes, bent around the face."""
    shield = not clear and rng.random() < 0.12
    half_width = rng.uniform(0.36, 0.54)
    half_height = half_width * rng.uniform(0.45, 1.0)
    if clear and rng.random() < 0.4:
        half_height *= 0.7
    apart = rng.uniform(max(0.48, half_width + 0.05), 0.62)
    drop = lift + rng.uniform(-0.02, 0.2)
    front = rng.uniform(0.3, 0.5)
    if lift < -0.5:
        front = rng.uniform(0.0, 0.25)
    wrap = rng.uniform(0.05, 0.45)
    power = rng.uniform(1.8, 5.0)
    slant, pear = rng.normal(0, 0.12), rng.normal(0, 0.18)
    angles = np.linspace(0, 2 * np.pi, 33)[:-1]
    x0, y0 = (np.sign(f(angles)) * np.abs(f(angles)) ** (2 / power) for f in (np.cos, np.sin))

    def placed(x: Points, y: Points) -> Points:
        return made.many(np.stack([x, y, front - wrap * x**2], 1))

    if shield:
        x, y = x0 * (apart + half_width), drop + y0 * half_height
        y = y + np.where(y0 > 0, -0.25 * half_height * np.exp(-((x / 0.15) ** 2)), 0)  # room for the nose
        lenses: tuple[Points, ...] = (placed(x, y),)
    else:
        both = []
        for side in (-1.0, 1.0):
            x = x0 * half_width * (1 - pear * y0 * 0.6)
            y = y0 * half_height * (1 + pear * x0 * 0.4) - slant * x0
            both.append(placed(side * (apart + x), drop + y))
        lenses = tuple(both)
    inner, outer = apart - half_width, apart + half_width
    height = drop - half_height * rng.uniform(0.0, 0.7)
    bridge = np.linspace(-inner, inner, 7)
    arch = height - 0.08 * (1 - (bridge / max(inner, 1e-3)) ** 2)
    lines = [] if shield else [placed(bridge, arch)]
    if not shield and rng.random() < 0.25:  # the double bridge of an aviator
        lines.append(placed(bridge, np.full(7, drop - half_height * 0.85)))
    temples = []
    for side in (-1.0, 1.0):
        start = (side * outer, height, front - wrap * outer**2)
        temples.append(made.many([start, (side * 1.16, height, 0.0), (side * 1.26, height + 0.05, -0.9)]))
    return Pair(lenses, tuple(lines), tuple(temples), rng.uniform(0.6, 4.5))


def _transmission(pair: Pair, rng: np.random.Generator, kind: str) -> Floats:
    """How much of each colour passes, a field."""
    field = np.ones((SIZE[1], SIZE[0], 3), np.float32)
    tint = np.clip(1 + rng.normal(0, 0.25, 3), 0.3, 1.7).astype(np.float32)
    if kind == "tinted":
        strong = np.array([(0.2, 0.5, 1.4), (0.3, 0.6, 1.2), (1.3, 0.7, 0.4), (0.6, 1.3, 0.6), (1, 0.5, 1.2)])
        tint = strong[int(rng.integers(len(strong)))].astype(np.float32)
        return np.asarray(field * np.float32(rng.uniform(0.12, 0.3)) * tint, np.float32)
    if kind == "gradient":
        rows = np.concatenate(pair.lenses)[:, 1]
        down = (np.arange(SIZE[1], dtype=np.float32) - rows.min()) / max(float(np.ptp(rows)), 1.0)
        top, bottom = rng.uniform(0.03, 0.15), rng.uniform(0.25, 0.5)
        passed = top + (bottom - top) * np.clip(down, 0, 1)[:, None, None]
        return np.asarray(field * passed * tint, np.float32)
    return field * np.float32(rng.uniform(0.0, 0.2)) * tint


def _reflection(made: Scene, rng: np.random.Generator, kind: str, print_: Floats | None) -> Floats:
    """What the lenses throw back: haze, a bright sky above, lamps, a scene in a mirror."""
    shine = np.zeros((SIZE[1], SIZE[0], 3), np.float32)
    shine += np.float32(made.level * rng.uniform(0, 0.1))
    if rng.random() < 0.6:
        centre = made.at(0, rng.uniform(-0.3, 0.3), 0.4)
        down = (np.arange(SIZE[1], dtype=np.float32) - centre[1]) / made.unit
        ramp = 1 / (1 + np.exp(down * rng.uniform(2, 14) * rng.choice([-1, 1, 1])))
        shine += ramp[:, None, None].astype(np.float32) * np.float32(made.level * rng.uniform(0, 0.35))
    if rng.random() < 0.4:
        spots = np.clip(texture.relief(rng, rng.uniform(4, 14), rng.uniform(3, 20)) - rng.uniform(1, 2), 0, 1)
        shine += spots[..., None] * np.float32(made.level * rng.uniform(0.2, 1))
    if kind == "mirrored":
        if print_ is not None and rng.random() < 0.6:
            seen: Any = cv2.GaussianBlur(print_[::-1], (0, 0), rng.uniform(0.8, 5))
        else:
            seen = 0.5 + 0.3 * texture.relief(rng, rng.uniform(10, 40), rng.uniform(20, 80))[..., None]
        tint = np.clip(1 + rng.normal(0, 0.5, 3), 0.1, 2).astype(np.float32)
        shine = shine * np.float32(0.5) + seen * tint * np.float32(made.level * rng.uniform(0.2, 0.8))
    return np.asarray(np.clip(shine, 0, 1.1), np.float32)


def _glints(made: Scene, rng: np.random.Generator, pair: Pair) -> Floats:
    """Bands or spots of glare somewhere on the lenses."""
    if rng.random() < 0.5:
        return np.asarray(
            np.clip(texture.waves(rng, rng.uniform(40, 160), rng.uniform(0, np.pi)), 0, 1), np.float32
        )
    out = np.zeros((SIZE[1], SIZE[0]), np.float32)
    for lens in pair.lenses:
        at = lens.mean(0) + rng.normal(0, 0.15, 2) * made.unit
        size = rng.uniform(0.05, 0.25) * made.unit
        ring = [at + size * np.array([np.cos(t) * 1.3, np.sin(t)]) for t in np.linspace(0, 2 * np.pi, 9)[:-1]]
        out = np.maximum(out, cover(np.array(ring), rng.uniform(0.6, 4)))
    return out


def _put(made: Scene, rng: np.random.Generator, pair: Pair, passed: Floats, shine: Floats) -> None:
    """Shadow, lenses, then the frame."""
    glass = np.maximum.reduce([cover(lens, 0.7) for lens in pair.lenses])
    shadow(made, glass, rng, 0.06, 0.45)
    made.picture *= 1 - glass[..., None] * (1 - np.clip(passed, 0, 1))
    made.picture += glass[..., None] * shine
    np.clip(made.picture, 0, 1.2, out=made.picture)
    tint = (
        texture.colour(rng) * np.float32(0.6)
        if rng.random() < 0.75
        else np.array([0.3, 0.6, 0.75], np.float32)
    )
    lit = np.float32(made.level * rng.uniform(0.6, 1.1))
    rimless = rng.random() < 0.12
    lines = [*pair.lines, *pair.temples]
    if not rimless:
        lines += [np.concatenate([lens, lens[:1]]) for lens in pair.lenses]
    thick = [max(0.8, pair.rim * 0.8)] * len(pair.lines) + [max(0.8, pair.rim * rng.uniform(0.5, 1.3))] * 2
    thick += [pair.rim] * (len(lines) - len(thick))
    rim = np.maximum.reduce([stroke(line, wide, 0.55) for line, wide in zip(lines, thick, strict=True)])
    lay(made, rim, tint, lit)
    if rng.random() < 0.4:
        shine_at = stroke(lines[0] - [0, pair.rim / 2], 0.8, 0.6)
        lay(made, np.asarray(shine_at * np.float32(0.5), np.float32), np.ones(3, np.float32), lit)
