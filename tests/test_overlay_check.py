"""What the centre refuses of a configuration before it is signed: what no gate would take, and no more."""

import contextlib
from pathlib import Path
from typing import get_type_hints

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gated.config import ConfigError, GateConfig, load
from gated.core.policy import Policy
from gated.core.settings.travellers import EligibilitySettings
from gated.overlay import SECTIONS
from gated.overlay_check import Overlay, check_overlay
from tests.test_config import filled

NAME = Path("overlay.toml")
OFFICER = '[[officers]]\nname = "kim"\npublic_key = "{}"\n'
KEYS = sorted({*Policy.__struct_fields__, *EligibilitySettings.__struct_fields__, *SECTIONS, "lane", "stop"})

REFUSED = [
    ("[policy]\nchip_trys = 3\n", "chip_trys", "remove it or correct its spelling"),
    ("[policy.limits]\nentry = 3\n", "policy.limits", "remove it or correct its spelling"),
    ("[eligibility]\nminimum_age = 3\n", "minimum_age", "remove it or correct its spelling"),
    ("[policy]\nliveness_threshold = 9\n", "policy.liveness_threshold", "correct the value"),
    ("[policy]\nlimits = 3\n", "policy.limits", "correct the value"),
    ("policy = 1\n", "policy", "correct the value"),
    ("document = [1]\n", "document", "correct the value"),
    ("[policy]\nmatch_threshold = 0.5\n", "policy.match_threshold", "choose policy.match_fmr"),
    ("[policy.person_hits]\nstop = 0.5\n", "policy.person_hits.stop", "correct the value"),
    ('[document]\nbac = "always"\n', "document.bac", "gate.example.toml"),
    ('time_zone = "Mars/Olympus"\n', "time_zone", "IANA"),
    ("time_zone = 4\n", "time_zone", "correct the value"),
    ('[[officers]]\nname = "kim"\n', "officers[0]", "public_key"),
    (OFFICER.format("0" * 64) + OFFICER.format("1" * 64), "officers.name", "one key each"),
    (OFFICER.format("<public key>"), "officers[0].public_key", "still to be filled in"),
    ('[vision]\nembedder = "Mine"\n', "vision.embedder", "correct the value"),
    ('[eligibility]\nrules = "/r"\nmin_age_years = 12\n', "`min_age_years`", "remove it"),
    ("[policy]\nrules_warn_age_s = 9\nrules_max_age_s = 8\n", "`rules_max_age_s`", "or longer"),
    ("[policy]\ntrust_warn_age_s = 9\ntrust_close_age_s = 8\n", "`trust_close_age_s`", "or longer"),
]
TAKEN = [
    "",
    "[policy]\nchip_tries = 3\n",
    "[policy.limits]\nentry_s = 9.5\n",
    '[vision]\nshadow = "theirs"\n',
    '[document]\nbac = "never"\n',
    'time_zone = "Asia/Seoul"\n',
    OFFICER.format("0" * 64),
    "[policy]\nrules_warn_age_s = 9\nrules_max_age_s = 10\nrules_close_age_s = 11\n",
    "[policy]\nrules_warn_age_s = 2_000_000\nrules_close_age_s = 3_000_000\n",
]


@pytest.fixture(scope="module")
def gate(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("gate") / "gate.toml"
    path.write_text(filled())
    return path


def overlay(gate: Path, text: str) -> Path:
    path = gate.with_name("overlay.toml")
    path.write_text(text)
    return path


@pytest.mark.parametrize(("text", "key", "fix"), REFUSED)
def test_what_a_gate_refuses_the_centre_refuses_with_the_key_and_the_fix(
    gate: Path, text: str, key: str, fix: str
) -> None:
    with pytest.raises(ConfigError) as told:
        check_overlay(NAME, text.encode())
    assert str(told.value).startswith("overlay.toml: ")
    assert key in str(told.value)
    assert fix in str(told.value)
    with pytest.raises(ConfigError):
        load(gate, overlay(gate, text))


@pytest.mark.parametrize("text", TAKEN[:-1])
def test_what_a_gate_takes_the_centre_lets_go(gate: Path, text: str) -> None:
    check_overlay(NAME, text.encode())
    load(gate, overlay(gate, text))


@pytest.mark.parametrize(
    "text",
    [
        TAKEN[-1],
        "[policy]\nwatchlist_max_age_s = 60\n",
        "[policy]\nwatchlist_close_age_s = 60\n",
        "[policy]\nmatch_fmr = 0.0005\n",
        '[vision]\nembedder = "of-one-gate"\n',
        '[eligibility]\nrules = "/etc/egate/rules.toml"\n',
    ],
)
def test_what_hangs_on_a_gate_s_own_file_is_left_to_the_gate(text: str) -> None:
    check_overlay(NAME, text.encode())


def test_a_shipped_embedder_is_published_at_a_rate_that_it_was_measured_at() -> None:
    text = '[policy]\nmatch_fmr = {}\n[vision]\nembedder = "dlib-resnet"\n'
    check_overlay(NAME, text.format(0.0001).encode())
    with pytest.raises(ConfigError, match=r"policy\.match_fmr.*choose from"):
        check_overlay(NAME, text.format(0.0005).encode())


def test_the_settings_in_place_of_rules_are_tried_as_rules() -> None:
    with pytest.raises(ConfigError, match=r"\[eligibility\].*document_type"):
        check_overlay(NAME, b'[eligibility]\ndocument_types = ["<"]\n')


def test_each_section_that_may_be_published_is_read_as_the_gate_reads_it() -> None:
    ours = get_type_hints(Overlay, include_extras=True)
    theirs = get_type_hints(GateConfig, include_extras=True)
    assert set(Overlay.__struct_fields__) == SECTIONS
    assert {key: ours[key] for key in SECTIONS} == {key: theirs[key] for key in SECTIONS}


VALUES = st.one_of(
    *(
        st.just(text)
        for text in ("1", "-1.5", "nan", "true", '"<x>"', '"P"', "[]", "[[1]]", "{}", "{ a = 1 }")
    ),
    st.just("1979-05-27"),
)


@given(st.dictionaries(st.sampled_from(KEYS), VALUES, max_size=5), st.sampled_from(["", *sorted(SECTIONS)]))
@settings(derandomize=True, max_examples=150)
def test_any_overlay_is_good_or_raises_the_one_error(keys: dict[str, str], section: str) -> None:
    lines = [f"[{section}]"] * bool(section) + [f"{key} = {value}" for key, value in keys.items()]
    with contextlib.suppress(ConfigError):
        check_overlay(NAME, "\n".join(lines).encode())


@pytest.mark.parametrize("text", ["policy = 1\n", "[policy]\nlane = 1\n", "policy = []\n"])
def test_a_value_in_place_of_a_table_is_told_by_its_key(tmp_path: Path, text: str) -> None:
    path = tmp_path / "gate.toml"
    path.write_text(text)
    with pytest.raises(ConfigError, match=r"gate\.toml"):
        load(path)
