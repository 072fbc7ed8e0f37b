"""The command that makes a file of standings from a table: bad rows are told by their lines and left out."""

import argparse
from datetime import UTC, datetime
from pathlib import Path

from gated.commands.answer import Answer, UsageError, Words
from gated.commands.columns import wrapped
from gated.core.values import Value
from gated.rules.standing_rows import COLUMNS
from gated.store.list_keys import read_list_key
from gated.store.standing_table import TOLD, BadRow, StandingTable, TableError
from gated.store.standings import build
from gated.watchlist.keyed import ListKeyError


class Made(Value):
    """What was made, and what was left out."""

    standings: int
    version: int
    key: str
    rejected: int
    rejects: tuple[BadRow, ...]


def add(words: Words) -> None:
    """Put the command on the command line."""
    makes = words.command("standings", rules_standings)
    makes.add_argument("table", type=Path, metavar="CSV", help=f"with the columns {', '.join(COLUMNS)}")
    makes.add_argument("made", type=Path, metavar="FILE", help="what to make, or to replace at once")
    makes.add_argument("--key", type=Path, required=True, metavar="FILE", help="the list key")
    makes.add_argument("--version", type=_version, metavar="N", help="default: the time in seconds")


def rules_standings(arguments: argparse.Namespace) -> Answer:
    """Make the file of standings that the rules ask, from a table; bad rows are left out and told."""
    try:
        key = read_list_key(arguments.key)
    except ListKeyError as error:
        raise UsageError(str(error)) from error
    now = datetime.now(UTC)
    version = int(now.timestamp()) if arguments.version is None else arguments.version
    table = StandingTable(arguments.table)
    try:
        contents = build(table.rows(), arguments.made, key, version, now)
    except TableError as error:
        raise UsageError(str(error)) from error
    made = Made(
        standings=contents.standings,
        version=version,
        key=key.id,
        rejected=table.rejected,
        rejects=tuple(table.rejects),
    )
    told = [f"{arguments.made}: {made.standings} standings, version {version}, list key {key.id}"]
    for each in made.rejects:
        told += wrapped(each.fault, first=f"line {each.line}: ")
    if made.rejected > TOLD:
        told.append(f"and {made.rejected - TOLD} more")
    return Answer(value=made, text=tuple(told), good=made.rejected == 0)


def _version(text: str) -> int:
    if not text.isascii() or not text.isdigit() or len(text) > 12:
        raise argparse.ArgumentTypeError(f"{text!r}: give a number")
    return int(text)
