"""Kiosk and gate apart, with all their daemons: prepared at the one, admitted by the other, once."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

from gated.core import events as ev
from gated.core.vocabulary import Outcome
from hw_sim.__main__ import demo_policy
from hw_sim.kiosk_and_gate import ONCE_MORE, PASSES, PREPARED, KioskAndGate
from hw_sim.scenarios import HOLDERS
from hw_sim.site import Site

pytestmark = [pytest.mark.long, pytest.mark.timeout(400)]


def test_a_traveller_prepared_at_the_kiosk_passes_the_gate_once(tmp_path: Path) -> None:
    with KioskAndGate(tmp_path, demo_policy()) as both:
        too_early = both.play(ONCE_MORE)
        assert (too_early.outcome, too_early.reasons) == (Outcome.REFERRED, ("token_missing",))

        prepared = both.play(PREPARED)
        assert (prepared.outcome, prepared.problems) == (Outcome.PREPARED, ()), prepared.reasons
        (issued,) = [each.event for each in prepared.entries if isinstance(each.event, ev.TokenIssued)]

        admitted = both.play(PASSES)
        assert (admitted.outcome, admitted.problems) == (Outcome.ADMITTED, ()), admitted.reasons
        events = [each.event for each in admitted.entries]
        (found,) = [event for event in events if isinstance(event, ev.TokenFound)]
        assert found.token == issued.token
        assert not any(isinstance(event, ev.ChipRead) for event in events)
        assert any(
            isinstance(event, ev.FaceAssessed) and event.match_score >= both.gate.policy.match_threshold
            for event in events
        ), "the face before the gate's own camera matches the template of the token"

        again = both.play(ONCE_MORE)
        assert (again.outcome, again.problems) == (Outcome.REFERRED, ()), again.reasons

        for site in (both.kiosk, both.gate):
            _journal_replays(site)
            _nobody_is_named(site)


def _journal_replays(site: Site) -> None:
    command = [sys.executable, "-m", "gated.cli", "replay", "--json", "--config", str(site.config)]
    replayed = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
    assert replayed.returncode == 0, replayed.stderr
    assert json.loads(replayed.stdout)["differences"] == []


def _nobody_is_named(site: Site) -> None:
    """Neither in what the daemons keep, nor in what they say."""
    ada = HOLDERS["ada"]
    needles = [text.encode() for text in (ada.surname, ada.number, f"{ada.birth:%y%m%d}")]
    files = [path for path in (*site.state.rglob("*"), *site.folder.glob("*.log")) if path.is_file()]
    assert any(path.name == "journal.db" for path in files)
    for path in files:
        body = path.read_bytes().upper()
        assert not [needle for needle in needles if needle in body], path.name
