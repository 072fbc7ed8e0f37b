"""Time that has passed for a gate's lists without anybody waiting for it."""

import sqlite3
from contextlib import closing
from pathlib import Path


def put_back_word(state: Path, seconds: float) -> None:
    """Let the centre's last word be older by so much, in the file of a gate whose daemon is down."""
    with closing(sqlite3.connect(state / "watchlist" / "watchlist.db")) as database, database:
        database.execute("UPDATE freshness SET signed_at = signed_at - ?", (seconds,))
