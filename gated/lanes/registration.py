"""The lane of registrations: asks for consent, keeps who agreed, and tells the rules who is registered.

The question is put while the traveller stands inside, and two buttons answer it. Only an answer to the
question under way counts, and the first one: what was pressed before is nobody's consent. What is kept goes
by the zone, which the chip has confirmed when anybody is inside.
"""

import threading
import time
from typing import Final, NamedTuple, Protocol

from msgspec.structs import replace

from gated import logs
from gated.core import events as ev
from gated.core.personal import Personal
from gated.core.portraits import Portrait
from gated.core.settings.travellers import RegistrationSettings
from gated.document.mrz import Mrz, MrzError, parse
from gated.lanes.condition import Post
from gated.lanes.dossier import Dossiers
from gated.lanes.elsewhere import Elsewhere
from gated.runtime import requests as say
from gated.runtime.clock import now_utc
from gated.runtime.lanes import Lane
from gated.runtime.messages import PortraitTold
from gated.store.database import StoreError
from gated.store.registration_letters import Holding, holding, holding_by_chip
from gated.store.registrations import NOT_HELD, Erasure, Found, Registrations

NOT_TAKEN_OVER: Final = "none: the traveller is asked; or an officer links (gatectl registration link)"

_log = logs.get("lane.registration")


def serves(settings: RegistrationSettings, mrz: Mrz) -> bool:
    """Whether the holder of this document may be registered."""
    return mrz.issuer in settings.states and mrz.nationality in settings.states


def numbered_by_chip(settings: RegistrationSettings | None, mrz: Mrz) -> bool:
    """Whether the holder's number for life is to be read from the chip."""
    return settings is not None and serves(settings, mrz) and mrz.issuer in settings.numbered_by_chip


class Portraits(Protocol):
    """Who has the portraits of chips, as templates."""

    def ask_portrait(self, passage: str, kept: Personal[Portrait] | None) -> None:
        """Ask for the template of a passage, and how like a kept one it is; the answer is heard later."""


class _Known(NamedTuple):
    """A passage, and the registration by which it is answered for; it is kept here, or at another gate."""

    passage: str
    registration: str
    is_here: bool


