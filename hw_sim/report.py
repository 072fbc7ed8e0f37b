"""The report of a rehearsal: one HTML file that needs nothing else, for those who judge a gate.

It holds an overview of all scenarios and, for each, the story, the lanes over time, the pictures, scores
and checks, and the whole journal. No script, no network: images are data, the style sheet is inside, and
the page itself forbids anything else. Whatever comes from a run is escaped.
"""

import base64
import statistics
from collections.abc import Iterable, Mapping, Sequence
from html import escape
from pathlib import Path
from typing import Final

import msgspec

from gated.core import effects as do
from gated.core import events as ev
from gated.core.checks import Check, Result
from gated.core.vocabulary import Liveness, Outcome
from gated.store.journal import Entry
from hw_sim import report_chart, words
from hw_sim.record import Rehearsed
from hw_sim.story import Beat, Storyteller, Thresholds, age_in_words, began_at

STYLE: Final = Path(__file__).with_name("report.css")
MOST_TO_EXIT_S: Final = 7.0  # what a citizen's passage is held to, with a chip of 848 kbit/s
MOST_SOFTWARE_S: Final = 1.5
POLICY: Final = "default-src 'none'; img-src data:; style-src 'unsafe-inline'"

SIGNS: Final = {True: "✓", False: "✗"}
RESULTS: Final = {
    Result.SUCCESSFUL: ("✓", "good"),
    Result.FAILED: ("✗", "bad"),
    Result.UNDETERMINED: ("?", "warn"),
    Result.NOT_SUPPORTED: ("–", "quiet"),
    Result.ABORTED: ("!", "bad"),
}


def write(path: Path, runs: Sequence[Rehearsed], conditions: Mapping[str, str]) -> None:
    """Write the report of these runs; `conditions` says on what they ran. Raises OSError."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(page(runs, conditions), encoding="utf-8")


def page(runs: Sequence[Rehearsed], conditions: Mapping[str, str]) -> str:
    """The whole report as HTML."""
    names = _anchors(runs)
    sections = (_section(run, name) for run, name in zip(runs, names, strict=True))
    return (
        '<!doctype html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n'
        '<meta name="viewport" content="width=device-width, initial-scale=1">\n'
        '<meta name="color-scheme" content="light dark">\n'
        f'<meta http-equiv="Content-Security-Policy" content="{POLICY}">\n'
        f"<title>egate: rehearsal of {len(runs)} passages</title>\n"
        f"<style>{STYLE.read_text(encoding='utf-8')}</style>\n</head>\n<body>\n"
        f"{_overview(runs, names, conditions)}\n<main>{''.join(sections)}</main>\n</body>\n</html>\n"
    )


def _anchors(runs: Sequence[Rehearsed]) -> list[str]:
    """A name for each section, its own even where one scenario ran twice."""
    names: list[str] = []
    for run in runs:
        count = sum(name.split("~")[0] == run.scenario for name in names)
        names.append(run.scenario if count == 0 else f"{run.scenario}~{count + 1}")
    return names


# --- overview -----------------------------------------------------------------------------------------------


def _overview(runs: Sequence[Rehearsed], names: Sequence[str], conditions: Mapping[str, str]) -> str:
    rows = "".join(_overview_row(run, name) for run, name in zip(runs, names, strict=True))
    told = "".join(
        f"<div><dt>{escape(name)}</dt><dd>{escape(text)}</dd></div>" for name, text in conditions.items()
    )
    return f"""<header id="overview">
