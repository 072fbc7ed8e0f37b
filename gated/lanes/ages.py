"""The lane that looks how old the centre's last words are, and tells the loop when that means something else.

What is old is not a list but the knowledge that it is still the newest (`gated.watchlist.freshness`). What an
age means is policy: people are told, nobody is admitted without an officer, the lane closes. A lane of its
own, so that nothing that fetches or builds for minutes delays it.
"""

import time
from collections.abc import Callable, Mapping
from datetime import datetime

from gated import logs
from gated.core.events import AgesChecked
from gated.core.policy import Policy
from gated.core.vocabulary import Aging, Vouched
from gated.lanes.condition import Post
from gated.runtime.clock import now_utc
from gated.runtime.lanes import Lane

ROUND_S = 1.0

AgeOf = Callable[[datetime, float], float | None]
"""Seconds since the centre vouched for a kind, by UTC and monotonic time; None: nothing of it decides."""

MEANS: Mapping[Aging, str] = {
    Aging.OLD: "travellers are served as before",
    Aging.STALE: "nobody is admitted without an officer",
    Aging.CLOSING: "the lane takes nobody, and opens by itself after a word of the centre",
}
WHY = (
    "bring the line to the centre back (`journalctl -u gate-link`); see `gatectl watchlist status`, since"
    " what could not be taken, or was withdrawn, is vouched for by nobody"
)

_log = logs.get("lane.ages")


class AgesLane:
    """Posts the ages when what they mean by policy has changed. `check` and `troubles` are for any thread."""

    def __init__(self, policy: Policy, ages: Mapping[Vouched, AgeOf], post: Post) -> None:
        self.lane = Lane("ages", turn=self._turn, period_s=ROUND_S)
        self._policy = policy
        self._ages = ages
        self._post = post
        self._meant: Mapping[Vouched, Aging | None] = {}

    def check(self) -> AgesChecked:
        """How old they are now."""
        at = time.monotonic()
        now = now_utc()
        ages = {f"{kind}_s": age(now, at) for kind, age in self._ages.items()}
        return AgesChecked(at=at, **ages)

    def first(self) -> AgesChecked:
        """How old they are when the gate starts, before anybody is served."""
        checked = self.check()
        self._changed(checked)
        return checked

    def known(self) -> dict[str, float]:
        """The age of each kind that decides here, in seconds."""
        return {str(kind): age_s for kind, age_s in self.check().ages.items() if age_s is not None}

    def troubles(self) -> dict[str, str]:
        """Each kind whose word is old, as `rules_stale`, with what that means and what to do."""
        meant = self._meaning(self.check())
        return {
            f"{kind}_{meaning}": f"{MEANS[meaning]}; {WHY}"
            for kind, meaning in meant.items()
            if meaning is not None and meaning in MEANS
        }

    def _turn(self) -> None:
        checked = self.check()
        if self._changed(checked):
            self._post(checked)

    def _meaning(self, checked: AgesChecked) -> dict[Vouched, Aging | None]:
        return {
            kind: None if age_s is None else self._policy.meaning(kind, age_s)
            for kind, age_s in checked.ages.items()
        }

    def _changed(self, checked: AgesChecked) -> bool:
        """Whether they mean something else now; each change is in the log, with what to do."""
        meant, self._meant = self._meant, self._meaning(checked)
        for kind, meaning in self._meant.items():
            if meaning is not None and meaning is not meant.get(kind, Aging.FRESH):
                fix = WHY if meaning in MEANS else ""
                _log.warning("the centre's word has another age now", kind=kind, code=meaning, fix=fix)
        return meant != self._meant
