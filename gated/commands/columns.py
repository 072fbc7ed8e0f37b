"""Text that fits a terminal: tables that are folded, and sentences that are wrapped, at 80 columns."""

import textwrap
from collections.abc import Iterator, Sequence
from typing import Final

WIDTH: Final = 80
GAP: Final = "  "
INTERVAL: Final = "95 % "
MAX_CELL: Final = 36  # characters of a row's name

Row = Sequence[str]


def table(heading: Row, rows: Sequence[Row], *, indent: int = 0) -> Iterator[str]:
    """A table's lines; what is too wide stands below, under the rows' names again.

    The first column names the rows, to the left; a long name is cut. The others stand to the right. A column
    whose heading begins with INTERVAL is that of the one before it, and is not parted from it.
    """
    lines = [[_cut(row[0]), *row[1:]] for row in (heading, *rows)]
    widths = [max(map(len, column)) for column in zip(*lines, strict=True)]
    start, margin = 1, " " * indent
    while start < len(widths):
        end, width = start, indent + widths[0]
        while end < len(widths):
            after = next(
                (n for n in range(end + 1, len(widths)) if not _is_interval(heading[n])), len(widths)
            )
            more = sum(len(GAP) + each for each in widths[end:after])
            if end > start and width + more > WIDTH:
                break
            width, end = width + more, after
        if start > 1:
            yield ""
        for line in lines:
            cells = [f"{line[n]:>{widths[n]}}" for n in range(start, end)]
            yield (margin + GAP.join([f"{line[0]:<{widths[0]}}", *cells])).rstrip()
        start = end


def wrapped(text: str, *, first: str = "", then: int | None = None) -> Iterator[str]:
    """A sentence's lines, the first behind `first`, the others indented as deep, or by `then`."""
    indent = " " * (len(first) if then is None else then)
    yield from textwrap.wrap(
        text,
        WIDTH,
        initial_indent=first,
        subsequent_indent=indent,
        break_long_words=False,
        break_on_hyphens=False,
    ) or [first.rstrip()]


def _is_interval(heading: str) -> bool:
    return heading.startswith(INTERVAL)


def _cut(name: str) -> str:
    return name if len(name) <= MAX_CELL else f"{name[: MAX_CELL - 1]}\N{HORIZONTAL ELLIPSIS}"
