"""Playing one scenario through the real daemons, in real time, and judging how it went.

The rehearsal is the stage hand: it deals out the document and the face, lets the traveller go, follows the
gate's journal as it is written, plays the officer on duty and the twist, and waits until the lane is at rest
again. What happened it takes from the journal and from the simulated world, never from the daemons' memory.
"""

import time
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path

from msgspec.structs import replace

from gated.core import effects as do
from gated.core import events as ev
from gated.core.gate import State
from gated.core.vocabulary import Advice, Hint, OfficerWord, Outcome
from gated.runtime import requests as say
from gated.store.database import open_to_read
from gated.store.journal import Entry, read
from hw_sim.camera.glass import DataPage
from hw_sim.camera.people import passport_photo
from hw_sim.camera.scene import Walker
from hw_sim.cast import FOLLOWER, TRAVELLER, companion, heeding, traveller
from hw_sim.laid import Laid
from hw_sim.lane.ledger import Span
from hw_sim.lane.walking import READER_M, Walk, travel
from hw_sim.passport.chip import Chip
from hw_sim.record import Rehearsed, stages
from hw_sim.scenarios import BY_NAME, Scenario
from hw_sim.scenarios.documents import holder_of, passport_of
from hw_sim.site import GATE, Site
from hw_sim.technician import Technician
from hw_sim.twists import TWISTS

POLL_S = 0.05
PATIENCE_S = 75.0  # the longest scenario takes 25 s; an officer's whole time limit would still fit
OFFICER_THINKS_S = 1.0
HEEDS_S = 0.4  # from an advice on the screen to a passport that lies otherwise
COMES_FROM_M = -1.2
READS_S = 1.0  # what registration means, and two buttons

# Who comes when the lane was handed back. Where the eyes of the gate are too slow, as on a busy machine, the
# officer lets them out: the lane is what was mended.
NEXT = replace(BY_NAME["citizen"], officer=OfficerWord.ACCEPT)
FOLLOWING = 2  # so many may try
RESTING = frozenset({State.IDLE, State.CLOSED, State.OUT_OF_SERVICE})
OUTSIDE_SCREENS = frozenset({"go_to_counter", "officer_comes", "one_at_a_time"})

Told = Callable[[Entry], None]


