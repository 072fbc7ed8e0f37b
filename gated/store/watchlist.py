"""The list that this gate decides by, and how a newer one takes its place.

Each version lies in a folder of its own (`gated.store.versions`). A new one is built beside, verified,
opened, and put in force by one rename; only then do lookups turn to it, between one question and the next. If
the list in force cannot be read at the start, the one before serves, with its own version and its own age,
until the next refresh brings the newest again.

Lookups may come from one thread while another builds and switches; the lock is held for one question, or for
the exchange of two references. Without a list there is no answer, and no answer is an error: an empty list is
never assumed.
"""

import sqlite3
import threading
from collections.abc import Callable
from datetime import datetime
from hashlib import sha256
from pathlib import Path
from typing import Self

from gated.core.policy import USUAL_HITS, PersonHits
from gated.store.documents import Documents
from gated.store.list_version import ENTRIES, UNREADABLE, ListVersion
from gated.store.versions import FORMAT, Contents, NothingBefore, Pointer, Versions
from gated.watchlist.changes import State
from gated.watchlist.freshness import Age
from gated.watchlist.keyed import ListKeys
from gated.watchlist.match import Answer, DocumentClaim, PersonClaim
from gated.watchlist.snapshot import Header, ListError

LISTS = "lists"
_NO_KEY = "this gate does not hold the key of its list: [watchlist] keys"


class WatchlistError(Exception):
    """The list cannot be asked; the text tells the technician why."""


class NoWatchlist(WatchlistError):
    """This gate has never had a list, or holds no key for the one it has."""


def _silent(_: str) -> None:
    pass


