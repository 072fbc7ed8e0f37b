"""One passage in the report: its facts, why it ended so, its chart, its story, and its journal."""

from collections.abc import Iterable
from html import escape
from itertools import pairwise

import msgspec

from gated.core import effects as do
from gated.core import events as ev
from gated.store.journal import Entry
from hw_sim.record import Rehearsed
from hw_sim.telling import report_chart, words
from hw_sim.telling.report_evidence import checks, pictures, scores
from hw_sim.telling.report_markup import badge, facts, lasted_ms, scrolling, seconds, table
from hw_sim.telling.story import Beat, Storyteller, Thresholds, age_in_words, began_at

LEGEND = """Time counts from the document laid down. Doors: the thin strip is the lock released, the area
below it how far the door stands open. Lamps and sensors: filled while on, dotted where nothing changed.
Dashed lines: the exit unlocked, the passage ended. Point at a shape for its times."""


def section(run: Rehearsed, name: str) -> str:
    """The section of one passage; `name` is its anchor."""
    chart = report_chart.lanes_chart(run)
    return f"""<section id="{escape(name)}" aria-labelledby="{escape(name)}-title">
<p class="up"><a href="#overview">All scenarios</a></p>
<h2 id="{escape(name)}-title">{escape(run.scenario)} {badge(run)}</h2>
<p class="lead">{escape(run.title)}</p>
{facts(_facts(run))}{_why(run)}
<h3>When</h3>
<figure class="chart">{chart.names}{chart.drawing}</figure>
<p class="legend">{LEGEND}</p>
<div class="columns"><div><h3>What happened</h3>{_story(run)}</div>
<div>{pictures(run)}{scores(run)}{checks(run)}</div></div>
{_journal(run)}
</section>
"""


def _facts(run: Rehearsed) -> Iterable[tuple[str, str]]:
    yield "Expected", str(run.expected)
    yield "Passage", run.passage or "–"
    stages = run.stages
    if stages.total is not None:
        yield "Document to open exit", seconds(stages.total)
        yield "of it modelled", seconds(stages.modelled)
        yield "of it software", seconds(stages.software)
    elif (lasted := lasted_ms(run)) is not None:
        yield "Document to end", seconds(lasted)
    for entry in run.entries:
        match entry.event:
            case ev.MrzRead():
                yield "Printed lines", entry.event.format
            case ev.ChipRead():
                yield "Chip opened by", entry.event.access
                yield "No copy by", words.spaced(entry.event.proof) if entry.event.proof else "no proof"
            case ev.BackgroundChecked():
                yield (
                    "Watchlist",
                    f"version {entry.event.list_version}, {age_in_words(entry.event.list_age_s)} old",
                )


def _why(run: Rehearsed) -> str:
    """The reasons of the outcome, in words and as the journal has them; then what else went wrong."""
    told = [
        f"<li>{escape(words.reason(reason).capitalize())} <code>{escape(reason)}</code></li>"
        for reason in run.reasons
    ]
    told += [f'<li class="bad"><strong>Problem:</strong> {escape(problem)}</li>' for problem in run.problems]
    return f'<ul class="why">{"".join(told)}</ul>' if told else ""


def _story(run: Rehearsed) -> str:
    teller = Storyteller(Thresholds(match=run.match_threshold, liveness=run.liveness_threshold))
    zero = began_at(run.entries)
    beats = [beat for entry in run.entries for beat in teller.tell(entry)]
    rows = (_beat(beat, zero, before) for before, beat in pairwise((None, *beats)) if beat is not None)
    heads = (("s", "num"), ("Who or what", ""), ("What", ""))
    return table("story", "The passage in words", heads, rows)


def _beat(beat: Beat, zero: float, before: Beat | None) -> str:
    again = before is not None and before.at == beat.at
    time = "" if again else f"{beat.at - zero:.2f}"
    return (
        f'<tr class="{beat.tone}{" again" if again else ""}"><td class="num">{time}</td>'
        f"<td>{escape(beat.about)}</td><td>{escape(beat.text)}</td></tr>"
    )


def _journal(run: Rehearsed) -> str:
    zero = began_at(run.entries)
    heads = (
        ("Entry", "num"),
        ("UTC", ""),
        ("s", "num"),
        ("Event", ""),
        ("State after it", ""),
        ("Effects", ""),
        ("Hash", ""),
    )
    rows = (_entry(entry, zero) for entry in run.entries)
    entries = scrolling("Journal", table("journal", "The journal of the passage", heads, rows))
    return f"<details><summary>Journal: all {len(run.entries)} entries</summary>{entries}</details>"


def _entry(entry: Entry, zero: float) -> str:
    effects = "<br>".join(_fields(effect) for effect in entry.followed.effects)
    return (
        f'<tr><td class="num">{entry.seq}</td><td><time datetime="{escape(entry.utc)}" '
        f'title="{escape(entry.utc)}">{escape(entry.utc[11:23])}</time></td>'
        f'<td class="num">{entry.event.at - zero:.3f}</td><td>{_fields(entry.event)}</td>'
        f"<td>{escape(entry.followed.state)}</td><td>{effects}</td>"
        f'<td><code title="{escape(entry.hash)}">{escape(entry.hash[:12])}</code></td></tr>'
    )


def _fields(value: ev.AnyEvent | do.AnyEffect) -> str:
    """A fact or an effect with all that it says, but for its time, which has its own column."""
    fields = msgspec.to_builtins(value)
    told = " ".join(f"{name}={_shown(item)}" for name, item in fields.items() if name not in {"type", "at"})
    return f"<b>{escape(type(value).__name__)}</b> {escape(told)}"


def _shown(item: object) -> str:
    """A field's value, with no more signs than it needs."""
    match item:
        case {"name": name, "result": result, "reason": reason}:
            return f"{name} {result}" + (f" ({reason})" if reason else "")
        case dict():
            return "{" + ", ".join(f"{name}: {_shown(value)}" for name, value in item.items()) + "}"
        case list() | tuple():
            return "[" + ", ".join(_shown(value) for value in item) + "]"
        case float():
            return f"{item:.6g}"
        case _:
            return str(item)
