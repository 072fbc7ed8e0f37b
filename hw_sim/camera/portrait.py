"""Two public-domain portraits, taken apart into what people are blended from: shapes and skin textures.

Portraits: scikit-image's `astronaut` (NASA, public domain) and matplotlib's `grace_hopper.jpg` (US Navy,
public domain). A third party's landmark net (MediaPipe, Apache-2.0, out of the same wheel that the gate
uses) gives 468 points with depth on each. From these come

- a *shape*: 468 points in metres, turned to the front and made symmetric, eyes `EYE_DISTANCE_M` apart;
- a *skin*: the portrait's pixels laid out on the unrolled face (`unrolled`), one layout for everybody.

Axes everywhere in the simulator's camera: x to the image's right, y down, z away from the camera. A head
looks along -z. Nothing is downloaded; a file that is missing names the package to install.
"""

import ast
import functools
import importlib.util
from pathlib import Path
from typing import Final, NamedTuple

import cv2
import numpy as np
from numpy.typing import NDArray
from scipy.optimize import linear_sum_assignment

from hw_sim.camera.raster import draw
from models.tflite import interpreter

Floats = NDArray[np.float32]
Bytes = NDArray[np.uint8]
Indices = NDArray[np.intp]

EYE_DISTANCE_M: Final = 0.063  # adult mean between pupils
SKIN_PX: Final = 512  # side of the square layout
_UNROLL_AXIS_M: Final = 0.12  # the face is unrolled from a cylinder whose axis lies so far behind the nose
_NET_PX: Final = 192  # input side of face_landmark.tflite
_NET_FILE: Final = "modules/face_landmark/face_landmark.tflite"
_HOLE_CORNERS: Final = frozenset({33, 263, 78})  # outer corners of the eyes, right corner of the mouth
_RIGHT_EYE, _LEFT_EYE = (33, 133), (362, 263)  # corners; the person's right is the image's left
_FOREHEAD_TOP, _CHIN = 10, 152
_PNG: Final = b"\x89PNG\r\n\x1a\n"


class Portrait(NamedTuple):
    """One base portrait: `shape` (468, 3) metres and `skin` (SKIN_PX, SKIN_PX, 3) BGR."""

    shape: Floats
    skin: Bytes


class _Source(NamedTuple):
    package: str
    file: str
    centre: tuple[float, float]  # of the face, px; found once by running the net on its own result
    side: float  # of the square around it, px


_ASTRONAUT: Final = _Source("skimage", "data/astronaut.png", (225.2, 123.0), 160.8)
_HOPPER: Final = _Source("matplotlib", "mpl-data/sample_data/grace_hopper.jpg", (263.4, 233.0), 306.2)


def _bundled(package: str, file: str) -> Path:
    """The path of a file inside an installed package, found without importing it."""
    spec = importlib.util.find_spec(package)
    if spec is None or spec.origin is None:
        raise FileNotFoundError(f"package {package} is not installed: run make install")
    path = Path(spec.origin).parent / file
    if not path.is_file():
        raise FileNotFoundError(f"package {package} has no {file}: install the version in constraints.txt")
    return path


@functools.cache
def triangles() -> Indices:
    """The face mesh as (898, 3) vertex numbers: MediaPipe's tesselation, with eyes and mouth closed."""
    source = _bundled("mediapipe", "python/solutions/face_mesh_connections.py").read_text(encoding="utf-8")
    for node in ast.walk(ast.parse(source)):
        if (
            isinstance(node, ast.Assign)
            and isinstance(node.value, ast.Call)
            and isinstance(node.targets[0], ast.Name)
            and node.targets[0].id == "FACEMESH_TESSELATION"
        ):
            edges = np.array(ast.literal_eval(node.value.args[0]), np.intp)
            break
    else:
        raise ValueError("mediapipe has no FACEMESH_TESSELATION: install the version in constraints.txt")
    faces = edges[:, 0].reshape(-1, 3)  # each triangle is listed as its three edges, head to tail
    return np.concatenate([faces, *(_closed(loop) for loop in _loops(faces)[1:])])


def _loops(faces: Indices) -> list[list[int]]:
    """The closed borders of a mesh as vertex numbers, the longest (the outline of the face) first."""
    sides = {(int(t[i]), int(t[(i + 1) % 3])) for t in faces for i in range(3)}
    follow: dict[int, list[int]] = {}
    for a, b in sides:
        if (b, a) not in sides:
            follow.setdefault(a, []).append(b)
    loops = []
    while follow:
        loop = [min(follow)]
        while (ahead := follow.pop(loop[-1], None)) is not None and ahead[0] != loop[0]:
            loop.append(ahead[0])
        loops.append(loop)
    return sorted(loops, key=len, reverse=True)


def _closed(loop: list[int]) -> Indices:
    """Triangles that close the hole of an eye or the mouth, zipped between its lips from corner to corner."""
    start = next(i for i, vertex in enumerate(loop) if vertex in _HOLE_CORNERS)
    one = [*loop[start:], *loop[:start]]
    half = len(one) // 2
    other = [one[0], *reversed(one)]
    strip = [(one[i], other[i], one[i + 1], other[i + 1]) for i in range(half)]
    found = [t for a, b, c, d in strip for t in ((a, b, c), (c, b, d)) if len(set(t)) == 3]
    return np.array(found, np.intp)


