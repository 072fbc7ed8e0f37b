"""A central folder in this process, and a fetcher that reads it directly: TUF's view without any network.

A test changes what is published and refreshes; `tamper` changes bytes on their way, as an attacker would.
"""

import shutil
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

from tuf.api.exceptions import DownloadHTTPError
from tuf.ngclient.fetcher import FetcherInterface

from gated.central.folder import CentralFolder
from gated.central.keys import initialise
from gated.central.publish import KEEP_DELTAS, Published, publish
from gated.central.repository import Lifetimes, Repository, newest_root
from gated.store.fetching import LinkDown
from gated.store.replication import Refreshed, WatchlistUpdater
from gated.store.watchlist import LISTS, Watchlist
from gated.watchlist.keyed import ListKeys

COLUMNS = "number,issuer,type,surname,given,birth,nationality,grade,reason,reference\n"
LIFETIMES = Lifetimes()


def document(number: str, grade: str = "stop") -> str:
    return f"{number},UTO,P,,,,,{grade},stolen,R-{number}"


def person(surname: str, given: str, birth: str, grade: str = "refer") -> str:
    return f",,,{surname},{given},{birth},UTO,{grade},exit_ban,C-1"


class Central(FetcherInterface):
    """The central folder, and the way its bytes take to the gate."""

    def __init__(self, folder: Path) -> None:
        self.folder = CentralFolder(folder)
        self.now = datetime.now(UTC)
        self.down = False
        self.tamper: Callable[[str, bytes], bytes] = lambda _, content: content
        self.fetched: list[str] = []
        initialise(self.folder, self.now, LIFETIMES)

    def publish(self, *rows: str, keep: int = KEEP_DELTAS, lifetimes: Lifetimes = LIFETIMES) -> Published:
        source = self.folder.path / "list.csv"
        source.write_text(COLUMNS + "".join(f"{row}\n" for row in rows))
        return publish(self.folder, source, self.now, keep=keep, lifetimes=lifetimes)

    def sign_again(self, *, later_s: float = 0.0, lifetimes: Lifetimes = LIFETIMES) -> None:
        self.now += timedelta(seconds=later_s)
        Repository(self.folder).sign_again(self.now, lifetimes)

    def _fetch(self, url: str) -> Iterator[bytes]:
        if self.down:
            raise LinkDown("no_link")
        self.fetched.append(url)
        path = self.folder.repository / url
        if not path.exists():
            raise DownloadHTTPError("not published", 404)
        yield self.tamper(url, path.read_bytes())


class Gate:
    """A gate's list and its updater, provisioned with the central side's root."""

    def __init__(self, state: Path, central: Central, keys: ListKeys | None = None) -> None:
        (state / "trust").mkdir(parents=True, exist_ok=True)
        shutil.copy(newest_root(central.folder), state / "trust" / "root.json")
        self.state = state
        self.central = central
        self.keys = keys
        self.at = 100.0
        self.open()

    def open(self) -> None:
        self.watchlist = Watchlist.open(self.state, self.keys)
        self.updater = WatchlistUpdater(self.watchlist, self.central)

    def reopen(self) -> None:
        self.watchlist.close()
        self.open()

    def refresh(self) -> Refreshed:
        return self.updater.refresh(self.central.now, self.at)

    def place(self, version: int) -> Path:
        """The folder of a version that this gate holds."""
        return self.state / LISTS / "main" / str(version)

    def age_s(self, later_s: float = 0.0) -> float | None:
        return self.watchlist.age_s(self.central.now + timedelta(seconds=later_s), self.at)
