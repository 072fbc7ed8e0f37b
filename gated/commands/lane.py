"""Commands to a running gate over its own socket: how it is, its service, its faults, an officer's word."""

import argparse
import re
from pathlib import Path

import msgspec
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import load_pem_private_key

from gated.commands.answer import Answer, UsageError, Words, read_capped
from gated.config import load
from gated.core.gate import State
from gated.core.vocabulary import Device, Direction, Door, Mode, OfficerWord
from gated.report import status_text
from gated.runtime import requests as say
from gated.runtime.clock import now_utc
from gated.runtime.control import ask
from gated.runtime.messages import Message

MAX_KEY = 16_384

_PASSAGE = re.compile("[0-9a-f]{16}")


def add(words: Words) -> None:
    """Put these commands on the command line."""
    asked = [words.command("status", status)]
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
    _signs(said, required=True)
    said.add_argument("--passage", metavar="ID", help="the passage; without it, the one under way")
    said.add_argument("--persons", type=int, choices=(1, 2, 3), default=1, help="how many are inside (1)")
    for sub in asked:
        sub.add_argument("--run", metavar="FOLDER", help="of the gate's sockets, in place of [paths] run")


def add_gate(words: Words) -> None:
    """Put the commands of `gatectl gate` on the command line."""
    asked = [told := words.command("mode", mode)]
    told.add_argument("mode", choices=[*map(str, Mode)], help="what the lane is to do")
    told.add_argument("--reason", required=True, metavar="TEXT", help="why; it goes into the journal")
    _signs(told, required=False)
    asked.append(duty_word := words.command("duty", duty))
    duty_word.add_argument(
        "word", choices=("on", "off"), help="an officer begins, or ends, to watch the lane"
    )
    _signs(duty_word, required=True)
    asked.append(turn := words.command("direction", direction))
    turn.add_argument("direction", choices=[*map(str, Direction)], help="which way, from when it is empty")
    asked.append(asks := words.command("door", door))
    asks.add_argument("door", choices=[*map(str, Door), "none"], help="the door to release, in maintenance")
    for sub in asked:
        sub.add_argument("--run", metavar="FOLDER", help="of the gate's sockets, in place of [paths] run")


def _signs(sub: argparse.ArgumentParser, *, required: bool) -> None:
    """Let a command be signed by an officer."""
    sub.add_argument("--name", required=required, default="", help="the officer's name in [[officers]]")
    key = "the officer's key (PEM)"
    sub.add_argument("--key", type=Path, metavar="FILE", required=required, help=key)


def status(arguments: argparse.Namespace) -> Answer:
    """Ask the running gate what it does."""
    reply = _ask(arguments, say.AskStatus())
    if not isinstance(reply, say.Status):
        raise UsageError("gated gave no status: use the gatectl of its version")
    ready = all(good for device, good in reply.devices.items() if device != Device.CLOCK)
    serves = reply.state not in {State.OUT_OF_SERVICE, State.EMERGENCY}
    return Answer(value=reply, text=status_text(reply), good=serves and ready and not reply.faults)


def mode(arguments: argparse.Namespace) -> Answer:
    """Tell the lane what to do, and why.

    Free passage must be signed by an officer, and so must what lifts a lock that an officer signed.
    """
    told = say.SetMode(
        mode=Mode(arguments.mode),
        reason=_reason(arguments.reason),
        officer=arguments.name,
        said_at=now_utc().timestamp(),
    )
    if bool(arguments.name) != bool(arguments.key):
        raise UsageError("an officer signs with both: --name NAME --key FILE")
    if told.mode is Mode.FREE_PASSAGE and not arguments.name:
        raise UsageError("free passage is an officer's decision: add --name NAME --key FILE")
    if arguments.key:
        told = msgspec.structs.replace(told, signature=officer_key(arguments.key).sign(told.signed_text))
    return _done(_ask(arguments, told))


def duty(arguments: argparse.Namespace) -> Answer:
    """Begin or end an officer's duty for the lane."""
    told = say.SetDuty(
        on=arguments.word == "on", officer=arguments.name, said_at=now_utc().timestamp(), signature=b""
    )
    signature = officer_key(arguments.key).sign(told.signed_text)
    return _done(_ask(arguments, msgspec.structs.replace(told, signature=signature)))


def direction(arguments: argparse.Namespace) -> Answer:
    """Have a lane for two directions walked this way, as soon as it is empty."""
    return _done(_ask(arguments, say.SetDirection(direction=Direction(arguments.direction))))


def door(arguments: argparse.Namespace) -> Answer:
    """Release a door, or none, of a lane in maintenance."""
    asked = None if arguments.door == "none" else Door(arguments.door)
    return _done(_ask(arguments, say.AskDoor(door=asked)))


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
        persons=arguments.persons,
    )
    signature = officer_key(arguments.key).sign(command.signed_text)
    return _done(_ask(arguments, msgspec.structs.replace(command, signature=signature)))


def _ask(arguments: argparse.Namespace, request: Message) -> say.FromControl:
    run_folder = arguments.run or load(arguments.config).config.paths.run
    return ask(f"ipc://{run_folder}/control", request)


def _done(reply: say.FromControl) -> Answer:
    if isinstance(reply, say.Refused):
        return Answer(value=reply, text=(f"refused: {reply.reason}: {reply.fix}",), good=False)
    return Answer(value={"done": True}, text=("done",))


def _reason(text: str) -> str:
    """A reason as the journal takes it."""
    text = text.strip()
    if not text or len(text) > say.MAX_REASON or not text.isprintable():
        raise UsageError(f"--reason is one line of plain text, {say.MAX_REASON} characters at most")
    return text


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


def officer_key(path: Path) -> Ed25519PrivateKey:
    """Read an officer's key from its PEM file. Raises UsageError."""
    try:
        key = load_pem_private_key(read_capped(path, MAX_KEY), password=None)
    except (ValueError, TypeError, UnsupportedAlgorithm) as error:
        raise UsageError(f"{path}: not an unencrypted PEM private key: give the officer's") from error
    if not isinstance(key, Ed25519PrivateKey):
        raise UsageError(f"{path}: not an Ed25519 key: give the officer's")
    return key
