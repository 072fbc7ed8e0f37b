"""The walk past every sensor: a simulated technician does as they are told, in lanes wired well and badly."""

import tomllib
from collections.abc import Callable

import pytest

from gated.core.vocabulary import Door
from gated.selftest.finding import Finding, Verdict, is_good
from gated.selftest.sensor_record import BEAMS, Record
from gated.selftest.sensor_steps import ALONE, SensorWalk
from hw_sim.lane.bodies import bag
from hw_sim.lane.walking import Drop, PickUp, Walk
from tests.selftest.bench import OUT, WorldLine

LIMIT_S = 12.0


class Technician:
    """Does what each step says."""

    def __init__(self, line: WorldLine) -> None:
        self.line = line
        self.said: list[str] = []
        self.beams_done = 0
        self.is_lazy = False
        self.roams: Callable[[], None] = self._roam

    def hear(self, text: str) -> None:
        self.said.append(text)
        if self.is_lazy or text.startswith("  "):
            return
        line, world = self.line, self.line.world
        if "walk in by the" in text:
            line.come((Walk(to_m=1.5),), from_exit="exit" in text)
        elif "walk about" in text:
            self.roams()
        elif "walk out by the" in text:
            world.intend("technician", (Walk(to_m=OUT),))
        elif "carry a suitcase" in text:
            line.come((Walk(to_m=1.5), Drop(name="suitcase", thing=bag()), Walk(to_m=OUT)))
        elif "with a second person" in text:
            line.come((Walk(to_m=1.5),))
            line.come((Walk(to_m=0.8),), "second")
        elif "both of you" in text:
            for name in ("technician", "second"):
                world.intend(name, (Walk(to_m=OUT),))
        elif "fetch the suitcase" in text:
            line.come((Walk(to_m=1.5), PickUp(name="suitcase"), Walk(to_m=OUT)))
        elif "hold a hand into" in text:
            line.touch(BEAMS[self.beams_done])
            self.beams_done += 1

    def _roam(self) -> None:
        self.line.world.intend("technician", (Walk(to_m=2.2), Walk(to_m=0.8), Walk(to_m=1.5)))


def run(
    line: WorldLine, technician: Technician | None = None, parts: tuple[str, ...] = ALONE
) -> tuple[list[Finding], Record]:
    technician = technician or Technician(line)
    record = Record(line.settings.inputs)
    walk = SensorWalk(line, record, tuple(Door), technician.hear, LIMIT_S)
    found = [*walk.run(parts), *record.judge()]
    assert all(each.fix and each.code for each in found if each.verdict is not Verdict.OK)
    assert line.asked[-1] is None, "the doors are locked at the end"
    assert line.world.violations == ()
    return found, record


def bad(found: list[Finding]) -> list[tuple[str, str]]:
    return [(each.part, each.code) for each in found if each.verdict is not Verdict.OK]


def test_a_lane_that_is_wired_well_passes_and_needs_no_change() -> None:
    line = WorldLine()
    technician = Technician(line)
    found, record = run(line, technician)
    assert bad(found) == []
    assert record.toml() == []
    walks = [each.measured for each in found if each.measured.startswith("a walk")]
    assert walks == ["a walk inward: 1 counted, person", "a walk outward: 1 counted, person"] * 2
    assert "sees a suitcase that was left behind" in [each.measured for each in found]
    assert record.must_move - {"crowded"} <= record.moved
    assert line.asked == [None, Door.ENTRY, None, Door.EXIT, None, Door.ENTRY, None]
    assert technician.beams_done == 8


def test_a_lane_without_curtains_is_walked_by_its_presence_sensor() -> None:
    line = WorldLine(curtains=False)
    technician = Technician(line)
    found, _ = run(line, technician)
    assert bad(found) == []
    assert not any("hand" in text for text in technician.said)


def test_columns_that_are_exchanged_are_found_by_the_walk_and_by_hand() -> None:
    pairs = {"exit_outer_low": "exit_inner_low", "exit_outer_high": "exit_inner_high"}
    found, record = run(WorldLine(swaps=pairs | {new: old for old, new in pairs.items()}))
    told = bad(found)
    assert told.count(("exit", "columns_swapped")) == 2
    assert {part for part, code in told if code == "swapped"} == {*pairs, *pairs.values()}
    wired = tomllib.loads("\n".join(record.toml()))["io_board"]["inputs"]
    lines = {name: getattr(record.wired[name], "line") for name in record.wired}  # noqa: B009
    assert {name: wired[name]["line"] for name in wired} == {
        old: lines[new] for old, new in (*pairs.items(), *((new, old) for old, new in pairs.items()))
    }


@pytest.mark.parametrize("name", ["occupied", "entry_inner_low"])
def test_an_inverted_input_is_found_and_its_polarity_proposed(name: str) -> None:
    found, record = run(WorldLine(inverts=frozenset({name})))
    assert bad(found) == [(name, "inverted")]  # and the walk is judged as if it were not
    wired = tomllib.loads("\n".join(record.toml()))["io_board"]["inputs"]
    assert wired[name]["active_low"] is True
    assert set(wired) == {name}


@pytest.mark.parametrize(("stuck", "told"), [(False, "never active"), (True, "always active")])
def test_a_dead_beam_is_found(stuck: bool, told: str) -> None:  # noqa: FBT001 - a parameter of the test
    line = WorldLine()
    line.board.stick("entry_outer_high", stuck)
    found, _ = run(line)
    (dead,) = [each for each in found if each.code == "dead"]
    assert (dead.part, dead.measured) == ("entry_outer_high", told)
    assert not is_good(found)


def test_a_sensor_that_loses_people_or_misses_a_suitcase_is_told() -> None:
    line = WorldLine()
    technician = Technician(line)

    def fall_into_a_hole() -> None:
        technician._roam()
        line.time += 0.5
        line.board.stick("occupied", False)  # noqa: FBT003 - a level
        line.time += 0.1
        line.world.advance()
        line.board.mend("occupied")

    technician.roams = fall_into_a_hole
    told = bad(run(line, technician, ("walk",))[0])
    assert told == [("", "presence_has_holes")] * 2
    line = WorldLine()
    line.board.stick("occupied", False)  # noqa: FBT003 - a level
    told = bad(run(line, parts=("suitcase",))[0])
    assert ("", "suitcase_unseen") in told


def test_two_people_are_told_from_one_or_that_is_a_fault() -> None:
    found, _ = run(WorldLine(), parts=("pair",))
    assert bad(found) == []
    line = WorldLine()
    line.board.stick("crowded", False)  # noqa: FBT003 - a level
    found, _ = run(line, parts=("pair",))
    assert bad(found) == [("", "pair_unseen"), ("crowded", "dead")]


def test_bounces_ask_for_a_longer_debounce_time() -> None:
    found, record = run(WorldLine(bounce=(0.004, 0.009)), parts=("beams",))
    assert {code for _, code in bad(found)} == {"bounces"}
    wired = tomllib.loads("\n".join(record.toml()))["io_board"]["inputs"]
    assert {each["debounce_s"] for each in wired.values()} == {0.018}


def test_steps_that_nobody_does_end_by_themselves_and_are_told() -> None:
    line = WorldLine()
    technician = Technician(line)
    technician.is_lazy = True
    found, record = run(line, technician)
    told = bad(found)
    assert ("entry", "unseen") in told
    assert {part for part, code in told if code == "dead"} == {"occupied", *BEAMS}
    assert line.time < 100.0 + 30 * LIMIT_S
    assert record.toml() == []
