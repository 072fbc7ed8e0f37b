"""Where everybody's surfaces are at a moment: the parts that any kind of camera draws, farthest first."""

import functools
from collections.abc import Iterator
from typing import Final

import numpy as np
from numpy.typing import NDArray

from hw_sim.camera import people, props, screen
from hw_sim.camera.dots import Finished, Sheen, sheen
from hw_sim.camera.eyelids import Blinks
from hw_sim.camera.figure import Figure, Matter, Surface
from hw_sim.camera.gait import Gait, Grip, Path
from hw_sim.camera.growth import grown
from hw_sim.camera.lamp import LAMP_AT, Finish, Lamp
from hw_sim.camera.presence import MaskWearer, PhotoHolder, Presence, Scene, TabletHolder, Walker, Wearable
from hw_sim.camera.render import Optics, Part, Pose, person, turn
from hw_sim.camera.wearing import dressed

Bytes = NDArray[np.uint8]
Floats = NDArray[np.float32]

_EXPOSURE_S: Final = 0.008
_PRINT_PX: Final = 170_000
_HAND_PX: Final = 40_000
_SCREEN_PX: Final = 260_000
_GLOSS: Final = 18.0  # grey levels of the hall's board in photo paper at most
_GLARE: Final = 46.0  # grey levels of the hall's board in a screen's glass
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
            case TabletHolder():
                yield from _tablet_holder(scene, presence, time_s)
            case MaskWearer():
                yield from _mask_wearer(scene, presence, time_s)


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
            case TabletHolder():
                people.figure(presence.person)
                screen.film(presence.video_of, presence.device, presence.seed, 0.0)
            case MaskWearer():
                _masked(presence.person, presence.photo_of, eye_holes=presence.eye_holes)


# --- bodies ---------------------------------------------------------------------------------------


def _body(walker: Walker, time_s: float) -> Figure:
    return _figure(walker.person, walker.stature_m, tuple(each for each in walker.wears if each.on(time_s)))


@functools.lru_cache(maxsize=32)
def _figure(name: str, stature_m: float | None, wears: tuple[Wearable, ...]) -> Figure:
    figure = people.figure(name) if stature_m is None else grown(people.grown_up(name), stature_m)
    return dressed(figure, wears) if wears else figure


@functools.lru_cache(maxsize=32)
def _gait(name: str, seed: int, stature_m: float | None = None) -> Gait:
    looks = people.looks_of(name)
    if (stature_m := stature_m or looks.stature_m) is None:
        return Gait(seed, looks.height_m)
    return Gait(seed, stature_m - _figure(name, stature_m, ()).crown_m, sinks=True)


@functools.lru_cache(maxsize=32)
def _grip(seed: int) -> Grip:
    return Grip(seed)


def _path(presence: Presence) -> Path:
    return Path(tuple((point.time_s, point.distance_m) for point in presence.path))


def _poses(gait: Gait, presence: Presence, time_s: float) -> tuple[Pose, Pose]:
    """Of the body at a moment and one exposure before."""
    path = _path(presence)
    turns_s = presence.turns_s if isinstance(presence, Walker) else ()

    def pose_at(moment: float) -> Pose:
        pose = gait.pose(path, moment)
        yaw = pose.yaw + gait.turned(turns_s, moment)
        return pose._replace(x_m=pose.x_m + presence.aside_m, yaw=yaw)

    return pose_at(time_s), pose_at(time_s - _EXPOSURE_S)


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
    yield from person(_body(walker, time_s), pose, optics, _closed(walker, time_s))


def _closed(presence: Walker | MaskWearer, time_s: float) -> float:
    return Blinks(presence.seed).closed(time_s) if presence.blinks else 0.0


@functools.lru_cache(maxsize=8)
def _print(photo_of: str, holder: str) -> Bytes:
    return props.print_of(people.portrait(photo_of, seed=7), people.looks_of(holder).tone)


def _photo_holder(scene: Scene, holder: PhotoHolder, time_s: float) -> Iterator[Part]:
    held = _Held(scene, holder, time_s)
    yield from held.holder()
    yield from held.arms(props.PRINT_WIDTH_M / 2)
    atlas = _print(holder.photo_of, holder.person)
    palms, thumbs = props.hands(props.PRINT_WIDTH_M / 2)
    yield Part(palms, held.at(palms), atlas, held.optics, _HAND_PX)
    paper = props.sheet(atlas, holder.bend_radius_m)
    optics = held.optics._replace(finish=_PAPER)
    gloss = (
        np.random.default_rng([holder.seed, 304]).uniform(0, _GLOSS) if holder.bend_radius_m is None else 0.0
    )
    finish = Finished(props.print_dots(scene.lens, held.pose.distance_m), held.sheen(float(gloss), 0.6))
    yield Part(paper, held.at(paper), atlas, optics, _PRINT_PX, Matter.PRINT, finish.laid)
    yield Part(thumbs, held.at(thumbs), atlas, held.optics, _HAND_PX)


