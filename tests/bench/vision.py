"""What seeing costs: a frame, an embedding, an enrolment; and how soon a person who walks in is known.

Frames are rendered, 1280 x 720: somebody walks in from 2.6 m at 1.3 m/s and stops at 0.65 m. CPU time is of
one thread on one core. The pace and the time to a verdict are wall time, on the two cores of a gate, with
everything between the camera's JPEG and the verdict in it.
"""

import statistics
import tempfile
import time
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path
from typing import Final, NamedTuple

import cv2
import numpy as np

from drivers.camera import Camera
from gated.core.settings.cameras import CameraSettings
from gated.runtime import messages as say
from hw_sim.camera import people
from hw_sim.camera.scene import Scene, Walker, Waypoint, picture, prepare
from models import manifest
from models.face import PORTRAIT_MARGIN, FaceReader
from models.image import decode, use_one_thread
from models.liveness.check import LivenessCheck
from models.liveness.recapture import RecaptureHead
from models.manifest import Manifest
from models.matching.embedding import Embedder
from models.observer import Observer
from models.quality.check import QualityCheck
from models.tflite import Floats, Image
from tests.bench.clocked import median_ms, one_core, two_cores
from tests.bench.film import Film
from tests.system.vision_rig import Vision

RATE: Final = 30.0
FAST: Final = 90.0  # more than can be seen
WALK_S: Final = 1.5
FRAMES: Final = 75
WALKS: Final = 9
RUNS: Final = 5
MODEL: Final = "dlib-resnet"
FMR: Final = 0.001
PERSON: Final = "ada"
MAX_BYTES, MAX_PIXELS = 512_000, 6_000_000
PIPELINE_MS, EMBEDDING_MS, LIVENESS_MS, PACE, VERDICT_MS, MEMORY_MIB = 12, 10, 3, 30, 400, 450
PASSAGE: Final = "00112233445566aa"


class Known(NamedTuple):
    """How long it took from the first usable frame to the verdict."""

    frames: int
    ms: float
    verdict: str


def run() -> None:
    """Print milliseconds of CPU time, frames a second, time to a verdict, and memory."""
    use_one_thread()
    models = manifest.load()
    walks = [_walk(seed) for seed in range(WALKS)]
    bodies = [[_jpeg(image) for image in walk] for walk in walks]
    with one_core() as core:
        print(
            f"  CPU time of one thread on core {core}; {WALKS} walks of {FRAMES} frames, {RATE:.0f} a second"
        )
        _print_frame(models, walks)
        _print_rest(models, walks[0], bodies[0])
    with two_cores() as cores:
        print(
            f"  wall time on cores {cores}: decoding, tracking, quality, matching and liveness on each frame"
        )
        _print_pace(models, bodies[0])
        _print_verdicts(models, bodies)
    _print_memory(bodies[0])


def _walk(seed: int) -> list[Image]:
    path = (Waypoint(time_s=0, distance_m=2.6), Waypoint(time_s=WALK_S, distance_m=0.65))
    scene = Scene(present=(Walker(person=PERSON, path=path, seed=seed),))
    prepare(scene)
    return [picture(scene, number / RATE) for number in range(FRAMES)]


def _jpeg(image: Image) -> bytes:
    return cv2.imencode(".jpg", image, (cv2.IMWRITE_JPEG_QUALITY, 82))[1].tobytes()


def _liveness(models: Manifest) -> LivenessCheck:
    return LivenessCheck(models.liveness, RecaptureHead(models.recapture))


def _observer(models: Manifest) -> Observer:
    made = Observer(
        FaceReader(models),
        QualityCheck(models),
        Embedder(models.embedders[MODEL]),
        _liveness(models),
        8,
    )
    made.enrol(decode(people.passport_photo(PERSON, seed=0), max_bytes=MAX_BYTES, max_pixels=MAX_PIXELS))
    made.begin()
    return made


def _print_frame(models: Manifest, walks: Sequence[Sequence[Image]]) -> None:
    """What each frame costs up to the question whether it is usable."""
    watching, quality = _observer(models), QualityCheck(models)
    costs, found = [], 0
    for walk in walks:
        watching.begin()
        for number, image in enumerate(walk):
            began = time.thread_time()
            face = watching._find(image, number / RATE)
            if face is not None:
                quality.assess(image, face)
                found += 1
            costs.append(1000 * (time.thread_time() - began))
    total = sum(len(walk) for walk in walks)
    print(f"  a face was found and its mesh read in {found} of {total} frames")
    _print_ms("detection (in every third frame), mesh, tracking, quality", costs, PIPELINE_MS)
    costs.clear()
    for walk in walks:
        watching.begin()
        for number, image in enumerate(walk):
            began = time.thread_time()
            face = watching._find(image, number / RATE * 3)
            if face is not None:
                quality.assess(image, face)
            costs.append(1000 * (time.thread_time() - began))
    _print_ms("the same with detection on every frame", costs)


def _print_ms(what: str, costs: Sequence[float], target: float | None = None) -> None:
    late = sorted(costs)[int(len(costs) * 0.95)]
    aim = f"; target {target:.0f}" if target else ""
    print(f"  {what}: median {statistics.median(costs):.1f} ms, 95 % {late:.1f} ms{aim}")


