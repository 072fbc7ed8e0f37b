"""The document readers of a lane, by its ends: those of the direction in force are asked, and alone count.

A lane for one direction has one desk. At the end of a lane for two directions that is not in use the readers
are watched as well: what fails there closes nothing, but it is told, and the lane is not turned to that end.
"""

import threading
import time
from collections.abc import Mapping
from typing import NamedTuple, Protocol

from msgspec.structs import replace

from gated.core import events as ev
from gated.core.vocabulary import Device, Direction
from gated.lanes.condition import Post

STARTING = "starting"  # at that end, and not heard of yet
WELL = "well"

_OPPOSITE = {Direction.FORWARD: Direction.REVERSE, Direction.REVERSE: Direction.FORWARD}
_Word = ev.DeviceReady | ev.FaultRaised


class ZoneReader(Protocol):
    """The lane that reads the machine-readable zone of what lies there: of a scanner, or of a page camera."""

    def read(self, passage: str) -> None:
        """Read it for this passage."""

    def forget(self) -> None:
        """The passage ended: drop what was read and wait for nothing."""


class ChipAsker(Protocol):
    """The lane that reads the chip of what lies there."""

    def read(self, passage: str) -> None:
        """Read it for this passage."""


class Desk(NamedTuple):
    """What reads documents at one end."""

    zone: ZoneReader
    chip: ChipAsker


class Desks:
    """The desks by the direction in which people come in at them. Used by the loop alone."""

    def __init__(self, desks: Mapping[Direction, Desk], direction: Direction = Direction.FORWARD) -> None:
        self._desks = desks
        self._direction = direction

    @property
    def zone(self) -> ZoneReader:
        """Who reads the zone in the direction in force."""
        return self._desks[self._direction].zone

    @property
    def chip(self) -> ChipAsker:
        """Who reads the chip in the direction in force."""
        return self._desks[self._direction].chip

    def turn(self, direction: Direction) -> None:
        """From here on this direction is in force."""
        self._desks[direction]  # one that is not there ends the loop before it ends a passage
        self._direction = direction


class EndsWatch:
    """What the devices of both ends say, told by the direction in force. For any thread."""

    def __init__(self, post: Post, direction: Direction = Direction.FORWARD) -> None:
        self._post = post
        self._direction = direction
        self._telling = threading.Lock()  # what is told of a device comes in the order in which it was said
        self._said: dict[tuple[Direction, Device], _Word] = {}

    def post_of(self, direction: Direction) -> Post:
        """Where the lanes of that end post."""
        return lambda event: self._hear(direction, event)

    def turn(self, direction: Direction) -> None:
        """The lane was turned: from here on that end counts, and everything is told anew that is known of it.

        What is well at the other end is not told: to the heart it is, until it hears otherwise.
        """
        with self._telling:
            self._direction = direction
            now = time.monotonic()
            for device in sorted({device for _, device in self._said}):
                fresh = ev.FaultRaised(at=now, device=device, code=STARTING)
                word = self._said.get((direction, device), fresh)
                self._post(replace(word, at=now))
                if self._code_of_other(device) != WELL:
                    self._tell_other(device, now)

    def _hear(self, end: Direction, event: ev.AnyEvent) -> None:
        incident = isinstance(event, ev.FaultRaised) and event.latched
        if incident or not isinstance(event, ev.DeviceReady | ev.FaultRaised):
            self._post(event)
            return
        with self._telling:
            before = self._said.get((end, event.device))
            self._said[end, event.device] = event
            if end is self._direction:
                self._post(event)
            elif before is not None or isinstance(event, ev.FaultRaised):  # what starts well is no news
                self._tell_other(event.device, event.at)

    def _tell_other(self, device: Device, at: float) -> None:
        code = self._code_of_other(device)
        self._post(ev.OtherDeviceChanged(at=at, device=device, code=code))

    def _code_of_other(self, device: Device) -> str:
        word = self._said.get((_OPPOSITE[self._direction], device))
        return STARTING if word is None else getattr(word, "code", WELL)
