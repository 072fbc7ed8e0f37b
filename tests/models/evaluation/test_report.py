import xml.etree.ElementTree as ET
from html.parser import HTMLParser
from pathlib import Path

import numpy as np
import pytest

from models.evaluation import plot, report
from models.evaluation.plot import Mark, Point, Sort, Trade
from models.evaluation.report import Figure, Report, ReportError, Table

SVG = "{http://www.w3.org/2000/svg}"


def line(name: str = "one") -> Trade:
    rate = np.array([1.0, 0.5, 0.1, 0.01, 0.001, 0.0])
    return Trade(name=name, x=rate, y=rate[::-1], y_between=np.array([rate[::-1] * 0.5, rate[::-1] * 1.5]))


def drawn(*, name: str = "one") -> ET.Element:
    point = Point(name="FMR 1 %", x=0.01, y=0.1, x_between=(0.005, 0.02), y_between=(0.05, 0.2))
    text = plot.det([line(name), line("two")], [point], x_label="FMR", y_label="FNMR", title="DET & more")
    return ET.fromstring(text)  # noqa: S314 - of our own making


def words(svg: ET.Element) -> list[str]:
    return [each.text or "" for each in svg.iter(f"{SVG}text")]


def places(svg: ET.Element, kind: str) -> list[list[tuple[float, float]]]:
    return [
        [(float(x), float(y)) for x, y in (pair.split(",") for pair in each.attrib["points"].split())]
        for each in svg.iter(f"{SVG}{kind}")
    ]


def test_a_trade_off_is_drawn_within_its_frame_and_falls() -> None:
    svg = drawn()
    first, second = places(svg, "polyline")
    assert first == second
    assert len(first) == 4  # rates of nothing and of one lie outside
    for x, y in [*first, *(each for band in places(svg, "polygon") for each in band)]:
        assert plot.LEFT <= x <= plot.WIDTH - plot.RIGHT
        assert plot.TOP <= y <= plot.HEIGHT - plot.BOTTOM
    x, y = zip(*first, strict=True)
    assert list(x) == sorted(x, reverse=True)
    assert list(y) == sorted(y, reverse=True)  # downward on the screen is a smaller rate


def test_axes_are_normal_deviates() -> None:
    scale = plot._Deviates([np.array([0.02, 0.98])])
    assert scale.place(np.array([0.5]))[0] == pytest.approx(
        (0 - scale._ends[0]) / (scale._ends[1] - scale._ends[0])
    )


def test_a_plot_says_what_its_axes_are() -> None:
    told = words(drawn())
    for label in ("FMR", "FNMR", "DET & more", "0.1 %", "1 %", "10 %", "one", "two", "FMR 1 %"):
        assert label in told


def test_names_are_escaped_and_cut() -> None:
    told = words(drawn(name="<script>alert(1)</script>" * 3))
    assert any(each.startswith("<script>") and each.endswith("\u2026") for each in told)


def test_a_histogram_shows_shares_and_thresholds() -> None:
    scores = [Sort(name="mated", scores=np.full(50, 0.91)), Sort(name="non-mated", scores=np.full(9, 0.11))]
    text = plot.histogram(
        scores, [Mark(name="here", score=0.5)], x_label="score", y_label="share", title="scores"
    )
    svg = ET.fromstring(text)  # noqa: S314 - of our own making
    right, left = places(svg, "polygon")
    assert min(y for _, y in left) == pytest.approx(min(y for _, y in right))  # all in one bin, both
    top = min(y for _, y in left)
    assert max(x for x, y in left if y == top) < min(x for x, y in right if y == top)
    assert "here" in words(svg)
    marks = [each for each in svg.iter(f"{SVG}line") if each.attrib.get("stroke-dasharray") == "3 3"]
    assert float(marks[0].attrib["x1"]) == pytest.approx((plot.LEFT + plot.WIDTH - plot.RIGHT) / 2)


@pytest.mark.parametrize("score", [0.0, 0.3, 0.62, 0.97, 1.0])
def test_the_name_of_a_threshold_stays_in_the_frame(score: float) -> None:
    name = "without any BPCER"
    mark = Mark(name=name, score=score)
    text = plot.histogram([], [mark], x_label="x", y_label="y", title="t")
    svg = ET.fromstring(text)  # noqa: S314 - of our own making
    (label,) = [each for each in svg.iter(f"{SVG}text") if each.text == name]
    start, width = float(label.attrib["x"]), plot.CHARACTER * len(name)
    left = start - width if label.attrib["text-anchor"] == "end" else start
    assert plot.LEFT <= left < left + width <= plot.WIDTH - plot.RIGHT


