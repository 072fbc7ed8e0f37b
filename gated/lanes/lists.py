"""The lane that keeps the watchlist up to date, and the other kinds: asks gate-link, believes what is signed.

A refresh that fails changes nothing: the list in force goes on being used, and grows older. How old it may
grow is policy, and is not decided here (`gated.lanes.ages`). Only a gate without any list is at fault.
"""

import time

from gated import logs
from gated.core.events import ListsChanged
from gated.core.vocabulary import Device
from gated.lanes.condition import Condition, Post
from gated.runtime.bus import Peer
from gated.runtime.clock import now_utc
from gated.runtime.lanes import Lane
from gated.runtime.messages import FromLink
from gated.store.fetching import Link, LinkFetcher
from gated.store.kinds import KindsUpdater
from gated.store.replication import Failed, Updated, WatchlistUpdater, nothing_beside
from gated.store.watchlist import Watchlist

REFRESH_S = 30.0  # also without an announcement: freshness must be renewed, and announcements can be lost
RETRY_S = 2.0  # after a failure, doubling up to REFRESH_S
PING_S = 5.0

_log = logs.get("lane.lists")


class ListsLane:
    """Refreshes the watchlist, and reports the gate ready as soon as it has one."""

    def __init__(
        self, address: str, watchlist: Watchlist, post: Post, kinds: KindsUpdater | None = None
    ) -> None:
        self.lane = Lane("lists", turn=self._turn, leave=self._leave, period_s=0.0, patience_s=60.0)
        self.condition = Condition(Device.WATCHLIST, post)
        self.link_state = "unknown"
        """What gate-link last said of the central side."""
        self._address = address
        self._watchlist = watchlist
        self._post = post
        self._kinds = kinds
        self._peer: Peer[FromLink] | None = None
        self._link: Link | None = None
        self._updater: WatchlistUpdater | None = None
        self._due = 0.0
        self._retry_s = RETRY_S
        self._pinged_at = 0.0
        self._last_code = ""

    def _turn(self) -> None:
        if self._link is None or self._updater is None:
            self._peer = Peer(self._address, FromLink, bind=True)
            self._link = Link(self._peer, alive=self.lane.alive)
            fetcher = LinkFetcher(self._link, self._watchlist.state)
            beside = nothing_beside if self._kinds is None else self._kinds.beside
            self._updater = WatchlistUpdater(self._watchlist, fetcher, alive=self.lane.alive, beside=beside)
            self._say_ready()
        announced = self._link.wait(0.5)
        if self._kinds is not None:
            self._kinds.go_back_if_asked()
        if self._watchlist.go_back_if_asked():
            self._changed()
            _log.warning("gone back to an earlier watchlist", version=self._watchlist.version)
        now = time.monotonic()
        if now - self._pinged_at >= PING_S:
            self._pinged_at = now
            self._link.ping()
        if announced:
            self._retry_s = RETRY_S  # the line has just been there: should this fail, it is worth trying soon
        if announced or now >= self._due:
            self._refresh(self._updater)
        self.link_state = self._link.state

    def _leave(self) -> None:
        if self._peer is not None:
            self._peer.close()

    def _refresh(self, updater: WatchlistUpdater) -> None:
        result = updater.refresh(now_utc(), time.monotonic())
        if isinstance(result, Failed):
            self._due = time.monotonic() + self._retry_s
            self._retry_s = min(2 * self._retry_s, REFRESH_S)
            if result.code != self._last_code:
                _log.warning("no newer watchlist", code=result.code, fix=result.fix)
            self._last_code = result.code
            if self._watchlist.version == 0:
                self.condition.failed(result.code, result.fix)
            return
        self._due = time.monotonic() + REFRESH_S
        self._retry_s, self._last_code = RETRY_S, ""
        if isinstance(result, Updated):
            self._changed()
            _log.info("watchlist updated", version=result.version, kind=result.by)
        self._say_ready()

    def _changed(self) -> None:
        """Have it on record which list decisions rest on from here."""
        digest = self._watchlist.digest
        self._post(ListsChanged(at=time.monotonic(), version=self._watchlist.version, sha256=digest))

    def _say_ready(self) -> None:
        if self._watchlist.version > 0:
            self.condition.ready()
