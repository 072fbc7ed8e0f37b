"""How many people the camera sees inside the lane: said when it is sure, not at every face that flits by."""

from typing import Final

SURE_S: Final = 0.4  # another face as near as the traveller's, seen for so long, is another person
GONE_S: Final = 1.0  # seen no more for so long, they are not there
AGAIN_S: Final = 0.3  # whoever did not count them the first time, since a door still closed, does now

_NEVER: Final = float("-inf")


class Crowd:
    """Counts to two: one person, or more. Tells of changes, and of others again while they are there."""

    def __init__(self) -> None:
        self._told = 1
        self._said_at = _NEVER
        self._since = self._last = _NEVER  # others were seen from then on, without a pause, until then

    def count(self, beside: int, at: float) -> int | None:
        """Take one look with so many others `beside` (monotonic seconds); return what is to be told."""
        gone = at - self._last > GONE_S
        persons = 1 if gone else self._told
        if beside > 0:
            self._since = at if gone else self._since
            self._last = at
            persons = 2 if at - self._since >= SURE_S else persons
        again = beside > 0 and persons > 1 and at - self._said_at >= AGAIN_S
        changed, self._told = persons != self._told, persons
        if not changed and not again:
            return None
        self._said_at = at
        return persons
