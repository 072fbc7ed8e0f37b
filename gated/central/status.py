"""`gate-central status`: what is published, until when and for whom; what was collected; what to look at."""

import argparse
from collections.abc import Callable, Iterator, Sequence
from datetime import UTC, datetime, timedelta
from typing import Final

from gated.central.collect_command import journal_states, journal_warnings
from gated.central.folder import CentralFolder
from gated.central.journal_keys import counting
from gated.central.keys import allowed_gates, server_pair
from gated.central.kinds import Groups, read_groups
from gated.central.packs import packed_documents
from gated.central.publish import current_header, current_index
from gated.central.receipts import receipt_public
from gated.central.records import JournalState
from gated.central.repository import Repository
from gated.central.standing import KindState, expiry_warnings, kind_states
from gated.commands.columns import table, wrapped
from gated.core.values import Value
from gated.watchlist.publication import ROLES
from gated.watchlist.replica import SIGNED_AT

UNVOUCHED: Final = timedelta(minutes=10)  # a server that runs signs every minute


class CentralStatus(Value):
    """What the central side has published and for whom."""

    list: str
    version: int
    created: str
    documents: int
    persons: int
    deltas: int
    signed_at: str
    expires: dict[str, str]
    gates: tuple[str, ...]
    server_key: str
    warnings: tuple[str, ...]
    receipt_key: str
    journal_keys: dict[str, str]
    journals: tuple[JournalState, ...]
    kinds: tuple[KindState, ...]
    groups: Groups


def add(command: Callable[..., argparse.ArgumentParser]) -> None:
    """Put the command on the command line."""
    parser = command("status", _run, "what is published, until when, and for whom; what was collected")
    parser.add_argument(
        "--database", default="", metavar="URL", help="where journals are collected, if not in DIR"
    )
    parser.add_argument("--check", action="store_true", help="exit with 1 where somebody should look")


def _run(options: argparse.Namespace, folder: CentralFolder) -> CentralStatus:
    return status(folder, options.database, datetime.now(UTC))


def status(folder: CentralFolder, database: str, now: datetime) -> CentralStatus:
    """All there is to tell. Raises CentralError, ListError, OSError."""
    folder.require()
    repository = Repository(folder)
    timestamp = repository.timestamp()
    signed_at = str(timestamp.unrecognized_fields.get(SIGNED_AT, ""))
    header, index = current_header(folder), current_index(folder)
    roles = repository.roles()
    parts = [("root", repository.root()), ("timestamp", timestamp), ("snapshot", repository.snapshot())]
    parts += [(role, repository.targets(role)) for role in ("targets", *roles)]
    gates = tuple(sorted(allowed_gates(folder).values()))
    journals = journal_states(folder, database)
    warnings = [warning for name, signed in parts for warning in expiry_warnings(name, signed.expires, now)]
    warnings += [] if header else ["nothing is published yet: gate-central publish"]
    if late := [role for role in ROLES if role not in roles]:
        warnings.append(f"this folder is older than {', '.join(late)}: gate-central extend")
    if gates and signed_at and now - datetime.fromisoformat(signed_at) > UNVOUCHED:
        warnings.append(
            f"nobody vouches since {signed_at}, and the gates' lists grow old: see gate-central serve"
        )
    warnings += journal_warnings(journals, now, gates)
    return CentralStatus(
        list=header.list if header else "",
        version=header.version if header else 0,
        created=header.created if header else "",
        documents=(header.documents if header else 0) + packed_documents(folder, index),
        persons=header.persons if header else 0,
        deltas=len(index.deltas) if index else 0,
        signed_at=signed_at,
        expires={name: signed.expires.strftime("%Y-%m-%dT%H:%M:%SZ") for name, signed in parts},
        gates=gates,
        server_key=server_pair(folder).public_key,
        warnings=tuple(warnings),
        receipt_key=receipt_public(folder),
        journal_keys=counting(folder.gates, now),
        journals=journals,
        kinds=kind_states(folder),
        groups=read_groups(folder),
    )


def lines(told: CentralStatus, now: datetime) -> Iterator[str]:
    """The status for a terminal: to be read from the bottom."""
    yield f"server key   {told.server_key}"
    yield f"receipt key  {told.receipt_key}"
    yield from _section("ROLE", ("SIGNED UNTIL",), [(name, end) for name, end in told.expires.items()])
    yield from _section(
        "KIND",
        ("VERSION", "PUBLISHED", "SIGN", "FOR", "WAITS"),
        [
            (
                kind.kind,
                str(kind.version or "-"),
                kind.created or "-",
                kind.signatures,
                ", ".join(kind.stages) or ("all" if kind.kind == "watchlist" and kind.version else "-"),
                kind.waits or "-",
            )
            for kind in told.kinds
        ],
    )
    if told.list:
        yield ""
        yield f"list {told.list}: {told.documents:,} documents, {told.persons:,} persons, {told.deltas} steps"
    yield f"vouched for {_ago(told.signed_at, now)}"
    if told.groups:
        yield from _section("GROUP", ("GATES",), [(name, " ".join(who)) for name, who in told.groups.items()])
    yield from _gates(told, now)
    yield ""
    if not told.warnings:
        yield "nothing to look at"
        return
    yield "LOOK AT"
    for warning in told.warnings:
        yield from wrapped(warning, first="- ")


def _gates(told: CentralStatus, now: datetime) -> Iterator[str]:
    states = {state.gate: state for state in told.journals}
    rows = []
    for gate in sorted({*told.gates, *states}):
        state = states.get(gate)
        name = gate if gate in told.gates else f"{gate} (revoked)"
        if state is None:
            rows.append((name, "-", "-", "-", "-", "-"))
            continue
        counts = (f"{state.entries:,}", f"{state.first:,}", f"{state.lag:,}")
        rows.append((name, *counts, _ago(state.heard, now), str(len(state.alarms) or "-")))
    if not rows:
        yield ""
        yield "no gates yet: gate-central keys"
        return
    yield from _section("GATE", ("ENTRIES", "OLDEST", "BEHIND", "HEARD", "ALARMS"), rows)
    if told.journal_keys:
        yield from _section("GATE", ("JOURNAL KEY",), list(told.journal_keys.items()))


def _section(first: str, heading: Sequence[str], rows: Sequence[Sequence[str]]) -> Iterator[str]:
    yield ""
    yield from table((first, *heading), rows)


def _ago(utc: str, now: datetime) -> str:
    """How long ago a moment was, in its largest unit."""
    if not utc:
        return "never"
    seconds = max(0.0, (now - datetime.fromisoformat(utc)).total_seconds())
    for name, size in (("days", 86_400), ("h", 3_600), ("min", 60)):
        if seconds >= 2 * size:
            return f"{seconds // size:.0f} {name} ago"
    return f"{seconds:.0f} s ago"
