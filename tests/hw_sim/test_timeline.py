import io
import re
from pathlib import Path
from typing import TextIO

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec.structs import replace

from gated.core import events as ev
from gated.core import screens
from gated.core.effects import UnlockDoor
from gated.core.vocabulary import Liveness, Outcome
from hw_sim.record import Rehearsed
from hw_sim.telling import words
from hw_sim.telling.story import Storyteller, Thresholds, began_at
from hw_sim.telling.timeline import WIDTH, Narrator, takes_signs, wants_colour
from tests.core.exploration import ALWAYS, OF_A_PASSAGE, assessed
from tests.hw_sim.passages import (
    BEGAN,
    POLICY,
    SCENARIOS,
    citizen,
    entries_of,
    recorded,
    rehearsed,
    starting,
)

SEPARATOR = "─" * WIDTH


def told(run: Rehearsed, *, colour: bool = False, out: TextIO | None = None) -> list[str]:
    stream: TextIO = io.StringIO() if out is None else out
    narrator = Narrator(stream, colour=colour, policy=POLICY)
    narrator.scenario(run.scenario, run.title, run.expected)
    for entry in run.entries:
        narrator.entry(entry)
    narrator.finished(run)
    narrator.summary([run])
    return stream.getvalue().splitlines() if isinstance(stream, io.StringIO) else []


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


def test_a_citizens_passage_reads_as_a_story() -> None:
    lines = told(rehearsed("citizen"))
    story = lines[lines.index(SEPARATOR) + 1 :]
    assert story[:5] == [
        "   0.00 s  passport     is laid on the reader",
        "           display      “Reading your passport” · spoken: “Hold it still”",
        "           lamps        entry red, exit red, amber blinking",
        "   0.31 s  passport     printed lines read (TD3), check digits right",
        "           display      “Leave your passport where it is” and spoken",
    ]
    ended = story[: story.index(SEPARATOR)]
    assert "           exit door    unlocked" in ended
    assert "           decision     ADMIT: 12 of 12 checks successful" in ended
    assert ended.index("           exit door    unlocked") > ended.index(
        "           decision     ADMIT: 12 of 12 checks successful"
    )
    assert "           passage      ends: ADMITTED" in ended


def test_the_verdict_names_the_times_and_whether_it_was_expected() -> None:
    good = told(rehearsed("citizen"))
    assert "✓ admitted, as expected · 4.90 s from document to open exit, 0.80 s of it software" in good
    bad = told(rehearsed("wanted", expected=Outcome.ADMITTED, problems=("the door flew away",)))
    assert "✗ referred, but expected: admitted (watchlist_hit)" in bad
    assert "  problem: the door flew away" in bad


@pytest.mark.parametrize("name", SCENARIOS)
def test_no_line_is_wider_than_a_terminal(name: str) -> None:
    assert max(map(len, told(rehearsed(name)))) <= WIDTH


def test_long_words_and_reasons_are_wrapped_too() -> None:
    long = rehearsed("wanted", problems=("x" * 250,), title="words " * 60, reasons=("some_reason",) * 30)
    assert max(map(len, told(long))) <= WIDTH


def test_renewals_of_a_lease_are_not_told() -> None:
    slow = [
        replace(event, at=event.at + 5.0) if event.at > BEGAN + 2.1 else event for event in citizen()
    ]  # the entry stays released for 6 s: the lease is renewed again and again
    entries = entries_of(slow)
    unlocked = [e for entry in entries for e in entry.followed.effects if isinstance(e, UnlockDoor)]
    assert len(unlocked) > 5
    teller = Storyteller()
    beats = [beat for entry in entries for beat in teller.tell(entry)]
    assert [beat.about for beat in beats if beat.text == "unlocked"] == ["entry door", "exit door"]
    assert not any("time for" in beat.text for beat in beats)


def test_what_comes_before_the_passage_is_not_told_but_its_thresholds_are_used() -> None:
    out = io.StringIO()
    narrator = Narrator(out, colour=False)
    narrator.scenario("citizen", "title", Outcome.ADMITTED)
    for entry in entries_of(citizen(), with_start=True):
        narrator.entry(entry)
    lines = out.getvalue().splitlines()
    assert lines[lines.index(SEPARATOR) + 1].endswith("is laid on the reader")
    assert "match 0.914 ≥ 0.62 · live 0.87 ≥ 0.5" in out.getvalue()
    narrator.scenario("again", "title", Outcome.ADMITTED)
    for entry in entries_of(citizen()):
        narrator.entry(entry)
    assert out.getvalue().count("match 0.914 ≥ 0.62") == 2


def test_without_thresholds_scores_are_told_and_not_judged() -> None:
    teller = Storyteller()
    text = [beat.text for entry in entries_of(citizen()) for beat in teller.tell(entry)]
    assert "14 frames · match 0.914 · live 0.87" in text


def test_a_power_cut_is_told_as_one_passage_and_a_new_start() -> None:
    text = "\n".join(told(rehearsed("power-cut")))
    assert "starts again, and finds in its journal a passage without an end" in text
    assert "ends: ABORTED, because: the power failed" in text
    assert "everything is ready: the lane is open" in text


