"""What must happen in the end, judged over the whole explored graph and not by one lucky way.

Ends. From every state that can be reached at all, a fair lane leads to the goal: backward reachability over
the fair transitions covers every state. Fair means that people who can leave do, that a released door opens
and a locked one shuts, that honest sensors tell, that limits pass; no officer ever answers and nothing broken
is mended, unless the property says so. In a finite graph that is also what must come about, whatever happens
in between, if what remains possible is not put off for ever.

A way out. Whatever happens next, nobody stands between shut and locked doors while limits pass for ever:
in the part of the graph where somebody does, with a board that is well, no cycle enters a state anew. So the
number of limits that can pass is finite, and it is told.
"""

from array import array
from collections.abc import Callable, Iterator
from dataclasses import dataclass

from gated.core.gate import Gate, State
from gated.core.vocabulary import Device
from gated.proof.explore import Space
from gated.proof.world import Broken, Kind, World

StateIs = Callable[[Gate, World], bool]

# What must hold for a person to be let out by the lane itself.
SENSES_PEOPLE = frozenset(
    set(Broken) - {Broken.PRESENCE, Broken.ENTRY_CONTACT, Broken.EXIT_CONTACT, Broken.MENDED}
)


@dataclass(frozen=True)
class Ends:
    """`goal` is reached from everywhere that `scope` names, by transitions of these kinds."""

    name: str
    goal: StateIs
    scope: StateIs
    by: int
    without: int = Kind.ANY


@dataclass(frozen=True)
class Found:
    """How a property came out: states it was asked for, and the first state where it does not hold."""

    name: str
    asked: int
    failed: int | None = None
    bound: int | None = None


def _no_passage(gate: Gate, world: World) -> bool:
    del world
    return gate.passage is None


def _idle(gate: Gate, world: World) -> bool:
    del world
    return gate.state is State.IDLE and not gate.faults


def _everywhere(gate: Gate, world: World) -> bool:
    del gate, world
    return True


def _sound(gate: Gate, world: World) -> bool:
    """The board is there, and the sensors that tell when somebody has left are honest."""
    return Device.IO_BOARD in gate.ready and world.broken not in {
        Broken.PRESENCE,
        Broken.DOCUMENT,
        Broken.ENTRY_CONTACT,
        Broken.EXIT_CONTACT,
        Broken.ENTRY_CURTAIN,
        Broken.EXIT_CURTAIN,
        Broken.MENDED,
    }


def _in_a_passage(gate: Gate, world: World) -> bool:
    return gate.passage is not None and _sound(gate, world)


def _with_a_passage(gate: Gate, world: World) -> bool:
    del world
    return gate.passage is not None


PROPERTIES = (
    Ends("every passage ends", _no_passage, _in_a_passage, Kind.FAIR),
    Ends(
        "every passage ends, whatever is broken, once it is mended",
        _no_passage,
        _with_a_passage,
        Kind.FAIR | Kind.MENDING,
    ),
    Ends(
        "every passage ends though the exit is jammed",
        _no_passage,
        _in_a_passage,
        Kind.FAIR,
        Kind.EXIT_DOOR,
    ),
    Ends("a lane that is mended comes back to idle", _idle, _everywhere, Kind.FAIR | Kind.MENDING),
)


CIRCLE, WAY_OUT = "time alone does not go round in a circle", "an occupied lane has a way out"
NAMES = (CIRCLE, *(each.name for each in PROPERTIES), WAY_OUT)


def judge(space: Space) -> Iterator[Found]:
    """Judge all properties."""
    yield no_livelock(space)
    for ends in PROPERTIES:
        yield _reaches(space, ends)
    if space.build.enclosed:
        yield way_out(space)


# Here a lane waits for as long as something is in the way, and calls somebody each time.
WAITING = frozenset({State.REJECT_OUT, State.CLEARING, State.CHANGE_OVER})


def no_livelock(space: Space) -> Found:
    """Time alone leads no gate round in a circle, except to call again while somebody is in the way."""
    name = CIRCLE
    heart = space.heart
    met = sorted({space.gate_number(index) for index in range(len(space))})
    after = {n: next((t.to for t in heart.own(n)[1] if t.kind & Kind.TIME), None) for n in met}
    settled: set[int] = set()
    for first in met:
        way: dict[int, int] = {}
        here: int | None = first
        while here is not None and here not in settled and here not in way:
            way[here] = len(way)
            here = after.get(here)
        if here in way:
            circle = [gate for gate, place in way.items() if place >= way[here]]
            if len(circle) > 1 or heart.gates[circle[0]].state not in WAITING:
                return Found(name, len(met), space.first_with(circle[0]))
        settled.update(way)
    return Found(name, len(met))


