"""`gatectl selftest` and `gatectl calibrate doors|sensors`, asked of a gate that is only a socket."""

import hashlib
import json
import tempfile
import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from msgspec.structs import replace

from gated.commands.selftest import DEVICES
from gated.core.vocabulary import Door
from gated.runtime import requests as say
from tests.gatectl import Run, RunningGate, gatectl
from tests.selftest.bench import WorldLine
from tests.selftest.test_running import TESTED
from tests.test_config import filled

KNOWN_BY_THE_GATE = ("gated", "io_board", "inputs", "doors", "presence", "link", "watchlist")


class Gate(RunningGate):
    """A gate whose doors are simulated, in a time that passes when the trace is asked for."""

    def __init__(self, folder: Path) -> None:
        self.line = WorldLine()
        self.tested = TESTED
        super().__init__(folder)
        self.answer = self._answer

    def maintain(self) -> None:
        self.tested = replace(TESTED, status=replace(TESTED.status, state="maintenance", mode="maintenance"))

    def _answer(self, request: Any) -> say.FromControl:
        match request:
            case say.SelfTest():
                inputs = tuple(
                    say.Sensed(name=name, active=active, since_s=60.0)
                    for name, active in self.line.levels().items()
                )
                return replace(self.tested, inputs=inputs)
            case say.AskDoor():
                self.line.release(request.door)
                return say.Done()
            case say.AskTrace():
                marks = self.line.news()
                return say.Traced(last=marks[-1].number if marks else request.after or 0, marks=marks)
            case _:
                return say.Done()

    def moved(self) -> list[Door | None]:
        return [request.door for request in self.asked if isinstance(request, say.AskDoor)]


@pytest.fixture
def folder() -> Iterator[Path]:
    with tempfile.TemporaryDirectory() as name:  # short: the path of a Unix socket has 108 bytes
        yield Path(name)


@pytest.fixture
def gate(folder: Path) -> Iterator[Gate]:
    one = Gate(folder)
    yield one
    one.close()


@pytest.fixture
def run(capsys: pytest.CaptureFixture[str], folder: Path) -> Run:
    config = folder / "gate.toml"
    config.write_text(filled().replace('run = "/run/egate"', f'run = "{folder}"'))
    ask = gatectl(capsys)
    return lambda *words: ask(*words, "--config", config)


@pytest.fixture(autouse=True)
def own_time(monkeypatch: pytest.MonkeyPatch, request: pytest.FixtureRequest) -> None:
    """The marks' clock is that of the simulated lane."""
    if "gate" in request.fixturenames:
        line = request.getfixturevalue("gate").line
        monkeypatch.setattr("gated.selftest.gate_line.ControlLine.now", lambda _: line.now())
        monkeypatch.setattr("gated.selftest.gate_line.POLL_S", 0.0)


def test_what_the_gate_knows_is_told_in_turn(gate: Gate, run: Run) -> None:
    status, out, _ = run("selftest", "--only", *KNOWN_BY_THE_GATE)
    assert status == 0
    devices = [line.split()[1] for line in out.splitlines() if line.startswith("ok ")]
    assert devices == sorted(devices, key=DEVICES.index)
    assert set(devices) == set(KNOWN_BY_THE_GATE)
    assert all(len(line) <= 80 for line in out.splitlines())
    assert out.splitlines()[-1] == "not tried: doors (--move), in maintenance"
    assert gate.moved() == []
    assert not any(isinstance(request, say.SetMode | say.TryLamp) for request in gate.asked)


def test_bad_news_says_what_to_do_and_ends_with_one(gate: Gate, run: Run) -> None:
    trouble = say.Trouble(code="chip_lost", fix="check the board's cable and power")
    gate.tested = replace(TESTED, troubles={"io_board": trouble})
    status, out, _ = run("selftest", "--only", "io_board", "link")
    assert status == 1
    assert "FAULT    io_board           chip_lost: does not work" in out
    assert "to do              check the board's cable and power" in out
    assert "1 ok, 0 warnings, 1 fault: io_board" in out
    status, out, _ = run("selftest", "--only", "io_board", "link", "--json")
    told = json.loads(out)
    assert status == 1
    assert told["counts"] == {"ok": 1, "warning": 0, "fault": 1}
    assert [each["code"] for each in told["findings"]] == ["chip_lost", ""]


def test_nothing_moves_or_lights_outside_maintenance(gate: Gate, run: Run) -> None:
    status, out, _ = run("selftest", "--only", "doors", "lamps", "--move", "--lamps")
    assert status == 1
    assert out.count("not_in_maintenance") == 2
    assert "gatectl gate mode maintenance" in out
    assert gate.moved() == []
    assert not any(isinstance(request, say.TryLamp) for request in gate.asked)
    for words in (("doors",), ("sensors",)):
        status, _, err = run("calibrate", *words)
        assert status == 2
        assert "gatectl gate mode maintenance" in err
    assert gate.moved() == []


def test_in_maintenance_each_door_moves_once_and_is_judged(gate: Gate, run: Run) -> None:
    gate.maintain()
    status, out, err = run("selftest", "--only", "doors", "--move")
    assert status == 0, out
    assert gate.moved() == [Door.ENTRY, None, Door.EXIT, None]
    assert out.count("1 cycle: opens after 0.0") == 2
    assert "keep clear" in err


