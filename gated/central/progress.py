"""A line that tells how far a long command is: on a terminal only, at most ten times a second."""

import sys
import time
from typing import TextIO

EVERY_S = 0.1
WIDTH = 24


class Progress:
    """Counts what goes by. In a pipe, or before a second has passed, it says nothing."""

    def __init__(self, what: str, stream: TextIO | None = None) -> None:
        self._what = what
        self._stream = stream or sys.stderr
        self._live = self._stream.isatty()
        self._begun = time.monotonic()
        self._due = self._begun + 1.0
        self._shown = False

    def told(self, share: float, count: int) -> None:
        """So much of all, 0 to 1, and so many rows are done."""
        now = time.monotonic()
        if not self._live or now < self._due:
            return
        self._due, self._shown = now + EVERY_S, True
        full = round(min(1.0, share) * WIDTH)
        left = f", {(now - self._begun) * (1 - share) / share:,.0f} s left" if share > 0.02 else ""
        self._stream.write(
            f"\r{self._what} [{'#' * full}{' ' * (WIDTH - full)}] {share:4.0%} {count:,} rows{left}\x1b[K"
        )
        self._stream.flush()

    def done(self) -> None:
        """Leave the line."""
        if self._shown:
            self._stream.write("\r\x1b[K")
            self._stream.flush()
