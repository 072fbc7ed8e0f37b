"""What people read of the gate's records: lines of plain text, 100 columns at most."""

import msgspec

from gated.core import effects as do
from gated.core import events as ev
from gated.core.replay import Replayed
from gated.runtime.messages import Status
from gated.store.journal import Entry, Verdict

HOUR_S, MINUTE_S = 3600, 60


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
    """Show the state of the gate, its faults first in reading order."""
    age = status.watchlist_age_s
    lists = "none yet" if age is None else f"version {status.watchlist_version}, {span(age)} old"
    lines = [
        f"gate       {status.gate}, up {span(status.uptime_s)}, egate {status.versions.get('egate', '?')}",
        f"state      {status.state}" + (f", passage {status.passage}" if status.passage else ""),
        f"traveller  screen {status.screen}, lamps {status.lamps}, persons in the lane: {status.persons}",
        *(f"{door + ' door':<11}{position}" for door, position in status.doors.items()),
        f"watchlist  {lists}",
        f"journal    {status.journal_entries} entries, head {status.journal_entries}:{status.journal_head}",
        "devices    "
        + ", ".join(f"{name}{'' if good else ' NOT READY'}" for name, good in status.devices.items()),
    ]
    for fault, fix in status.faults.items():
        lines.append(f"FAULT      {fault}")
        if fix:
            lines.append(f"  to do    {fix}")
    return tuple(lines)


def verdict_text(verdict: Verdict) -> tuple[str, ...]:
    """Show what a check of the journal found."""
    open_text = f", {verdict.open_passages} under way" if verdict.open_passages else ""
    facts = (
        f"{verdict.entries} entries, {verdict.passages} passages{open_text}",
        f"head {verdict.entries}:{verdict.head}",
    )
    if verdict.problems:
        return (*facts, *(f"PROBLEM  {problem}" for problem in verdict.problems))
    return (*facts, "the chain is whole and every passage ended once")


def replay_text(found: Replayed) -> tuple[str, ...]:
    """Show whether the recorded decisions come out again."""
    facts = f"{found.steps} steps since {found.starts} start(s) replayed"
    if not found.differences:
        return (facts, "every decision and every effect came out as recorded")
    return (
        facts,
        *(
            f"DIFFERENCE  entry {d.seq}: recorded {d.recorded_state}, replayed {d.state}"
            for d in found.differences
        ),
    )


def entry_line(entry: Entry) -> str:
    """Show one entry in one line: when, what happened, where the gate went, what it did."""
    event = _words(entry.event)
    effects = "; ".join(_words(effect) for effect in entry.followed.effects)
    return f"{entry.seq:>6}  {entry.utc[11:23]}  {entry.followed.state:<14} {event}" + (
        f"\n{'':>24}-> {effects}" if effects else ""
    )


def _words(value: ev.AnyEvent | do.AnyEffect) -> str:
    """Show a fact or an effect as `Name field=value`, without what every line repeats."""
    fields = msgspec.to_builtins(value)
    checks = fields.pop("checks", ())
    shown = [f"{key}={_short(item)}" for key, item in fields.items() if _is_news(key, item)]
    shown.extend(_check(check) for check in checks)
    return " ".join((type(value).__name__, *shown))


def _is_news(key: str, item: object) -> bool:
    return key not in {"type", "at", "passage", "policy", "hashes"} and item is not None and item != []


def _check(check: dict[str, str]) -> str:
    reason = f" ({check['reason']})" if check["reason"] else ""
    return f"{check['name']}={check['result']}{reason}"


def _device(name: str, ready: bool) -> str:  # noqa: FBT001  # the flag is the message
    return name if ready else f"{name} NOT READY"


def _short(item: object) -> str:
    return f"{item:.3g}" if isinstance(item, float) else str(item)
