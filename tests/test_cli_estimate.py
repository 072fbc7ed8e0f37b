"""`gatectl face estimate`: what the journal says of false matches."""

import json
from pathlib import Path

import pytest

from gated.core import events as ev
from tests.core.passages import start_events
from tests.gatectl import Run, gatectl
from tests.test_cli import FIRST, SECOND, write


@pytest.fixture
def run(capsys: pytest.CaptureFixture[str]) -> Run:
    return gatectl(capsys)


def compared(passage: str, **counts: tuple[int, int]) -> ev.StrangersCompared:
    return ev.StrangersCompared(
        at=5,
        passage=passage,
        counts=tuple(
            ev.StrangerCount(strata=f"{strata}/adult-m", comparisons=comparisons, matches=matches)
            for strata, (comparisons, matches) in counts.items()
        ),
    )


def test_false_matches_are_added_up_over_the_whole_journal(run: Run, tmp_path: Path) -> None:
    path = tmp_path / "journal.db"
    write(path, (*start_events(), compared(FIRST, a=(30, 0), b=(2, 1)), compared(SECOND, a=(28, 0))))
    status, out, _ = run("face", "estimate", "--file", path, "--json")
    found = json.loads(out)
    assert status == 0
    assert (found["passages"], found["all"]["errors"], found["all"]["trials"]) == (2, 1, 60)
    assert found["strata"]["a/adult-m"]["trials"] == 58
    assert found["all"]["low"] < 1 / 60 < found["all"]["high"]
    status, out, _ = run("face", "estimate", "--file", path)
    assert "1 of 60" in out
    assert max(map(len, out.splitlines())) <= 100


def test_a_gate_that_compares_nobody_says_how_to_begin(run: Run, tmp_path: Path) -> None:
    write(tmp_path / "journal.db", start_events())
    status, out, _ = run("face", "estimate", "--file", tmp_path / "journal.db")
    assert status == 0
    assert "[vision.estimation] references" in out
