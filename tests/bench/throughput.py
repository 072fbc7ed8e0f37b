"""How many people an hour pass a gate when there is always another: the whole simulation, daemons and all.

Each walks in 2.5 s from the reader to out, with a chip at 848 kbit/s. The next one stands behind the one who
goes in, steps up to the reader as soon as that is free, and lays the document down; it is read while the exit
closes behind the last. Real time, on the machine that the conditions name, with real-time priority for the
gate and its devices: a gate shares its processors with nobody. An officer lets out whom the eyes
of a busy machine were too slow for: those are counted.
"""

import itertools
import os
import sqlite3
import statistics
import tempfile
import time
from collections.abc import Sequence
from contextlib import closing
from pathlib import Path
from typing import Final

from msgspec.structs import replace

from gated.core import effects as do
from gated.core import events as ev
from gated.core.gate import State
from gated.core.vocabulary import OfficerWord, Outcome
from gated.store.database import open_to_read
from gated.store.journal import Entry, read
from hw_sim.__main__ import demo_policy
from hw_sim.camera.people import passport_photo
from hw_sim.cast import traveller
from hw_sim.laid import Laid
from hw_sim.lane.walking import READER_M, TRAVEL, Walk
from hw_sim.passport.chip import Chip
from hw_sim.passport.issuer import issue
from hw_sim.scenarios import BY_NAME, HOLDERS, LIST, Scenario
from hw_sim.scenarios.documents import PROTOCOLS
from hw_sim.site import Site
from tests.bench.clocked import come_first

TRAVELLERS: Final = 20
PEOPLE: Final = ("ada", "blaise", "emmy", "kurt", "sofia")
STANDS_M: Final = -0.9  # half a metre behind who is at the reader
GONE_IN_M: Final = 0.3
PATIENCE_S: Final = 60.0
WANTED: Final = 300
POLL_S: Final = 0.02
FIRST: Final = {"gated": 10, "gate-vision": 5}  # real-time priorities, as if the machine were the gate's own

# From one mark of a passage to the next, in order.
STAGES: Final = (
    ("lies until it is read from", "laid", "begun"),
    ("zone", "begun", "MrzRead"),
    ("chip, with all checks", "MrzRead", "ChipRead"),
    ("photograph, lists, exit shut", "ChipRead", "entry_open"),
    ("entry opens, walk in", "entry_open", "entry_closing"),
    ("entry shuts, face is known", "entry_closing", "exit_open"),
    ("exit opens, walk out", "exit_open", "clearing"),
)


class Queue:
    """The people, one behind the other. `step` lets the next come forward."""

    def __init__(self, site: Site) -> None:
        self._site = site
        self._plans = [replace(BY_NAME["citizen"], holder=PEOPLE[n % len(PEOPLE)]) for n in range(TRAVELLERS)]
        self._documents = [self._document(scenario, seed) for seed, scenario in enumerate(self._plans)]
        self._came = 0

    def _document(self, scenario: Scenario, seed: int) -> Laid:
        person = replace(HOLDERS[scenario.holder], number=f"T{seed:08}")  # nobody comes back so soon
        photograph = passport_photo(scenario.holder, seed)
        passport = issue(self._site.authority, person, photograph, protocols=PROTOCOLS)
        laid = Laid()
        laid.lines, laid.chip = passport.lines, Chip(passport, scenario.behaviour)
        return laid

    def step(self) -> None:
        """Let the next one come forward, if the one before has gone in."""
        world, number = self._site.world, self._came
        if number == TRAVELLERS or self._is_taken():
            return
        self._came += 1
        name = f"traveller-{number}"
        self._site.others[name] = self._documents[number]
        self._site.projector.cast(name, *traveller(self._plans[number], number + 1))
        world.person(name, (Walk(to_m=READER_M), *TRAVEL), at_m=STANDS_M)

    def send_away(self) -> None:
        """Whoever is told to go to the counter goes."""
        name = f"traveller-{self._came - 1}"
        if self._site.world.is_outside(name):
            self._site.world.tell_back(name)

    def _is_taken(self) -> bool:
        """Whether somebody still stands at the reader, or their document lies there."""
        people = self._site.world._people
        before = people.get(f"traveller-{self._came - 1}")
        waits = before is not None and before.x_m < GONE_IN_M
        return waits or self._site.board.read("document")


