"""`gate-central collect`: the service, the export of what it collected, and the settling of alarms."""

import argparse
import sys
from collections.abc import Callable, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import IO, Any

import msgspec

from gated import logs
from gated.central.collect import CollectSettings, collect, database_of
from gated.central.folder import CentralError, CentralFolder
from gated.central.receipts import receipt_public
from gated.central.record_store import DatabaseError, open_database
from gated.central.records import MAX_WHY, Collected, JournalState, Records
from gated.core.values import Value

SILENT = timedelta(hours=1)  # one that has nothing to deliver asks every ten minutes


class Collecting(Value):
    """Where the collector listens, and the key that gates know its receipts by."""

    address: str
    receipt_key: str


class Exported(Value):
    """How many entries were written, and where to."""

    entries: int
    file: str


class Settled(Value):
    """An alarm that somebody has looked into."""

    alarm: int
    why: str


def add(command: Callable[..., argparse.ArgumentParser], told: Callable[..., None]) -> None:
    """Put the command on the command line; `told` shows what the service says when it listens."""
    parser = command(
        "collect",
        lambda options, folder: _run(options, folder, told),
        "collect the gates' journals until told to stop; or export them, or settle an alarm",
    )
    what = parser.add_mutually_exclusive_group(required=True)
    what.add_argument("--address", metavar="tcp://HOST:PORT", help="listen here and collect")
    what.add_argument("--export", metavar="FILE", help="write entries as JSON lines to a file, - for output")
    what.add_argument(
        "--settle", type=int, metavar="ALARM", help="an alarm of gate-central status is settled"
    )
    parser.add_argument("--database", default="", metavar="URL", help="postgresql://..., or another file")
    parser.add_argument("--metrics", default="", metavar="FILE", help="write Prometheus' text format there")
    parser.add_argument("--gate", metavar="NAME", help="export the journal of this gate only")
    parser.add_argument("--after", type=_number, default=0, metavar="ENTRY", help="export only later entries")
    parser.add_argument("--why", default="", metavar="TEXT", help="why the alarm is settled")


def journal_states(folder: CentralFolder, database: str = "") -> tuple[JournalState, ...]:
    """What is held of every gate; nothing where nobody collects yet. Raises CentralError."""
    where = database_of(folder, database)
    if not database and not Path(where).exists():
        return ()
    try:
        records = Records(open_database(where, to_read=True))
        try:
            return records.states()
        finally:
            records.close()
    except DatabaseError as error:
        raise CentralError(str(error)) from error


def journal_warnings(states: Sequence[JournalState], now: datetime) -> list[str]:
    """What somebody should look at: alarms, and gates that were not heard of for long."""
    warnings = [warning for state in states for warning in state.warnings]
    silent = [state for state in states if now - datetime.fromisoformat(state.heard) > SILENT]
    return warnings + [
        f"journal of {state.gate}: nothing was heard since {state.heard}: see its gate-link"
        for state in silent
    ]


def _run(options: argparse.Namespace, folder: CentralFolder, told: Callable[..., None]) -> Value | None:
    folder.require()
    try:
        if options.settle is not None:
            return _settle(options, folder)
        if options.export is not None:
            return _export(options, folder)
    except DatabaseError as error:
        raise CentralError(str(error)) from error
    logs.configure("gate-central")
    settings = CollectSettings(address=options.address, database=options.database, metrics=options.metrics)
    key = receipt_public(folder)
    collect(
        folder,
        settings,
        lambda address: told(Collecting(address=address, receipt_key=key), as_json=options.json),
    )
    return None


def _settle(options: argparse.Namespace, folder: CentralFolder) -> Settled:
    if not options.why.strip() or len(options.why) > MAX_WHY:
        raise CentralError(f"--why: say in at most {MAX_WHY} characters what was found")
    records = Records(open_database(database_of(folder, options.database)))
    try:
        records.begin()
        found = records.settle(options.settle, options.why, datetime.now(UTC).isoformat(timespec="seconds"))
        records.commit()
    finally:
        records.close()
    if not found:
        raise CentralError("there is no such open alarm: see gate-central status")
    return Settled(alarm=options.settle, why=options.why)


def _export(options: argparse.Namespace, folder: CentralFolder) -> Exported | None:
    records = Records(open_database(database_of(folder, options.database), to_read=True))
    try:
        entries = records.entries(options.gate, options.after)
        if options.export == "-":
            _write(entries, sys.stdout.buffer)
            return None
        path = Path(options.export)
        with path.open("xb") as file:
            return Exported(entries=_write(entries, file), file=str(path))
    except FileExistsError:
        raise CentralError(f"{options.export}: is there already: name another file") from None
    finally:
        records.close()


def _write(entries: Any, file: IO[bytes]) -> int:
    count = 0
    for entry in entries:
        file.write(msgspec.json.encode(_plain(entry)) + b"\n")
        count += 1
    return count


def _plain(entry: Collected) -> dict[str, Any]:
    """An entry with its event and what followed as JSON; as text where it is not sound and is none."""
    fields = {name: getattr(entry, name) for name in Collected.__struct_fields__}
    for name in ("event", "outcome"):
        try:
            msgspec.json.decode(fields[name])
        except (msgspec.DecodeError, RecursionError):
            continue
        fields[name] = msgspec.Raw(fields[name].encode())
    return fields


def _number(text: str) -> int:
    value = int(text)
    if not 0 <= value <= 2**53:
        raise argparse.ArgumentTypeError("the number of an entry")
    return value
