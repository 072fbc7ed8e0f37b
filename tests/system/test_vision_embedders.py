"""gate-vision takes another embedder into use while it runs, and keeps what it has where that one is bad."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from gated.runtime import messages as say
from hw_sim.camera import people
from hw_sim.camera.server import SimulatedCamera
from models import installed
from tests.published_models import model
from tests.system.test_vision import PASSAGE
from tests.system.vision_rig import Vision

pytestmark = pytest.mark.long
ADA = people.passport_photo("ada", seed=7)


@pytest.fixture
def vision(tmp_path: Path) -> Iterator[Vision]:
    with SimulatedCamera() as camera, Vision(tmp_path, camera.url) as vision:
        vision.await_camera("asleep")
        yield vision


def published(folder: Path, release: int, name: str, body: bytes | None = None) -> say.UseEmbedders:
    place = folder / "published" / "models" / str(release)
    place.parent.mkdir(parents=True, exist_ok=True)
    model(place, name, body, **{"y = 87.7798": f"y = 87.779{release}"})
    version = installed.find(name, place).version
    return say.UseEmbedders(
        decides=say.EmbedderAt(name=name, version=version, release=release), threshold=0.625
    )


def test_it_turns_to_what_it_is_told_and_stays_with_it_when_the_next_one_is_bad(
    vision: Vision, tmp_path: Path
) -> None:
    own = vision.embedders
    use = published(tmp_path, 1, "mine")
    vision.say(use)
    assert vision.listen(30, lambda: vision.embedders == use.mark), vision.refused
    assert own not in {"", use.mark}
    bad = published(tmp_path, 2, "worse", b"no network")
    vision.say(bad)
    assert vision.listen(30, lambda: bad.decides.version in vision.refused)
    assert (vision.embedders, vision.refused) == (use.mark, {bad.decides.version: "model_unusable"})
    vision.say(say.SetTemplate(passage=PASSAGE, embedder="dlib-resnet", version=own, template=b""))
    assert vision.hear(say.NotEnrolled, 5).reason == "template_of_another_embedder"
    vision.say(say.SetReference(passage=PASSAGE, image=ADA))
    assert vision.hear(say.Enrolled, 5).passage == PASSAGE
