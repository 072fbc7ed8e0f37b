"""gate-vision at a kiosk and at its gate: a template goes out sealed, and comes in like a photograph."""

import time
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey
from msgspec.structs import replace

from gated.runtime import messages as say
from gated.tokens import MAX_TEMPLATE
from gated.tokens.token import Binding, Model, TokenError, open_template
from hw_sim.__main__ import demo_policy
from hw_sim.camera import people
from hw_sim.camera.scene import Walker, Waypoint
from hw_sim.camera.server import SimulatedCamera
from models import manifest
from tests.system.vision_rig import Vision, showing
from tests.tokens.making import GATE, GATE_KEY, token

PASSAGE, OTHER = "00112233445566aa", "00112233445566bb"
TOKEN = "c" * 16
KIOSK = "lane-1"  # the gate of the example
ADA = people.passport_photo("ada", seed=7)
EMBEDDER = "dlib-resnet"
VERSION = manifest.load().embedders[EMBEDDER].version
THRESHOLD = demo_policy().match_threshold


@pytest.fixture(scope="module")
def camera() -> Iterator[SimulatedCamera]:
    with SimulatedCamera() as camera:
        yield camera


@pytest.fixture(scope="module")
def kiosk(tmp_path_factory: pytest.TempPathFactory, camera: SimulatedCamera) -> Iterator[Vision]:
    folder = tmp_path_factory.mktemp("kiosk")
    vision = Vision(folder, camera.url)
    config = folder / "gate.toml"
    key = GATE_KEY.public_key().public_bytes_raw().hex()
    text = config.read_text().replace('topology = "mantrap"', 'topology = "kiosk"')
    section = f'[tokens]\nkey_file = "unused"\n[tokens.gate]\nname = "{GATE}"\npublic_key = "{key}"\n'
    config.write_text(f"{text}\n{section}")
    with vision:
        yield vision


@pytest.fixture
def gate(kiosk: Vision) -> Vision:
    """The same process stands for the gate's: it takes templates like any."""
    return kiosk


def given(kiosk: Vision) -> say.TemplateGiven:
    kiosk.say(say.SetReference(passage=PASSAGE, image=ADA))
    kiosk.hear(say.Enrolled, 5)
    kiosk.say(say.GiveTemplate(passage=PASSAGE, token=TOKEN))
    return kiosk.hear(say.TemplateGiven, 5)


def opened(answer: say.TemplateGiven, key: X25519PrivateKey = GATE_KEY) -> bytes:
    model = Model(name=answer.embedder, version=answer.version)
    bound = Binding(token=answer.token, kiosk=KIOSK, gate=GATE, model=model)
    return open_template(replace(token(), bound=bound, template=answer.sealed), key).reveal()


def set_template(gate: Vision, template: bytes, version: str = VERSION, embedder: str = EMBEDDER) -> None:
    gate.say(say.Forget(passage=PASSAGE))
    gate.say(say.SetTemplate(passage=OTHER, embedder=embedder, version=version, template=template))


def test_a_kiosk_gives_the_template_out_sealed_for_its_gate_alone(kiosk: Vision) -> None:
    answer = given(kiosk)
    assert (answer.passage, answer.token) == (PASSAGE, TOKEN)
    assert (answer.embedder, answer.version) == (EMBEDDER, VERSION)
    template = opened(answer)
    assert 0 < len(template) <= MAX_TEMPLATE
    assert template not in answer.sealed
    assert abs(float(np.linalg.norm(np.frombuffer(template, "<f4")))) > 0.1
    with pytest.raises(TokenError):
        opened(answer, X25519PrivateKey.generate())
    assert "Traceback" not in kiosk.daemon.log.read_text()


def test_a_template_is_given_for_the_passage_at_hand_alone(kiosk: Vision) -> None:
    given(kiosk)
    for passage in (OTHER, PASSAGE):
        kiosk.say(say.Forget(passage=PASSAGE))
        kiosk.say(say.GiveTemplate(passage=passage, token=TOKEN))
        assert kiosk.hear(say.TemplateNotGiven, 5).reason == "no_reference"


def test_a_lane_that_is_no_kiosk_gives_no_template(tmp_path: Path, camera: SimulatedCamera) -> None:
    with Vision(tmp_path, camera.url) as vision:
        vision.say(say.SetReference(passage=PASSAGE, image=ADA))
        vision.hear(say.Enrolled, 5)
        vision.say(say.GiveTemplate(passage=PASSAGE, token=TOKEN))
        assert vision.hear(say.TemplateNotGiven, 5).reason == "no_gate"


@pytest.mark.parametrize(("who", "matches"), [("ada", True), ("kurt", False)])
def test_the_template_is_matched_like_the_photograph(
    gate: Vision, camera: SimulatedCamera, who: str, *, matches: bool
) -> None:
    set_template(gate, opened(given(gate)))
    assert gate.hear(say.Enrolled, 5).passage == OTHER
    now = time.monotonic()
    path = (Waypoint(time_s=now + 0.3, distance_m=2.0), Waypoint(time_s=now + 1.6, distance_m=0.65))
    camera.show(showing(Walker(person=who, path=path, seed=8)))
    gate.say(say.Capture(passage=OTHER, attempt=1))
    assessed = gate.hear(say.Assessment, 12)
    camera.show(showing())
    gate.say(say.Forget(passage=OTHER))
    assert assessed.frames > 0
    assert (assessed.match_score >= THRESHOLD) is matches


@pytest.mark.parametrize(
    ("embedder", "version"), [(EMBEDDER, "0" * 64), ("another", VERSION)], ids=["version", "name"]
)
def test_the_template_of_another_embedder_is_refused(gate: Vision, embedder: str, version: str) -> None:
    set_template(gate, opened(given(gate)), version, embedder)
    assert gate.hear(say.NotEnrolled, 5).reason == "template_of_another_embedder"


@pytest.mark.parametrize(
    "template",
    [
        b"",
        b"12345",
        bytes(512),
        np.full(128, np.nan, "<f4").tobytes(),
        np.full(128, np.inf, "<f4").tobytes(),
        np.full(128, 1e30, "<f4").tobytes(),
        np.full(64, 0.1, "<f4").tobytes(),
    ],
    ids=["empty", "crooked", "nothing", "nan", "infinite", "too long", "too short"],
)
def test_what_is_no_embedding_is_no_reference(gate: Vision, template: bytes) -> None:
    set_template(gate, template)
    assert gate.hear(say.NotEnrolled, 5).reason == "template_unusable"
    gate.say(say.GiveTemplate(passage=OTHER, token=TOKEN))
    assert gate.hear(say.TemplateNotGiven, 5).reason == "no_reference"
