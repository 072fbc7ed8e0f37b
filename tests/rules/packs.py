"""Packs for tests: the one that is shipped, and small ones to change."""

import copy
import functools
from pathlib import Path
from typing import Any

from gated.rules import Pack, from_table, read

AGENCY_FILE = Path(__file__).parents[2] / "config" / "rules" / "agency.toml"

_SMALL: dict[str, Any] = {
    "format": 1,
    "name": "small",
    "version": 1,
    "title": "A small pack",
    "law": {"art-1": "Nationals.", "art-2": "From ten years on."},
    "groups": {"nationals": ["UTO"]},
    "grounds": [{"id": "national", "law": "art-1", "when": {"nationality": "@nationals"}}],
    "rules": [
        {
            "id": "ten",
            "check": "age",
            "law": "art-2",
            "that": {"age": {"at_least": 10}},
            "reason": "under_age",
            "unsure": "age_unknown",
        }
    ],
}
BAN: dict[str, Any] = {
    "id": "ban",
    "check": "exit_ban",
    "law": "art-1",
    "of": {"direction": "departure"},
    "that": {"not": {"listed": "exit_ban"}},
    "otherwise": "stop",
    "reason": "exit_ban",
    "unsure": "exit_ban_unknown",
}
TALL: dict[str, Any] = {
    "id": "tall",
    "check": "height",
    "law": "art-2",
    "of": {"age": {"below": 18}},
    "that": {"height_m": {"at_least": 1.2}},
    "reason": "too_short",
    "unsure": "height_undetermined",
}


def small(*more: dict[str, Any], **changed: Any) -> dict[str, Any]:
    """The small pack's table, with more rules, and keys in place of its own."""
    table = copy.deepcopy(_SMALL) | copy.deepcopy(changed)
    table["rules"] = [*table["rules"], *copy.deepcopy(list(more))]
    return table


def small_pack(*more: dict[str, Any], **changed: Any) -> Pack:
    return from_table(small(*more, **changed))


@functools.cache
def agency() -> Pack:
    return read(AGENCY_FILE.read_bytes())
