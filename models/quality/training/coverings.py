"""Things on the head: caps, hats, helmets, turbans, scarves and hoods; and hair, which is none of them."""

from typing import NamedTuple

import cv2
import numpy as np
import numpy.typing as npt

from models.quality.training import texture
from models.quality.training.scene import OVAL, SIZE, Scene, cover, lay, rounded, shading, shadow, stroke

Floats = npt.NDArray[np.float32]
Points = npt.NDArray[np.float64]

# an ellipsoid that skull and flat hair fill: middle (down, out) and half axes (across, down, out)
_MIDDLE = (-0.35, -0.75)
_HALF = (1.28, 1.45, 1.05)
_FRONT = 1.65  # radians to each side to which a hat's lower edge is seen
KINDS = ("cap", "cap backwards", "visor", "beanie", "hat", "helmet", "turban", "headscarf", "hood", "bandana")
_SHARES = (0.2, 0.06, 0.05, 0.17, 0.12, 0.08, 0.07, 0.13, 0.09, 0.03)


class Form(NamedTuple):
    """Where a hat ends in front and above the ears, how wide and high it is, how round, and how askew."""

    low: float
    side: float
    grow: float = 1.0
    top: float = 1.0
    power: float = 2.0
    askew: float = 0.0
    until: float | None = None  # cut off above, as a visor is


class Dome(NamedTuple):
    """What a hat covers: a mask, and its lower edge before the forehead, from the image's left to right."""

    mask: Floats
    edge: Points


def wear(made: Scene, rng: np.random.Generator, print_: Floats | None) -> str:
    """Cover the head and return the kind."""
    kind = str(rng.choice(KINDS, p=_SHARES))
    if kind in {"headscarf", "hood"}:
        _wrapped(made, rng, print_, hood=kind == "hood")
        return kind
    _behind(made, rng, print_)
    cloth = texture.cloth(rng, None, print_)
    low = rng.uniform(-0.95, -0.5) if rng.random() < 0.8 else rng.uniform(-1.2, -0.9)  # pushed back
    side = {"beanie": rng.uniform(-0.55, 0.3), "helmet": rng.uniform(-0.4, 0.6)}.get(
        kind, rng.uniform(-0.75, -0.25)
    )
    grow = {"helmet": rng.uniform(1.12, 1.4), "turban": rng.uniform(1.1, 1.4)}.get(
        kind, rng.uniform(1.0, 1.16)
    )
    top = {
        "helmet": 1.25,
        "turban": rng.uniform(1.1, 1.8),
        "hat": rng.uniform(1.05, 1.45),
        "beanie": rng.uniform(1.0, 1.5),
    }.get(kind, rng.uniform(0.98, 1.2))
    power = rng.uniform(2.0, 4.5) if kind in {"hat", "cap", "cap backwards"} else rng.uniform(1.8, 2.6)
    if kind == "visor":
        top = rng.uniform(0.55, 0.75)
    if kind == "bandana":
        cloth = texture.cloth(rng, None, None)
    askew = rng.normal(0, 0.08) if rng.random() < 0.75 else rng.normal(0, 0.3)
    until = low + rng.uniform(0.15, 0.4) if kind == "visor" else None
    dome = _dome(made, Form(low, side, grow, top, power, askew, until))
    shadow(made, dome.mask, rng, 0.1, 0.5)
    light = shading(made, dome.mask, rng.uniform(0.5, 1.5)) * np.float32(made.level)
    if kind == "helmet":
        cloth = np.empty_like(cloth)
        cloth[:] = texture.colour(rng)
        light = light + np.clip(texture.relief(rng, 14, 20) - 1.2, 0, 1) * np.float32(rng.uniform(0, 1.0))
    if kind == "beanie":
        knit = texture.waves(rng, rng.uniform(3, 7), rng.normal(0, 0.1))
        light = light * (1 + knit * np.float32(rng.uniform(0, 0.2)))
    if kind == "turban":
        # windings: they cross over the forehead, or run around
        slope, period = rng.uniform(0, 0.8), rng.uniform(8, 30)
        right, left = (texture.waves(rng, period, np.pi / 2 + sign * slope) for sign in (1, -1))
        over = np.arange(SIZE[0]) < made.at(rng.normal(0, 0.3), -1.2, 0)[0]
        band = np.where(over[None], right, left)
        light = light * (1 + band * np.float32(rng.uniform(0.05, 0.35)))
    lay(made, dome.mask, cloth, np.asarray(light, np.float32))
    _finish(made, rng, kind, dome, low, cloth)
    return kind


