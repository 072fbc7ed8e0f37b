"""A PostgreSQL server of Debian's, in a folder of its own, on a Unix socket alone."""

import importlib
import os
import pwd
import subprocess
from pathlib import Path
from typing import Any

BINARIES = sorted(Path("/usr/lib/postgresql").glob("*/bin/initdb"))
START_S = 60


def missing() -> str:
    """Why there can be no server here; empty where there can be one."""
    try:
        importlib.import_module("psycopg")
    except ImportError:
        return "needs psycopg and libpq (pip install 'egate[postgresql]', apt-get install libpq5)"
    return "" if BINARIES else "needs a PostgreSQL server (apt-get install postgresql)"


class Server:
    """It refuses to run as root, and runs as nobody then. `start` and `stop` as needed."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._as: dict[str, Any] = {}
        if os.getuid() == 0:
            nobody = pwd.getpwnam("nobody")
            os.chown(folder, nobody.pw_uid, nobody.pw_gid)
            self._as = {"user": nobody.pw_uid, "group": nobody.pw_gid, "extra_groups": [], "cwd": "/"}
        data = ("-D", folder / "data")
        self._do("initdb", *data, "-U", "owner", "-A", "trust", "-E", "UTF8", "--locale=C", "--no-sync")

    def address(self, database: str = "postgres", user: str = "owner") -> str:
        """What `--database` takes."""
        return f"postgresql:///{database}?host={self.folder}&user={user}"

    def start(self) -> None:
        """Start, and wait until it takes connections."""
        options = f"-k {self.folder} -c listen_addresses='' -c fsync=off"
        log = self.folder / "log"
        self._do("pg_ctl", "-D", self.folder / "data", "-l", log, "-w", "-o", options, "start")

    def stop(self) -> None:
        """Stop at once, as after a power cut."""
        self._do("pg_ctl", "-D", self.folder / "data", "-w", "-m", "immediate", "stop")

    def _do(self, name: str, *arguments: object) -> None:
        done = subprocess.run(
            [BINARIES[-1].with_name(name), *map(str, arguments)],
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
            timeout=START_S,
            check=False,
            **self._as,
        )
        assert done.returncode == 0, done.stderr
