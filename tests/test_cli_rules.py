"""`gatectl rules`: packs checked, tested and explained, decisions of a journal explained and tried again."""

import argparse
import json
import sqlite3
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import msgspec
import pytest
from msgspec.structs import replace

from gated.commands import rules, rules_standings
from gated.commands.answer import Answer, UsageError, Words
from gated.config import DEFAULT_CONFIG, ConfigError
from gated.core import effects as do
from gated.core import events as ev
from gated.core.gate import State
from gated.core.personal import Personal
from gated.core.rulings import Held, Ruling
from gated.core.vocabulary import Grade, Liveness, Outcome
from gated.rules import Pack, decide, tried
from gated.rules.given import given
from gated.rules.recording import recorded
from gated.rules.standing import Standing
from gated.store.database import StoreError
from gated.store.journal import Followed, Journal
from gated.store.list_keys import make_list_key, read_list_key
from gated.store.standings import Standings
from gated.watchlist.keyed import ListKeys
from tests.core.exploration import POLICY
from tests.rules.packs import AGENCY_FILE, agency
from tests.test_config import filled

AGENCY = AGENCY_FILE.read_text("utf-8")
FIRST, SECOND, THIRD, FOURTH = (digit * 16 for digit in "1234")
ADULT: dict[str, Any] = {
    "document_type": "P",
    "nationality": "UTO",
    "age": 34,
    "direction": "departure",
    "listed": [],
}


def ask(*arguments: object) -> Answer:
    """One command, as `gatectl rules` parses it."""
    common = argparse.ArgumentParser(add_help=False)
    common.add_argument("--json", action="store_true")
    common.add_argument("--config", type=Path, default=DEFAULT_CONFIG)
    parser = argparse.ArgumentParser()
    words = Words(parser.add_subparsers(required=True), common)
    rules.add(words)
    rules_standings.add(words)
    parsed = parser.parse_args([str(argument) for argument in arguments])
    answer: Answer = parsed.command(parsed)
    assert all(len(line) <= 80 or "SHA-256" in line or line.startswith("/") for line in answer.text)
    return answer


def told(answer: Answer) -> str:
    return " ".join(" ".join(answer.text).split())


def as_json(answer: Answer) -> Any:
    return json.loads(msgspec.json.encode(answer.value))


@pytest.fixture
def pack(tmp_path: Path) -> Path:
    path = tmp_path / "rules.toml"
    path.write_text(AGENCY)
    return path


def changed(path: Path, old: str, new: str) -> Path:
    text = path.read_text()
    assert old in text
    path.write_text(text.replace(old, new))
    return path


# --- check and test -------------------------------------------------------------------------------------


def test_a_good_pack_is_told_by_its_name_and_hash(pack: Path) -> None:
    answer = ask("check", pack)
    assert answer.good
    assert answer.text[0] == "agency, version 1: Lanes of the immigration agency"
    assert answer.text[1] == f"SHA-256 {agency().sha256}"
    assert answer.text[2] == "4 grounds, 7 rules, 22 examples, height from 1.20 m"
    assert as_json(answer)["sha256"] == agency().sha256


def test_a_wrong_pack_is_refused_by_file_key_and_fix(pack: Path, tmp_path: Path) -> None:
    changed(pack, "age = { at_least = 10 }", "age = { at_lest = 10 }")
    with pytest.raises(ConfigError) as error:
        ask("check", pack)
    assert str(error.value) == (
        f"{pack}: rules[1].that.age: `at_lest` is no limit: take at_least, at_most, below or above"
    )
    with pytest.raises(ConfigError, match="cannot be read"):
        ask("check", tmp_path / "none.toml")


def test_the_examples_come_out(pack: Path) -> None:
    answer = ask("test", pack)
    assert answer.good
    assert answer.text == ("22 of 22 examples come out as they say",)


