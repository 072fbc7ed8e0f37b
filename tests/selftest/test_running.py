"""What a running gate says of its devices, judged."""

import pytest
from msgspec.structs import replace

from gated.config import GateConfig, load
from gated.core.settings.board import SafetyControllerSettings
from gated.core.vocabulary import Door
from gated.runtime import requests as say
from gated.selftest.finding import Finding, Verdict
from gated.selftest.running import judge_running
from tests.test_config import filled
from tests.test_report_text import STATUS

INPUTS = tuple(
    say.Sensed(name=name, active=name.endswith("_shut"), since_s=60.0)
    for name in ("document", "entry_shut", "exit_shut", "occupied", "crowded", "fire")
)
TESTED = say.SelfTested(
    status=replace(STATUS, state="idle", passage=None, persons=0, cameras={"high": "live", "low": "asleep"}),
    troubles={},
    inputs=INPUTS,
    flapping=(),
    watched_s=0.5,
    cycles={"entry": 7, "exit": 9},
    messages=2,
    longest_command=261,
    link="live",
    safety=None,
)


@pytest.fixture(scope="module")
def config(tmp_path_factory: pytest.TempPathFactory) -> GateConfig:
    path = tmp_path_factory.mktemp("config") / "gate.toml"
    path.write_text(filled())
    return load(path).config


def judged(tested: say.SelfTested, config: GateConfig) -> list[Finding]:
    found = list(judge_running(tested, config))
    assert all(each.fix and each.code for each in found if each.verdict is not Verdict.OK)
    return found


def bad(found: list[Finding]) -> list[tuple[str, str, str]]:
    return [(each.device, each.part, each.code) for each in found if each.verdict is not Verdict.OK]


def test_a_gate_that_is_well_has_no_bad_news(config: GateConfig) -> None:
    found = judged(TESTED, config)
    assert bad(found) == []
    devices = {each.device for each in found}
    assert devices >= {
        "gated",
        "io_board",
        "doors",
        "mrz_scanner",
        "chip_reader",
        "vision",
        "link",
        "watchlist",
    }
    assert "safety_controller" not in devices


def test_a_trouble_is_told_once_and_a_latched_fault_with_its_way_back(config: GateConfig) -> None:
    status = replace(
        TESTED.status,
        faults={"chip_reader: not_found": "check the cable", "io_board: door_forced": "go and look"},
    )
    troubles = {"chip_reader": say.Trouble(code="not_found", fix="check the cable")}
    found = judged(replace(TESTED, status=status, troubles=troubles), config)
    assert bad(found) == [("chip_reader", "", "not_found"), ("io_board", "", "door_forced")]
    (latched,) = [each for each in found if each.code == "door_forced"]
    assert latched.fix == "go and look; then: gatectl clear-fault io_board"


def test_what_has_just_started_is_to_be_waited_for(config: GateConfig) -> None:
    troubles = {"io_board": say.Trouble(code="starting", fix="")}
    (starting,) = [each for each in judged(replace(TESTED, troubles=troubles), config) if each.code]
    assert "wait" in starting.fix


def test_a_power_supply_that_nobody_watches_is_no_trouble(config: GateConfig) -> None:
    devices = {name: good for name, good in TESTED.status.devices.items() if name != "power"}
    tested = replace(
        TESTED,
        status=replace(TESTED.status, devices=devices),
        troubles={"power": say.Trouble(code="starting", fix="")},
    )
    assert bad(judged(tested, config)) == []


@pytest.mark.parametrize("state", ["unknown", "refused", "no_link"])
def test_a_link_that_is_not_live_is_told(config: GateConfig, state: str) -> None:
    assert bad(judged(replace(TESTED, link=state), config)) == [("link", "", f"link_{state}")]


@pytest.mark.parametrize(
    ("age_s", "code"), [(None, "no_list"), (25 * 3600.0, "watchlist_aging"), (73 * 3600.0, "watchlist_stale")]
)
def test_an_old_list_is_told(config: GateConfig, age_s: float | None, code: str) -> None:
    status = replace(TESTED.status, watchlist_age_s=age_s)
    assert bad(judged(replace(TESTED, status=status), config)) == [("watchlist", "", code)]


@pytest.mark.parametrize(
    ("age_s", "code"), [(8 * 86400.0, "trust_aging"), (31 * 86400.0, "trust_stale"), (1.0, "")]
)
def test_what_else_the_centre_has_not_vouched_for_for_long_is_told(
    config: GateConfig, age_s: float, code: str
) -> None:
    status = replace(TESTED.status, ages_s={"watchlist": 1.0, "trust": age_s})
    found = judged(replace(TESTED, status=status), config)
    assert bad(found) == ([("published", "trust", code)] if code else [])
    assert [each.device for each in found].count("published") == 1


def test_a_lane_that_closes_by_age_is_told_so(config: GateConfig) -> None:
    policy = replace(config.policy, watchlist_close_age_s=80 * 3600.0)
    status = replace(TESTED.status, watchlist_age_s=81 * 3600.0)
    found = judged(replace(TESTED, status=status), replace(config, policy=policy))
    assert bad(found) == [("watchlist", "", "watchlist_closing")]


def test_a_presence_sensor_that_the_gate_doubts_is_not_told_to_be_well(config: GateConfig) -> None:
    status = replace(TESTED.status, state="reject_out", faults={"io_board: presence_stuck": "look"})
    inputs = tuple(replace(each, active=each.active or each.name == "occupied") for each in INPUTS)
    found = judged(replace(TESTED, status=status, inputs=inputs), config)
    assert ("presence", "", "presence_stuck") in bad(found)
    (told,) = [each for each in found if each.device == "presence"]
    assert "maintenance" in told.fix
    assert "clear-fault io_board" in told.fix


def test_cameras_are_told_by_their_names(config: GateConfig) -> None:
    status = replace(TESTED.status, cameras={"high": "not_checked", "low": "frozen"})
    found = judged(replace(TESTED, status=status), config)
    assert bad(found) == [("cameras", "high", "not_checked"), ("cameras", "low", "frozen")]


def test_inputs_that_nobody_reads_are_told(config: GateConfig) -> None:
    assert bad(judged(replace(TESTED, watched_s=9.0), config)) == [("io_board", "", "not_watched")]


def test_doors_of_a_lane_that_is_turned_round_are_told_by_their_ends(config: GateConfig) -> None:
    status = replace(
        TESTED.status, direction="reverse", doors={"entry": "released, not shut", "exit": "locked, shut"}
    )
    inputs = tuple(replace(each, active=each.name == "entry_shut") for each in INPUTS)
    found = judged(replace(TESTED, status=status, inputs=inputs), config)
    assert bad(found) == []
    assert [e.measured for e in found if e.device == "doors" and e.part == Door.EXIT] == [
        "released, open, 9 cycles"
    ]


def test_the_safety_controllers_own_faults_are_told(config: GateConfig) -> None:
    with_controller = replace(
        config, safety_controller=SafetyControllerSettings(port="/dev/x", configuration="0" * 16)
    )
    assert bad(judged(TESTED, with_controller)) == [("safety_controller", "", "no_session")]
    state = say.SafetyState(firmware="1.3", configuration="0" * 16, supply_v=24.0, faults={})
    assert bad(judged(replace(TESTED, safety=state), with_controller)) == []
    ill = replace(state, faults={"supply_low": "check the power supply"})
    assert bad(judged(replace(TESTED, safety=ill), with_controller)) == [
        ("safety_controller", "", "supply_low")
    ]
