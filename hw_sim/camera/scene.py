"""What stands before the camera, and the picture of it at a moment: a pure function of scene and time."""

import functools
from typing import Annotated, Final

import numpy as np
from msgspec import Meta
from numpy.typing import NDArray

from gated.core.values import Tagged, Value
from hw_sim.camera import corridor as lane
from hw_sim.camera import people, props
from hw_sim.camera.figure import Colour, Figure
from hw_sim.camera.gait import Gait, Grip, Path
from hw_sim.camera.growth import grown
from hw_sim.camera.render import GATE_LENS, GATE_MOUNT, Lens, Mount, Optics, Pose, put, put_person, turn

Bytes = NDArray[np.uint8]
Floats = NDArray[np.float32]

_EXPOSURE_S: Final = 0.008
_PRINT_PX: Final = 170_000
_HAND_PX: Final = 40_000
_FARTHEST_M: Final = 8.5  # beyond it there is the wall of the hall


Seed = Annotated[int, Meta(ge=0, le=2**63 - 1)]
BodyHeight = Annotated[float, Meta(ge=0.9, le=2.1)]
BendRadius = Annotated[float, Meta(ge=0.08)]  # metres; a sheet bent more would meet itself


class Waypoint(Value):
    """Where somebody is at a time: monotonic seconds, metres between camera and eyes."""

    time_s: float
    distance_m: float


class Walker(Tagged):
    """A person of `hw_sim.camera.people` who walks along waypoints; `seed` fixes gait and light.

    `stature_m`: the same person at this body height; below 1.7 m with the proportions of a child.
    """

    person: str
    path: tuple[Waypoint, ...]
    seed: Seed = 0
    aside_m: float = 0.0  # to the image's right
    stature_m: BodyHeight | None = None


class PhotoHolder(Tagged):
    """A person who holds up a print of somebody else's passport picture, flat or bent."""

    person: str
    photo_of: str
    path: tuple[Waypoint, ...]
    seed: Seed = 0
    bend_radius_m: BendRadius | None = None  # None: flat


Presence = Walker | PhotoHolder


class Scene(Value):
    """Who is there (nobody: an empty lane) in the lane that `seed` furnishes, and the camera that looks."""

    present: tuple[Presence, ...] = ()
    seed: Seed = 0
    lens: Lens = GATE_LENS
    mount: Mount = GATE_MOUNT


def picture(scene: Scene, time_s: float) -> Bytes:
    """The frame BGR, of the lens's size, that is exposed at `time_s`. The same arguments, the same bytes."""
    frame = lane.empty_lane(scene.seed, scene.lens, scene.mount).copy()
    for presence in sorted(scene.present, key=lambda p: -_path(p).at(time_s)[0]):
        if _path(presence).at(time_s)[0] > _FARTHEST_M:
            continue
        if isinstance(presence, Walker):
            _draw_walker(frame, scene, presence, time_s)
        else:
            _draw_holder(frame, scene, presence, time_s)
    lane.add_noise(frame, np.random.default_rng([scene.seed, round(time_s * 1e4) % 2**63]))
    return frame


def prepare(scene: Scene) -> None:
    """Make what is slow to make (bodies, prints, the lane) before a frame needs it."""
    lane.empty_lane(scene.seed, scene.lens, scene.mount)
    for presence in scene.present:
        if isinstance(presence, Walker):
            _body(presence)
        else:
            people.figure(presence.person)
            _print(presence.photo_of, presence.person)


def unknown_person(scene: Scene) -> str | None:
    """Say who in the scene does not exist, if anybody."""
    named = {presence.person for presence in scene.present}
    named |= {presence.photo_of for presence in scene.present if isinstance(presence, PhotoHolder)}
    unknown = sorted(name for name in named if not people.known(name))
    return f"nobody is called {', '.join(unknown)}" if unknown else None


