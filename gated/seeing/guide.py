"""Which of the hints of single frames reaches the person: one at a time, and none that flickers.

A frame says what a person could do, the most helpful first; the next frame may say something else. A hint
*stands* once every frame has said it for `HOLD_S`, and falls once no frame has for `FALL_S`: it enters sooner
than it leaves. The one that is told is the most helpful of those that stand. It stays while it stands, until
one that helps more has stood for `YIELD_S`; and whatever happens, nothing is told within `HINT_S` of what was
told before, so that everything can be read.

A hint that was heeded shall not be shown for ever: when nothing stands any more, the person is told to look
here, which is what somebody who did everything right should do. Times are monotonic seconds.
"""

from collections.abc import Sequence
from typing import Final

from gated.core.vocabulary import Hint

HOLD_S: Final = 0.2  # one blurred frame is nobody's fault
FALL_S: Final = 0.3
HINT_S: Final = 0.7  # what it takes to read a line of large letters
YIELD_S: Final = 0.5
ALL_WELL: Final = Hint.LOOK_HERE


class Guide:
    """Takes the hints of each frame; says what to tell when that is something new."""

    def __init__(self) -> None:
        self._told: Hint | None = None
        self._told_at = float("-inf")
        self._since: dict[Hint, float] = {}  # when the frames that say it, without a gap, began
        self._last: dict[Hint, tuple[float, int]] = {}  # when one last said it, and in which place
        self._standing: dict[Hint, float] = {}  # since when it stands

    def advise(self, hints: Sequence[Hint], now: float) -> Hint | None:
        """Take the hints of one frame, none when all is well; return what to tell, if anything is new."""
        self._hear(hints, now)
        wanted = self._wanted(hints, now)
        if wanted is None or wanted == self._told or now - self._told_at < HINT_S:
            return None
        self._told, self._told_at = wanted, now
        return wanted

    def _hear(self, hints: Sequence[Hint], now: float) -> None:
        """Let hints stand and fall."""
        for place, hint in enumerate(hints):
            self._last[hint] = now, place
            if now - self._since.setdefault(hint, now) >= HOLD_S:
                self._standing.setdefault(hint, now)
        for hint in self._since.keys() - set(hints):
            del self._since[hint]
        for hint in [each for each in self._standing if now - self._last[each][0] >= FALL_S]:
            del self._standing[hint]

    def _wanted(self, hints: Sequence[Hint], now: float) -> Hint | None:
        """What should be on the screen: None for whatever is there."""
        if not self._standing:
            return None if hints or self._told is None else ALL_WELL
        order = list(Hint)
        best = min(
            self._standing, key=lambda each: (self._last[each][1], each != self._told, order.index(each))
        )
        if self._told in self._standing and now - self._standing[best] < YIELD_S:
            return None
        return best
