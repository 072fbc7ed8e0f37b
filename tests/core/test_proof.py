"""The composed model: what is proved of each lane, and that each property fails where it should."""

from collections.abc import Callable

import pytest
from msgspec.structs import replace

import gated.core.entering
import gated.core.facts
import gated.proof.heart
from gated.core import conditions as on
from gated.core import effects as do
from gated.core import events as ev
from gated.core.gate import Gate, Passage, State
from gated.core.step import Stepped, step
from gated.core.table import Plan, Row
from gated.core.topologies import PLANS
from gated.core.vocabulary import Door, Outcome, Topology
from gated.proof.builds import BUILDS, Build
from gated.proof.invariants import COMMITMENTS, MOVES, STATES
from gated.proof.liveness import NAMES
from gated.proof.report import Explored, explore
from gated.proof.steps import STEPS
from tests.core.mutants import in_force, releasing, with_rows

SMALL = Build(topology=Topology.MANTRAP, people=1, irregular=0, breaks=False)
SERVED = replace(SMALL, irregular=1)
BROKEN = replace(SMALL, breaks=True)
CROWDED = replace(SMALL, people=2)
PORT = replace(SMALL, topology=Topology.PORT)

MANTRAP = PLANS[Topology.MANTRAP]


def is_proved(explored: Explored) -> None:
    assert explored.good, "\n".join(explored.history)
    assert not explored.history


@pytest.mark.long
@pytest.mark.timeout(900)
@pytest.mark.parametrize("topology", Topology)
def test_everything_holds_over_the_whole_space_of_each_lane(topology: Topology) -> None:
    found = [explore(build) for build in BUILDS[topology]]
    for each in found:
        is_proved(each)
    assert sum(each.states for each in found) >= 100_000
    assert not set.intersection(*(set(each.unreached) for each in found))
    asked = {each.name for one in found for each in (*one.invariants, *one.liveness) if each.asked}
    if topology is Topology.PORT:
        assert len(asked) == len((*STEPS, *STATES, *MOVES, *COMMITMENTS, *NAMES))


@pytest.mark.parametrize("topology", Topology)
def test_everything_holds_for_one_person_in_a_sound_lane(topology: Topology) -> None:
    curtains = topology in {Topology.ONE_DOOR, Topology.CORRIDOR}
    explored = explore(replace(SMALL, topology=topology, curtains=curtains))
    is_proved(explored)
    assert explored.states > 500


# --- each property fails on a seeded fault ------------------------------------------------------------------

Patch = pytest.MonkeyPatch
Seed = tuple[Build, Callable[[Patch], Plan | None]]


def rows(state: State, *first: Row, without: tuple[object, ...] = (), plan: Plan = MANTRAP) -> Plan:
    """The plan with rows before those of one state, and without those that ask something."""
    return with_rows(plan, state, (*first, *(row for row in plan.table[state] if row.when not in without)))


def stepping(wrong: Callable[[Gate, ev.AnyEvent], Stepped]) -> Callable[[Patch], None]:
    """Let the heart step wrongly."""
    return lambda patch: patch.setattr(gated.proof.heart, "step", wrong)


def without_effects(kind: type) -> Callable[[Patch], None]:
    """A heart that never asks for this."""

    def wrong(gate: Gate, event: ev.AnyEvent) -> Stepped:
        after, effects = step(gate, event)
        return after, tuple(effect for effect in effects if not isinstance(effect, kind))

    return stepping(wrong)


def unsigned(gate: Gate, event: ev.AnyEvent) -> Stepped:
    """Anybody's word is taken for an officer's."""
    if isinstance(event, ev.ModeChanged):
        event = replace(event, officer="anybody")
    return step(gate, event)


def untold(gate: Gate, event: ev.AnyEvent) -> Stepped:
    """The screen stays as it is, once a passage is under way."""
    after, effects = step(gate, event)
    return (replace(after, told=gate.told) if gate.passage else after), effects


def deaf(gate: Gate, event: ev.AnyEvent) -> Stepped:
    """While an officer is waited for nothing else counts."""
    if isinstance(event, ev.EmergencyRaised) and gate.state is State.OFFICER:
        return gate, ()
    return step(gate, event)


def latching(patch: Patch) -> None:
    """A hand in a beam counts as a fault that somebody must look at."""
    patch.setattr(gated.core.facts, "TOUCHED", frozenset())


def silent(patch: Patch) -> None:
    """Nobody is called to whoever does not leave."""

    def wrong(gate: Gate, came_from: State, *, late: bool) -> Stepped:
        del came_from, late
        passage = gate.passage
        kept = None if passage is None else Passage(id=passage.id, outcome=passage.outcome)
        return replace(gate, passage=kept), ()

    patch.setitem(gated.core.entering.ENTERING, State.REJECT_OUT, wrong)  # type: ignore[arg-type]  # a dict, declared read-only


def registering_everybody(patch: Patch) -> None:
    """Whoever is admitted is registered, whatever they said."""

    def wrong(passage: Passage) -> tuple[do.Register, ...]:
        return (do.Register(passage=passage.id),)

    patch.setattr(gated.core.entering, "_registering", wrong)


def somebody_is_shut_in(gate: Gate) -> bool:
    """However many they are."""
    return gate.persons > 0 and Door.ENTRY in gate.shut


def let_out_uncounted(_: Patch) -> Plan:
    plan = rows(State.ENTRY_CLOSING, Row(somebody_is_shut_in, State.FACE_CAPTURE), without=(on.crowded,))
    plan = rows(State.FACE_CAPTURE, without=(on.crowded,), plan=plan)
    plan = rows(State.EXIT_OPEN, without=(on.crowded,), plan=plan)
    return rows(State.VERIFY, Row(on.face_is_assessed, State.EXIT_OPEN), without=(on.crowded,), plan=plan)


