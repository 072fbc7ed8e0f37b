"""How old the list is, when the clock may lie.

What is old is not the list but our knowledge that it is still the newest: the central side signs the time
every minute, and the age counts from the last such word that was verified. The system clock may jump, stand
in the past after an empty battery, or be set by an attacker, so time here only ever moves forward: the
greatest of the clock, of any time that was seen before (kept across restarts), of the signed time, and of
what the monotonic clock says has passed. A clock that once stood in the future would make the list look old
for ever; so a *newer* signed word sets the measure anew.
"""

from gated.core.values import Value


class Freshness(Value):
    """The last verified word, in seconds since 1970. `seen_at` is the latest time that was ever seen."""

    signed_at: float
    seen_at: float


class Age:
    """Follows one Freshness through one run of the process."""

    def __init__(self, freshness: Freshness) -> None:
        self._freshness = freshness
        self._at: float | None = None

    @property
    def freshness(self) -> Freshness:
        """What must be kept across a restart."""
        return self._freshness

    def seconds(self, now: float, at: float) -> float:
        """The age at system time `now` and monotonic time `at`; never less than it was."""
        elapsed = 0.0 if self._at is None else max(0.0, at - self._at)
        last = self._freshness
        seen = max(now, last.seen_at + elapsed, last.signed_at)
        self._at = at if self._at is None else max(self._at, at)
        self._freshness = Freshness(signed_at=last.signed_at, seen_at=seen)
        return seen - last.signed_at

    def confirm(self, signed_at: float, now: float, at: float) -> None:
        """A verified word came. A newer one sets the measure anew, the same one again changes nothing."""
        if signed_at > self._freshness.signed_at:
            self._freshness = Freshness(signed_at=signed_at, seen_at=max(now, signed_at))
            self._at = at