def test_an_example_that_does_not_come_out_is_bad_news(pack: Path) -> None:
    answer = ask("test", changed(pack, "age = { at_least = 10 }", "age = { at_least = 9 }"))
    assert not answer.good
    assert "BROKEN 2: A national of nine is too young to go alone: should be refer (under_age) is admit" in (
        told(answer)
    )
    assert as_json(answer)["tried"]["broken"][0]["decided"] == "admit"


def test_a_rule_that_no_example_shows_is_bad_news(pack: Path) -> None:
    cut = pack.read_text().rpartition("[[examples]]")[0]
    pack.write_text(cut)
    answer = ask("test", pack)
    assert not answer.good
    assert "UNSHOWN foreign-minor-with-adult: no example shows it at work: add one" in told(answer)


# --- explain --------------------------------------------------------------------------------------------


def test_a_decision_is_explained_rule_by_rule_with_its_law(pack: Path) -> None:
    facts = ["nationality=UTO", "age=9", "direction=departure", "document_type=P", "listed=[]"]
    answer = ask("explain", pack, *(word for fact in facts for word in ("--fact", fact)))
    assert answer.good
    text = told(answer)
    assert text.startswith("The traveller is referred to an officer. - from-age-10 does not hold, by the age")
    assert "too young to use the lane alone [lanes-6]" in text
    assert "foreign-minor-with-adult is not about this traveller [lanes-8]" in text
    assert "[lanes-6] Whoever goes alone is ten years old at least." in text
    value = as_json(answer)
    assert (value["ruling"], value["reasons"]) == ("refer", ["under_age"])
    assert {each["rule"] for each in value["why"]} >= {rule.id for rule in agency().rules}
    assert value["rules"]["sha256"] == agency().sha256


def test_a_refusal_is_explained_as_an_officer_s_to_make(pack: Path) -> None:
    changed(pack, 'otherwise = "stop"', 'otherwise = "refuse"')
    facts = ["nationality=UTO", "age=30", "direction=departure", "document_type=P", 'listed=["exit_ban"]']
    answer = ask("explain", pack, *(word for fact in facts for word in ("--fact", fact)))
    assert as_json(answer)["ruling"] == "refuse"
    said = "The traveller is referred to an officer, who is told that the law says no."
    assert told(answer).startswith(f"{said} - no-exit-ban does not hold")


def test_a_child_is_admitted_on_condition_of_their_height(pack: Path) -> None:
    facts = ["nationality=UTO", "age=12", "direction=departure", "document_type=P", "listed=[]"]
    answer = ask("explain", pack, *(word for fact in facts for word in ("--fact", fact)))
    assert "may use the lane, if measured at 1.20 m or more." in told(answer)


@pytest.mark.parametrize("fact", ["shoe=44", "age=old", "age"])
def test_a_fact_that_is_none_is_a_question_that_cannot_be_asked(pack: Path, fact: str) -> None:
    with pytest.raises(UsageError):
        ask("explain", pack, "--fact", fact)


def test_the_gates_own_settings_are_explained(tmp_path: Path) -> None:
    config = tmp_path / "gate.toml"
    config.write_text(filled())
    answer = ask("explain", "--config", config, "--fact", "age=9", "--fact", "document_type=P")
    assert "least-age does not hold" in told(answer)
    assert as_json(answer)["rules"]["name"] == "settings"


# --- a journal ------------------------------------------------------------------------------------------


def checked(pack: Pack, passage: str, **facts: Any) -> ev.BackgroundChecked:
    known = given({**ADULT, **facts}, "facts")
    decision = decide(pack, known)
    return ev.BackgroundChecked(
        at=2.0,
        passage=passage,
        checks=decision.checks,
        grade=Grade.NONE,
        list_age_s=5.0,
        list_version=1,
        height_exempt=decision.min_height_m is None,
        rules=pack.sha256,
        ruling=decision.ruling,
        why=tuple(each for each in decision.why if each.held is not Held.NOT_CONCERNED),
        facts=recorded(known, "basic", pack.groups),
    )


