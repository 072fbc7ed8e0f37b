"""`gatectl watchlist history`: what the journal knows of the lists that decisions rested on."""

import argparse
import json
from pathlib import Path

import msgspec
import pytest

from gated.commands import lists_history
from gated.commands.answer import UsageError, Words
from gated.core import events as ev
from gated.core.gate import State
from gated.store.journal import Followed, Journal, JournalError
from tests.central.collecting import change
from tests.core.exploration import POLICY

ONE, TWO = "1" * 64, "2" * 64


def started(watchlist: str) -> ev.GateStarted:
    return ev.GateStarted(at=0, utc="2030", policy=POLICY, hashes={"watchlist": watchlist})


@pytest.fixture
def journal(tmp_path: Path) -> Path:
    path = tmp_path / "journal.db"
    journal = Journal(path)
    for hour, event in enumerate(
        (
            started("none"),
            ev.ListsChanged(at=0, version=7, sha256=ONE),
            ev.DutyChanged(at=0, on=True),
            started(ONE),
            ev.ListsChanged(at=0, version=8, sha256=TWO),
            ev.ListsChanged(at=0, version=9, sha256=ONE),
        )
    ):
        followed = Followed(state=State.IDLE, passage=None, effects=())
        journal.append(f"2030-01-01T{hour:02}:00:00.000+00:00", event, followed)
    journal.close()
    return path


def ask(journal: Path, *options: str) -> list[lists_history.InForce]:
    common = argparse.ArgumentParser(add_help=False)
    parser = argparse.ArgumentParser()
    lists_history.add(Words(parser.add_subparsers(), common))
    arguments = parser.parse_args(["history", "--file", str(journal), *options])
    answer = arguments.command(arguments)
    assert len(answer.text) == len(answer.value)
    assert json.loads(msgspec.json.encode(answer.value))
    return list(answer.value)


def test_each_list_is_told_with_its_time_and_a_restart_changes_nothing(journal: Path) -> None:
    found = ask(journal)
    assert [(each.sha256, each.since[11:13], each.until[11:13], each.entry) for each in found] == [
        ("", "00", "01", 1),
        (ONE, "01", "04", 2),
        (TWO, "04", "05", 5),
        (ONE, "05", "", 6),
    ]
    assert [each.version for each in found] == [None, 7, 8, 9]


def test_the_list_of_a_moment_is_found(journal: Path) -> None:
    [then] = ask(journal, "--at", "2030-01-01T04:30")
    assert then.sha256 == TWO
    [now] = ask(journal, "--at", "2031-01-01T00:00:00+09:00")
    assert now.entry == 6
    with pytest.raises(UsageError, match="begins later"):
        ask(journal, "--at", "2029-12-31")
    with pytest.raises(SystemExit):
        ask(journal, "--at", "soon")


def test_an_entry_that_cannot_be_read_is_told(journal: Path) -> None:
    change(journal, """UPDATE entries SET event = '{"type":"ListsChanged","at":0}' WHERE seq = 2""")
    with pytest.raises(JournalError, match="entry 2"):
        ask(journal)
