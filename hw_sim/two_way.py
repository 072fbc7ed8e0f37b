"""The twist of the lane for two directions: an officer locks its direction; and how it is judged.

What must never be is looked for in the journal and in what the simulated world saw: a document read at the
end that was not in use, a turn with a passage under way, people from both ends, a turn against the officer.
"""

import contextlib
import threading
import time
from collections.abc import Iterator, Sequence

from gated.core import effects as do
from gated.core import events as ev
from gated.core.gate import State
from gated.core.vocabulary import Direction, Mode, OfficerWord
from gated.runtime import requests as say
from gated.runtime.control import NoAnswerError
from gated.store.journal import Entry
from hw_sim.course import Course
from hw_sim.site import Site

LOOKS_S = 0.1
PATIENCE_S = 75.0
REASON = "departures only, by order of the port"

FORWARD, REVERSE = Direction.FORWARD, Direction.REVERSE


def _officer_comes(site: Site, seed: int) -> None:
    """An officer watches the lane: lets out whom the gate refers, and acts while the third one is inside."""
    del seed
    threading.Thread(target=_watch, args=(site,), name="sim-officer", daemon=True).start()


def _watch(site: Site) -> None:
    deadline = time.monotonic() + PATIENCE_S
    awaited = [FORWARD, REVERSE, FORWARD]  # as they are seen, one after the other
    heard, locked = "", False
    while time.monotonic() < deadline and not (locked and not site.world.anybody()):
        time.sleep(LOOKS_S)
        status = site.status()
        if status is None:
            continue
        if awaited and status.direction == awaited[0]:
            awaited.pop(0)
        with contextlib.suppress(NoAnswerError):  # it is asked again
            if not awaited and not locked and status.passage and status.persons:
                site.tell(say.SetMode(mode=Mode.ONE_WAY, reason=REASON))
                locked = True
            if status.state == State.OFFICER and status.passage not in {None, heard}:
                site.officer_says(str(status.passage), OfficerWord.ACCEPT)
                heard = str(status.passage)


def _officer_goes(site: Site) -> None:
    try:
        site.tell(say.SetMode(mode=Mode.OPEN, reason="arrivals again"))
    except NoAnswerError:
        site.world.note("officer", "direction", "not unlocked: the gate does not answer")


def judge(site: Site, entries: Sequence[Entry]) -> Iterator[str]:
    """Name what went wrong with the directions."""
    events = [entry.event for entry in entries]
    turns = [event.direction for event in events if isinstance(event, ev.LaneTurned)]
    if turns != [REVERSE, FORWARD]:
        yield f"the lane was turned: {', '.join(turns) or 'never'}"
    yield from _read_where_they_were(entries)
    locked = [at for at, event in enumerate(events) if isinstance(event, ev.ModeChanged)]
    if not locked:
        yield "the officer did not lock the direction"
        return
    afterwards = events[locked[0] :]
    if not any(isinstance(event, ev.OtherEndChanged) and not event.document for event in afterwards):
        yield "nobody waited in vain at the other end"
    yield from _one_direction_inside(site)


def _read_where_they_were(entries: Sequence[Entry]) -> Iterator[str]:
    """Each passage lies between two turns, and is of a document laid down at the end in use."""
    direction, waits, passages = FORWARD, False, list[str]()
    here: set[str] = set()
    for entry in entries:
        match entry.event:
            case ev.LaneTurned():
                direction, here = entry.event.direction, set()
            case ev.DocumentPlaced():
                here.add(entry.event.passage)
            case ev.OtherEndChanged():
                waits = waits or entry.event.document
            case ev.MrzRead() | ev.ChipRead() if entry.event.passage not in here:
                yield f"a document was read at the end that is not in use, while walked {direction}"
            case _:
                pass
        for effect in entry.followed.effects:
            match effect:
                case do.Decide():
                    passages.append(direction)
                case do.TurnLane() if len(passages) != sum(
                    isinstance(each, do.EndPassage)
                    for earlier in entries
                    if earlier.seq <= entry.seq
                    for each in earlier.followed.effects
                ):
                    yield "the lane was turned with a passage under way"
                case _:
                    pass
    if passages != [FORWARD, REVERSE, FORWARD]:
        yield f"admitted: {', '.join(passages) or 'nobody'}"
    if not waits:
        yield "nobody waited at the other end"


def _one_direction_inside(site: Site) -> Iterator[str]:
    """Whoever went in by one end came out by the other before anybody else went in."""
    crossed = [
        (mark.name, mark.state) for mark in site.world.timeline if mark.state.startswith("through the ")
    ][-6:]
    names = [name for name, _ in crossed]
    ends = [state.removeprefix("through the ") for _, state in crossed]
    if names[::2] != names[1::2] or ends != ["entry", "exit", "exit", "entry", "entry", "exit"]:
        went = [f"{name} {end}" for name, end in zip(names, ends, strict=True)]
        yield f"people went through: {', '.join(went) or 'nobody'}"


DIRECTION_IS_LOCKED = Course(comes=_officer_comes, mended=_officer_goes, judged=judge)
