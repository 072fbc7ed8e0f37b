"""What the vision process may know of a traveller for its statistics: an opaque mark and a coarse kind."""

import hmac
import secrets
from datetime import date

from gated.document.mrz import Mrz

CHILD_UNTIL, SENIOR_FROM = 18, 60
MARK_BYTES = 8

_SEXES = {"F": "f", "M": "m"}


class Marks:
    """Marks documents by a key that is made anew at each start: alike while it lasts, and nowhere else."""

    def __init__(self) -> None:
        self._key = secrets.token_bytes(32)

    def mark(self, mrz: Mrz) -> bytes:
        """Return the mark of this document."""
        document = f"{mrz.issuer}<{mrz.document_number}".encode()
        return hmac.digest(self._key, document, "sha256")[:MARK_BYTES]


def stratum(mrz: Mrz, today: date) -> str:
    """Return the kind of person: `child`, `adult`, `senior` or `unknown`, and `f`, `m` or `x`."""
    age = mrz.age(today)
    if age is None:
        band = "unknown"
    elif age < CHILD_UNTIL:
        band = "child"
    else:
        band = "senior" if age >= SENIOR_FROM else "adult"
    return f"{band}-{_SEXES.get(mrz.sex, 'x')}"
