"""What every command of `gatectl` gives and takes: an answer, or a question that could not be asked.

A file of commands has one function `add` that puts its words on the command line. A command is a function of
the parsed arguments whose docstring is its help; it returns an `Answer` or raises `UsageError`.
"""

import argparse
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

from gated.config import DEFAULT_CONFIG, GateConfig, load
from gated.core.values import Value


class Answer(Value):
    """What a command found: a value for --json, lines for people, and whether it is good news.

    `series`: the value is a tuple, of which --json prints each on a line of its own.
    """

    value: Any
    text: tuple[str, ...]
    good: bool = True
    series: bool = False


class UsageError(Exception):
    """The question could not be asked; the text says what to do."""


Command = Callable[[argparse.Namespace], Answer]


class Words:
    """A group of words on the command line; each command under it takes --json and --config too."""

    def __init__(self, group: Any, common: argparse.ArgumentParser) -> None:
        self._group = group
        self._common = common

    def command(self, name: str, command: Command) -> argparse.ArgumentParser:
        """Put a command under its name; the first line of its docstring is its help."""
        text = (command.__doc__ or "").splitlines()[0]
        sub: argparse.ArgumentParser = self._group.add_parser(
            name, help=text.replace("%", "%%"), description=text, parents=[self._common]
        )
        sub.set_defaults(command=command)
        return sub

    def group(self, name: str, about: str) -> "Words":
        """Put a word under which several commands stand."""
        parser = self._group.add_parser(name, help=about, description=about)
        actions = parser.add_subparsers(required=True, metavar="ACTION", title="actions")
        return Words(actions, self._common)


def configured(arguments: argparse.Namespace) -> GateConfig | None:
    """The gate's configuration; None on a desk without one. One that is named must be there: ConfigError."""
    if arguments.config == DEFAULT_CONFIG and not DEFAULT_CONFIG.exists():
        return None
    return load(arguments.config).config


def read_capped(path: Path, limit: int) -> bytes:
    """A file that was named on the command line. Raises UsageError that names it and the fix."""
    try:
        with path.open("rb") as file:
            raw = file.read(limit + 1)
    except OSError as error:
        raise UsageError(f"{path}: cannot be read ({error.strerror}): check the path") from error
    if len(raw) > limit:
        raise UsageError(f"{path}: longer than {limit} bytes: not a file of this kind")
    return raw


def read_input(limit: int) -> bytes:
    """Standard input, at most one byte beyond `limit`. Raises UsageError where there is none to read."""
    if sys.stdin is None:
        raise UsageError("standard input is closed: pipe a file into it")
    try:
        return sys.stdin.buffer.read(limit + 1)
    except OSError as error:
        raise UsageError(f"standard input: cannot be read ({error.strerror}): pipe a file into it") from error
