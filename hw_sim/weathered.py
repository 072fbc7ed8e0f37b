"""Time that has passed for a gate's lists without anybody waiting for it."""

import sqlite3
from contextlib import closing
from pathlib import Path

from gated.store.list_version import ENTRIES
from gated.store.versions import Versions
from gated.store.watchlist import LISTS


def put_back_word(state: Path, seconds: float) -> None:
    """Let the centre's last word be older by so much, in the file of a gate whose daemon is down."""
    versions = Versions(state / "watchlist" / LISTS / "main")
    now = versions.pointer()
    if now is None:
        raise FileNotFoundError("this gate has no list to grow older")
    with closing(sqlite3.connect(versions.place(now.content) / ENTRIES)) as database, database:
        database.execute("UPDATE freshness SET signed_at = signed_at - ?", (seconds,))
