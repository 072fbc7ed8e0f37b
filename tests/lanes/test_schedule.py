"""The schedule of a two-way lane: what the clock on the wall asks for, and how often it says so."""

from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gated.core import events as ev
from gated.core.settings.port import Turning
from gated.core.vocabulary import Direction
from gated.lanes.schedule import ScheduleLane, last_time
from tests.lanes.rounds import Posted, come_round

FORWARD, REVERSE = Direction.FORWARD, Direction.REVERSE
MORNING = Turning(at="06:00", direction=REVERSE)
AFTERNOON = Turning(at="14:30", direction=FORWARD)
SCHEDULE = (AFTERNOON, MORNING)  # in any order
TODAY, YESTERDAY = date(2026, 11, 26), date(2026, 11, 25)
TIMES = st.integers(0, 24 * 60 - 1).map(lambda minute: f"{minute // 60:02}:{minute % 60:02}")


@pytest.mark.parametrize(
    ("clock", "expected"),
    [
        ("05:59", (YESTERDAY, AFTERNOON)),
        ("06:00", (TODAY, MORNING)),
        ("14:29", (TODAY, MORNING)),
        ("14:30", (TODAY, AFTERNOON)),
        ("23:59", (TODAY, AFTERNOON)),
    ],
)
def test_the_last_time_counts_until_the_next_one_also_over_midnight(
    clock: str, expected: tuple[date, Turning]
) -> None:
    assert last_time(SCHEDULE, datetime.fromisoformat(f"2026-11-26T{clock}:30")) == expected


def test_without_a_schedule_nothing_is_wanted() -> None:
    assert last_time((), datetime(2026, 11, 26, 12, tzinfo=UTC)) is None


@settings(derandomize=True)
@given(
    times=st.lists(TIMES, min_size=1, max_size=6, unique=True),
    now=st.datetimes(datetime(2026, 1, 2), datetime(2027, 1, 1)),  # noqa: DTZ001 - what a wall clock shows
)
def test_no_time_of_the_schedule_lies_between_the_last_one_and_now(times: list[str], now: datetime) -> None:
    schedule = [Turning(at=at, direction=FORWARD) for at in times]
    found = last_time(schedule, now)
    assert found is not None
    day, turning = found
    began = datetime.fromisoformat(f"{day}T{turning.at}")
    all_times = [
        datetime.fromisoformat(f"{each}T{at}")
        for each in (now.date(), now.date() - timedelta(days=1))
        for at in times
    ]
    assert began == max(time for time in all_times if time <= now)


class Wall:
    """A clock on the wall of a port, told in universal time."""

    def __init__(self, utc: str) -> None:
        self.utc = datetime.fromisoformat(f"{utc}+00:00")

    def __call__(self) -> datetime:
        return self.utc


def wanted(posted: Posted) -> list[tuple[Direction, str]]:
    found = [(event.direction, event.by) for event in posted.of(ev.DirectionWanted)]
    posted.clear()
    return found


def test_it_says_at_the_start_what_is_wanted_and_then_once_at_each_time(posted: Posted) -> None:
    wall = Wall("2026-11-25T20:00:00")  # 05:00 in Seoul
    lane = ScheduleLane(SCHEDULE, ZoneInfo("Asia/Seoul"), posted, wall)
    come_round(lane.lane)
    come_round(lane.lane)
    assert wanted(posted) == [(FORWARD, "schedule")]
    wall.utc += timedelta(minutes=59)
    come_round(lane.lane)
    assert wanted(posted) == []
    wall.utc += timedelta(minutes=1)
    come_round(lane.lane)
    come_round(lane.lane)
    assert wanted(posted) == [(REVERSE, "schedule")]
    wall.utc += timedelta(hours=8, minutes=30)
    come_round(lane.lane)
    assert wanted(posted) == [(FORWARD, "schedule")]


def test_one_time_a_day_is_said_each_day(posted: Posted) -> None:
    wall = Wall("2026-11-25T12:00:00")
    lane = ScheduleLane((MORNING,), UTC, posted, wall)
    for _ in range(3):
        come_round(lane.lane)
        wall.utc += timedelta(days=1)
    assert wanted(posted) == [(REVERSE, "schedule")] * 3


def test_a_time_in_the_hour_that_comes_twice_is_said_once(posted: Posted) -> None:
    wall = Wall("2026-10-25T00:20:00")  # 02:20 in Berlin; at 03:00 it is 02:00 again
    lane = ScheduleLane((Turning(at="02:30", direction=REVERSE),), ZoneInfo("Europe/Berlin"), posted, wall)
    said = []
    for _ in range(12):
        come_round(lane.lane)
        said += wanted(posted)
        wall.utc += timedelta(minutes=10)
    assert len(said) == 2  # what was wanted at the start, and once at 02:30
