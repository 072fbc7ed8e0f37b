"""What `gatectl rules` tells, in lines of 80 columns at most."""

from collections.abc import Iterable, Iterator, Mapping, Sequence

from gated.commands.columns import table, wrapped
from gated.rules import Held, Pack, Ruling, Tried, Why
from gated.rules.dry_run import DryRun
from gated.rules.facts import FACTS
from gated.rules.telling import RULINGS, trace_in_words
from gated.rules.vocabulary import REASONS

SHOWN = 20  # changed passages in text; JSON has more


def pack_lines(pack: Pack) -> Iterator[str]:
    """What a pack is."""
    yield from wrapped(f"{pack.name}, version {pack.version}: {pack.title}")
    yield f"SHA-256 {pack.sha256}"
    counts = f"{len(pack.grounds)} grounds, {len(pack.rules)} rules, {len(pack.examples)} examples"
    height = "nobody's height is asked"
    if pack.min_height_m is not None:
        height = f"height from {pack.min_height_m:.2f} m"
    yield f"{counts}, {height}"


def tried_lines(found: Tried) -> Iterator[str]:
    """What the examples showed."""
    for each in found.broken:
        wanted = _ruled(each.outcome, each.reasons)
        yield from wrapped(f"{each.title}: should be {wanted}", first=f"BROKEN  {each.number}: ", then=8)
        yield from wrapped(f"is {_ruled(each.decided, each.decided_reasons)}", first=" " * 8)
    for name in found.unshown:
        yield from wrapped(f"{name}: no example shows it at work: add one", first="UNSHOWN ", then=8)
    good = found.examples - len(found.broken)
    yield f"{good} of {found.examples} examples come out as they say"


def decision_lines(
    ruling: Ruling, why: Sequence[Why], height_m: float | None, law: Mapping[str, str], rules: str = ""
) -> Iterator[str]:
    """The ruling, what decided it, and the texts of the law that it rests on."""
    told = f"The traveller {RULINGS[ruling]}"
    if height_m is not None and ruling is Ruling.ADMIT:
        told += f", if measured at {height_m:.2f} m or more"
    yield from wrapped(f"{told}.")
    if rules:
        yield f"Rules: SHA-256 {rules}"
    for line in trace_in_words(why, whole=True):
        yield from wrapped(line, first="- ", then=2)
    named = dict.fromkeys(each.law for each in why if each.held is not Held.NOT_CONCERNED)
    for name in named:
        if name in law:
            yield from wrapped(law[name], first=f"[{name}] ", then=2)


def dry_run_lines(found: DryRun, unrecorded: int) -> Iterator[str]:
    """What would change."""
    yield f"{found.passages} passages: {found.same} the same, {found.changed} otherwise"
    if found.kinds:
        rows = [
            (f"{each.before} -> {each.after}", str(each.passages), ", ".join(each.reasons) or "-")
            for each in found.kinds
        ]
        yield ""
        yield from table(("ruling", "passages", "reasons"), rows)
        yield ""
    for change in found.changes[:SHOWN]:
        reasons = "; ".join(REASONS.get(reason, reason) for reason in change.reasons)
        also = f", if {change.min_height_m:.2f} m tall" if change.min_height_m is not None else ""
        told = f"{change.before} -> {change.after}{also}" + (f": {reasons}" if reasons else "")
        yield from wrapped(told, first=f"{change.utc[:19]}  {change.passage}  ", then=2)
    if found.changed > SHOWN:
        yield f"and {found.changed - SHOWN} more: --json lists up to {len(found.changes)}"
    if found.untold:
        lacking = _listed(found.lacking)
        told = f"{found.untold} cannot be told: the journal does not say enough of {lacking}"
        yield from wrapped(told)
    if unrecorded:
        yield from wrapped(f"{unrecorded} without facts on record: they ended before the lists were asked")


def _listed(names: Iterable[str]) -> str:
    return ", ".join(FACTS[name].meaning if name in FACTS else name for name in names)


def _ruled(ruling: Ruling, reasons: Iterable[str]) -> str:
    told = ", ".join(reasons)
    return f"{ruling} ({told})" if told else str(ruling)
