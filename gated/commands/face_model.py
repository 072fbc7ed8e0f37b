"""Which embedder a command uses: a shipped one, an installed one, or one only looked at."""

import argparse
from pathlib import Path

from gated.commands.answer import UsageError, configured
from models import installed, manifest
from models.manifest import Manifest, ModelError
from models.schema import Embedder

DEFAULT = "dlib-resnet"


def add(parser: argparse.ArgumentParser) -> None:
    """Put --model and --models on a command."""
    parser.add_argument(
        "--model",
        default=DEFAULT,
        metavar="NAME",
        help=f"embedder in place of {DEFAULT}, or the .toml of one that need not be installed",
    )
    add_folder(parser)


def add_folder(parser: argparse.ArgumentParser) -> None:
    """Put --models on a command."""
    parser.add_argument(
        "--models",
        type=Path,
        metavar="DIR",
        help=f"where embedders are installed; default {installed.FOLDER}",
    )


def chosen(arguments: argparse.Namespace) -> tuple[Manifest, str, Embedder]:
    """The manifest, the embedder's name, and its entry. Raises UsageError."""
    name: str = arguments.model
    try:
        shipped = manifest.load()
        if name.endswith(".toml"):
            brought = installed.read_entry(Path(name).resolve())
            return shipped, brought.name, installed.embedder_of(brought)
        place = folder(arguments)
        if name not in shipped.embedders and not (place / f"{name}.toml").exists():
            known = ", ".join(sorted(installed.load(place).embedders))
            raise UsageError(f"--model {name}: no such embedder: choose {known}, or give an entry's .toml")
        return shipped, name, installed.find(name, place)
    except ModelError as error:
        raise UsageError(f"models: {error}") from error


def folder(arguments: argparse.Namespace, *, may_be_new: bool = False) -> Path:
    """Where embedders are installed: as told, else as the configuration says, if there is one.

    Raises UsageError for what is told and is no folder, unless it may be one that is still to be made.
    """
    if arguments.models is not None:
        if not may_be_new and not arguments.models.is_dir():
            raise UsageError(f"--models {arguments.models}: no such folder: check the path")
        return Path(arguments.models)
    config = configured(arguments)
    return installed.FOLDER if config is None else Path(config.paths.models)
