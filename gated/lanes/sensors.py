"""What the sensors of the lane say: levels of wires become events, named by the direction that is in force.

Called by the board's own thread at each change and once for each input when the board was opened; and by a
thread that lets the light curtains' time pass. Each level is kept by its wire, so that a lane that is turned
round can be told anew.
"""

import secrets
import threading
import time
from collections.abc import Callable
from datetime import datetime

from gated.core import events as ev
from gated.core.gate import BOTH
from gated.core.settings.board import IoBoardSettings
from gated.core.vocabulary import Device, Direction, Door
from gated.lanes.condition import Condition, Post
from gated.lanes.curtains import Curtains, is_beam
from gated.lanes.dossier import Dossiers
from gated.lanes.ends import Ends
from gated.runtime.clock import now_utc
from gated.runtime.lanes import Lane

CURTAIN_S = 0.05  # a crossing is known when nothing follows it for a while, so nobody waits for these
MAINS_FIX = "the gate runs on its battery and takes no further travellers: restore the mains"

Levels = dict[str, bool]


class Sensors:
    """Turns levels into events. For any thread; `lane` is the one that lets time pass."""

    def __init__(
        self,
        settings: IoBoardSettings,
        ends: Ends,
        condition: Condition,
        dossiers: Dossiers,
        post: Post,
        doors: frozenset[Door] = BOTH,
    ) -> None:
        """`doors`: those that this kind of lane has."""
        self.lane = Lane("curtains", turn=self._turn, period_s=CURTAIN_S)
        self.power = Condition(Device.POWER, post)
        self.has_power = settings.inputs.mains_lost is not None
        self._doors = doors
        self._inputs = settings.inputs
        self._ends = ends
        self._dossiers = dossiers
        self._post = post
        self._sensing = threading.RLock()
        self._wires: Levels = {}
        self._is_turning = False
        self._shut_since: dict[Door, float] = {}
        self._persons: int | None = None
        self.on_consent: Callable[[bool], None] | None = None
        """Whom to tell that a button was pressed, and which. Before the board is opened."""
        self._laid: dict[str, str] = {}  # by the reader's wire: the passage of what was laid down there last
        self._curtains = Curtains(post, condition, self._shut_since.get)

    def sense(self, wire: str, active: bool, beam_at: float | None = None) -> None:  # noqa: FBT001
        """A wire has this level from now on, a beam from `beam_at` on: a light curtain lives by times."""
        with self._sensing:
            self._wires[wire] = active
            at = time.monotonic() if beam_at is None or not is_beam(wire) else beam_at
            self._say(wire, at, active=active)

    def forget(self) -> None:
        """The board was away: what it said does not hold any more."""
        with self._sensing:
            self._wires.clear()
            for placed in self._laid.values():
                self._dossiers.take_page(placed)  # it may be another document that lies there afterwards
            self._laid.clear()
            self._forget_places()

    def watch_anew(self) -> None:
        """The light curtains begin anew, with the beams as they are now."""
        with self._sensing:
            now = time.monotonic()
            self._curtains.begin_anew(now)
            for wire, active in self._wires.items():
                if is_beam(self._ends.turned(wire)):
                    self._say(wire, now, active=active)

    def turn(self, direction: Direction) -> None:
        """Serve this direction: from here on the ends have changed places, and are told anew."""
        with self._sensing:
            now = time.monotonic()
            self._ends.direction = direction
            self._post(ev.LaneTurned(at=now, direction=direction))
            self._forget_places()
            self._is_turning = True
            for wire, active in self._wires.items():
                self._say(wire, now, active=active)
            self._is_turning = False

    def _forget_places(self) -> None:
        """What was told by the names of the ends does not hold any more."""
        self._shut_since.clear()
        self._persons = None
        self._curtains.forget()

    def _turn(self) -> None:
        with self._sensing:
            now, due = time.monotonic(), self._curtains.due
            if due is not None and due <= now:
                self._curtains.elapse(now)

    def _say(self, wire: str, at: float, *, active: bool) -> None:
        name = self._ends.turned(wire)
        if is_beam(name):
            self._curtains.sense(name, blocked=active, at=at)
            return
        match name:
            case "document":
                self._document(wire, at, lies=active)
            case "exit_document":
                self._other_document(wire, at, lies=active)
            case "entry_shut" | "exit_shut":
                self._door(Door(name.removesuffix("_shut")), at, shut=active)
            case "occupied" | "crowded":
                self._count(at)
            case "entry_obstructed" | "exit_obstructed":
                self._obstructed(Door(name.removesuffix("_obstructed")), at, blocked=active)
            case "fire" | "panic" if active:
                self._post(ev.EmergencyRaised(at=at))
            case "consent_yes" | "consent_no" if active and self.on_consent is not None:
                self.on_consent(name == "consent_yes")
            case "mains_lost" if active:
                self.power.failed("mains_lost", MAINS_FIX)
            case "mains_lost":
                self.power.ready()
            case _:
                pass

    def _document(self, reader: str, at: float, *, lies: bool) -> None:
        if not lies:
            self._dossiers.take_page(self._laid.get(reader, ""))  # nobody will ask for it any more
            self._post(ev.DocumentRemoved(at=at))
            return
        passage, now = self._begin(reader)
        utc = now.isoformat(timespec="milliseconds")
        self._post(ev.DocumentPlaced(at=at, passage=passage, utc=utc))

    def _other_document(self, reader: str, at: float, *, lies: bool) -> None:
        """A document at the end that is not in use: its page waits unread until the lane is turned."""
        if lies:
            self._begin(reader)
        else:
            self._dossiers.end(self._laid.pop(reader, ""))
        self._post(ev.OtherEndChanged(at=at, document=lies))

    def _begin(self, reader: str) -> tuple[str, datetime]:
        """Begin a dossier for what lies there; when the lane is turned, its page waits in the one before."""
        passage, now = secrets.token_hex(8), now_utc()
        before = self._laid.get(reader) if self._is_turning else None
        page = self._dossiers.take_page(before) if before is not None else None
        if before is not None:
            self._dossiers.end(before)
        self._laid[reader] = passage
        self._dossiers.begin(passage, now, reader)
        if page is not None:
            self._dossiers.put_page(page, reader)
        return passage, now

    def _door(self, door: Door, at: float, *, shut: bool) -> None:
        if shut and door in self._doors:
            self._shut_since[door] = at
        else:
            self._shut_since.pop(door, None)
        self._post(ev.DoorMoved(at=at, door=door, shut=shut))

    def _obstructed(self, door: Door, at: float, *, blocked: bool) -> None:
        """What the safety controller sees in a doorway counts where no light curtain does."""
        if not self._inputs.beams(door.value):
            self._post(ev.DoorwayChanged(at=at, door=door, blocked=blocked))

    def _count(self, at: float) -> None:
        """More than one counts even if the line for the first is broken."""
        persons = 2 if self._wires.get("crowded") else int(self._wires.get("occupied", False))
        if persons != self._persons:
            self._persons = persons
            self._post(ev.OccupancyChanged(at=at, persons=persons))
