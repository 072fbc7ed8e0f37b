"""Debouncing of one input line, and telling when it flaps.

A level counts once it has held. Contacts bounce for some milliseconds when they move, and then hold; a
loose plug or a wire that rubs bounces on and on, and what it says between two bounces is worth nothing.
So a line flaps that has held no level for `FLAP_S`, and one that has kept bouncing for that long even if it
held some in between. It counts as cut then (`cut`, the level of a wire that is cut) until it was quiet.

The kernel could debounce (GPIO_V2_LINE_ATTR_ID_DEBOUNCE). It is not asked to: it would swallow the bounces
that tell a loose plug from a still contact, and python-periphery has no way to ask.
"""

from typing import Final

FLAP_S: Final = 2.0  # so long nothing bounces that moves: a door's contact takes 20 ms
CALM_S: Final = 0.5  # bounces further apart than this belong to different movements
BOUNCES_HZ: Final = 10.0  # and so many a second: a fringe at a beam's edge is no loose plug
HOLDS: Final = 5  # times its hold time: a line that must hold long may also move long
BOUNCE_S: Final = 0.001  # two edges this close are a bounce, also where no hold time is set


class Debounce:
    """One input line: a level counts once it has held for `hold_s` (seconds on the caller's clock)."""

    def __init__(self, hold_s: float, level: bool, *, cut: bool = False) -> None:  # noqa: FBT001 - the level is the message
        self.settled = level
        self.due: float | None = None  # when the pending level counts, if it still holds
        self.flapping = False
        self._hold_s = hold_s
        self._cut = cut
        self._seen = level
        self._patience_s = max(FLAP_S, HOLDS * hold_s)
        self._bounces = 0
        self._forget()

    def _forget(self) -> None:
        self._edge_at = self._bounced_at = self._bouncing_since = self._unsettled_since = float("-inf")

    def edge(self, level: bool, now: float) -> None:  # noqa: FBT001 - the level is the message
        """The line changed to `level`: whatever was pending starts anew."""
        if now - self._edge_at < max(self._hold_s, BOUNCE_S):
            self._bounce(now)
        else:
            self._unsettled_since = now
        self._edge_at = now
        self._seen = level
        self.due = None if level == self.settled else now + self._hold_s

    def observe(self, level: bool, now: float) -> None:  # noqa: FBT001 - the level is the message
        """The line was read: counts as an edge only if it is not what the edges said."""
        if level != self._seen:
            self.edge(level, now)

    def settle(self, now: float) -> bool:
        """Take over the pending level if it has held; returns whether it did."""
        if self.due is None or now < self.due:
            return False
        self.settled, self.due = self._seen, None
        return True

    def flap(self) -> bool:
        """Take the line as cut if it has bounced for too long; returns whether that has just been found."""
        bounced_s = self._bounced_at - self._bouncing_since
        bounces_on = bounced_s >= self._patience_s and self._bounces >= BOUNCES_HZ * bounced_s
        never_holds = self._edge_at - self._unsettled_since >= self._patience_s
        if self.flapping or not (bounces_on or never_holds):
            return False
        self.flapping, self.settled, self.due = True, self._cut, None
        return True

    def calm(self, level: bool, now: float) -> None:  # noqa: FBT001 - the level is the message
        """The line has been quiet: what it says counts again once it has held."""
        self.flapping = False
        self._forget()
        self.edge(level, now)

    def _bounce(self, now: float) -> None:
        if now - self._bounced_at > CALM_S:
            self._bouncing_since, self._bounces = now, 0
        self._bounced_at = now
        self._bounces += 1
