"""`python -m models.evaluation.verification --images PATH`: measures an embedder with our own mesh and alignment.

PATH is a folder or a zip file of `.../person/photograph.jpg`. Every photograph is compared with every other.
Nothing is trained, and no threshold is fitted to anything but the false match rate it is named after. A
photograph without a face counts as not acquired and is left out of the pairs, as ISO/IEC 19795-1 reports
failures to acquire apart from match errors.

`fusion` is the gate's own case: one photograph as the passport's, some others as live frames, compared by
the first alone, by the mean of the embeddings and by the median of the scores. Means of more frames score
higher, for impostors too: a threshold belongs to the number of frames that it was measured with.
"""

import argparse
import sys
import zipfile
from collections import defaultdict
from collections.abc import Iterator, Sequence
from pathlib import Path

import cv2
import numpy as np
import numpy.typing as npt

from models import manifest
from models.face import PORTRAIT_MARGIN, FaceReader
from models.image import MAX_PIXELS, ImageError, decode
from models.matching import Embedder, fuse
from models.tflite import Floats, Image

Scores = npt.NDArray[np.float64]

FMRS = (1e-2, 1e-3, 1e-4)
FRAMES = 3
MAX_TURNS = 8
MAX_FILE = 5_000_000


def main(argv: Sequence[str] | None = None) -> int:
    """Print what was measured. Exit status 1 when there was nothing to measure with."""
    parser = argparse.ArgumentParser(description="Measure a face embedder.")
    parser.add_argument("--images", type=Path, required=True, help="folder or zip of person/photograph.jpg")
    parser.add_argument("--embedder", default="dlib-resnet", help="name in models/manifest.toml")
    parser.add_argument("--frames", type=int, choices=range(1, 9), default=FRAMES, help="live frames to fuse")
    options = parser.parse_args(argv)
    models = manifest.load()
    embedder = Embedder(manifest.embedder(models, options.embedder))
    people, missed = _embed_all(options.images, FaceReader(models), embedder)
    photographs = sum(len(p) for p in people.values())
    if photographs < 2:
        print(f"fewer than two photographs with a face under {options.images}", file=sys.stderr)
        return 1
    print(f"{options.embedder}: {len(people)} people, {photographs} photographs, {missed} without a face")
    mated, others = _all_pairs(people, embedder)
    print(f"all pairs: {len(mated)} genuine, {len(others)} impostor")
    _print_rates(mated, others)
    _print_fusion(people, embedder, options.frames)
    return 0


def rates(mated: Scores, others: Scores, fmr: float) -> tuple[float, float]:
    """Return the score above which a share `fmr` of the impostors lies, and the FNMR there."""
    allowed = int(fmr * len(others))
    threshold = float(np.partition(others, len(others) - 1 - allowed)[len(others) - 1 - allowed])
    return threshold, float((mated <= threshold).mean())


def _embed_all(source: Path, reader: FaceReader, embedder: Embedder) -> tuple[dict[str, list[Floats]], int]:
    people: dict[str, list[Floats]] = defaultdict(list)
    missed = 0
    for person, body in _photographs(source):
        try:
            image = decode(body, max_bytes=MAX_FILE, max_pixels=MAX_PIXELS)
        except ImageError:
            missed += 1
            continue
        embedding = _embed(image, reader, embedder)
        if embedding is None:
            missed += 1
        else:
            people[person].append(embedding)
    return people, missed


def _embed(image: Image, reader: FaceReader, embedder: Embedder) -> Floats | None:
    """Embed the face nearest to the middle, after enlarging images made for small models."""
    if max(image.shape[:2]) < 2 * embedder.entry.input.width:
        image = cv2.resize(image, None, fx=2, fy=2, interpolation=cv2.INTER_CUBIC).astype(
            np.uint8, copy=False
        )
    height, width = image.shape[:2]
    middle = np.array([width, height]) / 2
    faces = sorted(
        reader.detect(image, margin=PORTRAIT_MARGIN),
        key=lambda d: float(np.hypot(*(d.eyes.mean(0) - middle))),
    )
    face = reader.read(image, faces[0]) if faces else None
    return None if face is None else embedder.embed(image, face.points)


