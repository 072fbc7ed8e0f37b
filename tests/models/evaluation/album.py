"""A small collection of photographs: two people, four each, one without a face and one that is no image."""

import zipfile
from pathlib import Path

import cv2
import numpy as np

from tests.models.portraits import astronaut, hopper, turned

TURNS = (0, 6, -6, 10)


def lay(folder: Path) -> Path:
    """Write the photographs under a folder, `Person/Person_0001.jpg`; return the folder."""
    for person, portrait in (("Eileen_Collins", astronaut()), ("Grace_Hopper", hopper())):
        (folder / person).mkdir(parents=True)
        for number, degrees in enumerate(TURNS, 1):
            body = cv2.imencode(".jpg", turned(portrait, degrees)[0])[1].tobytes()
            (folder / person / f"{person}_{number:04}.jpg").write_bytes(body)
    black = cv2.imencode(".jpg", np.zeros((200, 200, 3), np.uint8))[1].tobytes()
    (folder / "Grace_Hopper" / "Grace_Hopper_0005.jpg").write_bytes(black)
    (folder / "Grace_Hopper" / "Grace_Hopper_0006.jpg").write_bytes(b"not a photograph")
    (folder / "Grace_Hopper" / "notes.txt").write_bytes(b"left out")
    return folder


def pack(folder: Path, archive: Path) -> Path:
    """Put the same into a zip file, below a folder; return its path."""
    with zipfile.ZipFile(archive, "w") as packed:
        for path in sorted(folder.rglob("*.*")):
            packed.write(path, f"set/{path.relative_to(folder)}")
    return archive
