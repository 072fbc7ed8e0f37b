"""`python -m tests.models.rendered_heads FOLDER`: bare heads of the simulator's people, as training material.

FOLDER/rendered-NAME/NUMBER.png; the shipped training imports nothing of the simulator and reads these as
it reads photographs.
"""

import argparse
from pathlib import Path

import cv2
import numpy as np

from hw_sim.camera.corridor import empty_lane
from hw_sim.camera.people import PEOPLE, figure
from hw_sim.camera.render import GATE_LENS, Optics, Pose, put_person
from models.tflite import Image

HALF = 150  # pixels around the point between the eyes
COUNT = 25


def picture(person: str, chance: np.random.Generator) -> Image:
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
    put_person(frame, GATE_LENS, figure(person), pose, Optics(float(chance.uniform(0.6, 1.3)), smear_x=smear))
    noisy = frame + chance.normal(0, chance.uniform(0, 4), frame.shape)
    x = round(GATE_LENS.width / 2 + GATE_LENS.focal_px * aside / distance)
    y = GATE_LENS.height // 2
    whole: Image = np.clip(noisy, 0, 255).astype(np.uint8)
    return whole[y - HALF - 40 : y + HALF + 40, x - HALF - 20 : x + HALF + 20]


def main() -> None:
    """Write COUNT pictures of each person."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--seed", type=int, default=1)
    arguments = parser.parse_args()
    for number, person in enumerate(sorted(PEOPLE)):
        folder = arguments.folder / f"rendered-{person}"
        folder.mkdir(parents=True, exist_ok=True)
        chance = np.random.default_rng([arguments.seed, number])
        for count in range(COUNT):
            cv2.imwrite(str(folder / f"{count:04d}.png"), picture(person, chance))


if __name__ == "__main__":
    main()
