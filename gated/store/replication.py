"""One refresh of the watchlist: fetch, verify, build, switch. Whatever fails, the list in force stays.

TUF verifies the metadata (signatures, versions, expiry) and that each file is the very one that was signed.
The root of trust is `<state>/trust/root.json`, put there when the gate is installed; there is no default and
nothing from the network can take its place. The timestamp carries the time at which the central side last
vouched for its list, and that, once verified, is the gate's freshness.

TUF's own memory against rollback lies in `<state>/tuf` and may be lost with the disk's last writes, so the
version and the signed time in `watchlist.db` are a second one. TUF judges expiry by the system clock.
"""

import contextlib
import errno
import shutil
import sqlite3
from collections.abc import Callable
from datetime import datetime
from pathlib import Path

from tuf.api.exceptions import (
    BadVersionNumberError,
    DownloadError,
    DownloadHTTPError,
    DownloadLengthMismatchError,
    ExpiredMetadataError,
    LengthOrHashMismatchError,
    RepositoryError,
    UnsignedMetadataError,
)
from tuf.api.metadata import Metadata, Timestamp
from tuf.ngclient import Updater, UpdaterConfig
from tuf.ngclient.fetcher import FetcherInterface

from gated.core.values import Tagged
from gated.store import list_build
from gated.store.fetching import LinkDown
from gated.store.watchlist import NEXT, Watchlist, WatchlistError
from gated.watchlist.freshness import Freshness
from gated.watchlist.replica import INDEX, MAX_INDEX, SIGNED_AT, Backwards, Index, Plan, parse_index, plan
from gated.watchlist.snapshot import Header, ListError

ROOT = Path("trust", "root.json")
MAX_ROOT = 512_000
MAX_AHEAD_S = 300.0  # a word from a later future than two synchronised clocks explain would never grow old

# Lengths that TUF may ask for; ours are far smaller than its defaults: one list, a few keys.
LIMITS = UpdaterConfig(
    max_root_rotations=64,
    max_delegations=1,
    root_max_length=MAX_ROOT,
    timestamp_max_length=16_384,
    snapshot_max_length=64_000,
    targets_max_length=1_000_000,
)


class Updated(Tagged):
    """A newer list is in force."""

    version: int
    by: str
    """`snapshot` or `delta`."""


class Unchanged(Tagged):
    """The list in force is the newest; its freshness was renewed."""

    version: int


class Failed(Tagged):
    """Nothing changed. `code` says why, and `fix` what to do about it."""

    code: str
    fix: str


Refreshed = Updated | Unchanged | Failed

FIXES = {
    "no_trust": "put the central server's root.json into the gate's trust folder",
    "link_down": "check the cable, the central server and the status of gate-link",
    "refused": "allow this gate's key on the central server (gate-central keys)",
    "missing": "publish a list on the central server (gate-central publish)",
    "oversized": "what is published exceeds the gate's limits: publish a smaller list",
    "expired": "the metadata's time is over: check both clocks and that gate-central serve runs",
    "clock": "the central server's time is ahead of this gate's: synchronise both clocks",
    "rollback": "an older state than the gate knows was offered: check the central server and the network",
    "bad_signature": "not signed by the keys that this gate trusts: check root.json and the network",
    "bad_hash": "the bytes are not those that were signed: check the network; tried again by itself",
    "malformed": "signed, but not a list that this version understands: publish again, or update",
    "disk_full": "free space on the state disk",
    "disk": "check the state disk and its rights",
}


def _silent() -> None:
    pass


