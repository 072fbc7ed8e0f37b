"""What people read: plain lines that fit a terminal, nothing that matters left out."""

import msgspec
import pytest

from gated.core import effects as do
from gated.core import events as ev
from gated.core.checks import Check, Result
from gated.core.gate import State
from gated.core.policy import Policy
from gated.core.replay import Difference, Replayed
from gated.core.rulings import Held, Ruling, Why
from gated.core.vocabulary import Device, Door, Grade, Liveness, Mode, OfficerWord, Outcome
from gated.report import WIDTH, entries_text, replay_text, span, status_text, verdict_text
from gated.runtime.requests import Status
from gated.store.journal import Entry, Followed, Verdict

PASSAGE = "0c6da55f430cdb5e"
HEAD = "c39c24a07d6c1ec0f6b2fdc84ae4ca91a0e1ee16b43a6f5c8c7bb4c9c3b0f2aa"
STATUS = Status(
    topology="mantrap",
    mode="open",
    direction="forward",
    gate="lane-1",
    state="officer",
    passage=PASSAGE,
    faults={},
    devices=dict.fromkeys(map(str, Device), True),
    doors={"entry": "locked, shut", "exit": "locked, shut"},
    cameras={"high": "live", "low": "frozen"},
    persons=1,
    screen="officer_comes",
    lamps="officer",
    watchlist_version=17,
    watchlist_age_s=59.0,
    journal_entries=1234567,
    journal_head=HEAD,
    uptime_s=93784.0,
    versions={"egate": "0.1.0"},
)
MANY = tuple(Check(f"check_{number}", Result.SUCCESSFUL) for number in range(12))


def entry(
    event: ev.AnyEvent, *effects: do.AnyEffect, seq: int = 7, utc: str = "2026-11-23T04:54:32.441+00:00"
) -> Entry:
    followed = Followed(state=State.EXIT_OPEN, passage=PASSAGE, effects=effects)
    return Entry(seq=seq, utc=utc, event=event, followed=followed, hash=HEAD)


@pytest.mark.parametrize(
    ("seconds", "words"),
    [
        (0, "0 s"),
        (59.9, "59 s"),
        (60, "1 min"),
        (3599, "59 min"),
        (3600, "1 h 0 min"),
        (86399, "23 h 59 min"),
        (86400, "1 d 0 h"),
        (1e9, "11574 d 1 h"),
    ],
)
def test_spans_are_said_as_people_say_them(seconds: float, words: str) -> None:
    assert span(seconds) == words


def test_status_of_a_gate_at_work() -> None:
    assert status_text(STATUS) == (
        "gate       lane-1, up 1 d 2 h, egate 0.1.0",
        f"state      officer, passage {PASSAGE}",
        "lane       mantrap, told to be open",
        "traveller  screen officer_comes, lamps officer, persons in the lane: 1",
        "entry door locked, shut",
        "exit door  locked, shut",
        "devices    mrz_scanner, chip_reader, io_board, vision, watchlist, journal, clock, power",
        "cameras    high live, low frozen",
        "watchlist  version 17, 59 s old",
        "journal    1234567 entries",
        f"head       1234567:{HEAD}",
    )


def test_status_of_a_gate_in_trouble_says_what_to_do_right_after_the_state() -> None:
    faults = {
        "io_board: door_forced": "exit door is open but not released: go and look at it",
        "vision: x": "",
    }
    status = msgspec.structs.replace(
        STATUS,
        faults=faults,
        passage=None,
        watchlist_age_s=None,
        watchlist_version=0,
        devices=dict.fromkeys(map(str, Device), False),
    )
    lines = status_text(status)
    assert lines[1:5] == (
        "state      officer",
        "FAULT      io_board: door_forced",
        "  to do    exit door is open but not released: go and look at it",
        "FAULT      vision: x",
    )
    text = "\n".join(lines)
    assert "watchlist  none yet" in text
    assert "vision NOT READY" in text
    assert "clock NOT SYNCHRONISED" in text
    assert max(map(len, lines)) <= WIDTH


def test_what_the_centre_has_not_vouched_for_for_long_is_told_below_the_lists() -> None:
    ages = {"watchlist": 59.0, "rules": 2_700_000.0, "trust": 60.0}
    trouble = {"rules_stale": "nobody is admitted without an officer"}
    lines = status_text(msgspec.structs.replace(STATUS, ages_s=ages, age_trouble=trouble))
    at = lines.index("watchlist  version 17, 59 s old")
    assert lines[at + 1 : at + 4] == (
        "published  rules 31 d 6 h old, trust 1 min old",
        "TOO OLD    rules_stale",
        "  to do    nobody is admitted without an officer",
    )