def hair(made: Scene, rng: np.random.Generator, print_: Floats | None) -> None:
    """Another head of hair, with a fringe or without: no covering."""
    if rng.random() < 0.5:
        _behind(made, rng, print_)
    low = rng.uniform(-1.05, -0.35)
    side = rng.uniform(-0.6, 0.9)
    wide, high, power = rng.uniform(1.0, 1.3), rng.uniform(0.98, 1.3), rng.uniform(1.8, 2.6)
    dome = _dome(made, Form(low, side, wide, high, power, rng.normal(0, 0.15)))
    ragged = texture.relief(rng, 30, rng.uniform(1.5, 8), 0.0) * np.float32(rng.uniform(2, 8))
    down, across = np.mgrid[: SIZE[1], : SIZE[0]].astype(np.float32)
    torn = cv2.remap(dome.mask, across, down + ragged, cv2.INTER_LINEAR)
    mask = np.asarray(cv2.GaussianBlur(torn, (0, 0), rng.uniform(0.6, 2)), np.float32)
    if side > 0.2:
        mask = np.maximum(mask, _curtains(made, rng, side))
    shadow(made, mask, rng, 0.05, 0.4)
    light = shading(made, mask, rng.uniform(0.2, 1.0)) * np.float32(made.level)
    lay(made, mask, texture.hair(rng, rng.normal(0, 0.5)), light)


def headphones(made: Scene, rng: np.random.Generator) -> None:
    """A band over the hair, and ear pieces: no covering."""
    arc = [made.at(1.32 * np.sin(t), -0.35 - 1.55 * np.cos(t), -0.75) for t in np.linspace(-1.6, 1.6, 17)]
    tint = texture.colour(rng)
    band = stroke(np.array(arc), rng.uniform(2, 7))
    lay(made, band, tint, np.float32(made.level))
    for side in (-1.0, 1.0):
        ring = [
            made.at(side * 1.35 + 0.22 * np.cos(t), 0.15 + 0.34 * np.sin(t), -0.6)
            for t in np.linspace(0, 2 * np.pi, 11)[:-1]
        ]
        ear = cover(np.array(ring))
        lay(made, ear, tint, shading(made, ear, 1.0) * np.float32(made.level))


def _ring(form: Form, angles: Points) -> Points:
    """Places (N, 3) where a hat ends, `angles` from the front."""
    down = form.side + (form.low - form.side) * np.cos(angles) + form.askew * np.sin(angles)
    reach = np.sqrt(np.clip(1 - ((down - _MIDDLE[0]) / _HALF[1]) ** 2, 0.15, 1)) * form.grow
    return np.stack(
        [_HALF[0] * reach * np.sin(angles), down, _MIDDLE[1] + _HALF[2] * reach * np.cos(angles)], 1
    )


def _dome(made: Scene, form: Form) -> Dome:
    """Everything above the ring."""
    base = _ring(form, np.linspace(-np.pi, np.pi, 41))
    crown = _MIDDLE[0] - _HALF[1] * form.top
    layers = []
    for share in np.linspace(0, 1, 9):
        wide = (1 - share**form.power) ** (1 / form.power)
        layer = base.copy()
        layer[:, 0] = layer[:, 0] * wide - form.askew * share
        layer[:, 2] = _MIDDLE[1] + (base[:, 2] - _MIDDLE[1]) * wide
        layer[:, 1] = base[:, 1] * (1 - share) + crown * share
        layers.append(layer)
    places = np.concatenate(layers)
    if form.until is not None:
        places[:, 1] = np.maximum(places[:, 1], form.until - 0.55)
    hull = cv2.convexHull(made.many(places).astype(np.float32))[:, 0]
    edge = made.many(_ring(form, np.linspace(-_FRONT, _FRONT, 25)))
    mask = cover(hull, 0.8)
    far = made.axes[1, :2] * 6
    below = np.concatenate([edge, (edge[-1] + far)[None], (edge[0] + far)[None]])
    return Dome(np.asarray(mask * (1 - cover(below, 0.8)), np.float32), edge)


def _behind(made: Scene, rng: np.random.Generator, print_: Floats | None) -> None:
    """Another wall behind the head, above it, so that no hair shows beside a hat."""
    if rng.random() < 0.35:
        return
    wall = np.empty((SIZE[1], SIZE[0], 3), np.float32)
    wall[:] = texture.colour(rng) * np.float32(rng.uniform(0.4, 1.1))
    if print_ is not None and rng.random() < 0.4:
        wall[:] = cv2.GaussianBlur(print_, (0, 0), rng.uniform(1, 6))
    elif rng.random() < 0.5:
        wall += texture.relief(rng, 40, 40)[..., None] * np.float32(rng.uniform(0, 0.15))
    edge = made.many(_ring(Form(-0.75, rng.uniform(-0.5, 0.3)), np.linspace(-1.5, 1.5, 21)))
    far = made.axes[0, :2] * 4
    above = np.concatenate(
        [edge, (edge[-1] + far)[None], [[3000, -3000], [-3000, -3000]], (edge[0] - far)[None]]
    )
    lay(made, cover(above, rng.uniform(1, 4)), np.clip(wall, 0, 1).astype(np.float32))


