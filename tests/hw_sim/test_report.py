import re
from html.parser import HTMLParser
from itertools import pairwise
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec.structs import replace

from gated.core import events as ev
from gated.core.checks import Result
from gated.core.gate import State
from gated.core.vocabulary import Outcome
from hw_sim.lane.ledger import Mark, Span
from hw_sim.record import Rehearsed
from hw_sim.telling import report, report_chart, spans
from hw_sim.telling.report_courses import KEY, courses_chart
from hw_sim.telling.report_evidence import RESULTS
from tests.hw_sim.passages import BEGAN, SCENARIOS, citizen, entries_of, face, rehearsed
from tests.hw_sim.test_timeline import EVENTS

VOID = {"meta", "img", "br", "rect", "line", "circle", "polygon"}
CONDITIONS = {"machine": "2 processors", "embedder": "dlib <resnet> & co"}


class Page(HTMLParser):
    """Reads a page; complains where an element is not closed in its order."""

    def __init__(self, text: str) -> None:
        super().__init__(convert_charrefs=True)
        self.open: list[str] = []
        self.elements: list[tuple[str, dict[str, str | None]]] = []
        self.words: list[str] = []
        self.feed(text)
        self.close()
        assert self.open == []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, dict(attrs)))
        if tag not in VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, dict(attrs)))

    def handle_endtag(self, tag: str) -> None:
        if tag not in VOID:
            assert self.open.pop() == tag
        else:
            assert tag in {"rect", "circle", "line"}  # a shape with a title inside

    def handle_data(self, data: str) -> None:
        if self.open[-1:] != ["style"]:
            self.words.append(data)

    def all(self, tag: str, **wanted: str) -> list[dict[str, str | None]]:
        return [
            attrs
            for name, attrs in self.elements
            if name == tag and all(attrs.get(key.rstrip("_")) == value for key, value in wanted.items())
        ]

    @property
    def text(self) -> str:
        return " ".join(self.words)


@pytest.fixture(scope="module")
def runs() -> list[Rehearsed]:
    return [rehearsed(name) for name in SCENARIOS]


@pytest.fixture(scope="module")
def page(runs: list[Rehearsed]) -> Page:
    return Page(report.page(runs, CONDITIONS))


def test_every_scenario_has_its_section_and_a_link_to_it(page: Page) -> None:
    assert [attrs["id"] for attrs in page.all("section")] == list(SCENARIOS)
    ids = [attrs["id"] for _, attrs in page.elements if "id" in attrs]
    assert len(ids) == len(set(ids))
    links = {attrs["href"] for attrs in page.all("a")}
    assert {f"#{name}" for name in SCENARIOS} <= links
    assert {link.removeprefix("#") for link in links if link} <= set(ids)


def test_a_scenario_that_ran_twice_has_two_sections() -> None:
    twice = Page(report.page([rehearsed("citizen"), rehearsed("citizen")], {}))
    assert [attrs["id"] for attrs in twice.all("section")] == ["citizen", "citizen~2"]


def test_nothing_comes_from_elsewhere(runs: list[Rehearsed], page: Page) -> None:
    text = report.page(runs, CONDITIONS)
    assert "http:" not in text
    assert "https:" not in text
    assert "url(" not in text
    assert "@import" not in text
    tags = {tag for tag, _ in page.elements}
    assert not tags & {"script", "link", "iframe", "object", "base", "form"}
    for _, attrs in page.elements:
        assert not any(name.startswith("on") for name in attrs)
        for source in (attrs.get("src"), attrs.get("href")):
            assert source is None or source.startswith(("data:image/jpeg;base64,", "#"))
    assert page.all("meta", content="default-src 'none'; img-src data:; style-src 'unsafe-inline'")


def test_what_comes_from_a_run_is_escaped() -> None:
    evil = "<script>alert('\"&')</script>"
    run = rehearsed(
        "wanted",
        scenario=evil,
        title=evil,
        problems=(evil,),
        reasons=(evil,),
        passage=evil,
        marks=(
            Mark(at=BEGAN + 1, kind="person", name=evil, state=evil),
            Mark(at=BEGAN + 1, kind=evil, name=evil, state=evil),
        ),
        entries=entries_of(
            (*SCENARIOS["citizen"][0](), ev.MrzFailed(at=BEGAN + 9, passage="0" * 16, reason=evil))
        ),
    )
    text = report.page([run], {evil: evil})
    assert "<script" not in text
    read = Page(text)
    assert not read.all("script")
    assert evil in read.text


def test_the_page_can_be_read_by_all(page: Page) -> None:
    levels = [int(tag[1]) for tag, _ in page.elements if re.fullmatch("h[1-6]", tag)]
    assert levels[0] == 1
    assert levels.count(1) == 1
    assert all(later <= earlier + 1 for earlier, later in pairwise(levels))
    assert page.all("html", lang="en")
    assert all(attrs.get("alt") for attrs in page.all("img"))
    assert all(attrs.get("scope") in {"col", "row"} for attrs in page.all("th"))
    assert len(page.all("caption")) == len(page.all("table"))
    for attrs in page.all("svg"):
        if attrs.get("class") in {"plot", "scale"}:
            assert attrs.get("role") == "img"
            assert attrs.get("aria-label")
    assert all(
        attrs.get("tabindex") == "0" and attrs.get("aria-label") for attrs in page.all("div", role="region")
    )


