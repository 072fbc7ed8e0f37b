"""`gatectl`: what a technician, an officer or an investigator asks of one gate.

Every command returns a value; `_print` alone writes, as text or, with --json, as JSON. The exit status is 0
when all is well, 1 when the answer is bad news, 2 when the question could not be asked.
"""

import argparse
import re
import sqlite3
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import msgspec
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import load_pem_private_key

from gated.config import ConfigError, load
from gated.core.diagram import mermaid
from gated.core.gate import State
from gated.core.replay import Recorded, Replayed, replay
from gated.core.values import Value
from gated.core.vocabulary import Device, OfficerWord
from gated.report import entries_text, replay_text, status_text, verdict_text
from gated.runtime import messages as say
from gated.runtime.clock import now_utc
from gated.runtime.control import NoAnswerError, ask
from gated.store.database import StoreError, open_to_read, store_error
from gated.store.journal import Entry, Head, Verdict, read, verify

DEFAULT_CONFIG = Path("/etc/egate/gate.toml")
OK, BAD_NEWS, NOT_ASKED = 0, 1, 2
MAX_SHOWN = 1_000_000

_HEAD = re.compile("[0-9]{1,15}:[0-9a-f]{64}")
_PASSAGE = re.compile("[0-9a-f]{16}")


class Answer(Value):
    """What a command found: a value for --json, lines for people, and whether it is good news."""

    value: Any
    text: tuple[str, ...]
    good: bool = True


class UsageError(Exception):
    """The question could not be asked; the text says what to do."""


def main(argv: Sequence[str] | None = None) -> int:
    """Run one command; return the exit status."""
    arguments = _parser().parse_args(argv)
    try:
        answer = arguments.command(arguments)
    except (UsageError, ConfigError, NoAnswerError, StoreError) as error:
        return _fail(str(error), as_json=arguments.json)
    _print(answer, as_json=arguments.json)
    return OK if answer.good else BAD_NEWS


# --- commands -----------------------------------------------------------------------------------------


def status(arguments: argparse.Namespace) -> Answer:
    """Ask the running gate what it does."""
    reply = _ask(arguments, say.AskStatus())
    if not isinstance(reply, say.Status):
        raise UsageError("gated gave no status: use the gatectl of its version")
    ready = all(good for device, good in reply.devices.items() if device != Device.CLOCK)
    serves = reply.state not in {State.OUT_OF_SERVICE, State.EMERGENCY}
    return Answer(value=reply, text=status_text(reply), good=serves and ready and not reply.faults)


def journal_verify(arguments: argparse.Namespace) -> Answer:
    """Check the whole chain and that every passage in it ends exactly once."""
    head = None if arguments.head is None else _head(arguments.head)
    with _journal(arguments) as database:
        verdict: Verdict = verify(database, head)
    return Answer(value=verdict, text=verdict_text(verdict), good=not verdict.problems)


def journal_show(arguments: argparse.Namespace) -> Answer:
    """Show entries: the last few, or those of one passage."""
    last = None if arguments.passage else arguments.last
    with _journal(arguments) as database:
        entries = tuple(read(database, passage=arguments.passage, last=last))
    return Answer(value=entries, text=tuple(entries_text(entries)))


def replay_journal(arguments: argparse.Namespace) -> Answer:
    """Feed the recorded events into the decision again and compare."""
    try:
        with _journal(arguments) as database:
            found: Replayed = replay(_recorded(entry) for entry in read(database))
    except ValueError as error:
        raise UsageError(f"{error}: this journal lacks its beginning; see `journal verify`") from error
    return Answer(value=found, text=replay_text(found), good=not found.differences)


def service(arguments: argparse.Namespace) -> Answer:
    """Open or close the lane."""
    return _done(_ask(arguments, say.Service(open=arguments.word == "open")))


def clear_fault(arguments: argparse.Namespace) -> Answer:
    """Clear the latched faults of a device, after it was seen to."""
    return _done(_ask(arguments, say.ClearFaults(device=arguments.device)))


def reset_emergency(arguments: argparse.Namespace) -> Answer:
    """End an emergency, at the gate, with nobody in danger."""
    return _done(_ask(arguments, say.ResetEmergency()))


def officer(arguments: argparse.Namespace) -> Answer:
    """Give an officer's signed word for the passage that waits for one."""
    command = say.OfficerCommand(
        passage=_passage(arguments),
        word=arguments.word,
        officer=arguments.name,
        said_at=now_utc().timestamp(),
        signature=b"",
    )
    signature = _officer_key(arguments.key).sign(command.signed_text)
    return _done(_ask(arguments, msgspec.structs.replace(command, signature=signature)))


def config_check(arguments: argparse.Namespace) -> Answer:
    """Check a configuration file before it goes to a gate."""
    loaded = load(arguments.file)
    text = f"{arguments.file}: good (gate {loaded.config.gate}, SHA-256 {loaded.sha256})"
    return Answer(value={"gate": loaded.config.gate, "sha256": loaded.sha256}, text=(text,))


def diagram(arguments: argparse.Namespace) -> Answer:
    """Print the state diagram of the passage (Mermaid)."""
    del arguments
    text = mermaid()
    return Answer(value={"mermaid": text}, text=tuple(text.splitlines()))


# --- asking ---------------------------------------------------------------------------------------------