def _finish(made: Scene, rng: np.random.Generator, kind: str, dome: Dome, low: float, cloth: Floats) -> None:
    """Brims, bands, bobbles, badges, straps."""
    lit = np.float32(made.level)
    if kind in {"cap", "visor"} or (kind == "helmet" and rng.random() < 0.3):
        _brim(made, rng, dome, rng.uniform(0.35, 0.95), rng.uniform(-0.35, 0.4), 0.75, cloth)
    if kind == "hat":
        _brim(made, rng, dome, rng.uniform(0.25, 0.8), rng.uniform(-0.15, 0.35), 1.62, cloth)
    if kind in {"hat", "beanie", "cap backwards", "bandana"} and rng.random() < 0.7:
        wide = rng.uniform(0.1, 0.5) * made.unit
        band = stroke(dome.edge - made.axes[1, :2] * 0.1, wide, 0.8) * dome.mask
        tint = texture.colour(rng) if rng.random() < 0.5 else cloth * np.float32(rng.uniform(0.6, 1.3))
        lay(
            made,
            np.asarray(band, np.float32),
            np.asarray(tint, np.float32),
            lit * np.float32(rng.uniform(0.7, 1.1)),
        )
    if kind == "beanie" and rng.random() < 0.3:
        at, size = made.at(0, -1.9, -0.7), 0.35 * made.unit
        ball = cover(
            np.array([at + size * np.array([np.cos(t), np.sin(t)]) for t in np.linspace(0, 6, 11)]), 2
        )
        lay(made, ball, texture.colour(rng), shading(made, ball, 1) * lit)
    if kind in {"cap", "helmet", "beanie", "visor", "hat"} and rng.random() < 0.55:
        at = made.at(rng.normal(0, 0.15), low - rng.uniform(0.2, 0.5), 0.4)
        size = rng.uniform(0.1, 0.32) * made.unit
        corners = at + size * np.array([[-1.2, -0.8], [1.2, -0.8], [1.0, 0.8], [-1.0, 0.8]])
        badge = cover(rounded(corners, 2)) * dome.mask
        if rng.random() < 0.6:
            badge = badge * (texture.relief(rng, 5, 5) > rng.uniform(-0.6, 0.6)).astype(np.float32)
        lay(made, np.asarray(badge, np.float32), texture.colour(rng), lit)
    if kind == "helmet" and rng.random() < 0.6:
        for ear in (-1.0, 1.0):
            line = made.many([(ear * 1.2, -0.3, -0.3), (ear * 0.95, 1.2, 0.0), (0, 1.98, 0.0)])
            lay(made, stroke(line, rng.uniform(1, 4)), texture.colour(rng), lit)


def _brim(
    made: Scene,
    rng: np.random.Generator,
    dome: Dome,
    reach: float,
    droop: float,
    around: float,
    cloth: Floats,
) -> None:
    """What stands out over the forehead (`around` radians to each side), and the shadow under it."""
    angles = np.linspace(-around, around, 25)
    inner = dome.edge[np.clip(np.round((angles + _FRONT) / (2 * _FRONT) * 24).astype(int), 0, 24)]
    share = np.cos(angles / around * np.pi / 2) ** 0.6 if around < 1.2 else np.ones_like(angles)
    forward = (
        np.stack([np.sin(angles), np.full_like(angles, droop), np.cos(angles)], 1) * (reach * share)[:, None]
    )
    outer = inner + (forward @ made.axes)[:, :2]
    brim = cover(np.concatenate([inner, outer[::-1]]), 0.8)
    under = cover(np.concatenate([inner, (outer + made.axes[1, :2] * rng.uniform(0.05, 0.5))[::-1]]), 2.5)
    if rng.random() < 0.7:
        made.picture *= (1 - np.float32(rng.uniform(0.15, 0.7)) * under)[..., None]
    tint = texture.cloth(rng) if rng.random() < 0.3 else cloth
    light = np.float32(made.level * rng.uniform(0.45, 1.1)) * (0.7 + 0.3 * shading(made, brim, 0.6))
    lay(made, brim, tint, np.asarray(light, np.float32))


