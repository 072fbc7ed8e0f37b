"""What the central side has signed, fetched and verified: TUF over whatever brings the bytes.

TUF verifies the metadata (signatures, versions, expiry) and that each file is the very one that was signed.
The root of trust is a file that is put there when the gate is installed; there is no default and nothing from
the network can take its place. Each kind of content is delegated to a role of its own: what is wrong with one
hinders no other. The timestamp carries the time at which the central side last vouched for everything.

TUF judges expiry by the system clock. Its memory against rollback lies in a folder and may be lost with the
disk's last writes, so whoever takes a file into use keeps a second one.
"""

import contextlib
import errno
import shutil
import sqlite3
from collections.abc import Iterator
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
from gated.store.fetching import LinkDown
from gated.watchlist.publication import ROLES
from gated.watchlist.replica import SIGNED_AT, Backwards
from gated.watchlist.snapshot import ListError

MAX_ROOT = 512_000
MAX_AHEAD_S = 300.0  # a word from a later future than two synchronised clocks explain would never grow old

# Lengths that TUF may ask for; ours are far smaller than its defaults: some kinds, a few keys each.
LIMITS = UpdaterConfig(
    max_root_rotations=64,
    max_delegations=len(ROLES) + 1,
    root_max_length=MAX_ROOT,
    timestamp_max_length=16_384,
    snapshot_max_length=64_000,
    targets_max_length=4_000_000,
)

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
    "no_list_key": "the list's key is not here: carry it over from the centre, name it in [watchlist] keys",
    "too_many_changes": "more changed than fits beside a pack: make a new list key, and publish anew",
    "disk_full": "free space on the state disk",
    "disk": "check the state disk and its rights",
    "not_usable_here": "signed, but this gate cannot use it: withdraw it, see the gate's log for the reason",
    "nothing_to_go_back_to": "no earlier release is kept here: withdraw the wrong one at the centre",
    "withdrawn": "what is in force here was withdrawn, and nothing replaces it: publish a release",
}


class Failed(Tagged):
    """Nothing changed. `code` says why, and `fix` what to do about it."""

    code: str
    fix: str


class NoTrust(Exception):
    """There is no root of trust to begin with."""


class ClockAhead(Exception):
    """The central side's word is from a later future than synchronised clocks explain."""


class NotUsable(Exception):
    """Signed content that this gate cannot use; the text is for the log and quotes nothing of it."""


class Signed:
    """One verified state of what is published."""

    def __init__(self, tuf: Updater, signed_at: float) -> None:
        self._tuf = tuf
        self.signed_at = signed_at
        """When the central side vouched for it, in seconds since 1970."""

    def digest(self, path: str) -> str | None:
        """The SHA-256 of a published file, without fetching it; None where there is none of this path.

        Raises DownloadError, RepositoryError, OSError.
        """
        info = self._tuf.get_targetinfo(path)
        return None if info is None else info.hashes.get("sha256", "")

    def target(self, path: str, max_length: int | None = None) -> Path:
        """Fetch a signed file; its length and hash are verified before it is given out.

        Raises DownloadError, RepositoryError, OSError.
        """
        info = self._tuf.get_targetinfo(path)
        if info is None:
            raise DownloadHTTPError("not published", 404)
        if max_length is not None and info.length > max_length:
            raise DownloadLengthMismatchError("longer than allowed")
        return Path(self._tuf.download_target(info))


