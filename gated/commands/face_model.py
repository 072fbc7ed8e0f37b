"""Which embedder a command uses: a shipped one, an installed one, or one only looked at."""

import argparse
from pathlib import Path

from gated.commands.answer import UsageError
from gated.config import load as load_config
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
        return shipped, name, installed.find(name, folder(arguments))
    except ModelError as error:
        raise UsageError(f"models: {error}") from error


def folder(arguments: argparse.Namespace) -> Path:
    """Where embedders are installed: as told, else as the configuration says, if there is one."""
    if arguments.models is not None:
        return Path(arguments.models)
    if not arguments.config.exists():
        return installed.FOLDER
    return Path(load_config(arguments.config).config.paths.models)