def _wrapped(made: Scene, rng: np.random.Generator, print_: Floats | None, *, hood: bool) -> None:
    """Cloth around the whole head that leaves the face free: a hijab, a shawl, a hood."""
    cloth = texture.cloth(rng, None, print_)
    grow = rng.uniform(1.2, 1.55) if hood else rng.uniform(1.05, 1.3)
    angles = np.linspace(np.pi, 2 * np.pi, 21)
    crown = [made.at(1.32 * grow * np.cos(t), -0.3 + 1.55 * grow * np.sin(t), -0.7) for t in angles]
    wide, low = rng.uniform(1.3, 2.4), 2.8
    drape = [
        made.at(1.34 * grow, 0.9, -0.6),
        made.at(wide, low, -0.3),
        made.at(-wide, low, -0.3),
        made.at(-1.34 * grow, 0.9, -0.6),
    ]
    outer = cover(rounded(np.array([*crown, *drape]), 2), 0.9)
    face = np.stack([made.vertex(v) for v in OVAL])
    middle = face.mean(0)
    opening = middle + (face - middle) * np.array([rng.uniform(0.84, 1.02), rng.uniform(0.86, 1.0)])
    if hood:  # loose: hair and neck may show
        opening = middle + (face - middle) * np.array([rng.uniform(1.0, 1.25), rng.uniform(0.95, 1.12)])
    opening[np.argmax(opening[:, 1])] += made.axes[1, :2] * rng.uniform(-0.1, 0.1)
    lift = made.axes[1, :2] * rng.uniform(-0.25, 0.1)
    if rng.random() < 0.4:  # worn far back: hair shows over the forehead and beside the face
        opening = middle + (face - middle) * np.array([rng.uniform(1.0, 1.3), rng.uniform(0.98, 1.1)])
        lift = made.axes[1, :2] * rng.uniform(-0.75, -0.15)
    upper = opening[:, 1] < middle[1]
    opening[upper] += lift
    free = cover(rounded(opening, 1), rng.uniform(0.7, 1.4))
    if (hood and rng.random() < 0.8) or rng.random() < 0.3:  # open in front: neck and clothes show
        gap = made.axes[0, :2] * rng.uniform(0.3, 0.9)
        chin = made.vertex(152)
        front = np.array(
            [
                chin - gap * 0.6 - made.axes[1, :2] * 0.4,
                chin + gap * 0.6 - made.axes[1, :2] * 0.4,
                chin + gap * 1.2 + 3 * made.axes[1, :2],
                chin - gap * 1.2 + 3 * made.axes[1, :2],
            ]
        )
        free = np.maximum(free, cover(front, 1.2))
    mask = np.asarray(outer * (1 - free), np.float32)
    shadow(made, mask, rng, 0.1, 0.6)
    light = shading(made, outer, rng.uniform(0.2, 0.8)) * np.float32(made.level)
    spokes = _spokes(made, rng)
    light = light * (1 + spokes * np.float32(rng.uniform(0, 0.3)))
    if hood:  # the inside lies in the dark
        inside = cv2.GaussianBlur(free, (0, 0), rng.uniform(3, 9))
        light = light * (1 - np.float32(rng.uniform(0.3, 0.9)) * np.clip(inside * 1.5, 0, 1))
    lay(made, mask, cloth, np.asarray(light, np.float32))
    if not hood and rng.random() < 0.3:  # an under-scarf of another colour
        edge = np.concatenate([opening, opening[:1]])
        band = stroke(edge, rng.uniform(0.04, 0.2) * made.unit, 0.9) * mask
        lay(made, np.asarray(band, np.float32), texture.colour(rng), np.float32(made.level))


def _spokes(made: Scene, rng: np.random.Generator) -> Floats:
    """Folds that run around the face and away from the chin, about -1 to 1."""
    down, across = np.mgrid[: SIZE[1], : SIZE[0]].astype(np.float32)
    x, y = made.at(rng.normal(0, 0.3), rng.uniform(0.8, 1.8))
    angle = np.arctan2(down - np.float32(y), across - np.float32(x))
    far = np.hypot(down - np.float32(y), across - np.float32(x)) / np.float32(made.unit)
    bend = texture.relief(rng, 50, 50)
    rings = np.sin(far * rng.uniform(2, 8) + bend)
    return np.asarray(0.5 * np.sin(angle * rng.integers(5, 18) + 1.5 * bend) + 0.5 * rings, np.float32)


def _curtains(made: Scene, rng: np.random.Generator, side: float) -> Floats:
    """Long hair beside the face."""
    mask = np.zeros((SIZE[1], SIZE[0]), np.float32)
    end = rng.uniform(side, 3.0)
    for sign in (-1.0, 1.0):
        inner = rng.uniform(0.95, 1.2)
        corners = made.many(
            [
                (sign * inner, -0.7, 0.1),
                (sign * 1.5, -0.5, -0.7),
                (sign * rng.uniform(1.3, 2), end, -0.5),
                (sign * rng.uniform(0.7, 1.2), end, 0.0),
                (sign * inner, 0.5, 0.0),
            ]
        )
        mask = np.maximum(mask, cover(rounded(corners, 2), rng.uniform(0.8, 2)))
    return mask
