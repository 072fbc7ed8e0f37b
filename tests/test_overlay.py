"""A published configuration: what it may say, and how it is laid over the gate's own."""

import contextlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gated.overlay import MAX_OVERLAY, SECTIONS, OverlayError, lay_over, read_overlay


@given(st.binary(max_size=300))
def test_any_overlay_is_read_or_raises_its_one_error(raw: bytes) -> None:
    with contextlib.suppress(OverlayError):
        assert set(read_overlay(raw)) <= SECTIONS


@pytest.mark.parametrize("section", ["link", "paths", "io_board", "trust", "cameras", "tokens", "gate"])
def test_what_a_gate_is_made_of_is_never_published(section: str) -> None:
    with pytest.raises(OverlayError, match=section):
        read_overlay(f"[{section}]\n".encode())


def test_how_a_lane_is_built_is_never_published() -> None:
    with pytest.raises(OverlayError, match=r"policy\.lane"):
        read_overlay(b"[policy.lane]\nwide = true\n")


def test_of_vision_only_the_embedders_are_published() -> None:
    named = read_overlay(b'[vision]\nembedder = "mine"\nshadow = "other"\n')
    assert named == {"vision": {"embedder": "mine", "shadow": "other"}}
    for more in (b"[vision]\nkeep_images = true\n", b"vision = 1\n", b'[vision]\nsource = "/dev/null"\n'):
        with pytest.raises(OverlayError, match="vision"):
            read_overlay(more)


@pytest.mark.parametrize(
    "raw",
    [
        b"x" * (MAX_OVERLAY + 1),
        b"\xff",
        b"a = ",
        b"a = [" + b"[" * 100_000,
        b"a = " + b"9" * 5000,
        b"policy." * 30_000 + b"a = 1",
    ],
)
def test_what_is_no_configuration_is_refused(raw: bytes) -> None:
    with pytest.raises(OverlayError):
        read_overlay(raw)


def test_tables_are_laid_over_key_by_key_and_all_else_whole() -> None:
    local = {"policy": {"a": 1, "limits": {"b": 2, "c": 3}}, "officers": [1, 2], "gate": "lane-1"}
    overlay = {"policy": {"limits": {"c": 4}, "d": 5}, "officers": [3], "time_zone": "UTC"}
    assert lay_over(local, overlay) == {
        "policy": {"a": 1, "limits": {"b": 2, "c": 4}, "d": 5},
        "officers": [3],
        "gate": "lane-1",
        "time_zone": "UTC",
    }
    assert local["policy"] == {"a": 1, "limits": {"b": 2, "c": 3}}
