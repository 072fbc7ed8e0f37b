"""Which embedder a command uses: a shipped one, an installed one, or one only looked at."""

import argparse
import subprocess
import sys
from pathlib import Path

from gated.commands.answer import UsageError, configured
from models import installed, manifest
from models.manifest import Manifest, ModelError
from models.schema import Embedder

DEFAULT = "dlib-resnet"
TRIAL_S = 60.0


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
            try_apart(Path(name))
            return shipped, brought.name, installed.embedder_of(brought)
        place = folder(arguments)
        if name not in shipped.embedders and not (place / f"{name}.toml").exists():
            known = ", ".join(sorted(installed.load(place).embedders))
            raise UsageError(f"--model {name}: no such embedder: choose {known}, or give an entry's .toml")
        return shipped, name, installed.find(name, place)
    except ModelError as error:
        raise UsageError(f"models: {error}") from error


def try_apart(entry: Path) -> None:
    """Try a brought embedder in a process of its own, as gate-vision does: a bad network ends its runtime.

    Raises UsageError for one that does; what else may be wrong with it is for the caller to find.
    """
    from models.trial import UNUSABLE  # noqa: PLC0415 - the runtime takes a second to load

    command = [sys.executable, "-m", "models.trial", str(entry.resolve())]
    try:
        status = subprocess.run(  # noqa: S603 - ourselves, and a path
            command, stdin=subprocess.DEVNULL, capture_output=True, timeout=TRIAL_S, check=False
        ).returncode
    except subprocess.TimeoutExpired as error:
        raise UsageError(f"models: {entry}: took over {TRIAL_S:g} s to try: bring a smaller model") from error
    if status not in {0, UNUSABLE}:
        fix = "its model is damaged, or not for TFLite: fetch or convert it again"
        raise UsageError(f"models: {entry}: ends the runtime that loads it: {fix}")


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
