"""Anti-passback: a document that was just admitted, and only that one, does not admit again for a while."""

from pathlib import Path

import pytest

from gated.core.checks import Result
from gated.core.settings.travellers import EligibilitySettings
from gated.lanes import passback
from gated.lanes.background import BackgroundLane
from gated.lanes.passback import Admitted
from tests.lanes.rounds import BEGAN, NEXT, PASSAGE, Posted
from tests.lanes.test_background import Bench, judge, page

ANNA = page()
KIDS_CARD = page(birth="161123", kind="PD")


def test_a_document_is_remembered_for_the_window_and_no_longer() -> None:
    admitted = Admitted(60.0)
    assert not admitted.was(ANNA, 0.0)
    admitted.remember(ANNA, 10.0)
    assert admitted.was(ANNA, 69.9)
    assert not admitted.was(KIDS_CARD, 20.0)
    assert not admitted.was(ANNA, 70.0)


def test_without_a_window_nothing_is_kept() -> None:
    admitted = Admitted(0.0)
    admitted.remember(ANNA, 10.0)
    assert not admitted.was(ANNA, 10.0)
    assert not admitted._until


def test_no_more_are_kept_than_memory_is_meant_for(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(passback, "MAX_KEPT", 1)
    admitted = Admitted(60.0)
    admitted.remember(ANNA, 1.0)
    admitted.remember(KIDS_CARD, 2.0)
    assert (admitted.was(ANNA, 3.0), admitted.was(KIDS_CARD, 3.0)) == (False, True)


def test_what_is_kept_names_nobody_and_is_another_in_each_process() -> None:
    one, other = Admitted(60.0), Admitted(60.0)
    for each in (one, other):
        each.remember(ANNA, 1.0)
    assert not set(one._until) & set(other._until)
    assert ANNA.document_number not in repr(one._until)


def test_the_background_check_refuses_a_passport_that_was_handed_back(tmp_path: Path, posted: Posted) -> None:
    bench = Bench(tmp_path, posted)
    by = judge(EligibilitySettings())
    bench.lane = BackgroundLane(by, bench.gate.watchlist, bench.dossiers, bench.condition, posted, 60.0)
    bench.publish()
    assert "anti_passback" not in {check.name for check in bench.check().checks}
    bench.lane.admitted(PASSAGE)
    bench.dossiers.end(PASSAGE)
    bench.dossiers.begin(PASSAGE, BEGAN)
    bench.dossiers.put_mrz(PASSAGE, page())
    posted.clear()
    found = {check.name: check for check in bench.check().checks}["anti_passback"]
    assert (found.result, found.reason) == (Result.FAILED, "admitted_just_now")
    bench.lane.admitted(NEXT)  # a passage that nobody knows
    bench.gate.watchlist.close()
