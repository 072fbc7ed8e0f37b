"""Rows of a database as list rows: a query over SQLite, or over PostgreSQL where psycopg is installed."""

import sqlite3
from collections.abc import Iterable, Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

from gated.central import postgresql
from gated.central.folder import CentralError

FETCH = 1000  # rows at a time
_HELP = {
    "42501": "the user may not read that: GRANT SELECT",
    # A database in SQL_ASCII takes any bytes, and nobody knows what they mean.
    "22021": "a text is not in the encoding of its database: bring the list into one that has its own",
}
_OF_THE_QUERY = ("22", "25006", "42")  # it stumbles over a value, writes, or is none


def query_rows(database: str, query: str, fields: frozenset[str]) -> Iterator[dict[str, str]]:
    """Yield the rows of a query, each value as text, nothing for NULL. Raises CentralError.

    An error tells what the database said of the query, never a row or the address, which may hold a password.
    """
    if database.startswith(postgresql.ADDRESSES):
        yield from _postgresql(database, query, fields)
        return
    path = Path(database)
    if not path.is_file():
        raise CentralError(f"{path}: no such database: name a SQLite file, or postgresql://...")
    try:
        with closing(sqlite3.connect(f"{path.absolute().as_uri()}?mode=ro", uri=True)) as connection:
            # Text of another encoding is then wrong in its field; SQLite's own complaint would quote it.
            connection.text_factory = lambda raw: raw.decode("utf-8", "replace")
            yield from _rows(connection.execute(query), fields)
    except sqlite3.Error as error:
        raise CentralError(f"{path}: the query cannot be answered ({error}): correct it") from error
    except UnicodeEncodeError:
        raise CentralError("the query is not UTF-8: write it so") from None


def _postgresql(address: str, query: str, fields: frozenset[str]) -> Iterator[dict[str, str]]:
    errors: type[Exception] = postgresql.driver().Error
    try:
        with postgresql.connect(address) as connection:
            connection.read_only = True
            with connection.cursor(name="gate_central") as cursor:  # kept at the server: memory stays bounded
                cursor.itersize = FETCH
                yield from _rows(cursor.execute(query), fields)
    except errors as error:
        state = getattr(error, "sqlstate", None) or ""
        if state in _HELP:
            raise CentralError(f"PostgreSQL: {state}: {_HELP[state]}") from None
        if state.startswith(_OF_THE_QUERY):
            raise CentralError(f"PostgreSQL: {state}: the query cannot be answered: correct it") from None
        raise CentralError(postgresql.told(error)) from None


def _rows(cursor: Any, fields: frozenset[str]) -> Iterator[dict[str, str]]:
    names = [str(column[0]).lower() for column in cursor.description or ()]
    if not names or not set(names) <= fields or len(set(names)) != len(names):
        raise CentralError(f"the query must name its columns, each once, out of: {', '.join(sorted(fields))}")
    for row in _all(cursor):
        yield {name: str(value) for name, value in zip(names, row, strict=True) if value is not None}


def _all(cursor: Any) -> Iterable[Any]:
    while batch := cursor.fetchmany(FETCH):
        yield from batch
