"""Commands to a running gate over its own socket: how it is, its service, its faults, an officer's word."""

import argparse
import re
from pathlib import Path

import msgspec
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import load_pem_private_key

from gated.commands.answer import Answer, UsageError, Words
from gated.config import load
from gated.core.gate import State
from gated.core.vocabulary import Device, OfficerWord
from gated.report import status_text
from gated.runtime import messages as say
from gated.runtime.clock import now_utc
from gated.runtime.control import ask

_PASSAGE = re.compile("[0-9a-f]{16}")


def add(words: Words) -> None:
    """Put these commands on the command line."""
    asked = [words.command("status", status)]
    asked.append(words.command("service", service))
    asked[-1].add_argument("word", choices=("open", "close"), help="take travellers, or take none")
    asked.append(words.command("clear-fault", clear_fault))
    devices = [*map(str, Device)]
    asked[-1].add_argument("device", metavar="DEVICE", choices=devices, help=", ".join(devices))
    asked.append(words.command("reset-emergency", reset_emergency))
    asked.append(said := words.command("officer", officer))
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


def status(arguments: argparse.Namespace) -> Answer:
    """Ask the running gate what it does."""
    reply = _ask(arguments, say.AskStatus())
    if not isinstance(reply, say.Status):
        raise UsageError("gated gave no status: use the gatectl of its version")
    ready = all(good for device, good in reply.devices.items() if device != Device.CLOCK)
    serves = reply.state not in {State.OUT_OF_SERVICE, State.EMERGENCY}
    return Answer(value=reply, text=status_text(reply), good=serves and ready and not reply.faults)


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