def test_signs_stand_beside_colours(page: Page) -> None:
    assert len({sign for sign, _ in RESULTS.values()}) == len(Result)
    assert page.text.count("✓") > len(SCENARIOS)
    assert "✗" in page.text


@pytest.mark.parametrize("scheme", ["light", "dark", "print"])
def test_words_stand_out_from_their_ground(scheme: str) -> None:
    style = report.STYLE.read_text(encoding="utf-8")
    schemes = [
        dict(re.findall(r"--(\w+): (#[0-9a-f]+);", block))
        for block in re.findall(r":root \{(.*?)\}", style, re.DOTALL)
    ]
    assert len(schemes) == 3
    colours = schemes[("light", "dark", "print").index(scheme)]
    on_paper = [(name, "paper") for name in ("ink", "soft", "accent", "good", "bad", "warn")]
    on_tints = [("ink", name) for name in ("read", "walk", "look", "free", "hold", "fail", "rest", "stage")]
    badges = [("good", "goodback"), ("bad", "badback"), ("ink", "warnback"), ("soft", "warnback")]
    for words, ground in on_paper + on_tints + badges:
        assert contrast(colours[words], colours[ground]) >= 4.5, (words, ground)
    for shape in ("green", "red", "amber", "sensor", "leaf", "released", "busy"):
        assert contrast(colours[shape], colours["paper"]) >= 2, shape


def contrast(one: str, other: str) -> float:
    """WCAG 2.1 contrast ratio."""

    def luminance(colour: str) -> float:
        digits = colour[1:] if len(colour) == 7 else "".join(digit * 2 for digit in colour[1:])
        parts = [int(digits[n : n + 2], 16) / 255 for n in (0, 2, 4)]
        linear = [part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts]
        return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]

    bright, dim = sorted((luminance(one), luminance(other)), reverse=True)
    return (bright + 0.05) / (dim + 0.05)


def test_the_overview_tells_outcomes_and_times(page: Page) -> None:
    text = page.text
    assert f"{len(SCENARIOS)} of {len(SCENARIOS)}" in text
    assert "4.90 s" in text
    assert "0.80 s" in text
    assert "dlib <resnet> & co" in text


def test_what_proved_the_chip_genuine_is_told(page: Page) -> None:
    told = " ".join(page.words)
    assert "No copy by" in told
    assert "read over PACE, no copy by chip authentication: " in told


def test_a_bad_run_is_seen_at_once(runs: list[Rehearsed]) -> None:
    bad = replace(runs[0], problems=("both doors were released at once",), outcome=Outcome.REFUSED)
    text = Page(report.page([bad, runs[1]], {})).text
    assert "1 of 2" in text
    assert "not as expected" in text
    assert "both doors were released at once" in text


def test_violations_count_in_their_own_passage_only(runs: list[Rehearsed]) -> None:
    old = Mark(at=BEGAN - 60, kind="violation", name="doors", state="both released")
    now = Mark(at=BEGAN + 1, kind="violation", name="doors", state="both released")
    assert report._violations(replace(runs[0], marks=(old,))) == 0
    assert report._violations(replace(runs[0], marks=(old, now))) == 1


def test_pictures_scores_and_checks_are_shown(runs: list[Rehearsed]) -> None:
    impostor = next(run for run in runs if run.scenario == "impostor")
    read = Page(report.page([impostor], {}))
    assert [attrs["alt"] for attrs in read.all("img")] == [
        "Chip photograph: a simulated person",
        "Best live shot 1: a simulated person",
    ]
    labels = [attrs["aria-label"] for attrs in read.all("svg", class_="scale")]
    assert labels[:2] == [
        "Match 0.214, threshold 0.62: not reached",
        "Alive (live) 0.870, threshold 0.5: reached",
    ]
    assert len(labels) == 6
    tampered = Page(report.page([rehearsed("tampered-dg1")], {}))
    assert "the data page on the chip was changed after signing" in tampered.text
    assert "dg1_hash_wrong" in tampered.text
    assert tampered.text.count("✗") >= 1


def test_each_cue_that_had_evidence_and_the_height_are_told(page: Page) -> None:
    assert "· motion" in page.text
    assert "· light" not in page.text
    assert "1.68 ± 0.02 m" in page.text


def test_a_capture_without_a_face_gives_no_scores() -> None:
    nothing = replace(face(BEGAN + 4.9, 1, 0.0), frames=0)
    run = rehearsed("citizen", entries=entries_of((*citizen()[:-4], nothing)))
    read = Page(report.page([run], {}))
    assert "no usable face" in read.text
    assert not read.all("svg", class_="scale")


