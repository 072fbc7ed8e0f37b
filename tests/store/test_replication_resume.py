"""A transfer that breaks goes on where it stood; what proves wrong begins anew."""

import hashlib
from collections import deque
from pathlib import Path

import pytest
from tuf.api.exceptions import DownloadLengthMismatchError, LengthOrHashMismatchError
from tuf.api.metadata import TargetFile

from gated.runtime.messages import Fetch, Fetched, FromLink, NotFetched, ToLink
from gated.store.fetching import MAX_BEGUN, Link, LinkDown, LinkFetcher

PIECE = 1000
BODY = bytes(range(256)) * 40
URL = f"targets/watchlist/{hashlib.sha256(BODY).hexdigest()}.snapshot-1.jsonl"


class Line:
    """gate-link in the test's hand: gives so many pieces, then says that the link is gone."""

    def __init__(self) -> None:
        self.body = BODY
        self.pieces = 1000
        self.asked: list[int] = []
        self._answers: deque[FromLink] = deque()

    def send(self, message: ToLink, /) -> bool:
        assert isinstance(message, Fetch)
        self.asked.append(message.offset)
        offset = message.offset
        while self.pieces and offset <= len(self.body):
            piece = self.body[offset : offset + PIECE]
            offset += len(piece)
            self.pieces -= 1
            last = offset == len(self.body)
            self._answers.append(Fetched(number=message.number, body=piece, last=last))
            if last:
                return True
        self._answers.append(NotFetched(number=message.number, reason="no_link"))
        return True

    def receive(self, timeout_s: float, /) -> FromLink | None:
        assert timeout_s >= 0
        return self._answers.popleft() if self._answers else None


@pytest.fixture
def line() -> Line:
    return Line()


@pytest.fixture
def fetcher(line: Line, tmp_path: Path) -> LinkFetcher:
    return LinkFetcher(Link(line, patience_s=0.1), tmp_path)


def fetched(fetcher: LinkFetcher, url: str = URL) -> bytes:
    with fetcher.download_file(url, len(BODY)) as file:
        TargetFile.from_data("x", BODY, ["sha256"]).verify_length_and_hashes(file)
        file.seek(0)
        return file.read()


def test_only_the_rest_is_asked_for_after_the_link_broke(line: Line, fetcher: LinkFetcher) -> None:
    line.pieces = 3
    with pytest.raises(LinkDown):
        fetched(fetcher)
    line.pieces = 1000
    assert fetched(fetcher) == BODY
    assert line.asked == [0, 3 * PIECE]


def test_what_was_begun_survives_a_restart(line: Line, fetcher: LinkFetcher, tmp_path: Path) -> None:
    line.pieces = 3
    with pytest.raises(LinkDown):
        fetched(fetcher)
    line.pieces = 1000
    assert fetched(LinkFetcher(Link(line, patience_s=0.1), tmp_path)) == BODY
    assert line.asked[-1] == 3 * PIECE
    assert not list((tmp_path / "partial").iterdir())


def test_a_whole_that_is_wrong_is_fetched_anew_from_its_beginning(line: Line, fetcher: LinkFetcher) -> None:
    line.pieces, line.body = 3, bytes(len(BODY))
    with pytest.raises(LinkDown):
        fetched(fetcher)
    line.pieces, line.body = 1000, BODY
    with pytest.raises(LengthOrHashMismatchError):
        fetched(fetcher)
    assert fetched(fetcher) == BODY
    assert line.asked == [0, 3 * PIECE, 0]


def test_more_than_was_signed_is_never_kept(line: Line, fetcher: LinkFetcher) -> None:
    line.body = BODY + b"more"
    with pytest.raises(DownloadLengthMismatchError):
        fetched(fetcher)
    line.body = BODY
    assert fetched(fetcher) == BODY


def test_a_file_without_a_hash_in_its_name_always_comes_from_its_beginning(
    line: Line, fetcher: LinkFetcher
) -> None:
    line.pieces = 3
    for _ in range(2):
        with pytest.raises(LinkDown):
            fetched(fetcher, "metadata/timestamp.json")
        line.pieces = 3
    assert line.asked == [0, 0]


def test_of_files_that_never_became_whole_only_some_are_kept(
    line: Line, fetcher: LinkFetcher, tmp_path: Path
) -> None:
    for number in range(MAX_BEGUN + 3):
        line.pieces = 2
        with pytest.raises(LinkDown):
            fetched(fetcher, f"targets/rules/{number:064}.rules.toml")
    assert len(list((tmp_path / "partial").iterdir())) == MAX_BEGUN + 1
