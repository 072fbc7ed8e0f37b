"""Which spellings are known to be forms of one name: Oleksandr and Alexander, Bob and Robert.

The table that ships (`families.bin`, made by `tests.bench.names_families`) is a sorted array of 64-bit
numbers, little-endian: 40 bits of a hash of a spelling in zone letters, and the 24 bits of a name that it is
a form of; those from NICKNAMES on are pairs of a name and its pet form. It lists no name.
"""

import sys
from array import array
from bisect import bisect_left
from enum import IntEnum
from functools import cache, lru_cache
from hashlib import blake2b
from importlib import resources

TABLE = "families.bin"
MAX_TABLE = 16_000_000  # bytes
NAME_BITS = 24
NICKNAMES = 1 << 23
_HASH_BYTES = 5
_ONE = 1 << NAME_BITS


class Kinship(IntEnum):
    """How two spellings are related, the closest last."""

    UNKNOWN = 0
    """At least one of them is in no table: a misspelling is."""
    STRANGERS = 1
    """Both are known, as forms of different names."""
    NICKNAME = 2
    VARIANT = 3


def key_of(spelling: str) -> int:
    """The number of a spelling before its names are appended."""
    return int.from_bytes(blake2b(spelling.encode(), digest_size=_HASH_BYTES).digest(), "big") << NAME_BITS


def pack(members: set[tuple[str, int]]) -> bytes:
    """The table of spellings and the names that they are forms of."""
    numbers = array("Q", sorted({key_of(spelling) | name for spelling, name in members}))
    if sys.byteorder == "big":
        numbers.byteswap()
    return numbers.tobytes()


def kinship(left: str, right: str) -> Kinship:
    """How two spellings in zone letters are related."""
    ours, theirs = names_of(left), names_of(right)
    if not ours or not theirs:
        return Kinship.UNKNOWN
    shared = ours & theirs
    if not shared:
        return Kinship.STRANGERS
    return Kinship.NICKNAME if min(shared) >= NICKNAMES else Kinship.VARIANT


@lru_cache(maxsize=16_384)
def names_of(spelling: str) -> frozenset[int]:
    """The names that a spelling is a form of; empty where it is unknown."""
    table = _table()
    key = key_of(spelling)
    start = bisect_left(table, key)
    stop = start
    while stop < len(table) and table[stop] < key + _ONE:  # a spelling has few names
        stop += 1
    return frozenset(number & _ONE - 1 for number in table[start:stop])


@cache
def _table() -> "array[int]":
    raw = resources.files(__package__).joinpath(TABLE).read_bytes()
    if len(raw) > MAX_TABLE or len(raw) % 8:
        raise ValueError(f"{TABLE} is no table of names: install egate again")
    numbers = array("Q")
    numbers.frombytes(raw)
    if sys.byteorder == "big":
        numbers.byteswap()
    return numbers