@functools.cache
def _landmarks(source: _Source) -> Floats:
    """468 points (x, y, z) in pixels of the portrait; z on the same scale, smaller is nearer."""
    net = interpreter(_bundled("mediapipe", _NET_FILE).read_bytes())
    scale = _NET_PX / source.side
    left, top = source.centre[0] - source.side / 2, source.centre[1] - source.side / 2
    crop = np.array([[scale, 0, -left * scale], [0, scale, -top * scale]])
    seen = cv2.warpAffine(_read(source), crop, (_NET_PX, _NET_PX), flags=cv2.INTER_AREA)
    net.set_tensor(net.get_input_details()[0]["index"], seen[None, :, :, ::-1].astype(np.float32) / 255)
    net.invoke()
    points = next(t for t in net.get_output_details() if t["shape"][-1] == 468 * 3)
    found: Floats = net.get_tensor(points["index"]).reshape(468, 3) / scale
    found[:, :2] += np.array([left, top], np.float32)
    return found


def _frontal(points: Floats) -> Floats:
    """The points turned to the front, centred between the eyes, in metres."""
    right, left = points[list(_RIGHT_EYE)].mean(0), points[list(_LEFT_EYE)].mean(0)
    across = (left - right) / np.linalg.norm(left - right)
    down = points[_CHIN] - points[_FOREHEAD_TOP]
    down = down - across * (down @ across)
    down /= np.linalg.norm(down)
    turn = np.stack([across, down, np.cross(across, down)])
    metres = EYE_DISTANCE_M / np.linalg.norm(left - right)
    return np.asarray((points - (left + right) / 2) @ turn.T * metres, np.float32)


@functools.cache
def _mean_shape() -> Floats:
    return (_frontal(_landmarks(_ASTRONAUT)) + _frontal(_landmarks(_HOPPER))) / 2


@functools.cache
def mirror() -> Indices:
    """For each of the 468 points the number of its mirror image."""
    shape = _mean_shape()
    flipped = shape * np.array([-1, 1, 1], np.float32)
    distance = np.linalg.norm(shape[:, None] - flipped[None], axis=2)
    return np.asarray(linear_sum_assignment(distance)[1], np.intp)


def symmetric(shape: Floats) -> Floats:
    """The mean of a shape and its mirror image."""
    return (shape + shape[mirror()] * np.array([-1, 1, 1], np.float32)) / 2


@functools.cache
def _read(source: _Source) -> Bytes:
    file = _without_profile(_bundled(source.package, source.file).read_bytes())
    flags = cv2.IMREAD_COLOR | cv2.IMREAD_IGNORE_ORIENTATION
    image = cv2.imdecode(np.frombuffer(file, np.uint8), flags)
    if image is None:
        raise FileNotFoundError(f"package {source.package}: {source.file} is not an image: reinstall it")
    return np.asarray(image, np.uint8)


def _without_profile(file: bytes) -> bytes:
    """A PNG without its colour profile, about which libpng would complain; any other file as it is."""
    if not file.startswith(_PNG):
        return file
    kept, at = [_PNG], len(_PNG)
    while at < len(file):
        end = at + 12 + int.from_bytes(file[at : at + 4], "big")
        if file[at + 4 : at + 8] != b"iCCP":
            kept.append(file[at:end])
        at = end
    return b"".join(kept)


@functools.cache
def unrolled() -> Floats:
    """Where each of the 468 points lies in everybody's skin layout, (468, 2) px."""
    shape = symmetric(_mean_shape())
    angle = np.arctan2(shape[:, 0], shape[:, 2].min() + _UNROLL_AXIS_M - shape[:, 2])
    flat = np.stack([angle, shape[:, 1]], axis=1)
    low, high = flat.min(0), flat.max(0)
    return np.asarray((0.02 + 0.96 * (flat - low) / (high - low)) * SKIN_PX, np.float32)


def _portrait(source: _Source) -> Portrait:
    image = _read(source)
    points = _landmarks(source)
    faces = triangles()
    patch = draw(unrolled()[faces], points[faces][..., :2], (SKIN_PX, SKIN_PX))
    if patch is None:
        raise ValueError("the skin layout is empty")
    skin = np.zeros((SKIN_PX, SKIN_PX, 3), np.uint8)
    at = skin[patch.y : patch.y + patch.height, patch.x : patch.x + patch.width]
    at[:] = cv2.remap(image, patch.map_x, patch.map_y, cv2.INTER_CUBIC, borderMode=cv2.BORDER_REFLECT)
    at[patch.cover == 0] = 0
    return Portrait(symmetric(_frontal(points)), skin)


@functools.cache
def astronaut() -> Portrait:
    """Eileen Collins, 1990s, smiling."""
    return _portrait(_ASTRONAUT)


@functools.cache
def hopper() -> Portrait:
    """Grace Hopper, 1984, with glasses."""
    return _portrait(_HOPPER)
