"""How often the motion check is right, in the words of ISO/IEC 30107-3.

Rendered people walk up to the camera, or stand before it; others hold up a print of the passport photograph,
flat or bent about the vertical. Frames go through `models.observer`, 15 a second as in the gate; the verdict
is that of the first conclusive frame, or what is known after 10 s. Every presentation has a seed of its own
(gait, hands, light), and none of these seeds was used to choose the constants. A rendered print has no dots
and no gloss, and a rendered face does not blink: these figures compare versions of the check with one
another. What a border asks for is measured on people.
"""

import statistics
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Final

from scipy.stats import beta

from hw_sim.__main__ import demo_policy
from hw_sim.camera import people
from hw_sim.camera.scene import PhotoHolder, Presence, Scene, Walker, Waypoint, picture
from hw_sim.site import EMBEDDER
from models import manifest
from models.face import FaceReader
from models.image import decode, use_one_thread
from models.liveness.motion import Verdict
from models.matching import Embedder
from models.observer import Observer
from models.quality.check import QualityCheck

FPS: Final = 15.0
LIMIT_S: Final = 10.0  # the gate's `capture_s`
FIRST_SEED: Final = 200  # lower ones, and those from 1000 on, had a part in choosing the constants
MIN_FRAMES: Final = 8  # the gate's `vision.min_frames`
BENDS: Final = {"print, flat": None, "print, bent to 0.15 m": 0.15, "print, bent to 0.12 m": 0.12}
WALKS: Final = {
    "2.6 to 0.7 m in 1.5 s, then standing": ((0.0, 2.6), (1.5, 0.7)),
    "2.0 to 0.75 m in 2.5 s, then standing": ((0.0, 2.0), (2.5, 0.75)),
    "1.6 to 0.7 m in 0.7 s, then standing": ((0.0, 1.6), (0.7, 0.7)),
    "standing at 0.75 m": ((0.0, 0.75),),
}
# Presentations of each walk: bona fide, and of each kind of print. Prints that stand still take all of 10 s.
COUNTS: Final = {walk: (8, 5) if len(points) > 1 else (6, 2) for walk, points in WALKS.items()}
QUICK: Final = {next(iter(WALKS)): (1, 1)}


@dataclass(frozen=True, kw_only=True)
class Presentation:
    """Somebody comes before the camera. `kind` is empty for a bona fide one, else the attack instrument."""

    kind: str
    walk: str
    person: str  # whose passport it is
    shown: Presence
    seed: int


@dataclass(frozen=True, kw_only=True)
class Outcome:
    """What the check said: after how many usable frames, and how long after the first of them, in seconds."""

    presentation: Presentation
    verdict: Verdict
    frames: int
    seconds: float


def run(*, quick: bool = False) -> None:
    """Print error rates by kind of attack, non-response rates, and times."""
    use_one_thread()
    outcomes = list(_outcomes(QUICK if quick else COUNTS))
    kinds = {kind: [o for o in outcomes if o.presentation.kind == kind] for kind in ("", *BENDS)}
    print(
        f"  {len(outcomes)} presentations by {len(people.PEOPLE)} rendered people, seeds {FIRST_SEED} and up"
    )
    print(f"  1280 x 720 at {FPS:g} frames a second, at most {LIMIT_S:g} s each")
    for kind, name in (("", "bona fide"), *((kind, kind) for kind in BENDS)):
        print(f"  {name}")
        for walk in WALKS:
            _print_counts(walk, [o for o in kinds[kind] if o.presentation.walk == walk])
    for kind in BENDS:
        print(f"  {kind:22} APCER {_rate(kinds[kind], 'live')}; APNRR {_rate(kinds[kind], 'undetermined')}")
    print(f"  {'bona fide':22} BPCER {_rate(kinds[''], 'attack')}; BPNRR {_rate(kinds[''], 'undetermined')}")
    _print_times("live, bona fide", [o for o in kinds[""] if o.verdict == "live"])
    _print_times("attack, prints", [o for o in outcomes if o.presentation.kind and o.verdict == "attack"])


def _outcomes(counts: dict[str, tuple[int, int]]) -> Iterator[Outcome]:
    models = manifest.load()
    embedder = Embedder(manifest.embedder(models, EMBEDDER))
    observer = Observer(FaceReader(models), QualityCheck(models), embedder, models.liveness, MIN_FRAMES)
    threshold = demo_policy().match_threshold
    for presentation in _presentations(counts):
        photograph = people.passport_photo(presentation.person, seed=1)
        observer.enrol(decode(photograph, max_bytes=100_000, max_pixels=1_000_000))
        yield _present(observer, presentation, threshold)


def _presentations(counts: dict[str, tuple[int, int]]) -> Iterator[Presentation]:
    names, seed = list(people.PEOPLE), FIRST_SEED
    for walk, (bona_fide, attacks) in counts.items():
        path = tuple(Waypoint(time_s=at, distance_m=distance) for at, distance in WALKS[walk])
        for kind in ("", *BENDS):
            for _ in range(attacks if kind else bona_fide):
                person = names[seed % len(names)]
                holder = names[(seed + 1 + seed // len(names) % (len(names) - 1)) % len(names)]
                shown: Presence = Walker(person=person, path=path, seed=seed)
                if kind:
                    shown = PhotoHolder(
                        person=holder, photo_of=person, path=path, seed=seed, bend_radius_m=BENDS[kind]
                    )
                yield Presentation(kind=kind, walk=walk, person=person, shown=shown, seed=seed)
                seed += 1


def _present(observer: Observer, presentation: Presentation, threshold: float) -> Outcome:
    scene = Scene(present=(presentation.shown,), seed=presentation.seed)
    first, now = 0.0, 0.0
    for number in range(round(LIMIT_S * FPS)):
        now = number / FPS
        observer.see(picture(scene, now), now)
        verdict = observer.judge(threshold)
        first = first if first and verdict.frames else now
        if verdict.conclusive:
            break
    return Outcome(
        presentation=presentation,
        verdict=verdict.liveness.verdict,
        frames=verdict.frames,
        seconds=now - first,
    )


def _print_counts(walk: str, outcomes: Sequence[Outcome]) -> None:
    if outcomes:
        counted = Counter(outcome.verdict for outcome in outcomes)
        told = ", ".join(f"{verdict} {counted[verdict]}" for verdict in ("live", "attack", "undetermined"))
        print(f"    {walk:38} n {len(outcomes):2}: {told}")


def _rate(outcomes: Sequence[Outcome], verdict: Verdict) -> str:
    """The share with this verdict, and the limit it is below with 95 % confidence (Clopper and Pearson)."""
    total = len(outcomes)
    if not total:
        return "not tried"
    count = sum(outcome.verdict == verdict for outcome in outcomes)
    limit = float(beta.ppf(0.95, count + 1, total - count)) if count < total else 1.0
    return f"{count / total:.1%} ({count} of {total}; below {limit:.0%})"


def _print_times(what: str, outcomes: Sequence[Outcome]) -> None:
    if outcomes:
        frames = statistics.median(outcome.frames for outcome in outcomes)
        seconds = statistics.median(outcome.seconds for outcome in outcomes)
        print(f"  {what:22} median {frames:g} usable frames, {seconds:.1f} s from the first of them")
