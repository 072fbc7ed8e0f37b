"""Light guidance: what the strips show, without any hue, and that real PWM channels and lines follow."""

import datetime as dt
import errno
import math
import re
import tempfile
import threading
import time
import tomllib
from collections.abc import Iterator
from itertools import combinations, pairwise
from pathlib import Path
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as some

from drivers.lamps import BLINK_S, PATTERNS
from drivers.light_strips import STEP_S, STRIP_PATTERNS, LightStrips, StripPattern, brightness_at, lit
from drivers.pwm import GAMMA, Dimmer
from gated.core.gate import State
from gated.core.ports import DeviceError, DeviceGone
from gated.core.screens import TOLD
from gated.core.settings.board import IoBoardSettings, Lights, Strip
from hw_sim.lane.board import SimulatedBoard, wiring
from hw_sim.lane.gpio_shim import GpioServer
from hw_sim.lane.pwm_shim import PwmServer, SimulatedPwm
from tests.drivers.gpio_program import ROOT, Program

EXAMPLE = ROOT / "config" / "gate.example.toml"
FLOORS = (1, 2, 3, 4, 7, 16)
NOON = dt.time(12, 0)
# What a pattern asks of whoever sees it; those that ask the same may look the same.
ASKS = {
    "closed": "stay out",
    "locked": "stay out",
    "maintenance": "stay out",
    "out_of_service": "stay out",
    "change_over": "stay out",
    "wrong_end": "stay out",
    "ready": "come to the entry",
    "reading": "wait at the entry",
    "enter": "walk in",
    "approach": "stand here",
    "wait": "stand here",
    "officer": "stand here",
    "go": "walk out",
    "token": "go on",
    "step_back": "walk back",
    "free_passage": "walk through",
    "emergency": "leave by either door",
}
WHILE_THE_CAMERA_LOOKS = ("approach", "wait", "officer")