<p class="kicker">egate · automated border control</p>
<h1>Rehearsal report</h1>
<p class="lead">Simulated travellers with simulated passports went through one gate. The gate's own programs
ran as they run at a border: its drivers, its decision, its databases and its journal. Simulated are only the
things below the drivers (chip and reader, document scanner, doors, lamps and sensors, camera) and the people:
nobody shown here exists. Times were measured in real time.</p>
<div class="tiles">{"".join(_tiles(runs))}</div>
<div class="scroll" role="region" aria-label="All scenarios" tabindex="0">
<table class="overview"><caption>All scenarios</caption>
<thead><tr><th scope="col">Scenario</th><th scope="col">Expected</th><th scope="col">Ended</th>
<th scope="col">Why</th><th scope="col" class="num">To exit</th><th scope="col" class="num">Software</th>
<th scope="col" class="num">Lasted</th></tr></thead>
<tbody>{rows}</tbody></table></div>
<p class="note">To exit: from the document laid down to the exit unlocked. Software: the part of it in which no
chip, serial line, walk or door was going on. Lasted: from the document laid down to the end of the passage.</p>
<h2>Conditions</h2>
<dl class="facts">{told}</dl>
</header>"""


def _tiles(runs: Sequence[Rehearsed]) -> Iterable[str]:
    good = sum(run.as_expected for run in runs)
    yield _tile(f"{good} of {len(runs)}", "ended as expected", good == len(runs))
    admitted = [run for run in runs if run.outcome is Outcome.ADMITTED]
    for name, figures, most in (
        ("median to the open exit", [run.stages.total for run in admitted], MOST_TO_EXIT_S),
        ("median share of the software", [run.stages.software for run in admitted], MOST_SOFTWARE_S),
    ):
        known = [figure / 1000 for figure in figures if figure is not None]
        if known:
            median = statistics.median(known)
            yield _tile(f"{median:.2f} s", f"{name}, at most {most:g} s wanted", median <= most)
    both = sum(_violations(run) for run in runs)
    yield _tile(str(both), "times both doors were released at once", both == 0)


def _violations(run: Rehearsed) -> int:
    """How often the world saw both doors released in this passage; its marks may reach further back."""
    since = began_at(run.entries)
    return sum(mark.kind == "violation" and mark.at >= since for mark in run.marks)


def _tile(figure: str, meaning: str, good: bool) -> str:  # noqa: FBT001 - the flag is the message
    sign = f'<span class="{"good" if good else "bad"}" aria-hidden="true">{SIGNS[good]}</span>'
    return f'<div class="tile"><p class="figure">{escape(figure)} {sign}</p><p>{escape(meaning)}</p></div>'


def _overview_row(run: Rehearsed, name: str) -> str:
    why = ", ".join(escape(words.reason(reason)) for reason in run.reasons) or "–"
    problems = "".join(f'<br><strong class="bad">{escape(problem)}</strong>' for problem in run.problems)
    return (
        f'<tr><th scope="row"><a href="#{escape(name)}">{escape(run.scenario)}</a></th>'
        f"<td>{run.expected}</td><td>{_badge(run)}</td><td>{why}{problems}</td>"
        f'<td class="num">{_seconds(run.stages.total)}</td><td class="num">{_seconds(run.stages.software)}</td>'
        f'<td class="num">{_seconds(_lasted_ms(run))}</td></tr>'
    )


def _badge(run: Rehearsed) -> str:
    ended = "did not end" if run.outcome is None else str(run.outcome)
    agrees = "as expected" if run.as_expected else "not as expected"
    look = "good" if run.as_expected else "bad"
    return (
        f'<span class="badge {look}"><span aria-hidden="true">{SIGNS[run.as_expected]}</span> {escape(ended)}'
        f'<span class="unseen">, {agrees}</span></span>'
    )


def _seconds(milliseconds: float | None) -> str:
    return "–" if milliseconds is None else f"{milliseconds / 1000:.2f} s"


def _lasted_ms(run: Rehearsed) -> float | None:
    ends = [
        entry.event.at
        for entry in run.entries
        if any(isinstance(effect, do.EndPassage) for effect in entry.followed.effects)
    ]
    return (ends[0] - began_at(run.entries)) * 1000 if ends else None


# --- one passage ----------------------------------------------------------------------------------------------


def _section(run: Rehearsed, name: str) -> str:
    chart = report_chart.lanes_chart(run)
    return f"""<section id="{escape(name)}" aria-labelledby="{escape(name)}-title">
