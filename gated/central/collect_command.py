"""`gate-central collect`: the service; exporting what it collected, settling alarms, ending the keeping."""

import argparse
import sys
from collections.abc import Callable, Collection, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import IO, Any

import msgspec

from gated import logs
from gated.central.collect import CollectSettings, collect, database_of
from gated.central.collected import Collected
from gated.central.folder import CentralError, CentralFolder
from gated.central.receipts import receipt_key, receipt_public
from gated.central.record_store import DatabaseError, open_database
from gated.central.records import MAX_WHY, JournalState, Records
from gated.central.retention import MAX_DAYS, Keeper, Kept, Recorded, Rule, who
from gated.core.values import Value

SILENT = timedelta(hours=1)  # one that has nothing to deliver asks every ten minutes


_ALWAYS = set(Collected.__struct_fields__) - {"follows", "signed"}


class Collecting(Value):
    """Where the collector listens, and the key that gates know its receipts by."""

    address: str
    receipt_key: str


class Exported(Value):
    """How many entries were written, and where to."""

    entries: int
    file: str


class OnRecord(Value):
    """Every removal that was ever made."""

    removals: tuple[Recorded, ...]


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
    what.add_argument(
        "--keep-days", type=_days, metavar="N", help="remove whole passages that came earlier, on record"
    )
    what.add_argument("--removed", action="store_true", help="show the record of what was removed")
    parser.add_argument("--dry-run", action="store_true", help="only tell what --keep-days would remove")
    parser.add_argument("--database", default="", metavar="URL", help="postgresql://..., or another file")
    parser.add_argument("--metrics", default="", metavar="FILE", help="write Prometheus' text format there")
    parser.add_argument(
        "--proxy", action="append", default=[], metavar="NAME", help="may bring the journals of other gates"
    )
    parser.add_argument("--gate", metavar="NAME", help="of this gate only: export, --keep-days")
    parser.add_argument("--after", type=_number, default=0, metavar="ENTRY", help="export only later entries")
    parser.add_argument("--why", default="", metavar="TEXT", help="why it is settled; what law ends keeping")


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


def journal_warnings(states: Sequence[JournalState], now: datetime, allowed: Collection[str]) -> list[str]:
    """What somebody should look at: alarms, and gates that may speak and were not heard of for long."""
    warnings = [warning for state in states for warning in state.warnings]
    late = [state for state in states if now - datetime.fromisoformat(state.heard) > SILENT]
    silent = [state for state in late if state.gate in allowed]
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
        if options.keep_days is not None:
            return _keep(options, folder)
        if options.removed:
            return _removed(options, folder)
    except DatabaseError as error:
        raise CentralError(str(error)) from error
    logs.configure("gate-central")
    settings = CollectSettings(
        address=options.address,
        database=options.database,
        metrics=options.metrics,
        proxies=tuple(options.proxy),
    )
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


def _keep(options: argparse.Namespace, folder: CentralFolder) -> Kept:
    if len(options.why) > MAX_WHY:
        raise CentralError(f"--why: at most {MAX_WHY} characters")
    rule = Rule(keep_days=options.keep_days, by=who(), why=options.why)
    database = open_database(database_of(folder, options.database))
    try:
        keeper = Keeper(database, receipt_key(folder))
        return keeper.remove(rule, datetime.now(UTC), options.gate, dry=options.dry_run)
    finally:
        database.close()


def _removed(options: argparse.Namespace, folder: CentralFolder) -> OnRecord:
    database = open_database(database_of(folder, options.database), to_read=True)
    try:
        return OnRecord(removals=tuple(Keeper(database, receipt_key(folder)).recorded()))
    finally:
        database.close()


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
    """An entry with its event and what followed as JSON, byte for byte; as text where they are none.

    What tells nothing new of an entry is left out: its predecessor's hash, and a signature that it has not.
    """
    fields = {name: getattr(entry, name) for name in Collected.__struct_fields__}
    for name in ("event", "outcome"):
        if _is_one_line(fields[name]):
            fields[name] = msgspec.Raw(fields[name].encode())
    return {name: value for name, value in fields.items() if value not in ("", None) or name in _ALWAYS}


def _is_one_line(text: str) -> bool:
    """Whether this is a JSON object that stands on one line."""
    try:
        msgspec.json.decode(text)
    except (msgspec.DecodeError, RecursionError):
        return False
    return text.startswith("{") and text.endswith("}") and not {"\n", "\r"} & set(text)


def _number(text: str) -> int:
    value = int(text)
    if not 0 <= value <= 2**53:
        raise argparse.ArgumentTypeError("the number of an entry")
    return value


def _days(text: str) -> int:
    value = int(text)
    if not 1 <= value <= MAX_DAYS:
        raise argparse.ArgumentTypeError("a number of days, 1 or more")
    return value
