"""What the proof covers, and how many wrong tables it tells from the right one."""

import time
from collections import Counter
from collections.abc import Iterator

from msgspec.structs import replace

from gated.core.vocabulary import Topology
from gated.proof.builds import Build
from gated.proof.report import explore, explore_all, summary
from tests.core.mutants import Mutant, in_force, mutants

LANE = Build(topology=Topology.MANTRAP)


def run() -> None:
    """Explore every lane, then every wrong table of the lane with two doors."""
    found = list(explore_all(tuple(Topology)))
    print("\n".join(f"  {line}" for line in summary(found)))
    hunt(Topology.MANTRAP)


def hunt(topology: Topology) -> None:
    """Try every mutant of this lane, and tell which live."""
    began = time.process_time()
    caught = Counter[str]()
    for mutant in mutants(topology):
        by = next(killers(topology, mutant), "")
        caught[by] += 1
        if not by:
            print(f"  lives: {mutant.name}", flush=True)
    total = sum(caught.values())
    print(
        f"  {total} mutants, {total - caught['']} caught, {time.process_time() - began:.0f} s of a processor"
    )
    for by, count in caught.most_common():
        print(f"  {count:5} {by or 'live'}")


def killers(topology: Topology, mutant: Mutant) -> Iterator[str]:
    """What tells this table from the right one; a smaller space is asked first."""
    small = replace(LANE, topology=topology, people=1, irregular=0, breaks=False)
    for build in (small, replace(LANE, topology=topology)):
        with in_force(topology, mutant.plan):
            try:
                explored = explore(build)
            except (AssertionError, KeyError) as error:
                yield f"the heart refuses it ({type(error).__name__})"
                return
        yield from (e.name for e in (*explored.invariants, *explored.liveness) if not e.holds)
