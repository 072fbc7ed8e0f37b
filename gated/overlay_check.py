"""What can be said of a published configuration before a gate has seen it: each key, as a gate would read it.

What rests on a gate's own file, as its sensors, its models, or a key that the overlay leaves as it is there,
each gate looks at by itself. So nothing is refused here that some gate could use.
"""

from pathlib import Path
from typing import Any

from gated.config import ConfigError, Officers, TimeZone, check_once, check_said, check_zone, convert
from gated.core.policy import AGE_KEYS, Policy
from gated.core.settings import Settings
from gated.core.settings.cameras import VisionSettings
from gated.core.settings.documents import DocumentSettings
from gated.core.settings.travellers import EligibilitySettings
from gated.overlay import OverlayError, read_overlay
from gated.rules import RulesError, of_settings
from models import manifest
from models.manifest import ModelError

_OF_EVERY_GATE: dict[str, dict[str, Any]] = {
    "policy": {"liveness_threshold": 0.5},
    "vision": {"embedder": "of-the-gate"},
}
"""What a gate's own file cannot do without, so that an overlay can."""


class Overlay(Settings):
    """The sections that may be published, each of the type that it has in a gate's own file."""

    policy: Policy = Policy(**_OF_EVERY_GATE["policy"])
    vision: VisionSettings = VisionSettings(**_OF_EVERY_GATE["vision"])
    document: DocumentSettings = DocumentSettings()
    eligibility: EligibilitySettings = EligibilitySettings()
    officers: Officers = ()
    time_zone: TimeZone = "UTC"


def check_overlay(name: Path, raw: bytes) -> None:
    """Refuse what no gate would take. Raises ConfigError that names the file, the key and the fix."""
    try:
        table = read_overlay(raw)
    except OverlayError as error:
        raise ConfigError(f"{name}: {error}") from error
    check_said(name, table)
    overlay = convert(name, _filled(table), Overlay)
    check_zone(name, overlay.time_zone)
    check_once(name, "officers.name", [each.name for each in overlay.officers], "one key each")
    _check_eligibility(name, overlay)
    _check_rate(name, table, overlay)


def _filled(table: dict[str, Any]) -> dict[str, Any]:
    """The overlay with what every gate has of its own, where a section of it is there."""
    filled = dict(table)
    for section, own in _OF_EVERY_GATE.items():
        if isinstance(said := table.get(section), dict):
            filled[section] = own | said
    if isinstance(policy := filled.get("policy"), dict):
        for keys in AGE_KEYS.values():
            policy |= _ages(policy, keys)
    return filled


def _ages(policy: dict[str, Any], keys: tuple[str, str, str]) -> dict[str, Any]:
    """For the ages that are not said, those that go with the ones that are: a gate may have any."""
    warn, longest, close = keys
    least = policy.get(warn, 0.0)
    return {warn: least, longest: policy.get(longest, policy.get(close, least))}


def _check_eligibility(name: Path, overlay: Overlay) -> None:
    """Refuse keys in place of rules that are none. Raises ConfigError."""
    if overlay.eligibility.rules is not None:
        return
    try:
        of_settings(overlay.eligibility, overlay.policy.min_height_m)
    except RulesError as error:
        raise ConfigError(f"{name}: [eligibility]: {error}") from error


def _check_rate(name: Path, table: dict[str, Any], overlay: Overlay) -> None:
    """Refuse a shipped embedder beside a rate that it was not measured at. Raises ConfigError."""
    entry = manifest.load().embedders.get(overlay.vision.embedder)
    if entry is None or "match_fmr" not in table.get("policy", {}):
        return
    try:
        manifest.threshold(overlay.vision.embedder, entry, overlay.policy.match_fmr)
    except ModelError as error:
        raise ConfigError(f"{name}: policy.match_fmr: {error}") from error
