"""What a journal tells of the rules' decisions: one passage explained, or all of them for a dry run."""

import sqlite3
from collections import deque
from collections.abc import Iterable, Iterator
from datetime import datetime
from itertools import islice
from zoneinfo import ZoneInfo

from gated.commands.answer import UsageError
from gated.core import effects as do
from gated.core import events as ev
from gated.core.rulings import Ruling, Why
from gated.core.stature import GUARD
from gated.core.values import Value
from gated.rules.dry_run import Moment, Passed
from gated.rules.knowledge import Span
from gated.rules.sources import of_moment
from gated.store.journal import Entry, read

Try = tuple[Passed, Moment, Span | None]


class Explained(Value):
    """The recorded decision about one passage. `rules` is the SHA-256 of the pack that it was made by."""

    passage: str
    rules: str
    ruling: Ruling
    why: tuple[Why, ...]


class Told:
    """The passages of a journal, one after the other; afterwards how many had no facts on record."""

    def __init__(self, passages: Iterable[Try | None]) -> None:
        self._passages = passages
        self.unrecorded = 0

    @property
    def recorded(self) -> Iterator[Try]:
        """Those with facts; can be gone through once."""
        for passage in self._passages:
            if passage is None:
                self.unrecorded += 1
            else:
                yield passage


def explained_passage(database: sqlite3.Connection, passage: str) -> Explained:
    """The last decision of the rules about a passage. Raises UsageError where there is none."""
    found = None
    for entry in read(database, passage=passage):
        if isinstance(entry.event, ev.BackgroundChecked) and entry.event.passage == passage:
            found = entry.event
    if found is None or not found.rules:
        raise UsageError("no rules were asked in this passage: it ended before, or is older than they are")
    return Explained(passage=passage, rules=found.rules, ruling=found.ruling, why=found.why)


def passages_in(database: sqlite3.Connection, zone: str, last: int | None) -> Told:
    """All passages that have ended, or the last few of them; `zone` is the gate's time zone."""
    ended = _passages(read(database), ZoneInfo(zone))
    if last is None:
        return Told(ended)
    return Told(deque(ended, maxlen=last))


class _Open:
    """A passage under way: what the journal has told of it so far."""

    def __init__(self, placed: ev.DocumentPlaced) -> None:
        self.placed = placed
        self.background: ev.BackgroundChecked | None = None
        self.height: Span | None = None


def _passages(entries: Iterable[Entry], zone: ZoneInfo) -> Iterator[Try | None]:
    under_way: dict[str, _Open] = {}
    asked = 0.0
    for entry in entries:
        event = entry.event
        match event:
            case ev.GateStarted():
                asked = event.policy.min_height_m
            case ev.DocumentPlaced():
                under_way[event.passage] = _Open(event)
                for forgotten in list(islice(under_way, max(0, len(under_way) - MAX_OPEN))):
                    under_way.pop(forgotten)
            case ev.BackgroundChecked() if event.passage in under_way:
                under_way[event.passage].background = event
            case ev.FaceAssessed() if event.passage in under_way and event.height_m is not None:
                margin = GUARD * event.height_error_m
                span = Span(event.height_m - margin, event.height_m + margin)
                under_way[event.passage].height = span
        for effect in entry.followed.effects:
            if isinstance(effect, do.EndPassage) and effect.passage in under_way:
                yield _tried(under_way.pop(effect.passage), asked, zone)


def _tried(one: _Open, asked: float, zone: ZoneInfo) -> Try | None:
    background = one.background
    if background is None or not background.rules:
        return None
    passed = Passed(
        passage=one.placed.passage,
        utc=one.placed.utc,
        ruling=background.ruling,
        reasons=tuple(dict.fromkeys(why.reason for why in background.why if why.reason)),
        facts=background.facts,
        asked_height_m=None if background.height_exempt or asked == 0 else asked,
    )
    return passed, of_moment(datetime.fromisoformat(one.placed.utc).astimezone(zone), None), one.height


MAX_OPEN = 64  # passages under way at once: one, and one that waits
