"""Where everybody's surfaces are at a moment: the parts that any kind of camera draws, farthest first."""

import functools
from collections.abc import Iterator
from typing import Final

import numpy as np
from numpy.typing import NDArray

from hw_sim.camera import people, props
from hw_sim.camera.eyelids import Blinks
from hw_sim.camera.figure import Figure, Matter
from hw_sim.camera.gait import Gait, Grip, Path
from hw_sim.camera.growth import grown
from hw_sim.camera.lamp import LAMP_AT, Finish, Lamp
from hw_sim.camera.presence import PhotoHolder, Presence, Scene, Walker, Wearable
from hw_sim.camera.render import Optics, Part, Pose, person, turn
from hw_sim.camera.wearing import dressed

Bytes = NDArray[np.uint8]
Floats = NDArray[np.float32]

_EXPOSURE_S: Final = 0.008
_PRINT_PX: Final = 170_000
_HAND_PX: Final = 40_000
_PAPER: Final = Finish(matt=0.85, gloss=0.04)
FARTHEST_M: Final = 8.5  # beyond it there is the wall of the hall


def parts(scene: Scene, time_s: float) -> Iterator[Part]:
    """All surfaces in the lane, from the farthest person to the nearest."""
    for presence in sorted(scene.present, key=lambda p: -_path(p).at(time_s)[0]):
        if _path(presence).at(time_s)[0] > FARTHEST_M:
            continue
        match presence:
            case Walker():
                yield from _walker(scene, presence, time_s)
            case PhotoHolder():
                yield from _photo_holder(scene, presence, time_s)


def prepare(scene: Scene) -> None:
    """Make what is slow to make: bodies, clothes, prints."""
    for presence in scene.present:
        match presence:
            case Walker():
                for moment in (time_s for each in presence.wears for time_s in (each.since_s, each.until_s)):
                    _body(presence, moment or 0.0)
                _body(presence, presence.path[0].time_s if presence.path else 0.0)
            case PhotoHolder():
                people.figure(presence.person)
                _print(presence.photo_of, presence.person)


# --- bodies ---------------------------------------------------------------------------------------


def _body(walker: Walker, time_s: float) -> Figure:
    return _figure(walker.person, walker.stature_m, tuple(each for each in walker.wears if each.on(time_s)))


@functools.lru_cache(maxsize=32)
def _figure(name: str, stature_m: float | None, wears: tuple[Wearable, ...]) -> Figure:
    figure = people.figure(name)
    if stature_m is not None:
        figure = grown(figure, stature_m)
    return dressed(figure, wears) if wears else figure


@functools.lru_cache(maxsize=32)
def _gait(name: str, seed: int, stature_m: float | None = None) -> Gait:
    if stature_m is None:
        return Gait(seed, people.looks_of(name).height_m)
    return Gait(seed, stature_m - _figure(name, stature_m, ()).crown_m, sinks=True)


@functools.lru_cache(maxsize=32)
def _grip(seed: int) -> Grip:
    return Grip(seed)


def _path(presence: Presence) -> Path:
    return Path(tuple((point.time_s, point.distance_m) for point in presence.path))


def _poses(gait: Gait, presence: Presence, time_s: float) -> tuple[Pose, Pose]:
    """Of the body at a moment and one exposure before."""
    path = _path(presence)
    now, before = (gait.pose(path, at) for at in (time_s, time_s - _EXPOSURE_S))
    aside = presence.aside_m
    return now._replace(x_m=now.x_m + aside), before._replace(x_m=before.x_m + aside)


def _optics(scene: Scene, pose: Pose, before: Pose, seed: int, time_s: float) -> Optics:
    """Light of this visit, brighter near the gate, the face light if it is on, the smear of one exposure."""
    see = scene.mount.see
    now, then = (scene.lens.project(see(p.place()[None]))[0] for p in (pose, before))
    smear = np.abs(now - then) / np.sqrt(12)
    visit = np.random.default_rng([seed, 303]).uniform(0.88, 1.06)
    gain = float(visit + 0.06 / max(pose.distance_m, 0.6))
    lamp = Lamp(see(LAMP_AT[None])[0]) if any(lit.on(time_s) for lit in scene.light) else None
    return Optics(gain, smear_x=float(smear[0]), smear_y=float(smear[1]), lamp=lamp)


# --- who walks, who holds what --------------------------------------------------------------------


def _walker(scene: Scene, walker: Walker, time_s: float) -> Iterator[Part]:
    pose, before = _poses(_gait(walker.person, walker.seed, walker.stature_m), walker, time_s)
    optics = _optics(scene, pose, before, walker.seed, time_s)
    closed = Blinks(walker.seed).closed(time_s) if walker.blinks else 0.0
    yield from person(_body(walker, time_s), pose, optics, closed)


@functools.lru_cache(maxsize=8)
def _print(photo_of: str, holder: str) -> Bytes:
    return props.print_of(people.portrait(photo_of, seed=7), people.looks_of(holder).tone)


def _photo_holder(scene: Scene, holder: PhotoHolder, time_s: float) -> Iterator[Part]:
    body, body_before = _poses(_gait(holder.person, holder.seed), holder, time_s)
    grip = _grip(holder.seed)
    pose, before = grip.pose(body, time_s), grip.pose(body_before, time_s - _EXPOSURE_S)
    optics = _optics(scene, pose, before, holder.seed, time_s)
    yield from person(people.figure(holder.person), body, optics, Blinks(holder.seed).closed(time_s))
    atlas = _print(holder.photo_of, holder.person)
    paper = props.sheet(atlas, holder.bend_radius_m)
    palms, thumbs = props.hands(props.PRINT_WIDTH_M / 2)
    turned = turn(pose.yaw, pose.pitch, pose.roll).T
    grips = np.array([[s * (props.PRINT_WIDTH_M / 2 + 0.012), 0.17, 0.03] for s in (-1, 1)], np.float32)
    elbows = np.array([[s * 0.27, 0.46, 0.02] for s in (-1, 1)], np.float32) + body.place()
    sleeve = people.looks_of(holder.person).cloth.colour
    sleeves, wool = props.forearms(grips @ turned + pose.place(), elbows, sleeve)
    yield Part(sleeves, sleeves.points, wool, optics, _HAND_PX)
    yield Part(palms, palms.points @ turned + pose.place(), atlas, optics, _HAND_PX)
    at = paper.points @ turned + pose.place()
    yield Part(paper, at, atlas, optics._replace(finish=_PAPER), _PRINT_PX, Matter.PRINT)
    yield Part(thumbs, thumbs.points @ turned + pose.place(), atlas, optics, _HAND_PX)
