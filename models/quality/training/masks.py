"""Over mouth and nose: masks worn well and badly, and what is none (on the chin, a hand, a beard)."""

from typing import Any

import cv2
import numpy as np
import numpy.typing as npt

from models.quality.training import texture
from models.quality.training.scene import Scene, cover, lay, rounded, shading, shadow, stroke

Floats = npt.NDArray[np.float32]
Points = npt.NDArray[np.float64]

_BRIDGE = (6, 197, 195, 5, 4)  # down the nose
_LIPS = (61, 185, 40, 39, 37, 0, 267, 269, 270, 409, 291, 375, 321, 405, 314, 17, 84, 181, 91, 146)
_JAW = (234, 93, 132, 58, 172, 136, 150, 149, 176, 148, 152, 377, 400, 378, 379, 365, 397, 288, 361, 323, 454)


def wear(made: Scene, rng: np.random.Generator, print_: Floats | None) -> str:
    """Put a mask over the mouth, mostly over the nose too; return its kind."""
    kind = str(rng.choice(["surgical", "cup", "cloth", "scarf"], p=[0.38, 0.24, 0.26, 0.12]))
    low = rng.random() < 0.16  # the nose is free, the mouth is not
    outline, marks = _outline(made, rng, kind, low=low)
    outline = _ill_fitting(outline, marks, rng)
    mask = cover(outline, rng.uniform(0.5, 1.3))
    colour = _colour(kind, rng)
    field = texture.cloth(rng, colour, print_) if kind in {"cloth", "scarf"} else _paper(rng, colour)
    _straps(made, rng, marks, kind)
    shadow(made, mask, rng, 0.07, 0.6)
    light = shading(made, mask, rng.uniform(0.3, 1.4)) * _under(made, mask, rng) * np.float32(made.level)
    light = light * _folds(made, rng, kind, marks)
    lay(made, mask, field, light)
    _trimmings(made, rng, kind, marks, mask)
    return f"{kind} below the nose" if low else kind


def on_chin(made: Scene, rng: np.random.Generator, print_: Floats | None) -> None:
    """A mask pulled down: it hides the chin at most, and the neck."""
    top = made.vertex(200) * 0.5 + made.vertex(152) * 0.5 if rng.random() < 0.6 else made.vertex(152)
    drop = made.axes[1, :2]
    right, left = made.vertex(172), made.vertex(397)
    right, left = right + drop * rng.uniform(-0.15, 0.25), left + drop * rng.uniform(-0.15, 0.25)
    deep = rng.uniform(0.35, 0.9)
    corners = [
        top,
        made.vertex(379) * 0.6 + top * 0.4,
        left,
        left + drop * deep * 0.6,
        made.vertex(152) + drop * deep,
        right + drop * deep * 0.6,
        right,
        made.vertex(150) * 0.6 + top * 0.4,
    ]
    mask = cover(rounded(np.array(corners)), rng.uniform(0.5, 1.2))
    kind = str(rng.choice(["surgical", "cup", "cloth"]))
    colour = _colour(kind, rng)
    field = texture.cloth(rng, colour, print_) if kind == "cloth" else _paper(rng, colour)
    shadow(made, mask, rng, 0.06, 0.5)
    lay(made, mask, field, shading(made, mask, rng.uniform(0.3, 1.2)) * np.float32(made.level))


def scarf_on_neck(made: Scene, rng: np.random.Generator, print_: Floats | None) -> None:
    """Cloth from below the chin to the border of the picture."""
    drop, side = made.axes[1, :2], made.axes[0, :2]
    chin = made.vertex(152) + drop * rng.uniform(0.02, 0.3)
    corners = [
        made.vertex(172) + drop * rng.uniform(0.0, 0.4) - 0.3 * side,
        chin,
        made.vertex(397) + drop * rng.uniform(0.0, 0.4) + 0.3 * side,
        chin + 2.2 * side + 2 * drop,
        chin - 2.2 * side + 2 * drop,
    ]
    mask = cover(rounded(np.array(corners), 2), rng.uniform(0.6, 1.5))
    shadow(made, mask, rng, 0.08, 0.4)
    light = shading(made, mask, rng.uniform(0.2, 0.8)) * np.float32(made.level)
    lay(made, mask, texture.cloth(rng, None, print_), light)


