"""The option `--fps` of every command that looks at recordings."""

import argparse
from typing import Final

from gated.commands import numbers

RATE: Final = 15.0  # frames a second where neither recording nor option tells
RATES: Final = (1.0, 240.0)


def add(command: argparse.ArgumentParser) -> None:
    """Put `--fps` on a command: a float, or None where it is not given."""
    command.add_argument(
        "--fps", type=_rate, metavar="N", help=f"frames a second, where a recording does not tell ({RATE:g})"
    )


def _rate(text: str) -> float:
    """Frames a second from the command line. Raises ArgumentTypeError."""
    return numbers.between(text, *RATES, "frames a second")
