"""The option `--fps` of every command that looks at recordings."""

import argparse
from typing import Final

RATE: Final = 15.0  # frames a second where neither recording nor option tells
RATES: Final = (1.0, 240.0)


def add(command: argparse.ArgumentParser) -> None:
    """Put `--fps` on a command: a float, or None where it is not given."""
    command.add_argument(
        "--fps", type=_rate, metavar="N", help=f"frames a second, where a recording does not tell ({RATE:g})"
    )


def _rate(text: str) -> float:
    """Frames a second from the command line. Raises ArgumentTypeError."""
    try:
        rate = float(text)
    except ValueError as error:
        raise argparse.ArgumentTypeError(f"{text!r} is no number: give frames a second such as 15") from error
    if not RATES[0] <= rate <= RATES[1]:
        raise argparse.ArgumentTypeError(f"{text}: give frames a second from {RATES[0]:g} to {RATES[1]:g}")
    return rate