def test_a_long_fix_is_wrapped_and_whole() -> None:
    fix = "look at the cable " * 20
    lines = status_text(msgspec.structs.replace(STATUS, faults={"io_board: chip_lost": fix.strip()}))
    assert max(map(len, lines)) <= WIDTH
    assert " ".join(" ".join(lines).split()).count("look at the cable") == 20


def test_entries_name_each_day_once_and_the_passage_where_it_begins_and_ends() -> None:
    lines = list(
        entries_text(
            [
                entry(ev.DocumentPlaced(at=1, passage=PASSAGE, utc="x"), do.ReadMrz(passage=PASSAGE)),
                entry(ev.MrzRead(at=2, passage=PASSAGE, format="TD3")),
                entry(
                    ev.DoorMoved(at=3, door=Door.EXIT, shut=True),
                    do.EndPassage(passage=PASSAGE, outcome=Outcome.REFUSED, reasons=("two_persons", "x")),
                    utc="2026-11-24T00:00:01.000+00:00",
                    seq=8,
                ),
            ]
        )
    )
    assert lines == [
        "2026-11-23 (UTC)",
        f"     7  04:54:32.441  exit_open         DocumentPlaced passage={PASSAGE}",
        "                        -> ReadMrz",
        "     7  04:54:32.441  exit_open         MrzRead format=TD3",
        "2026-11-24 (UTC)",
        "     8  00:00:01.000  exit_open         DoorMoved door=exit shut=True",
        f"                        -> EndPassage passage={PASSAGE} outcome=refused reasons=two_persons,x",
    ]


def test_checks_are_told_by_what_was_not_successful() -> None:
    checks = (*MANY, Check("csca", Result.UNDETERMINED, "csca_unknown"), Check("age", Result.ABORTED))
    text = "\n".join(entries_text([entry(ev.ChipRead(at=1, passage=PASSAGE, access="BAC", checks=checks))]))
    assert "csca=undetermined (csca_unknown)" in text
    assert "age=aborted" in text
    assert "checks successful: 12" in " ".join(text.split())
    assert "check_3" not in text


def test_what_matters_is_shown_and_what_is_usual_is_not() -> None:
    text = "\n".join(
        entries_text(
            [
                entry(ev.FaultRaised(at=1, device=Device.IO_BOARD, code="door_forced", latched=True)),
                entry(ev.FaultRaised(at=1, device=Device.VISION, code="frozen")),
                entry(ev.OfficerDecided(at=1, passage=PASSAGE, word=OfficerWord.ACCEPT, officer="kim")),
                entry(
                    ev.FaceAssessed(
                        at=1,
                        passage=PASSAGE,
                        attempt=1,
                        frames=8,
                        match_score=0.123456,
                        liveness_score=1.0,
                        liveness=Liveness.LIVE,
                    ),
                    do.AlertOfficer(kind="watchlist_hit", passage=PASSAGE, grade=Grade.STOP),
                    do.AlertOfficer(kind="intrusion", passage=None),
                ),
                entry(
                    ev.GateStarted(
                        at=1, utc="x", policy=Policy(match_threshold=0.5, liveness_threshold=0.5), hashes={}
                    )
                ),
            ]
        )
    )
    assert "code=door_forced latched=True" in text
    assert "latched=False" not in text
    assert f"passage={PASSAGE} word=accept officer=kim" in " ".join(text.split())
    assert "match_score=0.123 " in " ".join(text.split())
    assert "AlertOfficer kind=watchlist_hit grade=stop; AlertOfficer kind=intrusion" in " ".join(text.split())
    assert "grade=none" not in text
    assert "threshold" not in text


def test_a_reason_moves_no_terminal_and_passes_for_no_other_field() -> None:
    reason = "exit\x1b[2J\u202e officer=kim"
    told = ev.ModeChanged(at=1, mode=Mode.MAINTENANCE, reason=reason)
    text = " ".join(" ".join(entries_text([entry(told)])).split())
    assert 'ModeChanged mode=maintenance reason="exit\\x1b[2J\\u202e officer=kim"' in text


