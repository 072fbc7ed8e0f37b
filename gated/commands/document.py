"""Commands on a document in hand: read its chip here and now, or read it again from a transcript.

What is shown by default says nothing of the holder: which files there are, how they were got, which checks
hold. With --personal the zone is shown too; a transcript holds everything, and is written for its owner
alone.
"""

import argparse
import dataclasses
import os
import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from importlib.metadata import entry_points, version
from pathlib import Path
from typing import Protocol
from zoneinfo import ZoneInfo

import msgspec

from drivers.reader_choice import chip_reader
from gated.commands import trust
from gated.commands.answer import Answer, UsageError, Words, configured, read_capped, read_input
from gated.commands.document_report import advice, explained, read_text, read_value, refused
from gated.commands.terminal_key import terminal_key
from gated.config import GateConfig
from gated.core.checks import Result, overall
from gated.core.ports import CardGone, ChipReader, DeviceError
from gated.core.settings.documents import DocumentSettings
from gated.core.settings.readers import ChipReaderSettings
from gated.core.trust_policy import TrustPolicy
from gated.document.access import Password
from gated.document.errors import AccessError, DocumentError
from gated.document.mrz import MAX_MESSAGE, Mrz, MrzError, parse
from gated.document.reading import ChipFiles, TerminalKey, drive, read_passport
from gated.document.reading.transcript import (
    MAX_TRANSCRIPT,
    Recorder,
    TranscriptError,
    parse_transcript,
    replay,
    told,
)
from gated.document.trust.store import TrustStore
from gated.document.verification import Verification, Verified
from gated.runtime.clock import now_utc
from gated.trust_files import load_trust

WAIT_S = 10.0
SIMULATORS = "egate.simulators"  # entry points; a gate has none


class Simulated(Protocol):
    """A simulated reader with a passport on it, as an entry point of SIMULATORS gives it."""

    reader: ChipReader
    lines: tuple[str, ...]
    can: str | None
    roots: tuple[bytes, ...]


@dataclass(frozen=True, slots=True)
class _Rules:
    """By whose word and by which rules a document is judged, and when; the time is in the gate's zone."""

    store: TrustStore
    settings: DocumentSettings
    policy: TrustPolicy
    at: datetime

    def verification(self, scanned: Mrz | None) -> Verification:
        """A verification by these rules."""
        return Verification(scanned, self.store, self.at, settings=self.settings, policy=self.policy)


@dataclass(frozen=True, slots=True)
class _Document:
    """What is known before the chip is read: its reader, what opens it, and the rules."""

    reader: ChipReader
    name: str
    scanned: Mrz | None
    password: Password
    rules: _Rules


def add(document: Words) -> None:
    """Put these commands under the word `document`."""
    read = document.command("read", document_read)
    read.add_argument("--reader", choices=("usb", "pcsc", "sim"), help="in place of the configured one")
    read.add_argument("--name", default="", metavar="TEXT", help="part of a PC/SC reader's name")
    read.add_argument("--profile", default="pace+bac", metavar="NAME", help="of `gate-sim chip --list`")
    opened = read.add_mutually_exclusive_group()
    opened.add_argument("--mrz", metavar="FILE", help="the printed lines; - for standard input")
    opened.add_argument("--can", metavar="DIGITS", help="the card access number")
    read.add_argument(
        "--groups", type=_numbers, metavar="N,N", default=(), help="data groups, besides 1 and 2"
    )
    read.add_argument("--bac", choices=("never", "no_pace_offered", "pace_unsupported", "pace_failed"))
    read.add_argument(
        "--all-proofs", action="store_true", help="every proof of genuineness, not the strongest"
    )
    trust.add_store(read, required=False)
    read.add_argument("--wait", type=float, default=WAIT_S, metavar="SECONDS", help="for a document (10)")
    read.add_argument("--personal", action="store_true", help="show what the zone says of the holder")
    read.add_argument(
        "--terminal-certificate",
        type=Path,
        metavar="FILE",
        action="append",
        default=[],
        help="CV certificate, from the CVCA's down to the terminal's: fingers and irises are read too",
    )
    read.add_argument("--terminal-key", type=Path, metavar="FILE", help="the terminal's private key (PEM)")
    read.add_argument("--transcript", type=Path, metavar="FILE", help="write all exchanges (personal data)")
    replayed = document.command("transcript", document_transcript)
    replayed.add_argument("file", type=Path)
    replayed.add_argument("--exchanges", action="store_true", help="each command with its answer")
    trust.add_store(replayed, required=False)
    replayed.add_argument("--personal", action="store_true", help="show what the zone says of the holder")


