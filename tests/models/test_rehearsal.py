"""A passage on a drawn face, before the first person comes."""

import numpy as np
import pytest

from models import manifest, rehearsal
from models.face import FaceReader
from models.liveness.check import LivenessCheck
from models.liveness.recapture import RecaptureHead
from models.manifest import ModelError
from models.matching import Embedder
from models.observer import Observer
from models.quality.check import QualityCheck
from models.tflite import Floats, TensorModel


def observer() -> Observer:
    """As gate-vision makes it."""
    models = manifest.load()
    return Observer(
        FaceReader(models),
        QualityCheck(models),
        Embedder(models.embedders["dlib-resnet"]),
        LivenessCheck(models.liveness, RecaptureHead(models.recapture)),
        5,
        shadow=Embedder(models.embedders["dlib-resnet"]),
    )


def test_every_network_runs_on_the_drawing_and_nothing_of_it_is_left(monkeypatch: pytest.MonkeyPatch) -> None:
    ran: set[str] = set()
    run = TensorModel.run

    def noted(self: TensorModel, values: Floats) -> tuple[Floats, ...]:
        ran.add(self.file)
        return run(self, values)

    monkeypatch.setattr(TensorModel, "run", noted)
    made = observer()
    rehearsal.rehearse(made, {"low": (640, 480), "high": rehearsal.HD})
    models = manifest.load()
    entries = (
        models.detector,
        models.landmarks,
        models.heads,
        models.recapture,
        models.embedders["dlib-resnet"],
    )
    assert ran == {entry.file for entry in entries}
    assert not made.is_enrolled
    assert made.likeness() is None
    assert made.judge(0.5).frames == 0


def test_networks_that_see_no_face_in_the_drawing_are_not_put_into_service(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    made = observer()
    looked = FaceReader.detect
    monkeypatch.setattr(
        FaceReader,
        "detect",
        lambda self, image, margin=0.0: looked(self, image, margin=margin) if margin else (),
    )
    with pytest.raises(ModelError, match="a drawn face"):
        rehearsal.rehearse(made, {"": rehearsal.HD})


def test_the_drawing_grows_as_somebody_who_comes_near() -> None:
    first, last = (rehearsal.frame(nearness) for nearness in (0.0, 1.0))
    assert first.shape == last.shape == (720, 1280, 3)
    drawn = [int(np.count_nonzero((image != image[0, 0]).any(2))) for image in (first, last)]
    assert drawn[1] > 2 * drawn[0]
