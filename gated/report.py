"""What people read of the gate's records: lines of plain text, 100 columns at most."""

import textwrap
from collections.abc import Iterable, Iterator
from typing import Any

import msgspec

from gated.core import effects as do
from gated.core import events as ev
from gated.core.checks import Result
from gated.core.replay import Difference, Replayed
from gated.core.vocabulary import Topology
from gated.runtime.requests import Status
from gated.store.journal import Entry, Verdict

WIDTH = 100
FACTS_AT, EFFECTS_AT = 40, 24  # columns: an entry's fact, and what was done about it
HOUR_S, MINUTE_S = 3600, 60

# What a line leaves out: what it says already, what only a program reads, what is so as a rule.
SAID = frozenset({"type", "at", "utc", "due", "policy", "hashes", "rules", "facts"})
USUAL = {"grade": "none", "latched": False, "ruling": "admit"}


def span(seconds: float) -> str:
    """Write a duration as people say it: `45 s`, `12 min`, `3 h 20 min`, `2 d 4 h`."""
    whole = int(seconds)
    if whole < MINUTE_S:
        return f"{whole} s"
    if whole < HOUR_S:
        return f"{whole // MINUTE_S} min"
    if whole < 24 * HOUR_S:
        return f"{whole // HOUR_S} h {whole % HOUR_S // MINUTE_S} min"
    return f"{whole // (24 * HOUR_S)} d {whole % (24 * HOUR_S) // HOUR_S} h"


def status_text(status: Status) -> tuple[str, ...]:
    """Show the state of the gate, its faults first after the state."""
    age = status.watchlist_age_s
    lists = "none yet" if age is None else f"version {status.watchlist_version}, {span(age)} old"
    passage = f", passage {status.passage}" if status.passage else ""
    return (
        *_field(
            "gate", f"{status.gate}, up {span(status.uptime_s)}, egate {status.versions.get('egate', '?')}"
        ),
        *_field("state", f"{status.state}{passage}"),
        *(line for fault, fix in status.faults.items() for line in _fault(fault, fix)),
        *(line for fault, fix in status.other_end.items() for line in _fault(fault, fix, "OTHER END")),
        *_field("lane", f"{status.topology}, told to be {status.mode}{_direction(status)}{_signed(status)}"),
        *_field(
            "traveller",
            f"screen {status.screen}, lamps {status.lamps}, persons in the lane: {status.persons}",
        ),
        *(line for door, position in status.doors.items() for line in _field(f"{door} door", position)),
        *_field("devices", ", ".join(_device(name, good) for name, good in status.devices.items())),
        *_field("cameras", ", ".join(f"{name} {state}" for name, state in status.cameras.items()) or "none"),
        *(_field("embedder", status.embedder) if status.embedder else ()),
        *(line for name, fix in status.embedder_trouble.items() for line in _fault(name, fix, "EMBEDDER")),
        *_field("watchlist", lists),
        *_ages(status),
        *(line for code, fix in status.age_trouble.items() for line in _fault(code, fix, "TOO OLD")),
        *_field("journal", f"{status.journal_entries} entries{_delivered(status)}"),
        *(line for code, fix in status.journal_trouble.items() for line in _fault(code, fix, "DELIVERY")),
        *_field("head", f"{status.journal_entries}:{status.journal_head}"),
    )


def _ages(status: Status) -> list[str]:
    """The other kinds that the centre vouches for, and decide here."""
    told = [f"{kind} {span(age_s)} old" for kind, age_s in status.ages_s.items() if kind != "watchlist"]
    return _field("published", ", ".join(told)) if told else []


def _delivered(status: Status) -> str:
    receipted = status.journal_receipted
    return "" if receipted is None else f", of which the centre has {receipted}"


def _signed(status: Status) -> str:
    return "" if status.locked_by is None else f", signed by {status.locked_by}"


def _direction(status: Status) -> str:
    return f", walked {status.direction}" if status.topology == Topology.PORT else ""


def verdict_text(verdict: Verdict) -> tuple[str, ...]:
    """Show what a check of the journal found."""
    under_way = f", {verdict.open_passages} under way" if verdict.open_passages else ""
    facts = (
        f"{verdict.entries} entries, {verdict.passages} passages{under_way}",
        f"head {verdict.entries}:{verdict.head}",
        *([f"the first {verdict.foundation} were removed; the centre has them"] * bool(verdict.foundation)),
        *([f"the centre has signed for entries up to {verdict.receipted}"] * bool(verdict.receipted)),
    )
    if verdict.problems:
        return (*facts, *(f"PROBLEM  {problem}" for problem in verdict.problems))
    once = "the chain is whole, and every passage ended once"
    return (*facts, f"{once}, but for the one under way" if under_way else once)


