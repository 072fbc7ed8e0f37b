"""The background check: who may use the lane alone, and what the lists say; what is not known is not good."""

from collections.abc import Iterator
from datetime import UTC, date, datetime, time
from pathlib import Path
from typing import Any

import pytest

from gated.core import events as ev
from gated.core.checks import Check, Result, overall
from gated.core.gate import Background, Gate, Passage, background_is_good, lists_are_fresh
from gated.core.policy import Policy
from gated.core.settings.travellers import EligibilitySettings
from gated.core.vocabulary import Device, Grade
from gated.document.mrz import Mrz, check_digit, parse
from gated.lanes.background import MAX_HITS, BackgroundLane
from gated.lanes.condition import Condition
from gated.lanes.dossier import Dossiers
from gated.lanes.eligibility import Eligibility
from gated.rules import Decision, of_settings
from gated.watchlist.freshness import Age, Freshness
from tests.lanes.rounds import BEGAN, NEXT, PASSAGE, Posted, come_round
from tests.store.central_stand_in import Central, document, person
from tests.store.central_stand_in import Gate as ListedGate

# Doc 9303-4 and 9303-5, appendix B
TD1 = b"I<UTOD231458907<<<<<<<<<<<<<<<\n7408122F1204159UTO<<<<<<<<<<<6\nERIKSSON<<ANNA<MARIA<<<<<<<<<<"
TODAY = date(2026, 11, 23)
LOST = "L898902C3,UTO,P,,,,,{},stolen,case-{}"
WANTED = person("ERIKSSON", "ANNA MARIA", "1974-08-12")


def page(birth: str = "740812", kind: str = "P<") -> Mrz:
    """The worked example of Doc 9303-4 with another birth date or kind of document."""
    dates = f"{birth}{check_digit(birth)}F320415{check_digit('320415')}"
    number, optional = "L898902C36", "ZE184226B<<<<<1"
    composite = check_digit(number + dates[:7] + dates[8:] + optional)
    text = f"{kind}UTOERIKSSON<<ANNA<MARIA<<<<<<<<<<<<<<<<<<<\n{number}UTO{dates}{optional}{composite}"
    return parse(text.encode())


def judge(settings: EligibilitySettings) -> Eligibility:
    """By the gate's own settings."""
    return Eligibility(settings, of_settings(settings, 1.2))


def decided(mrz: Mrz, **settings: Any) -> Decision:
    """What the rules decide about this document today, with no entry of a list."""
    noon = datetime.combine(TODAY, time(12), tzinfo=UTC)
    return judge(EligibilitySettings(**settings)).of(mrz, noon, ()).decision


def failures(checks: tuple[Check, ...]) -> dict[str, tuple[Result, str]]:
    return {c.name: (c.result, c.reason) for c in checks if c.result is not Result.SUCCESSFUL}


@pytest.mark.parametrize(
    ("birth", "min_age", "fault"),
    [
        ("740812", 18, None),
        ("081123", 18, None),  # eighteen today
        ("081124", 18, (Result.FAILED, "under_age")),  # tomorrow
        ("161123", 10, None),
        ("161124", 10, (Result.FAILED, "under_age")),
        ("261123", 0, None),  # born today
        ("<<<<<<", 0, (Result.UNDETERMINED, "age_unknown")),
        ("08<<<<", 18, (Result.UNDETERMINED, "age_unknown")),  # perhaps not yet
        ("07<<<<", 18, None),
        ("0811<<", 18, (Result.UNDETERMINED, "age_unknown")),
        ("0812<<", 18, (Result.FAILED, "under_age")),
        ("0810<<", 18, None),
    ],
)
def test_age_counts_from_the_birthday_and_doubt_is_not_enough(
    birth: str, min_age: int, fault: tuple[Result, str] | None
) -> None:
    checks = decided(page(birth), min_age_years=min_age).checks
    assert failures(checks) == ({} if fault is None else {"age": fault})
    assert [check.name for check in checks] == ["eligibility", "document_type", "age"]


@pytest.mark.parametrize(
    ("birth", "grown"),
    [("081123", True), ("081124", False), ("08<<<<", False), ("<<<<<<", False), ("161123", False)],
)
def test_height_is_asked_of_children_and_of_whoever_may_be_one(birth: str, *, grown: bool) -> None:
    assert (decided(page(birth)).min_height_m is None) is grown


@pytest.mark.parametrize(
    ("kind", "served", "good"),
    [
        ("P<", ("P",), True),
        ("PD", ("P",), True),  # a diplomatic passport is a passport
        ("PD", ("P<",), False),  # ... unless only ordinary ones are served
        ("P<", ("P<",), True),
        ("PD", ("PD",), True),
        ("P<", ("PD",), False),
        ("P<", ("I", "AC"), False),
        ("P<", (), False),
    ],
)
def test_only_the_kinds_of_document_that_are_served(
    kind: str, served: tuple[str, ...], *, good: bool
) -> None:
    checks = decided(page(kind=kind), document_types=served).checks
    assert (overall(checks) is Result.SUCCESSFUL) is good
    assert failures(checks) == (
        {} if good else {"document_type": (Result.FAILED, "document_type_not_served")}
    )


