"""The buttons and the section of the configuration: both or none, and only a press is an answer."""

from pathlib import Path

import pytest

from gated.config import ConfigError, load
from gated.core.vocabulary import Device
from gated.lanes.condition import Condition
from gated.lanes.dossier import Dossiers
from gated.lanes.ends import Ends
from gated.lanes.sensors import Sensors
from hw_sim.lane.board import SimulatedBoard, wiring
from tests.lanes.rounds import Posted
from tests.test_config import lane

BUTTONS = ("consent_yes", "consent_no")
JOURNAL = (
    f'[journal]\ncollector = "tcp://centre:4712"\nreceipt_key = "{"1" * 64}"\nkey_file = "journal.key"\n'
)
REGISTRATION = (
    f'[registration]\nkey_file = "registration.key"\ncentre_key = "{"0" * 64}"\ntext = "2026-1"\n'
    'states = ["UTO"]\n'
)
NUMBERED_TWICE = 'numbered = ["UTO"]\nnumbered_by_chip = ["UTO"]\n'


@pytest.mark.parametrize(
    ("text", "told"),
    [
        (lane("mantrap", *BUTTONS), "nobody is asked for consent: remove them, or add"),
        (f"{lane('mantrap', BUTTONS[0])}\n{JOURNAL}{REGISTRATION}", "nobody can answer the question: wire"),
        (f"{lane('mantrap', *BUTTONS)}\n{REGISTRATION}", r"the centre would not hear of it: add \[journal\]"),
        (
            f"{lane('mantrap', *BUTTONS)}\n{JOURNAL}{REGISTRATION.replace('UTO', 'QQQ')}",
            "registration.states: QQQ: take codes of Doc 9303-3",
        ),
        (
            f'{lane("mantrap", *BUTTONS)}\n{JOURNAL}{REGISTRATION}numbered = ["FRA"]\n',
            "registration.states: FRA: take codes",
        ),
        (
            f'{lane("mantrap", *BUTTONS)}\n{JOURNAL}{REGISTRATION}numbered_by_chip = ["FRA"]\n',
            "registration.states: FRA: take codes",
        ),
        (
            f"{lane('mantrap', *BUTTONS)}\n{JOURNAL}{REGISTRATION}{NUMBERED_TWICE}",
            "registration.numbered_by_chip: UTO: a state has its number in the zone or in the chip",
        ),
    ],
)
def test_registration_without_what_it_needs_is_refused(tmp_path: Path, text: str, told: str) -> None:
    path = tmp_path / "gate.toml"
    path.write_text(text)
    with pytest.raises(ConfigError, match=told):
        load(path)


def test_a_lane_that_registers_loads(tmp_path: Path) -> None:
    path = tmp_path / "gate.toml"
    path.write_text(f"{lane('mantrap', *BUTTONS)}\n{JOURNAL}{REGISTRATION}")
    registration = load(path).config.registration
    assert registration is not None
    assert registration.states == ("UTO",)


def test_a_button_answers_when_it_is_pressed_and_not_when_it_is_let_go() -> None:
    settings = wiring(also=BUTTONS)
    posted = Posted()
    condition = Condition(Device.IO_BOARD, posted)
    sensors = Sensors(settings, Ends(SimulatedBoard(settings)), condition, Dossiers(), posted)
    sensors.sense("consent_yes", active=True)  # nobody registers here
    pressed: list[bool] = []
    sensors.on_consent = pressed.append
    for wire, active in (("consent_yes", False), ("consent_no", True), ("consent_no", False)):
        sensors.sense(wire, active=active)
    sensors.sense("consent_yes", active=True)
    assert pressed == [False, True]
    assert posted == []
