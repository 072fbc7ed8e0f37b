"""Attacks on the proofs of genuineness: each is what somebody would try who has a copy and no private key."""

from gated.core.checks import Check, Result, overall
from gated.core.settings import DocumentSettings
from gated.document.reading import ChipFiles
from gated.document.verification import Verification
from hw_sim.passport import lds
from hw_sim.passport.issuer import Passport, with_file
from tests.document.chips import AT, STORE, Slot, zone
from tests.document.test_genuineness import CHIP_MAPPING, GENERIC, RefusingPace, chip, copy_of, is_good


def judged(document: Passport, files: ChipFiles) -> dict[str, Check]:
    verification = Verification(zone(document), STORE, AT)
    for name in ("sod", *(it for it in files.files if it != "sod")):
        verification.take(name, files[name].reveal())
    return {check.name: check for check in verification.conclude(files).checks}


# --- PACE that fails so that its mapping is not run ---------------------------------------------------


def test_a_copy_that_refuses_pace_does_not_get_rid_of_the_mapping_by_bac() -> None:
    copy = copy_of(chip(pace=(CHIP_MAPPING,), bac=True))
    found = judged(copy, RefusingPace(copy).read(settings=DocumentSettings(bac="pace_failed")))
    undetermined = Check("genuineness", Result.UNDETERMINED, "mapping_offered_and_not_run")
    assert found["genuineness"] == undetermined
    assert not is_good(found)


def test_a_copy_that_hides_the_mapping_among_its_offers_is_found_out() -> None:
    copy = copy_of(chip(pace=(CHIP_MAPPING, GENERIC)))
    hiding = with_file(copy, lds.CARD_ACCESS, lds.card_access((GENERIC,)))
    found = judged(hiding, Slot(hiding).read())
    assert found["card_access"].result is Result.FAILED
    assert overall(tuple(found.values())) is Result.FAILED
