"""Presentations to a camera, in the words of ISO/IEC 30107-3, that owe nothing to the simulator's lane.

A *subject* is either a photograph put on the relief of a head (the canonical mesh, deformed at random and
fitted to the photograph) or a random person of the simulator's figures. A *presentation* is a subject itself
or an instrument made of a picture of it (flat, bent and wrapped prints, tablets, cut-out masks), with lens,
picture size, frame rate, noise, and a motion of its own. Everything is drawn from one seed.

Axes: x to the image's right, y down, z away from the camera; metres.
"""

import functools
from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Final, Literal, NamedTuple

import cv2
import numpy as np
import numpy.typing as npt
from scipy.spatial import Delaunay

from hw_sim.camera import figure, looks
from hw_sim.camera.figure import PIVOT, Cloth, Hair
from hw_sim.camera.portrait import triangles
from hw_sim.camera.raster import draw
from models.face import Points
from models.tflite import Image

Floats = npt.NDArray[np.float32]
Chance = np.random.Generator
Kind = Literal["person", "flat", "bent", "wrapped", "tablet", "mask"]

EYES_M: Final = 0.063
OUTLINE: Final = figure._OUTLINE
_AROUND_M: Final = 0.15  # half of what is drawn around a face


class Skin(NamedTuple):
    """A surface: points (N, 3) in metres about its own origin, texture (N, 2) in pixels, triangles (T, 3)."""

    points: Floats
    texture: Floats
    faces: npt.NDArray[np.intp]
    atlas: Image
    layers: npt.NDArray[np.intp] | None = None


@dataclass(frozen=True, kw_only=True)
class Subject:
    """A person: the surfaces that turn with the head, those that do not, and a picture for prints."""

    head: tuple[Skin, ...]
    body: tuple[Skin, ...]
    pivot: Floats
    picture: Image
    eyes: Points  # (2, 2) in the picture
    outline: Points  # (36, 2) of the face in the picture


@dataclass(frozen=True, kw_only=True)
class Camera:
    """A pinhole with the principal point in the middle."""

    width: int
    height: int
    focal_px: float
    fps: float
    noise: float
    blur: float
    jpeg: int


@dataclass(frozen=True, kw_only=True)
class Motion:
    """Positions (N, 3) in metres and turns (N, 3) in radians (yaw, pitch, roll) at moments `at` (seconds)."""

    at: Points
    places: Points
    turns: Points


@dataclass(frozen=True, kw_only=True)
class Presentation:
    """What comes before the camera."""

    kind: Kind
    subject: Subject
    camera: Camera
    motion: Motion
    seed: int
    radius_m: float = float("inf")
    axis: float = 0.0  # of the bend: 0 about the vertical, pi/2 about the horizontal
    face_scale: float = 1.0  # of the printed face against life
    border: float = 0.0
    scenery: Image | None = None
    holder: Subject | None = None


# --- subjects ---------------------------------------------------------------------------------------------


def from_photograph(photo: Image, mesh: Points, canonical: Points, chance: Chance) -> Subject:
    """Put a photograph (BGR) with its mesh (468, 3) on the canonical head (468, 3, centimetres, y up)."""
    model = _deformed(canonical * (0.01, -0.01, -0.01), chance)
    eyes = np.stack([mesh[[33, 133], :2].mean(0), mesh[[263, 362], :2].mean(0)])
    metre = EYES_M / np.hypot(*(eyes[1] - eyes[0]))
    points = mesh * metre
    turn = _rotation_onto(model, points)
    depth = (model @ turn.T)[:, 2]
    middle = eyes.mean(0) * metre
    shape = np.column_stack([points[:, :2] - middle, depth - depth[[33, 133, 263, 362]].mean()])
    outline = shape[list(OUTLINE), :2]
    low, high = outline.min(0), outline.max(0)
    wide, tall = high - low
    step = 0.3 * EYES_M
    xs = np.arange(low[0] - 0.9 * wide, high[0] + 0.9 * wide, step)
    ys = np.arange(low[1] - 0.6 * tall, high[1] + 1.0 * tall, step)
    grid = np.stack(np.meshgrid(xs, ys), -1).reshape(-1, 2)
    away = _outside(grid, outline)
    grid = grid[away > 0.4 * step]
    around = np.concatenate([outline, grid])
    rim = shape[list(OUTLINE), 2]
    nearest = np.square(grid[:, None] - outline[None]).sum(2).argmin(1)
    gap = np.sqrt(np.square(grid - outline[nearest]).sum(1))
    behind = np.maximum(rim[nearest] + np.minimum(gap * 1.3, 0.06), 0.03)
    z = np.concatenate([rim, behind])
    mesh_of = Delaunay(around).simplices
    centre = around[mesh_of].mean(1)
    shown = (_outside(centre, outline) > 0) & _silhouette(centre, low, high)
    faces = mesh_of[shown]
    corner = around[faces]
    cross = _cross(corner)
    faces = np.where((cross > 0)[:, None], faces[:, ::-1], faces)
    shell = np.column_stack([around, z])
    both = np.concatenate([shape, shell]).astype(np.float32)
    numbers = np.concatenate([faces + 468, triangles()])
    layers = np.concatenate([np.zeros(len(faces), np.intp), np.ones(len(triangles()), np.intp)])
    texture = ((both[:, :2] + middle) / metre).astype(np.float32)
    skin = Skin(both, texture, numbers, photo, layers)
    return Subject(
        head=(skin,), body=(), pivot=np.array([0, 0.09, 0.07], np.float32), picture=photo, eyes=eyes,
        outline=mesh[list(OUTLINE), :2],
    )  # fmt: skip