class Rehearsal:
    """One scenario on a running site. `told` hears each journal entry as it appears."""

    def __init__(self, site: Site, scenario: Scenario, told: Told, seed: int = 0) -> None:
        self._site = site
        self._scenario = scenario
        self._course = TWISTS[scenario.twist]
        self._told = told
        self._seed = seed
        self._journal = open_to_read(site.state / "journal.db")
        self._seen = self._last_entry()
        self._entries: list[Entry] = []
        self._passage = ""
        self._outcome: Outcome | None = None
        self._reasons: tuple[str, ...] = ()
        self._later: list[Outcome] = []
        self._advices: list[str] = []
        self._hints: list[str] = []
        self._looks = traveller(scenario, seed + 1)
        self._lies_since = 0.0
        self._called = self._answered = False  # the officer on duty
        self._twisted = self._mended = False
        self._technician = Technician(site, scenario)
        self._dealt = False

    def play(self) -> Rehearsed:
        """Play it, once, to its end, or to the end of patience."""
        # Left open, it would lose its locks unseen when this process reads the file by other means (POSIX).
        with closing(self._journal):
            return self._play()

    def _play(self) -> Rehearsed:
        site = self._site
        chosen = self._scenario
        if chosen.crossing is not None:
            site.know(holder_of(chosen).number, chosen.standing)
        site.equip(
            scanner=chosen.scanner,
            page_camera=chosen.page_camera,
            low_camera=chosen.low_camera,
            crossing=chosen.crossing,
            registers=chosen.consents is not None,
        )
        if chosen.renewed_from is not None:
            site.registering.remember(GATE, holder_of(chosen), chosen.renewed_from)
        violations = len(site.world.violations)
        site.reader.start_account()
        site.laid.line_spans.clear()
        site.laid.wrong_spans.clear()
        self._prepare()
        deadline = time.monotonic() + PATIENCE_S
        while time.monotonic() < deadline and not self._is_over():
            self._read_on()
            self._play_officer()
            self._twist()
            if self._course.mended_when_told and self._twisted and self._technician.is_called:
                self._mend()
            time.sleep(POLL_S)
        self._mend()
        self._wait_for_rest()
        if chosen.way_back:
            self._walk_back()
        spans = (*site.reader.spent.spans, *site.laid.line_spans, *site.laid.wrong_spans)
        problems = [*self._problems(), *self._technician.problems]
        if self._course.judged is not None:
            problems += self._course.judged(site, self._entries)
        if len(site.world.violations) > violations:
            problems.append("both doors were released at once")
        return Rehearsed(
            scenario=self._scenario.name,
            title=self._scenario.title,
            expected=self._scenario.expected,
            outcome=self._outcome,
            reasons=self._reasons,
            passage=self._passage,
            problems=tuple(problems),
            stages=stages(tuple(self._entries), self._passage, self._modelled(spans)),
            entries=tuple(self._entries),
            marks=site.world.timeline,
            chip_spans=tuple(site.reader.spent.spans),
            reference=self._image("reference"),
            best=tuple(shot for n in range(1, 11) if (shot := self._image(f"best-{n}"))),
            match_threshold=site.policy.match_threshold,
            liveness_threshold=site.policy.liveness_threshold,
        )

    def deal(self, lines: tuple[str, ...], chip: Chip) -> None:
        """Give the traveller another document than the scenario's."""
        self._dealt = True
        self._site.laid.lines, self._site.laid.chip = lines, chip

    # --- the cast ---------------------------------------------------------------------------------------

    def _prepare(self) -> None:
        """Deal out document and face, and let the traveller come."""
        site, scenario = self._site, self._scenario
        photograph = passport_photo(scenario.holder, self._seed)
        passport = passport_of(scenario, site.authority, photograph)
        if not self._dealt:
            self.deal(passport.lines, Chip(passport, scenario.behaviour))
        site.laid.page = DataPage(holder=scenario.holder, lines=passport.lines, seed=self._seed)
        site.laid.lying = scenario.lies[0]
        site.print_page()
        site.projector.cast(TRAVELLER, *self._looks)
        self._bring_companions()
        if self._course.comes is not None:
            self._course.comes(site, self._seed)
        plan = travel(site.world.lane) if scenario.plan is None else scenario.plan
        came = (Walk(to_m=READER_M), *plan)
        site.world.person(TRAVELLER, came, at_m=COMES_FROM_M, walk_s=scenario.walk_s, shape=scenario.shape)

    def _bring_companions(self) -> None:
        """Let those come who belong to the scenario, each with their own document and face."""
        site = self._site
        site.others.clear()
        for number, one in enumerate(self._scenario.companions):
            if one.holder is not None:
                photograph = passport_photo(one.holder, self._seed)
                passport = passport_of(replace(self._scenario, holder=one.holder), site.authority, photograph)
                laid = site.others[one.name] = Laid()
                laid.lines, laid.chip = passport.lines, Chip(passport)
                laid.page = DataPage(holder=one.holder, lines=passport.lines, seed=self._seed)
            if (look := companion(one, self._seed + 10 + number)) is not None:
                site.projector.cast(one.name, look)
            site.world.person(
                one.name,
                one.plan,
                at_m=one.at_m,
                walk_s=one.walk_s,
                heeds=one.heeds,
                shape=one.shape,
                from_exit=one.from_exit,
            )

    # --- following the journal ------------------------------------------------------------------------------

    def _last_entry(self) -> int:
        row = self._journal.execute("SELECT coalesce(max(seq), 0) FROM entries").fetchone()
        return int(row[0])

    def _news(self) -> Iterator[Entry]:
        """Yield the entries since the last look."""
        newest = self._last_entry()
        if newest <= self._seen:
            return
        fresh = read(self._journal, last=newest - self._seen)
        for entry in fresh:
            if entry.seq > self._seen:
                self._seen = entry.seq
                yield entry

    def _read_on(self) -> None:
        for entry in self._news():
            self._follow(entry)

    def _follow(self, entry: Entry) -> None:
        """Take note of one entry, and do what people do who see its effects."""
        self._technician.hear(entry)
        if isinstance(entry.event, ev.DocumentPlaced) and not self._passage:
            self._passage = entry.event.passage
            self._lies_since = entry.event.at
        if self._passage:
            self._entries.append(entry)
            self._told(entry)
        for effect in entry.followed.effects:
            match effect:
                case do.EndPassage() if effect.passage == self._passage:
                    self._outcome, self._reasons = effect.outcome, effect.reasons
                case do.EndPassage() if self._passage:
                    self._later.append(effect.outcome)
                case do.Tell() if effect.screen in OUTSIDE_SCREENS:
                    self._send_away()
                case do.Tell() if effect.screen in set(Advice):
                    self._heed(effect.screen)
                case do.Tell(screen="do_you_agree") if self._scenario.consents is not None:
                    self._press(yes=self._scenario.consents)
                case do.Tell() if effect.screen in set(Hint):
                    self._hints.append(effect.screen)
                    self._follow_hint(Hint(effect.screen))
                case do.AlertOfficer(kind="referred"):
                    self._called = True
                case _:
                    pass

    def _send_away(self) -> None:
        """Whoever stands outside and is told to go to the counter goes; those inside heed the lamps."""
        world = self._site.world
        for name in (TRAVELLER, FOLLOWER, *(one.name for one in self._scenario.companions if one.heeds)):
            if world.is_outside(name):
                world.tell_back(name)

    def _heed(self, advice: str) -> None:
        """Lay the passport as the traveller understands the advice."""
        self._advices.append(advice)
        if len(self._advices) < len(self._scenario.lies):
            time.sleep(HEEDS_S)
            self._site.shift(self._scenario.lies[len(self._advices)])
            since, self._lies_since = self._lies_since, time.monotonic()
            self._site.laid.wrong_spans.append(Span(start=since, end=self._lies_since))

    def _press(self, *, yes: bool) -> None:
        """Read what registration means, and press a button."""
        since = time.monotonic()
        time.sleep(READS_S)
        self._site.laid.wrong_spans.append(Span(start=since, end=time.monotonic()))
        self._site.press(yes=yes)

    def _follow_hint(self, hint: Hint) -> None:
        """Have the traveller do what the gate asks for."""
        first, *others = self._looks
        if isinstance(first, Walker):  # who holds up a picture has other worries
            self._looks = (heeding(first, hint, time.monotonic()), *others)
            self._site.projector.cast(TRAVELLER, *self._looks)

    def _play_officer(self) -> None:
        """The officer on duty says it again while the gate takes it for old news: then its clock is wrong."""
        if self._scenario.officer is None or not self._called or self._answered:
            return
        time.sleep(OFFICER_THINKS_S)
        reply = self._site.officer_says(self._passage, self._scenario.officer, self._scenario.persons)
        self._answered = not (isinstance(reply, say.Refused) and reply.reason == "word_too_old")

    def _twist(self) -> None:
        """Let happen what the scenario says, in the state that it names."""
        if self._twisted or not any(entry.followed.state is self._scenario.cut_in for entry in self._entries):
            return
        self._twisted = True
        if self._course.happens is not None:
            self._course.happens(self._site)

    def _mend(self) -> None:
        """Put right, once, what the twist broke, as a technician, or the service manager, would."""
        came = self._twisted or self._course.comes is not None
        if not came or self._mended:
            return
        self._mended = True
        if self._scenario.way_back:
            self._technician.inspect(self._read_on)
        if self._course.mended is not None:
            self._course.mended(self._site)

    def _walk_back(self) -> None:
        """See the lane come back, and the next traveller walk through it."""
        if not self._mended:
            missed = self._scenario.cut_in
            self._technician.problems.append(f"the gate did not come to {missed}: nothing broke")
            return
        self._technician.hand_back(self._read_on)
        said = ""
        for seed in range(self._seed + 1, self._seed + 1 + FOLLOWING):
            following = Rehearsal(self._site, NEXT, lambda _: None, seed).play()
            if following.as_expected:
                return
            why = (*following.reasons, *following.problems)
            said = f"{following.outcome or 'no outcome'} ({', '.join(why) or 'nothing said why'})"
        self._technician.problems.append(f"no traveller was admitted afterwards: {said}")

    def _is_over(self) -> bool:
        return self._outcome is not None and not self._site.world.anybody()

    def _wait_for_rest(self) -> None:
        """Let the lane come to rest, so that the next traveller finds it idle."""
        deadline = time.monotonic() + PATIENCE_S
        while time.monotonic() < deadline:
            self._read_on()
            last = self._entries[-1].followed.state if self._entries else None
            if last in RESTING and self._outcome is not None and self._left_out() is None:
                break
            time.sleep(POLL_S)

    # --- judging ------------------------------------------------------------------------------------------

    def _problems(self) -> Iterator[str]:
        if not self._passage:
            yield "the gate never noticed the document"
        for reason in self._scenario.reasons:
            if reason not in self._reasons:
                yield f"the reasons do not name {reason}, but {', '.join(self._reasons) or 'nothing'}"
        if self._scenario.one_of and not set(self._scenario.one_of) & set(self._reasons):
            yield f"the reasons name none of {', '.join(self._scenario.one_of)}"
        if (told := tuple(self._advices)) != self._scenario.advices:
            yield f"the traveller was advised: {', '.join(told) or 'nothing'}"
        yield from self._missing()
        for hint in self._scenario.hints:
            if hint not in self._hints:
                yield f"the traveller was not told {hint}"

    def _missing(self) -> Iterator[str]:
        """Name what the journal should tell of the lane, and does not."""
        effects = [effect for entry in self._entries for effect in entry.followed.effects]
        kinds = {effect.kind for effect in effects if isinstance(effect, do.AlertOfficer)}
        for kind in self._scenario.alerts:
            if kind not in kinds:
                yield f"the officers were not told of {kind}"
        if (state := self._left_out()) is not None:
            yield f"the gate did not come to {state} when it should"
        later = tuple(self._later)
        if self._scenario.also and later != self._scenario.also:
            yield f"later passages ended: {', '.join(later) or 'none came'}"

    def _left_out(self) -> State | None:
        """The first of the states that the gate should come through, and did not."""
        states = iter(entry.followed.state for entry in self._entries)
        # `in` goes on from where the last one was found
        return next((state for state in self._scenario.visits if state not in states), None)

    def _modelled(self, spans: tuple[Span, ...]) -> Callable[[float, float], float]:
        return lambda since, until: self._site.world.modelled_s(since, until, spans)

    def _image(self, kind: str) -> bytes | None:
        path = Path(self._site.state) / "evidence" / f"{self._passage}-{kind}.jpg"
        return path.read_bytes() if path.is_file() else None
