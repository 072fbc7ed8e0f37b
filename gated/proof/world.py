"""The lane as it really is: two doors, up to three people, one thing left behind, documents, a broken sensor.

A world changes by moves, each of which is always possible where physics allows it; nobody has to do anything.
What an honest sensor tells follows the world, sooner or later, but before any time limit passes; a broken one
says anything, or nothing.
"""

from collections.abc import Iterator
from enum import IntEnum
from typing import NamedTuple

from gated.core.vocabulary import Door
from gated.proof.builds import Build


class Broken(IntEnum):
    """The one thing of the lane that does not do what it should."""

    NOTHING = 0
    ENTRY_CONTACT = 1
    EXIT_CONTACT = 2
    PRESENCE = 3
    ENTRY_CURTAIN = 4
    EXIT_CURTAIN = 5
    DOCUMENT = 6
    ENTRY_LOCK = 7  # the door can be pushed open though it is locked
    EXIT_LOCK = 8
    LEASE = 9  # the loop hangs for a while: the driver ends its leases
    MENDED = 10  # nothing any more, once its sensor has told how things are


MIRRORED = {
    Broken.ENTRY_CONTACT: Broken.EXIT_CONTACT,
    Broken.EXIT_CONTACT: Broken.ENTRY_CONTACT,
    Broken.ENTRY_CURTAIN: Broken.EXIT_CURTAIN,
    Broken.EXIT_CURTAIN: Broken.ENTRY_CURTAIN,
    Broken.ENTRY_LOCK: Broken.EXIT_LOCK,
    Broken.EXIT_LOCK: Broken.ENTRY_LOCK,
}


class Doorway(IntEnum):
    """Who stands in a doorway: nobody, or somebody who came from the one side or the other."""

    FREE = 0
    FROM_OUTSIDE = 1
    FROM_INSIDE = 2


class Crossing(IntEnum):
    """What a light curtain has seen and not told yet."""

    NONE = 0
    IN_BY_ENTRY = 1
    OUT_BY_ENTRY = 2
    OUT_BY_EXIT = 3
    IN_BY_EXIT = 4
    BACK_FROM_EXIT = 5  # into the exit's doorway and out again on the same side


class World(NamedTuple):
    """How the lane is.

    `out` is how many left by the exit since the last decision, less those who came in by it; `lapsed`: the
    driver has ended the lease, whatever the heart believes.
    """

    entry: Doorway = Doorway.FREE
    inside: int = 0
    exit: Doorway = Doorway.FREE
    thing: bool = False
    entry_open: bool = False
    exit_open: bool = False
    lapsed: bool = False
    out: int = 0
    untold: Crossing = Crossing.NONE
    document: bool = False
    other_document: bool = False
    broken: Broken = Broken.NOTHING

    @property
    def people(self) -> int:
        """Everybody in the lane and its doorways."""
        return self.inside + bool(self.entry) + bool(self.exit)


class Kind:
    """What sort of move this is: bits of an int, since an enumeration's are slow.

    A fair lane goes on making the moves that are `FAIR`.
    """

    ANY = 0
    FAIR = 1  # people leave, doors follow their command, sensors tell, time passes
    MENDING = 2  # whoever is in charge puts something right
    ENTRY_DOOR = 4  # the entry's leaf moves
    EXIT_DOOR = 8
    OPENS = 16  # a released door begins to open
    LEAVES = 32  # somebody went out by the exit, or came in by it
    TIME = 64  # the limit of a state has passed
    ENTERS = 128  # a state is entered, again or anew


class Move(NamedTuple):
    """Something that happens in the world."""

    name: str
    to: World
    kind: int = Kind.ANY


def faults_of(build: Build) -> tuple[Broken, ...]:
    """Everything that this lane has and that can break."""
    if not build.breaks:
        return (Broken.NOTHING,)
    exists = {
        Broken.ENTRY_CONTACT: build.enclosed,
        Broken.EXIT_CONTACT: build.has_exit,
        Broken.PRESENCE: True,
        Broken.ENTRY_CURTAIN: build.enclosed and build.curtains,
        Broken.EXIT_CURTAIN: build.has_exit and build.curtains,
        Broken.DOCUMENT: True,
        Broken.ENTRY_LOCK: build.enclosed,
        Broken.EXIT_LOCK: build.has_exit,
        Broken.LEASE: build.has_exit,
    }
    return (Broken.NOTHING, *(broken for broken, there in exists.items() if there))


def moves(world: World, free: frozenset[Door], build: Build, people: int) -> Iterator[Move]:
    """Everything that may happen while these doors are released and so many people come at most."""
    if world.broken is Broken.MENDED:
        yield Move("the lane is used again", world._replace(broken=Broken.NOTHING), Kind.FAIR)
        return
    if build.enclosed:
        yield from _entry_door(world, free)
        yield from _by_the_entry(world, build, people)
    else:
        yield from _open_back(world, people)
    if build.has_exit:
        yield from _exit_door(world, free)
        yield from _by_the_exit(world, build, people)
    yield from _things(world, build, people)
    if world.broken:
        yield Move("what was broken is mended", world._replace(broken=Broken.MENDED), Kind.MENDING)


def _entry_door(world: World, free: frozenset[Door]) -> Iterator[Move]:
    if world.entry_open:
        if not world.entry:
            kind = Kind.ENTRY_DOOR if Door.ENTRY in free else Kind.ENTRY_DOOR | Kind.FAIR
            yield Move("the entry shuts", world._replace(entry_open=False), kind)
    elif Door.ENTRY in free:
        kind = Kind.ENTRY_DOOR | Kind.FAIR | Kind.OPENS
        yield Move("the entry opens", world._replace(entry_open=True), kind)
    elif world.broken is Broken.ENTRY_LOCK:
        yield Move("the entry is forced", world._replace(entry_open=True), Kind.ENTRY_DOOR)


