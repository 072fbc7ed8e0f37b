"""Somebody with two passports, somebody else, and a gate's store for them."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey

from gated.store.registration_letters import Holding
from gated.store.registrations import Registrations
from gated.watchlist.keyed import ListKey

GATE = "gate-7"
PASSAGE = "a" * 16
KEY, OTHER_KEY = ListKey(bytes(range(32))), ListKey(bytes(32))
CENTRE = X25519PrivateKey.from_private_bytes(bytes(range(1, 33)))
SIGNS = Ed25519PrivateKey.from_private_bytes(bytes(range(2, 34)))

ANNA = Holding(issuer="UTO", number="L898902C3", birth="740812", personal="ZE184226B")
ANNA_ANEW = Holding(issuer="UTO", number="M000000X1", birth="740812", personal="ZE184226B")
BERT = Holding(issuer="UTO", number="L898902C4", birth="810101")


@contextmanager
def opened(folder: Path, key: ListKey = KEY) -> Iterator[Registrations]:
    store = Registrations(folder, key, GATE, CENTRE.public_key())
    try:
        yield store
    finally:
        store.close()