def hand(made: Scene, rng: np.random.Generator) -> None:
    """Fingers before the mouth, of the colour of the cheeks."""
    unit = made.unit
    mouth = made.vertex(13) + rng.normal(0, 0.18, 2) * unit
    angle = rng.uniform(-np.pi, np.pi)
    along = np.array([np.cos(angle), np.sin(angle)])
    aside = np.array([-along[1], along[0]])
    fingers = int(rng.integers(1, 5))
    wide = rng.uniform(0.26, 0.36) * unit
    tone = made.skin * np.float32(rng.uniform(0.8, 1.25))
    palm = rng.random() < 0.6
    for number in range(fingers):
        tip = mouth + aside * wide * (number - (fingers - 1) / 2) * rng.uniform(0.9, 1.1)
        tip = tip - along * unit * rng.uniform(0.0, 0.35)
        end = tip + along * unit * (rng.uniform(0.8, 1.2) if palm else 3) + aside * rng.normal(0, 0.1) * unit
        mask = stroke(np.stack([tip, (tip + end) / 2, end]), wide, rng.uniform(0.6, 1.2))
        shadow(made, mask, rng, 0.05, 0.7)
        lay(made, mask, tone, shading(made, mask, rng.uniform(0.6, 1.2)))
    if palm:
        centre = mouth + along * unit * 1.3
        corners = [
            centre + unit * (np.cos(t) * along * 0.8 + np.sin(t) * aside * 0.6 * fingers / 2.5)
            for t in np.linspace(0, 2 * np.pi, 9)[:-1]
        ]
        mask = cover(rounded(np.array(corners)))
        lay(made, mask, tone, shading(made, mask, 0.6))


def thing(made: Scene, rng: np.random.Generator) -> None:
    """A microphone, a ball or a cup near the mouth, which stays mostly free."""
    unit = made.unit
    at = made.vertex(152) + np.array([rng.uniform(-0.9, 0.9), rng.uniform(-0.35, 0.5)]) * unit
    size = rng.uniform(0.2, 0.45) * unit
    angles = np.linspace(0, 2 * np.pi, 13)[:-1]
    ball = np.stack([at + size * np.array([np.cos(t), np.sin(t) * rng.uniform(0.9, 1.1)]) for t in angles])
    mask = np.maximum(
        cover(ball), stroke(np.stack([at, at + unit * np.array([rng.normal(0, 0.8), 3])]), 0.9 * size)
    )
    lay(made, mask, texture.colour(rng), shading(made, mask, rng.uniform(0.5, 1.5)) * np.float32(made.level))


def beard(made: Scene, rng: np.random.Generator) -> None:
    """Hair on jaw and lip; the lips stay free."""
    drop = made.axes[1, :2]
    jaw = np.stack([made.vertex(v) for v in _JAW])
    chin = made.vertex(152) + drop * rng.uniform(0, 0.6)
    low = jaw + (chin - made.vertex(152)) * np.exp(-(((np.arange(len(jaw)) - 10) / 5.0) ** 2))[:, None]
    high = rng.uniform(0.25, 0.6)  # how far up the cheeks
    inner = [
        made.vertex(a) * (1 - high) + made.vertex(b) * high
        for a, b in ((361, 280), (434, 425), (410, 425), (164, 2), (186, 205), (214, 205), (132, 50))
    ]
    start, end = (3, -3) if rng.random() < 0.5 else (1, -1)
    mask = cover(np.concatenate([low[start:end], np.stack(inner)]), rng.uniform(1.5, 4))
    mask = mask * (1 - cover(np.stack([made.vertex(v) for v in _LIPS]), 1.2))
    if rng.random() < 0.3:  # no moustache
        mask = mask * (1 - cover(np.stack([made.vertex(v) for v in (186, 2, 410, 291, 0, 61)]), 2))
    strands = np.clip(rng.uniform(0.7, 1.2) + 0.25 * texture.relief(rng, 4, 1.5, 0.0), 0, 1)
    lay(made, np.asarray(mask * strands, np.float32), texture.hair(rng, 0.0), np.float32(made.level))


