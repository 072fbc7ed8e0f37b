"""Whatever a chip gives, the checks end in verdicts; and no file that is signed can be changed for good."""

from functools import cache

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from gated.core.checks import Result, overall
from gated.core.personal import Personal
from gated.core.settings.documents import DocumentSettings
from gated.document.lds.directory import DATA_GROUPS
from gated.document.mrz.transliteration import ALLAH, ARABIC, CYRILLIC, LATIN, SHADDA, TEH_MARBUTA
from gated.document.reading import ChipFiles
from gated.document.verification import Verification, Verified
from hw_sim.passport import details
from hw_sim.passport.chip_active import ActiveProfile
from hw_sim.passport.issuer import Passport, Protocols, issue
from tests.document.chips import AT, PORTRAIT, STORE, UTOPIA, Slot, zone
from tests.document.material import FUZZ, damaged
from tests.document.test_genuineness import CHIP_MAPPING, SECOND
from tests.holder import ANNA

SOME = settings(FUZZ, max_examples=80)
SETTINGS = DocumentSettings(all_proofs=True, data_groups=(7, 11, 12, 13, 16))
LETTERS = [*LATIN, *CYRILLIC, *ARABIC, SHADDA, TEH_MARBUTA, ALLAH, "<<", "<", " ", "-", "A"]


@cache
def whole() -> Passport:
    """A document with everything, and every proof."""
    extra = details.everything(ANNA.surname, ANNA.given_names, ANNA.birth, PORTRAIT)
    protocols = Protocols(bac=False, pace=(CHIP_MAPPING,), chip_authentication=(SECOND,))
    extra = {file: raw for file, raw in extra.items() if file != details.DG3}
    return issue(
        UTOPIA, ANNA, PORTRAIT, protocols=protocols, extra=extra, active_authentication=ActiveProfile()
    )


@cache
def read() -> ChipFiles:
    return Slot(whole()).read(settings=SETTINGS)


def concluded(**changed: bytes) -> Verified:
    files = ChipFiles(
        {name: Personal(changed.get(name, raw.reveal())) for name, raw in read().files.items()},
        read().access,
        proofs=read().proofs,
    )
    verification = Verification(zone(whole()), STORE, AT, settings=SETTINGS)
    for name in ("sod", *(name for name in files.files if name != "sod")):
        verification.take(name, files[name].reveal())
    return verification.conclude(files)


def test_the_document_is_good_as_it_is() -> None:
    found = concluded()
    assert overall(found.checks) is Result.SUCCESSFUL
    assert {"dg7", "dg11", "dg12", "dg13", "dg14", "dg15", "dg16"} <= read().files.keys()
    assert {check.name for check in found.checks} >= {
        "chip_authentication_mapping",
        "chip_authentication",
        "active_authentication",
        "card_access",
    }


@pytest.mark.parametrize("number", [1, 2, 11, 14, 15])
def test_no_group_can_be_changed_for_good(number: int) -> None:
    name = DATA_GROUPS[number].name
    raw = read()[name].reveal()

    @SOME
    @given(damaged(raw))
    def check(other: bytes) -> None:
        found = concluded(**{name: other})
        assert (overall(found.checks) is Result.SUCCESSFUL) == (other == raw)

    check()


@pytest.mark.parametrize("name", ["sod", "card_security", "com"])
def test_what_is_signed_or_never_trusted_ends_in_verdicts(name: str) -> None:
    raw = read()[name].reveal()

    @SOME
    @given(damaged(raw))
    def check(other: bytes) -> None:
        assert concluded(**{name: other}).checks

    check()


@SOME
@example("\u0628\u0629\u0651")  # it ended the lane once
@given(st.lists(st.sampled_from(LETTERS), min_size=1, max_size=20).map("".join))
def test_a_name_of_any_letters_ends_in_a_note_at_most(name: str) -> None:
    raw = details.details(details.DG11, {0x5F0E: name.encode()}, [])
    found = concluded(dg11=raw)
    assert overall(found.checks) is Result.FAILED  # nobody signed it
    assert set(found.notes) <= {"dg11_name_differs"}
