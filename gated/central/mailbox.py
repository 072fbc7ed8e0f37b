"""Tokens on their way from a kiosk to a gate: a few, for a short while, in memory alone.

The server cannot open them and believes nothing of them. What it keeps is bounded in number, in length and
in time, for each gate and each sender, so that no lane can fill it or crowd out another lane's tokens. When
the server stops they are lost, and their travellers go to the counter.
"""

from dataclasses import dataclass

from gated.tokens import mark

KEEP_S = 4 * 3600.0  # no token counts for longer
MAX_OF_ONE = 64  # tokens of one sender, for whichever gates


@dataclass(frozen=True, slots=True)
class _Kept:
    gate: str
    sender: str
    body: bytes
    until: float


class Mailboxes:
    """The tokens of all gates. `now` is monotonic seconds."""

    def __init__(self) -> None:
        self._kept: dict[str, _Kept] = {}  # by mark, oldest first

    def leave(self, gate: str, body: bytes, sender: str, now: float) -> bool:
        """Keep a token; one that is there already is there once. False: too many of this sender wait."""
        self._drop_old(now)
        known_as = mark(body)
        if known_as in self._kept:
            return True
        if sum(each.sender == sender for each in self._kept.values()) >= MAX_OF_ONE:
            return False
        self._kept[known_as] = _Kept(gate, sender, body, now + KEEP_S)
        return True

    def collect(self, gate: str, done: str, now: float) -> bytes:
        """Forget the gate's token marked `done`; return its oldest other one, nothing where there is none."""
        self._drop_old(now)
        if done in self._kept and self._kept[done].gate == gate:
            del self._kept[done]
        return next((each.body for each in self._kept.values() if each.gate == gate), b"")

    def _drop_old(self, now: float) -> None:
        for old in [each for each, kept in self._kept.items() if kept.until <= now]:
            del self._kept[old]
