import pytest
from hypothesis import given
from hypothesis import strategies as st

from gated.watchlist.replica import (
    MAX_INDEX,
    Backwards,
    Index,
    Plan,
    PublishedDelta,
    PublishedSnapshot,
    parse_index,
    plan,
)
from gated.watchlist.snapshot import ListError


def index(
    version: int, *steps: tuple[int, int], delta_length: int = 10, snapshot_length: int = 1000
) -> Index:
    return Index(
        list="main",
        version=version,
        created="2026-11-23T03:00:00Z",
        snapshot=PublishedSnapshot(path=f"watchlist/snapshot-{version}.jsonl", length=snapshot_length),
        deltas=tuple(
            PublishedDelta(path=f"watchlist/delta-{a}-{b}.jsonl", length=delta_length, base=a, version=b)
            for a, b in steps
        ),
    )


def test_a_gate_without_a_list_takes_the_snapshot() -> None:
    assert plan(0, index(3, (1, 2), (2, 3))) == Plan(version=3, snapshot="watchlist/snapshot-3.jsonl")


def test_a_chain_of_deltas_is_taken_when_it_is_whole_and_shorter() -> None:
    deltas = ("watchlist/delta-1-2.jsonl", "watchlist/delta-2-3.jsonl")
    assert plan(1, index(3, (1, 2), (2, 3))) == Plan(version=3, deltas=deltas)


def test_the_longest_steps_are_taken() -> None:
    assert plan(1, index(4, (1, 2), (1, 3), (2, 3), (3, 4))).deltas == (
        "watchlist/delta-1-3.jsonl",
        "watchlist/delta-3-4.jsonl",
    )


def test_a_gap_means_the_snapshot() -> None:
    assert plan(1, index(4, (2, 3), (3, 4))).snapshot
    assert plan(1, index(4, (1, 2), (3, 4))).snapshot


def test_deltas_longer_than_the_snapshot_are_not_taken() -> None:
    assert plan(1, index(3, (1, 2), (2, 3), delta_length=500)).snapshot


def test_the_same_version_needs_nothing() -> None:
    assert plan(3, index(3, (2, 3))) == Plan(version=3)


def test_a_version_never_goes_backwards() -> None:
    with pytest.raises(Backwards):
        plan(4, index(3, (2, 3)))


@given(
    st.integers(0, 8),
    st.integers(1, 8),
    st.lists(st.tuples(st.integers(1, 8), st.integers(1, 8)), max_size=12),
)
def test_whatever_the_index_says_the_plan_leads_to_its_version(
    here: int, there: int, steps: list[tuple[int, int]]
) -> None:
    try:
        found = plan(here, index(there, *steps))
    except Backwards:
        assert there < here
        return
    assert found.version == there
    at = here
    for path in found.deltas:
        base, version = map(int, path.removeprefix("watchlist/delta-").removesuffix(".jsonl").split("-"))
        assert base == at < version
        at = version
    assert at == there or found.snapshot


@given(st.binary(max_size=300))
def test_an_index_is_read_or_raises_list_error(raw: bytes) -> None:
    with pytest.raises(ListError):
        parse_index(raw)


@pytest.mark.parametrize(
    "path",
    ["watchlist/../x", "../watchlist/x", "/watchlist/x", "watchlist/X", "watchlist/a b", "watchlist/a\\n"],
)
def test_a_path_leads_nowhere_else(path: str) -> None:
    snapshot = f'{{"path":"{path}","length":1}}'
    raw = f'{{"list":"main","version":1,"created":"2026-11-23T03:00:00Z","snapshot":{snapshot}}}'
    with pytest.raises(ListError):
        parse_index(raw.encode())


def test_a_long_index_is_not_even_read() -> None:
    with pytest.raises(ListError, match="index_too_long"):
        parse_index(b" " * (MAX_INDEX + 1))
