"""The configuration of kiosks and of their gates: what each needs, and what is of no use elsewhere."""

from pathlib import Path

import pytest

from gated.config import ConfigError, load
from gated.core.settings.tokens import ServedGate, TrustedKiosk
from tests.test_config import filled

KEY = "ab" * 32
SECTION = '\n[tokens]\nkey_file = "/etc/egate/tokens.key"\nminutes = 20\n'
GATE = f'[tokens.gate]\nname = "lane-2"\npublic_key = "{KEY}"\n'
KIOSK = f'[[tokens.kiosks]]\nname = "kiosk-1"\npublic_key = "{KEY}"\n'


def write(tmp_path: Path, topology: str, *sections: str) -> Path:
    path = tmp_path / "gate.toml"
    text = filled().replace('topology = "mantrap"', f'topology = "{topology}"')
    path.write_text(text + "".join(sections))
    return path


def complaint(tmp_path: Path, topology: str, *sections: str) -> str:
    path = write(tmp_path, topology, *sections)
    with pytest.raises(ConfigError) as caught:
        load(path)
    return str(caught.value).removeprefix(f"{path}: ")


def test_a_kiosk_serves_a_gate_and_a_gate_trusts_kiosks(tmp_path: Path) -> None:
    tokens = load(write(tmp_path, "kiosk", SECTION, GATE)).config.tokens
    assert tokens is not None
    assert (tokens.minutes, tokens.gate) == (20, ServedGate(name="lane-2", public_key=KEY))
    tokens = load(write(tmp_path, "token_gate", SECTION, KIOSK)).config.tokens
    assert tokens is not None
    assert tokens.kiosks == (TrustedKiosk(name="kiosk-1", public_key=KEY),)


@pytest.mark.parametrize(
    ("topology", "sections", "told"),
    [
        ("kiosk", (), "topology: kiosk needs tokens: add [tokens] with `key_file`, and [tokens.gate]"),
        ("token_gate", (), "topology: token_gate needs tokens: add [tokens] with `key_file`, and [["),
        ("kiosk", (SECTION, KIOSK), "policy.lane.topology: kiosk needs tokens: add [tokens]"),
        ("token_gate", (SECTION, GATE), "policy.lane.topology: token_gate needs tokens: add [tokens]"),
        ("mantrap", (SECTION, GATE), "[tokens] is of no use to a lane without them: remove it, or set"),
        ("kiosk", (SECTION,), "tokens: a kiosk has `gate`, a gate has `kiosks`: write the one or the other"),
        ("kiosk", (SECTION, GATE, KIOSK), "tokens: a kiosk has `gate`, a gate has `kiosks`: write the one"),
        ("token_gate", (SECTION, KIOSK, KIOSK), "tokens.kiosks.name: kiosk-1 stands twice: one key each"),
        (
            "token_gate", (SECTION, KIOSK.replace("kiosk-1", "lane-1")),
            "tokens: lane-1 is this lane itself: name the other one",
        ),
        ("token_gate", (SECTION, KIOSK.replace(KEY, "0" * 63)), "tokens.kiosks[0].public_key: "),
        ("kiosk", (SECTION.replace("20", "0"), GATE), "tokens.minutes: Expected `int` >= 1: correct"),
        ("kiosk", (SECTION.replace("minutes", "minute"), GATE), "[tokens] Object contains unknown field"),
    ],
)  # fmt: skip
def test_each_fault_is_told_with_its_fix(
    tmp_path: Path, topology: str, sections: tuple[str, ...], told: str
) -> None:
    assert told in complaint(tmp_path, topology, *sections)
