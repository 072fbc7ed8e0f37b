"""What the centre vouches for, and how long ago: told, nobody admitted by it, the lane closed by itself."""

from pathlib import Path

import pytest
from msgspec.structs import replace

from gated.core import effects as do
from gated.core import events as ev
from gated.core.gate import Gate, State
from gated.core.policy import DAY_S, HOUR_S, Policy
from gated.core.replay import Recorded, replay
from gated.core.step import step
from gated.core.vocabulary import Aging, Door, Grade, Mode, OfficerWord, Outcome, Topology, Vouched
from gated.proof.happenings import FRESH
from tests.core.passages import POLICY, UTC, background
from tests.core.test_lanes import NEXT, PASSAGE, Lane, inside

CLOSING = replace(POLICY, **{f"{kind}_close_age_s": 60 * DAY_S for kind in Vouched})
TOPOLOGIES = [Topology.MANTRAP, Topology.ONE_DOOR, Topology.KIOSK]


def closing_lane(topology: Topology = Topology.MANTRAP) -> Lane:
    """A lane that closes by itself where something is too old."""
    lane = Lane(topology)
    lane.policy = replace(CLOSING, lane=lane.policy.lane)
    lane.gate = replace(lane.gate, policy=lane.policy)
    return lane


def aged(kind: Vouched, age_s: float) -> ev.AgesChecked:
    return replace(FRESH, **{f"{kind}_s": age_s})


def stale(kind: Vouched) -> ev.AgesChecked:
    _, max_s, _ = POLICY.ages_of(kind)
    return aged(kind, max_s + 1)


def too_old(kind: Vouched) -> ev.AgesChecked:
    return aged(kind, 61 * DAY_S)


def seen_inside(lane: Lane) -> Lane:
    """Somebody is where faces are looked at; nothing of theirs was judged yet."""
    if lane.policy.lane.topology is Topology.MANTRAP:
        return inside(lane)
    return lane.lay_document().read().tell(ev.DocumentRemoved(at=0)).count(1)


# --- what an age means ------------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", Vouched)
def test_an_age_means_what_the_policy_says(kind: Vouched) -> None:
    warn_s, max_s, close_s = CLOSING.ages_of(kind)
    assert close_s is not None
    ages = (0.0, warn_s, warn_s + 1, max_s, max_s + 1, close_s, close_s + 1)
    assert [CLOSING.meaning(kind, age_s) for age_s in ages] == [
        *(Aging.FRESH, Aging.FRESH, Aging.OLD, Aging.OLD, Aging.STALE, Aging.STALE, Aging.CLOSING)
    ]
    assert POLICY.meaning(kind, 1e9) is Aging.STALE, "nothing closes a lane unless the operator says so"


def test_the_watchlist_refers_after_three_days_as_before() -> None:
    assert Policy(liveness_threshold=0.5).ages_of(Vouched.WATCHLIST) == (24 * HOUR_S, 72 * HOUR_S, None)


@pytest.mark.parametrize("kind", Vouched)
@pytest.mark.parametrize(("what", "before"), [("warn", "max"), ("max", "close")])
def test_ages_that_are_out_of_order_are_refused_by_their_keys(kind: Vouched, what: str, before: str) -> None:
    ages = {f"{kind}_{name}_age_s": 10.0 for name in ("warn", "max", "close")}
    assert Policy(liveness_threshold=0.5, **ages).ages_of(kind) == (10.0, 10.0, 10.0)  # type: ignore[arg-type]  # by name
    ages[f"{kind}_{before}_age_s"] = 9.0
    with pytest.raises(ValueError, match=f"`{kind}_{what}_age_s`.*`{kind}_{before}_age_s`"):
        Policy(liveness_threshold=0.5, **ages)  # type: ignore[arg-type]  # by name


# --- nobody is admitted by what is too old ----------------------------------------------------------------


@pytest.mark.parametrize("kind", Vouched)
@pytest.mark.parametrize("topology", TOPOLOGIES)
def test_a_traveller_is_referred_by_whatever_is_too_old(topology: Topology, kind: Vouched) -> None:
    lane = Lane(topology).tell(stale(kind)).lay_document().read()
    assert lane.state is State.REJECT_OUT
    lane.tell(ev.DocumentRemoved(at=0))
    assert lane.ends == [(Outcome.REFERRED, (f"{kind}_stale",))]
    assert lane.state is State.IDLE, "a lane that only refers stays open"


