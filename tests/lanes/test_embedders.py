"""What the lane of the sight makes of what gate-vision says it compares by."""

from collections.abc import Iterator
from pathlib import Path

import msgspec
import pytest

from gated.core import events as ev
from gated.lanes import sight as module
from gated.lanes.dossier import Dossiers
from gated.lanes.embedders import ANOTHER, UNUSABLE, EmbedderRefusedError, EmbedderWatch
from gated.runtime import messages as say
from tests.lanes.rounds import Posted, come_round, rounds_until
from tests.lanes.test_sight import Bench, Eye, assessment

MINE, OTHER, SHADOW = ("a" * 64), ("b" * 64), ("c" * 64)
USE = say.UseEmbedders(decides=say.EmbedderAt(name="mine", version=MINE, release=1), threshold=0.625)
BESIDE = msgspec.structs.replace(USE, shadow=say.EmbedderAt(name="beside", version=SHADOW))


class Heard:
    """Who is told of it."""

    def __init__(self) -> None:
        self.used: list[str] = []
        self.refused: list[tuple[str, str]] = []

    def watch(self, use: say.UseEmbedders = USE, *, has_stand_in: bool = True) -> EmbedderWatch:
        return EmbedderWatch(
            use,
            lambda at: self.used.append(at.name),
            lambda at, code: self.refused.append((at.name, code)),
            has_stand_in=has_stand_in,
        )


def pong(embedders: str, refused: dict[str, str] | None = None) -> say.Pong:
    return say.Pong(number=1, camera="asleep", embedders=embedders, refused=refused or {})


def test_the_mark_tells_embedder_shadow_and_threshold_apart() -> None:
    others = [
        BESIDE,
        msgspec.structs.replace(USE, threshold=0.6250001),
        msgspec.structs.replace(USE, decides=msgspec.structs.replace(USE.decides, version=OTHER)),
    ]
    assert USE.mark not in {each.mark for each in others}
    moved = msgspec.structs.replace(USE, decides=msgspec.structs.replace(USE.decides, release=2))
    assert moved.mark == USE.mark, "where it lies is no matter"


def test_as_long_as_another_one_is_in_use_gate_vision_is_told_and_the_gate_takes_nobody() -> None:
    heard = Heard()
    watch = heard.watch()
    assert watch.hear(pong(OTHER)) == (ANOTHER, USE)
    assert watch.hear(pong("")) == (ANOTHER, USE)
    assert heard.used == []
    assert watch.hear(pong(USE.mark)) == ("", None)
    assert watch.hear(pong(USE.mark)) == ("", None)
    assert heard.used == ["mine"]


def test_one_that_decides_and_cannot_be_used_is_remembered_and_the_gate_starts_again() -> None:
    heard = Heard()
    with pytest.raises(EmbedderRefusedError, match="mine: model_crashed"):
        heard.watch().hear(pong(OTHER, {MINE: "model_crashed"}))
    assert heard.refused == [("mine", "model_crashed")]


def test_where_nothing_stands_in_the_gate_stays_and_takes_nobody() -> None:
    heard = Heard()
    assert heard.watch(has_stand_in=False).hear(pong(OTHER, {MINE: "model_crashed"})) == (UNUSABLE, USE)
    assert heard.refused == []


def test_a_shadow_that_cannot_be_used_is_done_without() -> None:
    heard = Heard()
    watch = heard.watch(BESIDE)
    assert watch.hear(pong(OTHER, {SHADOW: "model_too_slow"})) == (ANOTHER, USE)
    assert heard.refused == [("beside", "model_too_slow")]
    assert watch.hear(pong(USE.mark, {SHADOW: "model_too_slow"})) == ("", None)


def test_what_was_refused_before_and_is_in_use_now_is_no_trouble() -> None:
    assert Heard().watch().hear(pong(USE.mark, {MINE: "model_too_slow"})) == ("", None)


@pytest.fixture
def bench(run: Path, dossiers: Dossiers, posted: Posted, monkeypatch: pytest.MonkeyPatch) -> Iterator[Bench]:
    monkeypatch.setattr(module, "PING_S", 0.05)
    one = Bench(run, dossiers, posted)
    one.lane.compare_by(Heard().watch())
    one.come_round()
    yield one
    one.close()


def test_the_lane_is_no_good_before_the_right_embedder_compares(bench: Bench, posted: Posted) -> None:
    eye = Eye(bench.address)
    bench.eyes.append(eye)

    def answered() -> bool:
        message = eye.peer.receive(0.01)
        if isinstance(message, say.Ping):
            eye.peer.send(say.Pong(number=message.number, camera="asleep", embedders=OTHER))
        return isinstance(message, say.UseEmbedders)

    rounds_until(bench.lane.lane, answered)
    assert posted.faults() == [ANOTHER]
    eye.peer.send(assessment())
    for _ in range(5):
        come_round(bench.lane.lane)
    assert posted.of(ev.FaceAssessed) == [], "a score of another embedder counts for nothing"
    assert not bench.lane.condition.is_ready

    def takes_it() -> bool:
        message = eye.peer.receive(0.01)
        if isinstance(message, say.Ping):
            eye.peer.send(say.Pong(number=message.number, camera="asleep", embedders=USE.mark))
        come_round(bench.lane.lane)
        return bench.lane.condition.is_ready

    rounds_until(bench.lane.lane, takes_it)