def _exit_door(world: World, free: frozenset[Door]) -> Iterator[Move]:
    if world.exit_open:
        if not world.exit:
            kind = Kind.EXIT_DOOR if Door.EXIT in free else Kind.EXIT_DOOR | Kind.FAIR
            yield Move("the exit shuts", world._replace(exit_open=False), kind)
    elif Door.EXIT in free:
        kind = Kind.EXIT_DOOR | Kind.FAIR | Kind.OPENS
        yield Move("the exit opens", world._replace(exit_open=True), kind)
    elif world.broken is Broken.EXIT_LOCK:
        yield Move("the exit is forced", world._replace(exit_open=True), Kind.EXIT_DOOR)


def _by_the_entry(world: World, build: Build, people: int) -> Iterator[Move]:
    may_cross = not world.untold
    match world.entry:
        case Doorway.FREE if world.entry_open:
            if world.people < people:
                yield Move("somebody steps into the entry", world._replace(entry=Doorway.FROM_OUTSIDE))
            if world.inside:
                there = world._replace(entry=Doorway.FROM_INSIDE, inside=world.inside - 1)
                yield Move("somebody inside steps into the entry", there, Kind.FAIR)
        case Doorway.FROM_OUTSIDE:
            yield Move("they step back out", world._replace(entry=Doorway.FREE), Kind.FAIR)
            if may_cross:
                gone = world._replace(entry=Doorway.FREE, inside=world.inside + 1)
                yield Move("they go in", _seen(gone, Crossing.IN_BY_ENTRY, build))
        case Doorway.FROM_INSIDE:
            yield Move("they step back in", world._replace(entry=Doorway.FREE, inside=world.inside + 1))
            if may_cross:
                gone = world._replace(entry=Doorway.FREE)
                yield Move("they leave by the entry", _seen(gone, Crossing.OUT_BY_ENTRY, build), Kind.FAIR)
        case _:
            pass


def _open_back(world: World, people: int) -> Iterator[Move]:
    if world.people < people:
        yield Move("somebody comes near", world._replace(inside=world.inside + 1))
    if world.inside:
        yield Move("somebody walks away", world._replace(inside=world.inside - 1), Kind.FAIR)


def _by_the_exit(world: World, build: Build, people: int) -> Iterator[Move]:
    may_cross = not world.untold
    match world.exit:
        case Doorway.FREE if world.exit_open:
            if world.inside:
                there = world._replace(exit=Doorway.FROM_INSIDE, inside=world.inside - 1)
                yield Move("somebody inside steps into the exit", there, Kind.FAIR)
            if world.people < people:
                yield Move(
                    "somebody steps into the exit from beyond", world._replace(exit=Doorway.FROM_OUTSIDE)
                )
        case Doorway.FROM_INSIDE if may_cross:
            gone = world._replace(exit=Doorway.FREE, out=min(world.out + 1, build.people + 1))
            yield Move(
                "they leave by the exit", _seen(gone, Crossing.OUT_BY_EXIT, build), Kind.FAIR | Kind.LEAVES
            )
            back = world._replace(exit=Doorway.FREE, inside=world.inside + 1)
            yield Move("they step back in", _seen(back, Crossing.BACK_FROM_EXIT, build))
        case Doorway.FROM_OUTSIDE:
            yield Move("they step back beyond", world._replace(exit=Doorway.FREE), Kind.FAIR)
            if may_cross:
                gone = world._replace(
                    exit=Doorway.FREE, inside=world.inside + 1, out=max(world.out - 1, -build.people)
                )
                yield Move("they come in by the exit", _seen(gone, Crossing.IN_BY_EXIT, build), Kind.LEAVES)
        case _:
            pass


def _seen(world: World, crossing: Crossing, build: Build) -> World:
    """The curtain has seen it; one that is broken may tell of it or not, and of anything else."""
    of_entry = crossing in {Crossing.IN_BY_ENTRY, Crossing.OUT_BY_ENTRY}
    curtain = Broken.ENTRY_CURTAIN if of_entry else Broken.EXIT_CURTAIN
    seen = build.curtains and world.broken is not curtain
    return world._replace(untold=crossing) if seen else world


def _things(world: World, build: Build, people: int) -> Iterator[Move]:
    if world.document:
        yield Move("the document is taken", world._replace(document=False), Kind.FAIR)
    else:
        yield Move("a document is laid down", world._replace(document=True))
    if build.topology == "port":
        other = not world.other_document
        kind = Kind.ANY if other else Kind.FAIR
        yield Move("a document at the other end", world._replace(other_document=other), kind)
    if not world.thing and world.inside and not world.broken and people == build.people:
        yield Move("somebody puts something down", world._replace(thing=True))
    reachable = world.inside or world.entry_open or world.exit_open or not build.enclosed
    if world.thing and reachable:
        yield Move("it is taken away", world._replace(thing=False), Kind.FAIR)


def mirrored(world: World) -> World:
    """The same world, named by the other direction."""
    return world._replace(
        entry=world.exit,
        exit=world.entry,
        entry_open=world.exit_open,
        exit_open=world.entry_open,
        out=0,
        untold=Crossing.NONE,
        document=world.other_document,
        other_document=world.document,
        broken=MIRRORED.get(world.broken, world.broken),
    )