def test_an_identity_card_where_only_passports_are_served() -> None:
    assert "document_type" in failures(decided(parse(TD1)).checks)


# --- the lists ----------------------------------------------------------------------------------------


class Bench:
    """The lane over a real list, for the holder of the worked example."""

    def __init__(self, folder: Path, posted: Posted) -> None:
        self.central = Central(folder / "central")
        self.gate = ListedGate(folder / "state", self.central)
        self.posted = posted
        self.dossiers = Dossiers()
        self.dossiers.begin(PASSAGE, BEGAN)
        self.dossiers.put_mrz(PASSAGE, page())
        self.condition = Condition(Device.WATCHLIST, posted)
        self.lane = BackgroundLane(
            judge(EligibilitySettings()), self.gate.watchlist, self.dossiers, self.condition, posted
        )

    def publish(self, *rows: str) -> None:
        self.central.publish(*rows)
        self.gate.refresh()

    def check(self) -> ev.BackgroundChecked:
        self.lane.check(PASSAGE)
        come_round(self.lane.lane)
        (event,) = self.posted.of(ev.BackgroundChecked)
        return event


@pytest.fixture
def bench(tmp_path: Path, posted: Posted) -> Iterator[Bench]:
    one = Bench(tmp_path, posted)
    yield one
    one.gate.watchlist.close()


def judged(event: ev.BackgroundChecked) -> Gate:
    """What the heart holds after this answer."""
    background = Background(
        checks=event.checks, grade=event.grade, list_age_s=event.list_age_s, asked_at=event.at
    )
    policy = Policy(match_threshold=0.5, liveness_threshold=0.5, watchlist_max_age_s=30 * 86400.0)
    known = Passage(id=PASSAGE, background=background)
    return Gate(policy=policy, passage=known, stale=frozenset())


def test_nobody_on_the_list_is_good_and_the_list_is_named(bench: Bench) -> None:
    bench.publish(document("X0000001"))
    event = bench.check()
    assert failures(event.checks) == {}
    assert (event.passage, event.grade, event.list_version) == (PASSAGE, Grade.NONE, 1)
    assert 0 <= event.list_age_s < 60
    gate = judged(event)
    assert background_is_good(gate)
    assert lists_are_fresh(gate, event.at)


@pytest.mark.parametrize(
    ("rows", "grade", "hits"),
    [
        ((LOST.format("stop", 1),), Grade.STOP, ("case-1",)),
        ((LOST.format("silent", 2),), Grade.SILENT, ("case-2",)),
        ((WANTED,), Grade.REFER, ("C-1",)),
        ((LOST.format("silent", 2), LOST.format("stop", 1), WANTED), Grade.STOP, ("case-1", "C-1", "case-2")),
    ],
)
def test_a_hit_carries_its_grade_and_its_cases_and_no_name(
    bench: Bench, rows: tuple[str, ...], grade: Grade, hits: tuple[str, ...]
) -> None:
    bench.publish(*rows)
    event = bench.check()
    assert (event.grade, event.hits) == (grade, hits)
    assert "ERIKSSON" not in repr(event)
    assert "L898902C3" not in repr(event)


def test_a_missing_list_is_neither_good_nor_fresh(bench: Bench) -> None:
    event = bench.check()
    assert failures(event.checks) == {"watchlist": (Result.UNDETERMINED, "watchlist_missing")}
    assert event.list_version == 0
    gate = judged(event)
    assert not background_is_good(gate)
    assert not lists_are_fresh(gate, event.at)


def test_a_list_that_cannot_be_read_is_a_fault_and_not_good(bench: Bench) -> None:
    bench.publish(document("X0000001"))
    assert bench.gate.watchlist._list is not None
    bench.gate.watchlist._list._database.execute("DROP TABLE document")
    event = bench.check()
    assert failures(event.checks) == {"watchlist": (Result.ABORTED, "watchlist_unreadable")}
    assert bench.posted.faults() == ["watchlist_unreadable"]
    assert not background_is_good(judged(event))


def test_the_age_is_told_as_it_is(bench: Bench) -> None:
    bench.publish(document("X0000001"))
    assert bench.gate.watchlist._age is not None
    signed = datetime(2020, 1, 1, tzinfo=UTC).timestamp()
    bench.gate.watchlist._age = Age(Freshness(signed_at=signed, seen_at=signed))
    event = bench.check()
    assert event.list_age_s > 365 * 86400
    assert not lists_are_fresh(judged(event), event.at)


def test_a_passage_without_a_page_is_not_checked(bench: Bench, posted: Posted) -> None:
    bench.dossiers.end(PASSAGE)
    bench.lane.check(PASSAGE)
    bench.lane.check(NEXT)
    come_round(bench.lane.lane)
    assert posted == []


def test_cases_on_record_are_the_gravest_and_not_without_number(bench: Bench) -> None:
    many = [LOST.format("silent", number) for number in range(100, 130)]
    bench.publish(*many, LOST.format("stop", 1))
    event = bench.check()
    assert len(event.hits) == MAX_HITS
    assert event.hits[0] == "case-1"
