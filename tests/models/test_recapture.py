"""How the re-capture head looks at a face, and when it gives no evidence."""

import dataclasses
from pathlib import Path

import cv2
import numpy as np
import pytest

from models.face import Face
from models.liveness import looking
from models.liveness.looking import CONTEXT, PLANES, SIDE, crops, planes, sharpness, spectrum
from models.liveness.recapture import RecaptureHead
from models.liveness.training.samples import Kind, sample
from models.liveness.training.sources import Source
from models.manifest import MANIFEST
from models.tflite import Image
from tests.models.portraits import MODELS, astronaut, face, hopper

HEAD = RecaptureHead(MODELS.recapture)
ROWS, COLUMNS = np.mgrid[0:SIDE, 0:SIDE].astype(np.float32)


def sources() -> list[Source]:
    return [Source(name, image, *looking.place(face(image).points)) for name, image in both()]


def both() -> list[tuple[str, Image]]:
    return [("astronaut", astronaut()), ("hopper", hopper())]


def grey(values: np.ndarray) -> Image:
    return np.repeat(np.clip(values, 0, 255).astype(np.uint8)[..., None], 3, axis=2)


def test_texture_is_the_image_pixel_for_pixel() -> None:
    image = astronaut()
    _, texture = crops(image, (220, 130), 90)
    assert np.array_equal(texture, image[130 - 64 : 130 + 64, 220 - 64 : 220 + 64])


@pytest.mark.parametrize("size", [10.0, 53.3, 128 / CONTEXT, 200.0, 700.0])
@pytest.mark.parametrize("centre", [(0.0, 0.0), (511.0, 300.0), (250.0, 250.0), (-900.0, 4000.0)])
def test_every_place_and_size_gives_the_same_shape(size: float, centre: tuple[float, float]) -> None:
    values = planes(astronaut(), centre, size)
    assert values.shape == (SIDE, SIDE, PLANES)
    assert np.isfinite(values).all()
    assert np.abs(values).max() <= 2.5


def test_the_context_shows_as_much_around_a_face_of_any_size() -> None:
    image, centre = hopper(), (263.0, 233.0)
    half = cv2.resize(image, None, fx=0.5, fy=0.5, interpolation=cv2.INTER_AREA)
    whole, _ = crops(image, centre, 160)
    halved, _ = crops(np.asarray(half, np.uint8), (centre[0] / 2, centre[1] / 2), 80)
    larger, _ = crops(image, centre, 185)
    same, other = (np.abs(whole.astype(float) - each.astype(float)).mean() for each in (halved, larger))
    assert same < other / 2


def test_a_face_of_thousands_of_pixels_looks_as_it_does_at_half_the_size() -> None:
    image = np.asarray(cv2.resize(astronaut(), None, fx=8, fy=8, interpolation=cv2.INTER_LINEAR), np.uint8)
    half = np.asarray(cv2.resize(image, None, fx=0.5, fy=0.5, interpolation=cv2.INTER_AREA), np.uint8)
    large, _ = crops(image, (1800, 1000), 1200)
    small, _ = crops(half, (900, 500), 600)
    assert np.abs(large.astype(int) - small.astype(int)).max() <= 2
    assert crops(image, (1800, 1000), 90_000)[0].shape == (SIDE, SIDE, 3)


def test_a_weak_wave_under_noise_is_one_spot_of_the_spectrum() -> None:
    noise = np.random.default_rng(1).normal(128, 12, (SIDE, SIDE))
    wave = 5 * np.cos(2 * np.pi * (30 * COLUMNS + 17 * ROWS) / SIDE)
    without, with_wave = spectrum(grey(noise)), spectrum(grey(noise + wave))
    assert np.unravel_index(np.argmax(with_wave), with_wave.shape) == (SIDE // 2 + 17, 30)
    assert with_wave.max() > without.max() + 0.3


def test_a_wave_of_colour_shows_in_the_right_half_only() -> None:
    noise = np.random.default_rng(2).normal(128, 12, (SIDE, SIDE, 3))
    noise[..., 2] += 20 * np.cos(2 * np.pi * 40 * ROWS / SIDE)
    noise[..., 0] -= 20 * np.cos(2 * np.pi * 40 * ROWS / SIDE)
    found = spectrum(np.clip(noise, 0, 255).astype(np.uint8))
    row, column = np.unravel_index(np.argmax(found), found.shape)
    assert (row, column) in {(SIDE // 2 + 40, SIDE // 2), (SIDE // 2 - 40, SIDE // 2)}


def test_blur_takes_sharpness() -> None:
    image = astronaut()
    centre, size = looking.place(face(image).points)
    blurred = np.asarray(cv2.GaussianBlur(image, (0, 0), 6), np.uint8)
    assert sharpness(blurred, centre, size) < sharpness(image, centre, size) / 3


@pytest.mark.parametrize("scale", [0.5, 0.7, 1.0, 1.4, 2.0])
def test_an_untouched_photograph_of_a_person_is_no_recapture(scale: float) -> None:
    image = np.asarray(cv2.resize(astronaut(), None, fx=scale, fy=scale), np.uint8)
    probability = HEAD.read(image, face(image, 0.25))
    assert probability is not None
    assert probability < 0.5


def test_simulated_recaptures_are_told_from_people_of_the_same_camera() -> None:
    assert mean("grey", 6) > 0.8
    assert mean("photo", 6) > 0.5
    assert mean("bona fide", 8) < 0.3


def mean(kind: Kind, count: int) -> float:
    read = []
    for number in range(count):
        shot = sample(kind, sources(), (77, number), held_out=True).shot
        read.append(HEAD.probability(HEAD.logit(planes(shot.image, shot.centre, shot.size))))
    return float(np.mean(read))


def test_a_face_that_is_too_small_or_blurred_is_no_evidence() -> None:
    image = astronaut()
    found = face(image)
    small = np.asarray(cv2.resize(image, None, fx=0.3, fy=0.3, interpolation=cv2.INTER_AREA), np.uint8)
    assert HEAD.read(small, scaled(found, 0.3)) is None
    blurred = np.asarray(cv2.GaussianBlur(image, (0, 0), 12), np.uint8)
    assert HEAD.read(blurred, found) is None
    assert HEAD.read(image, found) is not None


def test_a_mesh_of_no_numbers_is_no_evidence() -> None:
    found = face(astronaut())
    assert HEAD.read(astronaut(), scaled(found, float("nan"))) is None


def scaled(found: Face, scale: float) -> Face:
    return dataclasses.replace(found, points=found.points * scale)


def test_wiping_forgets_the_face_and_nothing_else() -> None:
    image, found = astronaut(), face(astronaut())
    before = HEAD.read(image, found)
    HEAD.wipe()
    assert HEAD.read(image, found) == before


def test_the_model_is_as_small_as_promised() -> None:
    assert Path(MANIFEST.parent / MODELS.recapture.file).stat().st_size < 1_500_000
