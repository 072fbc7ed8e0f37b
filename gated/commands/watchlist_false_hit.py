"""`gatectl watchlist false-hit`: that a traveller is not the listed person, said once by an officer.

The running gate answers, since it alone writes its files and its journal. The document's lines come on
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

MAX_CASES = 16
_CASE = re.compile(r"[A-Za-z0-9][A-Za-z0-9._/:-]{0,63}")


class Said(Value):
    """What came of an officer's word about one case; `refused` and `fix` are empty where it was taken."""

    reference: str
    refused: str = ""
    fix: str = ""


def add(watchlist: Words) -> None:
    """Put the commands under the word `watchlist`."""
    words = watchlist.group("false-hit", "Keep that a traveller is not the listed person.")
    asked = [words.command("show", false_hit_show)]
    for name, command in (("add", false_hit_add), ("withdraw", false_hit_withdraw)):
        asked.append(said := words.command(name, command))
        said.add_argument("cases", nargs="+", metavar="CASE", help="a reference, as `show` tells it")
        said.add_argument("--name", required=True, help="the officer's name in [[officers]]")
        said.add_argument("--key", type=Path, required=True, metavar="FILE", help="the officer's key (PEM)")
    for sub in asked:
        sub.add_argument("--run", metavar="FOLDER", help="of the gate's sockets, in place of [paths] run")


def false_hit_show(arguments: argparse.Namespace) -> Answer:
    """Show which listed persons fit the holder of a document (lines on standard input), and which count."""
    told = _told(arguments, _zone())
    if isinstance(told, say.Refused):
        return _refused(told)
    note = ("the document itself is listed: all of them stand",) if told.listed and told.persons else ()
    lines = tuple(_line(each, listed=told.listed) for each in told.persons)
    stands = [each for each in told.persons if told.listed or not each.false_by]
    return Answer(value=told, text=(*note, *(lines or ("no listed person fits",))), good=not stands)


def false_hit_add(arguments: argparse.Namespace) -> Answer:
    """Say, signed, that the holder of a document (lines on standard input) is not the person of a case."""
    return _say(arguments, withdrawn=False)


def false_hit_withdraw(arguments: argparse.Namespace) -> Answer:
    """Take back, signed, that the holder of a document is not the person of a case."""
    return _say(arguments, withdrawn=True)


def _say(arguments: argparse.Namespace, *, withdrawn: bool) -> Answer:
    cases = tuple(dict.fromkeys(arguments.cases))
    if len(cases) > MAX_CASES or not all(map(_CASE.fullmatch, cases)):
        raise UsageError(f"CASE is a reference as `show` tells it; at most {MAX_CASES} at once")
    zone, key = _zone(), officer_key(arguments.key)
    told = _told(arguments, zone, cases)
    if isinstance(told, say.Refused):
        return _refused(told)
    said: list[Said] = []
    for reference in cases:
        word = say.DecideFalseHit(
            reference=reference,
            marks=told.marks[reference],
            zone=zone,
            officer=arguments.name,
            said_at=now_utc().timestamp() + len(said) / 1000,  # no two words of an officer at one time
            signature=b"",
            withdrawn=withdrawn,
        )
        word = msgspec.structs.replace(word, signature=key.sign(word.signed_text))
        reply = _ask(arguments, word)
        refused = (reply.reason, reply.fix) if isinstance(reply, say.Refused) else ("", "")
        said.append(Said(reference=reference, refused=refused[0], fix=refused[1]))
    done = "counts again" if withdrawn else "a false hit from now on"
    return Answer(
        value=tuple(said),
        text=tuple(
            f"{each.reference}: refused: {each.refused}: {each.fix}"
            if each.refused
            else f"{each.reference}: {done}"
            for each in said
        ),
        good=not any(each.refused for each in said),
        series=True,
    )


def _zone() -> bytes:
    lines = b"\r\n".join(read_input(say.MAX_ZONE).split())
    if not lines or len(lines) > say.MAX_ZONE:
        raise UsageError("give the lines of one zone on standard input")
    return lines


def _told(
    arguments: argparse.Namespace, zone: bytes, references: tuple[str, ...] = ()
) -> say.FalseHitsTold | say.Refused:
    told = _ask(arguments, say.AskFalseHits(zone=zone, references=references))
    if isinstance(told, say.FalseHitsTold | say.Refused):
        return told
    raise UsageError("gated answered something else: use its own gatectl")


def _ask(arguments: argparse.Namespace, request: say.AskFalseHits | say.DecideFalseHit) -> say.FromControl:
    run_folder = arguments.run or load(arguments.config).config.paths.run
    return ask(f"ipc://{run_folder}/control", request)


def _refused(told: say.Refused) -> Answer:
    return Answer(value=told, text=(f"refused: {told.reason}: {told.fix}",), good=False)


def _line(found: say.PersonFound, *, listed: bool) -> str:
    fits = f"{found.reference}: {found.grade}, {found.reason}, score {found.score:.3f}"
    if not found.false_by:
        return fits
    day = datetime.fromtimestamp(found.false_at, UTC).date().isoformat()
    stands = "; stands all the same" if listed else ""
    return f"{fits}; false: {found.false_by}, {day}{stands}"
