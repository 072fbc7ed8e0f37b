"""The same records in PostgreSQL, against a real server that this test starts and ends."""

import importlib.util
import os
import pwd
import subprocess
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from gated.central.collect_command import journal_states
from gated.central.folder import CentralFolder
from gated.central.record_store import DatabaseError, Postgres, open_database
from gated.central.records import Records
from tests.central.collecting import Pair, change, copied, entries, lived

BINARIES = sorted(Path("/usr/lib/postgresql").glob("*/bin/initdb"))


@pytest.fixture(scope="module")
def server() -> Iterator["Server"]:
    if importlib.util.find_spec("psycopg") is None:
        pytest.skip("psycopg is not installed: pip install 'egate[postgresql]'")
    if not BINARIES:
        pytest.skip("no PostgreSQL server is installed: apt install postgresql")
    with tempfile.TemporaryDirectory(prefix="egate-pg-") as name:
        server = Server(Path(name))
        server.start()
        yield server
        server.stop()


class Server:
    """A PostgreSQL server on a Unix socket; not as root, which it refuses."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._as: dict[str, Any] = {}
        if os.getuid() == 0:
            nobody = pwd.getpwnam("nobody")
            os.chown(folder, nobody.pw_uid, nobody.pw_gid)
            self._as = {"user": nobody.pw_uid, "group": nobody.pw_gid, "extra_groups": [], "cwd": "/"}
        self._do("initdb", "-D", folder / "data", "-U", "egate", "-A", "trust", "--no-sync")

    @property
    def address(self) -> str:
        return f"postgresql:///postgres?host={self.folder}&user=egate"

    def start(self) -> None:
        options = f"-k {self.folder} -c listen_addresses=''"
        self._do(
            "pg_ctl", "-D", self.folder / "data", "-l", self.folder / "log", "-w", "-o", options, "start"
        )

    def stop(self) -> None:
        self._do("pg_ctl", "-D", self.folder / "data", "-w", "-m", "immediate", "stop")

    def _do(self, name: str, *arguments: object) -> None:
        command = [BINARIES[-1].with_name(name), *map(str, arguments)]
        done = subprocess.run(
            command, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, timeout=60, check=False, **self._as
        )
        assert done.returncode == 0, done.stderr


@pytest.fixture
def pair(server: Server, tmp_path: Path) -> Iterator[Pair]:
    lived(tmp_path / "lived.db", range(3))
    records = Records(open_database(server.address))
    records._db.rows("TRUNCATE entries, heads, alarms, branches, gates RESTART IDENTITY")
    pair = Pair(copied(tmp_path / "lived.db", tmp_path / "gate"), records)
    yield pair
    pair.outbox.close()
    records.close()


def test_postgresql_holds_what_was_delivered_once_and_tells_a_fork(pair: Pair, server: Server) -> None:
    older = copied(pair.journal, pair.journal.parent / "older")
    pair.deliver()
    mine = entries(pair.journal)
    assert pair.held() == mine
    change(older, "DELETE FROM entries WHERE seq > 30", "DELETE FROM passages WHERE ended > 30")
    lived(older, range(70, 72))
    pair.restart(older)
    pair.now += 100
    pair.deliver()
    assert [code for code, _ in pair.alarms()] == ["fork"]
    assert [each for each in pair.held() if each not in mine] == entries(older)[30:]
    reader = Records(Postgres(server.address, to_read=True))
    [state] = reader.states()
    assert journal_states(CentralFolder(pair.journal.parent), server.address) == (state,)
    assert (state.entries, state.branches, state.lag) == (len(entries(older)), 2, 0)
    reader.close()
    pair.records.begin()
    assert pair.records.settle(state.alarms[0].id, "seen to", "2030")
    pair.records.commit()
    assert pair.alarms() == []


def test_a_server_that_goes_away_keeps_nothing_by_halves_and_is_found_again(
    pair: Pair, server: Server
) -> None:
    pair.round()
    server.stop()
    with pytest.raises(DatabaseError) as failed:
        pair.deliver()
    assert str(server.folder) not in str(failed.value)
    pair.records.roll_back()
    with pytest.raises(DatabaseError):
        pair.records.begin()
    server.start()
    pair.now += 100
    pair.deliver()
    assert pair.held() == entries(pair.journal)


def test_a_server_that_is_not_there_and_a_missing_psycopg_are_said(tmp_path: Path) -> None:
    if importlib.util.find_spec("psycopg") is None:
        pytest.skip("psycopg is not installed: pip install 'egate[postgresql]'")
    with pytest.raises(DatabaseError, match="see that the server runs"):
        open_database(f"postgresql:///x?host={tmp_path}")