def test_no_line_is_longer_than_the_terminal() -> None:
    decide = do.Decide(
        passage=PASSAGE,
        reasons=("a_reason",) * 9,
        checks=tuple(Check(f"c{n}", Result.FAILED, "x" * 30) for n in range(20)),
    )
    lines = list(entries_text([entry(ev.DeadlinePassed(at=1, due=12345678.0), decide, seq=12345678)]))
    assert max(map(len, lines)) <= WIDTH
    assert sum(line.count("c1=failed") for line in lines) == 1


def test_verdicts() -> None:
    good = Verdict(entries=3, head=HEAD, passages=2, open_passages=0, problems=())
    assert verdict_text(good) == (
        "3 entries, 2 passages",
        f"head 3:{HEAD}",
        "the chain is whole, and every passage ended once",
    )
    under_way = verdict_text(msgspec.structs.replace(good, open_passages=1))
    assert under_way[0] == "3 entries, 2 passages, 1 under way"
    assert under_way[2].endswith("but for the one under way")
    bad = verdict_text(msgspec.structs.replace(good, problems=("entry 2: missing",)))
    assert bad[2:] == ("PROBLEM  entry 2: missing",)


def test_replays() -> None:
    whole = Replayed(steps=9, starts=1, differences=())
    assert replay_text(whole) == (
        "9 steps since 1 start(s) replayed",
        "every decision and every effect came out as recorded",
    )
    lock, alert = do.LockDoor(door=Door.EXIT), do.AlertOfficer(kind="intrusion", passage=None)
    moved = Difference(
        seq=4, recorded_state=State.IDLE, state=State.OFFICER, recorded=(lock,), effects=(alert,)
    )
    done = msgspec.structs.replace(moved, state=State.IDLE)
    shuffled = Difference(
        seq=5, recorded_state=State.IDLE, state=State.IDLE, recorded=(lock, alert), effects=(alert, lock)
    )
    lines = replay_text(Replayed(steps=9, starts=1, differences=(moved, done, shuffled)))
    assert lines[1:4] == (
        "DIFFERENCE  entry 4: recorded idle, replayed officer",
        "DIFFERENCE  entry 4: recorded LockDoor door=exit, replayed AlertOfficer kind=intrusion",
        "DIFFERENCE  entry 5: the same effects in another order",
    )
    assert "journal verify" in lines[4]


def test_a_lock_is_shown_with_the_officer_who_signed_it() -> None:
    locked = msgspec.structs.replace(STATUS, mode="locked", locked_by="kim")
    assert "told to be locked, signed by kim" in "\n".join(status_text(locked))


def test_the_answer_of_the_rules_tells_the_ruling_and_what_did_not_hold() -> None:
    event = ev.BackgroundChecked(
        at=1,
        passage=PASSAGE,
        checks=(*MANY, Check("age", Result.FAILED, "under_age")),
        grade=Grade.NONE,
        list_age_s=5.0,
        list_version=3,
        ruling=Ruling.REFER,
        rules=HEAD,
        why=(
            Why(rule="national", law="lanes-1", held=Held.YES, by=("nationality",)),
            Why(
                rule="from-age-10",
                law="lanes-6",
                held=Held.NO,
                by=("age",),
                reason="under_age",
                ruling=Ruling.REFER,
            ),
        ),
        facts={"age": "6..9"},
    )
    lines = list(entries_text([entry(event)]))
    told = " ".join(" ".join(lines).split())
    assert "ruling=refer age=failed (under_age) checks successful: 12" in told
    assert "rule from-age-10=no by age [lanes-6]" in told
    for quiet in ("national", HEAD, "6..9", "{"):
        assert quiet not in told
    assert max(map(len, lines)) <= WIDTH
    admitted = msgspec.structs.replace(event, ruling=Ruling.ADMIT, why=event.why[:1], checks=MANY)
    assert "ruling" not in "".join(entries_text([entry(admitted)]))


def test_which_embedder_decides_and_what_became_of_the_one_that_is_named() -> None:
    status = msgspec.structs.replace(
        STATUS, embedder="mine", embedder_trouble={"worse": "model_crashed: withdraw it"}
    )
    assert [line for line in status_text(status) if line not in status_text(STATUS)] == [
        "embedder   mine",
        "EMBEDDER   worse",
        "  to do    model_crashed: withdraw it",
    ]
