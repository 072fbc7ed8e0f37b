"""What the answer to the gate's lamp adds: people and films on screens before a lane with a face light.

`python -m tests.bench.liveness_light` films the simulator's people, who walk up and stay, and screens near
the camera that play a film of one of them, while the lamp plays a code (`drivers.face_light`). All cues are
asked. Told are how many were live before the code (at once), who had to wait for it, and what it said.
Screens here have neither moire nor glare beyond what the simulator draws: real ones are not measured by this.
"""

import argparse
import random
from dataclasses import dataclass
from typing import Final

from drivers import face_light
from hw_sim.camera import people
from hw_sim.camera.presence import Lit, Presence, Scene, TabletHolder, Walker, Waypoint
from hw_sim.camera.scene import picture
from models import manifest
from models.face import FaceReader
from models.image import use_one_thread
from models.liveness.check import LivenessCheck
from models.liveness.light import Code
from models.liveness.recapture import RecaptureHead
from tests.bench.liveness import find

FIRST_SEED: Final = 1_300_000
EACH: Final = 12
FPS: Final = 15.0
SECONDS: Final = 4.6  # two of steady light, and a good half of the code
CLASSES: Final = {  # millimetres between a screen's pixels (0: a person), and whether it stays where it is
    "bona fide": (0.0, False),
    "film on a 10 inch screen": (0.17, False),
    "film on a 20 inch screen": (0.34, False),
    "film on a 20 inch screen that stands": (0.34, True),
}


@dataclass(frozen=True, kw_only=True)
class Outcome:
    """When somebody was live first (None: never), whether that was ever held, the light's last score."""

    live_at: float | None
    held: bool
    light: float | None
    verdict: str


def run(each: int, late_s: float = 0.0) -> None:
    """Print what came of each class, where frames reach the check so late."""
    use_one_thread()
    models = manifest.load()
    reader = FaceReader(models)
    for name, (pitch_mm, stands) in CLASSES.items():
        outcomes = []
        for number in range(each):
            seed = FIRST_SEED + number
            check = LivenessCheck(models.liveness, RecaptureHead(models.recapture))
            shown = _presence(pitch_mm, seed, stands=stands)
            outcomes.append(_watched(reader, check, shown, seed, late_s))
        early = sum(one.live_at is not None and one.live_at < face_light.STEADY_S for one in outcomes)
        live = sum(one.live_at is not None for one in outcomes)
        held, attack = sum(one.held for one in outcomes), sum(one.verdict == "attack" for one in outcomes)
        scores = " ".join("-" if one.light is None else f"{one.light:.2f}" for one in outcomes)
        told = f"live before the code {early:3}, at all {live:3}, held {held:3}, attack {attack:3}"
        print(f"  {name:38} {each:3}  {told}; light {scores}", flush=True)


def _presence(pitch_mm: float, seed: int, *, stands: bool) -> Presence:
    names = list(people.PEOPLE)
    person, other = names[seed % len(names)], names[(seed + 1) % len(names)]
    chance = random.Random(seed)
    end = Waypoint(time_s=chance.uniform(1.2, 2.0), distance_m=chance.uniform(0.65, 0.9))
    path = (Waypoint(time_s=0.0, distance_m=end.distance_m if stands else 2.3), end)
    if not pitch_mm:
        return Walker(person=person, path=path, seed=seed)
    return TabletHolder(person=other, video_of=person, path=path, seed=seed, pitch_mm=pitch_mm)


def _code(seed: int) -> Code:
    """A code as the lamp plays it, yet the same each time."""
    chance = random.Random(seed)
    steps: list[bool] = []
    while len(steps) < face_light.STEPS:
        step = chance.random() < 0.5
        if steps[-face_light.MOST_ALIKE :] != [step] * face_light.MOST_ALIKE:
            steps.append(step)
    begin = face_light.STEADY_S
    return [(0.0, True), *((begin + number * face_light.STEP_S, on) for number, on in enumerate(steps))]


def _watched(reader: FaceReader, check: LivenessCheck, shown: Presence, seed: int, late_s: float) -> Outcome:
    code = _code(seed)
    check.light(code)
    until = [moment for moment, _ in code[1:]] + [SECONDS + 1]
    lit = tuple(Lit(since_s=moment, until_s=end) for (moment, on), end in zip(code, until, strict=True) if on)
    scene = Scene(present=(shown,), seed=seed, light=lit)
    last, live_at, held = None, None, False
    for number in range(round(SECONDS * FPS)):
        at = number / FPS
        image = picture(scene, at)
        last = find(reader, image, last)
        if last is None:
            continue
        check.add(image, last, at + late_s)
        evidence = check.judge()
        held = held or evidence.held
        if evidence.verdict == "live" and live_at is None:
            live_at = at
    evidence = check.judge()
    light = next(cue.score for cue in evidence.cues if cue.name == "light")
    return Outcome(live_at=live_at, held=held, light=light, verdict=evidence.verdict)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description="Print what the answer to the gate's lamp adds.")
    parser.add_argument("--each", type=int, default=EACH, help=f"presentations of a kind ({EACH})")
    parser.add_argument(
        "--late", type=float, default=0.0, metavar="S", help="how old frames are, seconds (0)"
    )
    chosen = parser.parse_args()
    run(chosen.each, chosen.late)