def test_a_legend_covers_nothing_of_the_plot() -> None:
    many = [Sort(name=f"species {n}", scores=np.full(9, 0.11)) for n in range(9)]
    svg = ET.fromstring(plot.histogram(many, x_label="x", y_label="y", title="t"))  # noqa: S314 - our own
    height = float(svg.attrib["height"])
    rows = [each for each in svg.iter(f"{SVG}text") if (each.text or "").startswith("species")]
    assert len(rows) == len(many)
    assert all(plot.HEIGHT <= float(each.attrib["y"]) <= height for each in rows)
    assert [each.text for each in svg.iter(f"{SVG}text") if each.text == "x"] == ["x"]


def test_a_plot_without_any_line_says_why() -> None:
    nothing = Trade(name="none", x=np.array([0.0, 1.0]), y=np.array([1.0, 0.0]))
    empty, other = (
        words(ET.fromstring(plot.det(trades, x_label="x", y_label="y", title="t")))  # noqa: S314 - our own
        for trades in ([nothing], [nothing, line()])
    )
    assert "none (no line)" in empty
    assert set(plot.NOTHING) <= set(empty)
    assert "none (no line)" in other
    assert not set(plot.NOTHING) & set(other)


def test_a_line_of_one_place_is_seen() -> None:
    one = Trade(name="one", x=np.array([0.0, 0.2, 1.0]), y=np.array([1.0, 0.3, 0.0]))
    svg = ET.fromstring(plot.det([one], x_label="x", y_label="y", title="t"))  # noqa: S314 - our own
    assert len(list(svg.iter(f"{SVG}circle"))) == 1


def test_nothing_to_draw_is_an_empty_plot() -> None:
    nothing = Trade(name="none", x=np.array([0.0, 1.0]), y=np.array([1.0, 0.0]))
    for text in (
        plot.det([nothing], x_label="x", y_label="y", title="t"),
        plot.histogram([Sort(name="none", scores=np.empty(0))], x_label="x", y_label="y", title="t"),
    ):
        assert ET.fromstring(text).tag == f"{SVG}svg"  # noqa: S314 - of our own making


class _Page(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.open: list[str] = []
        self.seen: list[str] = []
        self.links: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.seen.append(tag)
        self.links.extend(value or "" for key, value in attrs if key in {"src", "href"})
        if tag != "meta":
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag


def made() -> Report:
    figure = Figure(name="det", caption="a & b", svg=plot.det([line()], x_label="x", y_label="y", title="t"))
    table = Table(caption="rates", heading=("FMR", "FNMR"), rows=[("1 %", "<b>2 %</b>")])
    return Report(
        title="An <evaluation>",
        facts=[("model", "one")],
        tables=[table],
        figures=[figure],
        remarks=["be careful"],
    )


def test_a_page_is_whole_by_itself() -> None:
    text = report.page(made())
    page = _Page()
    page.feed(text)
    assert page.open == []
    assert page.links == []
    assert "script" not in page.seen
    assert "b" not in page.seen
    assert page.seen.count("svg") == 1
    assert "&lt;b&gt;2 %&lt;/b&gt;" in text
    assert "default-src 'none'" in text
    assert text.count("<div><table") == text.count("</table></div>") == 2  # a wide one scrolls alone


def test_a_report_is_a_page_and_its_figures(tmp_path: Path) -> None:
    written = report.write(tmp_path / "a" / "b", made())
    assert [path.name for path in written] == ["index.html", "det.svg"]
    assert (tmp_path / "a" / "b" / "index.html").read_text() == report.page(made())


def test_a_report_that_cannot_be_written_is_an_error(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(ReportError, match="cannot be written"):
        report.write(tmp_path / "file" / "below", made())


def test_a_place_for_a_report_is_made_or_refused_before_there_is_one(tmp_path: Path) -> None:
    report.prepare(tmp_path / "a" / "b")
    assert not any((tmp_path / "a" / "b").iterdir())
    (tmp_path / "file").touch()
    for place in (tmp_path / "file", tmp_path / "file" / "below"):
        with pytest.raises(ReportError, match="cannot be written"):
            report.prepare(place)
