"""What the centre gives out of the journals that it has collected: entries, and what gates signed of them."""

from collections.abc import Sequence
from typing import Any

from gated.core.values import Value


class Signed(Value):
    """A gate has signed an entry, with all before it: what it signed (`delivery_text`), and when it came."""

    after: int
    after_hash: str
    rest: str
    signature: str
    key: str
    came: str


class Collected(Value):
    """An entry as it was collected. `sound` is false where its hash is not what its content gives.

    `follows` is the hash of the entry before it, where that entry was not given out before this one.
    """

    gate: str
    branch: int
    seq: int
    utc: str
    event: str
    outcome: str
    hash: str
    sound: bool
    follows: str = ""
    signed: Signed | None = None


def signed_of(row: Sequence[Any]) -> Signed | None:
    """The columns of `heads` behind an entry's own; all None where its delivery went on after it."""
    after, after_hash, rest, signature, signer, utc = row
    if after is None:
        return None
    return Signed(
        after=after,
        after_hash=bytes(after_hash).hex(),
        rest=bytes(rest).hex(),
        signature=bytes(signature).hex(),
        key=bytes(signer).hex(),
        came=utc,
    )
