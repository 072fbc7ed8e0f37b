"""Who may use the lane: the facts of one passage put together, and decided by the rules in force."""

from datetime import datetime
from typing import Final, Literal

from gated import logs
from gated.core.personal import Personal
from gated.core.rulings import Ruling
from gated.core.settings.travellers import EligibilitySettings
from gated.core.vocabulary import Direction
from gated.document.mrz import Mrz
from gated.lanes.registration import RegistrationLane
from gated.rules import Decision, Facts, Pack, decide
from gated.rules.knowledge import Known
from gated.rules.recording import recorded
from gated.rules.sources import of_lists, of_moment, of_zone
from gated.rules.standing_rows import Lifelong
from gated.store.database import StoreError
from gated.store.standings import Standings

Crossing = Literal["departure", "arrival"]

_OTHER: Final[dict[Crossing, Crossing]] = {"departure": "arrival", "arrival": "departure"}
_log = logs.get("lane.background")


class Eligibility:
    """Decides by a pack. Of one thread, but for `turn` and `use`, which take effect with the next passage."""

    def __init__(
        self,
        settings: EligibilitySettings,
        pack: Pack,
        standings: Standings | None = None,
        direction: Direction = Direction.FORWARD,
        registration: RegistrationLane | None = None,
    ) -> None:
        """`registration` knows who is registered here, and may register more; None: nobody is."""
        self._settings = settings
        self._pack = pack
        self._standings = standings
        self._direction = direction
        self._registration = registration
        self._trouble = ""

    @property
    def sha256(self) -> str:
        """The hash of the rules in force."""
        return self._pack.sha256

    def use(self, pack: Pack) -> None:
        """Decide by these rules from the next passage on."""
        self._pack = pack

    def turn(self, direction: Direction) -> None:
        """The lane is walked this way from here on."""
        self._direction = direction

    def of(self, mrz: Mrz, local: datetime, listed: tuple[str, ...] | None) -> "Judged":
        """Decide about the holder of a document; `listed` are the reasons of entries, None: no answer.

        Whom the rules would admit if they were registered, and may be here, is admitted on that condition.
        """
        pack = self._pack
        known: dict[str, Known] = {
            **of_zone(mrz, local.date()),
            **of_moment(local, self._crossing()),
            **of_lists(listed),
            **self._registered(mrz),
            **self._standing(mrz, local),  # the centre may know of a withdrawal
        }
        judged = Judged(pack, Facts(known), self._settings.record)
        may = self._registration is not None and self._registration.serves(mrz)
        if not may or judged.decision.ruling is Ruling.ADMIT:
            return judged
        then = Facts({**known, "registered": True, "consent": True})
        on_condition = Judged(pack, then, self._settings.record, registration=True)
        return on_condition if on_condition.decision.ruling is Ruling.ADMIT else judged

    def close(self) -> None:
        """Close what was open. Idempotent."""
        if self._standings is not None:
            self._standings.close()

    def _crossing(self) -> Crossing | None:
        forward = self._settings.forward
        if forward is None or self._direction is Direction.FORWARD:
            return forward
        return _OTHER[forward]

    def _registered(self, mrz: Mrz) -> dict[str, Known]:
        """What this gate itself knows of the holder's registration."""
        known = self._registration is not None and self._registration.of(mrz) is not None
        return {"registered": True, "consent": True} if known else {}

    def _person(self, mrz: Mrz) -> Personal[Lifelong] | None:
        """By what else than the document the centre may know a registered traveller."""
        registration = self._registration
        if registration is None or not registration.trusts_number or not registration.serves(mrz):
            return None
        who = registration.holder(mrz).reveal()
        return Personal(Lifelong(who.personal, who.birth)) if who.personal else None

    def _standing(self, mrz: Mrz, local: datetime) -> dict[str, Known]:
        """What the centre knows of the holder. Where that cannot be asked, nothing; technicians are told."""
        if self._standings is None:
            return {}
        try:
            found = self._standings.of(mrz.issuer, Personal(mrz.document_number), local, self._person(mrz))
        except StoreError as error:
            if error.code != self._trouble:
                _log.warning("the standings cannot be asked", code=error.code, fix=error.fix)
            self._trouble = error.code
            return {}
        self._trouble = ""
        return {} if found is None else found.facts(local.date())


class Judged:
    """A decision, and what of its facts goes on record; `registration`: if they are registered inside."""

    __slots__ = ("decision", "facts", "registration", "rules")

    def __init__(
        self,
        pack: Pack,
        facts: Facts,
        profile: Literal["basic", "extended"],
        *,
        registration: bool = False,
    ) -> None:
        self.registration = registration
        self.decision: Decision = decide(pack, facts)
        self.facts = recorded(facts, profile, pack.groups)
        self.rules = pack.sha256
