"""Findings of a test as people read them: the verdict first, what to do below, 80 columns."""

from collections import Counter
from collections.abc import Iterator, Sequence
from typing import Final

from gated.commands.columns import wrapped
from gated.selftest.finding import Finding, Verdict

LEAD: Final = 9  # columns of the verdict
NAME: Final = 19  # and of the device


def lines_of(findings: Sequence[Finding]) -> Iterator[str]:
    """One paragraph for each, at 80 columns, and how many there are of which kind."""
    for each in findings:
        word = "FAULT" if each.verdict is Verdict.FAULT else each.verdict
        name = f"{each.device} {each.part}".strip()
        name = name if len(name) < NAME else each.part[: NAME - 1]
        measured = f"{each.code}: {each.measured}" if each.code else each.measured
        yield from wrapped(measured, first=f"{word:<{LEAD}}{name:<{NAME - 1}} ")
        if each.fix:
            yield from wrapped(each.fix, first=f"{'':<{LEAD}}{'to do':<{NAME}}")
    yield from wrapped(summary(findings))


def summary(findings: Sequence[Finding]) -> str:
    """How many there are of each kind, and where to look first."""
    counts = Counter(each.verdict for each in findings)
    told = [f"{counts[Verdict.OK]} ok"]
    for verdict in (Verdict.WARNING, Verdict.FAULT):
        many = "" if counts[verdict] == 1 else "s"
        told.append(f"{counts[verdict]} {verdict}{many}")
    faulty = dict.fromkeys(each.device for each in findings if each.verdict is Verdict.FAULT)
    return ", ".join(told) + (f": {', '.join(faulty)}" if faulty else "")
