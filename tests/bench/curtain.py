"""What the recogniser of light curtains tells of generated walks: counts, directions, bodies.

Bodies and gaits are the simulator's (`hw_sim.lane.bodies`), speeds 0.4 to 2.2 m/s, half of the walks outward.
The seeds are none of those that the constants were chosen with. Figures of a model of bodies, not of people.
"""

import collections
import random
import time
from dataclasses import dataclass

from gated.core.crossings import Crossing
from gated.core.curtain import Implausible
from gated.core.vocabulary import Body
from tests.core.walks import KINDS, Walk, debounced, edges, recognise

WALKS = 300  # of each kind
FIRST_SEED = 7_050_000


@dataclass(frozen=True)
class Found:
    """What was told of one walk."""

    walk: Walk
    crossings: tuple[Crossing, ...]
    implausible: int
    edges: int
    spent_s: float

    @property
    def counted(self) -> tuple[int, int]:
        """Persons inward and outward."""
        return _count([(c.inward, c.persons) for c in self.crossings])

    @property
    def true_count(self) -> tuple[int, int]:
        """What they were."""
        return _count([(inward, persons) for inward, persons, _ in self.walk.truth])

    @property
    def bodies_right(self) -> bool:
        """Whether count, direction and kinds of body are all right."""
        told, true = collections.Counter[tuple[bool, Body]](), collections.Counter[tuple[bool, Body]]()
        for c in self.crossings:
            told[c.inward, c.body] += c.persons
        for inward, persons, body in self.walk.truth:
            true[inward, body] += persons
        return told == true


def _count(crossings: list[tuple[bool, int]]) -> tuple[int, int]:
    return (
        sum(persons for inward, persons in crossings if inward),
        sum(persons for inward, persons in crossings if not inward),
    )


def measure(count: int, first_seed: int = FIRST_SEED) -> dict[str, list[Found]]:
    """Walk `count` times in every way."""
    found: dict[str, list[Found]] = {}
    for place, make in enumerate(KINDS):
        for number in range(count):
            chance = random.Random(first_seed + place * 100_003 + number)
            walk = make(chance)
            told = debounced(edges(walk, chance), chance)
            began = time.thread_time()
            happened = recognise(told)
            spent = time.thread_time() - began
            crossings = tuple(each for each in happened if isinstance(each, Crossing))
            odd = sum(isinstance(each, Implausible) for each in happened)
            found.setdefault(walk.kind, []).append(Found(walk, crossings, odd, len(told), spent))
    return found


def run(count: int = WALKS) -> None:
    """Print one row for each kind of walk, and what bodies were taken for."""
    found = measure(count)
    print(f"{count} walks of each kind; per cent of them")
    print(f"  {'':26}{'count':>8}{'too few':>9}{'too many':>9}{'wrong way':>10}{'all right':>10}  taken for")
    for kind, walks in found.items():
        exact = sum(f.counted == f.true_count for f in walks)
        few = sum(sum(f.counted) < sum(f.true_count) for f in walks)
        many = sum(sum(f.counted) > sum(f.true_count) for f in walks)
        turned = len(walks) - exact - few - many
        right = sum(f.bodies_right for f in walks)
        shares = "".join(
            f"{100 * n / len(walks):{w}.1f}"
            for n, w in ((exact, 8), (few, 9), (many, 9), (turned, 10), (right, 10))
        )
        print(f"  {kind:26}{shares}  {_bodies(walks)}")
    everything = [each for walks in found.values() for each in walks]
    spent = sum(f.spent_s for f in everything)
    print(
        f"  {len(everything)} walks, {sum(f.edges for f in everything)} edges, "
        f"{1e6 * spent / sum(f.edges for f in everything):.0f} us CPU an edge; "
        f"{sum(f.implausible for f in everything)} called implausible"
    )


def _bodies(walks: list[Found]) -> str:
    """Which bodies were told, the commonest first."""
    told = collections.Counter(
        " + ".join(sorted(f"{c.persons if c.persons > 1 else ''}{c.body}" for c in f.crossings)) or "nobody"
        for f in walks
    )
    return ", ".join(f"{what} {100 * n / len(walks):.0f}" for what, n in told.most_common(4))
