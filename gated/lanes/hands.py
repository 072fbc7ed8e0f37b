"""The hands: every effect of the heart, and the lane that performs it. One table, nothing decided here."""

from gated import logs
from gated.core import effects as do
from gated.core.vocabulary import Direction, Outcome
from gated.lanes.background import BackgroundLane
from gated.lanes.board import BoardLane
from gated.lanes.desks import Desks, EndsWatch
from gated.lanes.dossier import Dossiers
from gated.lanes.sight import SightLane

_log = logs.get("gate")


class Hands:
    """Performs effects. A device that refuses is a fault that its lane tells, not the end of the loop."""

    def __init__(
        self,
        board: BoardLane,
        desks: Desks,
        sight: SightLane,
        background: BackgroundLane,
        dossiers: Dossiers,
        watch: EndsWatch | None = None,
    ) -> None:
        """Take the lanes; `watch` tells the devices of a lane for two directions by their ends."""
        self._board = board
        self._desks = desks
        self._sight = sight
        self._background = background
        self._dossiers = dossiers
        self._watch = watch

    def perform(self, effect: do.AnyEffect) -> None:
        """Do it, or hand it to the lane that does; never waits for a device but the I/O board.

        Raises queue.Full for a lane that is hopelessly behind, NotGuardedError for doors without their guard.
        """
        match effect:
            case do.LockDoor():
                self._board.lock(effect.door)
            case do.UnlockDoor():
                self._board.unlock(effect.door, effect.lease_s)
            case do.ReleaseAll():
                self._board.release_all()
            case do.TurnLane():
                self._turn(effect.direction)
            case do.Tell():
                self._board.show(effect.lamps)
            case do.AlertOfficer():
                _log.warning("officer needed", kind=effect.kind, passage=effect.passage, grade=effect.grade)
            case do.ReadMrz():
                self._desks.zone.read(effect.passage)
            case do.ReadChip():
                self._desks.chip.read(effect.passage)
            case do.CheckBackground():
                self._background.check(effect.passage)
            case do.PrepareReference():
                self._sight.enrol(effect.passage)
            case do.StartCapture():
                light = self._board.light_face()
                self._sight.capture(effect.passage, effect.attempt, light, effect.min_height_m)
            case do.ConcludeCapture():
                self._sight.conclude(effect.passage, effect.attempt)
            case do.Decide():
                _log.info("admitted", passage=effect.passage, officer=effect.officer)
            case do.EndPassage():
                self._end(effect)

    def _turn(self, direction: Direction) -> None:
        """Let everything serve this direction, before the loop comes to another effect."""
        self._desks.turn(direction)
        self._sight.turn(direction)
        self._board.turn(direction)
        if self._watch is not None:
            self._watch.turn(direction)

    def _end(self, effect: do.EndPassage) -> None:
        """Wipe what is known of the traveller, everywhere."""
        if effect.outcome is Outcome.ADMITTED:
            self._background.admitted(effect.passage)
        self._dossiers.end(effect.passage)
        self._desks.zone.forget()
        self._sight.forget(effect.passage)
        self._board.darken_face()
        reason = effect.reasons[0] if effect.reasons else None
        _log.info("passage ended", passage=effect.passage, outcome=effect.outcome, reason=reason)