def measured(passage: str, height_m: float) -> ev.FaceAssessed:
    return ev.FaceAssessed(
        at=3.0,
        passage=passage,
        attempt=1,
        frames=9,
        match_score=0.9,
        liveness_score=0.9,
        liveness=Liveness.LIVE,
        height_m=height_m,
        height_error_m=0.02,
    )


@pytest.fixture
def journal(tmp_path: Path) -> Path:
    """An adult, a child of 12 who was measured at 1.30 m, a child of 9, and one who went away unread."""
    path = tmp_path / "journal.db"
    pack = agency()
    passages: dict[str, tuple[ev.AnyEvent, ...]] = {
        FIRST: (checked(pack, FIRST),),
        SECOND: (checked(pack, SECOND, age=12), measured(SECOND, 1.30)),
        THIRD: (checked(pack, THIRD, age=9),),
        FOURTH: (),
    }
    book = Journal(path)
    utc = "2026-11-26T10:00:00.000+00:00"

    def put(event: ev.AnyEvent, passage: str | None, *effects: do.AnyEffect) -> None:
        book.append(utc, event, Followed(state=State.IDLE, passage=passage, effects=effects))

    policy = replace(POLICY, min_height_m=1.2)
    put(ev.GateStarted(at=0, utc=utc, policy=policy, hashes={"rules": pack.sha256}), None)
    for passage, events in passages.items():
        put(ev.DocumentPlaced(at=1.0, passage=passage, utc=utc), passage)
        for event in events:
            put(event, passage)
        ended = do.EndPassage(passage=passage, outcome=Outcome.ADMITTED, reasons=())
        put(ev.DocumentRemoved(at=9.0), None, ended)
    book.close()
    return path


def test_a_passage_is_explained_as_the_journal_has_it(journal: Path) -> None:
    answer = ask("explain", "--passage", THIRD, "--file", journal)
    assert told(answer).startswith("The traveller is referred to an officer.")
    assert "from-age-10 does not hold, by the age in whole years" in told(answer)
    assert as_json(answer)["ruling"] == "refer"
    assert as_json(answer)["rules"] == agency().sha256


def test_the_law_is_told_where_the_pack_at_hand_is_the_one_that_decided(pack: Path, journal: Path) -> None:
    text = "[lanes-6] Whoever goes alone is ten years old at least."
    assert text in told(ask("explain", pack, "--passage", THIRD, "--file", journal))
    changed(pack, "version = 1 ", "version = 2 ")
    assert text not in told(ask("explain", pack, "--passage", THIRD, "--file", journal))


def test_a_passage_that_no_rules_were_asked_about_cannot_be_explained(journal: Path) -> None:
    with pytest.raises(UsageError, match="no rules were asked"):
        ask("explain", "--passage", FOURTH, "--file", journal)
    with pytest.raises(StoreError):
        ask("explain", "--passage", "f" * 16, "--file", journal)
    with pytest.raises(UsageError, match="two questions"):
        ask("explain", "--passage", FIRST, "--file", journal, "--fact", "age=3")


def test_the_same_rules_on_the_journal_change_nothing(pack: Path, journal: Path) -> None:
    answer = ask("dry-run", pack, "--file", journal)
    assert answer.text[0] == "3 passages: 3 the same, 0 otherwise"
    assert "1 without facts on record" in told(answer)


def test_new_rules_on_the_journal_tell_whom_they_change(pack: Path, journal: Path) -> None:
    changed(pack, "age = { at_least = 10 }", "age = { at_least = 14 }")
    answer = ask("dry-run", pack, "--file", journal)
    assert answer.text[0] == "3 passages: 2 the same, 1 otherwise"
    assert f"2026-11-26T10:00:00 {SECOND} admit -> refer: too young to use the lane alone" in told(answer)
    value = as_json(answer)["dry_run"]
    assert value["kinds"] == [{"before": "admit", "after": "refer", "reasons": ["under_age"], "passages": 1}]


