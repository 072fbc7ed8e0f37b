"""The table of a lane as a picture (SVG), drawn from the table itself so that it cannot disagree with it.

Each state is a box with its rows, in their order: what is asked, and where it leads. Arrows show the way of a
traveller who gets on; where trouble leads is told by the colour of the target's name.
"""

from collections.abc import Iterator, Mapping, Sequence
from html import escape
from typing import Final, NamedTuple

from gated.core.gate import State
from gated.core.table import ANYWHERE, LIMITS, Row
from gated.core.topologies import PLANS
from gated.core.vocabulary import Topology

COLUMNS: Final[tuple[tuple[State, ...], ...]] = (
    (
        State.OUT_OF_SERVICE,
        State.CLOSED,
        State.LOCKED,
        State.MAINTENANCE,
        State.FREE_PASSAGE,
        State.CHANGE_OVER,
        State.EMERGENCY,
    ),
    (State.IDLE, State.DOC_OPTICAL, State.DOC_CHIP, State.DOC_TOKEN, State.BACKGROUND),
    (
        State.APPROACH,
        State.ENTRY_OPEN,
        State.ENTRY_CLOSING,
        State.FACE_CAPTURE,
        State.VERIFY,
        State.CONSENT,
        State.ISSUING,
    ),
    (State.OFFICER, State.EXIT_OPEN, State.REJECT_OUT, State.CLEARING),
)
PROGRESS: Final = frozenset(state for column in COLUMNS[1:3] for state in column) | {State.EXIT_OPEN}

WIDTH, HEAD, LINE, PAD, GAP, BETWEEN = 322, 26, 17, 6, 24, 58
MARGIN, TITLE = 24, 64
INK, PAPER, FRAME, ARROW = "#1b2733", "#ffffff", "#9aa7b4", "#0b5cab"
HEADS: Final[Mapping[str, str]] = {
    "rest": "#e6ebf0",
    "passage": "#dcebfa",
    "trouble": "#fbe6c8",
    "end": "#e3e3e3",
}
KINDS: Final[Mapping[State, str]] = {
    **dict.fromkeys(COLUMNS[0], "rest"),
    **dict.fromkeys(PROGRESS, "passage"),
    State.OFFICER: "trouble",
    State.REJECT_OUT: "trouble",
    State.EMERGENCY: "trouble",
    State.CLEARING: "end",
}
NAMES: Final[Mapping[str, str]] = {
    "rest": "#52606d",
    "passage": ARROW,
    "trouble": "#a34400",
    "end": "#333333",
}


class Box(NamedTuple):
    """One state, its place, and its rows (several conditions for one target stand below each other)."""

    state: State
    x: int
    y: int
    rows: Sequence[Row]

    @property
    def height(self) -> int:
        """From its upper edge to its lower one."""
        return HEAD + len(self.rows) * LINE + 2 * PAD

    def row_y(self, number: int) -> int:
        """The middle of a row."""
        return self.y + HEAD + PAD + number * LINE + LINE // 2


def svg(topology: Topology) -> str:
    """Draw the table of this kind of lane."""
    boxes = {box.state: box for box in _boxes(topology)}
    width = max(box.x for box in boxes.values()) + WIDTH + MARGIN
    height = max(box.y + box.height for box in boxes.values()) + MARGIN
    size = f'viewBox="0 0 {width} {height}" width="{width}" height="{height}"'
    font = 'font-family="DejaVu Sans, Helvetica, Arial, sans-serif" font-size="11"'
    tip = 'viewBox="0 0 8 8" refX="7" refY="4" markerWidth="7" markerHeight="7" orient="auto"'
    parts = (
        f'<svg xmlns="http://www.w3.org/2000/svg" {size} {font}>',
        f'<defs><marker id="tip" {tip}><path d="M0 0L8 4L0 8z" fill="{ARROW}"/></marker></defs>',
        f'<rect width="{width}" height="{height}" fill="{PAPER}"/>',
        *_title(topology),
        *(part for box in boxes.values() for part in _box(box)),
        *_arrows(boxes),
        "</svg>",
    )
    return "\n".join(parts) + "\n"


