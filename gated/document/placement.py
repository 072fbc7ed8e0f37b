"""What to ask of a traveller whose document does not read: one thing at a time, and not another every moment.

A published pilot lost more than a quarter of its presentations here, before any chip was asked. Which advice
applies to one image is a table (`advice_for`); `Coach` adds time: an advice has to hold for a while before it
is given, and stands for a while before it changes, since people cannot follow a flicker.

Nothing here knows pixels or clocks: what is seen comes as a `Sight`, time as seconds of any steady clock.
"""

from dataclasses import dataclass
from typing import Literal, Protocol

from gated.core.vocabulary import Advice

Status = Literal["empty", "present", "unknown"]
"""What the reader's own sensor says: whether something lies on the glass."""


class Sight(Protocol):
    """What one image shows, as `models.mrz.sight.PageSight` tells it and explains it."""

    @property
    def zone(self) -> bool:
        """Whether lines of a zone are there."""
        ...

    @property
    def turned(self) -> int | None:
        """Degrees clockwise from upright."""
        ...

    @property
    def cut_off(self) -> bool:
        """Whether some of the zone is beyond the image."""
        ...

    @property
    def printed(self) -> float:
        """Share of the image with print."""
        ...

    @property
    def covered(self) -> float:
        """Share of the image under something."""
        ...

    @property
    def extent(self) -> tuple[float, float]:
        """Long and short side of what lies there, in the image's long side."""
        ...

    @property
    def sharp(self) -> float:
        """Of the strongest edges, 0 to 1."""
        ...

    @property
    def moved(self) -> float | None:
        """Change since the image before, 0 to 1; None without one."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Station:
    """The reader: how wide its image is, and in which directions it takes a zone.

    `directions` are degrees clockwise; the optical reader of this project takes all four.
    """

    glass_mm: float = 130.0  # the long side of the image on the glass
    directions: frozenset[int] = frozenset({0, 90, 180, 270})
    moving: float = 0.04  # `Sight.moved` above this is a hand at work
    blurred: float = 0.4  # `Sight.sharp` below this cannot be read; 0.25 is a ramp of eight pixels or more
    empty: float = 0.04  # `Sight.covered` below this is an empty glass
    hold_s: float = 0.6  # for so long an advice must apply before it is given
    stand_s: float = 2.0  # for so long it stands before another takes its place


CARD_MM = (85.6, 54.0)  # ISO/IEC 7810 ID-1; ID-2 is 105 x 74
CARD_SLACK_MM = 10.0


def advice_for(station: Station, sight: Sight, status: Status, *, read: bool) -> Advice | None:
    """Return what applies to one image, None if nothing does; `read`: its zone was read for sure."""
    if read or status == "empty":
        return None
    lies = status == "present" or sight.zone or sight.covered >= station.empty
    if not lies:
        return None
    if sight.moved is not None and sight.moved > station.moving:
        return Advice.HOLD_STILL
    if sight.zone:
        if sight.cut_off:
            return Advice.PUSH_INTO_CORNER
        if sight.turned not in station.directions:
            return Advice.TURN_ROUND
        return Advice.HOLD_STILL if sight.sharp < station.blurred else None
    if 0 < sight.sharp < station.blurred and sight.printed > 0:
        return Advice.HOLD_STILL
    return Advice.TURN_OVER if _is_card(station, sight) else Advice.OPEN_AT_PHOTO_PAGE


def _is_card(station: Station, sight: Sight) -> bool:
    """Whether what lies there is no larger than a card and about its shape."""
    long, short = (side * station.glass_mm for side in sight.extent)
    fits = long <= CARD_MM[0] + CARD_SLACK_MM and short <= CARD_MM[1] + CARD_SLACK_MM
    return fits and long >= CARD_MM[0] - CARD_SLACK_MM and short >= CARD_MM[1] - CARD_SLACK_MM


class Coach:
    """Turns what applies from image to image into what is said. One for each reader; not thread-safe."""

    def __init__(self, station: Station) -> None:
        self._station = station
        self._said: Advice | None = None
        self._said_at = 0.0
        self._next: Advice | None = None
        self._next_since = 0.0

    def look(self, sight: Sight, status: Status, now: float, *, read: bool) -> Advice | None:
        """Take in an image and return what is to be said now. `now` never goes back.

        What was read needs no advice: that takes effect at once. So does an empty glass.
        """
        if read or status == "empty":
            self._said = self._next = None
            self._next_since = now
            return None
        applies = advice_for(self._station, sight, status, read=read)
        if applies != self._next:
            self._next, self._next_since = applies, now
        held = now - self._next_since >= self._station.hold_s
        stood = self._said is None or now - self._said_at >= self._station.stand_s
        if applies != self._said and held and stood:
            self._said, self._said_at = applies, now
        return self._said
