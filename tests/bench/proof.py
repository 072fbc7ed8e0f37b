"""What the proof covers, and how many wrong tables it tells from the right one.

There are hundreds of wrong tables, and to let one live takes half a minute: a sample is tried, as many as
`MUTANTS` in the environment says (`all` takes hours).
"""

import os
import random
import time
from collections import Counter
from collections.abc import Iterator

from msgspec.structs import replace

from gated.core.vocabulary import Topology
from gated.proof.builds import Build
from gated.proof.report import explore, explore_all, summary
from tests.core.mutants import Mutant, in_force, mutants

LANE = Build(topology=Topology.MANTRAP)
SAMPLE, SEED = 60, 4


def run() -> None:
    """Explore every lane, then wrong tables of the lane with two doors."""
    found = list(explore_all(tuple(Topology)))
    print("\n".join(f"  {line}" for line in summary(found)))
    many = os.environ.get("MUTANTS", str(SAMPLE))
    hunt(Topology.MANTRAP, None if many == "all" else int(many))


def hunt(topology: Topology, many: int | None) -> None:
    """Try mutants of this lane, all or a random sample of so many, and tell which live."""
    began = time.process_time()
    caught = Counter[str]()
    every = list(mutants(topology))
    tried = every if many is None else random.Random(SEED).sample(every, min(many, len(every)))
    print(f"  {len(tried)} of {len(every)} mutants of the {topology} (seed {SEED})", flush=True)
    for mutant in tried:
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
