"""Who registered at another gate, by a number for life that only their chip tells: known at the question.

The rules are asked before the chip is read, so such a number decides nothing there. At the question it does:
who has agreed at another gate is not asked again. Nothing of them is kept here then: a second registration
would outlive the withdrawal of the first.
"""

from datetime import datetime

from gated.core.personal import Personal
from gated.rules.standing_rows import Agreed, Lifelong
from gated.store.database import StoreError
from gated.store.registration_letters import Holding
from gated.store.registrations import Registrations
from gated.store.standings import Standings


class Elsewhere:
    """What the centre has published. Of one thread, and the only one to ask these `standings`."""

    def __init__(self, standings: Standings, store: Registrations) -> None:
        """`store` knows what was deleted here: a published file may still have it for a while."""
        self._standings = standings
        self._store = store

    def agreed(self, who: Personal[Holding], now: datetime) -> Agreed | None:
        """What the holder of a chip's number has agreed to; None: nothing, or it was withdrawn here.

        Of a file that cannot be asked technicians are told by the lane of the rules, which asks it each time.
        """
        holder = who.reveal()
        if not holder.personal or holder.source != "chip":
            return None
        person = Personal(Lifelong(holder.personal, holder.birth))
        try:
            agreed = self._standings.agreed(holder.issuer, person, now)
            return agreed if agreed is None or self._store.erasure(agreed.registration) is None else None
        except StoreError:
            return None

    def close(self) -> None:
        """Close the file. Idempotent."""
        self._standings.close()
