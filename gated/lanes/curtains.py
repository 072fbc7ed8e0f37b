"""The light curtains of the doorways: beams in, crossings out, and whether what they say can be."""

from collections.abc import Callable

from gated.core import events as ev
from gated.core.crossings import Beam, Crossing, TurnedBack
from gated.core.curtain import Curtain, DoorwayChanged, Implausible
from gated.core.vocabulary import Door
from gated.lanes.condition import Condition, Post

LATE_S = 1.5  # a crossing is told so long after it at most

_BEAMS = {f"{door}_{beam}": (door, beam) for door in Door for beam in Beam}


def is_beam(name: str) -> bool:
    """Whether this input is a beam of a light curtain."""
    return name in _BEAMS


class Curtains:
    """Both doorways. For the board's thread alone, which also calls `elapse` when it is `due`."""

    def __init__(
        self, post: Post, condition: Condition, is_shut_since: Callable[[Door], float | None]
    ) -> None:
        self._post = post
        self._condition = condition
        self._is_shut_since = is_shut_since
        self._curtains = {door: Curtain() for door in Door}

    @property
    def due(self) -> float | None:
        """When `elapse` is to be called (monotonic seconds), if no beam changes before."""
        return min((each.due for each in self._curtains.values() if each.due is not None), default=None)

    def sense(self, name: str, *, blocked: bool, at: float) -> None:
        """A beam is interrupted or free."""
        door, beam = _BEAMS[name]
        self._tell(door, self._curtains[door].observe(beam, blocked, at))

    def elapse(self, at: float) -> None:
        """Time has passed."""
        for door, curtain in self._curtains.items():
            self._tell(door, curtain.elapse(at))

    def forget(self) -> None:
        """The beams were not watched for a while, or the ends changed places: begin anew."""
        self._curtains = {door: Curtain() for door in Door}

    def begin_anew(self, at: float) -> None:
        """Forget what was seen; what still stands in a doorway is told again with its beams."""
        for door, curtain in self._curtains.items():
            if curtain.blocked:
                self._post(ev.DoorwayChanged(at=at, door=door, blocked=False))
        self.forget()

    def _tell(self, door: Door, happenings: tuple[object, ...]) -> None:
        for each in happenings:
            match each:
                case DoorwayChanged():
                    self._post(ev.DoorwayChanged(at=each.at, door=door, blocked=each.blocked))
                case Crossing():
                    self._crossed(door, each)
                case TurnedBack():
                    self._post(ev.TurnedBack(at=each.at, door=door))
                case Implausible() if each.code != "began_blocked":
                    fix = f"light curtain at the {door}: {each.fix}"
                    self._condition.failed(f"{door}_{each.code}", fix, latched=True)
                case _:
                    pass

    def _crossed(self, door: Door, crossing: Crossing) -> None:
        """Through a door that was shut before and after, nobody goes: such a curtain cannot be relied on."""
        since = self._is_shut_since(door)
        if since is not None and crossing.at - since > LATE_S:
            fix = f"at the {door} the light curtain saw somebody through a shut door: check both of them"
            self._condition.failed("crossed_a_shut_door", fix, latched=True)
        self._post(
            ev.Crossed(
                at=crossing.at,
                door=door,
                inward=crossing.inward,
                persons=crossing.persons,
                body=crossing.body,
            )
        )
