"""A dry run: what would change is told, what the journal cannot tell is not guessed."""

from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from gated.core.rulings import Ruling
from gated.rules import Pack, decide, from_table
from gated.rules.dry_run import Moment, Passed, dry_run
from gated.rules.given import given as facts_of
from gated.rules.knowledge import Facts, Span
from gated.rules.recording import recorded
from tests.rules.packs import BAN, TALL, agency, small, small_pack
from tests.rules.strategies import whole

OLD = small_pack(BAN, TALL)
ADULT: dict[str, Any] = {"nationality": "UTO", "age": 30, "direction": "departure", "listed": []}


def passed(pack: Pack = OLD, name: str = "a" * 16, **facts: Any) -> Passed:
    """A passage as the old pack decided it."""
    known = {key: value for key, value in {**ADULT, **facts}.items() if value is not None}
    return of(pack, facts_of(known, "facts"), name)


def of(pack: Pack, facts: Facts, name: str = "a" * 16) -> Passed:
    decision = decide(pack, facts)
    return Passed(
        passage=name,
        utc="2026-11-26T10:00:00+00:00",
        ruling=decision.ruling,
        reasons=decision.reasons,
        facts=recorded(facts, "basic", pack.groups),
        asked_height_m=decision.min_height_m,
    )


def run(pack: Pack, *passages: Passed, moment: Moment | None = None, height: Span | None = None) -> Any:
    return dry_run(pack, [(each, moment or {}, height) for each in passages])


def older(years: int) -> Pack:
    """The old pack with another least age."""
    table = small(BAN, TALL)
    table["rules"][0]["that"] = {"age": {"at_least": years}}
    return from_table(table)


def test_the_same_rules_change_nothing() -> None:
    found = run(OLD, passed(), passed(age=9), passed(age=12), passed(nationality="FRA"), passed(listed=None))
    assert (found.passages, found.same, found.changed, found.untold) == (5, 5, 0, 0)


def test_another_age_changes_whom_it_concerns_and_tells_why() -> None:
    found = run(older(14), passed(), passed(age=12, name="b" * 16), passed(age=13, name="c" * 16))
    assert (found.same, found.changed) == (1, 2)
    (kind,) = found.kinds
    assert (kind.before, kind.after, kind.reasons, kind.passages) == (
        Ruling.ADMIT,
        Ruling.REFER,
        ("under_age",),
        2,
    )
    assert [change.passage for change in found.changes] == ["b" * 16, "c" * 16]
    assert found.changes[0].by == ("ten",)


def test_an_age_within_a_band_cannot_be_told() -> None:
    found = run(older(13), passed(age=12), passed(age=11), passed(age=14))
    assert (found.untold, found.lacking, found.changed, found.same) == (1, {"age": 1}, 1, 1)


def test_what_the_gate_itself_did_not_know_refers_as_it_would_have() -> None:
    found = run(older(14), passed(age=None), passed(listed=None))
    assert (found.same, found.untold) == (2, 0)


def test_want_of_detail_matters_only_where_it_leaves_the_ruling_open() -> None:
    found = run(older(13), passed(age=12, listed=["exit_ban"]))
    assert (found.untold, found.same) == (0, 1)  # stopped in any case


def test_another_height_is_judged_where_it_was_measured() -> None:
    lower = small_pack(BAN, {**TALL, "that": {"height_m": {"at_least": 1.1}}})
    child = passed(age=12)
    assert run(lower, child, height=Span(1.14, 1.16)).kinds[0].before is Ruling.REFER
    assert run(lower, child, height=Span(1.14, 1.16)).kinds[0].after is Ruling.ADMIT
    assert run(lower, child, height=Span(1.24, 1.26)).same == 1
    assert run(lower, child).lacking == {"height_m": 1}
    assert run(lower, passed()).same == 1
    none = small_pack(BAN)
    assert run(none, child, height=Span(1.14, 1.16)).changed == 1
    assert run(OLD, passed(pack=none, age=12), height=Span(1.14, 1.16)).kinds[0].reasons == ("too_short",)


def test_whoever_is_let_in_anew_may_still_be_measured() -> None:
    found = run(older(6), passed(age=7))
    assert found.changes[0].after is Ruling.ADMIT
    assert found.changes[0].min_height_m == 1.2


def test_the_time_of_the_passage_counts() -> None:
    hours = {**BAN, "id": "hours", "check": "hours", "of": {}, "otherwise": "refuse"}
    hours |= {"that": {"time": {"from": "06:00", "until": "22:00"}}}
    hours |= {"reason": "outside_hours", "unsure": "hours_unknown"}
    pack = small_pack(BAN, TALL, hours)
    assert run(pack, passed(), moment={"time": 5 * 60}).kinds[0].after is Ruling.REFUSE
    assert run(pack, passed(), moment={"time": 7 * 60}).same == 1


@settings(derandomize=True, max_examples=80, deadline=None)
@given(whole(), st.integers(0, 25))
def test_what_a_dry_run_tells_is_what_full_knowledge_would_have_decided(facts: Facts, years: int) -> None:
    known = Facts({name: value for name, value in facts.known.items() if name != "height_m"})
    for old, new in ((OLD, older(years)), (OLD, agency()), (agency(), agency())):
        moment = {name: known.known[name] for name in ("date", "time", "weekday")}
        found = run(new, of(old, known), moment=moment)
        if not found.untold:
            assert found.changed == (decide(old, known).ruling is not decide(new, known).ruling)
