"""How far one comes in the lane: to a door that is not open, or up to a back."""

from collections.abc import Callable, Iterable
from typing import Final

from gated.core.vocabulary import Door
from hw_sim.lane.bodies import BULK_M
from hw_sim.lane.doorway import TINY
from hw_sim.lane.walking import BODY_M, Person

OTHER_END: Final = {Door.ENTRY: Door.EXIT, Door.EXIT: Door.ENTRY}


def free_way(person: Person, aim: float, people: Iterable[Person], passable: Callable[[Door], bool]) -> float:
    """Where somebody ends who walks to `aim`; `passable` is asked about the doors by their places."""
    was = person.x_m
    ahead = 1.0 if aim >= was else -1.0
    reach_m = person.reach_m(ahead)
    for end, place in person.lane.ends_m.items():
        door = OTHER_END[end] if person.turned else end
        stop = place - ahead * (reach_m + TINY)
        passing = (stop - was) * ahead >= -TINY and (aim - stop) * ahead > 0
        if passing and not passable(door):
            aim = stop
    for other in people:
        theirs_m = other.reach_m(ahead if other.turned != person.turned else -ahead)
        apart_m = reach_m + theirs_m + BODY_M - 2 * BULK_M
        gap = (person.own(other.place_m) - was) * ahead
        if other is not person and other.inside and gap > 0 and gap + (was - aim) * ahead < apart_m:
            aim = max(was, was + gap - apart_m) if ahead > 0 else min(was, was - gap + apart_m)
    return aim
