"""How far measured body heights are from true ones, and who would be let through by the rule of 120 cm.

Rendered strangers walk from 3 m to 1 m before two cameras: one at 1.20 m without tilt, and one at 1.70 m that
looks down at the feet. Each walk has a gait of its own, each stranger hair and clothes, and each is measured
with a calibration that is wrong by as much as it claims to be (normally distributed tilt and height). The
true height is that of the bare skull of somebody who stands. None of these seeds was used to choose the
constants. Rendered hair lies 0.6 to 2.4 cm over the skull; faces of rendered children are scaled ones of
adults.
"""

import collections
import math
import time
from collections.abc import Iterator
from dataclasses import dataclass

import msgspec
import numpy as np

from gated.core.stature import tall_enough
from hw_sim.camera.render import GATE_LENS, Lens, Mount
from hw_sim.camera.scene import Scene, Walker, Waypoint, picture
from models import manifest
from models.face import FaceReader
from models.height.calibration import CameraCalibration
from models.height.stature import HeightCheck, Stature

RULE_M = 1.20
STATURES_M = (1.16, 1.18, 1.19, 1.21, 1.22, 1.25)
QUICK, WALKS = 20, 100  # strangers, each at every height
FIRST_SEED = 12_000
FPS = 8
FAR_M, NEAR_M = 3.0, 1.0
CAMERAS = {
    "1.20 m, no tilt": (Mount(1.20), GATE_LENS),
    "1.70 m, feet in view": (Mount(1.70, math.radians(22)), Lens(720, 1280, 1000.0)),
}


@dataclass(frozen=True)
class Walk:
    """What one walk gave."""

    true_m: float
    found: Stature | None
    check_s: float  # of each frame


def walks(mount: Mount, lens: Lens, statures_m: tuple[float, ...], count: int) -> Iterator[Walk]:
    """`count` strangers, each at every height, with another gait each time."""
    models = manifest.load()
    reader, seed = FaceReader(models), FIRST_SEED
    for number in range(count):
        for true_m in statures_m:
            seed += 1
            chance = np.random.default_rng([seed, 606])
            check = HeightCheck(claimed(mount, lens, chance), models.height)
            speed = float(chance.uniform(0.7, 1.4))
            path = (
                Waypoint(time_s=0, distance_m=FAR_M),
                Waypoint(time_s=(FAR_M - NEAR_M) / speed, distance_m=NEAR_M),
            )
            walker = Walker(person=f"stranger-{FIRST_SEED + number}", path=path, seed=seed, stature_m=true_m)
            scene = Scene(present=(walker,), seed=number % 5, lens=lens, mount=mount)
            spent, frames = 0.0, int(path[1].time_s * FPS)
            for frame in range(frames):
                image = picture(scene, frame / FPS)
                faces = reader.detect(image)
                face = reader.read(image, faces[0]) if faces else None
                if face is not None:
                    began = time.thread_time()
                    check.add(image, face, frame / FPS)
                    spent += time.thread_time() - began
            yield Walk(true_m, check.judge(), spent / max(frames, 1))


def claimed(mount: Mount, lens: Lens, chance: np.random.Generator) -> CameraCalibration:
    """A calibration that is as wrong as it says."""
    true = CameraCalibration(
        width=lens.width,
        height=lens.height,
        focal_px=lens.focal_px,
        height_m=mount.height_m,
        tilt_deg=math.degrees(mount.tilt),
        roll_deg=math.degrees(mount.roll),
    )
    return msgspec.structs.replace(
        true,
        tilt_deg=true.tilt_deg + chance.normal(0, true.tilt_sigma_deg),
        height_m=true.height_m + chance.normal(0, true.height_sigma_m),
    )


def run(count: int = QUICK) -> None:
    """Print errors and decisions for both cameras; `python -m tests.bench.height` walks `WALKS` strangers."""
    for name, (mount, lens) in CAMERAS.items():
        print(f"camera at {name}; {count} walks for each height, {FPS} frames a second", flush=True)
        done = list(walks(mount, lens, STATURES_M, count))
        for true_m in STATURES_M:
            print(f"  {true_m * 100:.0f} cm: {_decisions([w for w in done if w.true_m == true_m])}")
        errors = np.array([w.found.height_m - w.true_m for w in done if w.found]) * 100
        inside = [abs(w.found.height_m - w.true_m) <= w.found.error_m for w in done if w.found]
        frames = np.median([w.found.frames for w in done if w.found])
        methods = collections.Counter(w.found.method for w in done if w.found)
        print(
            f"  error {errors.mean():+.2f} cm, deviation {errors.std():.2f}; 95 % within "
            f"{np.quantile(abs(errors), 0.95):.2f} cm, all within {abs(errors).max():.2f}; "
            f"claimed half-width {np.median([w.found.error_m for w in done if w.found]) * 100:.2f} cm "
            f"holds {np.mean(inside):.1%}"
        )
        print(
            f"  median {frames:.0f} frames, {dict(methods)}, {len(done) - len(errors)} of {len(done)} not "
            f"measured; "
            f"{np.mean([w.check_s for w in done]) * 1e3:.1f} ms CPU a frame"
        )


def _decisions(done: list[Walk]) -> str:
    verdicts = collections.Counter(
        tall_enough(w.found.height_m if w.found else None, w.found.error_m if w.found else 0.0, RULE_M)
        for w in done
    )
    return ", ".join(f"{verdicts[word]} {word}" for word in ("yes", "undetermined", "no"))


if __name__ == "__main__":
    run(WALKS)
