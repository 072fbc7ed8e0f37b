"""A tablet or a telephone that plays a film of somebody, held up to the camera: the replay attack.

The film is drawn anew for each of its frames: the person stands before a wall, looks about, and blinks.
The screen shines by itself, bluer and with paler black than the hall, whatever the hall's light; its glass
mirrors a lit board and the gate's face light.
"""

import functools
from typing import Final, NamedTuple

import cv2
import numpy as np
from numpy.typing import NDArray

from hw_sim.camera import people
from hw_sim.camera.dots import Dots, contrast
from hw_sim.camera.eyelids import Blinks
from hw_sim.camera.figure import Patch, Surface, grid, joined
from hw_sim.camera.gait import Gait, Path
from hw_sim.camera.lamp import Finish
from hw_sim.camera.presence import Device
from hw_sim.camera.render import Lens, Optics, person, put

Floats = NDArray[np.float32]
Bytes = NDArray[np.uint8]


class Display(NamedTuple):
    """A device upright: its lit area and rim (metres), and the film's width and height in pixels."""

    width_m: float
    height_m: float
    rim_m: float
    width_px: int
    height_px: int

    @property
    def edge_m(self) -> float:
        """From the middle to the device's own edge."""
        return self.width_m / 2 + self.rim_m


DISPLAYS: Final[dict[Device, Display]] = {
    "tablet": Display(0.136, 0.217, 0.009, 400, 638),
    "phone": Display(0.068, 0.148, 0.003, 288, 627),
}
GLASS: Final = Finish(matt=0.03, gloss=1.5, sharp=700.0)
_FILM_HZ: Final = 30.0
_FILMED_M: Final = 0.60  # from the film's camera to its person
_SEEN_M: Final = 0.185  # that its picture is wide there: a head and a little air
_TURNS: Final = np.deg2rad(9.0)  # how far the filmed head turns to either side
_WHITE: Final = np.array([1.03, 0.98, 0.90], np.float32)  # blue, green, red of the screen's white
_BLACK: Final = 13.0  # grey levels that a dark screen has in the hall
_THICK_M: Final = 0.007
_CASE_PX: Final = 32
CASE: Final = (24, 23, 22)


def film(person_id: str, device: Device, seed: int, time_s: float) -> Bytes:
    """The film's frame at a moment, as the screen shows it."""
    return _frame(person_id, device, seed, int(np.floor(time_s * _FILM_HZ)))


@functools.lru_cache(maxsize=4)
def _frame(person_id: str, device: Device, seed: int, number: int) -> Bytes:
    display = DISPLAYS[device]
    time_s = number / _FILM_HZ
    lens = Lens(display.width_px, display.height_px, display.width_px * _FILMED_M / _SEEN_M)
    pose = Gait(seed ^ 0x5EED, 1.6).pose(Path(((0.0, _FILMED_M),)), time_s)
    phase, hertz = np.random.default_rng([seed, 808]).uniform((0, 0.12), (6.28, 0.22))
    turned = float(_TURNS * np.sin(2 * np.pi * hertz * time_s + phase))
    pose = pose._replace(x_m=0.2 * pose.x_m, y_m=-0.012, distance_m=_FILMED_M, yaw=pose.yaw + turned)
    picture = _wall(display.width_px, display.height_px, seed).copy()
    optics = Optics(gain=1.0, fine=display.width_px * display.height_px)
    for part in person(
        people.figure(person_id)._replace(legs=None), pose, optics, Blinks(seed ^ 0xB).closed(time_s)
    ):
        put(picture, lens, part.surface, part.points, part.atlas, part.optics, part.budget_px)
    return np.asarray(cv2.LUT(picture, _response()), np.uint8)


@functools.lru_cache(maxsize=8)
def _wall(width: int, height: int, seed: int) -> Bytes:
    """A room's wall, out of focus."""
    chance = np.random.default_rng([seed, 809])
    small = chance.uniform(110, 200) + chance.normal(0, 16, (5, 4, 3))
    wall = cv2.resize(small.astype(np.float32), (width, height), interpolation=cv2.INTER_CUBIC)
    return np.asarray(np.clip(wall, 0, 255), np.uint8)


@functools.cache
def _response() -> Bytes:
    """What each value of the film is on the screen, for blue, green and red."""
    value = np.arange(256, dtype=np.float32) / 255
    shown = _BLACK + (255 - _BLACK) * (value**1.08)[:, None] * _WHITE
    return np.clip(shown, 0, 255).astype(np.uint8)[None]


def dots(device: Device, pitch_mm: float, lens: Lens, distance_m: float) -> Dots:
    """The screen's own pixels as a lens sees them from a distance."""
    display = DISPLAYS[device]
    pitch_m = pitch_mm / 1000
    return Dots(display.width_m / display.width_px / pitch_m, contrast(distance_m / lens.focal_px / pitch_m))


@functools.cache
def lit_area(device: Device) -> Surface:
    """The screen, its middle at the origin; its atlas is the film's frame."""
    display = DISPLAYS[device]
    points = _plate(display.width_m / 2, display.height_m / 2, 0.0, 29, 19)
    surface = grid(points, Patch(0, 0, display.width_px, display.height_px))
    across = points.reshape(-1, 3)[:, :2] / np.array([display.width_m, display.height_m], np.float32) + 0.5
    size = np.array([display.width_px, display.height_px], np.float32)
    return surface._replace(texture=(across * size - 0.5).astype(np.float32))


@functools.cache
def casing(device: Device) -> tuple[Surface, Bytes]:
    """The device around and behind the screen, with its atlas."""
    display = DISPLAYS[device]
    w, h = display.edge_m, display.height_m / 2 + display.rim_m * 1.4
    case = Patch(0, 0, _CASE_PX, _CASE_PX)
    front = grid(_plate(w, h, 0.0004, 5, 5), case)
    corners = np.array([[-w, -h], [w, -h], [w, h], [-w, h], [-w, -h]], np.float32)
    near = np.column_stack([corners, np.full(5, 0.0004, np.float32)])
    sides = grid(np.stack([near, near + np.array([0, 0, _THICK_M], np.float32)]), case)
    atlas = np.full((_CASE_PX, _CASE_PX, 3), CASE, np.uint8)
    return joined([sides, front]), atlas


def _plate(half_width: float, half_height: float, z: float, rows: int, columns: int) -> Floats:
    y, x = np.meshgrid(
        np.linspace(-half_height, half_height, rows),
        np.linspace(-half_width, half_width, columns),
        indexing="ij",
    )
    return np.asarray(np.stack([x, y, np.full_like(x, z)], -1), np.float32)