def _print_rest(models: Manifest, walk: Sequence[Image], bodies: Sequence[bytes]) -> None:
    reader, embedder = FaceReader(models), Embedder(models.embedders[MODEL])
    image = walk[-1]
    face = reader.read(image, reader.detect(image)[0])
    if face is None:
        raise ValueError("no face in the last frame of the walk")
    cost = median_ms(partial(embedder.embed_side, image, face.points, mirrored=True))
    print(f"  an embedding of a live frame: {cost:.1f} ms; target {EMBEDDING_MS}")
    cost = median_ms(lambda: embedder.embed(image, face.points))
    print(f"  an embedding of image and mirror image, as of the photograph: {cost:.1f} ms")
    watching = _observer(models)
    for number, each in enumerate(walk):
        watching.see(each, number / RATE)
    cost = median_ms(lambda: watching.judge(models.threshold(MODEL, FMR)))
    print(f"  judging the evidence: {cost:.1f} ms")
    cost = _liveness_ms(models, reader, walk)
    print(f"  liveness, all cues, taking a frame and judging: {cost:.1f} ms; target {LIVENESS_MS}")
    print(
        f"  decoding a JPEG of {len(bodies[-1]) // 1000} kB: {median_ms(lambda: _decoded(bodies[-1])):.1f} ms"
    )
    photograph = people.passport_photo(PERSON, seed=0)
    cost = median_ms(lambda: _enrol(reader, embedder, photograph))
    print(f"  an enrolment (a JPEG of {len(photograph)} bytes to an embedding): {cost:.1f} ms")


def _liveness_ms(models: Manifest, reader: FaceReader, walk: Sequence[Image]) -> float:
    """What life costs in each frame, the median."""
    check, costs = _liveness(models), []
    for number, image in enumerate(walk):
        detections = reader.detect(image)
        face = reader.read(image, detections[0]) if detections else None
        if face is not None:
            began = time.thread_time()
            check.add(image, face, number / RATE)
            check.judge()
            costs.append(1000 * (time.thread_time() - began))
    return statistics.median(costs)


def _print_pace(models: Manifest, bodies: Sequence[bytes]) -> None:
    """How many of the frames that a fast camera sends are seen."""
    watching, rates = _observer(models), []
    for _ in range(RUNS):
        watching.begin()
        seen: list[float] = []
        _watch(watching, bodies, FAST, lambda at, seen=seen: seen.append(at) or len(seen) > 2 * FRAMES)
        rates.append((len(seen) - 1) / (seen[-1] - seen[0]))
    print(
        f"  frames a second: {statistics.median(rates):.0f} (worst {min(rates):.0f} of {RUNS}); target {PACE}"
    )


def _print_verdicts(models: Manifest, walks: Sequence[Sequence[bytes]]) -> None:
    """From the first usable frame of a walk to the verdict."""
    watching = _observer(models)
    known = [each for bodies in walks if (each := _verdict(watching, bodies, models)) is not None]
    if not known:
        print(f"  no verdict on any of {len(walks)} walks")
        return
    ms, frames = [each.ms for each in known], [each.frames for each in known]
    print(
        f"  usable face to verdict: {statistics.median(ms):.0f} ms, {statistics.median(frames):.0f} frames"
        f" (worst {max(ms):.0f} ms), {len(known)} of {len(walks)} walks judged; target {VERDICT_MS} ms"
    )
    print(f"  judged: {', '.join(sorted(each.verdict for each in known))}")


def _verdict(watching: Observer, bodies: Sequence[bytes], models: Manifest) -> Known | None:
    watching.begin()
    usable: list[float] = []
    judged: list[Known] = []

    def judge(at: float) -> bool:
        verdict = watching.judge(models.threshold(MODEL, FMR))
        if verdict.frames == 0:
            usable.clear()
        elif len(usable) < verdict.frames:
            usable.append(at)
        if verdict.conclusive:
            spent = 1000 * (time.monotonic() - usable[0])
            judged.append(Known(verdict.frames, spent, verdict.liveness.verdict))
        return verdict.conclusive

    _watch(watching, bodies, RATE, judge)
    return judged[0] if judged else None


def _watch(watching: Observer, bodies: Sequence[bytes], rate: float, until: Callable[[float], bool]) -> None:
    """Watch the film until something holds, or it is over."""
    with Film(bodies, rate) as film:
        camera = Camera(CameraSettings(source=film.url, read_timeout_s=2.0))
        camera.open()
        number = 0
        end = time.monotonic() + 2.0 + 2 * len(bodies) / RATE
        while time.monotonic() < end:
            frame = camera.latest(1.0, after=number)
            if frame is not None:
                number = frame.number
                watching.see(frame.image, frame.at)
                if until(frame.at):
                    break
        camera.close()


def _print_memory(bodies: Sequence[bytes]) -> None:
    """The largest resident set of a real gate-vision through a whole passage."""
    with (
        Film(bodies, RATE) as film,
        tempfile.TemporaryDirectory(prefix="egate-bench-") as folder,
        Vision(Path(folder), film.url) as vision,
    ):
        started = vision.memory_mib()
        vision.say(say.SetReference(passage=PASSAGE, image=people.passport_photo(PERSON, seed=0)))
        vision.hear(say.Enrolled, 5)
        vision.say(say.Capture(passage=PASSAGE, attempt=1))
        vision.listen(5, lambda: bool(vision.heard(say.Assessment)))
        vision.say(say.Conclude(passage=PASSAGE, attempt=1))
        vision.listen(1)
        print(
            f"  gate-vision's largest resident set: {vision.memory_mib():.0f} MiB through a passage"
            f" ({started:.0f} MiB at its start); target {MEMORY_MIB}"
        )


def _decoded(body: bytes) -> Image:
    image: Image = cv2.imdecode(np.frombuffer(body, np.uint8), cv2.IMREAD_COLOR)
    return image


def _enrol(reader: FaceReader, embedder: Embedder, photograph: bytes) -> Floats:
    image = decode(photograph, max_bytes=MAX_BYTES, max_pixels=MAX_PIXELS)
    face = reader.read(image, reader.detect(image, margin=PORTRAIT_MARGIN)[0])
    if face is None:
        raise ValueError("no face on the simulated photograph")
    return embedder.embed(image, face.points)
