"""Whether the models that are described are there, are the right ones, and run.

Every part of the manifest that names a file is tried: its hash is checked, the runtime loads it, and it is
run on noise. An embedder is tried as the gate uses it besides, with its own alignment and score, and compared
with what its entry says of known inputs.

As a program, `python -m models.trial FOLDER NAME`, it tries one embedder that is shipped or lies in the
folder, and `python -m models.trial ENTRY.toml` one that is brought: what a bad network does to the runtime
then ends no daemon and no command.
"""

import hashlib
import sys
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import msgspec
import numpy as np

from gated.core.values import Value
from models import installed
from models.face import POINTS
from models.height.outline import Outline
from models.manifest import Manifest, ModelError, read
from models.matching import Embedder
from models.schema import Embedder as EmbedderEntry
from models.tflite import Image, interpreter

UNUSABLE = 3
"""Exit status: the embedder cannot be used; standard error says why."""
DEVIATION = 0.02  # of a golden embedding's length: more than processors and runtimes differ by

_RUNS = 5


class Part(Value):
    """A file of the manifest, and the keys under which it is described."""

    name: str
    file: str
    sha256: str
    entry: Any


def parts(models: Manifest) -> tuple[Part, ...]:
    """Return every model file that the manifest describes, in its order."""
    return tuple(_parts("", models))


def run(part: Part) -> float:
    """Load the model and run it on noise; return milliseconds. Raises ModelError that names the fix."""
    if part.name.startswith("height."):
        return _outline(part)
    body = read(part.file, part.sha256)
    if body[4:8] != b"TFL3":
        raise ModelError(part.name, "not a TFLite file", "correct `file` and `sha256` of the entry")
    try:
        network = interpreter(body)
        chance = np.random.default_rng(0)
        for given in network.get_input_details():
            network.set_tensor(given["index"], chance.random(given["shape"]).astype(given["dtype"]))
        network.invoke()
        began = time.perf_counter()
        for _ in range(_RUNS):
            network.invoke()
        cost = (time.perf_counter() - began) / _RUNS
        made = [network.get_tensor(each["index"]) for each in network.get_output_details()]
    except (ValueError, RuntimeError) as error:
        raise ModelError(part.name, "TFLite cannot run it", "bring a model of built-in operators") from error
    if not all(np.isfinite(each).all() for each in made):
        raise ModelError(part.name, "gives no numbers", "bring a model in float32 or with float16 weights")
    return cost * 1000


def _outline(part: Part) -> float:
    """Run a network of outlines, whose last operator is not TFLite's own."""
    outline = Outline(part.entry)
    image = np.zeros((part.entry.input.height, part.entry.input.width, 3), np.uint8)
    began = time.perf_counter()
    for _ in range(_RUNS):
        found = outline.read(image, np.eye(2, 3))
    if not np.isfinite(found).all():
        raise ModelError(part.name, "gives no numbers", "restore the file of the manifest")
    return (time.perf_counter() - began) / _RUNS * 1000


def embed(name: str, entry: EmbedderEntry) -> Embedder:
    """Try an embedder as the gate uses it, on a made-up face, and return it.

    Raises ModelError that names the fix.
    """
    embedder = Embedder(entry)
    chance = np.random.default_rng(0)
    image = chance.integers(0, 256, (360, 360, 3)).astype(np.uint8)
    points = np.zeros((POINTS, 3))
    for at in entry.alignment:
        middle = np.array([at.x, at.y]) / (entry.input.width, entry.input.height)
        points[list(at.landmarks), :2] = 60 + 240 * middle
    one = embedder.embed(image, points)
    other = embedder.embed(np.invert(image), points)
    if one.ndim != 1 or not (np.isfinite(one).all() and np.isfinite(other).all()):
        raise ModelError(name, "gives no embedding", "its first output must be one row of numbers")
    if np.allclose(one, other):
        raise ModelError(name, "gives the same embedding for all images", "check `input` of the entry")
    if not embedder.score(one, one) > embedder.score(one, other):
        raise ModelError(name, "scores strangers like one person", "check `metric` and `score` of the entry")
    for golden in entry.golden:
        expected = np.array(golden.embedding)
        made = first_numbers(embedder, golden.seed, len(expected))
        if len(made) != len(expected):
            raise ModelError(name, "is shorter than its golden embedding", "correct `golden` of the entry")
        if np.linalg.norm(made - expected) > DEVIATION * np.linalg.norm(expected):
            raise ModelError(name, "does not give its golden embedding", "the entry is of another network")
    embedder.wipe()
    return embedder


def pattern(seed: str, height: int, width: int) -> Image:
    """Return a BGR image of known noise: the bytes of SHAKE-128 over the seed, row by row."""
    raw = hashlib.shake_128(seed.encode()).digest(3 * height * width)
    return np.frombuffer(raw, np.uint8).reshape(height, width, 3)


def first_numbers(embedder: Embedder, seed: str, count: int) -> list[float]:
    """Return the first numbers of the embedding of a known pattern, as an entry's `golden` names them."""
    size = embedder.entry.input
    made = embedder.embed_chip(pattern(seed, size.height, size.width))
    return [float(number) for number in made[:count]]


def _parts(prefix: str, value: Any) -> Iterator[Part]:
    if isinstance(value, dict):
        for key, inner in value.items():
            yield from _parts(f"{prefix}.{key}".lstrip("."), inner)
    elif isinstance(value, msgspec.Struct):
        names = value.__struct_fields__
        if {"file", "sha256", "provenance"} <= set(names):
            file, sha256 = (getattr(value, key) for key in ("file", "sha256"))
            yield Part(name=prefix, file=file, sha256=sha256, entry=value)
        for name in names:
            yield from _parts(f"{prefix}.{name}".lstrip("."), getattr(value, name))


def main(arguments: Sequence[str] | None = None) -> int:
    """Try one embedder; return the exit status."""
    given = sys.argv[1:] if arguments is None else arguments
    try:
        if len(given) == 1:
            brought = installed.read_entry(Path(given[0]))
            embed(brought.name, installed.embedder_of(brought))
        else:
            folder, name = given
            embed(name, installed.find(name, Path(folder)))
    except ModelError as error:
        sys.stderr.write(f"{error}\n")
        return UNUSABLE
    return 0


if __name__ == "__main__":
    sys.exit(main())