def random_figure(seed: int) -> Subject:
    """Make a person as the simulator makes its own, with looks that it does not have."""
    chance = np.random.default_rng([seed, 31])
    tone = np.array((150, 175, 220)) * chance.uniform(0.3, 1.0) * chance.uniform(0.9, 1.1, 3)
    dark = chance.uniform(0.1, 1.0)
    fall = float(chance.choice([0, 0, 0.16]))
    hair = Hair(chance.uniform(0.004, 0.025), chance.uniform(0.004, 0.022), fall,
                tuple(int(v) for v in np.array((90, 110, 140)) * dark))  # fmt: skip
    cloth = Cloth(*(tuple(int(v) for v in chance.uniform(30, 220, 3)) for _ in range(2)))
    features = tuple((name, float(np.clip(chance.normal(0, 0.6), -1.2, 1.2))) for name in looks.FEATURES)
    chosen = looks.Looks(
        shape=chance.uniform(-0.2, 1), skin=chance.uniform(0, 1), eyes=chance.uniform(0, 0.6),
        mouth=float(chance.integers(0, 2)), tone=tuple(int(v) for v in tone), hair=hair, cloth=cloth,
        brows=chance.uniform(0, 0.7), brow_colour=(20, 26, 34), lips=chance.uniform(0, 0.6),
        fringe=chance.uniform(0, 0.6), beard=float(chance.choice([0, 0, 0.7])), features=features,
    )  # fmt: skip
    shape = looks.face(chosen)
    shape[:, 2] = (shape[:, 2] - shape[33, 2]) * chance.uniform(0.85, 1.2) + shape[33, 2]
    body = figure.build(
        shape, looks.skin(chosen, seed), chosen.tone, chosen.hair, chosen.cloth, width=1.0, seed=seed
    )
    head = (_skin_of(body.head, body.atlas),)
    rest = tuple(_skin_of(part, body.atlas) for part in (body.behind, body.body) if part is not None)
    subject = Subject(
        head=head, body=rest, pivot=PIVOT, picture=np.zeros((2, 2, 3), np.uint8),
        eyes=np.zeros((2, 2)), outline=np.zeros((36, 2)),
    )  # fmt: skip
    lens, at = (
        Camera(width=620, height=797, focal_px=5200.0, fps=1, noise=0, blur=0.5, jpeg=0),
        np.array([0, -0.018, 2.0]),
    )
    picture = np.full((797, 620, 3), (222, 220, 216), np.uint8)
    lean = np.deg2rad(chance.normal(0, 1.5, 3))
    _paint_person(picture, np.zeros(2), lens, subject, at, lean)
    inside = shape @ turn(*lean).T + at
    seen = inside[:, :2] * (5200 / inside[:, 2:]) + (310, 398.5)
    eyes = np.stack([seen[[33, 133]].mean(0), seen[[263, 362]].mean(0)])
    return replace(subject, picture=picture, eyes=eyes, outline=seen[list(OUTLINE)])


def _skin_of(surface: figure.Surface, atlas: Image) -> Skin:
    return Skin(surface.points, surface.texture, surface.faces, atlas, surface.layers)


