"""Reads photographs, finds the mesh of each, and stores both in one file for `train` and `evaluate`."""

import argparse
import hashlib
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import cv2
import numpy as np

from models import manifest
from models.face import Face, FaceReader
from models.quality.training.faces import Image, Photograph, seen, store, truth

_MARGIN = 0.25


def main(argv: list[str]) -> int:
    """Store every photograph with a face; print how many there were."""
    parser = argparse.ArgumentParser(prog="python -m models.quality.training prepare", description=__doc__)
    parser.add_argument("out", type=Path)
    parser.add_argument("sources", type=Path, nargs="+", help="folders or zips of PERSON/PHOTOGRAPH")
    arguments = parser.parse_args(argv)
    reader, letters = FaceReader(manifest.load()), seen()
    photographs, missed = [], 0
    for source in arguments.sources:
        for person, name, encoded in pictures(source):
            image: Any = cv2.imdecode(np.frombuffer(encoded, np.uint8), cv2.IMREAD_COLOR)
            face = None if image is None else middle_face(reader, image)
            if face is None:
                missed += 1
                continue
            known = letters.get(hashlib.sha256(encoded).hexdigest()[:16], "")
            photographs.append(Photograph(person, name, encoded, face.points, truth(known)))
    store(arguments.out, photographs)
    print(f"{len(photographs)} photographs stored, {missed} without a face left out")
    return 0


def pictures(source: Path) -> Iterator[tuple[str, str, bytes]]:
    """Person, name and bytes of each picture, in the order of their names."""
    if source.is_dir():
        for path in sorted(source.rglob("*.*g")):
            yield path.parent.name, path.name, path.read_bytes()
        return
    with zipfile.ZipFile(source) as archive:
        for member in sorted(archive.namelist()):
            if member.endswith((".jpg", ".png")):
                yield Path(member).parent.name, Path(member).name, archive.read(member)


def middle_face(reader: FaceReader, image: Image) -> Face | None:
    """The face nearest the middle of a picture, if there is one."""
    found = reader.detect(image) or reader.detect(image, margin=_MARGIN)
    height, width = image.shape[:2]
    for detection in sorted(found, key=lambda d: _off(d.box, width, height)):
        face = reader.read(image, detection)
        if face is not None:
            return face
    return None


def _off(box: tuple[float, float, float, float], width: int, height: int) -> float:
    x0, y0, x1, y1 = box
    return float(np.hypot((x0 + x1 - width) / 2, (y0 + y1 - height) / 2))
