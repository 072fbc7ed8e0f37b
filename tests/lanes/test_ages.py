"""The lane of ages: what is told to the loop, and what to technicians."""

from datetime import datetime

from msgspec.structs import replace

from gated.core.events import AgesChecked
from gated.core.policy import DAY_S
from gated.core.vocabulary import Vouched
from gated.lanes.ages import AgeOf, AgesLane
from tests.core.passages import POLICY
from tests.lanes.rounds import Posted, come_round

CLOSING = replace(POLICY, rules_close_age_s=60 * DAY_S)


class Words:
    """How old the centre's words are, as a test likes them."""

    def __init__(self) -> None:
        self.ages: dict[Vouched, float | None] = {
            Vouched.WATCHLIST: 1.0,
            Vouched.RULES: 2.0,
            Vouched.TRUST: None,
            Vouched.STANDINGS: None,
        }

    def of(self, kind: Vouched) -> AgeOf:
        def age(now: datetime, _: float) -> float | None:
            assert now.tzinfo is not None
            return self.ages[kind]

        return age


def lane_of(words: Words, posted: Posted) -> AgesLane:
    return AgesLane(CLOSING, {kind: words.of(kind) for kind in Vouched}, posted)


def test_the_loop_hears_of_ages_when_they_come_to_mean_something_else() -> None:
    words, posted = Words(), Posted()
    lane = lane_of(words, posted)
    assert lane.first().rules_s == 2.0
    for age_s in (3.0, 8 * DAY_S, 9 * DAY_S, 31 * DAY_S, 61 * DAY_S, 62 * DAY_S, 5.0):
        words.ages[Vouched.RULES] = age_s
        come_round(lane.lane)
    told = [event.rules_s for event in posted.of(AgesChecked)]
    assert told == [8 * DAY_S, 31 * DAY_S, 61 * DAY_S, 5.0]
    assert {event.trust_s for event in posted.of(AgesChecked)} == {None}


def test_a_kind_of_which_something_is_published_is_told_at_once() -> None:
    words, posted = Words(), Posted()
    lane = lane_of(words, posted)
    lane.first()
    words.ages[Vouched.TRUST] = 0.0
    come_round(lane.lane)
    assert [event.trust_s for event in posted.of(AgesChecked)] == [0.0]


def test_technicians_are_told_what_is_old_what_it_means_and_what_to_do() -> None:
    words = Words()
    lane = lane_of(words, Posted())
    assert lane.troubles() == {}
    words.ages |= {Vouched.WATCHLIST: 2 * DAY_S, Vouched.RULES: 61 * DAY_S, Vouched.TRUST: 31 * DAY_S}
    told = lane.troubles()
    assert list(told) == ["watchlist_aging", "rules_closing", "trust_stale"]
    assert "takes nobody" in told["rules_closing"]
    assert all("gatectl watchlist status" in fix for fix in told.values())
    assert lane.known() == {"watchlist": 2 * DAY_S, "rules": 61 * DAY_S, "trust": 31 * DAY_S}
