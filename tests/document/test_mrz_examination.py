"""Zones of every format, right and wrong, looked at in full; and that the parser is of one mind with it."""

from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gated.document import tlv
from gated.document.errors import LdsError
from gated.document.lds import parse_dg1
from gated.document.mrz import Mrz, MrzError, check_digit, examine, parse
from tests.document.material import FUZZ, damaged, refused

AT = date(2026, 11, 26)
TD3 = ("P<UTOERIKSSON<<ANNA<MARIA<<<<<<<<<<<<<<<<<<<", "L898902C36UTO7408122F1204159ZE184226B<<<<<10")
TD2 = ("I<UTOERIKSSON<<ANNA<MARIA<<<<<<<<<<<", "D231458907UTO7408122F1204159<<<<<<<6")
TD1 = ("I<UTOD231458907<<<<<<<<<<<<<<<", "7408122F1204159UTO<<<<<<<<<<<6", "ERIKSSON<<ANNA<MARIA<<<<<<<<<<")
# Doc 9303-7 appendices B and D
MRVA = ("V<UTOERIKSSON<<ANNA<MARIA<<<<<<<<<<<<<<<<<<<", "L8988901C4XXX4009078F96121096ZE184226B<<<<<<")
MRVB = ("V<UTOERIKSSON<<ANNA<MARIA<<<<<<<<<<<", "L8988901C4XXX4009078F9612109<<<<<<<<")
# specimens that issuers have published
FRENCH = ("IDFRABERTHIER<<<<<<<<<<<<<<<<<<<<<<<", "9409923102854CORINNE<<<<<<<6512068F4")
FRENCH_OFFICE = ("IDFRADOUEL<<<<<<<<<<<<<<<<<<<<932013", "0506932020438CHRISTIANE<<NI2906209F3")
BELGIAN = (
    "IDBEL590330101085020100200<<<<",
    "8502016F0901015BEL<<<<<<<<<<<8",
    "VAN<DER<VELDEN<<GREET<HILDE<<<",
)
BELGIAN_LONG = (
    "IDBEL600001476<9355<<<<<<<<<<<",
    "1301014F2311207UTO130101987390",
    "SPECIMEN<<SPECIMEN<<<<<<<<<<<<",
)
SWEDISH = (
    "I<SWE59000002<8198703142391<<<",
    "8703145M1701027SWE<<<<<<<<<<<8",
    "SPECIMEN<<SVEN<<<<<<<<<<<<<<<<",
)
LATVIAN = (
    "I<LVAPA99929216121282<88882<<<",
    "8212122M1703054LVA<<<<<<<<<<<0",
    "PARAUDZINS<<ANDRIS<<<<<<<<<<<<",
)
# Doc 9303-11 appendix D.2
LONG_TD2 = ("I<UTOSTEVENSON<<PETER<JOHN<<<<<<<<<<", "D23145890<UTO3407127M95071227349<<<8")
RIGHT = (
    TD3, TD2, TD1, MRVA, MRVB, FRENCH, FRENCH_OFFICE, BELGIAN, BELGIAN_LONG, SWEDISH, LATVIAN, LONG_TD2,
)  # fmt: skip


def fields(lines: tuple[str, ...]) -> dict[str, str]:
    """Every field that says something."""
    named = examine(lines, at=AT).fields.reveal().by_name()
    return {name: value for name, value in named.items() if value}


def faults(*lines: str) -> list[tuple[str, int, int, str]]:
    return [(fault.field, fault.line, fault.column, fault.reason) for fault in examine(lines, at=AT).faults]


@pytest.mark.parametrize("lines", RIGHT)
def test_specimens_are_valid_and_leave_no_check_digit_wrong(lines: tuple[str, ...]) -> None:
    examined = examine(lines, at=AT)
    assert examined.valid
    assert examined.faults == ()
    assert {"wrong"}.isdisjoint(examined.checks.values())
    assert list(examined.checks) == [
        "document_number",
        "birth_date",
        "expiry_date",
        "optional_data",
        "composite",
    ]