def _outline(
    made: Scene, rng: np.random.Generator, kind: str, *, low: bool
) -> tuple[Points, dict[str, Points]]:
    """The mask's outline, and named places on it."""
    bulge = {"surgical": 0.08, "cup": rng.uniform(0.12, 0.4), "cloth": 0.1, "scarf": 0.05}[kind]
    if low:
        top = made.vertex(2, bulge) * (1 - (t := rng.uniform(0, 0.7))) + made.vertex(164, bulge) * t
        cheeks = [made.vertex(r) * 0.5 + made.vertex(s) * 0.5 for r, s in ((205, 206), (425, 426))]
    else:
        where = rng.uniform(0, 3.6)
        first, share = int(where), where % 1
        a, b = made.vertex(_BRIDGE[first], bulge / 2), made.vertex(_BRIDGE[first + 1], bulge / 2)
        top = a * (1 - share) + b * share
        height = float(np.clip(where / 4 + rng.normal(0, 0.15), 0, 1))
        cheeks = [
            made.vertex(r) * (1 - height) + made.vertex(s) * height for r, s in ((117, 205), (346, 425))
        ]
    inset = rng.uniform(0.0, 0.22) if kind != "scarf" else -0.04
    nose = made.vertex(4)
    sag = rng.uniform(0, 0.7)
    sides = []
    for upper, lower in ((93, 132), (323, 361)):
        sides.append((made.vertex(upper) * (1 - sag) + made.vertex(lower) * sag) * (1 - inset) + nose * inset)
    deep = made.axes[1, :2] * rng.uniform(-0.08, 0.2)
    bottoms = [made.vertex(v) * (1 - inset * 0.8) + made.vertex(13) * inset * 0.8 for v in (172, 397)]
    jaws = [made.vertex(v) + deep for v in (149, 378)]
    chin = made.vertex(152, bulge / 3) + deep
    front = made.vertex(0, bulge)  # the foremost part: seen beyond the face when it is turned
    marks = {
        "top": top,
        "right": sides[0],
        "left": sides[1],
        "right_low": bottoms[0],
        "left_low": bottoms[1],
        "chin": chin,
        "front": front,
    }
    if kind == "scarf":
        down = made.axes[1, :2]
        wide = made.axes[0, :2] * rng.uniform(0.0, 0.9)
        bottoms = [made.vertex(172), made.vertex(397)]
        end = rng.uniform(0.5, 2.2)
        jaws = [bottoms[0] + down * end - wide, bottoms[1] + down * end + wide]
        chin = made.vertex(152) + down * rng.uniform(0.3, 2.0)
    corners = [top, cheeks[1], sides[1], bottoms[1], jaws[1], chin, jaws[0], bottoms[0], sides[0], cheeks[0]]
    line = rounded(np.array(corners), 3)
    if kind == "cup":  # what juts out is part of the outline
        line = np.asarray(cv2.convexHull(np.vstack([line, front]).astype(np.float32))[:, 0], np.float64)
    return line, marks


