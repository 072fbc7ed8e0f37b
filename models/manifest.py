"""The manifest of models: what each file is, under which licence, and what its numbers mean.

`manifest.toml` is the only description of the models; `models.schema` says what stands in it. A model is
never loaded without its SHA-256 being right, so that what was measured is what runs; the hash of the manifest
itself therefore stands for all of them in the journal. An operator brings a licensed embedder by adding an
entry: code need not change.
"""

import hashlib
import importlib.util
import tomllib
from pathlib import Path

import msgspec

from models.schema import Manifest, ModelError, embedder, threshold

__all__ = [
    "BUILT",
    "MANIFEST",
    "Manifest",
    "ModelError",
    "embedder",
    "fingerprint",
    "load",
    "locate",
    "read",
    "threshold",
]

MANIFEST = Path(__file__).with_name("manifest.toml")
BUILT = Path(__file__).with_name("built")
MAX_MANIFEST = 64_000
MAX_MODEL = 200_000_000


def load(path: Path = MANIFEST) -> Manifest:
    """Read the manifest. Raises ModelError that names the key."""
    try:
        with path.open("rb") as file:
            raw = file.read(MAX_MANIFEST + 1)
        if len(raw) > MAX_MANIFEST:
            raise ModelError(path.name, f"longer than {MAX_MANIFEST} bytes", "restore the manifest")
        return msgspec.convert(tomllib.loads(raw.decode()), Manifest)
    except OSError as error:
        raise ModelError(path.name, f"cannot be read ({error.strerror})", "install egate again") from error
    except (tomllib.TOMLDecodeError, UnicodeDecodeError, msgspec.ValidationError) as error:
        raise ModelError(path.name, str(error), "correct the entry") from error


def fingerprint(path: Path = MANIFEST) -> str:
    """Return the SHA-256 of the manifest, which stands for every model it names."""
    return hashlib.sha256(path.read_bytes()).hexdigest()


def locate(file: str) -> Path:
    """Return where a manifest's `file` lies. A package is found without being imported."""
    package, colon, inside = file.partition(":")
    if not colon:
        return MANIFEST.parent / file
    spec = importlib.util.find_spec(package)
    if spec is None or not spec.submodule_search_locations:
        raise ModelError(file, f"package {package} is not installed", "run `make install`")
    return Path(spec.submodule_search_locations[0]) / inside


def read(file: str, sha256: str) -> bytes:
    """Return the bytes of a model file after checking its hash. Raises ModelError."""
    path = locate(file)
    try:
        with path.open("rb") as stream:
            body = stream.read(MAX_MODEL + 1)
    except OSError as error:
        if Path(file).is_absolute():
            fix = "lay the model beside its entry"
        else:
            fix = "run `python -m models.build`" if ":" not in file else "run `make install`"
        raise ModelError(file, f"cannot be read ({error.strerror})", fix) from error
    if len(body) > MAX_MODEL:
        raise ModelError(file, f"longer than {MAX_MODEL} bytes", "this is not one of our models")
    if hashlib.sha256(body).hexdigest() != sha256:
        raise ModelError(
            file, "its SHA-256 is not that of the manifest", "restore the file; do not edit the hash"
        )
    return body