class SignedSource:
    """Where signed content comes from: `fetcher` brings bytes, `root` is the file that trust begins with.

    Metadata are kept in `folder/tuf`, files that came in `folder/incoming` until the block of `open` ends.
    """

    def __init__(self, folder: Path, root: Path, fetcher: FetcherInterface) -> None:
        self._root = root
        self._fetcher = fetcher
        self._metadata = folder / "tuf"
        self._incoming = folder / "incoming"

    @contextlib.contextmanager
    def open(self, now: datetime, not_before: float) -> Iterator[Signed]:
        """Verify what is published now; `now` is aware UTC, `not_before` the last word that was believed.

        Raises NoTrust, ClockAhead, DownloadError, RepositoryError, OSError.
        """
        self._prepare()
        try:
            if (root := _trusted_root(self._root)) is None:
                raise NoTrust
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
            signed_at = self._signed_at(not_before)
            if signed_at > now.timestamp() + MAX_AHEAD_S:
                raise ClockAhead
            yield Signed(tuf, signed_at)
        finally:
            shutil.rmtree(self._incoming, ignore_errors=True)

    def _prepare(self) -> None:
        """Fresh folders; what an interrupted TUF left unnamed is swept."""
        shutil.rmtree(self._incoming, ignore_errors=True)
        self._incoming.mkdir(parents=True)
        self._metadata.mkdir(exist_ok=True)
        for leftover in self._metadata.glob("tmp*"):
            leftover.unlink(missing_ok=True)

    def _signed_at(self, not_before: float) -> float:
        """When the verified timestamp was signed. Raises RepositoryError if before the last one."""
        timestamp = Metadata[Timestamp].from_bytes((self._metadata / "timestamp.json").read_bytes()).signed
        try:
            stamp = datetime.strptime(timestamp.unrecognized_fields[SIGNED_AT], "%Y-%m-%dT%H:%M:%S%z")
        except (KeyError, TypeError, ValueError) as error:
            raise RepositoryError("the timestamp does not say when it was signed") from error
        signed_at = stamp.timestamp()
        if signed_at < not_before:
            raise BadVersionNumberError("the timestamp was signed before the last one")
        return signed_at


_OF_LISTS = {"unknown_key": "no_list_key", "too_many_changes": "too_many_changes"}
"""What is wrong with a list, where a person can do more about it than about other malformed ones."""

# What a refresh may raise because of what came, or of the disk; anything else is a fault of this software.
FAILURES = (
    NoTrust,
    ClockAhead,
    NotUsable,
    DownloadError,
    RepositoryError,
    Backwards,
    ListError,
    OSError,
    sqlite3.Error,
)


def failed(code: str) -> Failed:
    """A failure with what to do about it."""
    return Failed(code=code, fix=FIXES[code])


def failure_code(error: Exception) -> str:
    """Name the fault. The order matters: TUF's exceptions are a family."""
    if isinstance(error, LinkDown):
        return "refused" if error.reason == "refused" else "link_down"
    by_type: tuple[tuple[type[Exception], str], ...] = (
        (NoTrust, "no_trust"),
        (ClockAhead, "clock"),
        (NotUsable, "not_usable_here"),
        (Backwards, "rollback"),
        (DownloadHTTPError, "missing"),
        (DownloadLengthMismatchError, "oversized"),
        (DownloadError, "link_down"),
        (UnsignedMetadataError, "bad_signature"),
        (ExpiredMetadataError, "expired"),
        (BadVersionNumberError, "rollback"),
        (LengthOrHashMismatchError, "bad_hash"),
        (RepositoryError, "malformed"),
        (ListError, "malformed"),
    )
    if isinstance(error, ListError) and error.code in _OF_LISTS:
        return _OF_LISTS[error.code]
    disk = "disk_full" if _is_full(error) else "disk"
    return next((code for kind, code in by_type if isinstance(error, kind)), disk)


def _trusted_root(path: Path) -> bytes | None:
    try:
        with path.open("rb") as file:
            root = file.read(MAX_ROOT + 1)
    except FileNotFoundError:
        return None
    return root if len(root) <= MAX_ROOT else None


def _is_full(error: Exception) -> bool:
    full = isinstance(error, OSError) and error.errno in {errno.ENOSPC, errno.EDQUOT}
    return full or getattr(error, "sqlite_errorname", "") == "SQLITE_FULL"