@pytest.mark.parametrize("kind", Vouched)
@pytest.mark.parametrize("topology", TOPOLOGIES)
def test_what_grows_too_old_between_the_check_and_the_admission_brings_an_officer(
    topology: Topology, kind: Vouched
) -> None:
    lane = seen_inside(Lane(topology))
    lane.tell(stale(kind)).be_known()
    assert lane.state is State.OFFICER
    assert lane.gate.passage is not None
    assert lane.gate.passage.reasons == (f"{kind}_stale",)
    assert not any(isinstance(effect, do.Decide | do.IssueToken) for effect in lane.done)
    said = OfficerWord.ACCEPT
    lane.tell(ev.OfficerDecided(at=0, passage=PASSAGE, word=said, officer="kim"))
    assert any(isinstance(effect, do.Decide | do.IssueToken) for effect in lane.done), "an officer may"


def test_an_officer_hears_of_the_face_as_well() -> None:
    lane = inside(Lane()).tell(stale(Vouched.RULES))
    assert lane.gate.passage is not None
    attempt = lane.gate.passage.attempt
    lane.tell(
        ev.FaceAssessed(
            at=0,
            passage=PASSAGE,
            attempt=attempt,
            frames=0,
            match_score=0,
            liveness_score=0,
            liveness="undetermined",  # type: ignore[arg-type]  # its value
        )
    )
    assert lane.gate.passage is not None
    assert lane.gate.passage.reasons == ("rules_stale", "no_face")


@pytest.mark.parametrize("kind", Vouched)
def test_what_grows_too_old_while_the_traveller_thinks_brings_an_officer(kind: Vouched) -> None:
    lane = Lane().lay_document()
    lane.tell(
        ev.MrzRead(at=0, passage=PASSAGE, format="TD3"),
        background(Grade.NONE, grown=True, registration=True),
        ev.ChipRead(at=0, passage=PASSAGE, access="PACE", checks=background(Grade.NONE).checks),  # type: ignore[attr-defined]  # it has some
        ev.ReferenceReady(at=0, passage=PASSAGE),
    )
    lane.come_in().shut(Door.ENTRY).be_known()
    assert lane.state is State.CONSENT
    lane.tell(stale(kind))
    assert lane.state is State.OFFICER
    assert lane.gate.passage is not None
    assert lane.gate.passage.reasons == (f"{kind}_stale",)


def test_whoever_was_admitted_goes_on_their_way() -> None:
    lane = inside(closing_lane()).be_known().open(Door.EXIT)
    lane.tell(too_old(Vouched.TRUST))
    assert (lane.state, lane.released()) == (State.EXIT_OPEN, {Door.EXIT})
    lane.step_into_exit().step_out_of_exit().count(0).crossed_exit()
    assert lane.ends == [(Outcome.ADMITTED, ())]


def test_before_anything_is_told_nothing_is_fresh() -> None:
    gate, _ = step(Gate(policy=POLICY), ev.GateStarted(at=0, utc=UTC, policy=POLICY, hashes={}))
    assert gate.stale == set(Vouched)
    gate, _ = step(gate, replace(FRESH, rules_s=None, trust_s=None, standings_s=None))
    assert gate.stale == set(), "what nothing is published of decides nothing"
    gate, _ = step(gate, ev.AgesChecked(at=0, rules_s=0.0))
    assert gate.stale == {Vouched.WATCHLIST}, "a gate always decides by a watchlist"


# --- a lane that closes -----------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", Vouched)
@pytest.mark.parametrize("topology", TOPOLOGIES)
def test_a_lane_closes_by_age_and_opens_by_itself(topology: Topology, kind: Vouched) -> None:
    lane = closing_lane(topology).tell(too_old(kind))
    assert lane.state is State.CLOSED
    assert lane.gate.told is not None
    assert (lane.gate.told[0], lane.gate.told[2]) == ("closed", "closed")
    lane.lay_document()
    assert (lane.state, lane.gate.passage) == (State.CLOSED, None)
    lane.tell(ev.DocumentRemoved(at=0), FRESH)
    assert lane.state is State.IDLE


def test_a_document_that_waits_is_read_when_the_lane_opens_again() -> None:
    lane = closing_lane().tell(too_old(Vouched.WATCHLIST)).lay_document().tell(FRESH)
    assert lane.state is State.DOC_OPTICAL