def timeline(name: str, floor: int, *, turned: bool = False) -> list[frozenset[str]]:
    """What burns in each step, over so many steps that every movement ends a round."""
    steps = math.lcm(2, floor + 1, (floor + 1) // 2 + 1)
    return [lit(STRIP_PATTERNS[name], step, floor, turned=turned) for step in range(steps)]


def looks_like(one: list[frozenset[str]], other: list[frozenset[str]]) -> bool:
    """Whether two timelines are the same to somebody who comes along at any moment."""
    return any(one[shift:] + one[:shift] == other for shift in range(len(one)))


def test_every_pattern_of_lamps_has_one_of_strips_and_every_state_both() -> None:
    assert set(STRIP_PATTERNS) == set(PATTERNS) == set(ASKS)
    assert {TOLD[state][2] for state in State} <= set(STRIP_PATTERNS)


@pytest.mark.parametrize("floor", FLOORS)
def test_what_asks_for_different_things_differs_in_place_or_movement_alone(floor: int) -> None:
    for one, other in combinations(ASKS, 2):
        alike = looks_like(timeline(one, floor), timeline(other, floor))
        assert alike is (ASKS[one] == ASKS[other]), (one, other)


@pytest.mark.parametrize("name", [name for name in ASKS if ASKS[name] == "stay out"])
def test_where_there_is_nowhere_to_go_all_is_dark(name: str) -> None:
    assert not any(timeline(name, 4))


@pytest.mark.parametrize("name", ASKS)
@pytest.mark.parametrize("floor", [0, *FLOORS])
def test_lamps_and_strips_together_stay_within_three_flashes_a_second(name: str, floor: int) -> None:
    steps = timeline(name, floor) * 3
    lightings = [
        number * STEP_S for number, (before, now) in enumerate(pairwise(steps), 1) if not now <= before
    ]
    lamps = PATTERNS[name]
    for phase, group in ((0.0, lamps.blinking), (BLINK_S, lamps.in_turn)):
        if group:
            lightings += [phase + 2 * BLINK_S * number for number in range(len(steps))]
    for began in lightings:
        assert len([at for at in lightings if began <= at < began + 0.999]) <= 3


@pytest.mark.parametrize("name", WHILE_THE_CAMERA_LOOKS)
def test_nothing_moves_while_the_camera_looks_and_the_face_light_plays(name: str) -> None:
    assert not STRIP_PATTERNS[name].moves
    assert not PATTERNS[name].blinking


@pytest.mark.parametrize("name", ASKS)
def test_moving_is_what_changes_by_itself(name: str) -> None:
    assert STRIP_PATTERNS[name].moves is (len(set(timeline(name, 5))) > 1)


def test_the_floor_runs_in_walking_direction_and_ends_each_round_dark() -> None:
    forward = StripPattern(floor="forward")
    assert [sorted(lit(forward, step, 3)) for step in range(5)] == [
        ["floor_strip_1"],
        ["floor_strip_2"],
        ["floor_strip_3"],
        [],
        ["floor_strip_1"],
    ]
    assert [lit(StripPattern(floor="backward"), step, 3) for step in range(3)] == [
        lit(forward, step, 3) for step in (2, 1, 0)
    ]


def test_a_lane_that_is_turned_shows_the_same_from_its_other_end() -> None:
    names = {"entry_strip": "exit_strip", "exit_strip": "entry_strip"}
    names |= {f"floor_strip_{number}": f"floor_strip_{6 - number}" for number in range(1, 6)}
    for name in ASKS:
        turned = timeline(name, 5, turned=True)
        assert turned == [frozenset(names[strip] for strip in now) for now in timeline(name, 5)]


# --- brightness -----------------------------------------------------------------------------------


def test_without_a_night_it_is_always_day() -> None:
    assert brightness_at(Lights(brightness=0.8, night_brightness=0.2), dt.time(2, 0)) == 0.8


@pytest.mark.parametrize(
    ("night", "dark", "bright"),
    [
        (("22:00", "06:00"), ("22:00", "23:59", "00:00", "05:59"), ("06:00", "12:00", "21:59")),
        (("01:00", "04:30"), ("01:00", "04:29"), ("00:59", "04:30", "23:00")),
    ],
)
def test_a_night_begins_and_ends_to_the_minute(
    night: tuple[str, str], dark: tuple[str, ...], bright: tuple[str, ...]
) -> None:
    lights = Lights(brightness=0.9, night_brightness=0.3, night=night)
    assert {brightness_at(lights, dt.time.fromisoformat(at)) for at in dark} == {0.3}
    assert {brightness_at(lights, dt.time.fromisoformat(at)) for at in bright} == {0.9}


@given(some.times(), some.times(), some.times())
def test_each_moment_is_day_or_night_and_the_other_way_round_if_the_night_is_turned(
    begins: dt.time, ends: dt.time, at: dt.time
) -> None:
    first, last = f"{begins:%H:%M}", f"{ends:%H:%M}"
    if first == last:
        with pytest.raises(ValueError, match="`night` ends when it begins"):
            Lights(night=(first, last))
        return
    plain, turned = Lights(night=(first, last)), Lights(night=(last, first))
    assert {brightness_at(plain, at), brightness_at(turned, at)} == {1.0, 0.5}


# --- settings -------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("keys", "says"),
    [
        ({}, "a strip has `line`, or `chip` and `channel`"),
        ({"line": 3, "chip": 0, "channel": 0}, "a strip has `line`, or `chip` and `channel`"),
        ({"chip": 0}, "a strip has `line`, or `chip` and `channel`"),
        ({"line": 3, "channel": 0}, "a strip has `line`, or `chip` and `channel`"),
        ({"chip": 0, "channel": 0, "active_low": True}, "`active_low` is of no use with `chip`"),
        ({"chip": 0, "channel": 0, "frequency": 50}, "frequency"),
    ],
)
def test_a_strip_that_is_neither_line_nor_pwm_is_refused(keys: dict[str, object], says: str) -> None:
    with pytest.raises(msgspec.ValidationError, match=says):
        msgspec.convert(keys, Strip)


def test_two_strips_on_one_channel_are_refused() -> None:
    with pytest.raises(ValueError, match="two strips have one `chip` and `channel`"):
        Lights(entry_strip=Strip(chip=0, channel=1), floor_strips=(Strip(chip=0, channel=1),))


