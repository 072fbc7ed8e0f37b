"""The standings that gates ask: from a table, and from the registrations that the centre has collected.

Whoever registered at one gate is known at every other one: their documents become rows of the file, those
that they were linked to included. Who was withdrawn is in none. What the table says of a registration goes
before: it is the register's word. The file is sealed under the list key, so neither the line nor a proxy
reads it.

It is published when it tells something else than the one before, or when that grows old: a gate believes a
file for as long as its policy says, and counts from when it was made. The one before is not kept: it holds
whom this one leaves out.
"""

import tempfile
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Final

from msgspec.structs import replace

from gated.central.folder import CentralError, CentralFolder
from gated.central.intake import BadRow
from gated.central.kinds import Signing, kind_index, release
from gated.central.packs import list_key
from gated.central.publish import BadRows
from gated.central.registrations import Holder, RegistrationBook, registration_key
from gated.central.repository import Repository
from gated.core.personal import Personal
from gated.core.values import Value
from gated.rules.standing import Standing
from gated.rules.standing_rows import Agreed, ByChip, Lifelong, StandingRow
from gated.store.database import StoreError
from gated.store.standing_table import StandingTable, TableError
from gated.store.standings import build, differ, read_contents
from gated.watchlist.keyed import ListKey
from gated.watchlist.match import normal_issuer, normal_number
from gated.watchlist.publication import Kind, Stage, file_path

KIND: Final[Kind] = "standings"
FILE: Final = "standings.db"
RENEW: Final = timedelta(hours=6)
REGISTERED: Final = Standing(registered=True, consent=True)


@dataclass(frozen=True)
class Sources:
    """What a file of standings is made from: a table, registrations, or both. `key` opens registrations."""

    table: Path | None = None
    key: Path | None = None
    skip_bad: bool = False
    renew: timedelta = RENEW


class StandingsPublished(Value):
    """What a publication did. `unreadable`: gates some of whose registrations do not open; they are left out.

    `unchanged`: nothing was published, because the same is published already and is young enough.
    """

    kind: str
    version: int
    created: str
    standings: int
    registrations: int
    unchanged: bool
    staged: bool = False
    unreadable: tuple[str, ...] = ()
    bad_rows: tuple[BadRow, ...] = ()
    more_bad_rows: int = 0


def publish_standings(
    folder: CentralFolder, sources: Sources, stages: Sequence[Stage], signing: Signing
) -> StandingsPublished:
    """Make the file and publish it, where it is time. Raises CentralError, ListError, OSError."""
    folder.require()
    key = list_key(folder)
    if key is None:
        raise CentralError(f"standings are sealed under the list key: gate-central list-key {folder.path}")
    index = kind_index(folder, KIND)
    try:
        holders, unreadable = ((), ()) if sources.key is None else _registrations(folder, sources.key)
        table = None if sources.table is None else StandingTable(sources.table)
        with tempfile.TemporaryDirectory(prefix=".standings-", dir=folder.path) as room:
            made = Path(room) / FILE
            rows = _rows(holders, table.rows() if table else ())
            contents = build(rows, made, key, int(signing.now.timestamp()), signing.now)
            bad = _bad_rows(table)
            if table is not None and bad and not sources.skip_bad:
                raise BadRows(Path(str(sources.table)), list(bad), table.rejected)
            due = _is_due(folder, made, key, sources.renew, signing)
            if due:
                version = release(folder, KIND, [(KIND, made)], stages, signing).version
            else:
                version = index.releases[-1].version if index else 0
    except (StoreError, TableError) as error:
        raise CentralError(str(error)) from error
    return StandingsPublished(
        kind=KIND,
        version=version,
        created=signing.now.isoformat(timespec="seconds"),
        standings=contents.standings,
        registrations=len(holders),
        unchanged=not due,
        staged=due and signing.stage,
        unreadable=tuple(unreadable),
        bad_rows=bad,
        more_bad_rows=table.rejected - len(bad) if table else 0,
    )


def published_standings(folder: CentralFolder) -> Path | None:
    """The file that is published now; None before the first. Raises CentralError, ListError."""
    index = kind_index(folder, KIND)
    if index is None or not index.releases:
        return None
    newest = index.releases[-1]
    repository = Repository(folder)
    return repository.file(
        repository.targets(KIND).targets[file_path(KIND, newest.version, newest.files[0].name)]
    )


def _registrations(folder: CentralFolder, key: Path) -> tuple[tuple[Holder, ...], tuple[str, ...]]:
    book = RegistrationBook(folder)
    try:
        return book.valid(registration_key(key))
    finally:
        book.close()


def _rows(holders: Iterable[Holder], table: Iterable[StandingRow]) -> Iterator[StandingRow]:
    """A row for each document; of two the later counts, and the table's come later."""
    registered: dict[tuple[str, str], StandingRow] = {}
    for holder in holders:
        row = _row(holder)
        registered[_document(row.issuer, row.number.reveal())] = row
        yield row
    for row in table:
        known, document = row.standing, _document(row.issuer, row.number.reveal())
        if document not in registered:
            yield row
            continue
        if known.registered is not False:
            consent = True if known.consent is None else known.consent
            known = replace(known, registered=True, consent=consent)
        held = registered[document]
        by_chip = held.by_chip
        if by_chip is not None and not (known.registered and known.consent):
            by_chip = Personal(by_chip.reveal()._replace(agreed=None))
        yield row._replace(standing=known, person=held.person, by_chip=by_chip)


def _row(holder: Holder) -> StandingRow:
    """What a registration tells: of its document, and of its holder by a number for life."""
    who = holder.who
    row = StandingRow(who.issuer, Personal(who.number), REGISTERED)
    if not who.personal:
        return row
    person = Lifelong(who.personal, who.birth)
    if who.source == "zone":
        return row._replace(person=Personal(person))
    if holder.text is None:
        return row
    agreed = Agreed(registration=holder.registration, text=holder.text)
    return row._replace(by_chip=Personal(ByChip(person, agreed)))


def _document(issuer: str, number: str) -> tuple[str, str]:
    return normal_issuer(issuer), normal_number(number)


def _bad_rows(table: StandingTable | None) -> tuple[BadRow, ...]:
    rows = []
    for row in table.rejects if table else ():
        field, _, expected = row.fault.partition(": ")
        rows.append(BadRow(line=row.line, field=field, expected=expected))
    return tuple(rows)


def _is_due(folder: CentralFolder, made: Path, key: ListKey, renew: timedelta, signing: Signing) -> bool:
    """Whether what was made says something else than what is published, or that is to be renewed."""
    before = published_standings(folder)
    if before is None:
        return True
    try:
        age_s = signing.now.timestamp() - read_contents(before).created
        return not 0 <= age_s < renew.total_seconds() or differ(before, made, key)
    except StoreError:
        return True  # what is damaged is no reason to keep it
