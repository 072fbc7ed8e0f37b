"""Releases and roll-out: who takes what, and that nobody ever goes back."""

from typing import get_args

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from gated.watchlist.publication import (
    FORMAT,
    KINDS,
    MAX_KIND_INDEX,
    USES,
    Kind,
    KindIndex,
    PublishedFile,
    Release,
    Stage,
    groups_of,
    parse_kind_index,
    reaches,
    wanted,
)
from gated.watchlist.snapshot import ListError

UTC = "2026-11-26T20:00:00Z"
GATES = [f"gate-{number}" for number in range(400)]


def file(name: str = "rules.toml", use: str = "rules") -> PublishedFile:
    return PublishedFile(name=name, use=use, length=3, sha256="0" * 64)


def release(version: int, *stages: Stage, withdrawn: bool = False) -> Release:
    return Release(version=version, created=UTC, files=(file(),), stages=stages, withdrawn=withdrawn)


def index(*releases: Release, **groups: tuple[str, ...]) -> KindIndex:
    return KindIndex(format=FORMAT, kind="rules", created=UTC, releases=releases, groups=groups)


def test_the_newest_release_that_reaches_the_gate_is_taken() -> None:
    published = index(
        release(1, Stage()), release(2, Stage()), release(3, Stage(group="pilot")), pilot=("a",)
    )
    assert (wanted(published, "a", 0) or release(9)).version == 3
    assert (wanted(published, "b", 0) or release(9)).version == 2
    assert wanted(published, "b", 2) is None
    assert groups_of(published, "a") == ("pilot",)


def test_a_release_without_a_stage_reaches_nobody() -> None:
    assert wanted(index(release(1)), "a", 0) is None


def test_what_was_withdrawn_is_taken_by_nobody_and_nobody_goes_back() -> None:
    published = index(release(1, Stage()), release(2, Stage(), withdrawn=True))
    assert (wanted(published, "a", 0) or release(9)).version == 1
    assert wanted(published, "a", 2) is None
    assert wanted(published, "a", 1) is None


def test_a_share_that_grows_keeps_whom_it_had_and_is_about_as_large_as_it_says() -> None:
    def taken(share: int) -> set[str]:
        return {gate for gate in GATES if reaches("rules", release(7, Stage(share=share)), gate, {})}

    few, half, everybody = taken(10), taken(50), taken(100)
    assert few < half < everybody == set(GATES)
    assert 15 <= len(few) <= 70
    assert 150 <= len(half) <= 250


def test_another_release_begins_with_other_gates() -> None:
    first, second = (
        {gate for gate in GATES if reaches("rules", release(version, Stage(share=10)), gate, {})}
        for version in (1, 2)
    )
    assert first != second


@given(
    st.lists(st.tuples(st.integers(1, 30), st.integers(0, 100), st.booleans()), max_size=10),
    st.integers(0, 30),
    st.sampled_from(GATES),
)
def test_whatever_is_published_a_gate_only_goes_forward(
    rows: list[tuple[int, int, bool]], here: int, gate: str
) -> None:
    by_version = {
        version: release(version, *([Stage(share=share)] if share else []), withdrawn=withdrawn)
        for version, share, withdrawn in rows
    }
    published = index(*(by_version[version] for version in sorted(by_version)))
    chosen = wanted(published, gate, here)
    assert chosen is None or (chosen.version > here and not chosen.withdrawn and chosen.stages)


@pytest.mark.parametrize(
    ("change", "code"),
    [
        ({"kind": "trust"}, "another_kind"),
        ({"releases": (release(2), release(1))}, "releases_out_of_order"),
        ({"releases": (release(2), release(2))}, "releases_out_of_order"),
    ],
)
def test_an_index_that_contradicts_itself_is_refused(change: dict[str, object], code: str) -> None:
    raw = msgspec.json.encode(msgspec.structs.replace(index(release(1)), **change))
    with pytest.raises(ListError, match=code):
        parse_kind_index(raw, "rules")


@pytest.mark.parametrize(
    ("files", "code"),
    [
        ((file(), file()), "file_named_twice"),
        ((file(use="overlay"),), "unknown_use"),
        ((file(), file("b.toml")), "one_file_expected"),
    ],
)
def test_files_that_are_no_release_are_refused(files: tuple[PublishedFile, ...], code: str) -> None:
    raw = msgspec.json.encode(index(msgspec.structs.replace(release(1), files=files)))
    with pytest.raises(ListError, match=code):
        parse_kind_index(raw, "rules")


@pytest.mark.parametrize("name", ["../x", ".x", "", "A", "a/b", "a\n", "x" * 65])
def test_a_file_name_leads_nowhere_else(name: str) -> None:
    raw = msgspec.json.encode(index(msgspec.structs.replace(release(1), files=(file(name),))))
    with pytest.raises(ListError, match="bad_index"):
        parse_kind_index(raw, "rules")


@given(st.binary(max_size=300))
def test_any_index_is_read_or_raises_list_error(raw: bytes) -> None:
    with pytest.raises(ListError):
        parse_kind_index(raw, "rules")


def test_a_long_index_is_not_even_read() -> None:
    with pytest.raises(ListError, match="index_too_long"):
        parse_kind_index(b" " * (MAX_KIND_INDEX + 1), "rules")


def test_every_kind_says_what_its_files_are_for() -> None:
    assert set(USES) == set(KINDS) == set(get_args(Kind))
