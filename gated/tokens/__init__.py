"""Tokens of a kiosk: their format and their keys. Nothing here has a clock, a socket or a database."""

import hashlib

MAX_TEMPLATE = 4096  # bytes of a face template: 1024 numbers
MAX_SEALED_TEMPLATE = MAX_TEMPLATE + 64
MAX_TOKEN = 16 * 1024  # bytes of a whole token


def mark(token: bytes) -> str:
    """What whoever carries tokens tells one from others by, without a look into it."""
    return hashlib.sha256(token).hexdigest()[:32]
