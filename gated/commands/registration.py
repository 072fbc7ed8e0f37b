"""`gatectl registration`: what this gate holds of a traveller, its deletion, and the proof that it is gone.

The running gate answers, since it alone writes its files and its journal. The passport's lines come on
standard input, never on the command line, which everybody on the machine may read.
"""

import argparse
import re
from datetime import UTC, datetime
from pathlib import Path

import msgspec

from gated.commands.answer import Answer, UsageError, Words, read_input
from gated.commands.lane import officer_key
from gated.config import load
from gated.core.values import Value
from gated.runtime import requests as say
from gated.runtime.clock import now_utc
from gated.runtime.control import ask
from gated.runtime.messages import Message
from gated.store.list_keys import make_list_key
from gated.watchlist.keyed import ListKeyError

_NUMBER = re.compile("[0-9a-f]{32}")


class KeyMade(Value):
    """The key that this gate's registrations lie under."""

    key_file: str
    id: str


def add(words: Words) -> None:
    """Put the commands on the command line."""
    words.command("key", registration_key).add_argument("file", type=Path, metavar="FILE")
    asked = [words.command("show", registration_show), words.command("withdraw", registration_withdraw)]
    asked.append(verify := words.command("verify-deleted", registration_verify))
    verify.add_argument("number", metavar="NUMBER", help="the registration's, as `withdraw` told it")
    asked.append(link := words.command("link", registration_link))
    link.add_argument("number", metavar="NUMBER", help="the registration's, as `show` tells it")
    link.add_argument("--name", required=True, help="the officer's name in [[officers]]")
    link.add_argument("--key", type=Path, required=True, metavar="FILE", help="the officer's key (PEM)")
    for sub in asked:
        sub.add_argument("--run", metavar="FOLDER", help="of the gate's sockets, in place of [paths] run")


def registration_key(arguments: argparse.Namespace) -> Answer:
    """Make the key for `[registration] key_file`; a file that is there stays."""
    try:
        key = make_list_key(arguments.file)
    except ListKeyError as error:
        raise UsageError(str(error)) from error
    made = KeyMade(key_file=str(arguments.file), id=key.id)
    return Answer(value=made, text=(f"{made.key_file}: key {made.id}; keep a copy apart from the gate",))


def registration_show(arguments: argparse.Namespace) -> Answer:
    """Show the registration of a passport: its lines on standard input."""
    told = _ask(arguments, say.AskRegistration(what="show", zone=_zone()))
    if not isinstance(told, say.RegistrationTold):
        return _refused(told)
    way = "by the holder's number for life, with a passport that is new" if told.by_person else "by passport"
    face = f"a template of the portrait, made by {told.embedder}" if told.embedder else "no face"
    return Answer(
        value=told,
        text=(
            f"registration {told.registration}, found {way}",
            f"consent to text {told.text} given {_moment(told.agreed)}; linked anew {told.linked} times",
            f"kept with it: {face}",
        ),
    )


def registration_withdraw(arguments: argparse.Namespace) -> Answer:
    """Delete the registration of a passport for good, on record: its lines on standard input."""
    told = _ask(arguments, say.AskRegistration(what="withdraw", zone=_zone()))
    return _gone(told) if isinstance(told, say.RegistrationTold) else _refused(told)


def registration_verify(arguments: argparse.Namespace) -> Answer:
    """Prove that a registration is gone, here and at the centre: the passport's lines on standard input."""
    asked = say.AskRegistration(what="verify", zone=_zone(), registration=_number(arguments))
    told = _ask(arguments, asked)
    if not isinstance(told, say.RegistrationTold):
        return _refused(told)
    answer = _gone(told)
    return Answer(value=told, text=answer.text, good=answer.good and bool(told.receipted))


def registration_link(arguments: argparse.Namespace) -> Answer:
    """Link a new passport, its lines on standard input, on an officer's signed word."""
    word = say.LinkRegistration(
        registration=_number(arguments),
        zone=_zone(),
        officer=arguments.name,
        said_at=now_utc().timestamp(),
        signature=b"",
    )
    signature = officer_key(arguments.key).sign(word.signed_text)
    told = _ask(arguments, msgspec.structs.replace(word, signature=signature))
    if not isinstance(told, say.Done):
        return _refused(told)
    return Answer(value={"done": True}, text=("done",))


def _number(arguments: argparse.Namespace) -> str:
    if not _NUMBER.fullmatch(arguments.number):
        raise UsageError("NUMBER is 32 hexadecimal digits, as `gatectl registration` tells it")
    return str(arguments.number)


def _gone(told: say.RegistrationTold) -> Answer:
    left = f"{told.left_behind} marks" if told.left_behind else "nothing"
    centre = f"deleted there, signed {told.receipted}" if told.receipted else "not signed for yet: ask again"
    lines = [
        f"registration {told.registration} deleted {_moment(told.erased)}: {told.reason}",
        f"proof {told.proof}, also in the journal",
        f"in the files: {left} of this passport",
        f"the centre: {centre}",
    ]
    if told.held:
        lines.append("this passport is registered again since")
    return Answer(value=told, text=tuple(lines), good=told.left_behind == 0 and not told.held)


def _zone() -> bytes:
    lines = b"\r\n".join(read_input(say.MAX_ZONE).split())
    if not lines or len(lines) > say.MAX_ZONE:
        raise UsageError("give the lines of one zone on standard input")
    return lines


def _ask(arguments: argparse.Namespace, request: Message) -> say.FromControl:
    run_folder = arguments.run or load(arguments.config).config.paths.run
    return ask(f"ipc://{run_folder}/control", request)


def _refused(told: say.FromControl) -> Answer:
    if not isinstance(told, say.Refused):
        raise UsageError("gated answered something else: use its own gatectl")
    return Answer(value=told, text=(f"refused: {told.reason}: {told.fix}",), good=False)


def _moment(seconds: int) -> str:
    return datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%d %H:%M UTC")
