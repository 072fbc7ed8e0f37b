"""The desk of false hits: sets aside listed persons whom an officer found the traveller not to be.

A hit on a person rests on a name and a date, which people share; that its holder is another is known of one
document and one case. Such a hit counts for nothing, and it goes on record that it was there. Only hits on
persons are set aside, and only where the document itself is not listed: what is reported lost or stolen
vouches for nobody, so neither for whoever showed it to an officer. Whatever cannot be asked or kept lets hits
stand.
"""

import threading
import time
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

from gated import logs
from gated.core import effects as do
from gated.core import events as ev
from gated.core.personal import Personal
from gated.document.mrz import Mrz, MrzError, parse
from gated.lanes.condition import Post
from gated.runtime import requests as say
from gated.runtime.clock import now_utc
from gated.store.database import StoreError
from gated.store.false_hits import FalseHit, FalseHits, read_shared
from gated.store.watchlist import Watchlist, WatchlistError
from gated.watchlist.false_hits import Marking, document_is_listed, doubtful, standing
from gated.watchlist.match import DocumentClaim, Hit, PersonClaim

MAX_SET_ASIDE: Final = 32  # of one traveller; all of them are on record, so what is beyond stands
KEPT_S: Final = 2.0  # until a word that was said is on record, and kept
_NO_KEY = StoreError("no_list_key", "false hits are kept under the list key: name it in [watchlist] keys")

_log = logs.get("lane.background")


