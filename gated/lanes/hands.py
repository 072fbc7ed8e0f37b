"""The hands: every effect of the heart, and the lane that performs it. One table, nothing decided here."""

from gated import logs
from gated.core import effects as do
from gated.core.vocabulary import Direction, Door, Outcome
from gated.lanes.background import BackgroundLane
from gated.lanes.board import BoardLane
from gated.lanes.desks import Desks, EndsWatch
from gated.lanes.dossier import Dossiers
from gated.lanes.registration import RegistrationLane
from gated.lanes.sight import SightLane
from gated.lanes.tokens import FindingLane, IssuingLane

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
        issuing: IssuingLane | None = None,
        finding: FindingLane | None = None,
        registration: RegistrationLane | None = None,
    ) -> None:
        """Take the lanes; `watch` tells the devices of a lane for two directions by their ends.

        `issuing` makes the tokens of a kiosk, `finding` finds them at a gate: the configuration sees to it
        that a lane whose heart asks for the one or the other has it. `registration` keeps registrations: the
        heart asks for it only where the background check says that it is there.
        """
        self._board = board
        self._desks = desks
        self._sight = sight
        self._background = background
        self._dossiers = dossiers
        self._watch = watch
        self._issuing = issuing
        self._finding = finding
        self._registration = registration

    def perform(self, effect: do.AnyEffect) -> None:
        """Do it, or hand it to the lane that does; never waits for a device but the I/O board.

        Raises queue.Full for a lane that is hopelessly behind, NotGuardedError for doors without their guard,
        StoreError where it cannot be written down that a token is used: then no door is released for it.
        """
        match effect:
            case do.LockDoor() | do.UnlockDoor() | do.ReleaseAll():
                self._move(effect)
            case do.WatchAnew():
                self._board.watch_anew()
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
            case do.CheckBackground() | do.KeepFalseHit():
                self._ask_background(effect)
            case do.FindToken() | do.IssueToken():
                self._token(effect)
            case do.AskConsent() | do.Register():
                self._register(effect)
            case do.PrepareReference():
                self._sight.enrol(effect.passage)
            case do.StartCapture():
                light = self._board.light_face()
                self._sight.capture(effect.passage, effect.attempt, light, effect.min_height_m)
            case do.ConcludeCapture():
                self._sight.conclude(effect.passage, effect.attempt)
            case do.Decide():
                self._admit(effect)
            case do.EndPassage():
                self._end(effect)

    def _ask_background(self, effect: do.CheckBackground | do.KeepFalseHit) -> None:
        """Ask about a traveller, or have it kept what an officer found of one."""
        if isinstance(effect, do.CheckBackground):
            self._background.check(effect.passage)
        else:
            self._background.keep(effect)

    def _token(self, effect: do.FindToken | do.IssueToken) -> None:
        """Find or make a token."""
        if isinstance(effect, do.FindToken) and self._finding is not None:
            self._finding.find(effect.passage)
        elif isinstance(effect, do.IssueToken) and self._issuing is not None:
            self._issuing.issue(effect)
        else:
            raise LookupError("a lane without [tokens] was asked for one")

    def _admit(self, effect: do.Decide) -> None:
        """The traveller may leave by the exit; a registration goes with them to a new document."""
        _log.info("admitted", passage=effect.passage, officer=effect.officer)
        if self._registration is not None and effect.officer is None:
            self._registration.admitted(effect.passage)

    def _register(self, effect: do.AskConsent | do.Register) -> None:
        """Listen to the traveller's answer, or keep their registration."""
        if self._registration is None:
            raise LookupError("a lane without [registration] was asked for one")
        if isinstance(effect, do.AskConsent):
            self._registration.ask(effect.passage)
        else:
            self._registration.register(effect.passage)

    def _move(self, effect: do.LockDoor | do.UnlockDoor | do.ReleaseAll) -> None:
        match effect:
            case do.LockDoor():
                self._board.lock(effect.door)
            case do.UnlockDoor():
                self._unlock(effect)
            case do.ReleaseAll():
                self._board.release_all()

    def _unlock(self, effect: do.UnlockDoor) -> None:
        """Release a door; the entry, for a token, only once it is written down that the token is used."""
        for_token = self._finding if effect.door is Door.ENTRY else None
        if for_token is None or effect.passage is None or for_token.use(effect.passage):
            self._board.unlock(effect.door, effect.lease_s)

    def _turn(self, direction: Direction) -> None:
        """Let everything serve this direction, before the loop comes to another effect; or nothing."""
        if not self._board.turn(direction):
            return  # the heart commands it again
        self._desks.turn(direction)
        self._background.turn(direction)
        self._sight.turn(direction)
        if self._watch is not None:
            self._watch.turn(direction)

    def _end(self, effect: do.EndPassage) -> None:
        """Wipe what is known of the traveller, everywhere."""
        if effect.outcome is Outcome.ADMITTED:
            self._background.admitted(effect.passage)
        self._dossiers.end(effect.passage)
        self._desks.zone.forget()
        self._sight.forget(effect.passage)
        if self._registration is not None:
            self._registration.forget(effect.passage)
        if self._issuing is not None:
            self._issuing.forget(effect.passage)
        self._board.darken_face()
        reason = effect.reasons[0] if effect.reasons else None
        _log.info("passage ended", passage=effect.passage, outcome=effect.outcome, reason=reason)
