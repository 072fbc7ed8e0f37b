"""Where the lines of a zone lie in an image of a page: from the finder's heat to strips.

The finder marks cells that belong to a line of a zone, in whatever direction. Here marked cells are put
together into straight lines, and parallel lines of like length into zones. Which way up a zone is, is for
the line reader to say.
"""

from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import cv2
import numpy as np
import numpy.typing as npt

from models.mrz.cutting import Strip

Floats = npt.NDArray[np.float32]

CELL = 2  # pixels of the finder's input in one cell of its heat
WARM = 0.5  # heat of a cell that counts
MIN_CELLS = 12  # of a piece of a line
MIN_SLENDER = 3.0  # length of a piece, in its thickness
SINGLE_SLENDER = 22.0  # less than this may be lines that have grown together
VALLEY = 0.75  # of the lower neighbouring ridge: what parts two lines
MAX_PIECES = 60
BAND = 0.9  # heat is this share of the capitals' height
MAX_TILT = 0.12  # radians between the lines of one zone
MAX_ZONES = 3


@dataclass(frozen=True, slots=True)
class Found:
    """Strips of one zone, in the image's pixels, ordered across their direction; `heat` is their strength."""

    strips: tuple[Strip, ...]
    heat: float


@dataclass(frozen=True, slots=True)
class _Piece:
    """A straight piece of a line in cells: middle, unit direction, half length, thickness, heat."""

    x: float
    y: float
    dx: float
    dy: float
    half: float
    thick: float
    heat: float

    def across(self, other: "_Piece") -> float:
        """How far beside this one's axis the other's middle lies."""
        return (other.x - self.x) * -self.dy + (other.y - self.y) * self.dx

    def along(self, other: "_Piece") -> float:
        """How far along this one's axis the other's middle lies."""
        return (other.x - self.x) * self.dx + (other.y - self.y) * self.dy

    def tilt(self, other: "_Piece") -> float:
        """The angle between both, in radians."""
        return abs(float(np.arcsin(np.clip(self.dx * other.dy - self.dy * other.dx, -1, 1))))


def heat_of(logits: Floats) -> Floats:
    """The finder's output, 1 x n x n x 4, as one map of 2n x 2n probabilities."""
    _, rows, columns, _ = logits.shape
    cells = logits[0].reshape(rows, columns, 2, 2).transpose(0, 2, 1, 3).reshape(2 * rows, 2 * columns)
    probabilities: Floats = 1 / (1 + np.exp(-np.clip(cells, -30, 30)))
    return probabilities


def zones(heat: Floats, factor: float) -> list[Found]:
    """The likeliest zones, best first; `factor` is that of `looking.looked_at`."""
    lines = _joined(_pieces(heat))
    found: list[Found] = []
    while lines and len(found) < MAX_ZONES:
        seed = max(lines, key=lambda piece: piece.heat)
        members = _neighbours(seed, lines)
        lines = [line for line in lines if line not in members]
        strips = tuple(_strip(line, seed, factor) for line in members)
        found.append(Found(strips, sum(line.heat for line in members)))
    return sorted(found, key=lambda zone: -zone.heat)


def _pieces(heat: Floats) -> list[_Piece]:
    """Connected warm cells that are long and thin."""
    warm = (heat > WARM).astype(np.uint8)
    count, labels, stats, _ = cv2.connectedComponentsWithStats(warm, connectivity=8)
    order: Any = np.argsort(-stats[1:, cv2.CC_STAT_AREA])[:MAX_PIECES] + 1 if count > 1 else []
    pieces = []
    for label in order:
        left, top, width, height, area = stats[label]
        if area < MIN_CELLS:
            break
        window = np.s_[top : top + height, left : left + width]
        rows, columns = np.nonzero(labels[window] == label)
        weight = heat[window][rows, columns]
        pieces += _split(columns + left, rows + top, weight)
    return pieces


def _split(x: Any, y: Any, weight: Any) -> list[_Piece]:
    """One piece; or several, where neighbouring lines have grown together."""
    whole = _fitted(x, y, weight)
    if whole.half * 2 < MIN_SLENDER * whole.thick:
        return []
    if whole.half * 2 > SINGLE_SLENDER * whole.thick:
        return [whole]
    best: tuple[float, Any, Any] | None = None
    for tilt in np.linspace(-MAX_TILT, MAX_TILT, 13):
        cos, sin = np.cos(tilt), np.sin(tilt)
        dx, dy = whole.dx * cos - whole.dy * sin, whole.dx * sin + whole.dy * cos
        across = (y - whole.y) * dx - (x - whole.x) * dy
        at = np.round(across - across.min()).astype(int)
        profile = np.bincount(at, weight)
        contrast = float(np.square(np.diff(profile)).sum())
        if best is None or contrast > best[0]:
            best = contrast, at, profile
    if best is None:
        return []
    _, rows, profile = best
    valleys = [
        row
        for row in range(1, len(profile) - 1)
        if profile[row] <= profile[row - 1]
        and profile[row] < profile[row + 1]
        and profile[row] < VALLEY * min(profile[:row].max(), profile[row + 1 :].max())
    ]
    edges = [-1, *valleys, len(profile)]
    parts = [(rows > low) & (rows <= high) for low, high in pairwise(edges)]
    pieces = [_fitted(x[part], y[part], weight[part]) for part in parts if part.sum() >= MIN_CELLS]
    return [piece for piece in pieces if piece.half * 2 >= MIN_SLENDER * piece.thick]


