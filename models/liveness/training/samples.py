"""Presentations before the simulated camera: people, and prints and screens that show them."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final, Literal

import cv2
import numpy as np
import numpy.typing as npt

from models.liveness.looking import Image
from models.liveness.training.camera import Shot, optics, photographed, scaling
from models.liveness.training.chance import Chance
from models.liveness.training.prints import PRINTS, PrintKind, on_paper
from models.liveness.training.scene import (
    View,
    blended,
    detailed,
    furnished,
    glints,
    rectangle,
    seen,
    shaded,
    softened,
    surface,
    view,
)
from models.liveness.training.screens import SCREENS, ScreenKind, on_screen
from models.liveness.training.sources import Source

Floats = npt.NDArray[np.float32]

Kind = Literal["bona fide"] | PrintKind | ScreenKind
TRAINED: Final[tuple[Kind, ...]] = (*PRINTS, *SCREENS)
UNSEEN: Final[tuple[Kind, ...]] = ("poster", "projection", "e-paper")  # instruments that only a test has
SMALLEST: Final = 50.0  # sizes of faces in the camera's image, pixels
LARGEST: Final = 210.0
LARGEST_SENSED: Final = 250.0  # before the camera scales: larger ones cost much and show no more
AROUND: Final = 1.28  # of the face's size, to each side: half the context with some jitter


@dataclass(frozen=True)
class Sample:
    """One image with its face, and what was before the camera."""

    kind: Kind
    shot: Shot

    @property
    def attack(self) -> bool:
        """Whether it is a re-capture."""
        return self.kind != "bona fide"


def sample(kind: Kind, sources: Sequence[Source], seed: Sequence[int], *, held_out: bool = False) -> Sample:
    """Simulate one presentation; the same arguments give the same one."""
    chance = Chance(np.random.default_rng(list(seed)), held_out=held_out)
    source, others = chance.one(sources), [chance.one(sources) for _ in range(4)]
    scale = scaling(chance)
    size = min(chance.free_scale(SMALLEST, LARGEST) / scale, LARGEST_SENSED)
    if kind == "bona fide":
        shot = _person(source, others, size, scale, chance)
    else:
        shot = _recapture(kind, source, others, size, scale, chance)
    return Sample(kind, _misjudged(shot, chance))


def _person(source: Source, others: list[Source], size: float, scale: float, chance: Chance) -> Shot:
    lens = optics(chance)
    at = view(size, AROUND, chance, tilt=0.05)
    light = seen(source, at, chance)
    if chance.happens(0.6):
        light = furnished(light, at, others, chance)
    light = detailed(light, at, chance)
    if chance.happens(0.6):
        light = shaded(light, at, chance, 0.6)
    if chance.happens(0.35):
        light = glints(light, at, chance, on_face=True)
    if chance.happens(0.25):  # light that strays in the lens
        light = light + np.float32(chance.free_scale(0.002, 0.08))
    return photographed(light, None, at.centre, size, scale, lens, chance)


def _recapture(
    kind: Kind, source: Source, others: list[Source], size: float, scale: float, chance: Chance
) -> Shot:
    lens = optics(chance)
    paper = kind in {*PRINTS, "poster"}
    bend = chance.scale(0.1, 1.2) if paper and chance.happens(0.45) else 0.0
    at = view(size, AROUND, chance, bend=bend)
    medium = _medium(at, chance, paper=paper)
    picture = _copied(source, others, at, chance)
    if paper:  # its margin is paper, too
        white = np.full_like(picture, max(1.0, float(picture.max())))
        shown = on_paper(blended(white, picture, medium.picture), at, kind, chance, lens)  # type: ignore[arg-type]  # a print, as `paper` says
        light, mask, ratio = shown.light, medium.whole, chance.scale(0.4, 2.0)
    else:
        room = surface(at, others, chance)
        shown = on_screen(picture, at, kind, chance, lens, room)  # type: ignore[arg-type]  # a screen, since it is no `paper`
        rim = np.float32(chance.scale(0.2, 0.8) if chance.happens(0.2) else chance.scale(0.004, 0.08))
        rims = rim + room * np.float32(chance.scale(0.003, 0.1))
        light, mask, ratio = (
            blended(rims, shown.light, medium.picture),
            medium.picture,
            chance.scale(0.15, 2.5),
        )
    behind = surface(at, others, chance)
    behind = behind * np.float32(ratio * float(shown.light.mean()) / max(float(behind.mean()), 1e-3))
    light = blended(behind * (1 - medium.shadow[..., None]), light, medium.whole)
    if medium.outer is not None and chance.happens(0.3):
        light, mask = _held(light, mask, at, medium.outer, chance)
    return photographed(light, shown.pattern * mask[..., None], at.centre, size, scale, lens, chance)


@dataclass(frozen=True)
class _Medium:
    """Masks of a sheet or device, of the picture on it, of its shadow; its borders if they may be in view."""

    whole: Floats
    picture: Floats
    shadow: Floats
    outer: tuple[float, float, float, float] | None


def _medium(at: View, chance: Chance, *, paper: bool) -> _Medium:
    """Often it fills the view; else a rectangle with a margin; some paper is cut out along the face."""
    ones, none = np.ones((at.side, at.side), np.float32), np.zeros((at.side, at.side), np.float32)
    if chance.happens(0.35):
        return _Medium(ones, ones, none, None)
    if paper and chance.happens(0.12):
        wide, high = chance.within(0.42, 0.6), chance.within(0.55, 0.75)
        distance = np.sqrt(np.square(at.x / np.float32(wide)) + np.square(at.y / np.float32(high))) - 1
        mask = np.asarray(np.clip(0.5 - distance * np.float32(wide * at.size), 0, 1), np.float32)
        return _Medium(mask, ones, none, None)
    box = (
        -chance.within(0.5, 1.5), -chance.within(0.6, 1.6), chance.within(0.5, 1.5), chance.within(0.6, 1.6)
    )  # fmt: skip
    margin = [chance.scale(0.01, 0.3) if chance.happens(0.75) else 0.0 for _ in range(4)]
    outer = (box[0] - margin[0], box[1] - margin[1], box[2] + margin[2], box[3] + margin[3])
    corner = 0.0 if paper or chance.happens(0.4) else chance.within(0.02, 0.15)
    shadow = none
    if chance.happens(0.5):
        aside, under = np.float32(chance.within(-0.1, 0.1)), np.float32(chance.within(0, 0.1))
        moved = View(at.x - aside, at.y - under, at.size, at.centre)
        soft = max(2.0, chance.scale(0.02, 0.3) * at.size)
        shadow = np.float32(chance.within(0.1, 0.7)) * rectangle(moved, outer, soft=soft)
    return _Medium(rectangle(at, outer, round_=corner), rectangle(at, box, round_=corner / 2), shadow, outer)


def _copied(source: Source, others: list[Source], at: View, chance: Chance) -> Floats:
    """The photograph that is shown: taken once before, perhaps compressed, perhaps small."""
    if chance.happens(0.3):
        quality = [cv2.IMWRITE_JPEG_QUALITY, round(chance.within(25, 85))]
        decoded: Any = cv2.imdecode(cv2.imencode(".jpg", source.image, quality)[1], cv2.IMREAD_COLOR)
        source = Source(source.person, np.asarray(decoded, np.uint8), source.centre, source.size)
    lost = chance.within(0, 1) if chance.happens(0.7) else 0.0
    light = seen(source, at, chance)
    if chance.happens(0.4):  # a photograph has a background, too
        light = furnished(light, at, others, chance)
    light = detailed(light, at, chance, lost=lost)
    if chance.happens(0.4):
        light = shaded(light, at, chance, 0.4)
    if lost > 0.2:
        light = softened(light, 0.2 + lost * chance.within(0.1, 0.009 * at.size))
    return np.asarray(light * np.float32(chance.free_scale(0.7, 1.5)), np.float32)


def _held(
    light: Floats, mask: Floats, at: View, box: tuple[float, float, float, float], chance: Chance
) -> tuple[Floats, Floats]:
    """Finger tips over the borders."""
    mean = float(light.mean())
    skin = np.array([0.35, 0.5, 0.8], np.float32) * np.float32(mean * chance.within(0.6, 2.2))
    for _ in range(chance.whole(1, 4)):
        side = chance.one((box[0], box[2]))
        y = chance.free(-0.8, 1.2)
        reach = chance.within(0.05, 0.25), chance.within(0.04, 0.1)
        distance = np.sqrt(
            np.square((at.x - np.float32(side)) / np.float32(reach[0]))
            + np.square((at.y - np.float32(y)) / np.float32(reach[1]))
        ) - 1  # fmt: skip
        finger = np.asarray(np.clip(0.5 - distance * np.float32(reach[1] * at.size), 0, 1), np.float32)
        light = blended(light, np.asarray(np.broadcast_to(skin, light.shape), np.float32), finger)
        mask = mask * (1 - finger)
    return light, mask


def _misjudged(shot: Shot, chance: Chance) -> Shot:
    """Where a mesh would say that the face is: nearly right."""
    x, y = (at + chance.rng.normal(0, 0.02) * shot.size for at in shot.centre)
    return Shot(shot.image, (float(x), float(y)), shot.size * chance.free(0.94, 1.06))


def sheet_of(samples: Sequence[Sample], columns: int = 6, side: int = 220) -> Image:
    """Samples side by side, to look at."""
    tiles = [np.asarray(cv2.resize(s.shot.image, (side, side)), np.uint8) for s in samples]
    rows = [
        np.concatenate(tiles[i : i + columns], axis=1) for i in range(0, len(tiles) - columns + 1, columns)
    ]
    return np.concatenate(rows)
