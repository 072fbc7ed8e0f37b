"""The rules' decisions as people read them: in the timeline's words, and in the report."""

import html

from msgspec.structs import replace

from gated.core import events as ev
from gated.core.checks import Check, Result
from gated.core.rulings import Held, Ruling, Why
from hw_sim.record import Rehearsed
from hw_sim.telling import report_evidence, words
from hw_sim.telling.story import Storyteller, Tone
from tests.hw_sim.passages import rehearsed

WHY = (
    Why(rule="national", law="lanes-1", held=Held.YES, by=("nationality",)),
    Why(
        rule="from-age-10",
        law="lanes-6",
        held=Held.NO,
        by=("age",),
        reason="under_age",
        ruling=Ruling.REFER,
    ),
)


def ruled(ruling: Ruling, why: tuple[Why, ...]) -> Rehearsed:
    """The first passage of the report's tests, as if the rules had said this."""
    run = rehearsed("citizen")
    result = (
        Check("age", Result.SUCCESSFUL)
        if ruling is Ruling.ADMIT
        else Check("age", Result.FAILED, "under_age")
    )
    entries = tuple(
        replace(each, event=replace(each.event, ruling=ruling, why=why, checks=(result,)))
        if isinstance(each.event, ev.BackgroundChecked)
        else each
        for each in run.entries
    )
    return replace(run, entries=entries)


def lists_line(run: Rehearsed) -> tuple[str, Tone]:
    teller = Storyteller()
    (beat,) = (beat for each in run.entries for beat in teller.tell(each) if beat.about == "lists")
    return beat.text, beat.tone


def test_what_did_not_hold_is_told_with_its_law() -> None:
    text, tone = lists_line(ruled(Ruling.REFER, WHY))
    assert "age failed (too young to use the lane alone)" in text
    assert "rule from-age-10 does not hold, by the age in whole years" in text
    assert "[lanes-6]" in text
    assert "national" not in text
    assert tone is Tone.BAD


def test_an_admission_needs_no_words_about_rules() -> None:
    text, tone = lists_line(ruled(Ruling.ADMIT, WHY[:1]))
    assert "rule" not in text
    assert tone is Tone.GOOD


def test_the_report_lists_each_rule_that_concerned_the_traveller() -> None:
    page = html.unescape(report_evidence.checks(ruled(Ruling.REFER, WHY)))
    assert "<h3>Rules</h3>" in page
    assert "national holds, by the nationality [lanes-1]" in page
    assert "from-age-10 does not hold, by the age in whole years: too young" in page
    assert "<h3>Rules</h3>" not in report_evidence.checks(ruled(Ruling.ADMIT, ()))


def test_a_stop_or_a_refusal_by_the_rules_has_words_for_the_officers() -> None:
    assert words.alert("refused_by_rules").startswith("by the rules a traveller is to be refused")
    assert words.alert("stopped_by_rules") == "the rules stop a traveller: go there at once"
