"""The pack of a gate that names none: its `[eligibility]` as rules, so that one evaluator decides."""

from typing import Any

from gated.core.settings.travellers import EligibilitySettings
from gated.rules.pack import Pack
from gated.rules.reading import from_table

NAME = "settings"


def of_settings(settings: EligibilitySettings, min_height_m: float) -> Pack:
    """Turn the settings into a pack; with a least height of 0 nobody's is asked. Raises RulesError."""
    types = list(settings.document_types)
    rules: list[dict[str, Any]] = [
        {
            "id": "document-type",
            "check": "document_type",
            "law": NAME,
            "that": {"document_type": types} if types else {"not": {}},
            "reason": "document_type_not_served",
            "unsure": "document_type_unknown",
        },
        {
            "id": "least-age",
            "check": "age",
            "law": NAME,
            "that": {"age": {"at_least": settings.min_age_years}},
            "reason": "under_age",
            "unsure": "age_unknown",
        },
    ]
    if min_height_m > 0:
        rules.append(
            {
                "id": "least-height",
                "check": "height",
                "law": NAME,
                "of": {"age": {"below": settings.height_until_age_years}},
                "that": {"height_m": {"at_least": min_height_m}},
                "reason": "too_short",
                "unsure": "height_undetermined",
            }
        )
    return from_table(
        {
            "format": 1,
            "name": NAME,
            "version": 1,
            "title": "What the gate's own settings say",
            "law": {NAME: "[eligibility] and policy.min_height_m of gate.toml"},
            "grounds": [{"id": "everybody", "law": NAME, "when": {}}],
            "rules": rules,
        }
    )
