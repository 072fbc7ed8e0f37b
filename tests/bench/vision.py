"""What the camera's frames, an embedding and an enrolment cost, on one core.

The target is 15 frames a second at 1280x720 with detection and landmarks on every frame. Frames are rendered:
a person walks in from 2.6 m. Wall time on one core, since a gate must keep its pace in wall time.
"""

import statistics
import time
from collections.abc import Callable, Sequence
from typing import Final

import cv2
import numpy as np

from hw_sim.camera import people
from hw_sim.camera.scene import Scene, Walker, Waypoint, picture, prepare
from models import manifest
from models.face import PORTRAIT_MARGIN, Face, FaceReader
from models.image import decode, use_one_thread
from models.matching import Embedder
from models.tflite import Floats, Image
from tests.bench.clocked import median_ms, one_core

TARGET_FPS: Final = 15
FRAMES: Final = 30
RUNS: Final = 7
RATE: Final = 15.0
PERSON: Final = "ada"
MAX_BYTES, MAX_PIXELS = 512_000, 6_000_000


def run() -> None:
    """Print frames a second, and milliseconds of an embedding and of an enrolment."""
    use_one_thread()
    with one_core() as core:
        models = manifest.load()
        reader, embedder = FaceReader(models), Embedder(models.embedders["dlib-resnet"])
        frames = _frames()
        print(f"  {FRAMES} frames of 1280 x 720, core {core} only, median of {RUNS} runs (worst in brackets)")
        _print_rate("detection and mesh on every frame", lambda f: _read(reader, f[0]), frames, TARGET_FPS)
        _print_rate("the same after decoding its JPEG", lambda f: _read(reader, _decoded(f[1])), frames)
        _print_rate("the same and an embedding", lambda f: _embed(reader, embedder, _decoded(f[1])), frames)
        found = [(image, face) for image, _ in frames if (face := _read(reader, image)) is not None]
        print(f"  a face was found and its mesh read in {len(found)} of {FRAMES} frames")
        image, face = found[-1]
        cost = median_ms(lambda: embedder.embed(image, face.points))
        print(f"  an embedding (image and mirror image): {cost:.1f} ms")
        photograph = people.passport_photo(PERSON, seed=0)
        cost = median_ms(lambda: _enrol(reader, embedder, photograph))
        print(f"  an enrolment (a JPEG of {len(photograph)} bytes to an embedding): {cost:.1f} ms")


def _frames() -> list[tuple[Image, bytes]]:
    """Somebody walks in: each frame as it is, and as a camera's JPEG."""
    path = (Waypoint(time_s=0, distance_m=2.6), Waypoint(time_s=FRAMES / RATE, distance_m=0.7))
    scene = Scene(present=(Walker(person=PERSON, path=path, seed=3),))
    prepare(scene)
    images = [picture(scene, number / RATE) for number in range(FRAMES)]
    return [
        (image, cv2.imencode(".jpg", image, (cv2.IMWRITE_JPEG_QUALITY, 82))[1].tobytes()) for image in images
    ]


def _print_rate(
    what: str,
    work: Callable[[tuple[Image, bytes]], object],
    frames: Sequence[tuple[Image, bytes]],
    target: int | None = None,
) -> None:
    for frame in frames:
        work(frame)
    rates = []
    for _ in range(RUNS):
        began = time.perf_counter()
        for frame in frames:
            work(frame)
        rates.append(len(frames) / (time.perf_counter() - began))
    aim = f"; target {target}" if target else ""
    print(f"  {what}: {statistics.median(rates):.0f} frames a second ({min(rates):.0f}){aim}")


def _decoded(body: bytes) -> Image:
    image: Image = cv2.imdecode(np.frombuffer(body, np.uint8), cv2.IMREAD_COLOR)
    return image


def _read(reader: FaceReader, image: Image) -> Face | None:
    detections = reader.detect(image)
    return reader.read(image, detections[0]) if detections else None


def _embed(reader: FaceReader, embedder: Embedder, image: Image) -> Floats | None:
    face = _read(reader, image)
    return None if face is None else embedder.embed(image, face.points)


def _enrol(reader: FaceReader, embedder: Embedder, photograph: bytes) -> Floats:
    image = decode(photograph, max_bytes=MAX_BYTES, max_pixels=MAX_PIXELS)
    face = reader.read(image, reader.detect(image, margin=PORTRAIT_MARGIN)[0])
    if face is None:
        raise ValueError("no face on the simulated photograph")
    return embedder.embed(image, face.points)
