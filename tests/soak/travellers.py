"""Who comes: what they mean to do in the lane, what their document holds, and whose face they have."""

import random
from typing import Literal

from gated.core.values import Value
from hw_sim.lane.bodies import Shape, adult, child, pressed, wheelchair, with_trolley
from hw_sim.lane.walking import (
    AWAY_M,
    DECISION_M,
    LEAVE,
    TRAVEL,
    WALK_S,
    WHEELED_S,
    Await,
    Pause,
    Place,
    Plan,
    Sight,
    Take,
    Walk,
    leave_bag,
    stand_in_doorway,
    turn_round,
)

Chip = Literal["good", "forged", "lost_once", "dead"]


class Traveller(Value):
    """One of them; `behind`: somebody without a document slips in, close behind them or as they can."""

    kind: str
    plan: Plan = TRAVEL
    shape: Shape = adult()
    walk_s: float = WALK_S
    heeds: bool = True
    zone: bool = True
    chip: Chip = "good"
    photograph: bool = True
    listed: bool = False
    holder: bool = True
    behind: Literal["close", "later"] | None = None


_TO_THE_FACE = Walk(to_m=DECISION_M)
_WAITS = (Place(), Await(sight=Sight.ENTRY_OPEN), Take())

# Weight and kind, among a hundred who come.
KINDS: tuple[tuple[int, Traveller], ...] = (
    (56, Traveller(kind="citizen")),
    (3, Traveller(kind="wheelchair", shape=wheelchair(), walk_s=WHEELED_S)),
    (5, Traveller(kind="suitcase", shape=with_trolley(pushed=False))),
    (2, Traveller(kind="child", shape=child(1.25))),
    (3, Traveller(kind="not the holder", holder=False)),
    (2, Traveller(kind="forged chip", chip="forged")),
    (2, Traveller(kind="dead chip", chip="dead")),
    (3, Traveller(kind="moves the document", chip="lost_once")),
    (2, Traveller(kind="on a list", listed=True)),
    (2, Traveller(kind="unreadable zone", zone=False)),
    (1, Traveller(kind="unusable photograph", photograph=False)),
    (3, Traveller(kind="takes it back", plan=(Place(), Pause(seconds=0.8), Take(), Walk(to_m=AWAY_M)))),
    (1, Traveller(kind="never goes in", plan=(Place(), Pause(seconds=12.0), Take(), Walk(to_m=AWAY_M)))),
    (3, Traveller(kind="turns round", plan=(*_WAITS, *turn_round(1.5)))),
    (2, Traveller(kind="leaves a bag", plan=(*_WAITS, *leave_bag(2.3)))),
    (2, Traveller(kind="stands in the way", plan=(*_WAITS, *stand_in_doorway(3.0, (_TO_THE_FACE, *LEAVE))))),
    (3, Traveller(kind="tailgated", behind="close")),
    (1, Traveller(kind="followed", behind="later")),
    (1, Traveller(kind="pressed pair", shape=pressed())),
    (2, Traveller(kind="loiters", plan=(*_WAITS, Walk(to_m=2.3), Pause(seconds=30.0), *LEAVE))),
    (1, Traveller(kind="forgets the document", plan=tuple(s for s in TRAVEL if not isinstance(s, Take)))),
)


def next_one(chance: random.Random) -> Traveller:
    """Somebody comes."""
    (chosen,) = chance.choices([each for _, each in KINDS], [weight for weight, _ in KINDS])
    return chosen