def _tablet_holder(scene: Scene, holder: TabletHolder, time_s: float) -> Iterator[Part]:
    held = _Held(scene, holder, time_s)
    yield from held.holder()
    edge_m = screen.DISPLAYS[holder.device].edge_m
    yield from held.arms(edge_m)
    skin = props.skin_of(people.looks_of(holder.person).tone)
    palms, thumbs = props.hands(edge_m, beside_print=False)
    yield Part(palms, held.at(palms), skin, held.optics, _HAND_PX)
    case, black = screen.casing(holder.device)
    yield Part(case, held.at(case), black, held.optics._replace(finish=screen.GLASS), _HAND_PX, Matter.SCREEN)
    lit = screen.lit_area(holder.device)
    frame = screen.film(holder.video_of, holder.device, holder.seed, time_s)
    shining = held.optics._replace(gain=1.0, finish=screen.GLASS)
    dots = screen.dots(holder.device, holder.pitch_mm, scene.lens, held.pose.distance_m)
    finish = Finished(dots, held.sheen(_GLARE, 0.25))
    yield Part(lit, held.at(lit), frame, shining, _SCREEN_PX, Matter.SCREEN, finish.laid)
    yield Part(thumbs, held.at(thumbs), skin, held.optics, _HAND_PX)


class _Held:
    """Somebody with something in their hands, at a moment."""

    def __init__(self, scene: Scene, holder: PhotoHolder | TabletHolder, time_s: float) -> None:
        body, body_before = _poses(_gait(holder.person, holder.seed), holder, time_s)
        grip = _grip(holder.seed)
        before = grip.pose(body_before, time_s - _EXPOSURE_S)
        self._scene, self._body = scene, body
        self._person, self._closed = holder.person, Blinks(holder.seed).closed(time_s)
        self.pose = grip.pose(body, time_s)
        self.optics = _optics(scene, self.pose, before, holder.seed, time_s)
        self._turned = turn(self.pose.yaw, self.pose.pitch, self.pose.roll).T

    def holder(self) -> Iterator[Part]:
        """The person behind."""
        return person(people.figure(self._person), self._body, self.optics, self._closed)

    def at(self, surface: Surface) -> Floats:
        """Where the points of what is held, or of what holds it, are."""
        return surface.points @ self._turned + self.pose.place()

    def arms(self, edge_m: float) -> Iterator[Part]:
        """Sleeves from the elbows to the hands, which are at both edges."""
        grips = np.array([[s * (edge_m + 0.012), 0.17, 0.03] for s in (-1, 1)], np.float32)
        elbows = np.array([[s * 0.27, 0.46, 0.02] for s in (-1, 1)], np.float32) + self._body.place()
        colour = people.looks_of(self._person).cloth.colour
        sleeves, wool = props.forearms(grips @ self._turned + self.pose.place(), elbows, colour)
        yield Part(sleeves, sleeves.points, wool, self.optics, _HAND_PX)

    def sheen(self, light: float, soft: float) -> Sheen | None:
        """What its flat front mirrors of the hall."""
        see = self._scene.mount.see
        front = see(np.stack([self.pose.place(), self.pose.place() - self._turned[2]]))
        return sheen(self._scene.lens, front[0], front[1] - front[0], light, soft)


@functools.lru_cache(maxsize=8)
def _masked(name: str, photo_of: str, *, eye_holes: bool) -> Figure:
    figure = people.figure(name)
    nose_m = float(figure.head.points[figure.face, 2].min())
    print_ = props.inked(people.portrait(photo_of, seed=7))
    mask = props.paper_mask(print_, people.STUDIO_SCALE, people.STUDIO_EYES, nose_m, eye_holes=eye_holes)
    return figure._replace(worn=(mask,))


def _mask_wearer(scene: Scene, wearer: MaskWearer, time_s: float) -> Iterator[Part]:
    pose, before = _poses(_gait(wearer.person, wearer.seed), wearer, time_s)
    optics = _optics(scene, pose, before, wearer.seed, time_s)
    figure = _masked(wearer.person, wearer.photo_of, eye_holes=wearer.eye_holes)
    yield from person(figure, pose, optics, _closed(wearer, time_s))
