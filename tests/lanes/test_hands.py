"""The hands: each effect goes to the lane that performs it, and the end of a passage wipes everywhere."""

from typing import Any, get_args

import pytest

from drivers.face_light import Switch
from gated.core import effects as do
from gated.core.vocabulary import Direction, Door, Outcome
from gated.lanes.desks import Desk, Desks
from gated.lanes.dossier import Dossiers
from gated.lanes.hands import Hands
from tests.lanes.rounds import PASSAGE


class Noted:
    """A lane that notes what it is asked."""

    def __init__(self, name: str, asked: list[tuple[object, ...]]) -> None:
        self._name = name
        self._asked = asked
        self.turns = True
        self.uses = True

    def __getattr__(self, verb: str) -> Any:
        def asked(*arguments: object) -> object:
            self._asked.append((self._name, verb, *arguments))
            return {"light_face": CODE, "turn": self.turns, "use": self.uses}.get(verb)

        return asked


CODE = (Switch(at=1.0, on=True),)

ISSUE = do.IssueToken(passage=PASSAGE, checks=())

FALSE_HIT = do.KeepFalseHit(marks=(f"{'0' * 16}:{'1' * 32}",), officer="kim", said_at=1.0)
CASES: tuple[tuple[do.AnyEffect, tuple[object, ...] | None], ...] = (
    (do.LockDoor(door=Door.EXIT), ("board", "lock", Door.EXIT)),
    (do.UnlockDoor(door=Door.EXIT, lease_s=3, passage=PASSAGE), ("board", "unlock", Door.EXIT, 3)),
    (do.UnlockDoor(door=Door.ENTRY, lease_s=3, passage=None), ("board", "unlock", Door.ENTRY, 3)),
    (do.ReleaseAll(), ("board", "release_all")),
    (do.WatchAnew(), ("board", "watch_anew")),
    (do.Tell(screen="go", prompt=None, lamps="go"), ("board", "show", "go")),
    (do.ReadMrz(passage=PASSAGE), ("zone", "read", PASSAGE)),
    (do.ReadChip(passage=PASSAGE, attempt=1), ("chip", "read", PASSAGE)),
    (do.CheckBackground(passage=PASSAGE), ("background", "check", PASSAGE)),
    (FALSE_HIT, ("background", "keep", FALSE_HIT)),
    (do.PrepareReference(passage=PASSAGE), ("sight", "enrol", PASSAGE)),
    (do.ConcludeCapture(passage=PASSAGE, attempt=2), ("sight", "conclude", PASSAGE, 2)),
    (do.FindToken(passage=PASSAGE), ("finding", "find", PASSAGE)),
    (ISSUE, ("issuing", "issue", ISSUE)),
    (do.AskConsent(passage=PASSAGE), ("registration", "ask", PASSAGE)),
    (do.Register(passage=PASSAGE), ("registration", "register", PASSAGE)),
    (do.AlertOfficer(kind="intrusion", passage=None), None),
    (do.Decide(passage=PASSAGE, reasons=(), checks=()), ("registration", "admitted", PASSAGE)),
    (do.Decide(passage=PASSAGE, reasons=(), checks=(), officer="kim"), None),
)


@pytest.fixture
def asked() -> list[tuple[object, ...]]:
    return []


@pytest.fixture
def hands(asked: list[tuple[object, ...]], dossiers: Dossiers) -> Hands:
    def lane(name: str) -> Any:
        return Noted(name, asked)

    desks = Desks(
        {
            Direction.FORWARD: Desk(lane("zone"), lane("chip")),
            Direction.REVERSE: Desk(lane("other zone"), lane("other chip")),
        }
    )
    return Hands(
        lane("board"),
        desks,
        lane("sight"),
        lane("background"),
        dossiers,
        lane("watch"),
        lane("issuing"),
        lane("finding"),
        lane("registration"),
    )


