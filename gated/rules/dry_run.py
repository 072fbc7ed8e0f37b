"""New rules tried on the passages of a journal: whose ruling would have been another one.

The journal tells bands and families in place of ages and codes (`recording`). Where a new rule asks for more
than was written, the answer is that it cannot be told, and never a guess. A fact that the gate itself did not
know is unknown to the new rules too, as it would have been.
"""

from collections import Counter
from collections.abc import Iterable, Mapping
from typing import Final

from gated.core.rulings import Held, Ruling
from gated.core.values import Value
from gated.rules.deciding import GRAVITY, Decision, decide
from gated.rules.facts import HEIGHT
from gated.rules.knowledge import Facts, Known, Span
from gated.rules.pack import Pack
from gated.rules.recording import recalled

MAX_TOLD: Final = 1000  # changed passages that are listed; all are counted

Moment = Mapping[str, Known]


class Passed(Value):
    """One passage as the journal tells it. `facts` as recorded; `reasons` those of the ruling.

    `asked_height_m` is what its height had to reach, None where that was not asked.
    """

    passage: str
    utc: str
    ruling: Ruling
    reasons: tuple[str, ...]
    facts: dict[str, str]
    asked_height_m: float | None = None


class Change(Value):
    """A passage that would be ruled otherwise. `by`: the grounds and rules that say so.

    `min_height_m`: it would be admitted on condition of a height that was never measured.
    """

    passage: str
    utc: str
    before: Ruling
    after: Ruling
    reasons: tuple[str, ...]
    by: tuple[str, ...]
    min_height_m: float | None = None


class Kinds(Value):
    """How many passages change alike."""

    before: Ruling
    after: Ruling
    reasons: tuple[str, ...]
    passages: int


class DryRun(Value):
    """What would change. `untold`: passages of which it cannot be told, by the facts that lack detail."""

    passages: int
    same: int
    changed: int
    kinds: tuple[Kinds, ...]
    changes: tuple[Change, ...]
    untold: int
    lacking: dict[str, int]


def dry_run(pack: Pack, passages: Iterable[tuple[Passed, Moment, Span | None]]) -> DryRun:
    """Try the pack on passages, each with its moment and, where it was measured, its height."""
    count = same = changed = untold = 0
    kinds: Counter[tuple[Ruling, Ruling, tuple[str, ...]]] = Counter()
    lacking: Counter[str] = Counter()
    changes: list[Change] = []
    for passed, moment, height in passages:
        count += 1
        found, missing = _again(pack, passed, moment, height)
        if missing:
            untold += 1
            lacking.update(missing)
        elif found is None:
            same += 1
        else:
            changed += 1
            kinds[found.before, found.after, found.reasons] += 1
            if len(changes) < MAX_TOLD:
                changes.append(found)
    return DryRun(
        passages=count,
        same=same,
        changed=changed,
        kinds=tuple(
            Kinds(before=before, after=after, reasons=reasons, passages=many)
            for (before, after, reasons), many in kinds.most_common()
        ),
        changes=tuple(changes),
        untold=untold,
        lacking=dict(lacking.most_common()),
    )


def _again(
    pack: Pack, passed: Passed, moment: Moment, height: Span | None
) -> tuple[Change | None, tuple[str, ...]]:
    """Decide once more: the change, if there is one; or the facts that lack detail."""
    known = {**recalled(passed.facts).known, **moment}
    decision = decide(pack, Facts(known))
    missing = _lacking(pack, passed, decision)
    if missing:
        return None, missing
    before, after, asked = passed.ruling, decision, decision.min_height_m
    if before is after.ruling is Ruling.ADMIT and asked != passed.asked_height_m:
        if height is None:
            return None, (HEIGHT,)
        before = Ruling.ADMIT if _reaches(height, passed.asked_height_m) else Ruling.REFER
        after, asked = decide(pack, Facts({**known, HEIGHT: height})), None
    if before is after.ruling:
        return None, ()
    return (
        Change(
            passage=passed.passage,
            utc=passed.utc,
            before=before,
            after=after.ruling,
            reasons=after.reasons,
            by=tuple(each.rule for each in after.why if each.reason),
            min_height_m=asked if after.ruling is Ruling.ADMIT else None,
        ),
        (),
    )


def _reaches(height: Span, asked: float | None) -> bool:
    return asked is None or (height.least is not None and height.least >= asked)


def _lacking(pack: Pack, passed: Passed, decision: Decision) -> tuple[str, ...]:
    """The recorded facts whose want of detail leaves the ruling open."""
    outcomes = {rule.id: rule.otherwise for rule in pack.rules}
    sure = max(
        (each.ruling for each in decision.why if each.held is Held.NO and each.rule in outcomes),
        key=GRAVITY.__getitem__,
        default=Ruling.ADMIT,
    )
    found: list[str] = []
    for each in decision.why:
        open_yet = GRAVITY[outcomes.get(each.rule, Ruling.REFER)] > GRAVITY[sure]
        if each.held is Held.UNKNOWN and open_yet:
            found += [name for name in each.by if name in passed.facts]
    return tuple(dict.fromkeys(found))
