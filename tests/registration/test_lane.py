"""The lane of registrations: whose answer counts, what is kept of it, and what the rules are told."""

from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from gated.core import events as ev
from gated.core.rulings import Ruling
from gated.core.settings.travellers import EligibilitySettings, RegistrationSettings
from gated.document.mrz import Mrz, check_digit, parse
from gated.lanes.dossier import Dossiers
from gated.lanes.eligibility import Eligibility
from gated.lanes.registration import RegistrationLane
from gated.store.registrations import Registrations
from tests.lanes.rounds import BEGAN, NEXT, PASSAGE, Posted, come_round
from tests.registration.people import CENTRE, GATE, KEY
from tests.rules.packs import small_pack

SETTINGS = RegistrationSettings(
    key_file="key", centre_key="0" * 64, text="2026-1", states=("UTO",), numbered=("UTO",)
)
REGISTERED: dict[str, Any] = {
    "id": "registered",
    "check": "registration",
    "law": "art-1",
    "that": {"registered": True, "consent": True},
    "reason": "not_registered",
    "unsure": "registration_unknown",
}
NOON = datetime(2026, 11, 23, 12, tzinfo=UTC)


def page(number: str = "L898902C3", birth: str = "740812", state: str = "UTO") -> Mrz:
    """The worked example of Doc 9303-4 with another number, birth date or state."""
    dates = f"{birth}{check_digit(birth)}F320415{check_digit('320415')}"
    numbered, optional = f"{number}{check_digit(number)}", "ZE184226B<<<<<1"
    composite = check_digit(numbered + dates[:7] + dates[8:] + optional)
    text = f"P<{state}ERIKSSON<<ANNA<MARIA<<<<<<<<<<<<<<<<<<<\n{numbered}{state}{dates}{optional}{composite}"
    return parse(text.encode())


class Bench:
    """The lane over a real store, with one passage of the worked example under way."""

    def __init__(self, folder: Path, posted: Posted) -> None:
        self.store = Registrations(folder, KEY, GATE, CENTRE.public_key())
        self.dossiers = Dossiers()
        self.posted = posted
        self.lane = RegistrationLane(self.store, SETTINGS, self.dossiers, posted)
        self.come(PASSAGE, page())

    def come(self, passage: str, mrz: Mrz) -> None:
        self.dossiers.begin(passage, BEGAN)
        self.dossiers.put_mrz(passage, mrz)

    def rounds(self) -> None:
        come_round(self.lane.lane)


@pytest.fixture
def posted() -> Posted:
    return Posted()


@pytest.fixture
def bench(tmp_path: Path, posted: Posted) -> Iterator[Bench]:
    one = Bench(tmp_path, posted)
    yield one
    one.store.close()


def test_the_first_answer_to_the_question_counts_and_names_the_text(bench: Bench) -> None:
    bench.lane.pressed(given=True)
    assert bench.posted == [], "nobody was asked"
    bench.lane.ask(PASSAGE)
    bench.lane.pressed(given=False)
    bench.lane.pressed(given=True)
    (answer,) = bench.posted.of(ev.ConsentAnswered)
    assert (answer.passage, answer.given, answer.text) == (PASSAGE, False, "2026-1")


def test_nobody_answers_for_a_passage_that_has_ended(bench: Bench) -> None:
    bench.lane.ask(PASSAGE)
    bench.lane.forget(NEXT)
    bench.lane.forget(PASSAGE)
    bench.lane.pressed(given=True)
    assert bench.posted == []


def test_a_registration_is_kept_although_the_dossier_ends_meanwhile(bench: Bench) -> None:
    bench.lane.register(PASSAGE)
    bench.dossiers.end(PASSAGE)
    bench.rounds()
    (kept,) = bench.posted.of(ev.Registered)
    found = bench.lane.of(page())
    assert found is not None
    assert (kept.passage, kept.registration) == (PASSAGE, found.id)
    assert (found.text, found.agreed) == ("2026-1", int(BEGAN.timestamp()))
    assert "L898902C3" not in repr(bench.posted)


def test_what_cannot_be_kept_is_told(bench: Bench) -> None:
    bench.lane.register(NEXT)
    bench.store.close()
    bench.lane.register(PASSAGE)
    bench.rounds()
    failed = bench.posted.of(ev.RegistrationFailed)
    assert [(each.passage, each.reason) for each in failed] == [(NEXT, "no_document"), (PASSAGE, "unusable")]
    assert bench.lane.of(page()) is None


def test_a_new_passport_is_linked_when_its_holder_is_admitted_and_not_before(bench: Bench) -> None:
    bench.lane.register(PASSAGE)
    bench.come(NEXT, page("M000000X1"))
    bench.rounds()
    anew = bench.lane.of(page("M000000X1"))
    assert anew is not None
    assert anew.by_person
    bench.lane.admitted(NEXT)
    bench.rounds()
    (linked,) = bench.posted.of(ev.RegistrationLinked)
    assert (linked.registration, linked.by) == (anew.id, "personal_number")
    found = bench.lane.of(page("M000000X1"))
    assert found is not None
    assert not found.by_person


def test_who_came_with_the_known_passport_is_linked_to_nothing(bench: Bench) -> None:
    bench.lane.register(PASSAGE)
    bench.lane.admitted(PASSAGE)
    bench.rounds()
    assert bench.posted.of(ev.RegistrationLinked) == []


def decided(bench: Bench, mrz: Mrz, *rules: dict[str, Any], lane: bool = True) -> tuple[Ruling, bool]:
    pack = small_pack(*rules)
    judge = Eligibility(EligibilitySettings(), pack, registration=bench.lane if lane else None)
    judged = judge.of(mrz, NOON, ())
    return judged.decision.ruling, judged.registration


def test_whom_only_registration_keeps_out_is_let_in_on_that_condition(bench: Bench) -> None:
    assert decided(bench, page(), REGISTERED, lane=False) == (Ruling.REFER, False)
    assert decided(bench, page(), REGISTERED) == (Ruling.ADMIT, True)
    bench.lane.register(PASSAGE)
    bench.rounds()
    assert decided(bench, page(), REGISTERED) == (Ruling.ADMIT, False)


def test_registration_mends_nothing_else(bench: Bench) -> None:
    assert decided(bench, page(birth="200101"), REGISTERED) == (Ruling.REFER, False)


def test_nobody_of_another_state_is_registered_and_nobody_whom_the_rules_do_not_ask(bench: Bench) -> None:
    foreign = small_pack(
        REGISTERED, grounds=[{"id": "all", "law": "art-1", "when": {"age": {"at_least": 0}}}]
    )
    judged = Eligibility(EligibilitySettings(), foreign, registration=bench.lane).of(
        page(state="FRA"), NOON, ()
    )
    assert (judged.decision.ruling, judged.registration) == (Ruling.REFER, False)
    assert decided(bench, page()) == (Ruling.ADMIT, False)
