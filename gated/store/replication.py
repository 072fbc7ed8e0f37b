"""One refresh of the watchlist: fetch, verify, build, switch. Whatever fails, the list in force stays.

What is fetched is verified by `gated.store.signed`. The version in force and the time at which it was vouched
for, which lie with the list, are a second memory against rollback beside TUF's.
"""

import contextlib
from collections.abc import Callable
from datetime import datetime
from pathlib import Path

from tuf.ngclient.fetcher import FetcherInterface

from gated.core.values import Tagged
from gated.store import list_build
from gated.store.document_update import bring
from gated.store.signed import FAILURES, FIXES, Failed, Signed, SignedSource, failed, failure_code
from gated.store.watchlist import ENTRIES, Watchlist, WatchlistError
from gated.watchlist.changes import State
from gated.watchlist.freshness import Freshness
from gated.watchlist.replica import INDEX, MAX_INDEX, Index, Plan, parse_index, plan
from gated.watchlist.snapshot import Header, ListError

__all__ = ["FIXES", "Failed", "Refreshed", "Unchanged", "Updated", "WatchlistUpdater"]

ROOT = Path("trust", "root.json")


class Updated(Tagged):
    """A newer list is in force."""

    version: int
    by: str
    """`snapshot` or `delta`."""


class Unchanged(Tagged):
    """The list in force is the newest; its freshness was renewed."""

    version: int


Refreshed = Updated | Unchanged | Failed
Beside = Callable[[Signed | Failed, datetime], None]
"""What else is taken from the same verified state; or why there is none."""


def _silent() -> None:
    pass


def nothing_beside(_: Signed | Failed, __: datetime) -> None:
    """Take the watchlist alone."""


class WatchlistUpdater:
    """Keeps one Watchlist up to date. Belongs to one thread; lookups may go on in another.

    `alive` is called at least every few seconds while work goes on, for the watchdog. `reached` hears of
    each step of an activation. `root` is the file that trust begins with. `beside` takes the other kinds from
    the state that was verified for the list, after the list, which matters most.
    """

    def __init__(
        self,
        watchlist: Watchlist,
        fetcher: FetcherInterface,
        *,
        root: Path | None = None,
        name: str = "main",
        alive: Callable[[], None] = _silent,
        reached: Callable[[str], None] = lambda _: None,
        beside: Beside = nothing_beside,
    ) -> None:
        self._watchlist = watchlist
        self._source = SignedSource(watchlist.state, root or watchlist.state / ROOT, fetcher)
        self._name = name
        self._alive = alive
        self._reached = reached
        self._beside = beside
        self._seen: tuple[str, Index] | None = None

    def refresh(self, now: datetime, at: float) -> Refreshed:
        """Bring the newest list; `now` is aware UTC, `at` monotonic. What came wrong never raises."""
        try:
            with self._source.open(now, self._watchlist.signed_at) as signed:
                result = self._take(signed, now, at)
                self._beside(signed, now)
                return result
        except FAILURES as error:
            failure = failed(failure_code(error))
        self._beside(failure, now)
        self._stay(now, at)
        return failure

    def _take(self, signed: Signed, now: datetime, at: float) -> Refreshed:
        try:
            return self._refresh(signed, now, at)
        except (*FAILURES, WatchlistError) as error:
            self._stay(now, at)
            return failed(failure_code(error))

    def _stay(self, now: datetime, at: float) -> None:
        with contextlib.suppress(WatchlistError):  # already failed; the list goes on being used
            self._watchlist.remember(now, at)

    def _refresh(self, signed: Signed, now: datetime, at: float) -> Refreshed:
        index = self._index(signed)
        todo = plan(self._watchlist.version, index)
        if todo.snapshot is None and not todo.deltas:
            self._watchlist.remember(now, at, signed.signed_at)
            return Unchanged(version=todo.version)
        freshness = Freshness(signed_at=signed.signed_at, seen_at=max(now.timestamp(), signed.signed_at))
        try:
            header, packed, by = self._build(signed, index, todo, freshness)
            self._reached("built")
            self._watchlist.activate(header, packed, self._reached)
        except BaseException:
            self._watchlist.abandon()
            raise
        return Updated(version=header.version, by=by)

    def _index(self, signed: Signed) -> Index:
        """What is published now; fetched when it is not the one that was seen last."""
        digest = signed.digest(INDEX)
        if self._seen is None or self._seen[0] != digest:
            self._seen = None
            index = parse_index(signed.target(INDEX, MAX_INDEX).read_bytes())
            if index.list != self._name:
                raise ListError("another_list", 1)
            self._seen = digest or "", index
        return self._seen[1]

    def _build(
        self, signed: Signed, index: Index, todo: Plan, freshness: Freshness
    ) -> tuple[Header, State | None, str]:
        folder = self._watchlist.begin()
        header, by = self._persons(folder / ENTRIES, signed, index, todo, freshness)
        if (header.version, header.list) != (index.version, index.list):
            raise ListError("not_what_the_index_says", 1)
        if index.documents is None:
            return header, None, by
        # Last: a build of SQLite that fails costs less than a pack that was fetched for nothing.
        packed, by = bring(
            folder,
            self._watchlist.documents,
            index.documents,
            index.version,
            signed.target,
            self._watchlist.keys,
            self._alive,
        )
        return header, packed, by

    def _persons(
        self, target: Path, signed: Signed, index: Index, todo: Plan, freshness: Freshness
    ) -> tuple[Header, str]:
        """Build the database: the persons, and the documents of a list that is not packed."""
        if todo.deltas:
            # A delta that does not fit is no reason to stay behind: the snapshot needs nothing from here.
            with contextlib.suppress(ListError):
                files = [signed.target(path) for path in todo.deltas]
                header = list_build.from_deltas(target, self._watchlist, files, freshness, self._alive)
                return header, "delta"
        file = signed.target(todo.snapshot or index.snapshot.path)
        keys = self._watchlist.keys
        key = keys[keys.ids[0]] if keys.ids else None  # the first named is the one in use
        return list_build.from_snapshot(target, self._name, file, freshness, self._alive, key), "snapshot"