def test_a_startup_alone_is_not_a_story() -> None:
    teller = Storyteller(Thresholds(match=0.5, liveness=0.5))
    assert [beat for entry in entries_of(()) for beat in teller.tell(entry)] == []
    up = recorded(starting(0.0))
    assert [beat for entry in up for beat in teller.tell(entry)] == []


def test_a_stream_without_the_signs_gets_ascii() -> None:
    raw = io.BytesIO()
    out = io.TextIOWrapper(raw, encoding="ascii", errors="strict", write_through=True)
    assert not takes_signs(out)
    told(rehearsed("impostor", title="Ünïcode “title”"), out=out)
    text = raw.getvalue().decode("ascii")
    assert "match 0.214 < 0.62 | live 0.87 >= 0.5" in text
    assert '"Reading your passport"' in text
    assert max(map(len, text.splitlines())) <= WIDTH


def test_colour_changes_nothing_but_the_colour() -> None:
    plain, coloured = told(rehearsed("impostor")), told(rehearsed("impostor"), colour=True)
    escapes = "\n".join(coloured)
    assert "\x1b[1;31m" in escapes
    assert "\x1b" not in "\n".join(plain)
    assert [re.sub("\x1b\\[[0-9;]*m", "", line).rstrip() for line in coloured] == plain


def test_colour_is_for_terminals_and_those_who_want_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("NO_COLOR", raising=False)
    monkeypatch.setenv("TERM", "xterm")
    assert wants_colour(Terminal())
    assert not wants_colour(io.StringIO())
    monkeypatch.setenv("NO_COLOR", "1")
    assert not wants_colour(Terminal())
    monkeypatch.delenv("NO_COLOR")
    monkeypatch.setenv("TERM", "dumb")
    assert not wants_colour(Terminal())


def test_control_characters_never_reach_the_terminal() -> None:
    text = "\n".join(told(rehearsed("wanted", title="a\x1b[2Jb", problems=("c\rd\x07",)), colour=True))
    assert "\x1b[2J" not in text
    assert "\r" not in text
    assert "\x07" not in text


def test_the_summary_counts_and_says_where_the_report_is() -> None:
    out = io.StringIO()
    runs = [rehearsed("citizen"), rehearsed("wanted", expected=Outcome.ADMITTED)]
    Narrator(out, colour=False).summary(runs, Path("build/demo/report.html"))
    lines = out.getvalue().splitlines()
    assert "✓ citizen               admitted  admitted     4.90 s    0.80 s  –" in lines
    assert any(line.startswith("✗ wanted                admitted  referred") for line in lines)
    assert any("1 of 2 scenarios ended as expected · median document to open exit 4.90 s" in x for x in lines)
    assert lines[-1] == "  report: build/demo/report.html"


def test_a_note_stands_in_the_order_of_time() -> None:
    out = io.StringIO()
    narrator = Narrator(out, colour=False)
    narrator.scenario("power-cut", "title", Outcome.ABORTED)
    narrator.note("the central server is switched off")
    for entry in entries_of(citizen())[:1]:
        narrator.entry(entry)
    narrator.note("the power fails", at=BEGAN + 1.25)
    lines = out.getvalue().splitlines()
    assert "           world        the central server is switched off" in lines
    assert "   1.25 s  world        the power fails" in lines


def test_every_code_of_a_screen_has_words() -> None:
    tells = [*screens.TOLD.values(), screens.STEP_BACK, screens.ONE_AT_A_TIME, screens.TO_THE_COUNTER]
    tells += [screens.PLACE_AGAIN, screens.TAKE_PASSPORT, screens.TAKE_PASSPORT_FIRST]
    for screen, prompt, lamps in tells:
        assert screen in words.SEEN
        assert prompt is None or prompt in words.SEEN or prompt in words.HEARD
        assert words.lamps(lamps) != words.spaced(lamps)


def test_a_code_without_words_is_shown_as_it_is() -> None:
    assert words.seen("wave_at_us") == "Wave at us"
    assert words.lamps("disco_light") == "disco light"
    assert words.reason("moon_phase_wrong") == "moon phase wrong"


EVENTS = st.sampled_from(
    (
        *ALWAYS,
        *OF_A_PASSAGE,
        *(
            assessed(attempt, 0.9, live, frames)
            for attempt in (1, 2)
            for live in Liveness
            for frames in (0, 9)
        ),
        *starting(0.0, interrupted="0" * 16),
    )
)


@given(st.lists(st.tuples(EVENTS, st.floats(0, 4)), max_size=40))
@settings(max_examples=60, deadline=None)
def test_any_sequence_of_events_can_be_told(script: list[tuple[ev.AnyEvent, float]]) -> None:
    at, events = BEGAN, []
    for event, after in script:
        at += after
        events.append(replace(event, at=at))
    entries = entries_of(events)
    run = rehearsed("citizen", entries=entries, outcome=None)
    lines = told(run)
    assert max(map(len, lines)) <= WIDTH
    assert not any("-" in line[:9] for line in lines if line.startswith("  ") and line[9:10] == "s")
    assert began_at(entries) >= 0