def _ask(arguments: argparse.Namespace, request: say.Message) -> say.FromControl:
    run_folder = arguments.run or load(arguments.config).config.paths.run
    return ask(f"ipc://{run_folder}/control", request)


def _done(reply: say.FromControl) -> Answer:
    if isinstance(reply, say.Refused):
        return Answer(value=reply, text=(f"refused: {reply.reason}: {reply.fix}",), good=False)
    return Answer(value={"done": True}, text=("done",))


def _passage(arguments: argparse.Namespace) -> str:
    """The passage that the word is for: the one named, or the one under way."""
    if arguments.passage is not None:
        if not _PASSAGE.fullmatch(arguments.passage):
            raise UsageError("--passage is 16 hexadecimal digits, as `gatectl status` shows it")
        return str(arguments.passage)
    reply = _ask(arguments, say.AskStatus())
    if not isinstance(reply, say.Status) or reply.passage is None:
        raise UsageError("no passage is under way: nothing to decide")
    return reply.passage


def _officer_key(path: Path) -> Ed25519PrivateKey:
    try:
        key = load_pem_private_key(path.read_bytes(), password=None)
    except OSError as error:
        raise UsageError(f"{path}: cannot be read ({error.strerror}): give the officer's key file") from error
    except (ValueError, TypeError, UnsupportedAlgorithm) as error:
        raise UsageError(f"{path}: not an unencrypted PEM private key") from error
    if not isinstance(key, Ed25519PrivateKey):
        raise UsageError(f"{path}: not an Ed25519 key")
    return key


@contextmanager
def _journal(arguments: argparse.Namespace) -> Iterator[sqlite3.Connection]:
    """Open the gate's journal, or the one that was named, to read. Raises StoreError, in the block too."""
    path = arguments.file or Path(load(arguments.config).config.paths.state) / "journal.db"
    database = open_to_read(path)
    try:
        yield database
    except sqlite3.Error as error:
        raise store_error(path, error) from error
    finally:
        database.close()


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


# --- printing ---------------------------------------------------------------------------------------------


def _print(answer: Answer, *, as_json: bool) -> None:
    if as_json:
        print(msgspec.json.encode(answer.value).decode())
        return
    for line in answer.text:
        print(line)


def _fail(text: str, *, as_json: bool) -> int:
    print(msgspec.json.encode({"error": text}).decode() if as_json else f"gatectl: {text}", file=sys.stderr)
    return NOT_ASKED


# --- the command line -------------------------------------------------------------------------------------

Command = Callable[[argparse.Namespace], Answer]


def _parser() -> argparse.ArgumentParser:
    common = argparse.ArgumentParser(add_help=False)
    common.add_argument("--json", action="store_true", help="print JSON")
    common.add_argument(
        "--config", type=Path, metavar="FILE", default=DEFAULT_CONFIG, help=f"in place of {DEFAULT_CONFIG}"
    )
    parser = argparse.ArgumentParser(
        prog="gatectl",
        description="Ask and service one border-control gate.",
        epilog="Exit status: 0 all is well, 1 bad news, 2 the question could not be asked.",
    )
    words = parser.add_subparsers(required=True, metavar="COMMAND", title="commands")

    def add(group: Any, name: str, command: Command) -> argparse.ArgumentParser:
        text = (command.__doc__ or "").splitlines()[0]
        sub: argparse.ArgumentParser = group.add_parser(name, help=text, description=text, parents=[common])
        sub.set_defaults(command=command)
        return sub

    asked = [add(words, "status", status)]
    journal = words.add_parser("journal", help="Verify or show the journal.")
    actions = journal.add_subparsers(required=True, metavar="ACTION", title="actions")
    checked = add(actions, "verify", journal_verify)
    checked.add_argument("--head", metavar="NUMBER:HASH", help="a head that was kept elsewhere")
    shown = add(actions, "show", journal_show)
    shown.add_argument("--passage", metavar="ID", help="all entries of this passage")
    shown.add_argument("--last", metavar="N", type=_many, default=20, help="the last N entries (20)")
    replayed = add(words, "replay", replay_journal)
    for sub in (checked, shown, replayed):
        sub.add_argument("--file", type=Path, help="a journal, or a copy of one, in place of the gate's")
    asked.append(add(words, "service", service))
    asked[-1].add_argument("word", choices=("open", "close"), help="take travellers, or take none")
    asked.append(add(words, "clear-fault", clear_fault))
    devices = [*map(str, Device)]
    asked[-1].add_argument("device", metavar="DEVICE", choices=devices, help=", ".join(devices))
    asked.append(add(words, "reset-emergency", reset_emergency))
    asked.append(said := add(words, "officer", officer))
    said.add_argument(
        "word",
        choices=[*map(str, OfficerWord)],
        help="let out by the exit; send back; or take along (the passage ends as referred)",
    )
    said.add_argument("--name", required=True, help="the officer's name in [[officers]]")
    said.add_argument("--key", type=Path, metavar="FILE", required=True, help="the officer's key (PEM)")
    said.add_argument("--passage", metavar="ID", help="the passage; without it, the one under way")
    for sub in asked:
        sub.add_argument("--run", metavar="FOLDER", help="of the gate's sockets, in place of [paths] run")
    add(words, "diagram", diagram)
    add(words, "config-check", config_check).add_argument("file", type=Path)
    return parser


if __name__ == "__main__":
    sys.exit(main())
