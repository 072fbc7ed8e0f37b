"""A rule pack: who may use the lanes by themselves, as data.

Theory. *Grounds* say whom the lanes are for: one that holds is enough. *Rules* say what must hold besides,
each of whom it concerns. All rules are asked, always; of those that do not hold the gravest outcome counts.
So nothing depends on the order in which a pack is written, and no rule can hide another one. What is unknown
never holds: a ground that is unknown entitles nobody, a rule that is unknown refers to an officer.
"""

from dataclasses import dataclass

from gated.core.rulings import Ruling
from gated.rules.conditions import Condition, Groups
from gated.rules.knowledge import Facts


@dataclass(frozen=True, slots=True)
class Ground:
    """Whom the lanes are for; `law` is the id of its text."""

    id: str
    law: str
    when: Condition


@dataclass(frozen=True, slots=True)
class Rule:
    """What must hold (`that`) of whom it concerns (`of`), or `otherwise` follows, for `reason`.

    Where it cannot be told, the traveller is referred, for the reason `unsure`. `check` is the name that the
    result goes on record by; several rules may share one. `min_height_m`: the rule is about height, which is
    measured last.
    """

    id: str
    check: str
    law: str
    of: Condition
    that: Condition
    otherwise: Ruling
    reason: str
    unsure: str
    min_height_m: float | None = None


@dataclass(frozen=True, slots=True)
class Example:
    """Somebody invented, and what must be decided for them: the outcome, and the reasons, in any order."""

    title: str
    facts: Facts
    outcome: Ruling
    reasons: frozenset[str]


@dataclass(frozen=True, slots=True)
class Pack:
    """All of it. `sha256` is that of the bytes that it was read from; `law` the texts by their ids."""

    name: str
    version: int
    title: str
    sha256: str
    law: dict[str, str]
    groups: Groups
    grounds: tuple[Ground, ...]
    rules: tuple[Rule, ...]
    examples: tuple[Example, ...]

    @property
    def min_height_m(self) -> float | None:
        """The least height that any rule asks for; all that do ask for the same one."""
        return next((rule.min_height_m for rule in self.rules if rule.min_height_m is not None), None)
