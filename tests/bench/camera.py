"""What a frame of the simulated camera costs: CPU milliseconds to draw it and to encode it, one thread."""

import time
from typing import Final

import cv2

from hw_sim.camera.presence import Lit, Presence, Scene, Walker, Wearable
from hw_sim.camera.scene import picture, prepare
from tests.hw_sim.presences import mask, nearing, sheet, tablet

_FRAMES: Final = 40
_QUALITY: Final = 82


def run() -> None:
    """Print the cost of a frame, by who stands where."""
    cv2.setNumThreads(1)
    print(f"simulated camera: 1280 x 720, JPEG quality {_QUALITY}, one thread, mean of {_FRAMES} frames")
    for distance_m in (2.5, 1.5, 0.8):
        path = nearing(distance_m)
        _print_cost(f"walker at {distance_m} m", Walker(person="emmy", path=path))
        _print_cost(f"photo holder at {distance_m} m", sheet("ada", path))
    masked = (Wearable(kind="mask"),)
    _print_cost("walker, face light on", Walker(person="emmy", path=path), light=(Lit(since_s=0.0),))
    _print_cost("walker with a mask", Walker(person="emmy", path=path, wears=masked))
    _print_cost("paper mask", mask("ada", path))
    _print_cost("tablet holder", tablet("ada", path))


def _print_cost(label: str, presence: Presence, light: tuple[Lit, ...] = ()) -> None:
    scene = Scene(present=(presence,), light=light)
    prepare(scene)
    picture(scene, 0.0)
    drawn_s = encoded_s = 0.0
    for number in range(_FRAMES):
        began = time.thread_time()
        frame = picture(scene, number / _FRAMES)
        drawn = time.thread_time()
        cv2.imencode(".jpg", frame, (cv2.IMWRITE_JPEG_QUALITY, _QUALITY))
        drawn_s += drawn - began
        encoded_s += time.thread_time() - drawn
    draw_ms, encode_ms = drawn_s * 1000 / _FRAMES, encoded_s * 1000 / _FRAMES
    print(f"  {label:24} draw {draw_ms:5.1f} ms  encode {encode_ms:4.1f} ms")
