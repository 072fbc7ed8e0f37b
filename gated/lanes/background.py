"""The background check: eligibility, and the watchlists, both decided from what the gate has.

Runs while the chip is read, from the machine-readable zone; the chip's own copy of the zone must agree with
it before anybody enters, so nothing is gained by a forged page.
"""

import time
from datetime import date

from gated.core.checks import Check, Result
from gated.core.events import BackgroundChecked
from gated.core.personal import Personal
from gated.core.settings import EligibilitySettings
from gated.core.vocabulary import Grade
from gated.document.mrz import Mrz
from gated.lanes.condition import Condition, Post
from gated.lanes.dossier import Dossiers
from gated.lanes.passback import Admitted
from gated.runtime.clock import now_utc
from gated.runtime.lanes import Lane
from gated.store.watchlist import NoWatchlist, Watchlist, WatchlistError
from gated.watchlist.match import Answer, DocumentClaim, PersonClaim

MAX_HITS = 16  # references that go on record, the gravest entries first
NO_LIST_S = 1e9  # the age of a list that is not there: thirty years, older than any policy allows


class BackgroundLane:
    """Answers `check` from the local list. The list itself is kept up to date by another lane."""

    def __init__(
        self,
        eligibility: EligibilitySettings,
        watchlist: Watchlist,
        dossiers: Dossiers,
        condition: Condition,
        post: Post,
    ) -> None:
        self.lane = Lane("background")
        self._eligibility = eligibility
        self._admitted = Admitted(eligibility.anti_passback_s)
        self._watchlist = watchlist
        self._dossiers = dossiers
        self._condition = condition
        self._post = post

    def check(self, passage: str) -> None:
        """Check the holder and the document of this passage."""
        self.lane.ask(lambda: self._check(passage))

    def admitted(self, passage: str) -> None:
        """Remember that the document of this passage has admitted its holder; before the dossier is wiped."""
        if (known := self._dossiers.mrz(passage)) is not None:
            self._admitted.remember(known[0], time.monotonic())

    def _check(self, passage: str) -> None:
        known = self._dossiers.mrz(passage)
        if known is None:
            return
        mrz, began = known
        checks = eligibility(mrz, self._eligibility, began.date())
        if self._admitted.was(mrz, time.monotonic()):
            checks += (Check("anti_passback", Result.FAILED, "admitted_just_now"),)
        hits: tuple[str, ...] = ()
        grade, version, age = Grade.NONE, 0, self._watchlist.age_s(now_utc(), time.monotonic())
        try:
            answer = self._watchlist.lookup(document=_document(mrz), person=_person(mrz))
        except NoWatchlist:
            checks += (Check("watchlist", Result.UNDETERMINED, "watchlist_missing"),)
        except WatchlistError:
            checks += (Check("watchlist", Result.ABORTED, "watchlist_unreadable"),)
            fix = "check the disk; the list is fetched again by itself"
            self._condition.failed("watchlist_unreadable", fix)
        else:
            checks += (Check("watchlist", Result.SUCCESSFUL),)
            grade, version, hits = answer.grade, answer.version, _references(answer)
        self._post(
            BackgroundChecked(
                at=time.monotonic(),
                passage=passage,
                checks=checks,
                grade=grade,
                list_age_s=NO_LIST_S if age is None else age,
                list_version=version,
                height_exempt=height_exempt(mrz, self._eligibility, began.date()),
                hits=hits,
            )
        )


def eligibility(mrz: Mrz, settings: EligibilitySettings, today: date) -> tuple[Check, ...]:
    """Check who may use the lane alone: kind of document, age at `today`; an unknown age is not enough."""
    kinds = settings.document_types
    type_fits = any(mrz.document_type == kind.rstrip("<") or mrz.document_type[:1] == kind for kind in kinds)
    document = (
        Check("document_type", Result.SUCCESSFUL)
        if type_fits
        else Check("document_type", Result.FAILED, "document_type_not_served")
    )
    age = mrz.age(today)
    if age is None:
        return document, Check("age", Result.UNDETERMINED, "age_unknown")
    if age < settings.min_age_years:
        return document, Check("age", Result.FAILED, "under_age")
    return document, Check("age", Result.SUCCESSFUL)


def height_exempt(mrz: Mrz, settings: EligibilitySettings, today: date) -> bool:
    """Whether the holder is too old for the rule about height; an unknown age is not."""
    age = mrz.age(today)
    return age is not None and age >= settings.height_until_age_years


def _references(answer: Answer) -> tuple[str, ...]:
    """Name the entries that fit, as their publisher numbers them."""
    rank = list(Grade)
    gravest = sorted(answer.hits, key=lambda hit: rank.index(hit.grade), reverse=True)
    return tuple(dict.fromkeys(hit.reference for hit in gravest))[:MAX_HITS]


def _document(mrz: Mrz) -> DocumentClaim:
    return DocumentClaim(number=Personal(mrz.document_number), issuer=mrz.issuer, type=mrz.document_type)


def _person(mrz: Mrz) -> PersonClaim:
    return PersonClaim(
        surname=Personal(mrz.surname),
        given=Personal(mrz.given_names),
        birth=Personal(mrz.birth_yymmdd),
        nationality=mrz.nationality,
    )
