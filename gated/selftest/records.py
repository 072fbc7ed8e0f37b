"""What a gate's computer shows by itself: configuration, disk, journal, clock, list. Only read."""

import sqlite3
import time
from contextlib import closing
from pathlib import Path
from typing import Final

from gated.config import Loaded
from gated.runtime.clock import now_utc, synchronised
from gated.selftest.finding import Finding, fault, ok, warning
from gated.selftest.running import watchlist
from gated.store import disk
from gated.store.database import StoreError, open_to_read, store_error
from gated.store.journal import chained, foundation_of, snapshot
from gated.store.list_schema import describe
from gated.store.list_version import ENTRIES
from gated.store.versions import Versions
from gated.store.watchlist import LISTS
from gated.watchlist.freshness import Age

LAST: Final = 100_000  # entries of the journal whose chain is followed: 5,000 take 15 ms
MIB: Final = 2**20
CLOCK_FIX: Final = "see `timedatectl`: start the time service and let it reach its server"


def configuration(loaded: Loaded) -> Finding:
    """It could be read, or nobody would come here."""
    return ok("configuration", f"good, SHA-256 {loaded.sha256[:12]}")


def disk_below(state: Path) -> Finding:
    """Whether it has room, and is not read-only."""
    trouble = disk.look(state)
    if trouble is not None:
        return fault("disk", trouble.code, f"below {state}", trouble.fix)
    at = disk.free_bytes(state)
    return ok("disk", f"{at // MIB} MiB free, {disk.MIN_FREE // MIB} MiB needed")


def journal(state: Path) -> Finding:
    """Whether the newest entries follow from one another."""
    path = state / "journal.db"
    try:
        with closing(open_to_read(path)) as database, snapshot(database):
            return _chain(database)
    except StoreError as error:
        return fault("journal", error.code, "cannot be read", error.fix)
    except sqlite3.Error as error:
        told = store_error(path, error)
        return fault("journal", told.code, "cannot be read", told.fix)


def _chain(database: sqlite3.Connection) -> Finding:
    (last,) = database.execute("SELECT coalesce(max(seq), 0) FROM entries").fetchone()
    base, link_below = foundation_of(database)
    last = max(base, last)
    first = max(base + 1, last - LAST + 1)
    before = database.execute("SELECT hash FROM entries WHERE seq = ?", (first - 1,)).fetchone()
    previous, expected = bytes(before[0]) if before else link_below, first
    rows = database.execute(
        "SELECT seq, utc, event, outcome, hash FROM entries WHERE seq BETWEEN ? AND ? ORDER BY seq",
        (first, last),
    )
    for seq, utc, event, followed, link in rows:
        if chained(previous, seq, utc, event.encode(), followed.encode()) != link:
            return fault(
                "journal",
                "chain_broken",
                f"entry {expected} does not follow from the one before it",
                "change nothing, keep a copy as evidence, run `gatectl journal verify`, tell the operator",
            )
        previous, expected = bytes(link), seq + 1
    whole = "all" if first == base + 1 else f"the last {LAST}"
    return ok("journal", f"{last - base} entries, {whole} of them follow from one another")


def clock(*, required: bool) -> Finding:
    """Whether the kernel holds it for synchronised; `required`: nobody is admitted while it does not."""
    now = now_utc().isoformat(sep=" ", timespec="seconds").removesuffix("+00:00")
    if synchronised():
        return ok("clock", f"{now} UTC, synchronised")
    told = fault if required else warning
    return told("clock", "not_synchronised", f"{now} UTC, nobody keeps it right", CLOCK_FIX)


def lists(loaded: Loaded) -> Finding:
    """How old the list on the disk is, while no gate holds it."""
    versions = Versions(Path(loaded.config.paths.state) / "watchlist" / LISTS / "main")
    now = versions.pointer()
    folder = versions.place(now.content if now else 0)
    try:
        with closing(open_to_read(folder / ENTRIES)) as database:
            header, freshness = describe(database)
    except StoreError as error:
        return fault(
            "watchlist", error.code, "cannot be read", "start gate-link and gated: it is brought anew"
        )
    except (sqlite3.Error, ValueError, TypeError):
        fix = "start gate-link and gated: a damaged list is replaced by a new one"
        return fault("watchlist", "damaged", "cannot be read", fix)
    age_s = Age(freshness).seconds(now_utc().timestamp(), time.monotonic())
    return watchlist(now.version if now else header.version, age_s, loaded.config)
