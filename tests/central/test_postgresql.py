"""PostgreSQL without a server: what its errors mean for whoever runs it, and that psycopg is an extra."""

import sys

import pytest

from gated.central import postgresql
from gated.central.database import query_rows
from gated.central.folder import CentralError
from gated.central.record_store import open_database

SECRET = "password=of-somebody"


class Failed(Exception):
    """An error as psycopg has it."""

    def __init__(self, sqlstate: str | None) -> None:
        super().__init__(f"DETAIL: {SECRET}")
        self.sqlstate = sqlstate


@pytest.mark.parametrize(
    ("state", "helps"),
    [
        (None, "psql gets in with the same address"),
        ("08006", "see that the server runs"),
        ("22021", "UTF8"),
        ("25006", "name the one that writes"),
        ("28P01", "pg_hba.conf"),
        ("42501", "GRANT USAGE, CREATE"),
        ("53100", "disk is full"),
        ("53300", "max_connections"),
        ("57P01", "tried again"),
        ("XX000", "check the server"),
    ],
)
def test_an_error_is_told_by_its_code_and_what_helps_and_never_by_its_text(
    state: str | None, helps: str
) -> None:
    told = postgresql.told(Failed(state))
    assert helps in told
    assert (state or "Failed") in told
    assert SECRET not in told


def test_without_psycopg_both_uses_name_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "psycopg", None)
    with pytest.raises(CentralError, match=r"apt install libpq5, pip install 'egate\[postgresql\]'"):
        open_database("postgresql:///egate")
    with pytest.raises(CentralError, match="libpq5"):
        list(query_rows("postgres:///egate", "SELECT 1", frozenset()))
