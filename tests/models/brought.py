"""An embedder that somebody brings: the shipped one under another name, or the reference plug-in."""

import shutil
from pathlib import Path

from models import manifest

NAME = "brought"
ENTRY = """\
# brought for a test
name = "{name}"
file = "model.tflite"
sha256 = "{sha256}"
licence = "CC0-1.0"
provenance = "a copy of the shipped one"
input = {{ width = 150, height = 150, colour = "rgb", mean = [0.0, 0.0, 0.0], std = [1.0, 1.0, 1.0] }}
outputs = [[1, 128]]
metric = "euclidean"
mirror = false
alignment = [
    {{ landmarks = [263], x = 110.9567, y = 46.3498 }},
    {{ landmarks = [33], x = 37.0575, y = 46.3727 }},
    {{ landmarks = [2], x = 74.0112, y = 87.7798 }},
]
score = {{ zero = 1.2, one = 0.0 }}

[[measured]]
images = 1
command = "none: a test"
material = "none"
genuine_pairs = 1
impostor_pairs = 1
thresholds = [{{ fmr = 0.001, score = 0.625, fnmr = 0.05 }}]
"""


def lay_down(folder: Path, name: str = NAME, **changed: str) -> Path:
    """Write an entry and its model into a folder; return the entry's path."""
    folder.mkdir(exist_ok=True)
    shipped = manifest.load().embedders["dlib-resnet"]
    shutil.copyfile(manifest.locate(shipped.file), folder / "model.tflite")
    text = ENTRY.format(name=name, sha256=shipped.sha256)
    for old, new in changed.items():
        text = text.replace(old, new)
    path = folder / "entry.toml"
    path.write_text(text)
    return path