def _ill_fitting(outline: Points, marks: dict[str, Points], rng: np.random.Generator) -> Points:
    """Askew, pulled or shifted, one in three."""
    wobble = rng.normal(0, 0.6, outline.shape)
    outline = outline + np.stack([np.convolve(w, np.ones(9) / 9, "same") for w in wobble.T], 1)
    if rng.random() > 0.35:
        return outline
    centre = outline.mean(0)
    angle, zoom = rng.normal(0, 0.08), rng.normal(1, 0.05, 2)
    turn = np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]]) * zoom
    shift = rng.normal(0, 2.5, 2)
    for name, place in marks.items():
        marks[name] = (place - centre) @ turn.T + centre + shift
    moved: Points = (outline - centre) @ turn.T + centre + shift
    return moved


def _colour(kind: str, rng: np.random.Generator) -> Floats:
    if kind in {"cloth", "scarf"} or rng.random() < 0.15:
        return texture.colour(rng)
    usual = [
        (0.86, 0.74, 0.45),
        (0.93, 0.85, 0.7),
        (0.92, 0.92, 0.92),
        (0.97, 0.97, 0.97),
        (0.04, 0.04, 0.04),
        (0.72, 0.8, 0.55),
        (0.75, 0.68, 0.9),
        (0.45, 0.4, 0.38),
    ]
    weights = [0.26, 0.1, 0.12, 0.2, 0.16, 0.05, 0.05, 0.06]
    if kind == "cup":
        weights = [0.04, 0.04, 0.2, 0.42, 0.2, 0.02, 0.04, 0.04]
    chosen = np.array(usual[int(rng.choice(len(usual), p=weights))])
    return np.asarray(np.clip(chosen + rng.normal(0, 0.05, 3), 0.01, 1), np.float32)


def _paper(rng: np.random.Generator, colour: Floats) -> Floats:
    """Non-woven fabric: plain, a little uneven; now and then printed all over."""
    grain = 1 + texture.relief(rng, 6, 20) * np.float32(rng.uniform(0, 0.05))
    field = colour * grain[..., None]
    if rng.random() < 0.1:
        field = texture.cloth(rng, colour)
    return np.asarray(field, np.float32)


def _under(made: Scene, mask: Floats, rng: np.random.Generator) -> Floats:
    """The light that fell on the face below falls on the mask too."""
    if made.flat:
        return np.ones(mask.shape, np.float32)
    grey = cv2.GaussianBlur(made.picture.mean(2), (0, 0), 0.22 * made.unit)
    middle = float((grey * mask).sum() / max(float(mask.sum()), 1.0))
    share = np.clip(grey / max(middle, 0.02), 0.4, 1.8)
    return np.asarray(share ** np.float32(rng.uniform(0, 0.9)), np.float32)


def _folds(made: Scene, rng: np.random.Generator, kind: str, marks: dict[str, Points]) -> Floats:
    """Pleats of a surgical mask, the seam of a cup."""
    light = np.ones(made.picture.shape[:2], np.float32)
    if made.flat:
        return light
    if kind == "surgical":
        for share in np.linspace(0.25, 0.75, int(rng.integers(2, 5))) + rng.normal(0, 0.03):
            ends = [marks[s] * (1 - share) + marks[f"{s}_low"] * share for s in ("right", "left")]
            middle = marks["top"] * (1 - share) + marks["chin"] * share
            line = _curve(ends[0], middle, ends[1])
            light -= stroke(line, 1.5, 0.8) * np.float32(rng.uniform(0, 0.35))
            light += stroke(line + np.array([0, 2]), 1.5, 0.8) * np.float32(rng.uniform(0, 0.15))
    elif kind == "cup" and rng.random() < 0.75:
        line = _curve(marks["top"], marks["front"], marks["chin"])
        light -= stroke(line, rng.uniform(1, 2.5), 0.8) * np.float32(rng.uniform(-0.2, 0.4))
        if rng.random() < 0.5:
            across = _curve(marks["right"], marks["front"], marks["left"])
            light -= stroke(across, 1.5, 0.8) * np.float32(rng.uniform(-0.1, 0.3))
    elif kind == "cloth" and rng.random() < 0.4:
        light -= stroke(_curve(marks["top"], marks["front"], marks["chin"]), 1.2, 0.7) * np.float32(0.25)
    if rng.random() < 0.6:
        light += texture.relief(rng, rng.uniform(4, 14), rng.uniform(10, 50)) * np.float32(
            rng.uniform(0, 0.12)
        )
    return np.asarray(np.clip(light, 0.2, 1.6), np.float32)


