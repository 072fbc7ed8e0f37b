"""How far the pose of a head is off, and what the assessment of a frame costs.

Rendered people turn their heads by known angles, between 0.7 and 1.4 m before the camera, about one axis or
all. Their faces were built from what the same landmark net measured on two portraits, so nothing here says
how it errs on other people. The offset of pitch is one of convention: what the renderer calls straight ahead.
"""

from typing import Final

import numpy as np

from hw_sim.camera import corridor, people
from hw_sim.camera.render import GATE_LENS, Optics, Pose, put_person
from models import manifest
from models.face import FaceReader
from models.image import use_one_thread
from models.quality import measures
from models.quality.check import QualityCheck
from models.quality.heads import FaceHeads
from models.quality.pose import head_pose
from models.tflite import Image
from tests.bench.clocked import median_ms, one_core

SEED: Final = 77
ALONE: Final = (-40, -30, -20, -10, 0, 10, 20, 30, 40)  # degrees
TOGETHER: Final = 25  # degrees, each way, of all three
COMBINED: Final = 12  # of these for each person
TARGET_MS: Final = 4.0  # of a frame, with the network for what is worn

Angles = tuple[float, float, float]


def run(*, quick: bool = False) -> None:
    """Print errors of yaw, pitch and roll, and milliseconds."""
    use_one_thread()
    models = manifest.load()
    reader = FaceReader(models)
    with one_core() as core:
        told = list(people.PEOPLE)[: 1 if quick else None]
        _print_errors(reader, told)
        _print_cost(models, reader, core)


def _print_errors(reader: FaceReader, names: list[str]) -> None:
    chance = np.random.default_rng(SEED)
    rows, missed = [], 0
    for name in names:
        for angles in _cases(chance):
            frame = _frame(name, angles, float(chance.uniform(0.7, 1.4)))
            detections = reader.detect(frame)
            face = reader.read(frame, detections[0]) if detections else None
            if face is None:
                missed += 1
                continue
            found = head_pose(face.points)
            rows.append((*angles, *(np.array(found) - angles)))
    table = np.array(rows)
    errors = table[:, 3:]
    print(f"  {len(rows)} heads of {len(names)} rendered people (seed {SEED}), {missed} not found")
    for number, axis in enumerate(("yaw", "pitch", "roll")):
        offset = float(np.median(errors[:, number]))
        off = np.abs(errors[:, number] - offset)
        within = off[(np.abs(table[:, :3]) <= TOGETHER).all(1)]
        most = np.percentile(within, 95)
        print(
            f"  {axis:5}: offset {offset:+.1f}; without it, up to {TOGETHER}: mean {within.mean():.1f}, "
            f"95 % within {most:.1f}; up to {ALONE[-1]}: mean {off.mean():.1f}"
        )


def _cases(chance: np.random.Generator) -> list[Angles]:
    alone = [tuple(degrees * (axis == other) for other in range(3)) for axis in range(3) for degrees in ALONE]
    together = [tuple(chance.uniform(-TOGETHER, TOGETHER, 3)) for _ in range(COMBINED)]
    return [(float(yaw), float(pitch), float(roll)) for yaw, pitch, roll in (*alone, *together)]


def _frame(name: str, angles: Angles, distance_m: float) -> Image:
    """A person before the gate. The renderer turns heads to their right, the check counts to their left."""
    yaw, pitch, roll = np.deg2rad(angles)
    frame = corridor.empty_lane(SEED).copy()
    put_person(frame, GATE_LENS, people.figure(name), Pose(0, 0, distance_m, -yaw, pitch, roll), Optics())
    return frame


def _print_cost(models: manifest.Manifest, reader: FaceReader, core: int) -> None:
    check, heads = QualityCheck(models), FaceHeads(models.heads)
    frame = _frame("ada", (0, 0, 0), 0.75)
    detections = reader.detect(frame)
    face = reader.read(frame, detections[0])
    if face is None:
        raise ValueError("no face in a rendered frame")
    points, pose = face.points, head_pose(face.points)
    height, width = frame.shape[:2]
    parts = {
        "pose": lambda: head_pose(points),
        "shape": lambda: measures.shape(points, pose, width, height),
        "light and colour": lambda: measures.light(frame, points),
        "sharpness": lambda: measures.sharpness(frame, points),
        "what is worn (network)": lambda: heads.read(frame, points),
    }
    whole = median_ms(lambda: check.assess(frame, face, detections))
    print(f"  a frame of {width} x {height}, eyes {face.eye_distance:.0f} px apart, core {core} only:")
    print(f"    {whole:.2f} ms; target {TARGET_MS:g}")
    for what, work in parts.items():
        print(f"    of which {what}: {median_ms(work):.2f} ms")
