"""The gate's database of tokens: each counts once, also after a power cut, and none is kept for ever."""

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from gated.store.database import StoreError
from gated.store.tokens import KEEP_USED_S, MAX_WAITING, TokenStore, Waiting
from tests.lanes.rounds import NEXT, PASSAGE

ONE, TWO = "1" * 16, "2" * 16


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "tokens.db"


@pytest.fixture
def store(path: Path) -> Iterator[TokenStore]:
    store = TokenStore(path)
    yield store
    store.close()


def test_a_token_waits_across_a_restart(path: Path, store: TokenStore) -> None:
    assert store.keep(Waiting(ONE, 100, b"sealed"))
    store.close()
    again = TokenStore(path)
    assert again.waiting() == (Waiting(ONE, 100, b"sealed"),)
    again.close()


def test_a_used_token_is_used_for_every_other_passage_also_after_a_restart(
    path: Path, store: TokenStore
) -> None:
    store.keep(Waiting(ONE, 100, b"sealed"))
    assert store.use([(ONE, 100)], PASSAGE)
    assert store.use([(ONE, 100)], PASSAGE), "the release of the door is renewed"
    assert not store.use([(ONE, 100)], NEXT)
    assert store.waiting() == (), "what was used is not kept"
    store.close()
    again = TokenStore(path)
    assert again.user(ONE) == PASSAGE
    assert not again.use([(ONE, 100)], NEXT)
    again.close()


def test_all_tokens_of_a_document_are_used_at_once(store: TokenStore) -> None:
    store.use([(ONE, 100), (TWO, 90)], PASSAGE)
    assert (store.user(ONE), store.user(TWO)) == (PASSAGE, PASSAGE)


def test_a_process_that_is_killed_after_the_mark_has_used_the_token(path: Path) -> None:
    """The mark is on disk when `use` returns: whatever comes after it, the token does not count again."""
    code = (
        "import os, signal, sys; from pathlib import Path; from gated.store.tokens import TokenStore;"
        f"TokenStore(Path(sys.argv[1])).use([('{ONE}', 100)], '{PASSAGE}');"
        "os.kill(os.getpid(), signal.SIGKILL)"
    )
    done = subprocess.run([sys.executable, "-c", code, str(path)], check=False, env=dict(os.environ))
    assert done.returncode == -signal.SIGKILL
    store = TokenStore(path)
    assert not store.use([(ONE, 100)], NEXT)
    store.close()


def test_what_was_used_is_known_for_a_day_longer_than_it_could_count(store: TokenStore) -> None:
    store.keep(Waiting(TWO, 100, b"sealed"))
    store.use([(ONE, 100)], PASSAGE)
    store.forget_before(100 + KEEP_USED_S - 1)
    assert (store.waiting(), store.user(ONE)) == ((), PASSAGE)
    store.forget_before(100 + KEEP_USED_S)
    assert store.user(ONE) is None


def test_there_is_an_end_to_what_waits(store: TokenStore) -> None:
    for number in range(MAX_WAITING):
        assert store.keep(Waiting(f"{number:016x}", 100, b"sealed"))
    assert not store.keep(Waiting("f" * 16, 100, b"sealed"))


def test_a_disk_that_refuses_the_mark_is_an_error(store: TokenStore) -> None:
    store._connection.execute("PRAGMA query_only = ON")
    with pytest.raises(StoreError):
        store.use([(ONE, 100)], PASSAGE)
    store._connection.execute("PRAGMA query_only = OFF")
    assert store.user(ONE) is None