class Watchlist:
    """The list that is in force. Make it with `open`."""

    def __init__(self, state: Path, keys: ListKeys, name: str, person_hits: PersonHits) -> None:
        self._state = state
        self._keys = keys
        self._person_hits = person_hits
        self._versions = Versions(state / LISTS / name)
        self._lock = threading.Lock()
        self._list: ListVersion | None = None
        self._version = 0
        self._age: Age | None = None
        self._why = "there is no watchlist yet: check the link and the central server"

    @classmethod
    def open(
        cls,
        state: Path,
        keys: ListKeys | None = None,
        name: str = "main",
        person_hits: PersonHits = USUAL_HITS,
    ) -> Self:
        """Open the list under the state folder; there may be none yet. Raises OSError.

        `keys` are those that packed documents may be made under, `person_hits` the policy about persons.
        """
        state.mkdir(parents=True, exist_ok=True)
        watchlist = cls(state, keys or ListKeys(), name, person_hits)
        watchlist._versions.sweep()
        watchlist._attach_best()
        return watchlist

    @property
    def state(self) -> Path:
        """The folder that lists, metadata and what is on its way live in."""
        return self._state

    @property
    def keys(self) -> ListKeys:
        """The keys that this gate holds."""
        return self._keys

    @property
    def header(self) -> Header | None:
        """What list is in force; None before the first. It counts no packed documents."""
        return self._list.header if self._list else None

    @property
    def documents(self) -> Documents | None:
        """The packed documents of the list in force, if it has any."""
        return self._list.documents if self._list else None

    @property
    def version(self) -> int:
        """The version in force; 0 before the first list."""
        return self._version

    @property
    def content(self) -> int:
        """The version that the list in force was published as: an earlier one after going back."""
        return self._list.header.version if self._list else 0

    @property
    def digest(self) -> str:
        """The digest of the list in force, for the record; empty before the first."""
        if self._list is None:
            return ""
        header, documents = self._list.header, self._list.documents
        if documents is None:
            return header.digest
        return sha256(f"{header.digest}{documents.state.digest}".encode()).hexdigest()

    @property
    def signed_at(self) -> float:
        """When the central side last vouched for its list, in seconds since 1970; 0 before the first."""
        return self._age.freshness.signed_at if self._age else 0.0

    def age_s(self, now: datetime, at: float) -> float | None:
        """Seconds since the central side last vouched for this list; None before the first.

        `now` is aware UTC, `at` the monotonic time. A clock that goes back does not make it younger.
        """
        with self._lock:
            return self._age.seconds(now.timestamp(), at) if self._age else None

    def lookup(self, *, document: DocumentClaim | None = None, person: PersonClaim | None = None) -> Answer:
        """Ask the list. Raises NoWatchlist, or WatchlistError when it cannot be read."""
        with self._lock:
            if self._list is None:
                raise NoWatchlist(self._why)
            try:
                hits = self._list.lookup(document, person, self._person_hits)
                return Answer(version=self._version, hits=hits)
            except UNREADABLE as error:
                raise WatchlistError("the watchlist cannot be read: check the disk") from error

    def remember(self, now: datetime, at: float, signed_at: float | None = None) -> None:
        """Keep on disk what time it is, and the verified word if one came. Raises WatchlistError.

        After going back, a word about what is published says nothing for what is in force, which grows older.
        """
        with self._lock:
            if self._list is None or self._age is None:
                return
            if signed_at is not None and self.content == self._version:
                self._age.confirm(signed_at, now.timestamp(), at)
            self._age.seconds(now.timestamp(), at)
            try:
                self._list.keep(self._age.freshness)
            except UNREADABLE as error:
                raise WatchlistError("the watchlist cannot be written: check the disk") from error

    def copy_into(self, target: sqlite3.Connection, alive: Callable[[], None]) -> None:
        """Copy the database of the list in force into another; lookups go on. Raises NoWatchlist."""
        if self._list is None:
            raise NoWatchlist("there is no watchlist to start from")
        self._list.copy_into(target, alive)

    @property
    def persons_key(self) -> str | None:
        """The id of the key that the persons of the list in force are sealed under; None if they are not."""
        return self._list.persons.key_id if self._list and self._list.persons else None

    def copy_persons_to(self, target: Path, alive: Callable[[], None]) -> None:
        """Copy the sealed persons in force into a file; lookups go on. Raises NoWatchlist, StoreError."""
        if self._list is None or self._list.persons is None:
            raise NoWatchlist("there are no sealed persons to start from")
        self._list.persons.copy_to(target, alive)

    def begin(self) -> Path:
        """A folder to build the next version in: its database is to be `ENTRIES`. Raises OSError."""
        return self._versions.begin()

    def abandon(self) -> None:
        """Throw away what was being built."""
        self._versions.abandon()

    def activate(
        self, header: Header, packed: State | None = None, reached: Callable[[str], None] = _silent
    ) -> None:
        """Put what was built and verified in force. Raises WatchlistError, OSError.

        `packed`: which packed documents lie beside the database. `reached` is told after each step; what
        is on disk then has a whole list in force, whatever happens next.
        """
        if header.version <= self._version:
            raise WatchlistError("a watchlist is replaced by a newer one only")
        contents = Contents(format=FORMAT, version=header.version, documents=packed)
        content = self.content or None
        self._versions.name(contents, reached)
        pointer = Pointer(version=header.version, content=header.version, previous=content)
        self._exchange(pointer, reached)

    def roll_back(self, reached: Callable[[str], None] = _silent) -> None:
        """Put the content before in force, under the number of the present one.

        Raises NothingBefore, WatchlistError, OSError.
        """
        now = self._versions.pointer()
        if now is None or now.previous is None or now.content != self.content:
            raise NothingBefore
        self._exchange(Pointer(version=now.version, content=now.previous), reached)

    def go_back_if_asked(self) -> bool:
        """Put the content before in force where somebody asked for it (`ask_back`); whether it is now.

        What could not be done is not tried again: they ask, and look.
        """
        asked = self._versions.place_of_asking
        try:
            asked.unlink()
            self.roll_back()
        except (OSError, NothingBefore, WatchlistError):
            return False
        return True

    def close(self) -> None:
        """Leave the list. Idempotent."""
        with self._lock:
            if self._list is not None:
                self._list.close()
            self._list = None

    def _exchange(self, pointer: Pointer, reached: Callable[[str], None]) -> None:
        """Open a content, put it in force, and let lookups turn to it."""
        try:
            following = ListVersion.open(self._versions.place(pointer.content), self._keys)
            try:
                age = Age(following.freshness)
                self._versions.point(pointer, reached)
            except BaseException:
                following.close()
                raise
        except (sqlite3.Error, ListError) as error:
            self._versions.sweep()
            raise WatchlistError(
                "what was built cannot be opened: check the disk and the list keys"
            ) from error
        with self._lock:
            before, self._list = self._list, following
            self._version, self._age = pointer.version, age
        if before is not None:
            before.close()
        self._versions.sweep()
        reached("settled")

    def _attach_best(self) -> None:
        """Take the list, or the previous one where the list cannot be read (a damaged file is never kept)."""
        pointer = self._versions.pointer()
        for content in self._versions.candidates():
            try:
                self._attach(content)
            except UNREADABLE as error:
                if isinstance(error, ListError) and error.code == "unknown_key":
                    self._why = _NO_KEY
                continue
            stands = pointer is not None and pointer.content == content
            self._version = pointer.version if pointer and stands else content
            return

    def _attach(self, content: int) -> None:
        """Take the list of one folder. Raises UNREADABLE."""
        found = ListVersion.open(self._versions.place(content), self._keys)
        try:
            self._age = Age(found.freshness)
        except BaseException:
            found.close()
            raise
        self._list = found


def ask_back(state: Path, name: str = "main") -> Pointer:
    """Ask the gate to put the content before in force; return what will be.

    Raises NothingBefore, OSError.
    """
    versions = Versions(state / LISTS / name)
    now = versions.pointer()
    if now is None or now.previous is None:
        raise NothingBefore
    versions.place_of_asking.touch(mode=0o600)
    return Pointer(version=now.version, content=now.previous)


def held(state: Path, keys: ListKeys, name: str = "main") -> tuple[Pointer, ListVersion]:
    """The list in force as it lies on disk, to be read beside the process that owns it.

    Raises NoWatchlist, WatchlistError.
    """
    versions = Versions(state / LISTS / name)
    for _ in range(2):  # a version may be swept between the pointer and the opening
        if (now := versions.pointer()) is None:
            raise NoWatchlist("this gate has no watchlist: check the link and the central server")
        try:
            return now, ListVersion.open(versions.place(now.content), keys, "ro")
        except UNREADABLE as error:
            failure = error
    if isinstance(failure, ListError) and failure.code == "unknown_key":
        raise NoWatchlist(_NO_KEY) from failure
    raise WatchlistError("the watchlist cannot be read: check the disk, and who may read it") from failure


__all__ = ["ENTRIES", "NoWatchlist", "NothingBefore", "Watchlist", "WatchlistError", "ask_back", "held"]