def without_exit_shut(_: Patch) -> Plan:
    return releasing(MANTRAP, State.ENTRY_OPEN, Door.ENTRY)


def of_any_door(gate: Gate) -> frozenset[Door]:
    if gate.state is State.MAINTENANCE:
        return frozenset({gate.asked_door} if gate.asked_door else ())
    return MANTRAP.releases(gate)


def turning_on_people(_: Patch) -> Plan:
    plan = PLANS[Topology.PORT]
    return rows(State.CLEARING, Row(on.other_way_is_wanted, State.CHANGE_OVER), plan=plan)


def nobody_ever_left(_: Patch) -> Plan:
    return rows(State.REJECT_OUT, without=(on.left_with_everything, on.left_with_everything_uncounted))


SEEDS: dict[str, Seed] = {
    "one_door_at_a_time": (SMALL, lambda _: releasing(MANTRAP, State.ENTRY_OPEN, *Door)),
    "doors_follow_the_facts": (SMALL, without_effects(do.LockDoor)),
    "the_exit_opens_on_a_decision_for_this_passage": (
        SMALL,
        lambda _: releasing(MANTRAP, State.FACE_CAPTURE, Door.EXIT),
    ),
    "nobody_is_admitted_without_good_evidence_or_an_officer": (
        SMALL,
        lambda _: rows(State.VERIFY, Row(on.face_is_assessed, State.EXIT_OPEN)),
    ),
    "an_old_list_admits_nobody": (SMALL, lambda _: rows(State.BACKGROUND, without=(on.lists_are_stale,))),
    "nobody_is_registered_without_their_word": (SMALL, registering_everybody),
    "who_is_to_be_registered_is_asked": (
        SMALL,
        lambda _: rows(State.VERIFY, without=(on.consent_is_to_be_asked,)),
    ),
    "a_lane_closed_by_age_takes_nobody": (
        SERVED,
        lambda _: rows(State.CLEARING, Row(on.cleared, State.IDLE)),
    ),
    "a_passage_ends_exactly_once": (SMALL, without_effects(do.EndPassage)),
    "the_lane_rests_without_a_passage": (
        SMALL,
        lambda _: rows(State.BACKGROUND, Row(on.expired, State.CLOSED)),
    ),
    "an_emergency_opens_everything": (SMALL, stepping(deaf)),
    "a_locked_lane_admits_nobody": (SMALL, lambda _: rows(State.EXIT_OPEN, without=(on.is_locked,))),
    "free_passage_is_an_officers_decision": (SMALL, stepping(unsigned)),
    "a_signed_lock_yields_to_a_signature_only": (SERVED, stepping(unsigned)),
    "what_a_technician_touched_ends_with_maintenance": (SERVED, latching),
    "maintenance_moves_one_door": (SERVED, lambda _: MANTRAP._replace(releases=of_any_door)),
    "a_door_is_released_only_against_a_shut_one": (BROKEN, without_exit_shut),
    "a_lane_turns_at_rest": (PORT, turning_on_people),
    "a_limit_that_leads_nowhere_calls_somebody": (SMALL, silent),
    "nothing_is_left_unsaid": (SMALL, stepping(untold)),
    "an_outcome_says_what_happened": (
        BROKEN,
        lambda _: rows(State.FACE_CAPTURE, Row(on.empty, State.CLEARING, Outcome.ADMITTED)),
    ),
    "never_both_doors_free": (SMALL, lambda _: releasing(MANTRAP, State.ENTRY_OPEN, *Door)),
    "a_lane_at_rest_is_locked": (SMALL, lambda _: releasing(MANTRAP, State.IDLE, Door.ENTRY)),
    "no_door_opens_while_the_other_is_open": (BROKEN, without_exit_shut),
    "nobody_leaves_by_the_exit_uncounted": (CROWDED, let_out_uncounted),
    "as_many_are_inside_as_are_let_out": (CROWDED, let_out_uncounted),
    "the_lane_is_really_empty_when_it_turns": (PORT, turning_on_people),
    "time alone does not go round in a circle": (
        SMALL,
        lambda _: rows(State.OFFICER, Row(on.expired, State.VERIFY)),
    ),
    "every passage ends": (SMALL, nobody_ever_left),
    "every passage ends, whatever is broken, once it is mended": (SMALL, nobody_ever_left),
    "every passage ends though the exit is jammed": (SMALL, nobody_ever_left),
    "a lane that is mended comes back to idle": (
        replace(SERVED, topology=Topology.KIOSK),
        lambda _: rows(State.EMERGENCY, without=(on.emergency_is_over,), plan=PLANS[Topology.KIOSK]),
    ),
    "an occupied lane has a way out": (SMALL, lambda _: releasing(MANTRAP, State.REJECT_OUT)),
}


def test_there_is_a_seeded_fault_for_each_property() -> None:
    checks = {check.__name__ for check in (*STEPS, *STATES, *MOVES, *COMMITMENTS)}
    assert set(SEEDS) == checks | set(NAMES)


@pytest.mark.parametrize("name", SEEDS)
def test_a_seeded_fault_is_caught_and_told_with_its_history(
    name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    build, sow = SEEDS[name]
    invariant = name not in NAMES
    plan = sow(monkeypatch)
    with in_force(build.topology, plan or PLANS[build.topology]):
        explored = explore(build, only=name if invariant else "")
    wrong = [each.name for each in (*explored.invariants, *explored.liveness) if not each.holds]
    assert name.replace("_", " ") in wrong
    assert explored.history[0].startswith("out_of_service: ")
