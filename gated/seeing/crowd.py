"""How many people the camera sees inside the lane: said when it is sure, not at every face that flits by."""

from typing import Final

SURE_S: Final = 0.4  # another face as near as the traveller's, seen for so long, is another person
GONE_S: Final = 1.0  # seen no more for so long, they are not there

_NEVER: Final = float("-inf")


class Crowd:
    """Counts to two: one person, or more than one."""

    def __init__(self) -> None:
        self._told = 1
        self._since = self._last = _NEVER  # others were seen from then on, without a pause, until then

    def count(self, beside: int, at: float) -> int | None:
        """Take one look with so many others `beside` (monotonic seconds); return the count if it changed."""
        gone = at - self._last > GONE_S
        persons = 1 if gone else self._told
        if beside > 0:
            self._since = at if gone else self._since
            self._last = at
            persons = 2 if at - self._since >= SURE_S else persons
        changed, self._told = persons != self._told, persons
        return persons if changed else None
