"""Several cameras measure one person: whose evidence counts, and which of it decides."""

import numpy as np
import pytest

from models.face import Face
from models.height.stature import Stature
from models.height.statures import Statures
from models.tflite import Floats, Image

IMAGE: Image = np.zeros((4, 4, 3), np.uint8)
HER, HIM = np.array([1.0, 0.0], np.float32), np.array([0.0, 1.0], np.float32)


class Told:
    """A camera whose height is told it; it counts what it was shown since it was wiped."""

    def __init__(self, height_m: float, error_m: float) -> None:
        self.stature: Stature | None = Stature(height_m=height_m, error_m=error_m, frames=9, method="horizon")
        self.frames = 0

    def add(self, image: Image, face: Face, at: float) -> None:
        del image, face, at
        self.frames += 1

    def judge(self) -> Stature | None:
        return self.stature if self.frames else None

    def wipe(self) -> None:
        self.frames = 0


@pytest.fixture
def face() -> Face:
    return Face(points=np.zeros((468, 3)), presence=1.0)


def her(embedding: Floats) -> bool:
    return bool(embedding @ HER > 0.8)


def measured(face: Face, **cameras: Told) -> Statures:
    """All cameras have seen the same person, and each knows her face."""
    statures = Statures(cameras)
    for name in cameras:
        statures.add(name, IMAGE, face, 1.0)
        statures.know(name, HER, 40.0)
    return statures


def test_the_surest_camera_decides_whichever_is_looked_through(face: Face) -> None:
    statures = measured(face, middle=Told(1.20, 0.09), low=Told(1.18, 0.02))
    for camera in ("middle", "low", "uncalibrated"):
        found = statures.judge(camera, her)
        assert found is not None
        assert found.height_m == 1.18


def test_nobody_lends_their_height(face: Face) -> None:
    statures = measured(face, middle=Told(1.75, 0.01), low=Told(1.19, 0.09))
    statures.know("middle", HIM, 60.0)
    found = statures.judge("low", her)
    assert found is not None
    assert found.height_m == 1.19


def test_a_camera_that_does_not_know_the_face_says_nothing(face: Face) -> None:
    statures = Statures({"middle": Told(1.75, 0.01), "low": Told(1.19, 0.09)})
    statures.add("middle", IMAGE, face, 1.0)
    assert statures.judge("low", her) is None
    found = statures.judge("middle", her)
    assert found is not None, "the camera of the track itself is followed without a gap"


def test_cameras_that_contradict_each_other_decide_nothing(face: Face) -> None:
    statures = measured(face, middle=Told(1.30, 0.02), low=Told(1.18, 0.02))
    assert statures.judge("low", her) is None


def test_a_track_that_ends_takes_its_own_evidence_along_and_no_other(face: Face) -> None:
    low, middle = Told(1.18, 0.02), Told(1.20, 0.09)
    statures = measured(face, middle=middle, low=low)
    statures.lost("low")
    assert (low.frames, middle.frames) == (0, 1)
    found = statures.judge("low", her)
    assert found is not None
    assert found.height_m == 1.20
    statures.lost("uncalibrated")


def test_a_larger_face_is_worth_another_embedding_and_what_was_known_is_overwritten() -> None:
    statures = Statures({"low": Told(1.18, 0.02)})
    assert statures.wants_face("low", 20.0)
    assert not statures.wants_face("uncalibrated", 200.0)
    given = HER.copy()
    statures.know("low", given, 20.0)
    assert not statures.wants_face("low", 22.0)
    assert statures.wants_face("low", 30.0)
    kept = statures._faces["low"][0]
    statures.know("low", HIM, 30.0)
    assert not kept.any()
    kept = statures._faces["low"][0]
    statures.wipe()
    assert not kept.any()
    assert given.any(), "its own copy"
    assert statures.judge("low", her) is None
