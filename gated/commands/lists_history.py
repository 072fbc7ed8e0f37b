"""`gatectl watchlist history`: which list decisions rested on, and when, out of the journal."""

import argparse
import sqlite3
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import msgspec

from gated.commands.answer import Answer, UsageError, Words
from gated.commands.journal import opened
from gated.core.events import GateStarted, ListsChanged
from gated.core.values import Value
from gated.report import span
from gated.store.journal import JournalError

NO_LIST = "none"  # what GateStarted says of a gate that has no list yet

# As the journal's encoder begins these events.
TELLING = tuple(f'{{"type":"{kind.__name__}",' for kind in (GateStarted, ListsChanged))
_event: msgspec.json.Decoder[GateStarted | ListsChanged] = msgspec.json.Decoder(GateStarted | ListsChanged)


class InForce(Value):
    """A list that decisions rested on, from entry `entry` on; `until` is empty for the one in force now.

    `version` is None where no entry of this journal tells it, `sha256` empty where there was no list.
    """

    version: int | None
    sha256: str
    since: str
    until: str
    entry: int


def add(words: Words) -> None:
    """Put the command on the command line."""
    command = words.command("history", watchlist_history)
    command.add_argument("--at", metavar="TIME", type=_moment, help="the one in force then (UTC, ISO 8601)")
    command.add_argument("--file", type=Path, help="a journal, or a copy of one, in place of the gate's")


def watchlist_history(arguments: argparse.Namespace) -> Answer:
    """Show which versions of the watchlist were in force, and when."""
    with opened(arguments) as database:
        found = tuple(history(database))
    if arguments.at is not None:
        found = tuple(each for each in found if _covers(each, arguments.at))
        if not found:
            raise UsageError("--at: the journal begins later: take a time that `gatectl journal show` has")
    return Answer(value=found, text=tuple(_line(each) for each in found) or ("the gate never started",))


def history(database: sqlite3.Connection) -> Iterator[InForce]:
    """Yield the lists in force, in order. Raises JournalError for an entry that does not decode."""
    current: InForce | None = None
    versions: dict[str, int] = {}
    for seq, utc, digest, told in _told(database):
        version = versions.get(digest) if told is None else told
        if version is not None:
            versions[digest] = version
        if current is not None and (current.sha256, current.version) == (digest, version):
            continue
        if current is not None:
            yield msgspec.structs.replace(current, until=utc)
        current = InForce(version=version, sha256=digest, since=utc, until="", entry=seq)
    if current is not None:
        yield current


def _told(database: sqlite3.Connection) -> Iterator[tuple[int, str, str, int | None]]:
    """Number, time, digest and version of the list of each entry that names one."""
    heads = " OR ".join("substr(event, 1, ?) = ?" for _ in TELLING)
    query = f"SELECT seq, utc, event FROM entries WHERE {heads} ORDER BY seq"  # noqa: S608  # placeholders only
    for seq, utc, raw in database.execute(query, [each for text in TELLING for each in (len(text), text)]):
        try:
            event = _event.decode(raw)
        except msgspec.MsgspecError as error:
            raise JournalError(
                "entry_unreadable", f"entry {seq} is not of this version or damaged"
            ) from error
        if isinstance(event, ListsChanged):
            yield seq, utc, event.sha256, event.version
        else:
            digest = event.hashes.get("watchlist", NO_LIST)
            yield seq, utc, "" if digest == NO_LIST else digest, None


def _covers(each: InForce, at: datetime) -> bool:
    until = datetime.fromisoformat(each.until) if each.until else None
    return datetime.fromisoformat(each.since) <= at and (until is None or at < until)


def _line(each: InForce) -> str:
    if each.sha256:
        what = f"version {'?' if each.version is None else each.version}, {each.sha256[:16]}"
    else:
        what = "no list"
    if not each.until:
        return f"{each.since[:19]}  {what}, in force since entry {each.entry}"
    lasted = datetime.fromisoformat(each.until) - datetime.fromisoformat(each.since)
    return f"{each.since[:19]}  {what}, for {span(lasted.total_seconds())} from entry {each.entry} on"


def _moment(text: str) -> datetime:
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        raise argparse.ArgumentTypeError("a time such as 2030-01-31T12:00") from None
    return moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment
