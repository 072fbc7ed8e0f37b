"""Draws the two plots of an evaluation as SVG: the detection error trade-off, and histograms of scores.

The axes of a detection error trade-off (DET, ISO/IEC 19795-1:2021) are normal deviates: scores that are
distributed normally give a straight line. A shaded band is the confidence interval of the rate on the
vertical axis; whiskers at a marked point are those of both. Text is escaped; nothing is loaded from anywhere.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from html import escape
from statistics import NormalDist

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]

WIDTH, HEIGHT = 640, 480
LEFT, RIGHT, TOP, BOTTOM = 72, 20, 40, 56
COLOURS = ("#0b5fa5", "#b8430f", "#3c7a1e", "#7a3f98", "#8a6d00", "#00807a")  # told apart by the colour-blind
DASHES = ("", "7 4", "2 3", "9 3 2 3", "4 2", "1 2")
BINS = 60
NOTHING = ("At no threshold do errors of both kinds occur:", "there is no trade-off to draw.")
LINE = 18  # pixels of a line of the legend
CHARACTER = 6.5  # pixels of a small one, at most on the average
MIN_LABEL = 30.0  # pixels between the labels of the horizontal axis
MAX_LEGEND = 40  # characters of a name in a legend

_TICKS = (1e-5, 1e-4, 1e-3, 0.01, 0.02, 0.05, 0.1, 0.2, 0.4, 0.6, 0.8, 0.9, 0.95, 0.99)
_NORMAL = NormalDist()


@dataclass(frozen=True, kw_only=True)
class Trade:
    """One line of a DET plot: rates in [0, 1], and the ends of the interval of `y` (None: no band)."""

    name: str
    x: Floats
    y: Floats
    y_between: Floats | None = None


@dataclass(frozen=True, kw_only=True)
class Point:
    """A marked place of a DET plot, with the interval of each rate."""

    name: str
    x: float
    y: float
    x_between: tuple[float, float]
    y_between: tuple[float, float]


@dataclass(frozen=True, kw_only=True)
class Sort:
    """The scores of one kind of comparison or presentation."""

    name: str
    scores: Floats


@dataclass(frozen=True, kw_only=True)
class Mark:
    """A threshold in a histogram."""

    name: str
    score: float


def det(
    trades: Sequence[Trade], points: Sequence[Point] = (), *, x_label: str, y_label: str, title: str
) -> str:
    """Return a DET plot as an SVG document. Rates of 0 and 1 lie outside such a plot and end a line.

    A line of one place is drawn as a dot; one of none is told in the legend, and in the plot if none has any.
    """
    names = []
    across, down = _Deviates([t.x for t in trades]), _Deviates([t.y for t in trades])
    body: list[str] = [*_grid_x(across.ticks(), across), *_grid_y(down.ticks(), down)]
    for number, trade in enumerate(trades):
        inside = (trade.x > 0) & (trade.x < 1) & (trade.y > 0) & (trade.y < 1)
        x, y = _x(across.place(trade.x[inside])), _y(down.place(trade.y[inside]))
        colour = COLOURS[number % len(COLOURS)]
        names.append(_shortened(trade.name) + ("" if len(x) else " (no line)"))
        if len(x) == 1:
            body.append(f'<circle cx="{x[0]:.1f}" cy="{y[0]:.1f}" r="3" fill="{colour}"/>')
        if trade.y_between is not None and len(x):
            low, high = (_y(down.place(end[inside])) for end in trade.y_between)
            body.append(
                f'<polygon points="{_path(np.r_[x, x[::-1]], np.r_[low, high[::-1]])}" '
                f'fill="{colour}" fill-opacity="0.15"/>'
            )
        body.append(
            f'<polyline points="{_path(x, y)}" fill="none" stroke="{colour}" stroke-width="2" '
            f'stroke-dasharray="{DASHES[number % len(DASHES)]}"/>'
        )
    for point in points:
        body.extend(_whiskers(point, across, down))
    if all(name.endswith(" (no line)") for name in names):
        middle = (LEFT + WIDTH - RIGHT) / 2, (TOP + HEIGHT - BOTTOM) / 2
        for number, words in enumerate(NOTHING):
            body.append(_text(middle[0], middle[1] + 20 * number, words, anchor="middle"))
    return _document(title, x_label, y_label, body, names)


def histogram(
    sorts: Sequence[Sort], marks: Sequence[Mark] = (), *, x_label: str, y_label: str, title: str
) -> str:
    """Return histograms of scores in [0, 1] as an SVG document: the share of each sort in each bin."""
    shares = [np.histogram(np.clip(s.scores, 0, 1), BINS, (0, 1))[0] / max(1, len(s.scores)) for s in sorts]
    highest = max([float(share.max()) for share in shares if len(share)] or [1.0]) or 1.0
    scale = _Linear(0.0, highest * 1.08)
    straight = _Linear(0.0, 1.0)
    edges = np.linspace(0, 1, BINS + 1)
    ticks = [(value, f"{value:g}") for value in (0.0, 0.2, 0.4, 0.6, 0.8, 1.0)]
    step = _round_step(highest)
    heights = [
        (value, f"{100 * value:g} %") for value in np.arange(0, highest * 1.08, step).round(6).tolist()
    ]
    body = [*_grid_x(ticks, straight), *_grid_y(heights, scale)]
    for number, share in enumerate(shares):
        x = _x(straight.place(np.repeat(edges, 2)))
        y = _y(scale.place(np.concatenate([[0.0], np.repeat(share, 2), [0.0]])))
        colour = COLOURS[number % len(COLOURS)]
        body.append(
            f'<polygon points="{_path(x, y)}" fill="{colour}" fill-opacity="0.25" stroke="{colour}" '
            f'stroke-width="1.5" stroke-dasharray="{DASHES[number % len(DASHES)]}"/>'
        )
    names = []
    for number, mark in enumerate(sorted(marks, key=lambda each: each.score)):
        at = float(_x(straight.place(np.array([np.clip(mark.score, 0, 1)])))[0])
        top = TOP + 14 * (number % 4)
        body.append(
            f'<line x1="{at:.1f}" x2="{at:.1f}" y1="{top + 4}" y2="{HEIGHT - BOTTOM}" stroke="#222" '
            f'stroke-width="1" stroke-dasharray="3 3"/>'
        )
        names.append(_beside(at, top + 12, mark.name, 3))
    body.extend(names)  # upon all lines
    return _document(title, x_label, y_label, body, [_shortened(sort.name) for sort in sorts])


class _Deviates:
    """A scale of normal deviates over the rates that occur, to whole ticks."""

    def __init__(self, rates: Sequence[Floats]) -> None:
        inside = np.concatenate([np.ravel(each) for each in rates] or [np.empty(0)])
        inside = inside[(inside > 0) & (inside < 1)]
        low, high = (float(inside.min()), float(inside.max())) if len(inside) else (0.001, 0.4)
        self.low = max([tick for tick in _TICKS if tick <= low] or [_TICKS[0]])
        self.high = min([tick for tick in _TICKS if tick >= high and tick > self.low] or [_TICKS[-1]])
        self._ends = _NORMAL.inv_cdf(self.low), _NORMAL.inv_cdf(self.high)

    def place(self, rates: Floats) -> Floats:
        """Parts of the axis, cut at its ends."""
        low, high = self._ends
        deviates = np.array([_NORMAL.inv_cdf(float(r)) for r in np.clip(rates, self.low, self.high)])
        placed: Floats = (deviates - low) / (high - low)
        return placed

    def ticks(self) -> list[tuple[float, str]]:
        return [(tick, f"{100 * tick:g} %") for tick in _TICKS if self.low <= tick <= self.high]


@dataclass(frozen=True)
class _Linear:
    low: float
    high: float

    def place(self, values: Floats) -> Floats:
        """Parts of the axis."""
        return (values - self.low) / (self.high - self.low)


def _round_step(highest: float) -> float:
    """A step of 1, 2 or 5 times a power of ten that makes four to ten lines."""
    power = 10.0 ** np.floor(np.log10(highest / 4))
    return next(float(factor * power) for factor in (1, 2, 5, 10) if highest / (factor * power) <= 8)


def _x(parts: Floats) -> Floats:
    return LEFT + parts * (WIDTH - LEFT - RIGHT)


def _y(parts: Floats) -> Floats:
    return HEIGHT - BOTTOM - parts * (HEIGHT - TOP - BOTTOM)


def _path(x: Floats, y: Floats) -> str:
    return " ".join(f"{a:.1f},{b:.1f}" for a, b in zip(x, y, strict=True))


def _grid_x(ticks: Sequence[tuple[float, str]], scale: _Deviates | _Linear) -> Iterator[str]:
    last = -MIN_LABEL
    for value, name in ticks:
        x = float(_x(scale.place(np.array([value])))[0])
        yield f'<line x1="{x:.1f}" x2="{x:.1f}" y1="{TOP}" y2="{HEIGHT - BOTTOM}" stroke="#ddd"/>'
        if x - last >= MIN_LABEL:
            yield _text(x, HEIGHT - BOTTOM + 16, name, anchor="middle", size=11)
            last = x


def _grid_y(ticks: Sequence[tuple[float, str]], scale: _Deviates | _Linear) -> Iterator[str]:
    for value, name in ticks:
        y = float(_y(scale.place(np.array([value])))[0])
        yield f'<line x1="{LEFT}" x2="{WIDTH - RIGHT}" y1="{y:.1f}" y2="{y:.1f}" stroke="#ddd"/>'
        yield _text(LEFT - 6, y + 4, name, anchor="end", size=11)


def _whiskers(point: Point, across: _Deviates, down: _Deviates) -> Iterator[str]:
    x, left, right = _x(across.place(np.array([point.x, *point.x_between])))
    y, low, high = _y(down.place(np.array([point.y, *point.y_between])))
    yield (
        f'<path d="M{left:.1f},{y:.1f}H{right:.1f}M{x:.1f},{low:.1f}V{high:.1f}" stroke="#222" '
        f'fill="none" stroke-width="1.2"/>'
    )
    yield f'<circle cx="{x:.1f}" cy="{y:.1f}" r="3.5" fill="#222"/>'
    yield _beside(float(x), float(y) - 6, point.name, 7)


def _beside(x: float, y: float, name: str, gap: float) -> str:
    """A small name to the right of a place; to the left where it would run out of the frame."""
    if x + gap + CHARACTER * len(name) <= WIDTH - RIGHT:
        return _text(x + gap, y, name, anchor="start", size=11)
    return _text(x - gap, y, name, anchor="end", size=11)


def _shortened(name: str) -> str:
    return name if len(name) <= MAX_LEGEND else f"{name[: MAX_LEGEND - 1]}\u2026"


def _legend(names: Sequence[str]) -> Iterator[str]:
    """Below the plot, where it covers nothing."""
    for number, name in enumerate(names):
        y = HEIGHT + LINE * number + 4
        yield (
            f'<line x1="{LEFT}" x2="{LEFT + 24}" y1="{y}" y2="{y}" stroke-width="2" '
            f'stroke="{COLOURS[number % len(COLOURS)]}" stroke-dasharray="{DASHES[number % len(DASHES)]}"/>'
        )
        yield _text(LEFT + 32, y + 4, name, anchor="start", size=12)


def _document(title: str, x_label: str, y_label: str, body: Sequence[str], names: Sequence[str]) -> str:
    height = HEIGHT + LINE * len(names)
    middle = (TOP + HEIGHT - BOTTOM) / 2
    frame = (
        f'<rect x="{LEFT}" y="{TOP}" width="{WIDTH - LEFT - RIGHT}" height="{HEIGHT - TOP - BOTTOM}" '
        f'fill="none" stroke="#555"/>'
    )
    upright = (
        f'<g transform="translate(16 {middle:.0f}) rotate(-90)">{_text(0, 0, y_label, anchor="middle")}</g>'
    )
    opening = (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {height}" width="{WIDTH}" '
        f'height="{height}" role="img" font-family="sans-serif">'
    )
    return "\n".join(
        [
            opening,
            f"<title>{escape(title)}</title>",
            f'<rect width="{WIDTH}" height="{height}" fill="#fff"/>',
            *body,
            frame,
            *_legend(names),
            _text(LEFT, 24, title, anchor="start", size=15),
            _text((LEFT + WIDTH - RIGHT) / 2, HEIGHT - 14, x_label, anchor="middle"),
            upright,
            "</svg>\n",
        ]
    )


def _text(x: float, y: float, words: str, *, anchor: str, size: int = 13) -> str:
    place = f'x="{x:.1f}" y="{y:.1f}" font-size="{size}" text-anchor="{anchor}" fill="#222"'
    halo = 'stroke="#fff" stroke-width="3" paint-order="stroke"'  # legible upon bars and lines
    return f"<text {place} {halo}>{escape(words)}</text>"
