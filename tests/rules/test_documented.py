"""`docs/rules.md` tells of every fact, check, reason and outcome, and what it shows of a pack is one."""

import re
import tomllib
from pathlib import Path

from gated.core.rulings import Ruling
from gated.rules import CHECKS, REASONS, from_table
from gated.rules.facts import FACTS
from gated.rules.recording import BANDS
from gated.rules.standing_rows import COLUMNS
from tests.rules.packs import small

DOCS = Path(__file__).parents[2] / "docs"
PAGE = (DOCS / "rules.md").read_text("utf-8")
DECISION = next((DOCS / "decisions").glob("*-what-a-journal-tells-a-new-rule.md")).read_text("utf-8")


def test_every_word_stands_in_the_page() -> None:
    named = set(re.findall(r"`([a-z][a-z0-9_]*)`", PAGE))
    assert named >= {*FACTS, *CHECKS, *REASONS, *map(str, Ruling)} - {"height_m"}
    for code, words in {**CHECKS, **REASONS}.items():
        assert f"| `{code}` | {words} |" in PAGE
    assert all(column in PAGE for column in COLUMNS)


def test_the_pack_that_is_shown_is_read() -> None:
    (shown,) = (text for text in re.findall(r"```toml\n(.*?)```", PAGE, re.DOTALL) if "[[grounds]]" in text)
    table = tomllib.loads(shown)
    pack = from_table(small() | table | {"law": {"lanes-1": "a", "lanes-10": "b"}})
    assert [rule.id for rule in pack.rules] == ["no-exit-ban"]


def test_the_bands_are_those_that_the_decision_names() -> None:
    ages = ", ".join(map(str, BANDS["age"]))
    assert f"a band: {ages} and older" in DECISION
    assert set().union(*(BANDS[name] for name in BANDS if name != "age")) == {0, 30, 90, 180}