def document_read(arguments: argparse.Namespace) -> Answer:
    """Read the chip of the document that lies on the reader, and check it."""
    document = _document(arguments)
    try:
        document.reader.open()
        try:
            return _read(document, arguments)
        finally:
            document.reader.close()
    except CardGone as error:
        return refused(error.code, error.fix)
    except DeviceError as error:
        raise UsageError(str(error)) from error


def document_transcript(arguments: argparse.Namespace) -> Answer:
    """Read a document again from a recorded exchange, with the software of today."""
    try:
        transcript = parse_transcript(read_capped(arguments.file, MAX_TRANSCRIPT))
        exchanges = tuple(told(transcript))
    except TranscriptError as error:
        raise UsageError(
            f"{arguments.file}: {error.code}: give what `document read --transcript` wrote"
        ) from error
    listed = [
        {"number": number, "ms": exchange.ms, "purpose": purpose, "status": status}
        for number, (exchange, purpose, status) in enumerate(exchanges, 1)
    ]
    lines = [f"{it['number']:>4} {it['ms']:>8.1f} ms  {it['status']:<20} {it['purpose']}" for it in listed]
    shown = tuple(lines) if arguments.exchanges else ()
    about = {"version": transcript.version, "reader": transcript.reader, "exchanges": listed}
    try:
        files = replay(transcript)
    except DocumentError as error:
        answer = refused(error.code, explained(error, transcript))
        return Answer(value=answer.value | about, text=(*shown, *answer.text), good=False)
    rules = dataclasses.replace(_rules(arguments, configured(arguments)), settings=transcript.settings)
    verified = _verified(files, rules)
    seconds = sum(exchange.ms for exchange in transcript.exchanges) / 1000
    value = read_value(files, verified, seconds, len(listed), personal=arguments.personal) | about
    return Answer(
        value=value, text=(*shown, *read_text(value)), good=overall(verified.checks) is Result.SUCCESSFUL
    )


# --- reading ------------------------------------------------------------------------------------------


def _read(document: _Document, arguments: argparse.Namespace) -> Answer:
    reader = document.reader
    if not reader.await_card(arguments.wait):
        return refused("no_card", "lay the document on the reader, with its chip over it")
    historical = reader.connect()
    recorder = Recorder(reader.transceive, os.urandom, time.monotonic)
    verification = document.rules.verification(document.scanned)
    began = time.monotonic()
    try:
        commands = read_passport(
            document.password,
            random=recorder.random,
            settings=document.rules.settings,
            limits=reader.limits,
            historical=historical,
            on_file=verification.take,
            terminal_key=_terminal_key(arguments),
        )
        files = drive(commands, recorder.transceive)
    except DocumentError as error:
        return refused(error.code, advice(error))
    finally:
        seconds = time.monotonic() - began
        if arguments.transcript:
            transcript = recorder.transcript(
                document.password,
                version=version("egate"),
                reader=document.name,
                limits=reader.limits,
                settings=document.rules.settings,
                historical=historical,
            )
            _write_private(arguments.transcript, msgspec.json.encode(transcript))
        reader.disconnect()
    verified = verification.conclude(files)
    value = read_value(files, verified, seconds, len(recorder.exchanges), personal=arguments.personal)
    return Answer(value=value, text=read_text(value), good=overall(verified.checks) is Result.SUCCESSFUL)


def _document(arguments: argparse.Namespace) -> _Document:
    """Put together what the command line and the configuration say. Raises UsageError, ConfigError."""
    if arguments.transcript and arguments.terminal_key:
        raise UsageError("--transcript: a reading with a terminal's key cannot be recorded: leave one out")
    if arguments.reader == "sim":
        return _simulated(arguments)
    gate = configured(arguments)
    chosen = gate.chip_reader if gate else ChipReaderSettings()
    if gate is None and arguments.reader is None:
        raise UsageError(f"{arguments.config}: there is no configuration: name a --reader")
    if arguments.name or arguments.reader not in {None, chosen.interface}:
        chosen = ChipReaderSettings(interface=arguments.reader or "pcsc", name=arguments.name)
    scanned, password = _opening(arguments)
    rules = _rules(arguments, gate)
    return _Document(chip_reader(chosen), chosen.interface, scanned, password, rules)


