"""The commands on zones that an operator has: what their lines say, and whether they are right.

They print personal data, which the operator gave; nothing else here does.
"""

import argparse
from datetime import date, datetime
from pathlib import Path

from gated.commands.answer import Answer, UsageError, Words, read_input
from gated.commands.mrz_report import examined_text, examined_value
from gated.document.mrz import examine
from gated.runtime.clock import now_utc

MAX_INPUT = 4096  # bytes; a zone is 90 characters, and what is far longer is another file
MAX_LINES = 3
YEARS = range(1980, 2200)  # the first standard for machine-readable passports is of 1980


def add(mrz: Words) -> None:
    """Put `parse` and `read` under the word `mrz`."""
    parse = mrz.command("parse", mrz_parse)
    read = mrz.command("read", mrz_read)
    read.add_argument("images", nargs="+", type=Path, metavar="IMAGE", help="photographs or scans of pages")
    for sub in (parse, read):
        sub.add_argument(
            "--at", metavar="DATE", type=day, help="the day that gives the centuries (2026-11-26; today)"
        )


def mrz_parse(arguments: argparse.Namespace) -> Answer:
    """Say what a machine-readable zone holds: its lines, of one document, on standard input."""
    examined = examine(_lines(read_input(MAX_INPUT)), at=arguments.at or now_utc().date())
    return Answer(value=examined_value(examined), text=tuple(examined_text(examined)), good=examined.valid)


def mrz_read(arguments: argparse.Namespace) -> Answer:
    """Find and read the zone in images of pages; with --json, one object a line for each image."""
    # A gate whose OpenCV does not load must still answer every other question.
    from gated.commands import mrz_read as images  # noqa: PLC0415 - see above

    return images.read(arguments)


def _lines(raw: bytes) -> list[str]:
    """The lines on standard input. Raises UsageError."""
    if len(raw) > MAX_INPUT:
        raise UsageError(f"more than {MAX_INPUT} bytes: give the lines of one zone on standard input")
    try:
        lines = [line for line in raw.decode().splitlines() if line.strip()]
    except UnicodeDecodeError as error:
        raise UsageError("not UTF-8 text: give the lines of a zone on standard input") from error
    if not lines:
        raise UsageError("no lines: give those of a zone on standard input")
    if len(lines) > MAX_LINES:
        raise UsageError(f"more than {MAX_LINES} lines: give those of one zone")
    return lines


def day(text: str) -> date:
    """A day from the command line. Raises ArgumentTypeError."""
    try:
        day = datetime.fromisoformat(text).date()
    except ValueError as error:
        raise argparse.ArgumentTypeError(f"{text!r} is no date: give one such as 2026-11-26") from error
    if day.year not in YEARS:
        raise argparse.ArgumentTypeError(f"{text!r}: give a year from {YEARS[0]} to {YEARS[-1]}")
    return day
