"""Published models for tests: an embedder under a name of one's own, and what is wrong with it."""

import hashlib
from pathlib import Path

from tests.models.brought import lay_down

Source = tuple[str, Path]


def model(folder: Path, name: str, body: bytes | None = None, **changed: str) -> tuple[Source, Source]:
    """Write NAME.toml and NAME.tflite; return them as they are published. `body` in place of the network."""
    lay_down(folder, name, **{'file = "model.tflite"': f'file = "{name}.tflite"', **changed})
    (folder / "entry.toml").rename(folder / f"{name}.toml")
    (folder / "model.tflite").rename(folder / f"{name}.tflite")
    if body is not None:
        right = hashlib.sha256((folder / f"{name}.tflite").read_bytes()).hexdigest()
        (folder / f"{name}.tflite").write_bytes(body)
        text = (folder / f"{name}.toml").read_text()
        (folder / f"{name}.toml").write_text(text.replace(right, hashlib.sha256(body).hexdigest()))
    return ("model", folder / f"{name}.toml"), ("model", folder / f"{name}.tflite")