def _photographs(source: Path) -> Iterator[tuple[str, bytes]]:
    """Yield person and encoded photograph, in the order of their names."""
    if source.is_dir():
        for path in sorted(source.rglob("*.jpg")):
            yield path.parent.name, path.read_bytes()
        return
    with zipfile.ZipFile(source) as archive:
        for entry in sorted(archive.infolist(), key=lambda e: e.filename):
            if entry.filename.endswith(".jpg") and entry.file_size <= MAX_FILE:
                yield entry.filename.split("/")[-2], archive.read(entry)


def _all_pairs(people: dict[str, list[Floats]], embedder: Embedder) -> tuple[Scores, Scores]:
    vectors = np.stack([vector for group in people.values() for vector in group])
    labels = np.repeat(np.arange(len(people)), [len(group) for group in people.values()])
    mated, others = [], []
    for row in range(len(vectors) - 1):
        scores = embedder.scores(vectors[row], vectors[row + 1 :])
        same = labels[row + 1 :] == labels[row]
        mated.append(scores[same])
        others.append(scores[~same])
    return np.concatenate(mated), np.concatenate(others)


def _print_rates(mated: Scores, others: Scores) -> None:
    for fmr in FMRS:
        if fmr * len(others) < 10:
            print(f"  FMR {fmr:g}: too few impostor pairs")
            continue
        threshold, fnmr = rates(mated, others, fmr)
        print(f"  FMR {fmr:g}: score {threshold:.4f}, FNMR {100 * fnmr:.2f} %")


def _print_fusion(people: dict[str, list[Floats]], embedder: Embedder, frames: int) -> None:
    """Compare each reference with its person's live frames and with everybody else's, in three ways."""
    if all(len(group) <= frames for group in people.values()):
        print(f"fusion: nobody has more than {frames} photographs")
        return
    references, probes, labels = _cases(people, frames)
    others = labels[:, None] != labels[None]
    print(f"fusion: {len(set(labels))} people, {frames} live frames for each photograph")
    print(f" {len(labels)} genuine, {others.sum()} impostor")
    means = np.stack([fuse(list(each)) for each in probes])
    flat = probes.reshape(-1, probes.shape[2])
    tables: dict[str, list[Scores]] = {"first frame": [], "mean embedding": [], "median score": []}
    for reference in references:
        each = embedder.scores(reference, flat).reshape(len(labels), frames)
        tables["first frame"].append(each[:, 0])
        tables["mean embedding"].append(embedder.scores(reference, means))
        tables["median score"].append(np.median(each, axis=1))
    mated = np.eye(len(labels), dtype=bool)
    for name, rows in tables.items():
        table = np.stack(rows)
        print(f" {name}: mean genuine score {table[mated].mean():.3f}")
        _print_rates(table[mated], table[others])


def _cases(people: dict[str, list[Floats]], frames: int) -> tuple[Floats, Floats, npt.NDArray[np.intp]]:
    """References (C, D), the live frames of each (C, frames, D), and whose they are (C).

    Each photograph of a person in turn is the reference, up to MAX_TURNS; those after it are the frames.
    """
    references, probes, labels = [], [], []
    for label, group in enumerate(people.values()):
        if len(group) <= frames:
            continue
        for turn in range(min(len(group), MAX_TURNS)):
            ring = [*group[turn:], *group[:turn]]
            references.append(ring[0])
            probes.append(np.stack(ring[1 : 1 + frames]))
            labels.append(label)
    return np.stack(references), np.stack(probes), np.array(labels, np.intp)


if __name__ == "__main__":
    sys.exit(main())
