"""Parsers of what is sealed under a list key, behind the seal: as a centre gone wrong could make their input.

The seal would refuse every changed byte; so each input is sealed here, and only then read.
"""

import struct

from gated.watchlist.changes import MAGIC, Changes, parse_changes
from gated.watchlist.keyed import KEY_BYTES, ListKey, ListKeys
from gated.watchlist.pack import MAGIC as PACK_MAGIC
from gated.watchlist.pack import (
    RECORD_BYTES,
    TAG_BYTES,
    Kind,
    PackHeader,
    Seals,
    check_bucket,
    layout,
    listed,
    parse_head,
)

KEY = ListKey(b"f" * KEY_BYTES)
KEYS = ListKeys([KEY])
KINDS = (Kind(type="P", grade="stop", reason="stolen"), Kind(type="", grade="refer", reason="lost"))
HASH = b"#" * 64
"""Stands in a sample for the hash of what follows its first line."""


def changes(raw: bytes) -> Changes:
    """Changes: a line of JSON, and what follows."""
    header, _, body = raw.partition(b"\n")
    seals = Seals(KEY)
    header = header.replace(HASH, seals.body(body).encode())
    head = struct.pack(">8sI", MAGIC, len(header)) + header
    parsed = parse_changes(head + seals.head(head) + body, KEYS)
    for change in parsed:
        list(parsed.under(change.record.tag))
    return parsed


def pack_head(raw: bytes) -> PackHeader:
    """The head of a pack."""
    preamble = struct.pack(">8sI", PACK_MAGIC, len(raw))
    header, _ = parse_head(preamble, raw + Seals(KEY).head(preamble + raw), KEYS)
    layout(header, len(raw))
    return header


def bucket(raw: bytes) -> None:
    """The records of the first of 256 buckets."""
    records = raw[: len(raw) // RECORD_BYTES * RECORD_BYTES]
    check_bucket(records, 8, 0, len(KINDS))
    for at in range(0, len(records), RECORD_BYTES):
        list(listed(records, records[at : at + TAG_BYTES], KINDS))
