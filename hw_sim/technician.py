"""Whoever is called to a gate that has a fault: reads what it says, mends it, and hands the lane back.

They know what a technician can know: the journal, `gatectl status`, and the log of a daemon that ended. What
they find wanting are the problems of the rehearsal: a fault that is not shown with what to do about it, a
lane that comes back by itself when somebody had to look, or one that does not come back.
"""

import time
from collections.abc import Callable
from contextlib import closing

from gated.core import effects as do
from gated.core import events as ev
from gated.core.gate import State
from gated.store.database import open_to_read
from gated.store.journal import Entry, verify
from hw_sim.scenarios import Scenario, Trouble
from hw_sim.site import Site

POLL_S = 0.1
TOLD_S = 30.0  # from the fault to the journal: a sensor that sticks is doubted only after a while
SHOWN_S = 5.0
BACK_S = 15.0  # from mended to a lane that takes travellers


class Technician:
    """Called to one fault. `hear` each journal entry; the rest in the order in which it stands here."""

    def __init__(self, site: Site, scenario: Scenario) -> None:
        self.told = False
        """Whether the fault stands in the journal."""
        self.problems: list[str] = []
        self._site = site
        self._trouble = scenario.trouble
        self._says = scenario.says

    @property
    def is_called(self) -> bool:
        """Whether anybody knows of the fault: it was told, or it ended what would have told it."""
        return self.told or self._trouble is None

    def hear(self, entry: Entry) -> None:
        """Look whether an entry tells of the fault; after it nobody is admitted."""
        event, trouble = entry.event, self._trouble
        if trouble is not None and isinstance(event, ev.FaultRaised):
            same = (event.device, event.code, event.latched) == (
                trouble.device,
                trouble.code,
                trouble.latched,
            )
            self.told = self.told or same
        elif trouble is not None and any(_names(effect, trouble) for effect in entry.followed.effects):
            self.told = True  # the heart itself found it
        elif self.told and any(isinstance(effect, do.Decide) for effect in entry.followed.effects):
            self.problems.append("somebody was admitted after the fault")

    def inspect(self, news: Callable[[], None]) -> None:
        """Wait for the fault, and read what is said about it. `news` reads on in the journal."""
        if self._says and f'"code": "{self._says}"' not in self._log():
            self.problems.append(f"the log of gated does not say {self._says}")
        if self._trouble is None:
            return
        self._wait(TOLD_S, news, lambda: self.told)
        if not self.told:
            self.problems.append(f"the journal does not tell {self._name}")
        if not self._wait(SHOWN_S, news, self._is_shown):
            self.problems.append(f"`gatectl status` does not show {self._name} with what to do")

    def hand_back(self, news: Callable[[], None]) -> None:
        """See that the lane waits for what it must wait for, clear what was latched, and see it come back."""
        if self._trouble is not None and self._trouble.latched:
            time.sleep(POLL_S)
            if self._takes_travellers():
                self.problems.append(f"the lane came back although nobody cleared {self._name}")
            self._site.clear_fault(self._trouble.device)
        if not self._wait(BACK_S, news, self._takes_travellers):
            self.problems.append(f"the lane did not come back after it was mended: {self._seen()}")
        with closing(open_to_read(self._site.state / "journal.db")) as journal:
            found = verify(journal)
        self.problems.extend(f"journal: {problem}" for problem in found.problems)

    @property
    def _name(self) -> str:
        return f"{self._trouble.device}: {self._trouble.code}" if self._trouble else ""

    def _is_shown(self) -> bool:
        status = self._site.status()
        return status is not None and bool(status.faults.get(self._name))

    def _takes_travellers(self) -> bool:
        status = self._site.status()
        return status is not None and status.state == State.IDLE

    def _seen(self) -> str:
        status = self._site.status()
        return "no answer" if status is None else f"{status.state}, faults {status.faults}"

    def _log(self) -> str:
        return self._site.daemons["gated"].log.read_text(encoding="utf-8")

    def _wait(self, timeout_s: float, news: Callable[[], None], true: Callable[[], bool]) -> bool:
        deadline = time.monotonic() + timeout_s
        while time.monotonic() < deadline:
            news()
            if true():
                return True
            time.sleep(POLL_S)
        return False


def _names(effect: do.AnyEffect, trouble: Trouble) -> bool:
    """Whether officers are told of a fault that no device reports."""
    return isinstance(effect, do.AlertOfficer) and effect.kind == trouble.code
