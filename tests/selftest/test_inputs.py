"""What input levels mean: each that cannot be has a code and says what to do."""

import pytest

from gated.core.crossings import Beam
from gated.core.vocabulary import Door
from gated.selftest.finding import Finding, Verdict
from gated.selftest.inputs import Lane, Level, judge

REST = {
    **{f"{door}_shut": True for door in Door},
    **{f"{door}_{beam}": False for door in Door for beam in Beam},
    **dict.fromkeys(
        ("document", "exit_document", "occupied", "crowded", "fire", "panic", "mains_lost"), False
    ),
}
FAULT, WARNING = Verdict.FAULT, Verdict.WARNING


def judged(
    changed: dict[str, bool], lane: Lane | None = None, since_s: float = 60.0, flapping: tuple[str, ...] = ()
) -> list[Finding]:
    levels = {name: Level(active=active, since_s=since_s) for name, active in (REST | changed).items()}
    found = list(judge(levels, flapping, lane or Lane()))
    assert all(each.fix and each.code for each in found if each.verdict is not Verdict.OK)
    return found


def bad(found: list[Finding]) -> list[tuple[str, str, str, Verdict]]:
    return [(e.device, e.part, e.code, e.verdict) for e in found if e.verdict is not Verdict.OK]


@pytest.mark.parametrize(
    ("occupied", "lane", "since_s", "told"),
    [
        (True, Lane(at_rest=False, doubted=True), 200.0, ("presence", "", "presence_stuck", FAULT)),
        (True, Lane(at_rest=True, doubted=True), 200.0, ("presence", "", "presence_stuck", FAULT)),
        (True, Lane(at_rest=False), 301.0, ("presence", "", "lane_occupied", WARNING)),
        (False, Lane(at_rest=True, doubted=True), 200.0, ("presence", "", "presence_was_stuck", WARNING)),
        (True, Lane(at_rest=False), 200.0, None),
    ],
)
def test_a_presence_sensor_that_is_stuck_is_told_whatever_the_lane_does(
    occupied: bool,  # noqa: FBT001 - what the sensor says
    lane: Lane,
    since_s: float,
    told: tuple[str, str, str, Verdict] | None,
) -> None:
    assert bad(judged({"occupied": occupied}, lane, since_s)) == ([told] if told else [])


def test_a_lane_at_rest_is_well() -> None:
    found = judged({})
    assert bad(found) == []
    assert {each.device for each in found} == {
        *("inputs", "alarms", "doors", "curtains", "presence", "document", "power")
    }
    assert found[0].measured == f"{len(REST)} read; active: entry_shut, exit_shut"


@pytest.mark.parametrize(
    ("changed", "told"),
    [
        ({"fire": True}, ("alarms", "fire", "fire_active", FAULT)),
        ({"panic": True}, ("alarms", "panic", "panic_active", FAULT)),
        ({"exit_shut": False}, ("doors", "exit", "door_not_shut", FAULT)),
        ({f"entry_{beam}": True for beam in Beam}, ("curtains", "entry", "curtain_dark", FAULT)),
        ({"exit_inner_high": True}, ("curtains", "exit", "beam_blocked", WARNING)),
        ({"crowded": True}, ("presence", "", "presence_contradicts", FAULT)),
        ({"occupied": True}, ("presence", "", "lane_occupied", WARNING)),
        ({"document": True}, ("document", "", "document_lies", WARNING)),
        ({"exit_document": True}, ("document", "other end", "document_lies", WARNING)),
        ({"mains_lost": True}, ("power", "", "mains_lost", FAULT)),
    ],
)
def test_each_level_that_cannot_be_at_rest_is_told(
    changed: dict[str, bool], told: tuple[str, str, str, Verdict]
) -> None:
    assert bad(judged(changed)) == [told]


def test_what_only_passes_is_no_fault() -> None:
    changed = {"exit_inner_high": True, "occupied": True, "document": True}
    assert bad(judged(changed, since_s=2.0)) == []


def test_somebody_who_is_served_is_no_fault() -> None:
    served = Lane(at_rest=False, released=frozenset({"entry"}))
    assert bad(judged({"occupied": True, "document": True, "entry_shut": False}, served)) == []


def test_both_doors_that_read_open_point_at_what_they_share() -> None:
    found = judged({"entry_shut": False, "exit_shut": False})
    assert all("both doors" in each.measured for each in found if each.code == "door_not_shut")


def test_a_flapping_input_is_told_and_its_level_is_not_judged() -> None:
    found = judged({"entry_outer_low": True}, flapping=("entry_outer_low", "document"))
    assert bad(found) == [
        ("inputs", "document", "line_flaps", FAULT),
        ("inputs", "entry_outer_low", "line_flaps", FAULT),
    ]
    told = {each.part: each.measured for each in found}
    assert "(inactive)" in told["document"]
    assert "(active)" in told["entry_outer_low"]


def test_the_cycles_of_a_door_are_shown() -> None:
    found = judged({}, Lane(cycles={"entry": 12345}))
    (entry,) = [each for each in found if (each.device, each.part) == ("doors", "entry")]
    assert entry.measured == "shut, 12345 cycles"
