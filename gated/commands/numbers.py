"""Numbers on the command line, within bounds: what is no number, or no finite one, is within none."""

import argparse


def between(text: str, least: float, most: float, what: str) -> float:
    """Return the number that was written; `what` names it with its unit. Raises ArgumentTypeError."""
    try:
        number = float(text)
    except ValueError as error:
        raise argparse.ArgumentTypeError(f"{text!r} is no number: give {what}") from error
    if not least <= number <= most:
        raise argparse.ArgumentTypeError(f"{text}: give {what} from {least:g} to {most:g}")
    return number