class FalseHitDesk:
    """Knows which hits are false. `answer` is for any thread but the one that calls `keep`."""

    def __init__(self, path: Path, watchlist: Watchlist, days: int, post: Post) -> None:
        """Open `path`. What an officer says holds for so many `days`."""
        self._watchlist = watchlist
        self._post = post
        self._marking = Marking(watchlist.keys)
        self._store: FalseHits | None = None
        self._trouble: StoreError | None = None  # as long as there is one, hits stand
        self._trouble_shared: StoreError | None = None  # and as long as there is this one
        self._said = threading.Condition()
        self._kept: tuple[tuple[str, ...], float] | None = None
        if not watchlist.keys.ids:
            self._trouble = _NO_KEY
            return
        try:
            self._store = FalseHits(path, self._marking, days)
        except StoreError as error:
            self._fail(error)

    def sort(
        self, hits: tuple[Hit, ...], document: DocumentClaim
    ) -> tuple[tuple[Hit, ...], tuple[ev.SetAside, ...]]:
        """The hits that stand, and those that are known to be false."""
        cases = doubtful(hits)
        if not cases or self._troubled:
            return hits, ()
        known = self._known(document, cases)[:MAX_SET_ASIDE]
        return standing(hits, {each.reference for each in known}), tuple(
            ev.SetAside(
                reference=each.reference,
                officer=each.officer,
                utc=each.at.strftime("%Y-%m-%dT%H:%M:%SZ"),
                gate=each.gate,
            )
            for each in known
        )

    def _known(self, document: DocumentClaim, references: tuple[str, ...]) -> tuple[FalseHit, ...]:
        if self._store is None:
            return ()
        try:
            return self._store.of(document, references, now_utc())
        except StoreError as error:
            _log.warning("false hits cannot be asked: hits stand", code=error.code, fix=error.fix)
            return ()

    @property
    def _troubled(self) -> bool:
        return self._trouble is not None or self._trouble_shared is not None

    def take_shared(self, path: Path | None) -> None:
        """Go by the words of all gates in this file from here on; if it cannot be read, all hits stand."""
        if self._store is None or path is None:
            return
        try:
            self._store.take(read_shared(path, self._marking))
            self._trouble_shared = None
        except StoreError as error:
            self._trouble_shared = error
            _log.error("what other gates know cannot be read: all hits stand", code=error.code, fix=error.fix)

    def answer(self, request: say.AskFalseHits | say.DecideFalseHit) -> say.FromControl:
        """Tell what a document's holder is and is not taken for, or take an officer's word about it.

        Whoever asks has seen to the signature.
        """
        try:
            mrz = parse(request.zone)
            document = document_of(mrz)
            hits = self._watchlist.lookup(document=document, person=person_of(mrz)).hits
        except MrzError as error:
            return say.Refused(reason=error.code, fix="give the lines of one document")
        except WatchlistError as error:
            return say.Refused(reason="watchlist_missing", fix=str(error))
        if self._store is None and self._trouble is not None:
            return say.Refused(reason=self._trouble.code, fix=self._trouble.fix)
        if isinstance(request, say.DecideFalseHit):
            return self._decide(request, hits, document)
        return self._tell(request, hits, document)

    def _tell(
        self, request: say.AskFalseHits, hits: tuple[Hit, ...], document: DocumentClaim
    ) -> say.FalseHitsTold:
        persons = [hit for hit in hits if hit.kind == "person"][: say.MAX_TOLD]
        references = tuple(hit.reference for hit in persons)
        known = {each.reference: each for each in self._known(document, references)}
        if self._troubled:
            known = {}
        return say.FalseHitsTold(
            persons=tuple(
                say.PersonFound(
                    reference=hit.reference,
                    grade=hit.grade,
                    reason=hit.reason,
                    score=hit.score,
                    false_by=_by(known.get(hit.reference)),
                    false_at=int(known[hit.reference].at.timestamp()) if hit.reference in known else 0,
                )
                for hit in persons
            ),
            listed=document_is_listed(hits),
            marks={reference: self._marking.of(document, reference) for reference in request.references},
        )

    def _decide(
        self, request: say.DecideFalseHit, hits: tuple[Hit, ...], document: DocumentClaim
    ) -> say.FromControl:
        """Have it on record, and kept: only then it is done."""
        if request.marks != self._marking.of(document, request.reference):
            fix = "ask again: the marks are not of this document and case"
            return say.Refused(reason="marks_differ", fix=fix)
        if refused := self._unless_open(request, hits, document):
            return refused
        with self._said:
            self._kept = None
            self._post(
                ev.FalseHitDecided(
                    at=time.monotonic(),
                    reference=request.reference,
                    marks=request.marks,
                    officer=request.officer,
                    said_at=request.said_at,
                    signature=request.signature.hex(),
                    withdrawn=request.withdrawn,
                )
            )
            told = (request.marks, request.said_at)
            if not self._said.wait_for(lambda: self._kept == told, KEPT_S):
                fix = "it is not in force: `gatectl watchlist false-hit show` tells what is; say it again"
                return say.Refused(reason="not_kept", fix=fix)
            if self._trouble is not None:
                return say.Refused(reason=self._trouble.code, fix=self._trouble.fix)
        return say.Done()

    def _unless_open(
        self, request: say.DecideFalseHit, hits: tuple[Hit, ...], document: DocumentClaim
    ) -> say.Refused | None:
        """Why there is nothing to decide, if there is not."""
        if request.withdrawn:
            known = self._known(document, (request.reference,))
            fix = "nobody said that this hit is false: there is nothing to take back"
            return None if known else say.Refused(reason="not_known", fix=fix)
        if document_is_listed(hits):
            fix = "the document itself is on the list: it vouches for nobody, whatever is known of its holder"
            return say.Refused(reason="document_listed", fix=fix)
        if all(hit.kind != "person" or hit.reference != request.reference for hit in hits):
            fix = "`gatectl watchlist false-hit show` tells the cases that fit the holder of this document"
            return say.Refused(reason="no_such_hit", fix=fix)
        return None

    def keep(self, word: do.KeepFalseHit) -> None:
        """Keep what is on record now. If that fails, all hits stand until something is kept again."""
        with self._said:
            try:
                if self._store is not None:
                    at = datetime.fromtimestamp(word.said_at, UTC)
                    self._store.keep(word.marks, word.officer, at, withdrawn=word.withdrawn)
                    self._trouble = None
            except StoreError as error:
                self._fail(error)
            self._kept = (word.marks, word.said_at)
            self._said.notify_all()

    def _fail(self, error: StoreError) -> None:
        self._trouble = error
        _log.error("false hits cannot be kept: all hits stand", code=error.code, fix=error.fix)

    def close(self) -> None:
        """Close the file. Idempotent."""
        if self._store is not None:
            self._store.close()


def _by(word: FalseHit | None) -> str:
    if word is None:
        return ""
    return f"{word.officer} at {word.gate}" if word.gate else word.officer


def document_of(mrz: Mrz) -> DocumentClaim:
    """The document of a zone, as the lists are asked for it."""
    return DocumentClaim(number=Personal(mrz.document_number), issuer=mrz.issuer, type=mrz.document_type)


def person_of(mrz: Mrz) -> PersonClaim:
    """The person of a zone, as the lists are asked for them."""
    return PersonClaim(
        surname=Personal(mrz.surname),
        given=Personal(mrz.given_names),
        birth=Personal(mrz.birth_yymmdd),
        nationality=mrz.nationality,
        may_be_cut=mrz.name_fills_field,
    )