def test_every_field_of_a_passport() -> None:
    examined = examine(TD3, at=AT)
    assert examined.format == "TD3"
    assert set(examined.checks.values()) == {"good"}
    assert examined.fields.reveal().by_name() == {
        "document_type": "P",
        "issuer": "UTO",
        "surname": "ERIKSSON",
        "given_names": "ANNA MARIA",
        "document_number": "L898902C3",
        "nationality": "UTO",
        "birth_date": "1974-08-12",
        "sex": "F",
        "expiry_date": "2012-04-15",
        "optional_data": "ZE184226B",
        "optional_data_2": None,
        "issuing_office": None,
        "issue_date": None,
    }


@pytest.mark.parametrize(("lines", "form", "optional"), [(MRVA, "MRVA", "6ZE184226B"), (MRVB, "MRVB", "")])
def test_a_visa_has_three_check_digits(lines: tuple[str, ...], form: str, optional: str) -> None:
    examined = examine(lines, at=AT)
    assert examined.format == form
    assert [name for name, state in examined.checks.items() if state == "absent"] == [
        "optional_data",
        "composite",
    ]
    found = examined.fields.reveal()
    assert (found.document_number, found.nationality, found.optional_data) == ("L8988901C", "XXX", optional)


def test_the_old_french_card_tells_its_issue_and_no_expiry() -> None:
    assert fields(FRENCH_OFFICE) == {
        "document_type": "ID",
        "issuer": "FRA",
        "surname": "DOUEL",
        "given_names": "CHRISTIANE NI",
        "document_number": "050693202043",
        "nationality": "FRA",
        "birth_date": "1929-06-20",
        "sex": "F",
        "issuing_office": "932013",
        "issue_date": "2005-06-??",
    }
    checks = examine(FRENCH_OFFICE, at=AT).checks
    assert (checks["composite"], checks["expiry_date"]) == ("good", "absent")
    zone = parse("\n".join(FRENCH_OFFICE).encode())
    assert (zone.format, zone.expiry_date(AT), zone.access_key) == ("FRA-ID", None, "")
    assert zone.name_fills_field  # of its given names, `NI` is cut


@pytest.mark.parametrize(
    ("upper", "lower", "found"),
    [
        (FRENCH[0], "9413923102854CORINNE<<<<<<<6512068F4", ("document_number", 2, 1, "value")),
        (FRENCH[0], "9409923102853CORINNE<<<<<<<6512068F4", ("document_number", 2, 13, "check_digit")),
        (FRENCH[0], "9409923102854CORINNE<<<<<<<6512067F4", ("birth_date", 2, 34, "check_digit")),
        (FRENCH[0].replace("BER", "BEN"), FRENCH[1], ("composite", 2, 36, "check_digit")),
        (FRENCH[0].replace("ER<<", "ER<<<A<<")[:36], FRENCH[1], ("surname", 1, 17, "value")),
    ],
)
def test_the_french_card_is_checked_too(upper: str, lower: str, found: tuple[str, int, int, str]) -> None:
    assert found in faults(upper, lower)


@pytest.mark.parametrize(
    ("lines", "number", "optional"),
    [
        (BELGIAN_LONG, "600001476935", ""),
        (LONG_TD2, "D23145890734", ""),
        (SWEDISH, "59000002", "198703142391"),
    ],
)
def test_a_long_number_takes_its_rest_from_the_optional_data(
    lines: tuple[str, ...], number: str, optional: str
) -> None:
    found = examine(lines, at=AT)
    assert found.checks["document_number"] == "good"
    assert (found.fields.reveal().document_number, found.fields.reveal().optional_data) == (number, optional)


def test_optional_data_after_a_long_number_stay_optional() -> None:
    upper = "I<UTOD23145890<7349<QX<<<<<<<<"
    found = examine((upper, *TD1[1:]), at=AT).fields.reveal()
    assert (found.document_number, found.optional_data) == ("D23145890734", "QX")


@pytest.mark.parametrize(("digit", "state"), [("0", "good"), ("<", "filler")])
def test_an_empty_personal_number_may_have_a_filler_for_its_check_digit(digit: str, state: str) -> None:
    second = f"L898902C36UTO7408122F1204159<<<<<<<<<<<<<<{digit}"
    composite = check_digit(second[:10] + second[13:20] + second[21:])
    examined = examine((TD3[0], second + composite), at=AT)
    assert (examined.valid, examined.checks["optional_data"]) == (True, state)


