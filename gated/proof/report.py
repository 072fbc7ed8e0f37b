"""What an exploration found, as a value and as lines for people."""

import resource
import time
from collections.abc import Iterator, Sequence
from multiprocessing import get_context

from gated.core.gate import State
from gated.core.topologies import PLANS
from gated.core.values import Value
from gated.core.vocabulary import Topology
from gated.proof.builds import BUILDS, Build
from gated.proof.explore import Space
from gated.proof.heart import Heart
from gated.proof.invariants import Checks, Violation
from gated.proof.liveness import Found, judge

PROCESSES = 2


class Asked(Value):
    """One property: how often it applied, and whether it held. `bound`: so many limits pass at most."""

    name: str
    asked: int
    holds: bool = True
    bound: int | None = None


class Explored(Value):
    """One lane, explored to the end, or up to the first thing that must not be, with the way to it."""

    lane: str
    topology: Topology
    states: int
    transitions: int
    gates: int
    steps: int
    worlds: int
    depth: int
    invariants: tuple[Asked, ...]
    liveness: tuple[Asked, ...]
    unreached: tuple[State, ...]
    history: tuple[str, ...]
    seconds: float
    memory_mib: float

    @property
    def good(self) -> bool:
        """Whether everything holds."""
        return all(each.holds for each in (*self.invariants, *self.liveness))


def explore(build: Build, only: str | None = None) -> Explored:
    """Explore one lane and judge it, by everything or `only` one invariant (the time is the processor's)."""
    began = time.process_time()
    checks = Checks(only)
    space = Space(build, Heart(build, checks.step))
    broken: str | None = None
    history: tuple[str, ...] = ()
    found: tuple[Found, ...] = ()
    try:
        space.explore(checks)
    except Violation as violation:
        broken = violation.invariant
        history = (*space.history(space.current), *violation.last)
    else:
        found = tuple(judge(space))
        failed = next((each for each in found if each.failed is not None), None)
        history = tuple(space.history(failed.failed)) if failed and failed.failed is not None else ()
    return Explored(
        lane=build.name,
        topology=build.topology,
        states=len(space),
        transitions=space.transitions,
        gates=len(space.heart.gates),
        steps=space.heart.steps,
        worlds=len(space.worlds),
        depth=max(space.depths, default=0),
        invariants=tuple(
            Asked(name=_plain(name), asked=asked, holds=name != broken)
            for name, asked in checks.asked.items()
        ),
        liveness=tuple(
            Asked(name=each.name, asked=each.asked, holds=each.failed is None, bound=each.bound)
            for each in found
        ),
        unreached=_unreached(space),
        history=history,
        seconds=time.process_time() - began,
        memory_mib=resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024,
    )


def _unreached(space: Space) -> tuple[State, ...]:
    met = {gate.state for gate in space.heart.gates}
    return tuple(state for state in PLANS[space.build.topology].table if state not in met)


def explore_all(topologies: Sequence[Topology]) -> Iterator[Explored]:
    """Explore every build of these topologies, on as many processors as there may be of use."""
    builds = [build for topology in topologies for build in BUILDS[topology]]
    with get_context("fork").Pool(PROCESSES, maxtasksperchild=1) as pool:
        yield from pool.imap(explore, builds, chunksize=1)


def _plain(name: str) -> str:
    return name.replace("_", " ")


def lines(explored: Explored) -> Iterator[str]:
    """What was explored and what holds."""
    yield f"{explored.lane}"
    yield (
        f"  {explored.states:,} states, {explored.transitions:,} transitions, depth {explored.depth}; "
        f"{explored.gates:,} gates, {explored.steps:,} steps, {explored.worlds:,} worlds"
    )
    yield f"  {explored.seconds:.1f} s of a processor, {explored.memory_mib:.0f} MiB at most"
    for each in (*explored.invariants, *explored.liveness):
        if each.asked or not each.holds:
            bound = "" if each.bound is None else f", after {each.bound} limits at the latest"
            yield f"  {'holds' if each.holds else 'BROKEN':6} {each.asked:>9,}  {each.name}{bound}"
    if explored.unreached:
        yield f"  never reached within these bounds: {', '.join(explored.unreached)}"
    if explored.history:
        yield "  how it comes to that:"
    yield from (f"    {line}" for line in explored.history)


def summary(explored: Sequence[Explored]) -> Iterator[str]:
    """The sums for each topology."""
    for topology in dict.fromkeys(each.topology for each in explored):
        mine = [each for each in explored if each.topology is topology]
        states, transitions = sum(e.states for e in mine), sum(e.transitions for e in mine)
        seconds = sum(e.seconds for e in mine)
        verdict = "everything holds" if all(e.good for e in mine) else "NOT SAFE"
        yield f"{topology}: {states:,} states, {transitions:,} transitions, {seconds:.0f} s: {verdict}"