<p class="up"><a href="#overview">All scenarios</a></p>
<h2 id="{escape(name)}-title">{escape(run.scenario)} {_badge(run)}</h2>
<p class="lead">{escape(run.title)}</p>
{_facts(run)}{_why(run)}
<h3>When</h3>
<figure class="chart">{chart.names}{chart.drawing}</figure>
<p class="legend">Time counts from the document laid down. Doors: the thin strip is the lock released, the area
below it how far the door stands open. Lamps and sensors: filled while on, dotted where
nothing changed. Dashed lines: the exit unlocked, the
passage ended. Point at a shape for its times.</p>
<div class="columns"><div><h3>What happened</h3>{_story(run)}</div>
<div>{_pictures(run)}{_scores(run)}{_checks(run)}</div></div>
{_journal(run)}
</section>
"""


def _facts(run: Rehearsed) -> str:
    facts = [("Expected", str(run.expected)), ("Passage", run.passage or "–")]
    stages = run.stages
    if stages.total is not None:
        facts.append(("Document to open exit", _seconds(stages.total)))
        facts.append(("of it modelled", _seconds(stages.modelled)))
        facts.append(("of it software", _seconds(stages.software)))
    elif (lasted := _lasted_ms(run)) is not None:
        facts.append(("Document to end", _seconds(lasted)))
    for entry in run.entries:
        match entry.event:
            case ev.MrzRead():
                facts.append(("Printed lines", entry.event.format))
            case ev.ChipRead():
                facts.append(("Chip opened by", entry.event.access))
            case ev.BackgroundChecked():
                age = age_in_words(entry.event.list_age_s)
                facts.append(("Watchlist", f"version {entry.event.list_version}, {age} old"))
    return (
        '<dl class="facts">'
        + "".join(f"<div><dt>{escape(name)}</dt><dd>{escape(text)}</dd></div>" for name, text in facts)
        + "</dl>"
    )


def _why(run: Rehearsed) -> str:
    """The reasons of the outcome, in words and as the journal has them; then what else went wrong."""
    told = [
        f"<li>{escape(words.reason(reason).capitalize())} <code>{escape(reason)}</code></li>"
        for reason in run.reasons
    ]
    told.extend(
        f'<li class="bad"><strong>Problem:</strong> {escape(problem)}</li>' for problem in run.problems
    )
    return f'<ul class="why">{"".join(told)}</ul>' if told else ""


def _story(run: Rehearsed) -> str:
    teller = Storyteller(Thresholds(match=run.match_threshold, liveness=run.liveness_threshold))
    zero = began_at(run.entries)
    beats = [beat for entry in run.entries for beat in teller.tell(entry)]
    rows = "".join(
        _beat(beat, zero, shown=before) for beat, before in zip(beats, (None, *beats), strict=False)
    )
    return (
        '<table class="story"><caption class="unseen">The passage in words</caption><thead class="unseen"><tr>'
        '<th scope="col">Time</th><th scope="col">Who or what</th><th scope="col">What happened</th></tr></thead>'
        f"<tbody>{rows}</tbody></table>"
    )


def _beat(beat: Beat, zero: float, *, shown: Beat | None) -> str:
    again = shown is not None and shown.at == beat.at
    time = "" if again else f"{beat.at - zero:.2f}"
    return (
        f'<tr class="{beat.tone}{" again" if again else ""}"><td class="num">{time}</td>'
        f"<td>{escape(beat.about)}</td><td>{escape(beat.text)}</td></tr>"
    )


# --- evidence ---------------------------------------------------------------------------------------------------


def _pictures(run: Rehearsed) -> str:
    shown = [("Chip photograph", run.reference)] if run.reference else []
    shown += [(f"Best live shot {number}", shot) for number, shot in enumerate(run.best, start=1)]
    figures = "".join(
        f'<figure><img alt="{escape(name)}: a simulated person" src="data:image/jpeg;base64,{_base64(jpeg)}">'
        f"<figcaption>{escape(name)}</figcaption></figure>"
        for name, jpeg in shown
        if jpeg is not None
    )
    if not figures:
        return ""
    return (
        f'<h3>Pictures</h3><div class="pictures">{figures}</div>'
        '<p class="note">Simulated people, kept only because this gate was told to.</p>'
    )


def _base64(image: bytes) -> str:
    return base64.b64encode(image).decode("ascii")


def _scores(run: Rehearsed) -> str:
    faces = [entry.event for entry in run.entries if isinstance(entry.event, ev.FaceAssessed)]
    if not faces:
        return ""
    rows = "".join(
        row
        for face in faces
        for row in (
            _score(face, "Match", face.match_score, run.match_threshold, ""),
            _score(face, "Alive", face.liveness_score, run.liveness_threshold, face.liveness),
        )
    )
    return (
        '<h3>Face</h3><table class="scores"><caption class="unseen">Scores against thresholds</caption>'
        '<thead><tr><th scope="col">Capture</th><th scope="col">What</th><th scope="col">0 to 1</th>'
        '<th scope="col" class="num">Score</th><th scope="col" class="num">Needed</th></tr></thead>'
        f"<tbody>{rows}</tbody></table>"
    )


def _score(face: ev.FaceAssessed, what: str, score: float, needed: float, verdict: str) -> str:
    good = face.frames > 0 and score >= needed and verdict in {"", Liveness.LIVE}
    capture = f"{face.attempt}: {face.frames} frames" if not verdict else ""
    said = f"{what} ({verdict})" if verdict else what
    return (
        f"<tr><td>{escape(capture)}</td><td>{escape(said)}</td>"
        f"<td>{report_chart.scale(what, score, needed)}</td>"
        f'<td class="num {"good" if good else "bad"}">{SIGNS[good]} {score:.3f}</td>'
        f'<td class="num">≥ {needed:g}</td></tr>'
    )


def _checks(run: Rehearsed) -> str:
    rows: list[str] = []
    for entry in run.entries:
        match entry.event:
            case ev.ChipRead():
                rows.extend(_check(check) for check in entry.event.checks)
            case ev.BackgroundChecked():
                rows.extend(_check(check) for check in entry.event.checks)
                grade = entry.event.grade
                result = Result.SUCCESSFUL if grade == "none" else Result.FAILED
                rows.append(
                    _check(Check("watchlist_hit", result, "" if grade == "none" else f"grade_{grade}"))
                )
            case ev.ChipFailed():
                rows.append(_check(Check("chip_read", Result.ABORTED, entry.event.reason)))
    if not rows:
        return ""
    return (
        '<h3>Checks</h3><table class="checks"><caption class="unseen">Checks of the document and its holder'
        '</caption><thead><tr><th scope="col">Check</th><th scope="col">Result</th></tr></thead>'
        f"<tbody>{''.join(rows)}</tbody></table>"
    )


def _check(check: Check) -> str:
    sign, look = RESULTS[check.result]
    reason = (
        f"<br>{escape(words.reason(check.reason))} <code>{escape(check.reason)}</code>"
        if check.reason
        else ""
    )
    return (
        f'<tr><th scope="row">{escape(words.check(check.name).capitalize())} <code>{escape(check.name)}</code></th>'
        f'<td><span class="{look}"><span aria-hidden="true">{sign}</span> {escape(words.spaced(check.result))}'
        f"</span>{reason}</td></tr>"
    )


# --- the journal ------------------------------------------------------------------------------------------------


def _journal(run: Rehearsed) -> str:
    zero = began_at(run.entries)
    rows = "".join(_entry(entry, zero) for entry in run.entries)
    return (
        f"<details><summary>Journal: all {len(run.entries)} entries</summary>"
        '<div class="scroll" role="region" aria-label="Journal" tabindex="0"><table class="journal">'
        '<thead><tr><th scope="col" class="num">Entry</th><th scope="col">UTC</th>'
        '<th scope="col" class="num">s</th><th scope="col">Event</th><th scope="col">State after it</th>'
        '<th scope="col">Effects</th><th scope="col">Hash</th></tr></thead>'
        f"<tbody>{rows}</tbody></table></div></details>"
    )


def _entry(entry: Entry, zero: float) -> str:
    effects = "<br>".join(_fields(effect) for effect in entry.followed.effects)
    return (
        f'<tr><td class="num">{entry.seq}</td><td>{escape(entry.utc)}</td>'
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
    return f"{item:.6g}" if isinstance(item, float) else str(item)
