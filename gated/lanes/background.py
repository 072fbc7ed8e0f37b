"""The background check: eligibility, and the watchlists, both decided from what the gate has.

Runs while the chip is read, from the machine-readable zone; the chip's own copy of the zone must agree with
it before anybody enters, so nothing is gained by a forged page.
"""

import time

from msgspec.structs import replace

from gated.core.checks import Check, Result
from gated.core.effects import KeepFalseHit
from gated.core.events import BackgroundChecked, SetAside
from gated.core.vocabulary import Direction, Grade
from gated.lanes.condition import Condition, Post
from gated.lanes.dossier import Dossiers
from gated.lanes.eligibility import Eligibility
from gated.lanes.false_hits import FalseHitDesk, document_of, person_of
from gated.lanes.passback import Admitted
from gated.rules.recording import traced
from gated.runtime.clock import now_utc
from gated.runtime.lanes import Lane
from gated.store.watchlist import NoWatchlist, Watchlist, WatchlistError
from gated.watchlist.match import Answer

MAX_HITS = 16  # references that go on record, the gravest entries first
NO_LIST_S = 1e9  # the age of a list that is not there: thirty years, older than any policy allows


class BackgroundLane:
    """Answers `check` from the rules and the local list. The list is kept up to date by another lane."""

    def __init__(
        self,
        eligibility: Eligibility,
        watchlist: Watchlist,
        dossiers: Dossiers,
        condition: Condition,
        post: Post,
        anti_passback_s: float = 0.0,
        false_hits: FalseHitDesk | None = None,
    ) -> None:
        """`false_hits` knows which hits officers found to be none; None: all of them stand."""
        self.lane = Lane("background", leave=self._leave)
        self._eligibility = eligibility
        self._admitted = Admitted(anti_passback_s)
        self._watchlist = watchlist
        self._false_hits = false_hits
        self._dossiers = dossiers
        self._condition = condition
        self._post = post

    def check(self, passage: str) -> None:
        """Check the holder and the document of this passage."""
        self.lane.ask(lambda: self._check(passage))

    def turn(self, direction: Direction) -> None:
        """The lane is walked this way from here on: it is said in order with the checks."""
        self.lane.ask(lambda: self._eligibility.turn(direction))

    def keep(self, word: KeepFalseHit) -> None:
        """Keep what an officer found of a hit, which is on record now."""
        if self._false_hits is not None:
            desk = self._false_hits
            self.lane.ask(lambda: desk.keep(word))

    def admitted(self, passage: str) -> None:
        """Remember that the document of this passage has admitted its holder; before the dossier is wiped."""
        if (known := self._dossiers.mrz(passage)) is not None:
            self._admitted.remember(known[0], time.monotonic())

    def _leave(self) -> None:
        self._eligibility.close()
        if self._false_hits is not None:
            self._false_hits.close()

    def _check(self, passage: str) -> None:
        known = self._dossiers.mrz(passage)
        if known is None:
            return
        mrz, began = known
        checks: tuple[Check, ...] = ()
        if self._admitted.was(mrz, time.monotonic()):
            checks += (Check("anti_passback", Result.FAILED, "admitted_just_now"),)
        hits: tuple[str, ...] = ()
        set_aside: tuple[SetAside, ...] = ()
        listed: tuple[str, ...] | None = None
        grade, version, age = Grade.NONE, 0, self._watchlist.age_s(now_utc(), time.monotonic())
        try:
            document = document_of(mrz)
            answer = self._watchlist.lookup(document=document, person=person_of(mrz))
        except NoWatchlist:
            checks += (Check("watchlist", Result.UNDETERMINED, "watchlist_missing"),)
        except WatchlistError:
            checks += (Check("watchlist", Result.ABORTED, "watchlist_unreadable"),)
            fix = "check the disk; the list is fetched again by itself"
            self._condition.failed("watchlist_unreadable", fix)
        else:
            checks += (Check("watchlist", Result.SUCCESSFUL),)
            if self._false_hits is not None:
                standing, set_aside = self._false_hits.sort(answer.hits, document)
                answer = replace(answer, hits=standing)
            grade, version, hits = answer.grade, answer.version, _references(answer)
            listed = tuple(hit.reason for hit in answer.hits)
        judged = self._eligibility.of(mrz, began, listed)
        decision = judged.decision
        self._post(
            BackgroundChecked(
                at=time.monotonic(),
                passage=passage,
                checks=(*decision.checks, *checks),
                grade=grade,
                list_age_s=NO_LIST_S if age is None else age,
                list_version=version,
                height_exempt=decision.min_height_m is None,
                hits=hits,
                registration=judged.registration,
                ruling=decision.ruling,
                rules=judged.rules,
                why=traced(decision),
                facts=judged.facts,
                set_aside=set_aside,
            )
        )


def _references(answer: Answer) -> tuple[str, ...]:
    """Name the entries that fit, as their publisher numbers them."""
    rank = list(Grade)
    gravest = sorted(answer.hits, key=lambda hit: rank.index(hit.grade), reverse=True)
    return tuple(dict.fromkeys(hit.reference for hit in gravest))[:MAX_HITS]