@pytest.mark.parametrize(
    ("field", "column", "at"),
    [
        ("document_number", 10, 9),
        ("birth_date", 20, 19),
        ("expiry_date", 28, 27),
        ("optional_data", 43, 42),
        ("composite", 44, 43),
    ],
)
def test_each_check_digit_is_judged_by_itself(field: str, column: int, at: int) -> None:
    for character, state in (("5" if TD3[1][at] != "5" else "4", "wrong"), ("<", "filler"), ("A", "wrong")):
        lower = TD3[1][:at] + character + TD3[1][at + 1 :]
        examined = examine((TD3[0], lower), at=AT)
        assert examined.checks[field] == state
        assert (field, 2, column, "check_digit") in faults(TD3[0], lower)
        others = {name: found for name, found in examined.checks.items() if name not in {field, "composite"}}
        assert set(others.values()) == {"good"}


def test_all_that_is_wrong_is_told_in_the_order_of_the_lines() -> None:
    upper = TD3[0].replace("UTO", "QQQ").replace("ANNA", "ANN4")
    lower = TD3[1].replace("740812", "741312").replace("F", "X")
    assert faults(upper, lower) == [
        ("issuer", 1, 3, "code"),
        ("name", 1, 19, "value"),
        ("birth_date", 2, 16, "value"),
        ("birth_date", 2, 20, "check_digit"),
        ("sex", 2, 21, "value"),
        ("composite", 2, 44, "check_digit"),
    ]


def test_a_character_of_no_alphabet_spoils_its_field_only() -> None:
    examined = examine((TD3[0], TD3[1].replace("L898902C", "L898\u20ac02c")), at=AT)
    assert [(fault.field, fault.column, fault.reason) for fault in examined.faults] == [
        ("document_number", 5, "characters"),
        ("document_number", 8, "characters"),
        ("composite", 44, "check_digit"),
    ]
    assert examined.checks["document_number"] == "wrong"
    assert examined.checks["birth_date"] == "good"


@pytest.mark.parametrize(
    ("birth", "told"),
    [
        ("74<<<<", "1974-??-??"),
        ("7408<<", "1974-08-??"),
        ("74<<12", "1974-??-12"),
        ("<<<<<<", "????-??-??"),
        ("<<0812", "????-08-12"),
    ],
)
def test_unknown_parts_of_a_birth_are_fillers(birth: str, told: str) -> None:
    lower = TD3[1].replace("740812", birth)
    assert fields((TD3[0], lower))["birth_date"] == told
    assert {reason for _, _, _, reason in faults(TD3[0], lower)} <= {"check_digit"}


@pytest.mark.parametrize(("birth", "told"), [("740000", "1974-??-??"), ("740800", "1974-08-??")])
def test_zeros_for_unknown_parts_are_understood_but_a_fault(birth: str, told: str) -> None:
    lower = TD3[1].replace("740812", birth)
    assert fields((TD3[0], lower))["birth_date"] == told
    assert ("birth_date", "value") in {(field, reason) for field, _, _, reason in faults(TD3[0], lower)}


def test_an_unknown_expiry_is_a_fault() -> None:
    lower = TD3[1].replace("120415", "1204<<")
    assert fields((TD3[0], lower))["expiry_date"] == "2012-04-??"
    assert ("expiry_date", 2, 22, "value") in faults(TD3[0], lower)


