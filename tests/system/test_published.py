"""Published kinds at a whole gate: the centre's commands on one side, journal and decisions on the other."""

import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from gated.commands.lists_status import kinds_held
from gated.core.events import Event, GateStarted, PublishedChanged
from gated.runtime.clock import now_utc
from gated.store.database import open_to_read
from gated.store.journal import read
from gated.store.kinds import ask_back
from gated.store.published import Published
from gated.watchlist.publication import Kind
from hw_sim.site import Site

pytestmark = [pytest.mark.slow, pytest.mark.timeout(300)]


def central(site: Site, *arguments: str) -> None:
    command = [
        sys.executable,
        "-m",
        "gated.central.cli",
        arguments[0],
        str(site.centre.folder),
        *arguments[1:],
    ]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 0, done.stderr


def until(true: Callable[[], bool], what: str, seconds: float = 40.0) -> None:
    deadline = time.monotonic() + seconds
    while not true():
        assert time.monotonic() < deadline, what
        time.sleep(0.1)


def version(site: Site, kind: Kind) -> int:
    now = Published(site.state / "published").in_force(kind)
    return now.version if now else 0


def told(site: Site) -> list[Event]:
    database = open_to_read(site.state / "journal.db")
    try:
        return [entry.event for entry in read(database)]
    finally:
        database.close()


def test_kinds_come_into_force_are_on_record_and_go_back_without_a_restart(
    site: Site, tmp_path: Path
) -> None:
    masters, text = tmp_path / "utopia.ml", tmp_path / "welcome.txt"
    masters.write_bytes(site.authority.master_list())
    central(site, "publish", "--kind", "trust", "--file", f"master_lists={masters}")
    until(lambda: version(site, "trust") == 1, "the gate did not take the trust store")
    for number, words in enumerate(("good day", "good evening"), start=1):
        text.write_text(words)
        central(site, "publish", "--kind", "prompts", "--file", str(text))
        until(lambda wanted=number: version(site, "prompts") == wanted, "the gate did not take a prompt")
    table = tmp_path / "standings.csv"
    table.write_text("issuer,number,registered,consent\nUTO,L898902C3,yes,yes\n")
    central(site, "publish", "--kind", "standings", "--table", str(table))
    until(lambda: version(site, "standings") == 1, "the gate did not take the standings")
    ask_back(site.state / "published", "prompts")
    published = Published(site.state / "published")
    until(
        lambda: published.files("prompts")["prompt"][0].read_text() == "good day", "the gate did not go back"
    )
    changes = [
        event for event in told(site) if isinstance(event, PublishedChanged) and event.kind != "config"
    ]
    assert [(event.kind, event.version) for event in changes] == [
        ("trust", 1), ("prompts", 1), ("prompts", 2), ("standings", 1), ("prompts", 2)
    ]  # fmt: skip
    assert changes[1].sha256 == changes[4].sha256 != changes[2].sha256


def test_a_configuration_counts_from_the_next_start_and_one_that_does_not_fit_never(
    site: Site, tmp_path: Path
) -> None:
    overlay = tmp_path / "overlay.toml"
    overlay.write_text("[policy]\nchip_tries = 3\n")
    central(site, "publish", "--kind", "config", "--file", str(overlay))
    until(lambda: version(site, "config") == 1, "the gate did not take the configuration")
    (held,) = [each for each in kinds_held(site.state / "published", now_utc()) if each.kind == "config"]
    assert held.restart
    overlay.write_text('[eligibility]\nrules = "/no/such/rules"\n')  # what only the gate can see
    central(site, "publish", "--kind", "config", "--file", str(overlay))

    def refused() -> bool:
        found = kinds_held(site.state / "published", now_utc())
        return any(each.kind == "config" and each.code == "not_usable_here" for each in found)

    until(refused, "the gate did not say that the configuration does not fit")
    site.daemons["gated"].stop()
    site.start_daemons()
    started = [event for event in told(site) if isinstance(event, GateStarted)]
    assert [event.policy.chip_tries for event in (started[0], started[-1])] == [2, 3]
    assert "published_config" not in started[0].hashes
    assert "published_config" in started[-1].hashes