def _deformed(model: Points, chance: Chance) -> Points:
    """Another head: stretched, above all in depth, and swollen here and there."""
    model = model - model.mean(0)
    model = model * chance.normal(1, [0.03, 0.03, 0.10])
    for _ in range(10):
        away = model - model[chance.integers(0, len(model))]
        weight = np.exp(-np.square(away).sum(1, keepdims=True) / (2 * 0.022**2))
        model = model + weight * chance.normal(0, 0.0015, 3)
    return model


def _rotation_onto(model: Points, points: Points) -> Points:
    left, _, right = np.linalg.svd((points - points.mean(0)).T @ (model - model.mean(0)))
    rotation: Points = left @ np.diag([1, 1, np.linalg.det(left @ right)]) @ right
    return rotation


def _outside(points: Points, polygon: Points) -> Points:
    """Signed distance: positive outside."""
    contour = polygon.astype(np.float32).reshape(-1, 1, 2)
    return np.array(
        [-cv2.pointPolygonTest(contour, (float(x), float(y)), measureDist=True) for x, y in points]
    )


def _silhouette(points: Points, low: Points, high: Points) -> npt.NDArray[np.bool_]:
    (wide, tall), middle = high - low, (low + high) / 2
    x, y = ((points - middle) / (wide, tall)).T
    head = (x / 0.66) ** 2 + ((y + 0.12) / 0.78) ** 2 < 1
    neck = (y > 0.3) & (np.abs(x) < 0.35)
    shoulders = (y > 0.72) & (np.abs(x) < 0.5 + 1.2 * (y - 0.72))
    return head | neck | shoulders


def _cross(corner: Points) -> Points:
    b, c = corner[:, 1] - corner[:, 0], corner[:, 2] - corner[:, 0]
    cross: Points = b[:, 0] * c[:, 1] - b[:, 1] * c[:, 0]
    return cross


# --- instruments ------------------------------------------------------------------------------------------


def instrument(presentation: Presentation) -> Skin:
    """The sheet that shows the subject's picture, its face's middle between the eyes at the origin."""
    subject, radius = presentation.subject, presentation.radius_m
    picture = subject.picture
    metre = EYES_M * presentation.face_scale / np.hypot(*(subject.eyes[1] - subject.eyes[0]))
    height, width = picture.shape[:2]
    if presentation.border:
        room = round(width * presentation.border)
        colour = (15, 15, 15) if presentation.kind == "tablet" else (238, 240, 240)
        picture = cv2.copyMakeBorder(picture, *(room,) * 4, cv2.BORDER_CONSTANT, value=colour)
    else:
        room = 0
    if presentation.kind != "tablet":
        picture = (20 + picture.astype(np.float32) * 0.86).astype(np.uint8)
    columns = np.linspace(0, width + 2 * room - 1, 28)
    rows = np.linspace(0, height + 2 * room - 1, 28)
    u, v = np.meshgrid(columns, rows)
    texture = np.stack([u, v], -1).reshape(-1, 2)
    flat = (texture - room - subject.eyes.mean(0)) * metre
    keep = np.ones(len(flat), bool)
    faces = _grid_faces(28, 28)
    if presentation.kind == "mask":
        contour = (subject.outline - subject.eyes.mean(0)) * metre * 1.04
        keep = _outside(flat, contour) < 0.004
        faces = faces[keep[faces].all(1)]
    along = np.array([np.cos(presentation.axis), np.sin(presentation.axis)])
    s = flat @ along
    turned = np.abs(s / radius) < 1.5
    faces = faces[turned[faces].all(1)]
    bent = np.where(np.isinf(radius), s, radius * np.sin(s / radius)) if np.isfinite(radius) else s
    z = radius * (1 - np.cos(s / radius)) if np.isfinite(radius) else np.zeros_like(s)
    points = np.column_stack([flat + np.outer(bent - s, along), z])
    return Skin(points.astype(np.float32), texture.astype(np.float32), faces, picture)


def _grid_faces(rows: int, columns: int) -> npt.NDArray[np.intp]:
    number = np.arange(rows * columns).reshape(rows, columns)
    a, b, c, d = number[:-1, :-1], number[:-1, 1:], number[1:, :-1], number[1:, 1:]
    return np.concatenate([np.stack(t, -1).reshape(-1, 3) for t in ((a, c, b), (b, c, d))])


# --- pictures ---------------------------------------------------------------------------------------------


