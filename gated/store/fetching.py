"""How TUF in `gated` gets its files: gate-link is asked for them, piece by piece, over the peer in the gate.

`gated` has no network. This file turns TUF's question (a path, a longest length) into Fetch messages and the
answers into a stream of bytes. It believes nothing that arrives: it counts bytes, keeps deadlines and leaves
the judgement to TUF. A large file comes in windows of FETCH_PIECES pieces; asking for the next window is the
credit for it, so the queue between the processes never overflows.
"""

import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from time import monotonic
from typing import IO, Protocol

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
        self._alive = alive
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

    def fetch(self, path: str, max_bytes: int) -> Iterator[bytes]:
        """Yield the file's bytes. Raises LinkDown, DownloadHTTPError, DownloadLengthMismatchError."""
        offset, last = 0, False
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
            self._alive()
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


class LinkFetcher(FetcherInterface):
    """TUF's fetcher over gate-link. What is being fetched lies in an unnamed file in `folder`."""

    def __init__(self, link: Link, folder: Path) -> None:
        self._link = link
        self._folder = folder
        self._max_bytes = 0

    @contextmanager
    def download_file(self, url: str, max_length: int) -> Iterator[IO[bytes]]:
        """Yield a file that holds what was fetched; at most `max_length` bytes are ever asked for."""
        self._max_bytes = min(max_length, MAX_PUBLISHED)
        with tempfile.TemporaryFile(dir=self._folder) as file:
            for piece in self.fetch(url):
                file.write(piece)
            file.seek(0)
            yield file

    def _fetch(self, url: str) -> Iterator[bytes]:
        return self._link.fetch(url, self._max_bytes)
