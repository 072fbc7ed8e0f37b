"""gate-vision gives a portrait's template out where registrations keep one, and compares it with that."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from msgspec.structs import replace

from gated.runtime import messages as say
from hw_sim.__main__ import demo_policy
from hw_sim.camera import people
from hw_sim.camera.server import SimulatedCamera
from models import manifest
from tests.system.vision_rig import Vision

pytestmark = pytest.mark.long

PASSAGE, OTHER = "00112233445566aa", "00112233445566bb"
EMBEDDER = "dlib-resnet"
THRESHOLD = demo_policy().match_threshold
SECTION = f"""
[journal]
collector = "tcp://centre:4712"
receipt_key = "{"1" * 64}"
key_file = "journal.key"
[registration]
key_file = "registration.key"
centre_key = "{"0" * 64}"
text = "2026-1"
states = ["UTO"]
"""
BUTTONS = "consent_yes = { line = 61 }\nconsent_no = { line = 62 }\n"


@pytest.fixture(scope="module")
def camera() -> Iterator[SimulatedCamera]:
    with SimulatedCamera() as camera:
        yield camera


def keeping(folder: Path, camera: SimulatedCamera, keeps: str) -> Vision:
    vision = Vision(folder, camera.url)
    config = folder / "gate.toml"
    text = config.read_text().replace("[io_board.inputs]\n", f"[io_board.inputs]\n{BUTTONS}")
    config.write_text(f'{text}\n{SECTION}keeps = "{keeps}"\n')
    return vision


def told(vision: Vision, who: str, seed: int, kept: say.Portrait | None = None) -> say.PortraitTold:
    vision.say(say.SetReference(passage=PASSAGE, image=people.passport_photo(who, seed=seed)))
    vision.hear(say.Enrolled, 5)
    vision.say(say.AskPortrait(passage=PASSAGE, kept=kept))
    return vision.hear(say.PortraitTold, 5)


def test_two_portraits_of_one_person_are_like_and_of_two_are_not(
    tmp_path: Path, camera: SimulatedCamera
) -> None:
    with keeping(tmp_path, camera, "template") as vision:
        first = told(vision, "ada", 7)
        kept = first.portrait
        assert kept is not None
        assert (first.likeness, first.reason) == (None, None)
        assert (kept.embedder, kept.version) == (EMBEDDER, manifest.load().embedders[EMBEDDER].version)
        again = told(vision, "ada", 8, kept)
        assert again.likeness is not None
        assert again.portrait != kept
        assert again.likeness >= THRESHOLD
        other = told(vision, "kurt", 7, kept)
        assert other.likeness is not None
        assert other.likeness < THRESHOLD
        for spoilt, reason in (
            (replace(kept, version="0" * 64), "template_of_another_embedder"),
            (replace(kept, embedder="another"), "template_of_another_embedder"),
            (replace(kept, numbers=bytes(512)), "template_unusable"),
            (replace(kept, numbers=kept.numbers[:-4]), "template_unusable"),
        ):
            answer = told(vision, "ada", 7, spoilt)
            assert (answer.likeness, answer.reason) == (None, reason)
            assert answer.portrait is not None
        vision.say(say.AskPortrait(passage=OTHER))
        nothing = vision.hear(say.PortraitTold, 5)
        assert (nothing.portrait, nothing.reason) == (None, "no_reference")
        assert "Traceback" not in vision.daemon.log.read_text()


def test_where_none_is_kept_none_is_given(tmp_path: Path, camera: SimulatedCamera) -> None:
    with keeping(tmp_path, camera, "reference") as vision:
        answer = told(vision, "ada", 7)
        assert (answer.portrait, answer.likeness, answer.reason) == (None, None, "no_template_is_kept")
