"""The rules at the gate: facts put together for one passage, decided, told why, and taken on record."""

import sqlite3
from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from gated.core import events as ev
from gated.core.checks import Result
from gated.core.personal import Personal
from gated.core.rulings import Held, Ruling
from gated.core.settings.travellers import EligibilitySettings
from gated.core.vocabulary import Device, Direction, Grade
from gated.document.mrz import Mrz, parse
from gated.lanes.background import BackgroundLane
from gated.lanes.condition import Condition
from gated.lanes.dossier import Dossiers
from gated.lanes.eligibility import Eligibility, Judged
from gated.rules.standing import Standing
from gated.rules.standing_rows import StandingRow
from gated.store.standings import Standings, build
from gated.watchlist.keyed import ListKey, ListKeys
from hw_sim.passport.page import Entry, print_zone
from tests.lanes.rounds import BEGAN, PASSAGE, Posted, come_round
from tests.rules.packs import agency, small_pack
from tests.store.central_stand_in import Central
from tests.store.central_stand_in import Gate as ListedGate

KEY = ListKey(bytes(range(32)))
NUMBER = "12AB34567"


def passport(nationality: str = "FRA", born: date = date(1984, 4, 2)) -> Mrz:
    entry = Entry(
        surname="MARTIN",
        given_names="CLAIRE",
        number=NUMBER,
        birth=born,
        expiry=date(2032, 1, 1),
        sex="F",
        nationality=nationality,
        state=nationality,
    )
    return parse("\r\n".join(print_zone(entry, "TD3")).encode())


class Place:
    """The rules of the agency, with a file of standings."""

    def __init__(self, folder: Path) -> None:
        self.path = folder / "standings.db"
        self.settings = EligibilitySettings(rules="rules.toml", forward="departure", standings=str(self.path))
        self.standings = Standings(self.path, ListKeys([KEY]), 3 * 86400.0)
        self.eligibility = Eligibility(self.settings, agency(), self.standings)

    def know(self, standing: Standing) -> None:
        build([StandingRow("FRA", Personal(NUMBER), standing)], self.path, KEY, 1, BEGAN)

    def judge(self, mrz: Mrz | None = None, listed: tuple[str, ...] | None = ()) -> Judged:
        return self.eligibility.of(mrz or passport(), BEGAN, listed)


@pytest.fixture
def place(tmp_path: Path) -> Iterator[Place]:
    one = Place(tmp_path)
    yield one
    one.eligibility.close()


def stay(days_ago: int) -> Standing:
    return Standing(entered=BEGAN.date() - timedelta(days=days_ago), permitted_days=90)


@pytest.mark.parametrize(
    ("standing", "reasons"),
    [
        (stay(30), ()),
        (stay(90), ()),
        (stay(91), ("stay_unknown",)),  # there may be a title that nobody here knows of
        (Standing(), ("stay_unknown",)),
        (None, ("stay_unknown",)),
    ],
)
def test_a_foreigner_departs_as_long_as_the_stay_was_permitted(
    place: Place, standing: Standing | None, reasons: tuple[str, ...]
) -> None:
    if standing is not None:
        place.know(standing)
    decision = place.judge().decision
    assert decision.reasons == reasons
    assert decision.ruling is (Ruling.REFER if reasons else Ruling.ADMIT)


def test_whoever_has_no_title_and_stayed_too_long_has_overstayed(place: Place) -> None:
    place.know(Standing(entered=date(2026, 8, 1), permitted_days=90, residence_title="none"))
    assert place.judge().decision.reasons == ("overstay",)


def test_the_lane_turned_round_is_for_arrivals(place: Place) -> None:
    place.know(stay(30))
    assert place.judge().facts["direction"] == "departure"
    place.eligibility.turn(Direction.REVERSE)
    arriving = place.judge()
    assert arriving.facts["direction"] == "arrival"
    assert arriving.decision.reasons == ("eligibility_unknown",)
    place.eligibility.turn(Direction.FORWARD)
    assert place.judge().decision.ruling is Ruling.ADMIT


def test_without_a_word_which_way_the_lane_leads_the_direction_is_unknown() -> None:
    settings = EligibilitySettings(rules="rules.toml")
    judged = Eligibility(settings, agency()).of(passport("UTO"), BEGAN, ())
    assert "direction" not in judged.facts
    assert judged.decision.ruling is Ruling.ADMIT