@pytest.mark.parametrize(
    ("lines", "line", "told"),
    [
        ((), 0, "nothing"),
        (("P<UTO",), 0, "1 line: 5 in all"),
        ((TD3[0], TD3[1][:-1]), 2, "2 lines: 44 and 43"),
        ((TD1[0][:-2], *TD1[1:]), 1, "3 lines: 28 and 30 and 30"),
        (TD1 + TD1[:1], 0, "4 lines: 120 in all"),
        (("P" * 300,), 0, "1 line: 300 in all"),
    ],
)
def test_lines_that_are_no_zone_have_no_fields(lines: tuple[str, ...], line: int, told: str) -> None:
    examined = examine(lines, at=AT)
    assert (examined.format, examined.valid) == (None, False)
    assert set(examined.fields.reveal().by_name().values()) == {None}
    assert set(examined.checks.values()) == {"absent"}
    (fault,) = examined.faults
    assert (fault.field, fault.reason, fault.line, fault.column) == ("zone", "length", line, 0)
    assert told in fault.text


def test_blank_lines_and_one_long_line_are_forgiven() -> None:
    assert examine(("", f"  {TD3[0]}\t", " ", TD3[1], ""), at=AT) == examine(TD3, at=AT)
    assert examine(("".join(TD1),), at=AT) == examine(TD1, at=AT)


@pytest.mark.parametrize("lines", RIGHT)
def test_a_chip_holds_the_zone_of_a_travel_document_only(lines: tuple[str, ...]) -> None:
    zone = "".join(lines).encode()
    group = tlv.encode(0x61, tlv.encode(0x5F1F, zone))
    if examine(lines, at=AT).format in {"TD1", "TD2", "TD3"}:
        assert parse_dg1(group).text.encode() == zone
    else:
        with refused(LdsError, "dg1_mrz_wrong"):
            parse_dg1(group)


def test_nothing_that_the_zone_says_is_shown_by_accident() -> None:
    examined = examine((TD3[0], TD3[1].replace("740812", "741312")), at=AT)
    shown = f"{examined!r} {examined} {examined.fields.reveal()!r}"
    for personal in ("ERIKSSON", "ANNA", "L898902C3", "1974", "ZE184226B", "741312"):
        assert personal not in shown


zones = st.sampled_from(RIGHT).map(lambda lines: "\n".join(lines).encode()).flatmap(damaged)
swapped = st.tuples(
    st.sampled_from(RIGHT).map("\n".join), st.integers(0, 91), st.sampled_from("<0123456789ABCDEFXYZ")
).map(lambda it: (it[0][: it[1]] + it[2] + it[0][it[1] + 1 :]).encode())


def parsed(raw: bytes) -> Mrz | MrzError:
    try:
        return parse(raw)
    except MrzError as refusal:
        return refusal


@FUZZ
@given(st.one_of(zones, swapped))
def test_the_parser_and_the_examination_never_disagree(raw: bytes) -> None:
    examined = examine(raw.decode("latin-1").split("\n"), at=AT)
    zone = parsed(raw)
    assert examined.valid == (not examined.faults) == isinstance(zone, Mrz)
    assert all(fault.text.endswith(".") for fault in examined.faults)
    if isinstance(zone, MrzError):
        first = examined.faults[0]
        assert (zone.field, zone.position, zone.reason) == (first.field, first.position, first.reason)
        assert (zone.line, zone.column) == (first.line, first.column)
        return
    found = examined.fields.reveal()
    assert examined.format == zone.format
    assert found.document_number == zone.document_number
    assert (found.surname, found.given_names) == (zone.surname, zone.given_names)
    assert found.birth_date == zone.birth_date(AT).iso
    expiry = zone.expiry_date(AT)
    assert found.expiry_date == (expiry.isoformat() if expiry else None)


@FUZZ
@given(st.lists(st.text(max_size=60), max_size=5), st.dates(date(1980, 1, 1), date(2199, 12, 31)))
def test_no_text_makes_the_examination_raise(lines: list[str], at: date) -> None:
    assert not examine(lines, at=at).valid


@FUZZ
@given(
    st.sampled_from(RIGHT),
    st.integers(0, 3),
    st.text(min_size=6, max_size=6, alphabet="<0129ÖA"),
    st.dates(date(1980, 1, 1), date(2199, 12, 31)),
)
def test_no_date_makes_the_examination_raise(lines: tuple[str, ...], which: int, text: str, at: date) -> None:
    whole = "".join(lines)
    start = (len(whole) // 5) * which
    examined = examine((whole[:start] + text + whole[start + 6 :],), at=at)
    assert examined.format is not None