def test_the_example_shows_every_key_of_the_lights() -> None:
    text = EXAMPLE.read_text()
    section = text[text.index("# [io_board.lights]") : text.index("[[cameras]]")]
    shown = tomllib.loads(re.sub(r"^# ", "", section, flags=re.MULTILINE))["io_board"]["lights"]
    lights = msgspec.convert(shown, Lights)
    assert set(shown) == set(Lights.__struct_fields__)
    assert len(lights.strips) == 4
    defaults = Lights()
    for name in ("brightness", "night_brightness"):
        assert getattr(lights, name) == getattr(defaults, name)


@pytest.mark.parametrize(
    ("error", "code", "says"),
    [
        (OSError(errno.ENODEV, ""), "no_pwm_channel", "correct [io_board.lights] exit_strip channel"),
        (OSError(errno.EBUSY, ""), "pwm_busy", "held by a driver of the kernel"),
        (OSError(errno.EACCES, ""), "no_access", "docs/wiring.md"),
        (OSError(errno.EROFS, ""), "no_access", "docs/wiring.md"),
        (TimeoutError("export"), "no_access", "docs/wiring.md"),
        (
            OSError(errno.EINVAL, ""),
            "pwm_refused",
            "cannot do 1000 Hz: correct [io_board.lights] exit_strip frequency",
        ),
        (OSError("unknown value"), "pwm_refused", "see the kernel's log"),
    ],
)
def test_what_the_kernel_refuses_says_what_to_do(error: OSError, code: str, says: str) -> None:
    refused = Dimmer("light_strips", "[io_board.lights] exit_strip", 2, 3, 1000.0)._refused(error)
    assert refused.code == code
    assert "channel 3 of /sys/class/pwm/pwmchip2" in refused.fix
    assert says in refused.fix


def test_a_dimmer_that_is_not_open_lights_nothing() -> None:
    dimmer = Dimmer("light_strips", "[io_board.lights] exit_strip", 2, 3, 1000.0)
    dimmer.close()
    with pytest.raises(DeviceGone, match="not_open"):
        dimmer.light(1.0)


# --- real drivers on served devices ---------------------------------------------------------------


LIGHTS = Lights(
    entry_strip=Strip(chip=0, channel=0),
    exit_strip=Strip(line="EXIT STRIP", active_low=True),
    floor_strips=(Strip(chip=0, channel=1, frequency=500), Strip(chip=0, channel=2), Strip(line=40)),
    brightness=0.8,
    night_brightness=0.4,
    night=("22:00", "06:00"),
)


@pytest.fixture
def settings() -> IoBoardSettings:
    return msgspec.structs.replace(wiring(), lights=LIGHTS)


@pytest.fixture
def board(settings: IoBoardSettings) -> SimulatedBoard:
    return SimulatedBoard(settings)


@pytest.fixture
def chip() -> SimulatedPwm:
    return SimulatedPwm()


@pytest.fixture
def folder() -> Iterator[Path]:
    with tempfile.TemporaryDirectory() as name:  # short: the path of a Unix socket has 108 bytes
        yield Path(name)


@pytest.fixture
def program(folder: Path, settings: IoBoardSettings, board: SimulatedBoard) -> Iterator[Program]:
    with GpioServer(folder, board), Program(folder, settings) as program:
        program.open_board()
        yield program


def comes(board: SimulatedBoard, chip: SimulatedPwm, wanted: tuple[float, ...], within_s: float = 5) -> None:
    """Wait until entry, exit and the three strips of the floor shine so, as the eye sees it."""

    def shown() -> tuple[float, ...]:
        entry, first, second = (chip.duty(channel) ** (1 / GAMMA) for channel in range(3))
        return (entry, float(board.read("exit_strip")), first, second, float(board.read("floor_strip_3")))

    deadline = time.monotonic() + within_s
    while shown() != pytest.approx(wanted, abs=0.01):
        assert time.monotonic() < deadline, shown()
        time.sleep(0.005)