def replay_text(found: Replayed) -> tuple[str, ...]:
    """Show whether the recorded decisions come out again."""
    facts = f"{found.steps} steps since {found.starts} start(s) replayed"
    if not found.differences:
        return (facts, "every decision and every effect came out as recorded")
    return (
        facts,
        *(line for difference in found.differences for line in _difference(difference)),
        "the record was changed (`gatectl journal verify` tells), or another version of egate made it",
    )


def entries_text(entries: Iterable[Entry]) -> Iterator[str]:
    """Show entries: when, where the gate went, what happened, what it did. Each day is named once."""
    day = ""
    for entry in entries:
        if entry.utc[:10] != day:
            day = entry.utc[:10]
            yield f"{day} (UTC)"
        lead = f"{entry.seq:>6}  {entry.utc[11:23]}  {entry.followed.state:<14}"
        yield from _wrapped(lead.ljust(FACTS_AT - 1) + " ", _words(entry.event), FACTS_AT)
        done = "; ".join(_words(effect) for effect in entry.followed.effects)
        if done:
            yield from _wrapped(" " * EFFECTS_AT + "-> ", done, EFFECTS_AT + 3)


def _field(name: str, value: str) -> list[str]:
    return _wrapped(f"{name:<11}", value, 11)


def _fault(fault: str, fix: str, where: str = "FAULT") -> list[str]:
    return [*_field(where, fault), *(_field("  to do", fix) if fix else ())]


def _device(name: str, good: bool) -> str:  # noqa: FBT001  # the flag is the message
    if good:
        return name
    return f"{name} NOT SYNCHRONISED" if name == "clock" else f"{name} NOT READY"


def _difference(found: Difference) -> list[str]:
    lead = f"DIFFERENCE  entry {found.seq}: "
    if found.recorded_state is not found.state:
        return [f"{lead}recorded {found.recorded_state}, replayed {found.state}"]
    recorded = "; ".join(_words(effect) for effect in found.recorded if effect not in found.effects)
    again = "; ".join(_words(effect) for effect in found.effects if effect not in found.recorded)
    if not recorded and not again:
        return [f"{lead}the same effects in another order"]
    return _wrapped(lead, f"recorded {recorded or 'nothing'}, replayed {again or 'nothing'}", 12)


def _wrapped(lead: str, text: str, indent: int) -> list[str]:
    return textwrap.wrap(
        text, WIDTH, initial_indent=lead, subsequent_indent=" " * indent, break_on_hyphens=False
    ) or [lead.rstrip()]


def _words(value: ev.AnyEvent | do.AnyEffect) -> str:
    """Show a fact or an effect as `Name field=value`, without what goes without saying."""
    fields = msgspec.to_builtins(value)
    checks = fields.pop("checks", ())
    because = [_rule(why) for why in fields.pop("why", ()) if why.get("reason")]
    if not isinstance(value, ev.DocumentPlaced | do.EndPassage | ev.OfficerDecided):
        fields.pop("passage", None)  # it is the one under way
    shown = [f"{key}={_short(item)}" for key, item in fields.items() if _is_news(key, item)]
    return " ".join((type(value).__name__, *shown, *_checks(checks), *because))


def _rule(why: dict[str, Any]) -> str:
    """Which rule, or ground, did not hold or could not be told, by which facts, and by which text of law."""
    decided = f" by {','.join(why['by'])}" if why.get("by") else ""
    return f"rule {why['rule']}={why['held']}{decided} [{why['law']}]"


def _is_news(key: str, item: object) -> bool:
    return key not in SAID and item is not None and item != () and USUAL.get(key) != item


def _checks(checks: Iterable[dict[str, str]]) -> Iterator[str]:
    """Show which checks were not successful, and how many were."""
    good = 0
    for check in checks:
        if check["result"] == Result.SUCCESSFUL:
            good += 1
            continue
        yield f"{check['name']}={check['result']}" + (f" ({check['reason']})" if check["reason"] else "")
    if good:
        yield f"checks successful: {good}"


def _short(item: object) -> str:
    if isinstance(item, float):
        return f"{item:.3g}" if abs(item) < 1000 else f"{item:.0f}"
    if isinstance(item, tuple | list):
        return ",".join(map(str, item))
    return _quoted(str(item))


def _quoted(text: str) -> str:
    """What a person wrote, so that it moves no terminal and cannot pass for another field."""
    plain = "".join(each if each.isprintable() else repr(each)[1:-1] for each in text)
    if not any(mark in plain for mark in ' "='):
        return plain
    return '"' + plain.replace('"', "'") + '"'
