"""`python -m tests.models.rendered_heads FOLDER`: bare heads of the simulator's people, as training material.

FOLDER/rendered-NAME/NUMBER.png; the shipped training imports nothing of the simulator and reads these as
it reads photographs. With --judge, writes nothing and prints what the heads see on the same people, bare and
with each of the simulator's wearables in six styles, none of which trained them.
"""

import argparse
from pathlib import Path

import cv2
import numpy as np

from hw_sim.camera import wearing
from hw_sim.camera.corridor import empty_lane
from hw_sim.camera.figure import Figure
from hw_sim.camera.people import PEOPLE, figure
from hw_sim.camera.presence import Apparel, Wearable
from hw_sim.camera.render import GATE_LENS, Optics, Pose, put_person
from models import manifest
from models.face import FaceReader
from models.quality.heads import NAMES, FaceHeads
from models.quality.training.prepare import middle_face
from models.tflite import Image

HALF = 150  # pixels around the point between the eyes
COUNT = 25
STYLES = 6
WEARABLES: tuple[Apparel, ...] = ("mask", "glasses", "sunglasses", "cap", "headscarf")


def picture(body: Figure, chance: np.random.Generator) -> Image:
    """A head in the lane or before a plain wall, turned a little, near or far, darker or brighter."""
    if chance.random() < 0.6:
        frame = empty_lane(int(chance.integers(4)), GATE_LENS).copy()
    else:
        wall = chance.uniform(40, 235) + chance.normal(0, 12, 3)
        frame = np.full((GATE_LENS.height, GATE_LENS.width, 3), np.clip(wall, 0, 255), np.uint8)
    yaw, pitch, roll = np.deg2rad(chance.normal(0, [11, 6, 4]))
    distance = float(chance.uniform(0.7, 1.6))
    aside = float(chance.normal(0, 0.06))
    pose = Pose(aside, 0.0, distance, float(yaw), float(pitch), float(roll))
    smear = float(chance.exponential(0.5))
    put_person(frame, GATE_LENS, body, pose, Optics(float(chance.uniform(0.6, 1.3)), smear_x=smear))
    noisy = frame + chance.normal(0, chance.uniform(0, 4), frame.shape)
    x = round(GATE_LENS.width / 2 + GATE_LENS.focal_px * aside / distance)
    y = GATE_LENS.height // 2
    whole: Image = np.clip(noisy, 0, 255).astype(np.uint8)
    return whole[y - HALF - 40 : y + HALF + 40, x - HALF - 20 : x + HALF + 20]


def judge(seed: int) -> None:
    """Print how often each head says that it has found something, of the faces that the detector found."""
    models = manifest.load()
    heads, reader = FaceHeads(models.heads), FaceReader(models)
    print(f"{'worn':12}{'pictures':>9}{'faces':>7}" + "".join(f"{name:>15}" for name in NAMES))
    for kind in (None, *WEARABLES):
        faces, seen = 0, dict.fromkeys(NAMES, 0)
        for number, person in enumerate(sorted(PEOPLE)):
            for style in range(STYLES):
                body = figure(person)
                if kind is not None:
                    body = wearing.dressed(body, [Wearable(kind=kind, style=style)])
                image = picture(body, np.random.default_rng([seed, number, style]))
                face = middle_face(reader, image)
                if face is not None:
                    faces += 1
                    for name in heads.found(heads.read(image, face.points)):
                        seen[name] += 1
        row = "".join(f"{seen[name]:15d}" for name in NAMES)
        print(f"{kind or 'nothing':12}{STYLES * len(PEOPLE):9d}{faces:7d}{row}", flush=True)


def main() -> None:
    """Write COUNT pictures of each person, or judge."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--judge", action="store_true")
    arguments = parser.parse_args()
    if arguments.judge:
        judge(arguments.seed)
        return
    for number, person in enumerate(sorted(PEOPLE)):
        folder = arguments.folder / f"rendered-{person}"
        folder.mkdir(parents=True, exist_ok=True)
        chance = np.random.default_rng([arguments.seed, number])
        for count in range(COUNT):
            cv2.imwrite(str(folder / f"{count:04d}.png"), picture(figure(person), chance))


if __name__ == "__main__":
    main()
