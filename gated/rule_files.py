"""The rules of a gate: what is published, or the file that its configuration names, or its own settings.

A gate does not decide by rules whose examples do not come out as they say: whoever wrote the one or the other
did not mean it. Nor by rules that ask for another height than the policy, by which the cameras measure.
"""

from collections.abc import Callable
from pathlib import Path

from gated.config import ConfigError, GateConfig
from gated.rules import MAX_PACK, Pack, RulesError, of_settings, read, tried
from gated.store.standings import Standings
from gated.watchlist.keyed import ListKeys


def read_pack(path: Path) -> Pack:
    """Read a rule pack. Raises ConfigError that names the file, the key and the fix."""
    try:
        with path.open("rb") as file:
            raw = file.read(MAX_PACK + 1)
    except OSError as error:
        raise ConfigError(
            f"{path}: cannot be read ({error.strerror}): check the path and its rights"
        ) from error
    try:
        return read(raw)
    except RulesError as error:
        raise ConfigError(f"{path}: {error}") from error


def read_usable(path: Path, config: GateConfig) -> Pack:
    """Read a rule pack that this gate can decide by. Raises ConfigError."""
    pack = read_pack(path)
    if broken := tried(pack).broken:
        fix = "correct the example or the rules: `gatectl rules test` shows both"
        raise ConfigError(f"{path}: examples[{broken[0].number}]: does not come out as it says: {fix}")
    asked = config.policy.min_height_m
    if pack.min_height_m is not None and pack.min_height_m != asked:
        fix = f"policy.min_height_m is {asked:g}: make it the same"
        raise ConfigError(f"{path}: rules ask for a height of {pack.min_height_m:g} m: {fix}")
    return pack


def load_rules(config: GateConfig, published: Path | None = None) -> Pack:
    """Read the rules that a gate decides by; `published` stands in place of its own. Raises ConfigError."""
    settings = config.eligibility
    if published is not None or settings.rules is not None:
        return read_usable(published or Path(str(settings.rules)), config)
    try:
        return of_settings(settings, config.policy.min_height_m)
    except RulesError as error:
        raise ConfigError(f"[eligibility]: {error}") from error


def open_standings(
    config: GateConfig, keys: ListKeys, published: Callable[[], Path | None] = lambda: None
) -> Standings | None:
    """What the centre knows of travellers: what it has published, else the file that is configured.

    None without a list key: nothing could be read. Raises ConfigError where a file is configured then.
    """
    named = config.eligibility.standings
    if not keys.ids:
        if named is None:
            return None
        fix = "name the list key that they are made under in [watchlist] keys"
        raise ConfigError(f"eligibility.standings: they cannot be read without a key: {fix}")
    return Standings(None if named is None else Path(named), keys, standings_max_age_s(config), published)


def standings_max_age_s(config: GateConfig) -> float:
    """From which age on a file of standings is no knowledge any more, wherever it came from."""
    return config.policy.standings_max_age_s
