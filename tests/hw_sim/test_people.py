"""Everybody looks like themselves and like nobody else, to the embedder that the gate itself uses."""

from collections.abc import Mapping

import cv2
import numpy as np
import numpy.typing as npt
import pytest

from hw_sim.camera import people, portrait
from hw_sim.camera.people import PEOPLE, passport_photo
from hw_sim.camera.render import Mount
from hw_sim.camera.scene import Scene, Walker, Waypoint, picture
from models import manifest
from models.face import PORTRAIT_MARGIN, FaceReader
from models.matching import Embedder, fuse

Floats = npt.NDArray[np.float32]

NAMES = tuple(PEOPLE)
LAX, STRICT = (
    0.01,
    0.0001,
)  # false match rates: strangers stay below even at the first, oneself above at the last
APPROACH = (Waypoint(time_s=0, distance_m=2.2), Waypoint(time_s=1.2, distance_m=0.8))


class Gallery:
    """The embedding of everybody's passport photograph, and of everybody walking up to the gate."""

    def __init__(self) -> None:
        models = manifest.load()
        self._reader = FaceReader(models)
        self.embedder = Embedder(manifest.embedder(models, "dlib-resnet"))
        self.photos: Mapping[str, Floats] = {
            name: self._of_photo(passport_photo(name, seed=0)) for name in NAMES
        }
        self.live: Mapping[str, Floats] = {name: self._of_walk(name) for name in NAMES}

    def threshold(self, fmr: float) -> float:
        """The score at which so many strangers match, as the manifest has it."""
        return {found.fmr: found.score for found in self.embedder.entry.thresholds}[fmr]

    def embedding(self, image: npt.NDArray[np.uint8], margin: float = 0.0) -> Floats:
        """Of the largest face in an image."""
        face = self._reader.read(image, self._reader.detect(image, margin=margin)[0])
        assert face is not None
        return self.embedder.embed(image, face.points)

    def photo(self, name: str) -> Floats:
        """Of somebody's passport photograph."""
        return self._of_photo(passport_photo(name, seed=0))

    def walk(self, name: str) -> Floats:
        """Of somebody who walks up to the gate."""
        return self._of_walk(name)

    def _of_photo(self, jpeg: bytes) -> Floats:
        image = cv2.imdecode(np.frombuffer(jpeg, np.uint8), cv2.IMREAD_COLOR).astype(np.uint8, copy=False)
        return self.embedding(image, margin=PORTRAIT_MARGIN)

    def _of_walk(self, name: str) -> Floats:
        scene = Scene(present=(Walker(person=name, path=APPROACH, seed=3),))
        return fuse([self.embedding(picture(scene, time_s)) for time_s in (0.8, 0.9, 1.0, 1.1)])


@pytest.fixture(scope="module")
def gallery() -> Gallery:
    return Gallery()


@pytest.mark.parametrize("name", NAMES)
def test_somebody_alive_is_the_one_in_their_passport(gallery: Gallery, name: str) -> None:
    score = gallery.embedder.score(gallery.photos[name], gallery.live[name])
    assert score > gallery.threshold(STRICT) + 0.1


@pytest.mark.parametrize("name", NAMES)
def test_somebody_alive_is_nobody_else(gallery: Gallery, name: str) -> None:
    others = [other for other in NAMES if other != name]
    scores = gallery.embedder.scores(
        gallery.live[name], np.stack([gallery.photos[other] for other in others])
    )
    limit = gallery.threshold(LAX)
    assert {other: score for other, score in zip(others, scores, strict=True) if score >= limit} == {}


@pytest.mark.parametrize("name", NAMES)
def test_no_two_photographs_show_the_same_person(gallery: Gallery, name: str) -> None:
    others = [other for other in NAMES if other != name]
    scores = gallery.embedder.scores(
        gallery.photos[name], np.stack([gallery.photos[other] for other in others])
    )
    limit = gallery.threshold(LAX)
    assert {other: score for other, score in zip(others, scores, strict=True) if score >= limit} == {}


@pytest.mark.parametrize("name", NAMES)
def test_a_passport_photograph_fits_a_chip(name: str) -> None:
    jpeg = passport_photo(name, seed=0)
    assert jpeg.startswith(b"\xff\xd8\xff")
    assert len(jpeg) <= 20 * 1024
    assert cv2.imdecode(np.frombuffer(jpeg, np.uint8), cv2.IMREAD_COLOR).shape == (531, 413, 3)


def test_a_photograph_is_fixed_by_its_seed() -> None:
    people.portrait.cache_clear()
    first = passport_photo("emmy", seed=5)
    people.portrait.cache_clear()
    assert passport_photo("emmy", seed=5) == first
    assert passport_photo("emmy", seed=6) != first


def test_a_photograph_has_a_plain_light_background() -> None:
    shown = people.portrait("kurt", seed=0)
    corners = np.concatenate([shown[:80, :80].reshape(-1, 3), shown[:80, -80:].reshape(-1, 3)])
    assert corners.min() > 200
    assert corners.std(0).max() < 1


