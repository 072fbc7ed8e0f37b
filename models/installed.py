"""Embedders that an operator brought: beside the shipped ones, described and hashed as those are.

Each is two files in one folder that only an administrator can write: `NAME.toml`, with the fields of an
embedder of `manifest.toml` and its `name`, and `NAME.tflite`. What is installed joins the manifest when that
is loaded from there; nothing else of the product knows the difference. A shipped name cannot be taken.
"""

import hashlib
import os
import tempfile
import tomllib
from pathlib import Path

import msgspec
from msgspec.structs import replace

from models import manifest
from models.manifest import Manifest, ModelError
from models.schema import Embedder, Name

FOLDER = Path("/etc/egate/models")
MAX_ENTRY = 64_000
MAX_INSTALLED = 16


class Brought(Embedder, kw_only=True):
    """The entry that comes with a model: that of an embedder, and the name it goes by."""

    name: Name


def load(folder: Path) -> Manifest:
    """Return the shipped manifest with the installed embedders. Raises ModelError that names the file."""
    shipped = manifest.load()
    brought = {entry.name: embedder_of(entry) for entry in entries(folder)}
    return replace(shipped, embedders={**brought, **shipped.embedders})


def find(name: str, folder: Path) -> Embedder:
    """Return the embedder of this name, shipped or installed: an entry beside it may be broken.

    Raises ModelError.
    """
    shipped = manifest.load()
    if name not in shipped.embedders and (folder / f"{name}.toml").exists():
        return embedder_of(_entry(folder / f"{name}.toml"))
    return manifest.embedder(shipped, name)


def entries(folder: Path) -> tuple[Brought, ...]:
    """Return what is installed, in the order of the names; `file` is the whole path of each model."""
    return tuple(_entry(path) for path in _entry_files(folder))


def fingerprint(folder: Path) -> str:
    """Return one SHA-256 that stands for every model that could be used here, shipped or installed."""
    known = hashlib.sha256(manifest.MANIFEST.read_bytes())
    for path in _entry_files(folder):
        known.update(_read(path, MAX_ENTRY))
    return known.hexdigest()


def embedder_of(entry: Brought) -> Embedder:
    """Return the entry without its name, as the manifest keeps it."""
    return Embedder(**{field: getattr(entry, field) for field in Embedder.__struct_fields__})


def read_entry(path: Path) -> Brought:
    """Read the entry that comes with a model; `file` is then the model beside it. Raises ModelError."""
    entry = parse_entry(path.name, _read(path, MAX_ENTRY))
    return replace(entry, file=str(path.resolve().parent / entry.file))


def parse_entry(name: str, raw: bytes) -> Brought:
    """Decode the entry in a file of this name; `file` is a name beside it. Raises ModelError."""
    try:
        entry = msgspec.convert(tomllib.loads(raw.decode()), Brought)
    except (UnicodeDecodeError, RecursionError) as error:
        raise ModelError(name, "not TOML", "write the entry again: docs/matching.md shows one") from error
    except (tomllib.TOMLDecodeError, msgspec.ValidationError) as error:
        raise ModelError(name, str(error), "correct the entry: docs/matching.md shows one") from error
    except ValueError as error:  # a number may be too long to be one
        raise ModelError(name, "a value that does not exist", "look at its numbers and dates") from error
    if ":" in entry.file or Path(entry.file).name != entry.file:
        raise ModelError(name, "`file` is no plain file name", "lay the model beside its entry")
    if entry.built_from is not None:
        raise ModelError(name, "`built_from` is for shipped models", "leave it out")
    return entry


def install(source: Path, folder: Path, *, replacing: bool = False) -> Brought:
    """Copy an entry and its model into the folder, the entry last; return it as installed.

    The bytes that were hashed are those that are written. Whether the model runs is for the caller to try
    before. Raises ModelError: not an entry, another hash, a name that is taken, a folder not to be written.
    """
    entry = read_entry(source)
    if entry.name in manifest.load().embedders:
        raise ModelError(entry.name, "egate ships an embedder of this name", "choose another `name`")
    there = folder / f"{entry.name}.toml"
    if there.exists() and not replacing:
        raise ModelError(entry.name, "is installed already", "say --replace to take its place")
    if not there.exists() and len(_entry_files(folder)) >= MAX_INSTALLED:
        raise ModelError(entry.name, f"{MAX_INSTALLED} are installed already", "remove one from the folder")
    body = manifest.read(entry.file, entry.sha256)
    raw = _read(source, MAX_ENTRY).decode()
    model = folder.resolve() / f"{entry.name}.tflite"
    try:
        folder.mkdir(mode=0o755, parents=True, exist_ok=True)
        if replacing:
            there.unlink(missing_ok=True)  # never an entry beside another model
        _write(model, body)
        _write(there, _renamed(raw, entry, model.name).encode())
    except OSError as error:
        fix = f"run as an administrator who may write {folder}"
        raise ModelError(entry.name, f"cannot be written ({error.strerror})", fix) from error
    return replace(entry, file=str(model))


def remove(name: str, folder: Path) -> None:
    """Take an installed embedder away, even one whose entry is broken. Raises ModelError."""
    there = folder / f"{name}.toml"
    if there not in _entry_files(folder):  # by the file's name: a broken entry must go, too
        raise ModelError(name, "is not installed", "`gatectl models list` shows what is")
    try:
        there.unlink()
        (folder / f"{name}.tflite").unlink(missing_ok=True)
    except OSError as error:
        raise ModelError(name, f"cannot be removed ({error.strerror})", f"look at {folder}") from error


def _entry_files(folder: Path) -> list[Path]:
    try:
        found = sorted(folder.glob("*.toml"))
    except OSError as error:
        raise ModelError(str(folder), f"cannot be read ({error.strerror})", "check its rights") from error
    if len(found) > MAX_INSTALLED:
        raise ModelError(str(folder), f"holds more than {MAX_INSTALLED} entries", "remove some")
    return found


def _entry(path: Path) -> Brought:
    entry = read_entry(path)
    if entry.name != path.stem:
        raise ModelError(
            path.name, f"is the entry of {entry.name}", "install it with `gatectl models install`"
        )
    return entry


def _renamed(raw: str, entry: Brought, model: str) -> str:
    """Return the entry's own text, comments and all, with the model's new file name."""
    lines = raw.splitlines(keepends=True)
    for number, line in enumerate(lines):
        key, equals, _ = line.partition("=")
        if line.startswith("["):
            break
        if equals and key.strip() == "file":
            lines[number] = f'file = "{model}"\n'
            return "".join(lines)
    raise ModelError(entry.name, "`file` does not stand on a line of its own", 'write file = "..."')


def _read(path: Path, limit: int) -> bytes:
    try:
        with path.open("rb") as file:
            raw = file.read(limit + 1)
    except OSError as error:
        raise ModelError(path.name, f"cannot be read ({error.strerror})", "check the path") from error
    if len(raw) > limit:
        raise ModelError(path.name, f"longer than {limit} bytes", "this is not such a file")
    return raw


def _write(path: Path, body: bytes) -> None:
    """Write the whole file or none, readable for everybody."""
    handle, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(body)
            file.flush()
            os.fchmod(file.fileno(), 0o644)
            os.fsync(file.fileno())
        Path(name).replace(path)
    finally:
        Path(name).unlink(missing_ok=True)
