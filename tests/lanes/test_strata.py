"""What the vision process is told of a traveller says nothing about who they are."""

from datetime import date

import pytest

from gated.document.mrz import parse
from gated.lanes.strata import Marks, stratum
from tests.lanes.test_background import TD1, TODAY, page


def test_a_document_has_one_mark_for_as_long_as_the_gate_runs_and_another_one_afterwards() -> None:
    one, other = Marks(), Marks()
    assert one.mark(page("740812")) == one.mark(page("740812"))
    assert one.mark(page("740812")) != other.mark(page("740812"))


def test_two_documents_have_two_marks() -> None:
    marks = Marks()
    assert marks.mark(page()) != marks.mark(parse(TD1))


@pytest.mark.parametrize(
    ("birth", "kind"),
    [
        ("161123", "child"),
        ("740812", "adult"),
        ("400101", "senior"),
        ("<<<<<<", "unknown"),
        ("081123", "adult"),
    ],
)
def test_people_are_told_apart_by_age_and_sex_only(birth: str, kind: str) -> None:
    assert stratum(page(birth), TODAY).split("-")[0] == kind
    assert stratum(page(birth), date(2026, 11, 23)).split("-")[1] in "fmx"