def _curve(start: Points, through: Points, end: Points) -> Points:
    """A parabola from start to end, bent towards the point in the middle."""
    t = np.linspace(0, 1, 15)[:, None]
    control = 2 * through - (start + end) / 2
    curve: Points = (1 - t) ** 2 * start + 2 * t * (1 - t) * control + t**2 * end
    return curve


def _straps(made: Scene, rng: np.random.Generator, marks: dict[str, Points], kind: str) -> None:
    """Loops to the ears, or bands around the head."""
    if kind == "scarf" or rng.random() < 0.12:
        return
    tint = texture.colour(rng) if rng.random() < 0.35 else np.full(3, 0.92, np.float32)
    around = rng.random() < 0.2
    for side, sign, ear in (("right", -1, 234), ("left", 1, 454)):
        if rng.random() < 0.08:
            continue
        target = made.at(sign * 1.3, -0.6, -0.8) if around else made.vertex(ear, -0.15)
        for name, lift in ((side, -0.1), (f"{side}_low", 0.15)):
            end = target + made.axes[1, :2] * lift
            mask = stroke(np.stack([marks[name], end]), rng.uniform(0.8, 2.2), 0.6)
            lay(made, mask, tint, np.float32(made.level * rng.uniform(0.6, 1)))


def _trimmings(
    made: Scene, rng: np.random.Generator, kind: str, marks: dict[str, Points], mask: Floats
) -> None:
    """A rim, the wire over the nose, a valve, a mark."""
    if rng.random() < 0.4:
        kernel = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (5, 5))
        rim: Any = mask - cv2.erode(mask, kernel)
        tint = texture.colour(rng) if rng.random() < 0.4 else np.full(3, 0.9, np.float32)
        lay(
            made,
            np.asarray(rim * np.float32(rng.uniform(0.2, 0.8)), np.float32),
            tint,
            np.float32(made.level),
        )
    if kind == "surgical" and rng.random() < 0.5:
        wire = _curve(made.vertex(205), marks["top"] + made.axes[1, :2] * 0.08, made.vertex(425))[4:11]
        share = stroke(wire, 2.5, 0.9) * mask * np.float32(rng.uniform(0.1, 0.5))
        lay(
            made,
            np.asarray(share, np.float32),
            np.full(3, rng.uniform(0.3, 1), np.float32),
            np.float32(made.level),
        )
    if kind == "cup" and rng.random() < 0.3:
        at = marks["front"] + made.unit * np.array([rng.uniform(-0.45, 0.45), rng.uniform(-0.1, 0.3)])
        size = rng.uniform(0.1, 0.2) * made.unit
        ring = [at + size * np.array([np.cos(t), np.sin(t)]) for t in np.linspace(0, 2 * np.pi, 13)[:-1]]
        valve = cover(np.array(ring)) * mask
        lay(
            made,
            np.asarray(valve, np.float32),
            texture.colour(rng),
            shading(made, valve, 1.0) * np.float32(made.level),
        )
    if rng.random() < 0.12:
        at = marks["front"] + made.unit * rng.normal(0, 0.25, 2)
        size = rng.uniform(0.08, 0.3) * made.unit
        print_ = cover(at + size * np.array([[-1.5, -1], [1.5, -1], [1.5, 1], [-1.5, 1]])) * mask
        blots = (texture.relief(rng, 3, 3) > 0.2).astype(np.float32)
        lay(made, np.asarray(print_ * blots, np.float32), texture.colour(rng), np.float32(made.level))
