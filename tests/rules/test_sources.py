"""Where facts come from: the zone, the moment, the lists, and what the centre knows of the traveller."""

from datetime import UTC, date, datetime
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gated.document.mrz import Mrz, check_digit, parse
from gated.rules.facts import FACTS, Origin
from gated.rules.knowledge import Several, Span, exactly, one
from gated.rules.sources import of_lists, of_moment, of_zone
from gated.rules.standing import Standing

TODAY = date(2026, 11, 26)


def zone(birth: str = "740812", expiry: str = "320415", kind: str = "P<") -> Mrz:
    """The worked example of Doc 9303-4 with other dates or another kind of document."""
    dates = f"{birth}{check_digit(birth)}F{expiry}{check_digit(expiry)}"
    number, optional = "L898902C36", "ZE184226B<<<<<1"
    composite = check_digit(number + dates[:7] + dates[8:] + optional)
    text = f"{kind}UTOERIKSSON<<ANNA<MARIA<<<<<<<<<<<<<<<<<<<\n{number}UTO{dates}{optional}{composite}"
    return parse(text.encode())


def test_the_zone_tells_document_holder_and_days() -> None:
    known = of_zone(zone(), TODAY)
    assert set(known) == {fact.name for fact in FACTS.values() if fact.origin is Origin.ZONE}
    assert (known["document_type"], known["nationality"]) == (one("P"), one("UTO"))
    assert (known["age"], known["document_days"]) == (exactly(52), exactly(1967))


@pytest.mark.parametrize(
    ("birth", "age"),
    [
        ("161126", Span(10, 10)),  # today
        ("161127", Span(9, 9)),  # tomorrow
        ("1611<<", Span(9, 10)),
        ("16<<<<", Span(9, 10)),
        ("1612<<", Span(9, 9)),
        ("15<<<<", Span(10, 11)),
        ("26<<<<", Span(0, 0)),
        ("<<<<<<", None),
    ],
)
def test_a_partial_birth_date_gives_an_age_between_two(birth: str, age: Span | None) -> None:
    assert of_zone(zone(birth=birth), TODAY).get("age") == age


@settings(derandomize=True, max_examples=200, deadline=None)
@given(st.dates(date(1927, 1, 1), date(2026, 11, 26)), st.sampled_from(("day", "month", "both", "none")))
def test_the_true_age_lies_between(born: date, hidden: str) -> None:
    day = "<<" if hidden in {"day", "both"} else f"{born.day:02}"
    month = "<<" if hidden in {"month", "both"} else f"{born.month:02}"
    span = of_zone(zone(birth=f"{born.year % 100:02}{month}{day}"), TODAY)["age"]
    true = TODAY.year - born.year - ((TODAY.month, TODAY.day) < (born.month, born.day))
    assert isinstance(span, Span)
    assert span.least is not None
    assert span.most is not None
    assert span.least <= true <= span.most <= span.least + 1
    if hidden == "none":
        assert span == exactly(true)


def test_an_expired_document_has_days_below_zero() -> None:
    assert of_zone(zone(expiry="261125"), TODAY)["document_days"] == exactly(-1)
    assert of_zone(zone(expiry="261126"), TODAY)["document_days"] == exactly(0)


def test_the_moment_is_that_of_the_gate() -> None:
    local = datetime(2026, 11, 26, 22, 30, tzinfo=UTC).astimezone(ZoneInfo("Asia/Seoul"))
    known = of_moment(local, "arrival")
    assert known["date"] == date(2026, 11, 27)
    assert known["time"] == 7 * 60 + 30
    assert (known["weekday"], known["direction"]) == (one("fri"), one("arrival"))
    assert "direction" not in of_moment(local, None)


def test_lists_tell_reasons_and_their_silence_tells_nothing() -> None:
    assert of_lists(("exit_ban", "Lost")) == {"listed": Several(frozenset({"exit_ban", "lost"}))}
    assert of_lists(("see case 7/3",)) == {"listed": Several(frozenset({"other"}))}
    assert of_lists(()) == {"listed": Several(frozenset())}
    assert of_lists(None) == {}


def test_the_stay_ends_after_the_permitted_days() -> None:
    known = Standing(entered=date(2026, 8, 28), permitted_days=90).facts(TODAY)
    assert known == {"entry_recorded": True, "days_left": exactly(0)}
    late = Standing(entered=date(2026, 8, 27), permitted_days=90).facts(TODAY)
    assert late["days_left"] == exactly(-1)
    assert Standing(entered=TODAY).facts(TODAY) == {"entry_recorded": True}


def test_a_standing_tells_what_it_has_and_shows_nothing() -> None:
    standing = Standing(
        residence_title="permanent",
        residence_until=date(2026, 11, 25),
        registered=True,
        consent=False,
        programmes=("reciprocity",),
        visa="none",
    )
    assert standing.facts(TODAY) == {
        "residence_title": one("permanent"),
        "residence_days": exactly(-1),
        "registered": True,
        "consent": False,
        "programmes": Several(frozenset({"reciprocity"})),
        "visa": one("none"),
    }
    assert Standing().facts(TODAY) == {}
    assert "permanent" not in repr(standing)