@functools.lru_cache(maxsize=32)
def _gait(person: str, seed: int) -> Gait:
    return Gait(seed, people.looks_of(person).height_m)


@functools.lru_cache(maxsize=32)
def _grip(seed: int) -> Grip:
    return Grip(seed)


@functools.lru_cache(maxsize=8)
def _print(photo_of: str, holder: str) -> Bytes:
    return props.print_of(people.portrait(photo_of, seed=7), people.looks_of(holder).tone)


def _path(presence: Presence) -> Path:
    return Path(tuple((point.time_s, point.distance_m) for point in presence.path))


def _body(walker: Walker) -> Figure:
    figure = people.figure(walker.person)
    return figure if walker.stature_m is None else _grown(walker.person, walker.stature_m)


@functools.lru_cache(maxsize=32)
def _grown(person: str, stature_m: float) -> Figure:
    return grown(people.figure(person), stature_m)


def _walk(walker: Walker) -> Gait:
    if walker.stature_m is None:
        return _gait(walker.person, walker.seed)
    return Gait(walker.seed, walker.stature_m - _body(walker).crown_m, sinks=True)


def _optics(scene: Scene, pose: Pose, before: Pose, seed: int) -> Optics:
    """Light of this visit, brighter near the gate's lamp, and the smear of one exposure."""
    now, then = (scene.lens.project(scene.mount.see(p.place()[None]))[0] for p in (pose, before))
    smear = np.abs(now - then) / np.sqrt(12)
    visit = np.random.default_rng([seed, 303]).uniform(0.88, 1.06)
    gain = float(visit + 0.06 / max(pose.distance_m, 0.6))
    return Optics(gain, smear_x=float(smear[0]), smear_y=float(smear[1]))


def _draw_walker(frame: Bytes, scene: Scene, walker: Walker, time_s: float) -> None:
    gait, path = _walk(walker), _path(walker)
    pose, before = (gait.pose(path, at) for at in (time_s, time_s - _EXPOSURE_S))
    pose = pose._replace(x_m=pose.x_m + walker.aside_m)
    before = before._replace(x_m=before.x_m + walker.aside_m)
    optics = _optics(scene, pose, before, walker.seed)
    put_person(frame, scene.lens, _body(walker), pose, optics, scene.mount)


def _draw_holder(frame: Bytes, scene: Scene, holder: PhotoHolder, time_s: float) -> None:
    gait, grip, path = _gait(holder.person, holder.seed), _grip(holder.seed), _path(holder)
    body, body_before = (gait.pose(path, at) for at in (time_s, time_s - _EXPOSURE_S))
    pose, before = grip.pose(body, time_s), grip.pose(body_before, time_s - _EXPOSURE_S)
    optics, see = _optics(scene, pose, before, holder.seed), scene.mount.see
    put_person(frame, scene.lens, people.figure(holder.person), body, optics, scene.mount)
    atlas = _print(holder.photo_of, holder.person)
    paper = props.sheet(atlas, holder.bend_radius_m)
    palms, thumbs = props.hands(props.PRINT_WIDTH_M / 2)
    turned = turn(pose.yaw, pose.pitch, pose.roll).T
    grips = np.array([[s * (props.PRINT_WIDTH_M / 2 + 0.012), 0.17, 0.03] for s in (-1, 1)], np.float32)
    elbows = np.array([[s * 0.27, 0.46, 0.02] for s in (-1, 1)], np.float32) + body.place()
    sleeves, wool = props.forearms(grips @ turned + pose.place(), elbows, _sleeve(holder.person))
    put(frame, scene.lens, sleeves, see(sleeves.points), wool, optics, _HAND_PX)
    for part, budget in ((palms, _HAND_PX), (paper, _PRINT_PX), (thumbs, _HAND_PX)):
        put(frame, scene.lens, part, see(part.points @ turned + pose.place()), atlas, optics, budget)


def _sleeve(person: str) -> Colour:
    return people.looks_of(person).cloth.colour