def _simulated(arguments: argparse.Namespace) -> _Document:
    found = entry_points(group=SIMULATORS, name="reader")
    try:
        lay: Callable[[str], Simulated] = next(iter(found)).load()
    except (StopIteration, ImportError) as error:
        raise UsageError(
            "--reader sim: the simulator is not part of this installation: run from a checkout"
        ) from error
    try:
        desk = lay(arguments.profile)
    except KeyError as error:
        raise UsageError(f"--profile {arguments.profile}: name one of `gate-sim chip --list`") from error
    if arguments.mrz or arguments.can:
        scanned, password = _opening(arguments)
    else:
        scanned = parse("\n".join(desk.lines).encode())
        password = Password.of_can(desk.can) if desk.can else Password.of_mrz(scanned)
    rules = _rules(arguments, None)
    if not arguments.trust:
        rules = dataclasses.replace(rules, store=TrustStore.load([], desk.roots, []))
    return _Document(desk.reader, f"sim {arguments.profile}", scanned, password, rules)


def _opening(arguments: argparse.Namespace) -> tuple[Mrz | None, Password]:
    """What opens the chip: a zone, or the number on the page. Raises UsageError."""
    if arguments.can is not None:
        try:
            return None, Password.of_can(arguments.can)
        except AccessError as error:
            raise UsageError("--can: give the six digits of the card access number") from error
    if arguments.mrz is None:
        raise UsageError(
            "what opens the chip is missing: give --mrz FILE (- for standard input) or --can DIGITS"
        )
    printed = None if arguments.mrz == "-" else Path(arguments.mrz)
    raw = read_input(MAX_MESSAGE) if printed is None else read_capped(printed, MAX_MESSAGE)
    try:
        mrz = parse(raw)
    except MrzError as error:
        raise UsageError(
            f"--mrz {arguments.mrz}: {error.code} at character {error.position}: see `gatectl mrz parse`"
        ) from error
    return mrz, Password.of_mrz(mrz)


def _terminal_key(arguments: argparse.Namespace) -> TerminalKey | None:
    if arguments.terminal_key is None and not arguments.terminal_certificate:
        return None
    if arguments.terminal_key is None or not arguments.terminal_certificate:
        raise UsageError("--terminal-key and --terminal-certificate go together: give both")
    return terminal_key(arguments.terminal_certificate, arguments.terminal_key, now_utc().date())


def _rules(arguments: argparse.Namespace, gate: GateConfig | None) -> _Rules:
    """The gate's rules, but for what the command line says; with neither, nobody's word counts."""
    if not arguments.trust and (arguments.anchor or arguments.crl or arguments.deviations):
        raise UsageError("--anchor, --crl and --deviations go with --trust: give that too")
    store = trust.store(arguments) if arguments.trust else _trust_of(gate)
    settings = gate.document if gate else DocumentSettings()
    policy = gate.trust.policy if gate else TrustPolicy()
    if arguments.crl:
        policy = msgspec.structs.replace(policy, revocation="required")
    given = {
        name: value
        for name, value in (
            ("bac", getattr(arguments, "bac", None)),
            ("all_proofs", getattr(arguments, "all_proofs", None)),
            ("data_groups", getattr(arguments, "groups", None)),
        )
        if value
    }
    at = now_utc().astimezone(ZoneInfo(gate.time_zone)) if gate else now_utc()
    return _Rules(store, msgspec.structs.replace(settings, **given), policy, at)


def _trust_of(gate: GateConfig | None) -> TrustStore:
    return load_trust(gate.trust) if gate else TrustStore([])


def _verified(files: ChipFiles, rules: _Rules) -> Verified:
    verification = rules.verification(None)
    for name in ("sod", *(name for name in files.files if name != "sod")):
        verification.take(name, files[name].reveal())
    return verification.conclude(files)


def _numbers(text: str) -> tuple[int, ...]:
    numbers = tuple(int(part) for part in text.split(",") if part.isascii() and part.isdigit())
    if len(numbers) != len(text.split(",")) or not all(5 <= number <= 16 for number in numbers):
        raise argparse.ArgumentTypeError(f"{text!r}: give numbers from 5 to 16, as in 11,12")
    return numbers


def _write_private(path: Path, content: bytes) -> None:
    """Write a file that its owner alone may read, whole or not at all, and over no other file."""
    try:
        handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    except OSError as error:
        raise UsageError(
            f"--transcript {path}: cannot be written ({error.strerror}): name another file"
        ) from error
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(content)
    except OSError as error:
        path.unlink(missing_ok=True)
        raise UsageError(
            f"--transcript {path}: cannot be written ({error.strerror}): free space, then read again"
        ) from error