def _fitted(x: Any, y: Any, weight: Any) -> _Piece:
    """The axis of some cells."""
    total = float(weight.sum())
    middle = np.array([(x * weight).sum(), (y * weight).sum()]) / total
    offsets = np.stack((x, y), 1) - middle
    spread = (offsets * weight[:, None]).T @ offsets / total
    values, vectors = np.linalg.eigh(spread)
    dx, dy = vectors[:, 1]
    along = offsets @ vectors[:, 1]
    low, high = float(along.min()) - 0.5, float(along.max()) + 0.5
    half = (high - low) / 2
    thick = float(np.sqrt(12 * max(float(values[0]), 0.01)))
    shift = (high + low) / 2
    return _Piece(middle[0] + shift * dx, middle[1] + shift * dy, float(dx), float(dy), half, thick, total)


def _joined(pieces: list[_Piece]) -> list[_Piece]:
    """Pieces that continue each other become one: glare and stamps interrupt lines."""
    pieces = sorted(pieces, key=lambda piece: -piece.heat)
    lines: list[_Piece] = []
    while pieces:
        line = pieces.pop(0)
        for other in list(pieces):
            gap = abs(line.along(other)) - line.half - other.half
            aside = abs(line.across(other))
            if aside < 0.6 * line.thick and line.tilt(other) < 2.5 * MAX_TILT and gap < 6 * line.thick:
                line = _sum(line, other)
                pieces.remove(other)
        lines.append(line)
    return [line for line in lines if line.half * 2 > 8 * line.thick]


def _sum(line: _Piece, other: _Piece) -> _Piece:
    """One line through both, from the outer end of one to that of the other."""
    ends = []
    for piece in (line, other):
        reach = piece.half * piece.dx, piece.half * piece.dy
        ends += [(piece.x - reach[0], piece.y - reach[1]), (piece.x + reach[0], piece.y + reach[1])]
    along = [(x - line.x) * line.dx + (y - line.y) * line.dy for x, y in ends]
    (ax, ay), (bx, by) = ends[int(np.argmin(along))], ends[int(np.argmax(along))]
    length = float(np.hypot(bx - ax, by - ay))
    heat = line.heat + other.heat
    thick = (line.thick * line.heat + other.thick * other.heat) / heat
    return _Piece(
        (ax + bx) / 2, (ay + by) / 2, (bx - ax) / length, (by - ay) / length, length / 2, thick, heat
    )


def _neighbours(seed: _Piece, lines: list[_Piece]) -> list[_Piece]:
    """Up to three lines, the seed among them, that lie under each other like a zone's."""
    beside = [
        line
        for line in lines
        if seed.tilt(line) < MAX_TILT
        and abs(seed.along(line)) < 0.35 * seed.half
        and 0.6 < line.half / seed.half < 1.7
        and abs(seed.across(line)) < 7 * seed.thick
    ]
    beside.sort(key=seed.across)
    place = beside.index(seed)
    members = [seed]
    for way in (-1, 1):  # outwards from the seed while the steps stay those of lines
        at = place
        while 0 <= at + way < len(beside) and len(members) < 3:
            step = abs(seed.across(beside[at + way]) - seed.across(beside[at]))
            if step > 3.6 * seed.thick:
                break
            at += way
            members.append(beside[at])
    return sorted(members, key=seed.across)


def _strip(line: _Piece, seed: _Piece, factor: float) -> Strip:
    """From cells to the image's pixels, in the seed's direction."""
    sign = 1.0 if line.dx * seed.dx + line.dy * seed.dy >= 0 else -1.0
    x, y, reach = line.x + 0.5, line.y + 0.5, sign * line.half
    ends = [
        ((x + k * reach * line.dx) * CELL / factor, (y + k * reach * line.dy) * CELL / factor)
        for k in (-1, 1)
    ]
    return Strip(ends[0], ends[1], line.thick / BAND * CELL / factor)
