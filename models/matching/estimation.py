"""How often strangers match at this gate, estimated while it works (BSI TR-03121, EVA-VER).

The passport photographs of the last few travellers are kept for a short time as embeddings. Whoever comes
next is compared with each of them, and whatever matches is a false match, since these are other people. What
is counted is told by strata of both; nobody's embedding outlives the bounds of the cache, in number or in
time. A traveller who comes again meanwhile is told apart by an opaque mark of the document.
"""

import time
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from models.tflite import Floats

Scores = Callable[[Floats, Floats], Floats]  # an embedding, and a row for each other one


@dataclass(frozen=True, kw_only=True)
class Bounds:
    """How many references are kept, and for how long. None at all: nothing is estimated."""

    references: int
    seconds: float


@dataclass(frozen=True, kw_only=True)
class Count:
    """Comparisons with strangers, and how many of them scored at or above the threshold."""

    comparisons: int
    matches: int


@dataclass(frozen=True, kw_only=True)
class _Kept:
    embedding: Floats
    subject: bytes
    stratum: str
    at: float


class FalseMatches:
    """The bounded cache. Not for use from two threads at once."""

    def __init__(self, bounds: Bounds, clock: Callable[[], float] = time.monotonic) -> None:
        self._bounds = bounds
        self._clock = clock
        self._kept: deque[_Kept] = deque()

    def __len__(self) -> int:
        """How many references are kept now."""
        self.drop_old()
        return len(self._kept)

    def compare(
        self, probe: Floats, *, subject: bytes, stratum: str, threshold: float, scores: Scores
    ) -> dict[str, Count]:
        """Compare a live template with every kept reference of another subject.

        Returns what this round adds, by the strata of the two, as `adult-f/child-m` in that order.
        """
        self.drop_old()
        others = [kept for kept in self._kept if kept.subject != subject]
        if not others:
            return {}
        found = scores(probe, np.stack([kept.embedding for kept in others])) >= threshold
        counts: dict[str, Count] = {}
        for kept, matched in zip(others, found, strict=True):
            strata = "/".join(sorted((stratum, kept.stratum)))
            before = counts.get(strata, Count(comparisons=0, matches=0))
            counts[strata] = Count(comparisons=before.comparisons + 1, matches=before.matches + int(matched))
        return counts

    def keep(self, reference: Floats, *, subject: bytes, stratum: str) -> None:
        """Keep the reference of a traveller who has gone; the oldest makes room."""
        self.drop_old()
        if self._bounds.references == 0:
            return
        if len(self._kept) >= self._bounds.references:
            self._kept.popleft().embedding.fill(0)
        self._kept.append(
            _Kept(embedding=reference.copy(), subject=subject, stratum=stratum, at=self._clock())
        )

    def wipe(self) -> None:
        """Overwrite and drop all references."""
        while self._kept:
            self._kept.popleft().embedding.fill(0)

    def drop_old(self) -> None:
        """Overwrite and drop those that were kept for long enough: to be called also when nobody comes."""
        oldest = self._clock() - self._bounds.seconds
        while self._kept and self._kept[0].at <= oldest:
            self._kept.popleft().embedding.fill(0)