def test_the_whole_journal_is_there(runs: list[Rehearsed]) -> None:
    run = runs[0]
    text = report.page([run], {})
    journal = text[text.index("<details>") : text.index("</details>")]
    assert journal.count("<tr>") == len(run.entries) + 1
    for entry in run.entries:
        assert entry.hash in journal
        for effect in entry.followed.effects:
            assert f"<b>{type(effect).__name__}</b>" in journal


def test_writing_makes_the_folder(tmp_path: Path, runs: list[Rehearsed]) -> None:
    target = tmp_path / "build" / "demo" / "report.html"
    report.write(target, runs, CONDITIONS)
    assert target.read_text(encoding="utf-8") == report.page(runs, CONDITIONS)


def test_bars_are_as_wide_as_their_times(runs: list[Rehearsed]) -> None:
    run = runs[0]
    axis = report_chart.axis_of(run)
    length = axis.within.end - axis.within.start
    drawing = Page(report_chart.lanes_chart(run).drawing)
    drawn = [attrs for attrs in drawing.all("svg") if str(attrs.get("class")).startswith("bar stage")]
    stages = spans.stages(run.entries)
    assert len(drawn) == len(stages)
    for attrs, stage in zip(drawn, stages, strict=True):
        wanted = max(100 * (stage.end - stage.start) / length, report_chart.LEAST_WIDTH)
        assert float(str(attrs["width"]).rstrip("%")) == pytest.approx(wanted, abs=0.001)
        start = 100 * (stage.start - axis.within.start) / length
        assert float(str(attrs["x"]).rstrip("%")) == pytest.approx(start, abs=0.001)
    lamps = [attrs for attrs in drawing.all("rect") if attrs.get("class") == "strip lamp green"]
    lit = [
        span for lamp in ("entry_green", "exit_green") for span in spans.active(run.marks, lamp, axis.within)
    ]
    assert [float(str(attrs["width"]).rstrip("%")) for attrs in lamps] == pytest.approx(
        [100 * (span.end - span.start) / length for span in lit], abs=0.001
    )


def test_all_courses_stand_on_one_axis(runs: list[Rehearsed]) -> None:
    drawing = Page(courses_chart(runs).drawing)
    assert [attrs["data-lane"] for attrs in drawing.all("svg", class_="lane")] == list(SCENARIOS)
    longest = max(run.entries[-1].event.at - run.entries[0].event.at for run in runs)
    bars = [attrs for attrs in drawing.all("svg") if str(attrs.get("class")).startswith("bar state")]
    reach = max(float(str(bar["x"])[:-1]) + float(str(bar["width"])[:-1]) for bar in bars)
    length = longest * 1.12 + 2 * report_chart.MARGIN_S
    assert reach == pytest.approx(100 * (longest + report_chart.MARGIN_S) / length, abs=0.25)
    assert {look for look, _ in KEY} == {*report_chart.LOOKS.values(), "down"}
    assert "✓ aborted" in drawing.text


def test_a_line_that_no_mark_names_is_drawn_as_unchanged(runs: list[Rehearsed]) -> None:
    run = replace(runs[0], marks=())
    drawing = report_chart.lanes_chart(run).drawing
    assert drawing.count('class="unchanged"') == 8
    assert "strip lamp" not in drawing


def test_every_state_has_a_look() -> None:
    assert set(report_chart.LOOKS) == set(State)


@pytest.mark.parametrize("length", [0.0, 0.4, 3.0, 11.0, 47.0, 200.0, 5000.0])
def test_ticks_are_round_and_few(length: float) -> None:
    axis = report_chart.Axis(Span(start=BEGAN - 0.3, end=BEGAN + length), BEGAN)
    ticks = list(axis.ticks())
    assert len(ticks) <= max(20, length / 60 + 1)
    assert all(tick * 2 == int(tick * 2) for tick in ticks)


def test_a_run_of_nothing_has_a_report_too() -> None:
    empty = rehearsed("citizen", entries=(), marks=(), chip_spans=(), reference=None, best=(), outcome=None)
    assert "did not end" in Page(report.page([empty], {})).text
    assert "0 of 0" in Page(report.page([], {})).text


@given(st.lists(st.tuples(EVENTS, st.floats(0, 4)), max_size=30), st.lists(st.integers(0, 60), max_size=8))
@settings(max_examples=40, deadline=None)
def test_any_sequence_of_events_can_be_shown(
    script: list[tuple[ev.AnyEvent, float]], times: list[int]
) -> None:
    at, events = BEGAN, []
    for event, after in script:
        at += after
        events.append(replace(event, at=at))
    states = ("opening", "open", "closing", "shut")
    marks = tuple(
        Mark(at=BEGAN + time / 3, kind="door", name="entry", state=states[number % 4])
        for number, time in enumerate(sorted(times))
    )
    run = rehearsed("citizen", entries=entries_of(events), marks=marks, outcome=None)
    text = report.page([run], CONDITIONS)
    Page(text)
    assert not re.search(r'width="-', text)
    assert "nan" not in text
