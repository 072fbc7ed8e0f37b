"""What must hold, always: for each step of the heart, for each state of heart and world, for each move in it.

A check answers True (it asked something, and it holds), False (it does not hold) or None (it does not apply
here); how often each one applied is counted, so that none holds only because it was never asked.
"""

from collections.abc import Callable

from gated.core import effects as do
from gated.core import events as ev
from gated.core.gate import Gate, State, is_enclosed
from gated.core.vocabulary import Door
from gated.proof.heart import Mark
from gated.proof.steps import RESTING, STEPS
from gated.proof.world import Broken, Kind, Move, World

Effects = tuple[do.AnyEffect, ...]
StateCheck = Callable[[Gate, World], bool | None]
MoveCheck = Callable[[Gate, World, Move], bool | None]
CommitCheck = Callable[[Gate, World, int], bool | None]

CONTACTS = frozenset({Broken.ENTRY_CONTACT, Broken.EXIT_CONTACT})
CURTAINS = frozenset({Broken.ENTRY_CURTAIN, Broken.EXIT_CURTAIN})


# --- states of heart and world ----------------------------------------------------------------------------


def never_both_doors_free(gate: Gate, world: World) -> bool | None:
    """1. In the lane as it really is, too."""
    free = gate.released if not world.lapsed else frozenset[Door]()
    if not free:
        return None
    return gate.state is State.EMERGENCY or len(free) == 1


def a_lane_at_rest_is_locked(gate: Gate, world: World) -> bool | None:
    """Nothing is released in a lane that serves nobody."""
    del world
    if gate.state not in RESTING - {State.EMERGENCY, State.MAINTENANCE, State.FREE_PASSAGE}:
        return None
    return not gate.released


# --- moves of the world -----------------------------------------------------------------------------------


def no_door_opens_while_the_other_is_open(gate: Gate, world: World, move: Move) -> bool | None:
    """1. Really: by a release, with contacts that are honest, and outside of an emergency."""
    if not move.kind & Kind.OPENS or gate.state is State.EMERGENCY or world.broken in CONTACTS:
        return None
    if not is_enclosed(gate):
        return None
    other = world.exit_open if move.kind & Kind.ENTRY_DOOR else world.entry_open
    return not other


def nobody_leaves_by_the_exit_uncounted(gate: Gate, world: World, move: Move) -> bool | None:
    """3. As many leave by the exit of two doors as were decided for, and not one more."""
    if not move.kind & Kind.LEAVES or not is_enclosed(gate) or world.broken:
        return None
    if gate.state is not State.EXIT_OPEN or gate.passage is None:
        return None
    return move.to.out <= gate.passage.party


# --- commitments ------------------------------------------------------------------------------------------


def as_many_are_inside_as_are_let_out(gate: Gate, world: World, mark: int) -> bool | None:
    """3. When the exit is released there are really so many people between the doors.

    With light curtains this holds with any one sensor for people broken, too. Where the exit hangs open while
    an officer gives the word, it is the officer who sees to it.
    """
    if not mark & Mark.DECIDES or not is_enclosed(gate) or gate.passage is None:
        return None
    spared = {Broken.NOTHING, Broken.DOCUMENT}
    if gate.policy.lane.curtains:
        spared |= {Broken.PRESENCE, *CURTAINS}
    officer_sees = gate.passage.word is not None and world.exit_open
    if world.broken not in spared or officer_sees:
        return None
    return world.inside <= gate.passage.party


def the_lane_is_really_empty_when_it_turns(gate: Gate, world: World, mark: int) -> bool | None:
    """Nobody is between the doors, and both are shut."""
    if not mark & Mark.TURNS or world.broken not in {Broken.NOTHING, Broken.DOCUMENT}:
        return None
    del gate
    return not world.people and not world.entry_open and not world.exit_open


STATES: tuple[StateCheck, ...] = (never_both_doors_free, a_lane_at_rest_is_locked)
MOVES: tuple[MoveCheck, ...] = (no_door_opens_while_the_other_is_open, nobody_leaves_by_the_exit_uncounted)
COMMITMENTS: tuple[CommitCheck, ...] = (
    as_many_are_inside_as_are_let_out,
    the_lane_is_really_empty_when_it_turns,
)


def _in_words(thing: object) -> str:
    """An event, effects, or a move; gates and worlds are told by the history before."""
    match thing:
        case Move():
            return f"then {thing.name}"
        case ev.Event():
            return f"then {thing}"
        case tuple() if not isinstance(thing, World):
            return f"which asks for {', '.join(type(effect).__name__ for effect in thing) or 'nothing'}"
        case _:
            return ""


class Violation(Exception):  # it is what was looked for
    """An invariant does not hold; `where` is what was asked about."""

    def __init__(self, invariant: str, where: tuple[object, ...]) -> None:
        super().__init__(invariant)
        self.invariant = invariant
        self.where = where

    @property
    def last(self) -> tuple[str, ...]:
        """What happened last, in words."""
        words = [_in_words(each) for each in self.where]
        return tuple(word for word in words if word)


class Checks:
    """Asks all of them, or only one, and counts how often each one applied."""

    def __init__(self, only: str | None = None) -> None:
        everything = (*STEPS, *STATES, *MOVES, *COMMITMENTS)
        self._of: dict[str, list[tuple[str, Callable[..., bool | None]]]] = {
            kind: [(check.__name__, check) for check in checks if only in {None, check.__name__}]
            for kind, checks in (("step", STEPS), ("state", STATES), ("move", MOVES), ("commit", COMMITMENTS))
        }
        self.asked: dict[str, int] = {check.__name__: 0 for check in everything}

    def _judge(self, kind: str, *where: object) -> None:
        for name, check in self._of[kind]:
            answer = check(*where)
            if answer is None:
                continue
            self.asked[name] += 1
            if not answer:
                raise Violation(name, where)

    def step(self, before: Gate, event: ev.AnyEvent, after: Gate, effects: Effects) -> None:
        """A step of the heart."""
        self._judge("step", before, event, after, effects)

    def state(self, gate: Gate, world: World) -> None:
        """A state of both."""
        self._judge("state", gate, world)

    def move(self, gate: Gate, world: World, move: Move) -> None:
        """A move of the world that a door or a person makes."""
        self._judge("move", gate, world, move)

    def commits(self, gate: Gate, world: World, mark: int) -> None:
        """A step that admits somebody or turns the lane, in this world."""
        self._judge("commit", gate, world, mark)