def run() -> None:
    """Print people an hour, and where the time of each goes."""
    with (
        tempfile.TemporaryDirectory(prefix="egate-bench-") as folder,
        Site(Path(folder) / "site", demo_policy(), keep_images=False) as site,
    ):
        site.centre.publish(LIST)
        site.centre.serve()
        queue = Queue(site)
        site.start_daemons()
        for name, priority in FIRST.items():
            come_first(site.daemons[name].pid, priority)
        come_first(os.getpid(), max(FIRST.values()))
        with closing(open_to_read(site.state / "journal.db")) as journal:
            entries = _play(site, queue, journal)
        _print(entries, len(site.world.violations))


def _play(site: Site, queue: Queue, journal: sqlite3.Connection) -> list[Entry]:
    """Let everybody pass; the officer lets out whom the gate refers, at once."""
    entries: list[Entry] = []
    seen, ended, moved_at = 0, 0, time.monotonic()
    while ended < TRAVELLERS:
        queue.step()
        newest = journal.execute("SELECT coalesce(max(seq), 0) FROM entries").fetchone()[0]
        fresh = list(read(journal, last=newest - seen)) if newest > seen else []
        seen = newest
        for entry in fresh:
            entries.append(entry)
            for effect in entry.followed.effects:
                if isinstance(effect, do.EndPassage):
                    ended, moved_at = ended + 1, time.monotonic()
                if isinstance(effect, do.AlertOfficer) and effect.kind == "referred" and effect.passage:
                    site.officer_says(effect.passage, OfficerWord.ACCEPT)
                if isinstance(effect, do.Tell) and effect.screen == "go_to_counter":
                    queue.send_away()
        if time.monotonic() - moved_at > PATIENCE_S:
            raise RuntimeError(f"nobody passes: {site.status()}")
        time.sleep(POLL_S)
    return entries


def _print(entries: Sequence[Entry], violations: int) -> None:
    marks: dict[str, dict[str, float]] = {}
    outcomes: dict[str, int] = {}
    ends: list[float] = []
    reasons: set[str] = set()
    referred = 0
    for entry in entries:
        event, passage = entry.event, entry.followed.passage
        if isinstance(event, ev.DocumentPlaced):
            marks.setdefault(event.passage, {})["laid"] = event.at
        if passage is not None and entry.followed.state is State.DOC_OPTICAL:
            marks.setdefault(passage, {}).setdefault("begun", event.at)
        if passage is not None:
            marks.setdefault(passage, {}).setdefault(str(entry.followed.state), event.at)
            marks[passage].setdefault(type(event).__name__, event.at)
        for effect in entry.followed.effects:
            if isinstance(effect, do.EndPassage):
                marks[effect.passage]["clearing"] = event.at
                outcomes[effect.outcome] = outcomes.get(effect.outcome, 0) + 1
                reasons.update(effect.reasons)
                if effect.outcome is Outcome.ADMITTED:
                    ends.append(event.at)
            referred += isinstance(effect, do.Decide) and effect.officer is not None
    rate = 3600 * (len(ends) - 1) / (ends[-1] - ends[0])
    cycles = [later - earlier for earlier, later in itertools.pairwise(ends)]
    told = ", ".join(f"{outcome} {count}" for outcome, count in outcomes.items())
    print(f"{TRAVELLERS} people, walk of 2.5 s, always another: {told}; {referred} by an officer's word")
    print(f"  reasons: {', '.join(sorted(reasons)) or 'none'}")
    print(
        f"  {rate:.0f} an hour and gate (wanted {WANTED}); from one to the next median "
        f"{statistics.median(cycles):.2f} s, from {min(cycles):.2f} to {max(cycles):.2f} s"
    )
    for title, start, end in STAGES:
        values = [each[end] - each[start] for each in marks.values() if start in each and end in each]
        if values:
            print(f"  {title:30} median {statistics.median(values):5.2f} s, worst {max(values):5.2f} s")
    print(f"  both doors released at once: {violations} times")