def _reaches(space: Space, ends: Ends) -> Found:
    """Backward reachability of the goal over the fair transitions."""
    count = len(space)
    kinds = space.edges_kind
    wanted, never = ends.by, ends.without
    starts, sources = _reversed(space, [bool(k & wanted) and not k & never for k in range(256)])
    reached = bytearray(count)
    frontier = []
    for index in range(count):
        if ends.goal(space.gate(index), space.world(index)):
            reached[index] = 1
            frontier.append(index)
    del kinds
    while frontier:
        target = frontier.pop()
        for source in sources[starts[target] : starts[target + 1]]:
            if not reached[source]:
                reached[source] = 1
                frontier.append(source)
    asked, failed = 0, None
    for index in range(count):
        if ends.scope(space.gate(index), space.world(index)):
            asked += 1
            if not reached[index] and failed is None:
                failed = index
    return Found(ends.name, asked, failed)


def _reversed(space: Space, wanted: list[bool]) -> "tuple[array[int], array[int]]":
    """For each state, the states that lead to it by a wanted transition (sorted by counting)."""
    starts = array("i", bytes(4 * (len(space) + 1)))
    for target, kind in zip(space.edges_to, space.edges_kind, strict=True):
        if wanted[kind]:
            starts[target + 1] += 1
    for index in range(len(space)):
        starts[index + 1] += starts[index]
    sources = array("i", bytes(4 * starts[-1]))
    place = array("i", starts)
    for source, target, kind in zip(space.edges_from, space.edges_to, space.edges_kind, strict=True):
        if wanted[kind]:
            sources[place[target]] = source
            place[target] += 1
    return starts, sources


def is_shut_in(gate: Gate, world: World, *, board: bool, pending: bool) -> bool:
    """Somebody is between doors that are shut and locked, and sensors have told what there is to tell.

    Not in maintenance, where a technician moves the doors; and nobody is kept in by what stands open.
    """
    if not world.inside or world.broken not in SENSES_PEOPLE or not board or pending:
        return False
    if world.entry_open or world.exit_open or gate.state is State.MAINTENANCE:
        return False
    return not gate.released  # a lease that lapsed is renewed every second


def way_out(space: Space) -> Found:
    """No cycle of shut-in states enters a state anew: the limits that can pass are counted."""
    views = space.heart.views
    inner = bytearray(len(space))
    asked = 0
    for index in range(len(space)):
        gate, world = space.gate(index), space.world(index)
        board = views[space.gate_number(index)].board
        if is_shut_in(gate, world, board=board, pending=bool(space.pending[index])):
            inner[index] = 1
            asked += 1
            if gate.due is None or gate.expired:
                return Found(WAY_OUT, asked, index)
    edges: dict[int, list[tuple[int, int]]] = {}
    for source, target, kind in zip(space.edges_from, space.edges_to, space.edges_kind, strict=True):
        if inner[source] and inner[target]:
            edges.setdefault(source, []).append((target, kind))
    component, order = _components(edges)
    for source, targets in edges.items():
        for target, kind in targets:
            if component[source] == component[target] and kind & (Kind.TIME | Kind.ENTERS):
                return Found(WAY_OUT, asked, source)
    most: dict[int, int] = {}
    for source in order:  # successors come first
        here = component[source]
        for target, kind in edges.get(source, ()):
            longer = most.get(component[target], 0) + bool(kind & Kind.TIME)
            most[here] = max(most.get(here, 0), longer)
    return Found(WAY_OUT, asked, bound=max(most.values(), default=0) + 1)


def _components(edges: dict[int, list[tuple[int, int]]]) -> tuple[dict[int, int], list[int]]:
    """Strongly connected components (Tarjan, without recursion), and the nodes with successors first."""
    number: dict[int, int] = {}
    low: dict[int, int] = {}
    component: dict[int, int] = {}
    order: list[int] = []
    stack: list[int] = []
    for root in edges:
        if root in number:
            continue
        work = [(root, iter(edges.get(root, ())))]
        number[root] = low[root] = len(number)
        stack.append(root)
        while work:
            node, targets = work[-1]
            for target, _ in targets:
                if target not in number:
                    number[target] = low[target] = len(number)
                    stack.append(target)
                    work.append((target, iter(edges.get(target, ()))))
                    break
                if target not in component:
                    low[node] = min(low[node], number[target])
            else:
                work.pop()
                if work:
                    low[work[-1][0]] = min(low[work[-1][0]], low[node])
                if low[node] == number[node]:
                    while True:
                        member = stack.pop()
                        component[member] = node
                        order.append(member)
                        if member == node:
                            break
    return component, order
