"""Reads the zone in an image of a page: find, turn, cut, read, and say how sure each character is."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np
import numpy.typing as npt

from models.mrz import aligning, finding
from models.mrz.aligning import Grid
from models.mrz.cutting import MARGIN, Strip, cut, levelled, normalised, scale
from models.mrz.looking import looked_at

Grey = npt.NDArray[np.uint8]
Floats = npt.NDArray[np.float64]

STEP = 4  # pixels of the line reader's input for one column of its output
GUESS = {3: 30.0, 2: 40.0, 1: 40.0}  # characters of a line, before it has been read
CAP_IN_PITCH = 0.945  # OCR-B size I: 2.4 mm at 2.54 mm a character
THICK = 0.6  # what of the characters is counted by the finder's strips, whose heat spreads, at least
MIN_GUESS = 12.0
LINES = {30: 3, 36: 2, 44: 2}
WINDOW = 46  # characters: the longest line and one on either side
ENOUGH = 0.75  # clarity of a whole zone at which no other is looked for
PRINT = 0.55  # clarity below which it is other print, or none
NEARER = 0.65  # of the image's width and height: a window
MAX_NEARER = 4  # zones in windows that are read
MAX_STEPS = 3  # times that a line is followed beyond what the finder saw of it
SPACINGS = (1.7, 2.1, 2.5)  # between lines, in pitches, where only one was found
MIN_CLARITY = 0.35  # of a character, for a line that the finder did not see
PART_CLARITY = 0.5  # of each of them, in two lines at least
LOWER = 1.12  # share of the capitals' height at which a line is seen once more, lower in the reader's input
NARROWER = 0.94  # and of its width
PART = 14  # characters in a row by which a part of a zone is known from other print
LEVEL_START = 2.0  # pitches by which lines of a zone may begin apart
UNEVEN_START = 3.0  # what such a difference costs, for one pitch, squared


class Network(Protocol):
    """One input of fixed shape, one output."""

    def __call__(self, values: npt.NDArray[np.float32]) -> npt.NDArray[np.float32]:
        """Run it."""
        ...


@dataclass(frozen=True, slots=True)
class _Look:
    """A strip as the reader saw it with `guess` characters at PITCH: its columns and their grid."""

    strip: Strip
    guess: float
    columns: Floats
    grid: Grid

    @property
    def clarity(self) -> float:
        """How far the characters stand out and are plain, about one for each."""
        return float(self._plain().sum())

    @property
    def seen(self) -> int:
        """From the first character that stands out to the last."""
        return self.grid.high - self.grid.low + 1

    def part(self, first: int, count: int) -> Strip:
        """The strip of `count` characters from number `first` on."""
        edges = self.grid.places(first, count + 1) - self.grid.pitch / 2
        start, end = ((edges[[0, -1]] + 0.5) * STEP - MARGIN) / scale(self.strip, self.guess)
        return Strip(self.strip.at(float(start), 0), self.strip.at(float(end), 0), self.strip.cap)

    def _plain(self) -> Floats:
        places = self.grid.places(self.grid.low, self.seen)
        plain: Floats = aligning.sampled(self.columns, places)[:, : aligning.BLANK].max(1) ** 2
        return plain


@dataclass(frozen=True, slots=True)
class _Layout:
    """How many characters the lines have, and each line's look and the number of its first character."""

    count: int
    looks: tuple[_Look, ...]
    firsts: tuple[int, ...]
    score: float


@dataclass(frozen=True, slots=True)
class ZoneReading:
    """Lines of characters, each `count` x 37 probabilities, and where they lie.

    `whole`: lines and characters are all there; if not, there are `strips` but no `lines`. `clarity` is how
    plain the characters are, 0 to 1.
    """

    lines: tuple[Floats, ...]
    strips: tuple[Strip, ...]
    whole: bool
    clarity: float


