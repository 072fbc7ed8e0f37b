"""Eyes closed, narrowed or lowered: the skin of the upper lid drawn down over the eye."""

from typing import Any

import cv2
import numpy as np
import numpy.typing as npt

from models.quality.training.scene import SIZE, Scene

Floats = npt.NDArray[np.float32]
Points = npt.NDArray[np.float64]

_PATCH = 64  # pixels; an eye is _EYE of them wide
_EYE = 36.0
_LIDS = (  # upper and lower lid, outer to inner corner
    ((33, 246, 161, 160, 159, 158, 157, 173, 133), (33, 7, 163, 144, 145, 153, 154, 155, 133)),
    ((263, 466, 388, 387, 386, 385, 384, 398, 362), (263, 249, 390, 373, 374, 380, 381, 382, 362)),
)


def draw_down(made: Scene, rng: np.random.Generator, shut: float) -> None:
    """Close both eyes: `shut` 0 leaves them as they are, 1 brings the lids together."""
    style = _Style(rng, shut)
    for lids in _LIDS:
        _one(made, rng, lids, min(1.0, max(0.0, shut + rng.normal(0, 0.02))), style)


class _Style:
    """What both eyes of a person have in common."""

    def __init__(self, rng: np.random.Generator, shut: float) -> None:
        self.line = rng.uniform(0.2, 0.85)  # how dark the lashes are
        self.thick = rng.uniform(0.8, 3.2)
        self.lashes = rng.uniform(0, 6.0) if rng.random() < 0.6 else 0.0
        # where the lids meet between where the upper one and where the lower one was
        self.meet = rng.uniform(0.55, 1.2) if shut > 0.85 else 1.0
        self.brow = rng.uniform(9, 17)  # from where skin is drawn, above the lid
        self.sheen = rng.uniform(-0.1, 0.2)
        self.crease = rng.uniform(0, 0.3)
        self.paint = rng.random() < 0.45  # smooth skin in place of the stretched one


def _one(
    made: Scene, rng: np.random.Generator, lids: tuple[tuple[int, ...], ...], shut: float, style: _Style
) -> None:
    upper, lower = (made.points[list(lid), :2] for lid in lids)
    start, end = (upper[0], upper[-1]) if upper[0, 0] < upper[-1, 0] else (upper[-1], upper[0])
    along = end - start
    width = max(float(np.hypot(*along)), 4.0)
    scale = _EYE / width
    cos, sin = along / width
    turn = np.array([[cos, sin], [-sin, cos]]) * scale
    middle = (start + end) / 2
    matrix = np.column_stack([turn, np.array([_PATCH / 2, _PATCH / 2]) - turn @ middle])
    patch: Any = cv2.warpAffine(made.picture, matrix, (_PATCH, _PATCH), borderMode=cv2.BORDER_REPLICATE)
    columns = np.arange(_PATCH, dtype=np.float64)
    top, bottom = (_curve(line @ turn.T + matrix[:, 2], columns) for line in (upper, lower))
    drawn = _closed(np.asarray(patch, np.float32), top, bottom, shut, style, rng)
    inside = _taper(columns)[None, :] * np.ones((_PATCH, 1), np.float32)
    rows = np.arange(_PATCH)[:, None]
    fade = np.clip((rows - (top - style.brow - 3)[None]) / 6, 0, 1) * np.clip(
        ((bottom + 7)[None] - rows) / 4, 0, 1
    )
    share = np.asarray(inside * fade, np.float32)
    back: Any = cv2.warpAffine(drawn, matrix, SIZE, flags=cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP)
    where: Any = cv2.warpAffine(share, matrix, SIZE, flags=cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP)
    made.picture += where[..., None] * (back - made.picture)


def _curve(line: Points, columns: Points) -> Points:
    order = np.argsort(line[:, 0])
    return np.interp(columns, line[order, 0], line[order, 1])


def _taper(columns: Points) -> Floats:
    """One over the eye, falling to nought beyond its corners."""
    off = np.abs(columns - _PATCH / 2) - _EYE / 2
    return np.asarray(np.clip(1 - (off - 1) / 6, 0, 1), np.float32)


def _closed(
    patch: Floats, top: Points, bottom: Points, shut: float, style: _Style, rng: np.random.Generator
) -> Floats:
    """The patch with the upper lid moved down; the skin above it is stretched."""
    rows = np.arange(_PATCH, dtype=np.float64)[:, None]
    open_ = np.maximum(bottom - top, 0.5)
    goal = top + open_ * style.meet
    edge = (top + shut * (goal - top) + (0.8 if shut > 0.85 else 0.0))[None]
    brow = (top - style.brow)[None]
    lid = (top - rng.uniform(0.5, 2.5))[None]  # the skin ends before the lashes
    above = brow + (rows - brow) * (lid - brow) / np.maximum(edge - brow, 1)
    below = rows
    if shut > 0.85:  # the lower lid rises to meet the upper
        below = np.maximum(bottom[None] + 1.2 + 0.9 * (rows - edge), rows)
    source = np.where(rows <= brow, rows, np.where(rows < edge, above, below)).astype(np.float32)
    across = np.broadcast_to(np.arange(_PATCH, dtype=np.float32)[None], source.shape)
    moved: Any = cv2.remap(patch, np.ascontiguousarray(across), source, cv2.INTER_LINEAR)
    out = np.asarray(moved, np.float32)
    if shut < 0.15:
        return out
    on_lid = np.clip(rows - brow - 5, 0, 3) / 3 * np.clip(edge - rows, 0, 1.5) / 1.5
    if style.paint and shut > 0.5:  # the colour just above the eye, without the texture of lashes
        at = np.clip(np.round(top - 5).astype(int), 0, _PATCH - 1)
        skin = cv2.GaussianBlur(patch[at, np.arange(_PATCH)][None], (0, 0), 4)[0]
        soft = np.float32(rng.uniform(0.5, 1.0)) * on_lid[..., None].astype(np.float32)
        out = out * (1 - soft) + skin[None] * soft
    depth = np.clip((rows - brow) / np.maximum(edge - brow, 1), 0, 1)
    bulge = 1 + style.sheen * np.sin(np.pi * depth) * on_lid
    crease = 1 - style.crease * np.exp(-(((depth - 0.45) / 0.06) ** 2)) * shut
    out = out * (bulge * crease)[..., None].astype(np.float32)
    gap = np.abs(rows - edge)
    strands = 0.6 + 0.4 * np.sin(np.arange(_PATCH) * rng.uniform(1.5, 3) + rng.uniform(0, 6))[None]
    hang = (
        np.where(rows > edge, np.exp(-(rows - edge) / max(style.lashes, 0.1)), 0)
        * (style.lashes > 0)
        * strands
    )
    dark = style.line * np.clip(np.exp(-((gap / style.thick) ** 2)) + 0.7 * hang, 0, 1)
    return np.asarray(out * (1 - dark * min(1.0, shut * 1.3))[..., None], np.float32)


def look_down(made: Scene, rng: np.random.Generator) -> None:
    """Lids half lowered, the eyes still to be seen."""
    draw_down(made, rng, rng.uniform(0.25, 0.5))
