"""Depth and near-infrared frames: what a head shows there, and what sheets and screens show."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from models.face import Points
from models.liveness import depth, infrared
from models.liveness.depth import Depth
from models.tflite import Image
from tests.models.heads import shape
from tests.models.portraits import astronaut, face

SIZE = (480, 640)
AWAY_MM = 800.0
PX_PER_M = 1600.0


def points(person: str = "ada") -> Points:
    """A face's mesh in the pixels of SIZE."""
    return shape(person).copy() * PX_PER_M + np.array([320.0, 220, 0])


def scanned(kind: str, noise_mm: float = 1.0, bend_m: float = 0.09, holes: float = 0.0) -> Depth:
    """A depth frame of a head, or of a sheet: its points spread over the pixels around them."""
    chance = np.random.default_rng(4)
    mesh = points()
    y, x = np.mgrid[0 : SIZE[0], 0 : SIZE[1]]
    depths = np.full(SIZE, 2500.0)
    if kind == "head":
        for at in mesh[np.argsort(-mesh[:, 2])]:
            px, py = round(at[0]), round(at[1])
            depths[py - 6 : py + 7, px - 6 : px + 7] = AWAY_MM + at[2] / PX_PER_M * 1000
    else:
        across = (x - 320) / PX_PER_M
        surface = AWAY_MM + 40 * (y - 220) / PX_PER_M
        if kind == "bent":
            surface = surface + 1000 * bend_m * (1 - np.cos(np.clip(across / bend_m, -1.4, 1.4)))
        sheet = np.abs(across) < 0.1
        depths[sheet] = surface[sheet]
    depths += chance.normal(0, noise_mm, SIZE)
    depths[chance.random(SIZE) < holes] = 0
    return depths.astype(np.uint16)


@pytest.mark.parametrize("holes", [0.0, 0.3])
def test_a_head_has_the_relief_of_a_face(holes: float) -> None:
    score = depth.read(scanned("head", holes=holes), points()).score
    assert score is not None
    assert score > 0.9


@pytest.mark.parametrize("noise_mm", [0.5, 3.0, 6.0])
@pytest.mark.parametrize("kind", ["flat", "bent"])
def test_a_sheet_has_none_however_it_is_bent(kind: str, noise_mm: float) -> None:
    score = depth.read(scanned(kind, noise_mm), points()).score
    assert score is not None
    assert score < 0.1


def test_a_face_without_depth_is_no_evidence() -> None:
    assert depth.read(np.zeros(SIZE, np.uint16), points()).score is None
    assert depth.read(scanned("head"), points() + np.array([5000.0, 0, 0])).score is None


def test_what_is_no_depth_frame_is_refused() -> None:
    with pytest.raises(ValueError, match="16 bits"):
        depth.read(np.zeros((*SIZE, 3), np.uint16), points())
    with pytest.raises(ValueError, match="16 bits"):
        depth.read(np.zeros(SIZE, np.uint8), points())  # type: ignore[arg-type]  # wrong on purpose


@settings(derandomize=True, max_examples=60, deadline=None)
@given(seed=st.integers(0, 2**20), shift=st.floats(-900, 900))
def test_any_depth_frame_gives_a_score_or_none(seed: int, shift: float) -> None:
    frame = np.random.default_rng(seed).integers(0, 65536, SIZE).astype(np.uint16)
    score = depth.read(frame, points() + np.array([shift, 0, 0])).score
    assert score is None or 0 <= score <= 1


# --- near infrared ----------------------------------------------------------------------------------------


def infrared_of(colour: Image) -> Image:
    """Skin at about half, hair and eyes darker: near enough the red channel."""
    return np.asarray(colour[..., 2] // 2 + 40, np.uint8)


def test_a_face_is_seen_in_near_infrared_too() -> None:
    image = astronaut()
    score = infrared.read(infrared_of(image), image, face(image).points).score
    assert score is not None
    assert score > 0.6


@pytest.mark.parametrize("level", [4, 120])
def test_a_display_is_dark_and_paper_without_carbon_is_blank(level: int) -> None:
    image = astronaut()
    chance = np.random.default_rng(3)
    blank = np.clip(chance.normal(level, 2, image.shape[:2]), 0, 255).astype(np.uint8)
    score = infrared.read(blank, image, face(image).points).score
    assert score is not None
    assert score < 0.1


def test_another_picture_in_near_infrared_counts_against_life() -> None:
    image = astronaut()
    other = np.ascontiguousarray(infrared_of(image)[::-1, ::-1])
    score = infrared.read(other, image, face(image).points).score
    assert score is not None
    assert score < 0.3


def test_what_cannot_be_compared_is_no_evidence() -> None:
    image = astronaut()
    mesh = face(image).points
    assert infrared.read(infrared_of(image), image, mesh + np.array([400.0, 0, 0])).score is None
    assert infrared.read(np.full(image.shape[:2], 255, np.uint8), image, mesh).score is None


def test_frames_that_do_not_fit_together_are_refused() -> None:
    image = astronaut()
    with pytest.raises(ValueError, match="size of the colour frame"):
        infrared.read(np.zeros((10, 10), np.uint8), image, face(image).points)