def test_a_door_does_not_move_while_somebody_is_in_the_lane(gate: Gate, run: Run) -> None:
    gate.maintain()
    gate.line.board.drive("exit_inner_low", active=True)
    status, out, _ = run("selftest", "--only", "doors", "--move")
    assert (status, gate.moved()) == (1, [Door.ENTRY, None])
    assert "lane_occupied: not tried: exit_inner_low active" in out
    gate.line.board.drive("occupied", active=True)
    assert run("selftest", "--only", "doors", "--move")[0] == 1
    assert gate.moved() == [Door.ENTRY, None]


def test_in_maintenance_each_lamp_is_lit(gate: Gate, run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("gated.commands.selftest.LAMP_S", 0.0)
    gate.maintain()
    status, _, err = run("selftest", "--only", "lamps", "--lamps")
    assert status == 0
    lit = [request.lamp for request in gate.asked if isinstance(request, say.TryLamp)]
    assert lit == ["entry_green", "entry_red", "exit_green", "exit_red", "amber"]
    assert [line.split()[1] for line in err.splitlines()] == lit


def test_doors_are_calibrated(gate: Gate, run: Run) -> None:
    gate.maintain()
    status, out, err = run("calibrate", "doors", "--cycles", "2")
    assert status == 0, out + err
    text = out.partition("\n\n")[2]
    assert tomllib.loads(text)["policy"]["limits"]["closing_s"] == 2.5
    assert err.count("open after") == 4
    status, out, _ = run("calibrate", "doors", "--cycles", "1", "--json")
    told = json.loads(out)
    assert [cycle["door"] for cycle in told["cycles"]] == ["entry", "exit"]
    assert told["toml"].startswith("[policy.limits]")
    assert run("calibrate", "doors", "--cycles", "0")[0] == 2


def test_a_kiosk_has_no_door_to_calibrate(gate: Gate, run: Run) -> None:
    gate.maintain()
    gate.tested = replace(gate.tested, status=replace(gate.tested.status, topology="kiosk", doors={}))
    status, _, err = run("calibrate", "doors")
    assert status == 2
    assert "has no door" in err


def test_a_door_that_sticks_is_told_and_the_other_is_measured(gate: Gate, run: Run) -> None:
    gate.maintain()
    gate.line.world.jam(Door.ENTRY)
    status, out, _ = run("calibrate", "doors", "--cycles", "1")
    assert status == 1
    assert "door_not_open" in out
    assert "ok       doors exit" in out
    assert gate.moved()[-1] is None


def test_a_sensor_walk_that_nobody_walks_ends_and_says_so(gate: Gate, run: Run) -> None:
    gate.maintain()
    status, out, err = run("calibrate", "sensors", "--limit", "2", "--only", "walk")
    assert status == 1
    assert "leave the lane" in err
    assert "dead: never active" in out
    assert "gatectl clear-fault io_board" in out
    assert gate.moved()[-1] is None


def test_a_configuration_that_is_wrong_is_the_first_thing_to_mend(
    capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    broken = tmp_path / "gate.toml"
    broken.write_text("gate = 7")
    status, out, _ = gatectl(capsys)("selftest", "--config", broken)
    assert status == 1
    assert "config_unusable" in out
    assert "rest was not tested" in " ".join(out.split())


def test_a_gate_that_does_not_answer_is_told_and_its_devices_are_opened(run: Run) -> None:
    status, out, _ = run("selftest", "--only", "gated", "mrz_scanner")
    assert status == 1
    assert "gated_silent" in out
    assert "not_there" in out


def published_overlay(folder: Path, text: str) -> None:
    """A configuration that the centre has published, as it lies at a gate."""
    body = text.encode()
    place = folder / "published" / "config"
    (place / "1").mkdir(parents=True)
    (place / "1" / "overlay.toml").write_bytes(body)
    sha256 = hashlib.sha256(body).hexdigest()
    described = {"name": "overlay.toml", "use": "overlay", "length": len(body), "sha256": sha256}
    (place / "1" / "release.json").write_text(json.dumps([described]))
    (place / "current").write_text(json.dumps({"version": 1, "content": 1, "sha256": sha256}))


@pytest.fixture
def published(gate: Gate, folder: Path) -> Gate:
    """A gate whose state lies here, so that something can be published to it."""
    config = folder / "gate.toml"
    config.write_text(config.read_text().replace('state = "/var/lib/egate"', f'state = "{folder}"'))
    return gate


def test_what_is_published_is_judged_by(run: Run, published: Gate, folder: Path) -> None:
    told = published.tested
    published.tested = replace(told, status=replace(told.status, embedder="dlib-resnet"))

    def findings() -> list[tuple[str, str, str]]:
        status, out, _ = run("selftest", "--only", "models", "--json")
        assert status == 0, out
        return [(each["part"], each["code"], each["measured"]) for each in json.loads(out)["findings"]][1:]

    own = ("dlib-resnet", "", "decides; shipped or installed, the right file")
    assert findings() == [own]
    published_overlay(folder, '[vision]\nembedder = "mine"\n')
    assert findings() == [own, ("mine", "embedder_not_here", "named, and not used")]


def test_a_publication_that_no_longer_fits_the_gate_s_file_is_a_fault(
    run: Run, published: Gate, folder: Path
) -> None:
    published_overlay(folder, "[policy]\nno_such_rule = 1\n")
    status, out, _ = run("selftest", "--only", "configuration", "--json")
    assert status == 1
    (bad,) = [each for each in json.loads(out)["findings"] if each["code"]]
    assert (bad["device"], bad["code"]) == ("configuration", "published_unusable")
    assert "no_such_rule" in bad["fix"]
    assert run("selftest", "--only", "watchlist")[0] == 0
    assert published.asked
