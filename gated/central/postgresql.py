"""PostgreSQL by psycopg (an extra, `egate[postgresql]`): how to connect, and what to do about its errors."""

import importlib
from typing import Any, Final

from gated.central.folder import CentralError

ADDRESSES: Final = ("postgresql://", "postgres://")
CONNECT_S: Final = 5
SILENT_MS: Final = 20_000  # a server that answers nothing for so long is gone

# What helps, by the code of the error or its beginning (appendix A of PostgreSQL's manual).
_HELP: Final = {
    "08": "the connection broke: see that the server runs",
    "22021": "a text does not fit the database's encoding: it must be UTF8",
    "22P05": "a text does not fit the database's encoding: it must be UTF8",
    "25006": "this server only reads, as a standby does: name the one that writes",
    "28": "the user is refused: check pg_hba.conf and the password file",
    "40": "others write the same rows: it is tried again",
    "42501": "the user lacks rights: as its owner, GRANT USAGE, CREATE ON SCHEMA public, and own the tables",
    "53100": "the server's disk is full: free space there",
    "53300": "the server takes no more connections: raise max_connections",
    "55P03": "somebody holds a lock on the tables: see pg_stat_activity",
    "57": "the server is stopping, starting, or was told to cancel: it is tried again",
}


def connect(address: str, **options: Any) -> Any:
    """A connection that speaks UTF-8. Raises psycopg's errors, and CentralError where there is no psycopg."""
    return driver().connect(
        address,
        client_encoding="utf8",
        connect_timeout=CONNECT_S,
        tcp_user_timeout=SILENT_MS,
        **options,
    )


def driver() -> Any:
    """The module of psycopg. Raises CentralError."""
    try:
        return importlib.import_module("psycopg")
    except ImportError as error:  # also where its libpq is missing
        raise CentralError(
            "PostgreSQL needs psycopg and libpq: apt install libpq5, pip install 'egate[postgresql]'"
        ) from error


def told(error: Exception) -> str:
    """What the error is and what helps; never its text, which could quote a row or the address."""
    state = getattr(error, "sqlstate", None)
    if state is None:
        return (
            f"PostgreSQL: {type(error).__name__}: no connection: see that the server runs, and that psql gets"
            " in with the same address"
        )
    text = next((text for code, text in _HELP.items() if state.startswith(code)), None)
    return f"PostgreSQL: {state}: {text or 'check the server, the database and the rights in it'}"
