"""Writes the report of an evaluation: one HTML page that holds its figures, and each figure as an SVG file.

The page loads nothing and runs nothing, and names no photograph: those that failed are counted by reason.
"""

import errno
import os
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from html import escape
from pathlib import Path

POLICY = "default-src 'none'; style-src 'unsafe-inline'"
STYLE = """
body { font: 16px/1.5 sans-serif; color: #222; max-width: 60rem; margin: 2rem auto; padding: 0 1rem; }
div { overflow-x: auto; }
table { border-collapse: collapse; margin: 1rem 0; font-size: 14px; }
caption { text-align: left; font-weight: bold; padding: .3rem 0; font-size: 16px; }
th, td { border: 1px solid #bbb; padding: .3rem .5rem; text-align: right; }
td + td { white-space: nowrap; }
th { background: #f2f2f2; vertical-align: bottom; }
.facts td { white-space: normal; overflow-wrap: anywhere; text-align: left; }
th:first-child, td:first-child { text-align: left; }
figure { margin: 1.5rem 0; }
svg { max-width: 100%; height: auto; }
"""


class ReportError(Exception):
    """The report cannot be written: the text names the place."""


@dataclass(frozen=True, kw_only=True)
class Table:
    """Rows of text under a heading."""

    caption: str
    heading: Sequence[str]
    rows: Sequence[Sequence[str]]


@dataclass(frozen=True, kw_only=True)
class Figure:
    """A plot: `name` is that of its file, without suffix."""

    name: str
    caption: str
    svg: str


@dataclass(frozen=True, kw_only=True)
class Report:
    """What a page holds, in its order: facts, tables, figures, and remarks on what the figures do not say."""

    title: str
    facts: Sequence[tuple[str, str]]
    tables: Sequence[Table]
    figures: Sequence[Figure]
    remarks: Sequence[str]


def prepare(folder: Path) -> None:
    """Make the folder, before work that may take hours. Raises ReportError where nothing can be written."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
        if not os.access(folder, os.W_OK | os.X_OK):
            raise PermissionError(errno.EACCES, os.strerror(errno.EACCES))
    except OSError as error:
        raise _unwritable(folder, error) from error


def write(folder: Path, report: Report) -> tuple[Path, ...]:
    """Write `index.html` and the figures; return their paths. Raises ReportError."""
    files = {"index.html": page(report)} | {f"{each.name}.svg": each.svg for each in report.figures}
    try:
        folder.mkdir(parents=True, exist_ok=True)
        for name, text in files.items():
            (folder / name).write_text(text, encoding="utf-8")
    except OSError as error:
        raise _unwritable(folder, error) from error
    return tuple(folder / name for name in files)


def _unwritable(folder: Path, error: OSError) -> ReportError:
    return ReportError(f"{folder}: the report cannot be written ({error.strerror}): name another folder")


def page(report: Report) -> str:
    """Return the HTML page."""
    return "\n".join(_lines(report))


def _lines(report: Report) -> Iterator[str]:
    yield '<!DOCTYPE html>\n<html lang="en">\n<head>\n<meta charset="utf-8">'
    yield f'<meta http-equiv="Content-Security-Policy" content="{POLICY}">'
    yield '<meta name="viewport" content="width=device-width">'
    yield f"<title>{escape(report.title)}</title>\n<style>{STYLE}</style>\n</head>\n<body>"
    yield f"<h1>{escape(report.title)}</h1>"
    yield from _table(Table(caption="What was measured", heading=(), rows=report.facts), kind="facts")
    for table in report.tables:
        yield from _table(table)
    for figure in report.figures:
        yield f"<figure>\n{figure.svg}<figcaption>{escape(figure.caption)}</figcaption>\n</figure>"
    if report.remarks:
        yield "<h2>Remarks</h2>\n<ul>"
        yield from (f"<li>{escape(remark)}</li>" for remark in report.remarks)
        yield "</ul>"
    yield "</body>\n</html>\n"


def _table(table: Table, *, kind: str = "rates") -> Iterator[str]:
    """In a box of its own: a narrow screen scrolls the table, never the page."""
    yield f'<div><table class="{kind}"><caption>{escape(table.caption)}</caption>'
    if table.heading:
        yield "<tr>" + "".join(f'<th scope="col">{escape(cell)}</th>' for cell in table.heading) + "</tr>"
    for row in table.rows:
        yield "<tr>" + "".join(f"<td>{escape(cell)}</td>" for cell in row) + "</tr>"
    yield "</table></div>"
