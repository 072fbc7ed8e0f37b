"""Passages while the centre is away, and ends that are killed: everything is at the centre once, in order."""

import json
import sqlite3
import subprocess
import sys
import time

import pytest

from gated.core.vocabulary import Outcome
from hw_sim.rehearsal import Rehearsal
from hw_sim.scenarios import BY_NAME
from hw_sim.site import Site

pytestmark = [pytest.mark.long, pytest.mark.timeout(300)]


def passes(site: Site) -> None:
    rehearsed = Rehearsal(site, BY_NAME["citizen"], lambda _: None).play()
    assert rehearsed.outcome is Outcome.ADMITTED


def journalled(site: Site) -> list[tuple[int, str]]:
    db = sqlite3.connect(site.state / "journal.db")
    rows = [
        (seq, bytes(link).hex()) for seq, link in db.execute("SELECT seq, hash FROM entries ORDER BY seq")
    ]
    db.close()
    return rows


def collected(site: Site) -> list[tuple[int, str]]:
    command = [sys.executable, "-m", "gated.central.cli", "collect", site.folder / "central", "--export", "-"]
    done = subprocess.run(command, capture_output=True, timeout=60, check=True)
    return [(each["seq"], each["hash"]) for each in map(json.loads, done.stdout.splitlines())]


def delivered(site: Site, seconds: float = 60.0) -> None:
    """Wait until the centre has signed for all that the gate has written."""
    deadline = time.monotonic() + seconds
    while True:
        status = site.status()
        if status is not None and status.journal_receipted == status.journal_entries:
            return
        assert time.monotonic() < deadline, status
        time.sleep(0.2)


def test_travellers_pass_while_the_centre_is_away_and_everything_arrives_once(site: Site) -> None:
    site.start_daemons()
    passes(site)
    status = site.status()
    assert status is not None
    assert (status.journal_receipted, status.journal_trouble) == (0, {})
    site.centre.collect()
    delivered(site)
    assert collected(site) == journalled(site)[: len(collected(site))]

    site.centre.kill_collector()
    passes(site)
    site.daemons["gate-link"].kill()
    site.daemons["gated"].kill()
    site.start_daemons()
    passes(site)
    site.centre.collect()
    delivered(site)
    command = [sys.executable, "-m", "gated.cli", "journal", "verify", "--config", site.config]
    told = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
    assert told.returncode == 0, told.stdout + told.stderr
    assert "the centre has signed for entries up to" in told.stdout
    for daemon in site.daemons.values():
        daemon.stop()
    mine = journalled(site)
    theirs = collected(site)
    assert theirs == mine[: len(theirs)]
    assert len(mine) - len(theirs) <= 20  # what was written while the daemons stopped
