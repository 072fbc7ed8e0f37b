"""People and cameras at both ends of a simulated lane, and how the rehearsal of it is judged."""

from collections.abc import Sequence
from types import SimpleNamespace
from typing import Any

import pytest

from gated.core import effects as do
from gated.core import events as ev
from gated.core.vocabulary import Direction, Door, Mode, Outcome
from hw_sim.camera.presence import Walker
from hw_sim.camera.projector import Projector
from hw_sim.lane.board import SimulatedBoard, wiring
from hw_sim.lane.geometry import PORT
from hw_sim.lane.ledger import Mark
from hw_sim.lane.walking import Await, Pause, Place, Sight, enter, leave
from hw_sim.lane.world import World
from hw_sim.two_way import judge
from tests.hw_sim.test_camera import Watched, await_scene
from tests.hw_sim.test_lane_bodies import Lane

FORWARD, REVERSE = Direction.FORWARD, Direction.REVERSE
POLITE = (Place(), Await(sight=Sight.LANE_EMPTY), *enter(PORT), *leave(PORT))


def test_each_camera_sees_those_who_walk_towards_it() -> None:
    world = World(SimulatedBoard(wiring(also=("exit_document",))), lane=PORT)
    there, back = Watched(), Watched()
    projector = Projector(world, there, others=[back])
    for name, from_exit in (("ada", False), ("kurt", True)):
        projector.cast(name, Walker(person=name, path=(), seed=5))
        world.person(name, (Pause(seconds=60),), at_m=1.0, from_exit=from_exit)
    with world:
        projector.start()
        try:
            scenes = [await_scene(camera, lambda scene: bool(scene.present)) for camera in (there, back)]
        finally:
            projector.stop()
    assert [[each.person for each in scene.present] for scene in scenes] == [["ada"], ["kurt"]]


def test_whoever_waits_at_the_other_end_lets_people_out_before_they_go_in() -> None:
    lane = Lane(PORT)
    first = lane.world.person("ada", (*enter(PORT), *leave(PORT)))
    lane.command(Door.ENTRY, released=True)
    lane.until(lambda: first.inside)
    other = lane.world.person("kurt", POLITE, from_exit=True)
    lane.command(Door.ENTRY, released=False)
    lane.run(2.0)
    assert lane.board.read("exit_document")
    lane.command(Door.EXIT, released=True)
    lane.until(lambda: first.gone)
    assert not other.inside, "the door was open, but not for them"
    lane.command(Door.EXIT, released=False)
    lane.until(lambda: lane.world.door(Door.EXIT) == 0)
    lane.command(Door.EXIT, released=True)
    lane.until(lambda: other.inside)


# --- judging ------------------------------------------------------------------------------------------

A, B, C = "a" * 16, "b" * 16, "c" * 16
Script = list[Any]


def passage(one: str) -> Script:
    """A document laid down at the end in use, read, its holder admitted and gone."""
    return [
        ev.DocumentPlaced(at=0, passage=one, utc=""),
        ev.MrzRead(at=0, passage=one, format="TD3"),
        do.Decide(passage=one, reasons=(), checks=()),
        do.EndPassage(passage=one, outcome=Outcome.ADMITTED, reasons=()),
    ]


def turn(direction: Direction) -> Script:
    return [do.TurnLane(direction=direction), ev.LaneTurned(at=0, direction=direction)]


def waits(*, document: bool) -> Script:
    return [ev.OtherEndChanged(at=0, document=document)]


LOCKED: Script = [ev.ModeChanged(at=0, mode=Mode.ONE_WAY)]
GOOD: Script = [
    *passage(A),
    *waits(document=True),
    *turn(REVERSE),
    *passage(B),
    *turn(FORWARD),
    *passage(C),
    *LOCKED,
    *waits(document=True),
    *waits(document=False),
]
CROSSED = [
    ("ada", "entry"),
    ("ada", "exit"),
    ("kurt", "exit"),
    ("kurt", "entry"),
    ("sofia", "entry"),
    ("sofia", "exit"),
]


def judged(script: Script, crossed: Sequence[tuple[str, str]] = CROSSED) -> list[str]:
    marks = [Mark(at=0, kind="person", name=name, state=f"through the {end}") for name, end in crossed]
    site: Any = SimpleNamespace(world=SimpleNamespace(timeline=marks))
    entries: list[Any] = []
    for number, one in enumerate(script):
        effects = () if isinstance(one, ev.Event) else (one,)
        event = one if isinstance(one, ev.Event) else ev.DocumentRemoved(at=0)
        entries.append(SimpleNamespace(seq=number, event=event, followed=SimpleNamespace(effects=effects)))
    return list(judge(site, entries))


def test_what_goes_as_it_should_is_not_complained_of() -> None:
    assert judged(GOOD) == []


@pytest.mark.parametrize(
    ("script", "complaint"),
    [
        (GOOD[:4] + GOOD[5:7] + GOOD[7:11] + GOOD[13:], "the lane was turned: reverse"),
        ([*passage(A), *waits(document=True), ev.MrzRead(at=0, passage=B, format="TD3")], "not in use"),
        ([*passage(A)[:3], *turn(REVERSE)], "the lane was turned with a passage under way"),
        ([*passage(A), *turn(REVERSE), *passage(A)[1:]], "not in use"),
        ([*GOOD, *turn(REVERSE)], "the lane was turned: reverse, forward, reverse"),
        (GOOD[:-1], "nobody waited in vain"),
        ([one for one in GOOD if not isinstance(one, ev.ModeChanged)], "did not lock the direction"),
        ([*passage(A), *passage(B), *passage(C)], "admitted: forward, forward, forward"),
    ],
)
def test_what_must_not_be_is_complained_of(script: Script, complaint: str) -> None:
    assert any(complaint in each for each in judged(script)), judged(script)


@pytest.mark.parametrize("swapped", [(1, 2), (2, 3), (0, 1)])
def test_people_from_both_ends_at_once_are_complained_of(swapped: tuple[int, int]) -> None:
    crossed = list(CROSSED)
    one, other = swapped
    crossed[one], crossed[other] = crossed[other], crossed[one]
    assert any(each.startswith("people went through") for each in judged(GOOD, crossed))
