"""What is looked at before anything is published: what no gate could use is refused here, with the reason.

A gate looks again, with what only the gate knows: its own configuration, its anchors, its models.
"""

import hashlib
from collections.abc import Mapping
from pathlib import Path

from gated.central.folder import CentralError
from gated.config import ConfigError
from gated.document.errors import TrustError
from gated.document.trust.contents import take_apart
from gated.overlay_check import check_overlay
from gated.rules.errors import RulesError
from gated.rules.examples import tried
from gated.rules.reading import read as read_rules
from gated.watchlist.false_hits import parse_shared
from gated.watchlist.publication import Kind
from gated.watchlist.snapshot import ListError
from models import manifest
from models.installed import parse_entry
from models.manifest import ModelError

Files = Mapping[str, bytes]


def check_release(kind: Kind, files: Files) -> None:
    """Raise CentralError, which names the file and the fix, for what no gate would take."""
    checks = {
        "rules": _rules,
        "config": _config,
        "trust": _trust,
        "models": _models,
        "false_hits": _false_hits,
    }
    if kind in checks:
        checks[kind](files)


def _rules(files: Files) -> None:
    for name, raw in files.items():
        try:
            good = tried(read_rules(raw)).good
        except RulesError as error:
            raise CentralError(f"{name}: {error}") from error
        if not good:
            raise CentralError(f"{name}: does not do what its own examples say: gatectl rules test {name}")


def _config(files: Files) -> None:
    for name, raw in files.items():
        try:
            check_overlay(Path(name), raw)
        except ConfigError as error:
            raise CentralError(str(error)) from error


def _trust(files: Files) -> None:
    for name, raw in files.items():
        try:
            contents = take_apart(raw, ())
        except TrustError as error:
            raise CentralError(f"{name}: {error.code}: see gatectl trust show {name}") from error
        usable = any(piece.certificate is not None for piece in contents.pieces)
        if not (usable or contents.lists or contents.crls or contents.deviations):
            raise CentralError(f"{name}: nothing in it is usable: see gatectl trust show {name}")


def _false_hits(files: Files) -> None:
    for name, raw in files.items():
        try:
            parse_shared(raw)
        except ListError as error:
            raise CentralError(f"{name}: {error.code}: let gate-central false-hits make it") from error


def _models(files: Files) -> None:
    entries = sorted(name for name in files if name.endswith(".toml"))
    models = {name.removesuffix(".tflite") for name in files if name.endswith(".tflite")}
    if {name.removesuffix(".toml") for name in entries} != models or len(files) != 2 * len(models):
        raise CentralError("a model is two files, NAME.toml and NAME.tflite: name both, and no others")
    for file in entries:
        name = file.removesuffix(".toml")
        try:
            entry = parse_entry(file, files[file])
        except ModelError as error:
            raise CentralError(str(error)) from error
        if (entry.name, entry.file) != (name, f"{name}.tflite"):
            raise CentralError(f'{file}: give it name = "{name}" and file = "{name}.tflite"')
        if name in manifest.load().embedders:
            raise CentralError(f"{file}: egate ships an embedder of this name: choose another one")
        if hashlib.sha256(files[entry.file]).hexdigest() != entry.sha256:
            raise CentralError(f"{entry.file}: its SHA-256 is not that of its entry: bring the right file")