@pytest.mark.parametrize("topology", TOPOLOGIES)
def test_a_passage_under_way_ends_and_the_next_one_does_not_begin(topology: Topology) -> None:
    lane = seen_inside(closing_lane(topology)).tell(too_old(Vouched.STANDINGS))
    lane.be_known()
    assert lane.state is State.OFFICER
    lane.lay_document(NEXT)
    lane.tell(ev.OfficerDecided(at=0, passage=PASSAGE, word=OfficerWord.ESCORT, officer="kim"))
    assert lane.state is State.REJECT_OUT
    if topology is Topology.MANTRAP:
        assert lane.released() == {Door.ENTRY}, "nobody is shut in"
        lane.open(Door.ENTRY)
    lane.tell(ev.DocumentRemoved(at=0)).count(0)
    if topology is Topology.MANTRAP:
        lane.tell(ev.Crossed(at=0, door=Door.ENTRY, inward=False, persons=1, body="person"))  # type: ignore[arg-type]  # its value
        lane.shut(Door.ENTRY)
    assert lane.ends == [(Outcome.REFERRED, ("standings_stale", "officer_escorts"))]
    assert (lane.state, lane.gate.passage) == (State.CLOSED, None)


def test_a_lane_that_is_closed_by_age_can_be_maintained_and_locked() -> None:
    lane = closing_lane().tell(too_old(Vouched.RULES))
    assert lane.told(Mode.MAINTENANCE, officer=None).state is State.MAINTENANCE
    assert lane.told(Mode.OPEN, officer=None).state is State.CLOSED
    assert lane.told(Mode.LOCKED, officer="kim").state is State.LOCKED
    lane.tell(FRESH)
    assert lane.state is State.LOCKED


# --- what is told -----------------------------------------------------------------------------------------


def test_officers_are_told_once_of_each_thing_that_has_grown_graver() -> None:
    lane = closing_lane()
    told = len(lane.alerts)
    lane.tell(aged(Vouched.TRUST, 8 * DAY_S), aged(Vouched.TRUST, 9 * DAY_S))
    lane.tell(stale(Vouched.TRUST), too_old(Vouched.TRUST), too_old(Vouched.TRUST), FRESH)
    lane.tell(too_old(Vouched.WATCHLIST))
    assert lane.alerts[told:] == ["trust_aging", "trust_stale", "trust_closing", "watchlist_closing"]


def test_a_gate_that_starts_with_what_is_too_old_says_so() -> None:
    gate, _ = step(Gate(policy=CLOSING), ev.GateStarted(at=0, utc=UTC, policy=CLOSING, hashes={}))
    _, effects = step(gate, stale(Vouched.WATCHLIST))
    assert effects == (do.AlertOfficer(kind="watchlist_stale", passage=None, grade=Grade.REFER),)


def test_closing_by_age_replays(tmp_path: Path) -> None:
    del tmp_path
    lane = closing_lane()
    events = (
        ev.GateStarted(at=0, utc=UTC, policy=lane.policy, hashes={}),
        FRESH,
        too_old(Vouched.TRUST),
        FRESH,
    )
    gate, steps = Gate(policy=lane.policy), []
    for number, event in enumerate(events):
        gate, effects = step(gate, event)
        steps.append(Recorded(seq=number + 1, event=event, state=gate.state, effects=effects))
    assert replay(steps).differences == ()
    without = [recorded for recorded in steps if recorded.seq != 3]
    assert replay(without).differences == ()


@pytest.mark.parametrize(
    ("topology", "mode"), [(Topology.KIOSK, Mode.FREE_PASSAGE), (Topology.ONE_DOOR, Mode.MAINTENANCE)]
)
def test_a_lane_takes_nobody_while_it_cannot_be_what_it_was_told_to_be(
    topology: Topology, mode: Mode
) -> None:
    lane = Lane(topology)
    if mode is Mode.MAINTENANCE:
        lane.count(1)
    lane.told(mode)
    assert lane.state is State.CLOSED
    lane.lay_document()
    assert lane.gate.passage is None
    lane.count(0)
    assert lane.state is (State.MAINTENANCE if mode is Mode.MAINTENANCE else State.CLOSED)
    lane.tell(ev.DocumentRemoved(at=0)).told(Mode.OPEN)
    assert lane.state is State.IDLE