def test_lists_that_do_not_answer_are_unknown_to_the_rules(place: Place) -> None:
    place.know(stay(30))
    assert place.judge(listed=None).decision.reasons == ("exit_ban_unknown",)
    assert place.judge(listed=("exit_ban",)).decision.ruling is Ruling.STOP


def test_standings_that_cannot_be_asked_are_told_once_and_know_nothing(
    place: Place,
) -> None:
    for _ in range(2):
        assert place.judge().decision.reasons == ("stay_unknown",)
    place.path.write_bytes(b"no database at all")
    assert place.judge().decision.reasons == ("stay_unknown",)
    place.know(stay(30))
    assert place.judge().decision.ruling is Ruling.ADMIT


def test_new_rules_count_from_the_next_passage_on(place: Place) -> None:
    before = place.eligibility.sha256
    national = passport("UTO")
    assert place.judge(national).decision.ruling is Ruling.ADMIT
    other = small_pack(grounds=[{"id": "nobody", "law": "art-1", "when": {"not": {}}}])
    place.eligibility.use(other)
    judged = place.judge(national)
    assert judged.decision.reasons == ("not_served",)
    assert judged.rules == place.eligibility.sha256 == other.sha256 != before


class Bench:
    """The background lane with the agency's rules, over a real list."""

    def __init__(self, folder: Path, posted: Posted, mrz: Mrz) -> None:
        self.gate = ListedGate(folder / "state", Central(folder / "central"))
        self.gate.central.publish(f"{NUMBER},FRA,P,,,,,silent,exit_ban,case-1")
        self.gate.refresh()
        dossiers = Dossiers()
        dossiers.begin(PASSAGE, BEGAN)
        dossiers.put_mrz(PASSAGE, mrz)
        settings = EligibilitySettings(rules="rules.toml", forward="departure")
        self.lane = BackgroundLane(
            Eligibility(settings, agency()),
            self.gate.watchlist,
            dossiers,
            Condition(Device.WATCHLIST, posted),
            posted,
        )
        self.posted = posted

    def check(self) -> ev.BackgroundChecked:
        self.lane.check(PASSAGE)
        come_round(self.lane.lane)
        return self.posted.of(ev.BackgroundChecked)[-1]


def test_the_answer_tells_the_ruling_the_rules_and_why_and_nobody(tmp_path: Path, posted: Posted) -> None:
    bench = Bench(tmp_path, posted, passport(born=date(2018, 1, 1)))
    event = bench.check()
    bench.gate.watchlist.close()
    assert (event.ruling, event.grade, event.rules) == (Ruling.STOP, Grade.SILENT, agency().sha256)
    failed = {check.name: check.reason for check in event.checks if check.result is Result.FAILED}
    assert failed == {"age": "under_age", "exit_ban": "exit_ban"}
    why = {each.rule: each for each in event.why}
    assert (why["no-exit-ban"].law, why["no-exit-ban"].by) == ("lanes-10", ("direction", "listed"))
    assert Held.NOT_CONCERNED not in {each.held for each in event.why}
    assert event.facts["nationality"] == "!UTO"
    assert event.facts["age"] == "6..9"
    assert not event.height_exempt
    for text in (NUMBER, "MARTIN", "FRA", "2018"):
        assert text not in repr((event.checks, event.hits, event.why, event.facts))


def test_a_ban_on_leaving_keeps_nobody_from_arriving(tmp_path: Path, posted: Posted) -> None:
    bench = Bench(tmp_path, posted, passport(nationality="UTO"))
    bench.lane.turn(Direction.REVERSE)
    event = bench.check()
    bench.gate.watchlist.close()
    assert event.ruling is Ruling.ADMIT
    assert event.facts["direction"] == "arrival"


def test_it_is_the_day_at_the_gate_that_counts() -> None:
    eligibility = Eligibility(EligibilitySettings(rules="rules.toml"), agency())
    tomorrow_ten = passport("UTO", born=date(2016, 11, 24))
    late = datetime(2026, 11, 23, 23, 59, tzinfo=UTC)
    assert eligibility.of(tomorrow_ten, late, ()).decision.reasons == ("under_age",)
    east = late.astimezone(ZoneInfo("Asia/Seoul"))
    assert eligibility.of(tomorrow_ten, east, ()).decision.ruling is Ruling.ADMIT


def test_the_file_of_standings_is_opened_to_read_alone(place: Place) -> None:
    place.know(stay(30))
    place.judge()
    other = sqlite3.connect(place.path)
    other.execute("BEGIN IMMEDIATE")
    assert place.judge().decision.ruling is Ruling.ADMIT
    other.close()