class RegistrationLane:
    """Keeps registrations in `store`, of the nationals of `settings.states`."""

    def __init__(
        self,
        store: Registrations,
        settings: RegistrationSettings,
        dossiers: Dossiers,
        post: Post,
        portraits: Portraits | None = None,
        threshold: float = 1.0,
        elsewhere: Elsewhere | None = None,
    ) -> None:
        """`portraits`, where templates are kept: from the `threshold` on two portraits are of one person.

        `elsewhere` tells who agreed at other gates, by the number of their chip.
        """
        self.lane = Lane("registration", leave=self._leave)
        self.store = store
        self._settings = settings
        self._dossiers = dossiers
        self._post = post
        self._asking = threading.Lock()
        self._asked: str | None = None
        self._known: _Known | None = None
        self._elsewhere = elsewhere
        self._portraits, self._threshold = portraits, threshold
        self._awaits: tuple[str, Found | None] | None = None  # a portrait, and whom the number tells
        self._portrait: tuple[str, Personal[Portrait]] | None = None
        self._trouble = ""

    @property
    def trusts_number(self) -> bool:
        """Whether the number for life alone takes a registration over."""
        return self._portraits is None

    def serves(self, mrz: Mrz) -> bool:
        """Whether the holder of this document may be registered here. For any thread."""
        return serves(self._settings, mrz)

    def holder(self, mrz: Mrz, passage: str | None = None) -> Personal[Holding]:
        """Who holds this document; with a passage, by the number too that its chip told, if that counts."""
        if numbered_by_chip(self._settings, mrz):
            number = None if passage is None else self._dossiers.personal_number(passage)
            return holding_by_chip(mrz, number)
        return holding(mrz, numbered=mrz.issuer in self._settings.numbered)

    def of(self, mrz: Mrz) -> Found | None:
        """The registration of the holder. Of a store that fails technicians are told. For any thread."""
        found = self._find(self.holder(mrz)) if self.serves(mrz) else None
        return found if found is None or self.trusts_number or not found.by_person else None

    def _find(self, who: Personal[Holding]) -> Found | None:
        try:
            found = self.store.find(who.reveal())
        except StoreError as error:
            self._tell(error)
            return None
        self._trouble = ""
        return found

    # --- what the heart asks ------------------------------------------------------------------------------

    def ask(self, passage: str) -> None:
        """The question is on the screen: listen; or answer, where number and portrait tell who agreed."""
        with self._asking:
            self._asked = passage
        known = self._dossiers.mrz(passage)
        told = self._dossiers.personal_number(passage) is not None
        if known is not None and (told or not self.trusts_number):
            who = self.holder(known[0], passage)
            self.lane.ask(lambda: self._look(passage, who))

    def pressed(self, given: bool) -> None:  # noqa: FBT001 - the button is the message
        """A button was pressed. For the thread of the board."""
        with self._asking:
            passage, self._asked = self._asked, None
        if passage is not None:
            text = self._settings.text
            answer = ev.ConsentAnswered(at=time.monotonic(), passage=passage, given=given, text=text)
            self._post(answer)

    def register(self, passage: str) -> None:
        """Keep the registration of the traveller, whose dossier may end meanwhile."""
        known = self._dossiers.mrz(passage)
        if known is None:
            self._fail(passage, "no_document")
            return
        who, began = self.holder(known[0], passage), int(known[1].timestamp())
        taken_over = self._known if self._known and self._known.passage == passage else None
        if taken_over is None:
            self.lane.ask(lambda: self._register(passage, who, began))
        elif taken_over.is_here:
            self.lane.ask(lambda: self._take_over(passage, taken_over.registration, who, began))
        else:  # a second registration would outlive the withdrawal of the first
            self.lane.ask(lambda: self._registered(passage, taken_over.registration, NOT_HELD))

    def admitted(self, passage: str) -> None:
        """Let the registration of whoever came with a new document be found by it from here on."""
        known = self._dossiers.mrz(passage)
        if known is not None and self.trusts_number and self.serves(known[0]):
            who, began = self.holder(known[0], passage), int(known[1].timestamp())
            self.lane.ask(lambda: self._link(who, began))

    def forget(self, passage: str) -> None:
        """The passage ended: nobody is asked any more."""
        with self._asking:
            if self._asked == passage:
                self._asked = None
        if not self.trusts_number:
            self.lane.ask(lambda: self._forget(passage))

    def hear(self, told: PortraitTold) -> None:
        """What the vision process answered. For any thread."""
        self.lane.ask(lambda: self._hear(told))

    def withdrawn(self, number: str) -> None:
        """The centre wants a registration deleted. For any thread."""
        self.lane.ask(lambda: self._withdraw(number, "withdrawn_at_centre"))

    # --- what technicians ask -----------------------------------------------------------------------------

    def answer(self, request: say.AskRegistration | say.LinkRegistration) -> say.FromControl:
        """Tell of a registration, delete it, prove that it is gone, or link it by an officer's word.

        For any thread; whoever asks has seen to the signature.
        """
        try:
            mrz = parse(request.zone)
        except MrzError as error:
            return say.Refused(reason=error.code, fix="give the lines of one passport")
        if not self.serves(mrz):
            fix = f"this gate registers nationals of {', '.join(self._settings.states)}"
            return say.Refused(reason="state_not_served", fix=fix)
        who = self.holder(mrz).reveal()
        try:
            if isinstance(request, say.LinkRegistration):
                return self._link_by(request, who)
            return self._verify(request, who) if request.what == "verify" else self._ask(request, who)
        except StoreError as error:
            return say.Refused(reason=error.code, fix=error.fix)

    def _link_by(self, request: say.LinkRegistration, who: Holding) -> say.FromControl:
        found = self.store.find(who)
        if found is not None and found.id != request.registration:
            fix = f"this passport belongs to registration {found.id}: withdraw that one first"
            return say.Refused(reason="registered_otherwise", fix=fix)
        if not who.personal and who.source == "chip":  # the lines do not tell it; the person stays the same
            kept = self.store.who(request.registration).reveal()
            who = replace(who, personal=kept.personal if kept.source == who.source else "")
        self.store.link(request.registration, who, "officer", int(now_utc().timestamp()))
        self._post(
            ev.RegistrationLinked(
                at=time.monotonic(), registration=request.registration, by="officer", officer=request.officer
            )
        )
        return say.Done()

    def _ask(self, request: say.AskRegistration, who: Holding) -> say.FromControl:
        found = self.store.find(who)
        if found is None:
            fix = "nothing is registered of it here; of other gates `gate-central registrations` tells"
            return say.Refused(reason="registration_unknown", fix=fix)
        if request.what == "show":
            portrait = self.store.portrait(found.id)
            return say.RegistrationTold(
                registration=found.id,
                held=True,
                embedder="" if portrait is None else portrait.reveal().embedder,
                text=found.text,
                agreed=found.agreed,
                linked=found.linked,
                by_person=found.by_person,
            )
        kept = self.store.who(found.id).reveal()  # the number of the chip is in no zone
        return self._proved(self.erase(found.id, "withdrawn"), who, kept)

    def _verify(self, request: say.AskRegistration, who: Holding) -> say.FromControl:
        erasure = self.store.erasure(request.registration or "")
        if erasure is None:
            return say.Refused(
                reason="registration_unknown", fix="no registration of this number was deleted"
            )
        return self._proved(erasure, who)

    def _proved(self, erasure: Erasure, who: Holding, kept: Holding | None = None) -> say.RegistrationTold:
        return say.RegistrationTold(
            registration=erasure.id,
            held=self.store.find(who) is not None,
            erased=erasure.at,
            reason=erasure.reason,
            proof=erasure.proof,
            left_behind=self.store.search(kept or who),
            receipted=erasure.receipt.utc if erasure.receipt else "",
        )

    # --- in this lane's thread ----------------------------------------------------------------------------

    def _look(self, passage: str, who: Personal[Holding]) -> None:
        """Whom does the number tell? Where templates are kept, the portrait must tell the same."""
        found = self._find(who)
        if found is None and self._elsewhere is not None and self._portraits is None:
            agreed = self._elsewhere.agreed(who, now_utc())
            if agreed is not None:
                self._answer_for(_Known(passage, agreed.registration, is_here=False), agreed.text)
            return
        if found is not None and not found.by_person:
            found = None
        if self._portraits is not None:
            kept = None if found is None else self._kept(passage, found)
            self._awaits = (passage, None if kept is None else found)
            self._portraits.ask_portrait(passage, kept)
        elif found is not None:
            self._answer_for(_Known(passage, found.id, is_here=True), found.text)

    def _kept(self, passage: str, found: Found) -> Personal[Portrait] | None:
        try:
            kept = self.store.portrait(found.id)
        except StoreError as error:
            self._tell(error)
            return None
        if kept is None:
            _log.warning(
                "registration not taken over", passage=passage, code="no_template", fix=NOT_TAKEN_OVER
            )
        return kept

    def _hear(self, told: PortraitTold) -> None:
        if self._awaits is None or self._awaits[0] != told.passage:
            return
        (passage, found), self._awaits = self._awaits, None
        if told.portrait is not None:
            self._portrait = (passage, Personal(told.portrait))
        like = told.likeness is not None and told.likeness >= self._threshold
        if found is not None and like:
            self._answer_for(_Known(passage, found.id, is_here=True), found.text)
        elif found is not None or told.portrait is None:
            code = told.reason or "portrait_differs"
            _log.warning("registration not taken over", passage=passage, code=code, fix=NOT_TAKEN_OVER)

    def _forget(self, passage: str) -> None:
        if self._awaits is not None and self._awaits[0] == passage:
            self._awaits = None
        if self._portrait is not None and self._portrait[0] == passage:
            self._portrait = None

    def _portrait_of(self, passage: str) -> Personal[Portrait] | None:
        return self._portrait[1] if self._portrait is not None and self._portrait[0] == passage else None

    def _answer_for(self, known: _Known, text: str) -> None:
        """Say yes for who is known to have said so, unless they were quicker."""
        with self._asking:
            if self._asked != known.passage:
                return
            self._asked, self._known = None, known
        self._post(
            ev.ConsentAnswered(
                at=time.monotonic(),
                passage=known.passage,
                given=True,
                text=text,
                registration=known.registration,
            )
        )

    def _take_over(self, passage: str, number: str, who: Personal[Holding], began: int) -> None:
        """Let the registration go over to the new document, and say that it is kept."""
        try:
            portrait = self._portrait_of(passage)
            sha256 = self.store.link(number, who.reveal(), "personal_number", began, portrait)
        except StoreError as error:
            self._tell(error)
            self._fail(passage, error.code)
            return
        self._post(ev.RegistrationLinked(at=time.monotonic(), registration=number, by="personal_number"))
        self._registered(passage, number, sha256)

    def _register(self, passage: str, who: Personal[Holding], began: int) -> None:
        try:
            portrait = self._portrait_of(passage)
            kept = self.store.register(who.reveal(), self._settings.text, passage, began, portrait)
        except StoreError as error:
            self._tell(error)
            self._fail(passage, error.code)
            return
        self._registered(passage, *kept)

    def _registered(self, passage: str, number: str, sha256: str) -> None:
        self._post(ev.Registered(at=time.monotonic(), passage=passage, registration=number, sha256=sha256))

    def _link(self, who: Personal[Holding], began: int) -> None:
        found = self._find(who)
        if found is None or not found.by_person:
            return
        try:
            self.store.link(found.id, who.reveal(), "personal_number", began)
        except StoreError as error:
            self._tell(error)
            return
        self._post(ev.RegistrationLinked(at=time.monotonic(), registration=found.id, by="personal_number"))

    def _withdraw(self, number: str, reason: str) -> None:
        try:
            self.erase(number, reason)
        except StoreError as error:
            if error.code != "registration_unknown":
                self._tell(error)
                return
            self._disclaim(number)

    def _disclaim(self, number: str) -> None:
        """It is deleted already, or this gate lost what it had: the centre need not wait for it."""
        try:
            self.store.disclaim(number, int(now_utc().timestamp()))
        except StoreError as error:
            self._tell(error)

    def erase(self, number: str, reason: str) -> Erasure:
        """Delete a registration for good, on record. For any thread. Raises StoreError."""
        erasure = self.store.erase(number, reason, int(now_utc().timestamp()))
        self._post(
            ev.RegistrationErased(
                at=time.monotonic(), registration=number, proof=erasure.proof, reason=reason
            )
        )
        return erasure

    def _leave(self) -> None:
        if self._elsewhere is not None:
            self._elsewhere.close()
        self.store.close()

    def _fail(self, passage: str, reason: str) -> None:
        self._post(ev.RegistrationFailed(at=time.monotonic(), passage=passage, reason=reason))

    def _tell(self, error: StoreError) -> None:
        if error.code != self._trouble:
            _log.warning("registrations cannot be kept or asked", code=error.code, fix=error.fix)
        self._trouble = error.code