def frames(
    presentation: Presentation, *, whole: bool = False
) -> Iterator[tuple[float, Image, tuple[int, int]]]:
    """Yield (at, picture, its corner in the frame): only what surrounds the face, unless `whole`."""
    chance = np.random.default_rng([presentation.seed, 77])
    camera, motion = presentation.camera, presentation.motion
    sheet = None if presentation.kind == "person" else instrument(presentation)
    focal = camera.focal_px
    size = np.array([camera.width, camera.height])
    scenery = _scenery(presentation, chance)
    visit = chance.uniform(0.75, 1.1)
    for at, place, angles in zip(motion.at, motion.places, motion.turns, strict=True):
        middle = place[:2] * focal / place[2] + size / 2
        half = _AROUND_M * focal / place[2]
        low = np.clip(np.round(middle - half * np.array((1, 0.9))), 0, size - 64).astype(int)
        high = np.clip(np.round(middle + half * np.array((1, 1.3))), low + 64, size).astype(int)
        if whole:
            low, high = np.zeros(2, int), size
        picture = scenery[low[1] : high[1], low[0] : high[0]].copy()
        if sheet is None:
            _paint_person(picture, low, camera, presentation.subject, place, angles)
        else:
            if presentation.holder is not None:
                worn = presentation.kind == "mask"
                behind = place + ((0, 0, 0.025) if worn else (0, -0.02, 0.28))
                _paint_person(
                    picture, low, camera, presentation.holder, behind, angles * (1.0 if worn else 0.2)
                )
            points = sheet.points @ turn(*angles).T + place
            paint(picture, low, camera, sheet, points)
        gain = visit + 0.05 / max(place[2], 0.5)
        picture = cv2.convertScaleAbs(picture, alpha=gain)
        picture = cv2.GaussianBlur(picture, (0, 0), camera.blur)
        _add_noise(picture, camera.noise, chance)
        if camera.jpeg:
            coded = cv2.imencode(".jpg", picture, (cv2.IMWRITE_JPEG_QUALITY, camera.jpeg))[1]
            picture = cv2.imdecode(coded, cv2.IMREAD_COLOR)
        yield float(at), picture, (int(low[0]), int(low[1]))


@functools.cache
def _unit_noise() -> Floats:
    chance = np.random.default_rng(3)
    own, common = chance.normal(0, 1, (1144, 1984, 3)), chance.normal(0, 0.5, (1144, 1984, 1))
    return (own + common).astype(np.float32)


def _add_noise(picture: Image, sigma: float, chance: Chance) -> None:
    height, width = picture.shape[:2]
    field = _unit_noise()
    y, x = (int(chance.integers(0, f - p + 1)) for f, p in zip(field.shape, (height, width), strict=False))
    noise = field[y : y + height, x : x + width]
    picture[:] = np.clip(cv2.scaleAdd(noise, sigma, picture.astype(np.float32)), 0, 255)


def _scenery(presentation: Presentation, chance: Chance) -> Image:
    camera = presentation.camera
    if presentation.scenery is not None:
        soft = cv2.GaussianBlur(presentation.scenery, (0, 0), 1.5)
        return cv2.resize(soft, (camera.width, camera.height), interpolation=cv2.INTER_LINEAR)
    coarse = chance.uniform(60, 200, (9, 16, 3)).astype(np.float32)
    kind = cv2.INTER_CUBIC if chance.random() < 0.5 else cv2.INTER_NEAREST
    big = cv2.resize(coarse, (camera.width, camera.height), interpolation=kind)
    return np.clip(cv2.GaussianBlur(big, (0, 0), 2), 0, 255).astype(np.uint8)


def _paint_person(
    picture: Image, corner: Points, camera: Camera, subject: Subject, place: Points, angles: Points
) -> None:
    rotation = turn(*angles).T
    for skin in subject.body[:1] if len(subject.body) > 1 else ():
        paint(picture, corner, camera, skin, (skin.points - subject.pivot) @ rotation + subject.pivot + place)
    for skin in subject.body[-1:]:
        paint(picture, corner, camera, skin, skin.points + place)
    for skin in subject.head:
        paint(picture, corner, camera, skin, (skin.points - subject.pivot) @ rotation + subject.pivot + place)