def test_an_unknown_person_has_no_photograph() -> None:
    with pytest.raises(KeyError):
        passport_photo("nobody", seed=0)


def test_reading_the_portraits_prints_nothing(capfd: pytest.CaptureFixture[str]) -> None:
    portrait._read.cache_clear()
    assert portrait._read(portrait._ASTRONAUT).shape == (512, 512, 3)
    assert capfd.readouterr() == ("", "")


def test_a_portrait_package_that_is_missing_names_the_fix() -> None:
    with pytest.raises(FileNotFoundError, match="make install"):
        portrait._bundled("no_such_package_of_portraits", "face.png")
    with pytest.raises(FileNotFoundError, match=r"constraints\.txt"):
        portrait._bundled("skimage", "data/no_such_face.png")


def test_the_mesh_of_the_face_is_closed_but_for_its_outline() -> None:
    faces = portrait.triangles()
    assert faces.max() == 467
    assert len(portrait._loops(faces)) == 1


def test_a_mirrored_mirror_image_is_the_face() -> None:
    mirror = portrait.mirror()
    assert (mirror[mirror] == np.arange(468)).all()


# --- strangers ------------------------------------------------------------------------------------


@pytest.mark.parametrize("seed", range(40, 46))
def test_a_stranger_is_a_face_that_is_themselves(gallery: Gallery, seed: int) -> None:
    name = f"stranger-{seed}"
    scene = Scene(present=(Walker(person=name, path=APPROACH, seed=seed),))
    live = gallery.embedding(picture(scene, 1.0))
    photograph = cv2.imdecode(np.frombuffer(passport_photo(name, seed=0), np.uint8), cv2.IMREAD_COLOR)
    found = gallery.embedding(photograph.astype(np.uint8, copy=False), margin=PORTRAIT_MARGIN)
    assert gallery.embedder.score(found, live) > gallery.threshold(STRICT)


def test_a_stranger_is_fixed_by_their_seed() -> None:
    people.looks_of.cache_clear()
    assert people.looks_of("stranger-3") == people.stranger(3)
    assert people.stranger(3) != people.stranger(4)


def test_strangers_differ_in_tone_hair_and_shape() -> None:
    drawn = [people.stranger(seed) for seed in range(200)]
    assert len({looks.hair.colour for looks in drawn}) >= 6
    assert {looks.mouth for looks in drawn} == {0.0, 1.0}
    tones = np.array([sum(looks.tone) / 3 for looks in drawn])
    assert tones.min() < 80
    assert tones.max() > 190
    assert np.ptp([looks.shape for looks in drawn]) > 1


@pytest.mark.parametrize("name", ["stranger-", "stranger-01", "stranger--1", "stranger-1x", "stranger", ""])
def test_only_whole_numbers_name_strangers(name: str) -> None:
    assert not people.known(name)
    with pytest.raises(KeyError):
        people.looks_of(name)


# --- children and lookalikes ----------------------------------------------------------------------


def test_a_lookalike_is_nearer_than_a_stranger_and_yet_refused(gallery: Gallery) -> None:
    score = gallery.embedder.score(gallery.photos["ada"], gallery.walk("alma"))
    assert gallery.threshold(LAX) < score < gallery.threshold(0.001) - 0.02
    assert gallery.embedder.score(gallery.photo("alma"), gallery.walk("alma")) > gallery.threshold(STRICT)


def test_a_twin_is_beyond_the_embedder(gallery: Gallery) -> None:
    assert gallery.embedder.score(gallery.photos["ada"], gallery.walk("aida")) > gallery.threshold(STRICT)


@pytest.mark.parametrize("name", people.CHILDREN)
def test_a_child_is_itself_and_no_adult(gallery: Gallery, name: str) -> None:
    found = gallery.photo(name)
    others = gallery.embedder.scores(found, np.stack([gallery.photos[other] for other in NAMES]))
    assert max(others) < gallery.threshold(LAX)
    stature_m = people.CHILDREN[name].stature_m
    assert stature_m is not None
    walker = Walker(person=name, path=APPROACH, seed=3)
    live = gallery.embedding(picture(Scene(present=(walker,), mount=Mount(stature_m - 0.1)), 1.0))
    assert gallery.embedder.score(found, live) > gallery.threshold(STRICT)


def test_a_child_ends_at_its_own_height_and_has_a_smaller_head() -> None:
    for name, child in people.CHILDREN.items():
        body, adult = people.figure(name), people.grown_up(name)
        assert body.crown_m < adult.crown_m
        assert 0.85 < np.ptp(body.head.points[:, 0]) / np.ptp(adult.head.points[:, 0]) < 0.95
        assert child.stature_m is not None
        assert body.crown_m / child.stature_m > adult.crown_m / 1.70  # larger for its height


def test_who_is_not_a_child_is_a_grown_up() -> None:
    assert people.figure("ada") is people.grown_up("ada")
    assert people.EVERYBODY.keys() >= {*PEOPLE, *people.CHILDREN, *people.LOOKALIKES}
