"""Commands on a journal, the gate's own or a copy: its chain, its entries, and the decision once more."""

import argparse
import re
import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from gated.commands.answer import Answer, UsageError, Words, configured
from gated.commands.journal_export import compared, export_text
from gated.config import load
from gated.core.replay import Recorded, Replayed, replay
from gated.core.values import Value
from gated.report import entries_text, replay_text, verdict_text
from gated.store.database import open_to_read, store_error
from gated.store.journal import Entry, Head, Verdict, read, verify
from gated.store.journal_key import JournalKeyError, make_journal_key, read_journal_key
from gated.store.receipts import with_receipts

MAX_SHOWN = 1_000_000

_HEAD = re.compile("[0-9]{1,15}:[0-9a-f]{64}")
_KEY = re.compile("[0-9a-f]{64}")


class JournalKeyMade(Value):
    """The gate's key, and the public part, which the centre must know (`gate-central journal-key`)."""

    key_file: str
    public_key: str


def add(words: Words) -> None:
    """Put these commands on the command line."""
    journal = words.group("journal", "Verify or show the journal.")
    checked = journal.command("verify", journal_verify)
    checked.add_argument("--head", metavar="NUMBER:HASH", help="a head that was kept elsewhere")
    checked.add_argument(
        "--export", type=Path, metavar="FILE", help="what the centre exported of this journal"
    )
    text = "with --export: a key that this gate signed with, as `key` printed it (the present one)"
    checked.add_argument("--key", action="append", default=[], metavar="KEY", help=text)
    shown = journal.command("show", journal_show)
    shown.add_argument("--passage", metavar="ID", help="all entries of this passage")
    shown.add_argument("--last", metavar="N", type=_many, default=20, help="the last N entries (20)")
    journal.command("key", journal_key).add_argument("file", type=Path, metavar="FILE")
    replayed = words.command("replay", replay_journal)
    for sub in (checked, shown, replayed):
        sub.add_argument("--file", type=Path, help="a journal, or a copy of one, in place of the gate's")


def journal_key(arguments: argparse.Namespace) -> Answer:
    """Make the key for `[journal] key_file`, which signs this gate's journal; a file that is there stays."""
    try:
        public = make_journal_key(arguments.file)
    except JournalKeyError as error:
        raise UsageError(str(error)) from error
    made = JournalKeyMade(key_file=str(arguments.file), public_key=public)
    return Answer(value=made, text=(f"{made.key_file}: public key {public}; the centre must know it",))


def journal_verify(arguments: argparse.Namespace) -> Answer:
    """Check the chain, that each passage in it ends exactly once, and that the centre's receipt fits it."""
    head = None if arguments.head is None else _head(arguments.head)
    with opened(arguments) as database:
        verdict: Verdict = verify(database, head)
        if head is None:
            verdict = with_receipts(verdict, database, _path(arguments).parent, _receipt_key(arguments))
        if arguments.export is not None:
            found = compared(verdict, database, arguments.export, _journal_keys(arguments))
            return Answer(value=found, text=(*verdict_text(verdict), *export_text(found)), good=found.good)
    return Answer(value=verdict, text=verdict_text(verdict), good=not verdict.problems)


def journal_show(arguments: argparse.Namespace) -> Answer:
    """Show entries: the last few, or those of one passage."""
    last = None if arguments.passage else arguments.last
    with opened(arguments) as database:
        entries = tuple(read(database, passage=arguments.passage, last=last))
    return Answer(value=entries, text=tuple(entries_text(entries)))


def replay_journal(arguments: argparse.Namespace) -> Answer:
    """Feed the recorded events into the decision again and compare."""
    try:
        with opened(arguments) as database:
            found: Replayed = replay(_recorded(entry) for entry in read(database))
    except ValueError as error:
        raise UsageError(f"{error}: this journal lacks its beginning; see `journal verify`") from error
    return Answer(value=found, text=replay_text(found), good=not found.differences)


@contextmanager
def opened(arguments: argparse.Namespace) -> Iterator[sqlite3.Connection]:
    """Open the gate's journal, or the one that was named, to read. Raises StoreError, in the block too."""
    path = _path(arguments)
    database = open_to_read(path)
    try:
        yield database
    except sqlite3.Error as error:
        raise store_error(path, error) from error
    finally:
        database.close()


def _path(arguments: argparse.Namespace) -> Path:
    return arguments.file or Path(load(arguments.config).config.paths.state) / "journal.db"


def _receipt_key(arguments: argparse.Namespace) -> Ed25519PublicKey | None:
    """The centre's key for receipts, where the gate's configuration is at hand."""
    config = configured(arguments)
    if config is None or config.journal is None:
        return None
    return Ed25519PublicKey.from_public_bytes(bytes.fromhex(config.journal.receipt_key))


def _journal_keys(arguments: argparse.Namespace) -> tuple[Ed25519PublicKey, ...]:
    """The keys that were named, or the gate's own. Raises UsageError."""
    if wrong := [key for key in arguments.key if not _KEY.fullmatch(key)]:
        raise UsageError(f"--key {wrong[0]}: 64 hexadecimal digits, as `journal key` printed them")
    if arguments.key:
        return tuple(Ed25519PublicKey.from_public_bytes(bytes.fromhex(key)) for key in arguments.key)
    config = configured(arguments)
    if config is None or config.journal is None:
        raise UsageError("--export: name the gate's journal key with --key")
    try:
        return (read_journal_key(Path(config.journal.key_file)).public_key(),)
    except JournalKeyError as error:
        raise UsageError(f"[journal] key_file: {error}; or name the public key with --key") from error


def _head(text: str) -> Head:
    if not _HEAD.fullmatch(text):
        raise UsageError("--head is NUMBER:HASH, as `journal verify` printed it")
    number, _, digest = text.partition(":")
    return Head(seq=int(number), hash=digest)


def _many(text: str) -> int:
    """Read a count from the command line."""
    if not text.isascii() or not text.isdigit() or not 0 < int(text) <= MAX_SHOWN:
        raise argparse.ArgumentTypeError(f"{text!r}: give a number from 1 to {MAX_SHOWN}")
    return int(text)


def _recorded(entry: Entry) -> Recorded:
    followed = entry.followed
    return Recorded(seq=entry.seq, event=entry.event, state=followed.state, effects=followed.effects)