def test_a_turned_lane_asks_the_readers_of_its_other_end(
    hands: Hands, asked: list[tuple[object, ...]]
) -> None:
    hands.perform(do.TurnLane(direction=Direction.REVERSE))
    turned = [("board", "turn"), ("background", "turn"), ("sight", "turn"), ("watch", "turn")]
    assert asked == [(*each, Direction.REVERSE) for each in turned]
    asked.clear()
    hands.perform(do.ReadMrz(passage=PASSAGE))
    hands.perform(do.ReadChip(passage=PASSAGE, attempt=1))
    assert asked == [("other zone", "read", PASSAGE), ("other chip", "read", PASSAGE)]
    asked.clear()
    hands.perform(do.TurnLane(direction=Direction.FORWARD))
    hands.perform(do.EndPassage(passage=PASSAGE, outcome=Outcome.ABORTED, reasons=()))
    assert ("zone", "forget") in asked
    assert ("other zone", "forget") not in asked


def test_where_the_board_is_not_turned_nothing_is(hands: Hands, asked: list[tuple[object, ...]]) -> None:
    board: Any = hands._board
    board.turns = False
    hands.perform(do.TurnLane(direction=Direction.REVERSE))
    hands.perform(do.ReadMrz(passage=PASSAGE))
    assert asked == [("board", "turn", Direction.REVERSE), ("zone", "read", PASSAGE)]


@pytest.mark.parametrize(("effect", "call"), CASES)
def test_each_effect_goes_to_its_lane(
    hands: Hands, asked: list[tuple[object, ...]], effect: do.AnyEffect, call: tuple[object, ...] | None
) -> None:
    hands.perform(effect)
    assert asked == ([] if call is None else [call])


ENTER = do.UnlockDoor(door=Door.ENTRY, lease_s=3, passage=PASSAGE)


def test_the_entry_is_released_for_a_token_once_it_is_written_down_as_used(
    hands: Hands, asked: list[tuple[object, ...]]
) -> None:
    hands.perform(ENTER)
    assert asked == [("finding", "use", PASSAGE), ("board", "unlock", Door.ENTRY, 3)]


def test_the_entry_stays_shut_for_a_token_that_was_used(
    hands: Hands, asked: list[tuple[object, ...]], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(hands._finding, "uses", False)
    hands.perform(ENTER)
    assert asked == [("finding", "use", PASSAGE)]


def test_the_entry_of_a_lane_without_tokens_asks_nobody(
    hands: Hands, asked: list[tuple[object, ...]], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(hands, "_finding", None)
    hands.perform(ENTER)
    assert asked == [("board", "unlock", Door.ENTRY, 3)]


@pytest.mark.parametrize("effect", [do.FindToken(passage=PASSAGE), ISSUE])
def test_a_lane_without_tokens_is_not_asked_for_one(
    hands: Hands, effect: do.AnyEffect, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(hands, "_finding", None)
    monkeypatch.setattr(hands, "_issuing", None)
    with pytest.raises(LookupError):
        hands.perform(effect)


def test_no_effect_is_forgotten() -> None:
    tested = {type(effect) for effect, _ in CASES} | {
        do.StartCapture,
        do.EndPassage,
        do.TurnLane,
    }
    assert tested == set(get_args(do.AnyEffect))


@pytest.mark.parametrize("effect", [do.AskConsent(passage=PASSAGE), do.Register(passage=PASSAGE)])
def test_a_lane_without_registration_is_not_asked_for_one(
    hands: Hands, effect: do.AnyEffect, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(hands, "_registration", None)
    with pytest.raises(LookupError):
        hands.perform(effect)


def test_a_capture_begins_with_the_code_that_the_face_light_plays(
    hands: Hands, asked: list[tuple[object, ...]]
) -> None:
    hands.perform(do.StartCapture(passage=PASSAGE, attempt=2, min_height_m=1.2))
    assert asked == [("board", "light_face"), ("sight", "capture", PASSAGE, 2, CODE, 1.2)]


def test_the_end_of_a_passage_wipes_everywhere(
    hands: Hands, asked: list[tuple[object, ...]], dossiers: Dossiers
) -> None:
    hands.perform(do.EndPassage(passage=PASSAGE, outcome=Outcome.ADMITTED, reasons=()))
    assert asked == [
        ("background", "admitted", PASSAGE),
        ("zone", "forget"),
        ("sight", "forget", PASSAGE),
        ("registration", "forget", PASSAGE),
        ("issuing", "forget", PASSAGE),
        ("board", "darken_face"),
    ]
    assert not dossiers.is_open(PASSAGE)
