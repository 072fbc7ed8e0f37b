"""The evaluator: a pack and the facts of one traveller give a ruling, its checks, and why.

The results are those of TR-03135: a rule that holds is successful, one that does not has failed, one that
cannot be told is undetermined. Whom a rule does not concern it does not check.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

from gated.core.checks import Check, Result
from gated.core.rulings import Held, Ruling, Why
from gated.rules.facts import HEIGHT
from gated.rules.knowledge import Facts
from gated.rules.pack import Ground, Pack, Rule
from gated.rules.truth import Answer, Truth, merged
from gated.rules.vocabulary import ELIGIBILITY, GROUND_UNKNOWN, NOT_SERVED

GRAVITY: Final = {ruling: gravity for gravity, ruling in enumerate(Ruling)}
_RESULTS: Final = {
    Held.YES: Result.SUCCESSFUL,
    Held.NO: Result.FAILED,
    Held.UNKNOWN: Result.UNDETERMINED,
}
_WORSE: Final = {Result.SUCCESSFUL: 0, Result.UNDETERMINED: 1, Result.FAILED: 2}


@dataclass(frozen=True, slots=True)
class Decision:
    """What is decided; where there is `min_height_m`, on condition that a measured height reaches it."""

    ruling: Ruling
    checks: tuple[Check, ...]
    why: tuple[Why, ...]
    min_height_m: float | None

    @property
    def reasons(self) -> tuple[str, ...]:
        """The reasons of what did not hold, each once."""
        return tuple(dict.fromkeys(each.reason for each in self.why if each.reason))


def decide(pack: Pack, facts: Facts) -> Decision:
    """Decide. Where the height is not among the facts, what asks for it is left for when it is measured."""
    grounds = _of_grounds(pack.grounds, facts)
    rules = [_of_rule(rule, facts) for rule in pack.rules]
    entitled = _check_of_grounds(grounds)
    checks = {ELIGIBILITY: entitled}
    ruling = Ruling.ADMIT if entitled.result is Result.SUCCESSFUL else Ruling.REFER
    for rule, why in zip(pack.rules, rules, strict=True):
        if why.held in _RESULTS:
            _note(checks, Check(rule.check, _RESULTS[why.held], why.reason))
            ruling = max(ruling, why.ruling, key=GRAVITY.__getitem__)
    later = any(why.held is Held.LATER for why in rules)
    return Decision(
        ruling=ruling,
        checks=tuple(checks.values()),
        why=(*grounds, *rules),
        min_height_m=pack.min_height_m if later else None,
    )


def _note(checks: dict[str, Check], found: Check) -> None:
    """Keep the worst result of each check, and of equals the first."""
    known = checks.get(found.name)
    if known is None or _WORSE[found.result] > _WORSE[known.result]:
        checks[found.name] = found


def _of_grounds(grounds: Iterable[Ground], facts: Facts) -> list[Why]:
    """Those that hold; where none does, what all of them say."""
    told = [(ground, ground.when.ask(facts)) for ground in grounds]
    truths = {answer.truth for _, answer in told}
    nobody = Truth.YES not in truths
    holding = told if nobody else [each for each in told if each[1].truth is Truth.YES]
    unsure = Truth.UNKNOWN in truths
    return [
        Why(
            rule=ground.id,
            law=ground.law,
            held=Held(answer.truth),
            by=answer.by,
            reason=_no_ground(answer, unsure=unsure) if nobody else "",
            ruling=Ruling.REFER if nobody else Ruling.ADMIT,
        )
        for ground, answer in holding
    ]


def _no_ground(answer: Answer, *, unsure: bool) -> str:
    """That nobody is served is said only where no ground may yet turn out to hold."""
    if answer.truth is Truth.UNKNOWN:
        return GROUND_UNKNOWN
    return "" if unsure else NOT_SERVED


def _check_of_grounds(grounds: list[Why]) -> Check:
    held = {each.held for each in grounds}
    if Held.YES in held:
        return Check(ELIGIBILITY, Result.SUCCESSFUL)
    if Held.UNKNOWN in held:
        return Check(ELIGIBILITY, Result.UNDETERMINED, GROUND_UNKNOWN)
    return Check(ELIGIBILITY, Result.FAILED, NOT_SERVED)


def _of_rule(rule: Rule, facts: Facts) -> Why:
    """Whom it concerns must fulfil it; whoever fulfils it need not be known to be concerned."""
    concerned = rule.of.ask(facts)
    if concerned.truth is Truth.NO:
        return _why(rule, Held.NOT_CONCERNED, concerned.by)
    if rule.min_height_m is not None and HEIGHT not in facts.known:
        return _why(rule, Held.LATER, concerned.by)
    fulfilled = rule.that.ask(facts)
    by = merged(concerned.by, fulfilled.by)
    if fulfilled.truth is Truth.YES:
        return _why(rule, Held.YES, fulfilled.by)
    if Truth.UNKNOWN in {fulfilled.truth, concerned.truth}:
        unsure = [each.by for each in (concerned, fulfilled) if each.truth is Truth.UNKNOWN]
        return _why(rule, Held.UNKNOWN, merged(*unsure), rule.unsure, Ruling.REFER)
    return _why(rule, Held.NO, by, rule.reason, rule.otherwise)


def _why(rule: Rule, held: Held, by: tuple[str, ...], reason: str = "", ruling: Ruling = Ruling.ADMIT) -> Why:
    return Why(rule=rule.id, law=rule.law, held=held, by=by, reason=reason, ruling=ruling)
