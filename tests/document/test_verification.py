"""What the gate makes of a chip: genuine passports, forgeries, mismatches, expiry."""

from collections.abc import Callable
from datetime import UTC, date, datetime

import pytest

from gated.core.checks import Check, Result, overall
from gated.document import lds
from gated.document.errors import LdsError
from gated.document.mrz import Mrz
from gated.document.trust.passive import CHECKS
from gated.document.verification import verify
from hw_sim.passport import lds as issuer_lds
from hw_sim.passport.issuer import (
    NOT_AN_IMAGE,
    Passport,
    Person,
    issue,
    with_another_birth_date,
    with_another_face,
    with_another_page,
    with_file,
)
from tests.document.chips import AT, PACE, PORTRAIT, STORE, UTOPIA, Slot, passport, zone
from tests.document.material import refused
from tests.holder import ANNA

# --- what the gate makes of it ----------------------------------------------------------------------


def reasons(document: Passport, scanned: Mrz | None = None, at: datetime = AT) -> dict[str, str]:
    checks = verify(Slot(document).read(), scanned or zone(document), STORE, at)
    own = ["signer_document_type", "card_access", "genuineness", "mrz_matches_chip", "document_expiry"]
    assert [check.name for check in checks] == [*CHECKS, *own]
    return {check.name: check.reason for check in checks if check.reason and check.name != "genuineness"}


def test_a_genuine_passport() -> None:
    document = passport()
    files = Slot(document).read()
    assert overall(verify(files, zone(document), STORE, AT)) is Result.SUCCESSFUL
    assert lds.face_image(files["dg2"].reveal()).image.reveal() == PORTRAIT


@pytest.mark.parametrize(
    ("forge", "found"),
    [
        (lambda it: with_another_birth_date(it, date(1990, 1, 1)), {"dg_hashes": "dg1_hash_wrong"}),
        (lambda it: with_another_face(it, PORTRAIT[:500]), {"dg_hashes": "dg2_hash_wrong"}),
    ],
)
def test_forgeries(forge: Callable[[Passport], Passport], found: dict[str, str]) -> None:
    assert reasons(forge(passport())) == found


def test_the_chip_of_another_document() -> None:
    """The page is read; the chip opens with its own key, as a forger's would."""
    document = passport()
    page = zone(with_another_page(document, "X12345678"))
    assert reasons(document, page) == {"mrz_matches_chip": "document_number_differs"}


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"surname": "Eriksen"}, "name_differs"),
        ({"given_names": "Anna"}, "name_differs"),
        ({"sex": "M"}, "sex_differs"),
        ({"nationality": "FRA"}, "nationality_differs"),
        ({"birth": date(1974, 8, 13)}, "birth_date_differs"),
        ({"expiry": date(2032, 4, 16)}, "expiry_date_differs"),
        ({"optional": "ZE184226B"}, "optional_data_differs"),
    ],
)
def test_any_difference_between_page_and_chip(change: dict[str, str | date], reason: str) -> None:
    fields = {name: getattr(ANNA, name) for name in ANNA.__struct_fields__}
    page = issue(UTOPIA, Person(**fields | change), PORTRAIT, protocols=PACE)
    assert reasons(passport(), zone(page)) == {"mrz_matches_chip": reason}


@pytest.mark.parametrize(
    ("at", "expired"),
    [(datetime(2032, 4, 15, 23, 59, tzinfo=UTC), False), (datetime(2032, 4, 16, 0, 0, tzinfo=UTC), True)],
)
def test_the_last_day_counts(at: datetime, *, expired: bool) -> None:
    assert reasons(passport(), at=at) == ({"document_expiry": "document_expired"} if expired else {})


def test_an_unreadable_zone_on_the_chip() -> None:
    document = with_file(passport(), issuer_lds.DG1, issuer_lds.dg1(("<" * 44, "<" * 44)))
    assert reasons(document, zone(passport())) == {
        "dg_hashes": "dg1_hash_wrong",
        "signer_document_type": "not_reached",
        "issuing_state": "not_reached",
        "mrz_matches_chip": "dg1_mrz_wrong",
        "document_expiry": "not_reached",
    }


def test_a_portrait_that_is_no_image() -> None:
    document = passport(portrait=NOT_AN_IMAGE)
    files = Slot(document).read()
    assert Check("dg_hashes", Result.SUCCESSFUL) in verify(files, zone(document), STORE, AT)
    with refused(LdsError, "dg2_not_an_image"):
        lds.face_image(files["dg2"].reveal())
