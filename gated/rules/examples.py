"""The examples that travel with a pack: whether each comes out as it says, and what no example shows."""

from gated.core.rulings import Held, Ruling
from gated.core.values import Value
from gated.rules.deciding import decide
from gated.rules.pack import Pack


class Broken(Value):
    """An example that does not come out as it says."""

    number: int
    title: str
    outcome: Ruling
    reasons: tuple[str, ...]
    decided: Ruling
    decided_reasons: tuple[str, ...]


class Tried(Value):
    """All examples, tried. `unshown`: grounds that entitle nobody in them, and rules that all fulfil."""

    examples: int
    broken: tuple[Broken, ...]
    unshown: tuple[str, ...]

    @property
    def good(self) -> bool:
        """Whether all come out, and show every ground and rule at work."""
        return not self.broken and not self.unshown


def tried(pack: Pack) -> Tried:
    """Decide every example of the pack."""
    broken: list[Broken] = []
    grounds, rules = {ground.id for ground in pack.grounds}, {rule.id for rule in pack.rules}
    shown: set[str] = set()
    for n, example in enumerate(pack.examples):
        decision = decide(pack, example.facts)
        entitled = {each.rule for each in decision.why if each.held is Held.YES} & grounds
        shown |= entitled | ({each.rule for each in decision.why if each.held is Held.NO} & rules)
        if (decision.ruling, frozenset(decision.reasons)) != (example.outcome, example.reasons):
            broken.append(
                Broken(
                    number=n,
                    title=example.title,
                    outcome=example.outcome,
                    reasons=tuple(sorted(example.reasons)),
                    decided=decision.ruling,
                    decided_reasons=decision.reasons,
                )
            )
    ids = [*(ground.id for ground in pack.grounds), *(rule.id for rule in pack.rules)]
    unshown = [each for each in ids if each not in shown]
    return Tried(examples=len(pack.examples), broken=tuple(broken), unshown=tuple(unshown))
