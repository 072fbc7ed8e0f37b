"""Anti-passback: a document that was just admitted does not admit again when it is handed back at once.

Kept in memory alone, as keyed hashes under a key that dies with the process.
"""

import hashlib
import hmac
import secrets
import threading

from gated.document.mrz import Mrz

MAX_KEPT = 20_000  # a lane admits some thousands a day


class Admitted:
    """Documents that were admitted in the last `window_s` seconds; 0: none are remembered. For any thread."""

    def __init__(self, window_s: float) -> None:
        self._window_s = window_s
        self._key = secrets.token_bytes(32)
        self._lock = threading.Lock()
        self._until: dict[bytes, float] = {}  # oldest first

    def remember(self, mrz: Mrz, now: float) -> None:
        """This document was admitted at monotonic time `now`."""
        if self._window_s == 0:
            return
        mark = self._mark(mrz)
        with self._lock:
            self._until.pop(mark, None)
            self._until[mark] = now + self._window_s
            while len(self._until) > MAX_KEPT:
                self._until.pop(next(iter(self._until)))

    def was(self, mrz: Mrz, now: float) -> bool:
        """Whether this document was admitted within the window before `now`."""
        with self._lock:
            for mark in [mark for mark, until in self._until.items() if until <= now]:
                self._until.pop(mark)
            return self._mark(mrz) in self._until

    def _mark(self, mrz: Mrz) -> bytes:
        text = f"{mrz.issuer}|{mrz.document_type}|{mrz.document_number}"
        return hmac.new(self._key, text.encode(), hashlib.sha256).digest()
