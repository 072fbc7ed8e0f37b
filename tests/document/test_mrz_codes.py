"""The codes of Doc 9303-3 section 5, what they may say, and that certificates agree."""

import pytest

from gated.document.mrz import examine
from gated.document.mrz.codes import CODES, ISSUERS, NATIONALITIES, Kind
from gated.document.trust.states import issuer_codes
from tests.document.test_mrz_examination import AT, TD3, faults

PARTS = {
    "D": Kind.STATE, "GBD": Kind.STATE, "GBN": Kind.STATE, "GBO": Kind.STATE, "GBP": Kind.STATE,
    "GBS": Kind.STATE, "RKS": Kind.STATE, "EUE": Kind.UNION, "UNO": Kind.UNITED_NATIONS,
    "UNA": Kind.UNITED_NATIONS, "UNK": Kind.UNITED_NATIONS, "XBA": Kind.ORGANISATION,
    "XIM": Kind.ORGANISATION, "XCC": Kind.ORGANISATION, "XCE": Kind.ORGANISATION, "XCO": Kind.ORGANISATION,
    "XEC": Kind.ORGANISATION, "XPO": Kind.ORGANISATION, "XES": Kind.ORGANISATION, "XMP": Kind.ORGANISATION,
    "XOM": Kind.ORGANISATION, "XDC": Kind.ORGANISATION, "XXA": Kind.PERSON, "XXB": Kind.PERSON,
    "XXC": Kind.PERSON, "XXX": Kind.PERSON, "ANT": Kind.WITHDRAWN, "NTZ": Kind.WITHDRAWN,
    "UTO": Kind.SPECIMEN, "IAO": Kind.SIGNATURE,
}  # fmt: skip


def test_every_code_beside_iso_3166_has_its_part() -> None:
    assert {letters: CODES[letters].kind for letters in PARTS} == PARTS


def test_all_states_of_iso_3166_are_there_and_germany_is_one_letter() -> None:
    states = [code for code in CODES.values() if code.kind is Kind.STATE and code.letters not in PARTS]
    assert len(states) == 248  # 249 countries, Germany apart
    assert all(len(code.letters) == 3 and code.meaning for code in states)
    assert "DEU" not in CODES


def test_persons_do_not_issue_and_nobody_is_of_icao() -> None:
    assert {"XXA", "XXB", "XXC", "XXX"} == NATIONALITIES - ISSUERS
    assert not ISSUERS - NATIONALITIES
    assert "IAO" not in NATIONALITIES


@pytest.mark.parametrize("code", sorted(NATIONALITIES))
def test_every_code_may_stand_in_a_zone(code: str) -> None:
    lower = TD3[1].replace("UTO", code)
    issuer = code if code in ISSUERS else "UTO"
    assert examine((TD3[0].replace("UTO", issuer), lower), at=AT).valid


@pytest.mark.parametrize("code", ["QQQ", "DEU", "IAO", "U<<", "XX<", "ZZZ"])
def test_a_code_that_is_not_listed_is_told(code: str) -> None:
    assert faults(TD3[0].replace("UTO", code), TD3[1]) == [("issuer", 1, 3, "code")]
    assert faults(TD3[0], TD3[1].replace("UTO", code)) == [("nationality", 2, 11, "code")]


def test_certificates_and_zones_agree_on_the_codes_of_states() -> None:
    countries = [first + second for first in map(chr, range(65, 91)) for second in map(chr, range(65, 91))]
    signed = frozenset[str]().union(*(issuer_codes(country) for country in countries))
    issuing = {code.letters for code in CODES.values() if code.may_issue}
    assert signed <= issuing
    without_certificates = {
        letters
        for letters in issuing - signed
        if CODES[letters].kind not in {Kind.WITHDRAWN, Kind.ORGANISATION, Kind.SPECIMEN}
    }
    assert without_certificates == set()
