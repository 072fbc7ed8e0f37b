"""Every scenario of the demo through the real daemons, in real time, and what it leaves behind."""

import json
import subprocess
import sys
from collections.abc import Iterator
from typing import Any

import pytest
from msgspec.structs import replace

from gated.core.policy import LaneRules
from gated.core.vocabulary import Outcome
from gated.store.database import open_to_read
from gated.store.journal import Head, verify
from hw_sim.camera.glass import Lying
from hw_sim.rehearsal import Rehearsal
from hw_sim.scenarios import BY_NAME, HOLDERS, SCENARIOS, Scenario
from hw_sim.site import Site

pytestmark = [pytest.mark.slow, pytest.mark.timeout(300)]


# Played by `make demo` and `make long` only: another scenario here takes nearly the same way.
LONG = {
    "bent-photo", "bystander", "central-down-72h", "closed-by-age", "consent-declined", "delta-gap",
    "exit-ban", "foreigner-departing", "left-bag", "loiterer", "page-camera", "paper-mask", "placed-wrongly",
    "rollback-attack", "stale-watchlist", "sunglasses", "twins-impostor", "two-persons", "wrong-way",
}  # fmt: skip


def played() -> Iterator[Any]:
    """Those that walk a way back are longer: tests/system/test_breakdowns.py. Other lanes are other sites."""
    for each in SCENARIOS:
        if not each.way_back and each.lane == LaneRules():
            yield pytest.param(each, id=each.name, marks=[pytest.mark.long] if each.name in LONG else [])


@pytest.mark.parametrize("scenario", list(played()))
def test_it_ends_as_expected(site: Site, scenario: Scenario) -> None:
    site.start_daemons()
    rehearsed = Rehearsal(site, scenario, lambda _: None).play()
    assert rehearsed.problems == ()
    assert rehearsed.outcome is scenario.expected, rehearsed.reasons
    if scenario.expected is Outcome.ADMITTED:
        assert rehearsed.stages.total is not None
        assert rehearsed.reference
        assert rehearsed.best


def test_a_page_camera_beside_a_scanner_coaches_until_that_reads(site: Site) -> None:
    site.start_daemons()
    scenario = replace(
        BY_NAME["placed-wrongly"], scanner=True, lies=(*BY_NAME["placed-wrongly"].lies[:2], Lying())
    )
    rehearsed = Rehearsal(site, scenario, lambda _: None).play()
    assert rehearsed.problems == ()
    assert rehearsed.outcome is Outcome.ADMITTED
    assert site.laid.line_spans, "the scanner was the one to read"


def gatectl(site: Site, *arguments: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "gated.cli", *arguments, "--config", str(site.config)]
    return subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)


def test_the_journal_of_it_all_is_whole_and_replays(site: Site) -> None:
    """Run after at least one passage, whatever the order of tests."""
    site.start_daemons()
    Rehearsal(site, SCENARIOS[0], lambda _: None).play()
    database = open_to_read(site.state / "journal.db")
    verdict = verify(database)
    assert verdict.problems == ()
    assert verdict.passages >= 1
    shown = gatectl(site, "journal", "verify", "--json")
    assert shown.returncode == 0, shown.stderr
    assert json.loads(shown.stdout)["problems"] == []
    replayed = gatectl(site, "replay", "--json")
    assert replayed.returncode == 0, replayed.stderr
    assert json.loads(replayed.stdout)["differences"] == []
    assert verify(database, Head(seq=verdict.entries, hash=verdict.head)).problems == ()


def test_status_in_words_and_as_json(site: Site) -> None:
    site.start_daemons()
    told = gatectl(site, "status")
    assert told.returncode == 0, told.stdout + told.stderr
    assert "state      idle" in told.stdout
    status = json.loads(gatectl(site, "status", "--json").stdout)
    assert all(ready for name, ready in status["devices"].items() if name != "clock")


def test_no_personal_data_is_left_anywhere(site: Site) -> None:
    """The traveller is the canary: nothing of her page may be in any file of the gate, in any encoding.

    The scanner reads it, and the page camera, which has looked at it for a while.
    """
    site.start_daemons()
    for name in ("citizen", "placed-wrongly"):
        assert BY_NAME[name].holder == "ada"
        rehearsed = Rehearsal(site, BY_NAME[name], lambda _: None).play()
        assert rehearsed.problems == ()
        assert rehearsed.stages.chip is not None, "read: the page opened the chip"
    ada = HOLDERS["ada"]
    canaries = {ada.surname, *ada.given_names.split()[1:], ada.number, f"{ada.birth:%y%m%d}"}
    needles = {
        form
        for canary in canaries
        for form in (
            canary.encode(),
            canary.lower().encode(),
            canary.encode("utf-16le"),
            canary.encode().hex().encode(),
        )
    }
    files = [path for path in (*site.state.rglob("*"), *site.folder.glob("*.log")) if path.is_file()]
    assert len(files) > 5
    for path in files:
        content = path.read_bytes()
        found = [needle for needle in needles if needle in content]
        assert not found, f"{path.name} holds personal data"
