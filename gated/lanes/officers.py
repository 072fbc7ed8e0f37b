"""Officers' signed words: whose they are, whether they were said just now, and that each counts once.

Times are told by two clocks. How long ago a word was said is a matter of the wall clock, which station and
gate share; how long this program has run, and how long ago it took a word, of the monotonic one, so that a
wall clock that is set right leaves nobody without a say. What was said before this program started was said
to the one before it, and does not count again.
"""

import time
from collections import deque
from collections.abc import Callable
from typing import NamedTuple

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from gated import logs
from gated.core.settings.central import OfficerSettings
from gated.runtime import requests as say
from gated.runtime.clock import now_utc

WORD_S = 30.0  # how old an officer's signed word may be
AHEAD_S = 5.0  # and how far the clock of the station may be ahead of the gate's
MAX_TAKEN = 1000  # kept of each officer, against a clock that is set back

Word = say.OfficerCommand | say.SetMode | say.SetDuty | say.LinkRegistration | say.DecideFalseHit

_log = logs.get("lane.control")


class _Taken(NamedTuple):
    """A word of an officer: when it says that it was said, and when it was taken (monotonic)."""

    said_at: float
    at: float


class Officers:
    """The keys of the configuration, and what they signed last. For one thread."""

    def __init__(
        self,
        officers: tuple[OfficerSettings, ...],
        wall: Callable[[], float] = lambda: now_utc().timestamp(),
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._keys = {
            officer.name: Ed25519PublicKey.from_public_bytes(bytes.fromhex(officer.public_key))
            for officer in officers
        }
        self._wall, self._clock = wall, clock
        self._began = clock()
        self._taken: dict[str, deque[_Taken]] = {}

    def refuse(self, word: Word) -> say.Refused | None:
        """Take a word that an officer of the configuration has signed just now, for the first time.

        Returns why it is not taken, if it is not.
        """
        key = self._keys.get(word.officer)
        if key is None:
            _log.warning("officer's command refused", reason="unknown_officer")
            return say.Refused(reason="unknown_officer", fix="add the officer's key to [[officers]]")
        try:
            key.verify(word.signature, word.signed_text)
        except InvalidSignature:
            _log.warning("officer's command refused", reason="bad_signature", officer=word.officer)
            return say.Refused(reason="bad_signature", fix="sign with the key that belongs to this name")
        said_at = float(f"{word.said_at:.3f}")  # no finer than what was signed
        now, age_s = self._clock(), self._wall() - said_at
        if not -AHEAD_S <= age_s <= min(WORD_S, now - self._began):  # so written, nan is refused too
            fix = "say it again now; if it recurs, compare the clocks of station and gate"
            return say.Refused(reason="word_too_old", fix=fix)
        taken = self._taken.setdefault(word.officer, deque(maxlen=MAX_TAKEN))
        late = bool(taken) and said_at <= taken[-1].said_at and now - taken[-1].at <= WORD_S + AHEAD_S
        if late or any(said_at == before.said_at for before in taken):
            return say.Refused(reason="word_was_taken", fix="say it again: each command counts once")
        taken.append(_Taken(said_at, now))
        return None