class WatchlistUpdater:
    """Keeps one Watchlist up to date. Belongs to one thread; lookups may go on in another.

    `alive` is called at least every few seconds while work goes on, for the watchdog. `reached` hears of
    each step of an activation. `root` is the file that trust begins with.
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
    ) -> None:
        self._watchlist = watchlist
        self._fetcher = fetcher
        self._root = root or watchlist.state / ROOT
        self._name = name
        self._alive = alive
        self._reached = reached
        self._metadata = watchlist.state / "tuf"
        self._incoming = watchlist.state / "incoming"

    def refresh(self, now: datetime, at: float) -> Refreshed:
        """Bring the newest list; `now` is aware UTC, `at` monotonic. What came wrong never raises."""
        try:
            return self._refresh(now, at)
        except (DownloadError, RepositoryError) as error:
            code = _code(error)
        except Backwards:
            code = "rollback"
        except ListError:
            code = "malformed"
        except (OSError, sqlite3.Error, WatchlistError) as error:
            code = "disk_full" if _is_full(error) else "disk"
        finally:
            shutil.rmtree(self._incoming, ignore_errors=True)
        with contextlib.suppress(WatchlistError):  # already failed; the list goes on being used
            self._watchlist.remember(now, at)
        return _failed(code)

    def _refresh(self, now: datetime, at: float) -> Refreshed:
        self._prepare()
        if (root := _trusted_root(self._root)) is None:
            return _failed("no_trust")
        tuf = Updater(
            str(self._metadata),
            "metadata",
            str(self._incoming),
            "targets",
            fetcher=self._fetcher,
            config=LIMITS,
            bootstrap=root,
        )
        tuf.refresh()
        signed_at = self._signed_at()
        if signed_at > now.timestamp() + MAX_AHEAD_S:
            return _failed("clock")
        index = self._index(tuf)
        todo = plan(self._watchlist.version, index)
        if todo.snapshot is None and not todo.deltas:
            self._watchlist.remember(now, at, signed_at)
            return Unchanged(version=todo.version)
        freshness = Freshness(signed_at=signed_at, seen_at=max(now.timestamp(), signed_at))
        header, by = self._build(tuf, index, todo, freshness)
        if (header.version, header.list) != (index.version, index.list):
            (self._watchlist.state / NEXT).unlink()
            raise ListError("not_what_the_index_says", 1)
        self._reached("built")
        self._watchlist.activate(self._reached)
        return Updated(version=header.version, by=by)

    def _prepare(self) -> None:
        """Fresh folders; what an interrupted TUF left unnamed is swept."""
        shutil.rmtree(self._incoming, ignore_errors=True)
        self._incoming.mkdir(parents=True)
        self._metadata.mkdir(exist_ok=True)
        for leftover in self._metadata.glob("tmp*"):
            leftover.unlink(missing_ok=True)

    def _signed_at(self) -> float:
        """When the verified timestamp was signed. Raises RepositoryError if before the last one."""
        timestamp = Metadata[Timestamp].from_bytes((self._metadata / "timestamp.json").read_bytes()).signed
        try:
            stamp = datetime.strptime(timestamp.unrecognized_fields[SIGNED_AT], "%Y-%m-%dT%H:%M:%S%z")
        except (KeyError, TypeError, ValueError) as error:
            raise RepositoryError("the timestamp does not say when it was signed") from error
        signed_at = stamp.timestamp()
        if signed_at < self._watchlist.signed_at:
            raise BadVersionNumberError("the timestamp was signed before the last one")
        return signed_at

    def _index(self, tuf: Updater) -> Index:
        index = parse_index(self._target(tuf, INDEX, MAX_INDEX).read_bytes())
        if index.list != self._name:
            raise ListError("another_list", 1)
        return index

    def _target(self, tuf: Updater, path: str, max_length: int | None = None) -> Path:
        """Fetch a signed file; its length and hash are verified before it is given out."""
        info = tuf.get_targetinfo(path)
        if info is None:
            raise DownloadHTTPError("not published", 404)
        if max_length is not None and info.length > max_length:
            raise DownloadLengthMismatchError("longer than allowed")
        return Path(tuf.download_target(info))

    def _build(self, tuf: Updater, index: Index, todo: Plan, freshness: Freshness) -> tuple[Header, str]:
        target = self._watchlist.state / NEXT
        if todo.deltas:
            # A delta that does not fit is no reason to stay behind: the snapshot needs nothing from here.
            with contextlib.suppress(ListError):
                files = [self._target(tuf, path) for path in todo.deltas]
                header = list_build.from_deltas(target, self._watchlist, files, freshness, self._alive)
                return header, "delta"
        file = self._target(tuf, todo.snapshot or index.snapshot.path)
        return list_build.from_snapshot(target, self._name, file, freshness, self._alive), "snapshot"


def _trusted_root(path: Path) -> bytes | None:
    try:
        with path.open("rb") as file:
            root = file.read(MAX_ROOT + 1)
    except FileNotFoundError:
        return None
    return root if len(root) <= MAX_ROOT else None


def _failed(code: str) -> Failed:
    return Failed(code=code, fix=FIXES[code])


def _code(error: Exception) -> str:
    """Name the fault. The order matters: TUF's exceptions are a family."""
    if isinstance(error, LinkDown):
        return "refused" if error.reason == "refused" else "link_down"
    by_type: tuple[tuple[type[Exception], str], ...] = (
        (DownloadHTTPError, "missing"),
        (DownloadLengthMismatchError, "oversized"),
        (DownloadError, "link_down"),
        (UnsignedMetadataError, "bad_signature"),
        (ExpiredMetadataError, "expired"),
        (BadVersionNumberError, "rollback"),
        (LengthOrHashMismatchError, "bad_hash"),
    )
    return next((code for kind, code in by_type if isinstance(error, kind)), "malformed")


def _is_full(error: Exception) -> bool:
    full = isinstance(error, OSError) and error.errno in {errno.ENOSPC, errno.EDQUOT}
    return full or getattr(error, "sqlite_errorname", "") == "SQLITE_FULL"