def _boxes(topology: Topology) -> Iterator[Box]:
    table, x = PLANS[topology].table, MARGIN
    for column in COLUMNS:
        y = TITLE
        mine = [state for state in column if state in table]
        for state in mine:
            box = Box(state, x, y, table[state])
            yield box
            y += box.height + GAP
        x += (WIDTH + BETWEEN) if mine else 0


def _title(topology: Topology) -> Iterator[str]:
    big = 'font-size="18" font-weight="bold"'
    yield f'<text x="{MARGIN}" y="30" {big} fill="{INK}">{_words(topology)}</text>'
    always = "; ".join(f"{_asked(row)}: {_words(row.to)}" for row in ANYWHERE)
    text = f"Rows are asked from top to bottom; the first that holds is taken. From anywhere: {always}."
    yield f'<text x="{MARGIN}" y="49" fill="{INK}">{escape(text)}</text>'


def _box(box: Box) -> Iterator[str]:
    head = HEADS[KINDS[box.state]]
    place = f'x="{box.x}" y="{box.y}" width="{WIDTH}" rx="5"'
    yield f'<rect {place} height="{box.height}" fill="{PAPER}" stroke="{FRAME}"/>'
    yield f'<path d="{_head(box)}" fill="{head}" stroke="{FRAME}"/>'
    name = f'<text x="{box.x + 9}" y="{box.y + 17}" font-size="13" font-weight="bold" fill="{INK}">'
    yield f"{name}{_words(box.state)}</text>"
    if box.state in LIMITS:
        at = f'x="{box.x + WIDTH - 9}" y="{box.y + 17}" text-anchor="end"'
        yield f'<text {at} fill="{INK}">{LIMITS[box.state]}</text>'
    for number, row in enumerate(box.rows):
        y = box.row_y(number) + 4
        colour = NAMES[KINDS[row.to]]
        outcome = f" [{row.outcome}]" if row.outcome else ""
        yield f'<text x="{box.x + 9}" y="{y}" fill="{INK}">{escape(_asked(row) + outcome)}</text>'
        at = f'x="{box.x + WIDTH - 9}" y="{y}" text-anchor="end" font-weight="bold"'
        yield f'<text {at} fill="{colour}">{_words(row.to)}</text>'


def _head(box: Box) -> str:
    """The outline of a head: round above, straight below."""
    x, y, right = box.x, box.y, box.x + WIDTH
    return f"M{x} {y + HEAD}V{y + 5}Q{x} {y} {x + 5} {y}H{right - 5}Q{right} {y} {right} {y + 5}V{y + HEAD}Z"


def _arrows(boxes: Mapping[State, Box]) -> Iterator[str]:
    for box in boxes.values():
        for number, row in enumerate(box.rows):
            on = KINDS[box.state] not in {"rest", "end"} and row.to in PROGRESS
            if on and row.to is not box.state:
                yield _arrow(box, box.row_y(number), boxes[row.to])


def _arrow(box: Box, y: int, target: Box) -> str:
    """From a row to the head of its target: round the side within a column, across between two."""
    to_y = target.y + HEAD // 2
    if target.x > box.x:
        from_x, to_x, bend = box.x + WIDTH, target.x, BETWEEN // 2
        curve = f"C{from_x + bend} {y} {to_x - bend} {to_y} {to_x} {to_y}"
    elif target.x < box.x:
        from_x, to_x, bend = box.x, target.x + WIDTH, BETWEEN // 2
        curve = f"C{from_x - bend} {y} {to_x + bend} {to_y} {to_x} {to_y}"
    else:
        from_x = to_x = box.x + WIDTH
        bend = min(16 + abs(to_y - y) // 12, BETWEEN - 14)
        curve = f"C{from_x + bend} {y} {to_x + bend} {to_y} {to_x} {to_y}"
    stroke = f'fill="none" stroke="{ARROW}" stroke-width="1.4" marker-end="url(#tip)"'
    return f'<path d="M{from_x} {y}{curve}" {stroke}/>'


def _asked(row: Row) -> str:
    return row.when.__name__.replace("_", " ")


def _words(name: str) -> str:
    return name.replace("_", " ")
