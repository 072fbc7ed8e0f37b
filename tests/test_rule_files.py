"""Which rules a gate decides by, and when it does not start on them."""

from datetime import UTC, datetime
from pathlib import Path

import pytest
from msgspec.structs import replace

from gated.config import ConfigError, GateConfig, load
from gated.core.personal import Personal
from gated.core.settings.travellers import EligibilitySettings
from gated.rule_files import load_rules, open_standings, read_usable
from gated.watchlist.keyed import ListKey, ListKeys
from tests.rules.packs import AGENCY_FILE, agency
from tests.test_config import complaint, filled


@pytest.fixture
def config(tmp_path: Path) -> GateConfig:
    path = tmp_path / "gate.toml"
    path.write_text(filled())
    return load(path).config


def with_rules(config: GateConfig, path: Path) -> GateConfig:
    return replace(config, eligibility=EligibilitySettings(rules=str(path)))


def test_a_gate_without_rules_decides_by_its_settings(config: GateConfig) -> None:
    pack = load_rules(config)
    assert (pack.name, pack.min_height_m) == ("settings", config.policy.min_height_m)
    older = replace(config, eligibility=EligibilitySettings(min_age_years=12))
    assert load_rules(older).sha256 != pack.sha256


def test_a_gate_with_rules_decides_by_them(config: GateConfig) -> None:
    assert load_rules(with_rules(config, AGENCY_FILE)).sha256 == agency().sha256


def test_published_rules_stand_in_place_of_its_own(config: GateConfig) -> None:
    assert load_rules(config, published=AGENCY_FILE).sha256 == agency().sha256


def refusal(config: GateConfig, tmp_path: Path, old: str, new: str) -> str:
    path = tmp_path / "rules.toml"
    text = AGENCY_FILE.read_text("utf-8")
    assert old in text
    path.write_text(text.replace(old, new))
    with pytest.raises(ConfigError) as error:
        read_usable(path, config)
    assert str(path) in str(error.value)
    return str(error.value).removeprefix(f"{path}: ")


def test_rules_whose_examples_do_not_come_out_are_refused(config: GateConfig, tmp_path: Path) -> None:
    told = refusal(config, tmp_path, "age = { at_least = 10 }", "age = { at_least = 9 }")
    assert told.startswith("examples[2]: does not come out as it says: correct the example or the rules")


def test_rules_with_another_height_than_the_policy_are_refused(config: GateConfig, tmp_path: Path) -> None:
    told = refusal(config, tmp_path, "at_least = 1.20", "at_least = 1.25")
    assert told == "rules ask for a height of 1.25 m: policy.min_height_m is 1.2: make it the same"


def test_rules_with_a_fault_are_refused_by_file_and_key(config: GateConfig, tmp_path: Path) -> None:
    told = refusal(config, tmp_path, 'nationals = ["UTO"]', 'nationals = ["DEU"]')
    assert told.startswith("grounds[0].when.nationality: `@nationals` holds `DEU`, no nationality: take")
    with pytest.raises(ConfigError, match="cannot be read"):
        load_rules(with_rules(config, tmp_path / "none.toml"))


def test_settings_that_are_no_rules_are_told_by_their_section(config: GateConfig) -> None:
    odd = replace(config, eligibility=EligibilitySettings(document_types=("<",)))
    with pytest.raises(ConfigError, match=r"^\[eligibility\]: rules\[0\]\.that\.document_type"):
        load_rules(odd)


@pytest.mark.parametrize(
    ("lines", "says"),
    [
        ('rules = "/etc/egate/rules.toml"\nmin_age_years = 12', "`min_age_years` is of no use with `rules`"),
        ('forward = "north"', "eligibility.forward"),
        ('record = "all"', "eligibility.record"),
    ],
)
def test_keys_that_contradict_each_other_are_refused(tmp_path: Path, lines: str, says: str) -> None:
    text = complaint(tmp_path, "[eligibility]\nmin_age_years = 10\n", f"[eligibility]\n{lines}\n")
    assert says in text


def test_document_types_are_said_in_the_rules_alone(tmp_path: Path) -> None:
    types = 'rules = "/etc/egate/rules.toml"\ndocument_types = ["I"]'
    text = complaint(tmp_path, 'document_types = ["P"]', types)
    assert "`document_types` is of no use with `rules`" in text


def test_standings_need_a_key(config: GateConfig, tmp_path: Path) -> None:
    keys = ListKeys([ListKey(bytes(32))])
    assert open_standings(config, ListKeys()) is None
    unknown = open_standings(config, keys)
    assert unknown is not None, "a file may be published later"
    assert unknown.of("FRA", Personal("12AB34567"), datetime.now(UTC)) is None
    named = replace(config, eligibility=EligibilitySettings(standings=str(tmp_path / "standings.db")))
    with pytest.raises(ConfigError, match=r"^eligibility\.standings: they cannot be read without"):
        open_standings(named, ListKeys())
    standings = open_standings(named, keys)
    assert standings is not None
    standings.close()
