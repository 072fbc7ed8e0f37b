"""Finds the faces in photographs once, so that training needs no model but its own."""

import argparse
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

import cv2
import numpy as np
import numpy.typing as npt

from models import manifest
from models.face import FaceReader
from models.liveness.looking import place

MARGIN: Final = 0.25  # border put around a photograph that its face may fill
SMALLEST: Final = 40.0  # pixels; a smaller face has nothing to show on paper or screen
ROOM: Final = 0.6  # from the middle of the face to the border at least, in sizes of the face
MAX_PHOTOGRAPH: Final = 4_000_000
MAX_PHOTOGRAPHS: Final = 20_000


def photographs(path: Path) -> Iterator[tuple[str, bytes]]:
    """Person and file of each JPEG, in order: a ZIP file or a folder with a folder for each person."""
    if path.is_file():
        with zipfile.ZipFile(path) as archive:
            for info in sorted(archive.infolist(), key=lambda info: info.filename):
                if info.filename.endswith(".jpg") and info.file_size <= MAX_PHOTOGRAPH:
                    yield info.filename.split("/")[-2], archive.read(info)
        return
    for file in sorted(path.glob("*/*.jpg")):
        if file.stat().st_size <= MAX_PHOTOGRAPH:
            yield file.parent.name, file.read_bytes()


def prepare(paths: list[Path], reader: FaceReader, out: Path) -> int:
    """Find the face in every photograph and write all of them into one file; return how many there are."""
    people: list[str] = []
    files: list[npt.NDArray[np.uint8]] = []
    places: list[tuple[float, float, float]] = []
    for path in paths:
        for person, file in photographs(path):
            image: Any = cv2.imdecode(np.frombuffer(file, np.uint8), cv2.IMREAD_COLOR)
            if image is None or len(files) >= MAX_PHOTOGRAPHS:
                continue
            found = reader.detect(image, margin=MARGIN)
            face = reader.read(image, found[0]) if found else None
            if face is None:
                continue
            centre, size = place(face.points)
            room = min(*centre, image.shape[1] - centre[0], image.shape[0] - centre[1])
            if size >= SMALLEST and room >= ROOM * size:
                people.append(person)
                files.append(np.frombuffer(file, np.uint8))
                places.append((*centre, size))
    ends = np.cumsum([len(file) for file in files])
    np.savez(
        out,
        people=np.array(people),
        places=np.array(places, np.float32),
        ends=ends,
        files=np.concatenate(files),
    )
    return len(files)


def main() -> int:
    """Write the sources and print how many there are."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("out", type=Path)
    parser.add_argument("photographs", type=Path, nargs="+")
    arguments = parser.parse_args()
    count = prepare(arguments.photographs, FaceReader(manifest.load()), arguments.out)
    print(f"{arguments.out.name}: {count} photographs")
    return 0
