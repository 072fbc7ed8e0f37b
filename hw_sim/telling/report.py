"""The report of a rehearsal: one HTML file that needs nothing else, for those who judge a gate.

It holds an overview of all scenarios and, for each, the story, the lanes over time, the pictures, scores
and checks, and the whole journal. No script, no network: images are data, the style sheet is inside, and
the page itself forbids anything else. Whatever comes from a run is escaped.
"""

import statistics
from collections.abc import Iterable, Mapping, Sequence
from html import escape
from pathlib import Path
from typing import Final

from gated.core.vocabulary import Outcome
from hw_sim.record import Rehearsed
from hw_sim.telling import words
from hw_sim.telling.report_courses import courses_chart, key
from hw_sim.telling.report_markup import SIGNS, badge, facts, lasted_ms, scrolling, seconds, table
from hw_sim.telling.report_passage import section
from hw_sim.telling.story import began_at

STYLE: Final = Path(__file__).with_name("report.css")
MOST_TO_EXIT_S: Final = 7.0  # what a passage with a chip of 848 kbit/s and a walk of 2.5 s is held to
MOST_SOFTWARE_S: Final = 1.5
ALLOWED: Final = "default-src 'none'; img-src data:; style-src 'unsafe-inline'"

LEAD: Final = """Simulated travellers with simulated passports went through one gate, in real time. The
gate's own programs did the work: its drivers, its decision, its databases and its journal. Simulated are the
things below the drivers (chip and reader, document scanner, doors, lamps and sensors, camera), the central
side's list, and the people: their faces are rendered, from public-domain portraits."""

HEADS: Final = (
    ("Scenario", ""),
    ("Expected", ""),
    ("Ended", ""),
    ("Why", ""),
    ("To exit", "num"),
    ("Software", "num"),
    ("Lasted", "num"),
)

NOTE: Final = """To exit: from the document laid down to the exit unlocked. Software: the part of it in which
no chip, serial line, walk or door was going on. Lasted: from the document laid down to the passage's end."""


def write(path: Path, runs: Sequence[Rehearsed], conditions: Mapping[str, str]) -> None:
    """Write the report of these runs; `conditions` says on what they ran. Raises OSError."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(page(runs, conditions), encoding="utf-8")


def page(runs: Sequence[Rehearsed], conditions: Mapping[str, str]) -> str:
    """The whole report as HTML."""
    names = anchors(runs)
    sections = (section(run, name) for run, name in zip(runs, names, strict=True))
    return (
        '<!doctype html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n'
        '<meta name="viewport" content="width=device-width, initial-scale=1">\n'
        '<meta name="color-scheme" content="light dark">\n'
        f'<meta http-equiv="Content-Security-Policy" content="{ALLOWED}">\n'
        f"<title>egate: rehearsal of {len(runs)} passages</title>\n"
        f"<style>{STYLE.read_text(encoding='utf-8')}</style>\n</head>\n<body>\n"
        f"{_overview(runs, names, conditions)}\n<main>{''.join(sections)}</main>\n</body>\n</html>\n"
    )


def anchors(runs: Sequence[Rehearsed]) -> list[str]:
    """A name for each section, its own even where one scenario ran twice."""
    names: list[str] = []
    for run in runs:
        before = sum(name.split("~")[0] == run.scenario for name in names)
        names.append(run.scenario if before == 0 else f"{run.scenario}~{before + 1}")
    return names


def _overview(runs: Sequence[Rehearsed], names: Sequence[str], conditions: Mapping[str, str]) -> str:
    rows = (_row(run, name) for run, name in zip(runs, names, strict=True))
    scenarios = table("overview", "All scenarios", HEADS, rows, silent=False)
    courses = courses_chart(runs)
    return f"""<header id="overview">
<p class="kicker">egate · automated border control</p>
<h1>Rehearsal report</h1>
<p class="lead">{LEAD}</p>
<div class="tiles">{"".join(_tiles(runs))}</div>
{scrolling("All scenarios", scenarios)}
<p class="note">{NOTE}</p>
<h2>Courses</h2>
<figure class="chart courses">{courses.names}{courses.drawing}</figure>
{key()}
<h2>Conditions</h2>
{facts(conditions.items())}
</header>"""


def _row(run: Rehearsed, name: str) -> str:
    why = escape(", ".join(words.reason(reason) for reason in run.reasons) or "–")
    problems = "".join(f'<br><strong class="bad">{escape(problem)}</strong>' for problem in run.problems)
    times = (run.stages.total, run.stages.software, lasted_ms(run))
    return (
        f'<tr><th scope="row"><a href="#{escape(name)}">{escape(run.scenario)}</a></th>'
        f'<td>{run.expected}</td><td>{badge(run)}</td><td class="why-short">{why}{problems}</td>'
        + "".join(f'<td class="num">{seconds(time)}</td>' for time in times)
        + "</tr>"
    )


def _tiles(runs: Sequence[Rehearsed]) -> Iterable[str]:
    good = sum(run.as_expected for run in runs)
    yield _tile(f"{good} of {len(runs)}", "ended as expected", good=good == len(runs))
    admitted = [run for run in runs if run.outcome is Outcome.ADMITTED]
    for name, figures, most in (
        ("median to the open exit", [run.stages.total for run in admitted], MOST_TO_EXIT_S),
        ("median share of the software", [run.stages.software for run in admitted], MOST_SOFTWARE_S),
    ):
        known = [figure / 1000 for figure in figures if figure is not None]
        if known:
            median = statistics.median(known)
            yield _tile(f"{median:.2f} s", f"{name}, at most {most:g} s wanted", good=median <= most)
    both = sum(_violations(run) for run in runs)
    yield _tile(str(both), "times both doors were released at once", good=both == 0)


def _violations(run: Rehearsed) -> int:
    """How often the world saw both doors released in this passage; its marks may reach further back."""
    since = began_at(run.entries)
    return sum(mark.kind == "violation" and mark.at >= since for mark in run.marks)


def _tile(figure: str, meaning: str, *, good: bool) -> str:
    sign = f'<span class="{"good" if good else "bad"}" aria-hidden="true">{SIGNS[good]}</span>'
    return f'<div class="tile"><p class="figure">{escape(figure)} {sign}</p><p>{escape(meaning)}</p></div>'
