"""How TUF in `gated` gets its files: gate-link is asked for them, piece by piece, over the peer in the gate.

`gated` has no network. This file turns TUF's question (a path, a longest length) into Fetch messages and the
answers into a stream of bytes. It believes nothing that arrives: it counts bytes, keeps deadlines and leaves
the judgement to TUF. A large file comes in windows of FETCH_PIECES pieces; asking for the next window is the
credit for it, so the queue between the processes never overflows.

What came of a published file before the link broke is kept, and only the rest is asked for the next time: its
name carries its hash, so it is the same file. If the whole then proves wrong, nothing of it is kept.
"""

import io
import re
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from time import monotonic
from typing import IO, Any, Protocol

from tuf.api.exceptions import DownloadError, DownloadHTTPError, DownloadLengthMismatchError
from tuf.ngclient.fetcher import FetcherInterface

from gated.runtime.messages import (
    FETCH_PIECE,
    FETCH_PIECES,
    Announced,
    Fetch,
    Fetched,
    FromLink,
    NotFetched,
    Ping,
    Pong,
    ToLink,
)
from gated.watchlist.replica import MAX_PUBLISHED

MAX_BEGUN = 3  # files that are kept though they never became whole
_KEEPS_ITS_BYTES = re.compile(r"targets/[a-z]+/[0-9a-f]{64}\.")  # named by their hash (TUF)


class LinkDown(DownloadError):
    """The bytes did not come; `reason` is gate-link's word, or `silent` when gate-link says nothing."""

    def __init__(self, reason: str) -> None:
        super().__init__(f"gate-link: {reason}")
        self.reason = reason


class LinkPeer(Protocol):
    """The end of the pair that `gated` holds."""

    def send(self, message: ToLink, /) -> bool:
        """Queue a message without waiting; False when the other end takes no more."""

    def receive(self, timeout_s: float, /) -> FromLink | None:
        """Return the next message, or None when none came in time."""


class Link:
    """The conversation with gate-link. Belongs to one thread.

    `patience_s` must exceed gate-link's own time-out, so that its `no_link` arrives as such.
    """

    def __init__(
        self, peer: LinkPeer, patience_s: float = 10.0, alive: Callable[[], None] = lambda: None
    ) -> None:
        self._peer = peer
        self._patience_s = patience_s
        self.alive = alive
        """Told while work goes on, for the watchdog."""
        self._number = 0
        self._announced = False
        self.answered_at: float | None = None
        """Monotonic time of the last message from gate-link."""
        self.state = "unknown"
        """gate-link's last word about the central side: `live`, `no_link`, `refused`."""

    def ping(self) -> None:
        """Ask gate-link for a sign of life."""
        self._number += 1
        self._peer.send(Ping(number=self._number))

    def wait(self, timeout_s: float) -> bool:
        """Listen for at most `timeout_s`; True as soon as the central side has announced something."""
        deadline = monotonic() + timeout_s
        while not self._announced and (left := deadline - monotonic()) > 0:
            self._next(left)
        announced, self._announced = self._announced, False
        return announced

    def fetch(self, path: str, max_bytes: int, offset: int = 0) -> Iterator[bytes]:
        """Yield the file's bytes from `offset` on.

        Raises LinkDown, DownloadHTTPError, DownloadLengthMismatchError.
        """
        last = False
        while not last:
            self._number += 1
            if not self._peer.send(Fetch(number=self._number, path=path, max_bytes=max_bytes, offset=offset)):
                raise LinkDown("silent")
            for _ in range(FETCH_PIECES):
                piece = self._piece(self._number)
                offset += len(piece.body)
                if offset > max_bytes or len(piece.body) > FETCH_PIECE:
                    raise DownloadLengthMismatchError("gate-link sent more than was asked for")
                yield piece.body
                last = piece.last
                if last:
                    break
                if not piece.body:
                    raise LinkDown("empty_piece")

    def _piece(self, number: int) -> Fetched:
        deadline = monotonic() + self._patience_s
        while (left := deadline - monotonic()) > 0:
            message = self._next(min(left, 1.0))
            self.alive()
            if isinstance(message, Fetched) and message.number == number:
                return message
            if isinstance(message, NotFetched) and message.number == number:
                if message.reason == "missing":
                    raise DownloadHTTPError("not published", 404)
                if message.reason == "too_long":
                    raise DownloadLengthMismatchError("the published file is longer than allowed")
                raise LinkDown(message.reason)
        raise LinkDown("silent")

    def _next(self, timeout_s: float) -> FromLink | None:
        message = self._peer.receive(timeout_s)
        if message is not None:
            self.answered_at = monotonic()
        if isinstance(message, Announced):
            self._announced = True
        if isinstance(message, Pong):
            self.state = message.camera
        return message


class _Heard(io.FileIO):
    """A file that says when it is read: to hash and to copy a gigabyte takes a slow disk a minute."""

    def __init__(self, path: Path, alive: Callable[[], None]) -> None:
        super().__init__(path)
        self._alive = alive

    def read(self, size: int | None = -1, /) -> bytes:
        self._alive()
        return super().read(size)

    def readinto(self, buffer: Any, /) -> int:
        self._alive()
        return super().readinto(buffer)


class LinkFetcher(FetcherInterface):
    """TUF's fetcher over gate-link. What is being fetched lies in an unnamed file in `folder`.

    A file of the targets lies in `folder/partial` meanwhile, and stays there while it is not whole.
    """

    def __init__(self, link: Link, folder: Path) -> None:
        self._link = link
        self._folder = folder
        self._partial = folder / "partial"
        self._max_bytes = 0

    @contextmanager
    def download_file(self, url: str, max_length: int) -> Iterator[IO[bytes]]:
        """Yield a file that holds what was fetched; at most `max_length` bytes are ever asked for."""
        self._max_bytes = min(max_length, MAX_PUBLISHED)
        if not _KEEPS_ITS_BYTES.match(url):
            with tempfile.TemporaryFile(dir=self._folder) as file:
                for piece in self.fetch(url):
                    file.write(piece)
                file.seek(0)
                yield file
            return
        path = self._begun(url)
        with path.open("ab+") as file:
            if (here := file.tell()) > self._max_bytes:
                file.truncate(0)
                here = 0
            for piece in self._link.fetch(url, self._max_bytes, here):
                file.write(piece)
        with _Heard(path, self._link.alive) as whole:
            path.unlink()  # right or wrong, it is not asked for again from where it ends
            yield whole

    def _begun(self, url: str) -> Path:
        """Where a published file is collected; of others that were begun only the latest few are kept."""
        self._partial.mkdir(exist_ok=True)
        path = self._partial / url.rpartition("/")[2]
        others = sorted(
            (each for each in self._partial.iterdir() if each != path), key=lambda each: each.stat().st_mtime
        )
        for old in others[: max(0, len(others) - MAX_BEGUN)]:
            old.unlink()
        return path

    def _fetch(self, url: str) -> Iterator[bytes]:
        return self._link.fetch(url, self._max_bytes)