def test_strips_on_pwm_and_lines_follow_the_pattern_and_dim_by_night(
    folder: Path, board: SimulatedBoard, chip: SimulatedPwm, program: Program
) -> None:
    with PwmServer(folder, chip):
        program.ask("strips", "12:00")
        program.ask("guide", "go")
        comes(board, chip, (0, 1, 0.8, 0, 0))
        comes(board, chip, (0, 1, 0, 0.8, 0))
        comes(board, chip, (0, 1, 0, 0, 1))
        comes(board, chip, (0, 1, 0, 0, 0))
        comes(board, chip, (0, 1, 0.8, 0, 0))
        program.ask("guide", "wait")
        comes(board, chip, (0, 0, 0.8, 0.8, 1))
        program.ask("clock", "23:30")
        program.ask("guide", "wait")
        comes(board, chip, (0, 0, 0.4, 0.4, 1))
        program.ask("guide", "emergency")
        comes(board, chip, (1, 1, 1, 0, 1))
        program.ask("guide", "ready")
        comes(board, chip, (0.4, 0, 0, 0, 0))
        assert (chip.period_ns(0), chip.period_ns(1)) == (1_000_000, 2_000_000)
        program.ask("darken")
        assert chip.exported == frozenset()
        assert program.silent_for(0.1)


def test_a_channel_that_a_killed_program_left_lit_is_dark_before_it_is_used(
    folder: Path, settings: IoBoardSettings, board: SimulatedBoard, chip: SimulatedPwm
) -> None:
    with GpioServer(folder, board), PwmServer(folder, chip):
        with Program(folder, settings) as first:
            first.open_board()
            first.ask("strips", "12:00")
            first.ask("guide", "ready")
            comes(board, chip, (0.8, 0, 0, 0, 0))
            first.kill()
        assert chip.duty(0) > 0  # sysfs keeps what it was told
        with Program(folder, settings) as second:
            second.open_board()
            second.ask("strips", "12:00")
            comes(board, chip, (0, 0, 0, 0, 0))


def test_a_missing_pwm_chip_is_told_once_and_used_when_it_comes(
    folder: Path, board: SimulatedBoard, chip: SimulatedPwm, program: Program
) -> None:
    program.begin("strips", "12:00")
    waited_for = ["value", "fault", "fault", "fault"]  # in whatever order

    def came(said: dict[str, Any]) -> bool:
        waited_for.remove("value" if "value" in said else "fault")
        return not waited_for

    program.expect(came)
    told = [said for said in program.said if "fault" in said]
    assert {fault["fault"] for fault in told} == {"no_pwm_chip"}
    assert "correct [io_board.lights] entry_strip chip" in told[0]["text"]
    for _ in range(3):
        program.ask("guide", "ready")
    assert program.silent_for(0.3)
    with PwmServer(folder, chip):
        comes(board, chip, (0.8, 0, 0, 0, 0), within_s=12)
        chip.broken = True
        program.ask("guide", "wait")
        assert program.expect(lambda said: "fault" in said)["fault"] == "no_pwm_channel"
        chip.broken = False
        comes(board, chip, (0, 0, 0.8, 0.8, 1), within_s=12)


def test_a_channel_that_the_chip_has_not_names_its_key(
    folder: Path, program: Program, board: SimulatedBoard
) -> None:
    del board
    with PwmServer(folder, SimulatedPwm(channels=2)):
        program.ask("strips", "12:00")
        fault = program.expect(lambda said: "fault" in said)
        assert fault["fault"] == "no_pwm_channel"
        assert "correct [io_board.lights] floor_strip_2 channel" in fault["text"]


class Lost:
    """A board that went away."""

    def read(self, name: str) -> bool:
        raise NotImplementedError(name)

    def write(self, name: str, active: bool) -> None:  # noqa: FBT001 - the port of the driver
        raise DeviceGone("io_board", "chip_lost", f"{name} {active}")


def test_of_a_lost_board_its_own_watch_tells() -> None:
    told: list[DeviceError] = []
    strips = LightStrips(Lost(), Lights(entry_strip=Strip(line=1)), told.append, lambda: NOON)
    for name in ASKS:
        strips.show(name)
    strips.close()
    strips.close()
    assert told == []
    assert strips._thread not in threading.enumerate()


def test_an_unknown_pattern_is_a_programming_error() -> None:
    strips = LightStrips(Lost(), Lights(), lambda _error: None, lambda: NOON)
    with pytest.raises(ValueError, match="no strip pattern 'disco': use one of closed, ready"):
        strips.show("disco")
    strips.close()