def paint(picture: Image, corner: Points, camera: Camera, skin: Skin, points: Points) -> None:
    """Draw a surface, its points at `points`, into a part of the frame that begins at `corner`."""
    middle = np.array([camera.width, camera.height]) / 2 - corner
    seen = (points[:, :2] * (camera.focal_px / points[:, 2:]) + middle)[skin.faces]
    near = points[:, 2][skin.faces]
    shown = np.flatnonzero((_cross(seen) < 0) & (near.min(1) > 0.12))
    if not len(shown):
        return
    layers = np.zeros(len(skin.faces), np.intp) if skin.layers is None else skin.layers
    shown = shown[np.lexsort((-near[shown].mean(1), layers[shown]))]
    height, width = picture.shape[:2]
    patch = draw(seen[shown].astype(np.float32), skin.texture[skin.faces[shown]], (width, height))
    if patch is None:
        return
    colour = cv2.remap(
        skin.atlas, patch.map_x, patch.map_y, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE
    )
    cover = cv2.GaussianBlur(patch.cover, (3, 3), 0.7)
    cover = np.where(patch.cover > 0, cover, 0).astype(np.float32) / 255
    part = picture[patch.y : patch.y + patch.height, patch.x : patch.x + patch.width]
    part[:] = cv2.blendLinear(colour, part.copy(), cover, 1 - cover)


def turn(yaw: float, pitch: float, roll: float) -> Points:
    """Rotation matrix: roll about z, then pitch about x, then yaw about y."""
    (cy, cp, cr), (sy, sp, sr) = np.cos([yaw, pitch, roll]), np.sin([yaw, pitch, roll])
    about_y = np.array([[cy, 0, sy], [0, 1, 0], [-sy, 0, cy]])
    about_x = np.array([[1, 0, 0], [0, cp, -sp], [0, sp, cp]])
    about_z = np.array([[cr, -sr, 0], [sr, cr, 0], [0, 0, 1]])
    rotation: Points = about_y @ about_x @ about_z
    return rotation


# --- motions and draws ------------------------------------------------------------------------------------


def _sway(chance: Chance, at: Points, low: float, high: float) -> Points:
    phase, hertz = chance.uniform(0, 2 * np.pi, 2), chance.uniform(low, high, 2)
    sway: Points = 0.6 * np.sin(2 * np.pi * hertz[0] * at + phase[0])
    return sway + 0.4 * np.sin(2 * np.pi * hertz[1] * at + phase[1])


Way = Literal["approach", "slow", "still", "swing", "frozen", "afar", "walk"]


def motion(kind: Kind, way: Way, camera: Camera, seconds: float, chance: Chance) -> Motion:
    """Draw a motion. A walk leads from 2.5 m to 0.7 m, about, and ends there.

    Otherwise faces begin where they are large enough to count well, for a lens of any focal length.
    """
    count = max(3, round(seconds * camera.fps))
    at = np.arange(count) / camera.fps + chance.normal(0, 0.1 / camera.fps, count)
    at = np.sort(at) - at.min()
    closest = camera.focal_px * EYES_M / chance.uniform(85, min(150, camera.height * 0.2))
    farthest = camera.focal_px * EYES_M / chance.uniform(44, 58)
    match way:
        case "approach":
            speed = chance.uniform(0.5, 1.5) * camera.focal_px / 1200
            distance = np.maximum(farthest - speed * at, closest)
        case "walk":
            whole = camera.focal_px * EYES_M / (0.19 * camera.height)  # a face this near fills the picture
            start, end = chance.uniform(2.3, 2.6), max(chance.uniform(0.6, 0.8), whole)
            distance = start - chance.uniform(0.8, 1.5) * at
            at = at[distance > end]
            count, distance = len(at), distance[: len(at)]
        case "afar":
            distance = np.full(count, chance.uniform(1.2, 2.5))
        case "slow":
            distance = farthest + (closest - farthest) * at / at[-1]
        case _:
            distance = np.full(count, chance.uniform(closest, farthest))
    moving = np.clip(np.abs(np.gradient(distance, at)) / 0.6, 0, 1)
    step = 2 * np.pi * chance.uniform(1.6, 2.1) * at + chance.uniform(0, 6.3)
    aside, rise = chance.normal(0, 0.05), chance.uniform(-0.10, 0.16)
    metre = float(distance.min()) / camera.focal_px  # of a pixel where the face is largest
    across, down = (max(0.0, side / 2 * metre - 0.13) for side in (camera.width, camera.height))
    aside, rise = float(np.clip(aside, -across, across)), float(np.clip(rise, -down, down))  # stays in view
    x = (
        aside
        + moving * chance.uniform(0.005, 0.016) * np.sin(step / 2)
        + 0.006 * _sway(chance, at, 0.15, 0.4)
    )
    y = rise + moving * chance.uniform(0.005, 0.014) * np.sin(step)
    z = distance + 0.008 * _sway(chance, at, 0.15, 0.4)
    if way in {"frozen", "afar"}:
        x, y, z = (np.full(count, v[0]) for v in (x, y, z))
    turns = _turns(kind, way, at, moving, step, chance)
    if kind == "person" and chance.random() < 0.4:  # looks into the camera rather than ahead
        turns[:, 0] -= np.arctan2(x, z)
        turns[:, 1] += np.arctan2(y, z)
    return Motion(at=at, places=np.column_stack([x, y, z]), turns=turns)