def test_another_height_is_tried_on_what_was_measured(pack: Path, journal: Path) -> None:
    changed(pack, "at_least = 1.20", "at_least = 1.35")
    assert ask("dry-run", pack, "--file", journal).text[0] == "3 passages: 2 the same, 1 otherwise"


def test_what_the_journal_cannot_tell_is_said(pack: Path, journal: Path) -> None:
    changed(pack, "age = { at_least = 10 }", "age = { at_least = 13 }")
    answer = ask("dry-run", pack, "--file", journal)
    assert "1 cannot be told: the journal does not say enough of age in whole years" in told(answer)
    assert as_json(answer)["dry_run"]["lacking"] == {"age": 1}


def test_the_last_passages_alone(pack: Path, journal: Path) -> None:
    answer = ask("dry-run", pack, "--file", journal, "--last", 2)
    assert as_json(answer)["dry_run"]["passages"] == 1
    assert as_json(answer)["unrecorded"] == 1


def test_the_journal_names_no_age_and_no_nationality_but_the_own(journal: Path) -> None:
    events = [row[0] for row in sqlite3.connect(journal).execute("SELECT event FROM entries")]
    (event,) = (each for each in events if THIRD in each and "BackgroundChecked" in each)
    assert json.loads(event)["facts"] == {
        "document_type": "P?",
        "nationality": "UTO",
        "age": "6..9",
        "direction": "departure",
        "listed": "-",
    }


# --- standings ------------------------------------------------------------------------------------------


def test_a_table_becomes_a_file_of_standings(tmp_path: Path) -> None:
    table, made, key = tmp_path / "standings.csv", tmp_path / "standings.db", tmp_path / "list.key"
    make_list_key(key)
    table.write_text(
        "issuer,number,entered,permitted_days,registered\n"
        "FRA,12AB34567,2026-11-01,90,\n"
        "XYZ,1,,,yes\n"
        "FRA,2,never,90,\n"
        "FRA,3,,,yes,more\n"
        "D,C01X00T47,,,yes\n"
    )
    answer = ask("standings", table, made, "--key", key, "--version", 7)
    assert not answer.good
    value = as_json(answer)
    assert (value["standings"], value["version"], value["rejected"]) == (2, 7, 3)
    assert [each["line"] for each in value["rejects"]] == [3, 4, 5]
    assert "line 4: entered: no date: write 2026-11-26" in told(answer)
    standings = Standings(made, ListKeys([read_list_key(key)]), 60.0)
    found = standings.of("FRA", Personal("12AB34567"), datetime.now(UTC))
    standings.close()
    assert found == Standing(entered=date(2026, 11, 1), permitted_days=90)


@pytest.mark.parametrize(
    ("text", "says"),
    [
        (b"", "no columns"),
        (b"number\n1\n", "no columns"),
        (b"issuer,number,shoe\n", "column 3 is unknown"),
        (b"issuer,number\nFRA,\xff\n", "save it as CSV in UTF-8"),
        (b"issuer,number\nFRA," + b"1" * 5000, "save it as CSV"),
    ],
)
def test_what_is_no_table_makes_nothing(tmp_path: Path, text: bytes, says: str) -> None:
    table, made, key = tmp_path / "standings.csv", tmp_path / "standings.db", tmp_path / "list.key"
    make_list_key(key)
    table.write_bytes(text)
    with pytest.raises(UsageError, match=says):
        ask("standings", table, made, "--key", key)
    assert not made.exists()


def test_without_its_key_nothing_is_made(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="cannot be read"):
        ask("standings", tmp_path / "t.csv", tmp_path / "s.db", "--key", tmp_path / "none.key")


def test_the_shipped_pack_shows_each_outcome_but_to_send_back() -> None:
    assert {example.outcome for example in agency().examples} == set(Ruling) - {Ruling.REFUSE}
    assert tried(agency()).good