class ZoneReader:
    """Finds and reads zones. Not for use from two threads at once."""

    def __init__(self, finder: Network, reader: Network, temperature: float) -> None:
        self._finder = finder
        self._reader = reader
        self._temperature = temperature

    def find(self, grey: Grey) -> list[finding.Found]:
        """Zones in the image, likeliest first."""
        square, factor = looked_at(grey)
        logits = self._finder(square[None, :, :, None])
        return finding.zones(finding.heat_of(logits), factor)

    def find_nearer(self, grey: Grey) -> list[finding.Found]:
        """The same in each of five overlapping windows: what is too small in the whole may show there."""
        height, width = grey.shape
        tall, wide = round(NEARER * height), round(NEARER * width)
        found = []
        down, right = height - tall, width - wide
        for top, left in ((0, 0), (0, right), (down, 0), (down, right), (down // 2, right // 2)):
            for zone in self.find(np.ascontiguousarray(grey[top : top + tall, left : left + wide])):
                strips = tuple(strip.moved(left, top) for strip in zone.strips)
                found.append(finding.Found(strips, zone.heat))
        return sorted(found, key=lambda zone: -zone.heat)[:MAX_NEARER]

    def best(self, grey: Grey) -> ZoneReading | None:
        """The plainest zone of the image; None if there is none."""
        best: ZoneReading | None = None
        for find in (self.find, self.find_nearer):
            for found in find(grey):
                zone = self.read(grey, found)
                if zone is None or zone.clarity < PRINT:
                    continue
                if best is None or zone.clarity > best.clarity:
                    best = zone
                    if zone.whole and zone.clarity > ENOUGH:
                        return best
        return best

    def read(self, grey: Grey, found: finding.Found) -> ZoneReading | None:
        """Read one zone; None if it is no print of a zone."""
        looks = [self._followed(grey, look) for look in self._turned(grey, found.strips)]
        layout = self._completed(grey, looks)
        if layout is None:
            return _part(looks)
        read = [
            self._line(grey, look, first, layout.count)
            for look, first in zip(layout.looks, layout.firsts, strict=True)
        ]
        lines = tuple(line for line, _ in read)
        clarity = float(np.mean([line.max(1).mean() for line in lines]))
        return ZoneReading(lines, tuple(strip for _, strip in read), whole=True, clarity=clarity)

    def _look(self, grey: Grey, strip: Strip, guess: float) -> _Look | None:
        """Read a strip; None where too few characters stand out."""
        logits = self._reader(normalised(cut(grey, strip, guess))[None, :, :, None])[0, 0]
        columns = aligning.probabilities(logits, self._temperature)
        grid = aligning.grid_of(columns)
        return None if grid is None else _Look(strip, guess, columns, grid)

    def _turned(self, grey: Grey, strips: Sequence[Strip]) -> list[_Look]:
        """Look at the strips the right way up, top line first."""
        narrow = min(strip.length / strip.cap for strip in strips) * CAP_IN_PITCH
        guess = max(min(GUESS[len(strips)], narrow / THICK), MIN_GUESS)
        upright = [self._look(grey, strip, guess) for strip in strips]
        turned = [self._look(grey, strip.reversed(), guess) for strip in reversed(strips)]
        ways = [[look for look in way if look is not None] for way in (upright, turned)]
        return max(ways, key=lambda looks: sum(look.clarity for look in looks))

    def _followed(self, grey: Grey, look: _Look) -> _Look:
        """Look again at a window of WINDOW characters about those seen, until no more come into sight."""
        for _ in range(MAX_STEPS):
            seen = levelled(grey, look.part(look.grid.low, look.seen), look.seen)
            pitch = seen.length / look.seen
            middle, reach = seen.length / 2, pitch * WINDOW / 2
            window = Strip(seen.at(middle - reach, 0), seen.at(middle + reach, 0), seen.cap)
            wider = self._look(grey, window, WINDOW)
            if wider is None or wider.clarity < 0.8 * look.clarity:
                return look
            middle_seen = wider.grid.places(wider.grid.low, wider.seen).mean()
            shift = abs(middle_seen - (MARGIN + scale(window, WINDOW) * window.length / 2) / STEP)
            look = wider
            if shift < 0.6 * wider.grid.pitch:
                return look
        return look

    def _completed(self, grey: Grey, looks: list[_Look]) -> _Layout | None:
        """Choose how many characters and which lines; look for lines that the finder missed."""
        layouts = [
            _layout(looks[at : at + lines], count)
            for count, lines in LINES.items()
            for at in range(len(looks))
        ]
        known = [layout for layout in layouts if layout is not None]
        if not known:
            return None
        whole = [layout for layout in known if len(layout.looks) == LINES[layout.count]]
        best = max(known, key=lambda layout: layout.score)
        if len(best.looks) == LINES[best.count]:
            return best
        for way in (1, -1):
            extended = self._neighbours(grey, best, way)
            whole += [layout for layout in extended if len(layout.looks) == LINES[layout.count]]
        return max(whole, key=lambda layout: layout.score) if whole else None

    def _neighbours(self, grey: Grey, layout: _Layout, way: int) -> list[_Layout]:
        """The layout with one more line, or two, above (-1) or below (1)."""
        strips = [
            look.part(first, layout.count) for look, first in zip(layout.looks, layout.firsts, strict=True)
        ]
        edge = strips[-1 if way > 0 else 0]
        pitch = edge.length / layout.count
        if len(strips) > 1:
            gap = np.subtract(strips[1].start, strips[0].start) @ np.array(
                [-edge.direction[1], edge.direction[0]]
            )
            steps: Sequence[float] = (float(gap),)
        else:
            steps = [spacing * pitch for spacing in SPACINGS]
        layouts = []
        for step in steps:
            looks = list(layout.looks)
            for number in range(1, LINES[layout.count] - len(strips) + 1):
                down = way * step * number
                strip = Strip(edge.at(0, down), edge.at(edge.length, down), edge.cap)
                look = self._look(grey, strip, layout.count)
                if look is None or look.clarity < MIN_CLARITY * layout.count:
                    break
                looks = [*looks, look] if way > 0 else [look, *looks]
            grown = _layout(looks, layout.count)
            if grown is not None:
                layouts.append(grown)
        return layouts

    def _line(self, grey: Grey, look: _Look, first: int, count: int) -> tuple[Floats, Strip]:
        """Read a line whose place is known in several ways, and take the geometric mean of their opinions."""
        strip = look.part(first, count)
        level = levelled(grey, strip, count)
        views = [aligning.characters(look.columns, look.grid, first, count)]
        for cutting, height, guess in (
            (strip, 1.0, count),
            (level, 1.0, count),
            (level, LOWER, count),
            (level, 1.0, count * NARROWER),
        ):
            again = self._look(grey, Strip(cutting.start, cutting.end, cutting.cap * height), guess)
            if again is not None:
                start = (MARGIN + scale(cutting, guess) * cutting.length / count / 2) / STEP - 0.5
                at = round((start - again.grid.start) / again.grid.pitch)
                views.append(aligning.characters(again.columns, again.grid, at, count))
        logs = np.mean([np.log(np.maximum(view, 1e-9)) for view in views], axis=0)
        raised = np.exp(logs)
        line: Floats = raised / raised.sum(1, keepdims=True)
        return line, level


def _part(looks: Sequence[_Look]) -> ZoneReading | None:
    """What is there of a zone that is not whole; None if it may be any print."""
    long = [look for look in looks if look.seen >= PART and look.clarity > PART_CLARITY * look.seen]
    if len(long) < 2:
        return None
    strips = tuple(look.part(look.grid.low, look.seen) for look in long)
    clarity = float(np.mean([look.clarity / look.seen for look in long]))
    return ZoneReading((), strips, whole=False, clarity=clarity)


def _layout(looks: Sequence[_Look], count: int) -> _Layout | None:
    """The likeliest first characters such that the lines begin below each other."""
    if not looks:
        return None
    rows = []
    x, y = looks[0].strip.direction
    for look in looks:
        options = aligning.offsets(look.columns, look.grid, count)
        if not options:
            return None
        part = look.part(0, 1)
        pitch = part.length
        origin = part.start[0] * x + part.start[1] * y
        rows.append([(origin + pitch * low, score, low) for low, score in options.items()])
    best: tuple[float, tuple[int, ...]] | None = None
    for anchor, _, _ in (option for row in rows for option in row):
        chosen = []
        for row in rows:
            apart = [((start - anchor) / pitch, score, low) for start, score, low in row]
            level = [(s - UNEVEN_START * off * off, low) for off, s, low in apart if abs(off) < LEVEL_START]
            if level:
                chosen.append(max(level))
        if len(chosen) == len(rows):
            score = sum(option[0] for option in chosen)
            if best is None or score > best[0]:
                best = score, tuple(option[1] for option in chosen)
    return None if best is None else _Layout(count, tuple(looks), best[1], best[0])