def _turns(kind: Kind, way: Way, at: Points, moving: Points, step: Points, chance: Chance) -> Points:
    if way in {"frozen", "afar"}:
        return np.tile(np.deg2rad(chance.normal(0, [4, 3, 1.5])), (len(at), 1))
    nod = moving * np.deg2rad(0.8)
    gait = np.column_stack([1.5 * nod * np.sin(step / 2 + 0.6), nod * np.cos(step), nod * np.sin(step / 2)])
    base = np.deg2rad(chance.normal(0, [3.5, 3.0, 1.5]))
    if kind == "person":
        size = (
            np.deg2rad(np.exp(chance.uniform(np.log(2.0), np.log(9.0))))
            if way != "swing"
            else np.deg2rad(chance.uniform(8, 16))
        )
        slow = [_sway(chance, at, 0.25, 0.9) * size * share for share in (1.0, 0.55, 0.3)]
        return base + np.column_stack(slow) + gait
    size = np.deg2rad(
        chance.uniform(9, 20) if way == "swing" else np.exp(chance.uniform(np.log(0.7), np.log(9.0)))
    )
    shares = chance.permutation([1.0, chance.uniform(0.2, 1), chance.uniform(0.1, 0.4)])
    if way == "swing" and chance.random() < 0.7:
        shares = np.array([1.0, chance.uniform(0.1, 0.6), 0.2])
    slow = [_sway(chance, at, 0.25, 1.2) * size * share for share in shares]
    tremor = np.deg2rad(chance.uniform(0.1, 0.4))
    shake = [_sway(chance, at, 4.0, 8.0) * tremor for _ in range(3)]
    return base + np.column_stack(slow) + np.column_stack(shake) + (gait if kind == "mask" else 0)


def camera(chance: Chance) -> Camera:
    """Draw a camera: VGA to 1080p, 40 to 80 degrees across, 10 to 30 frames a second."""
    width, height = [(1280, 720), (1280, 720), (640, 480), (1280, 960), (1920, 1080)][chance.integers(5)]
    focal = width * chance.uniform(0.65, 1.35)
    if width == 640:
        focal = width * chance.uniform(0.9, 1.8)
    return Camera(
        width=width, height=height, focal_px=focal, fps=float(chance.uniform(10, 30)),
        noise=float(chance.uniform(0.5, 5)), blur=float(chance.uniform(0.3, 1.1)),
        jpeg=int(chance.choice([0, 75, 85, 92])),
    )  # fmt: skip


def present(
    kind: Kind, way: Way, subject: Subject, seed: int, *, radius_m: float | None = None, seconds: float = 2.0,
    lens: Camera | None = None, scenery: Image | None = None, holder: Subject | None = None,
) -> Presentation:  # fmt: skip
    """Draw the rest of a presentation from its seed."""
    chance = np.random.default_rng([seed, 5])
    lens = lens or camera(chance)
    radii = {"bent": (0.13, 0.30), "wrapped": (0.08, 0.11), "mask": (0.08, 0.12)}
    if radius_m is None:
        radius_m = float(chance.uniform(*radii[kind])) if kind in radii else float("inf")
    axis = 0.0
    if kind in {"bent", "wrapped"} and chance.random() < 0.35:
        axis = float(chance.choice([np.pi / 2, chance.uniform(-0.6, 0.6)]))
    border = 0.0
    if kind != "mask":
        border = (
            float(chance.choice([0.0, 0.03, 0.06])) if kind != "tablet" else float(chance.uniform(0.03, 0.08))
        )
    return Presentation(
        kind=kind, subject=subject, camera=lens, motion=motion(kind, way, lens, seconds, chance), seed=seed,
        radius_m=radius_m, axis=axis, face_scale=float(chance.uniform(0.75, 1.15)), border=border,
        scenery=scenery, holder=holder,
    )  # fmt: skip
