"""`python -m tests.bench.rendered_faces DIR --first N --count N`: faces of rendered strangers, as sources.

The re-capture head is trained on photographs and on these (`models.liveness.training prepare`), so that a
rendered person before the simulated camera is nothing new to it.
"""

import argparse
from pathlib import Path

import cv2
import numpy as np

from hw_sim.camera.scene import Scene, Walker, Waypoint, picture
from models import manifest
from models.face import FaceReader
from models.liveness.looking import place

AROUND = 2.0  # of the face's size, to each side


def main() -> int:
    """Write one JPEG file a person, in a folder of its own."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--first", type=int, default=5000)
    parser.add_argument("--count", type=int, default=150)
    arguments = parser.parse_args()
    reader = FaceReader(manifest.load())
    for number in range(arguments.first, arguments.first + arguments.count):
        person = f"stranger-{number}"
        chance = np.random.default_rng([number, 31])
        stand = (Waypoint(time_s=0, distance_m=float(chance.uniform(0.55, 1.4))),)
        shown = Walker(person=person, path=stand, seed=number)
        frame = picture(Scene(present=(shown,), seed=number % 7), float(chance.uniform(0, 4)))
        found = reader.detect(frame)
        face = reader.read(frame, found[0]) if found else None
        if face is None:
            continue
        (x, y), size = place(face.points)
        left, top = (max(0, round(at - AROUND * size)) for at in (x, y))
        crop = frame[top : round(y + AROUND * size), left : round(x + AROUND * size)]
        (arguments.folder / person).mkdir(parents=True, exist_ok=True)
        cv2.imwrite(str(arguments.folder / person / "1.jpg"), crop, [cv2.IMWRITE_JPEG_QUALITY, 94])
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
