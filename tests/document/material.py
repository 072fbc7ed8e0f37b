"""What the tests of this folder share: worked examples of Doc 9303-11, test data, and how to fuzz."""

import os
import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from hypothesis import settings
from hypothesis import strategies as st

from gated.document.errors import DocumentError

FUZZ = settings(derandomize=True, deadline=None, max_examples=300)

_REPOSITORY = Path(__file__).resolve().parents[2]
_DATA = Path(os.environ.get("EGATE_TEST_DATA") or _REPOSITORY.parent / "shared" / "data")


def test_data(name: str) -> bytes:
    """A file of the shared test data, or a skipped test."""
    path = _DATA / name
    if not path.is_file():
        pytest.skip(f"no test data: {name} (set EGATE_TEST_DATA)")
    return path.read_bytes()


def specimen(name: str) -> bytes:
    return test_data(f"emrtd/lds_specimen/EF_{name}.bin")


test_data.__test__ = False  # type: ignore[attr-defined]  # pytest reads it, functions do not declare it


def damaged(sample: bytes) -> st.SearchStrategy[bytes]:
    """The sample cut, with bytes exchanged, or with bytes put in: near misses find more than noise."""
    places = st.integers(0, max(len(sample) - 1, 0))
    cut = places.map(lambda at: sample[:at])
    changed = st.lists(st.tuples(places, st.integers(0, 255)), min_size=1, max_size=6).map(
        lambda edits: _edited(sample, edits)
    )
    inserted = st.tuples(places, st.binary(min_size=1, max_size=8)).map(
        lambda it: sample[: it[0]] + it[1] + sample[it[0] :]
    )
    return st.one_of(cut, changed, inserted, st.binary(max_size=64))


def _edited(sample: bytes, edits: list[tuple[int, int]]) -> bytes:
    copy = bytearray(sample)
    for at, value in edits:
        copy[at] = value
    return bytes(copy)


def accepts_or_raises(parser: Callable[[bytes], object], error: type[DocumentError], raw: bytes) -> None:
    """The contract of every parser here; whatever else is raised fails the test."""
    try:
        parser(raw)
    except error as refusal:
        _check_refusal(refusal, error)


@contextmanager
def refused(error: type[DocumentError], code: str) -> Iterator[None]:
    """Expect exactly this error with exactly this code."""
    with pytest.raises(error) as refusal:
        yield
    _check_refusal(refusal.value, error)
    assert refusal.value.code == code


def _check_refusal(refusal: DocumentError, error: type[DocumentError]) -> None:
    """Of the one type, with a snake_case code for all its text."""
    assert type(refusal) is error
    assert str(refusal) == refusal.code
    assert re.fullmatch("[a-z0-9_]+", refusal.code)
