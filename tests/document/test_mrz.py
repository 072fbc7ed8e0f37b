"""Specimens of Doc 9303-4 appendix B, -5 appendix B, -6 appendix B, and Doc 9303-11 appendix D.2."""

import json
from datetime import UTC, date, datetime

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from gated.document import mrz
from gated.document.mrz import MrzError
from gated.document.mrz.dates import birth, wrong_part
from tests.document.material import FUZZ, accepts_or_raises, damaged, test_data

TD3 = b"P<UTOERIKSSON<<ANNA<MARIA<<<<<<<<<<<<<<<<<<<\r\nL898902C36UTO7408122F1204159ZE184226B<<<<<10\r\n"
TD2 = b"I<UTOERIKSSON<<ANNA<MARIA<<<<<<<<<<<\rD231458907UTO7408122F1204159<<<<<<<6\r"
TD1 = b"I<UTOD231458907<<<<<<<<<<<<<<<\n7408122F1204159UTO<<<<<<<<<<<6\nERIKSSON<<ANNA<MARIA<<<<<<<<<<\n"
LONG_NUMBER = b"I<UTOD23145890<7349<<<<<<<<<<<3407127M9507122UTO<<<<<<<<<<<2STEVENSON<<PETER<JOHN<<<<<<<<<"
TODAY = date(2026, 11, 23)


def td3(**fields: str) -> bytes:
    """A TD3 zone with good check digits, whatever its fields say."""
    values = {
        "kind": "P<", "issuer": "UTO", "name": "ERIKSSON<<ANNA<MARIA", "number": "L898902C3",
        "nationality": "UTO", "birth": "740812", "sex": "F", "expiry": "320415", "optional": "",
    } | fields  # fmt: skip
    number, birth, expiry, optional = (
        text + mrz.check_digit(text)
        for text in (
            f"{values['number']:<<9}", values["birth"], values["expiry"], f"{values['optional']:<<14}",
        )
    )  # fmt: skip
    composite = mrz.check_digit(number + birth + expiry + optional)
    first = f"{values['kind']}{values['issuer']:<<3}{values['name']:<<39}"
    second = f"{number}{values['nationality']:<<3}{birth}{values['sex']}{expiry}{optional}{composite}"
    return f"{first}\n{second}".encode()


def test_the_passport_of_the_standard() -> None:
    zone = mrz.parse(TD3)
    assert zone.format == "TD3"
    assert (zone.document_type, zone.issuer, zone.nationality) == ("P", "UTO", "UTO")
    assert (zone.surname, zone.given_names) == ("ERIKSSON", "ANNA MARIA")
    assert (zone.document_number, zone.sex) == ("L898902C3", "F")
    assert zone.birth_date(TODAY).latest == date(1974, 8, 12)
    assert zone.expiry_date(TODAY) == date(2012, 4, 15)
    assert zone.access_key == "L898902C3674081221204159"
    assert not zone.name_fills_field


@pytest.mark.parametrize(("message", "format_"), [(TD1, "TD1"), (TD2, "TD2")])
def test_the_cards_of_the_standard(message: bytes, format_: str) -> None:
    zone = mrz.parse(message)
    assert zone.format == format_
    assert (zone.document_type, zone.issuer, zone.nationality) == ("I", "UTO", "UTO")
    assert (zone.surname, zone.given_names) == ("ERIKSSON", "ANNA MARIA")
    assert zone.access_key == "D23145890774081221204159"


def test_a_number_that_runs_on_into_optional_data() -> None:
    zone = mrz.parse(LONG_NUMBER)
    assert zone.document_number == "D23145890734"
    assert zone.access_key == "D23145890734934071279507122"


def test_a_short_number_is_filled_for_the_key() -> None:
    zone = mrz.parse(td3(number="L898902C", birth="690806", expiry="940623"))
    assert zone.access_key == "L898902C<369080619406236"
    assert zone.document_number == "L898902C"


@pytest.mark.parametrize("frame", ["{}", "\0{}\r\n", "  {} \r\n", "\r\n{}\r\n\r\n"])
def test_habits_of_serial_lines(frame: str) -> None:
    lines = TD3.decode().split()
    for joined in ("\r\n".join(lines), "\r".join(lines), " \r\n ".join(lines), "".join(lines)):
        assert mrz.parse(frame.format(joined).encode()) == mrz.parse(TD3)


def test_germany_has_one_letter() -> None:
    zone = mrz.parse(td3(issuer="D", nationality="D", optional="1234"))
    assert (zone.issuer, zone.nationality) == ("D", "D")


def test_one_name_only() -> None:
    zone = mrz.parse(td3(name="ARKFREITH"))
    assert (zone.surname, zone.given_names) == ("ARKFREITH", "")


def test_a_name_that_fills_its_field() -> None:
    zone = mrz.parse(td3(name="NILAVADHANANANDA<<CHAYAPA<DEJTHAMRONG<K"))
    assert zone.name_fills_field
    assert zone.given_names == "CHAYAPA DEJTHAMRONG K"


def test_an_empty_optional_field_may_lack_its_check_digit() -> None:
    message = bytearray(td3())
    assert message[-2:-1] == b"0"
    message[-2:-1] = b"<"
    assert mrz.parse(bytes(message)).document_number == "L898902C3"


@pytest.mark.parametrize(
    ("message", "field", "position", "reason"),
    [
        (b"", "zone", 0, "length"),
        (TD3[:60], "zone", 0, "length"),
        (TD3 * 3, "zone", 0, "length"),
        (TD3.replace(b"ERIKSSON<", "ERIKSSÖN".encode()), "name", 12, "characters"),
        (TD3.replace(b"ANNA", b"anna"), "name", 16, "characters"),
        (TD3.replace(b"L898902C", b"L898902 "), "document_number", 52, "characters"),
        (TD3.replace(b"P<UTO", b"I<UTO"), "document_type", 1, "value"),
        (TD3.replace(b"P<UTO", b"P1UTO"), "document_type", 2, "value"),
        (TD2.replace(b"I<UTO", b"IVUTO"), "document_type", 2, "value"),
        (TD2.replace(b"I<UTO", b"ACUTO"), "document_type", 2, "value"),
        (TD1.replace(b"I<UTO", b"AIUTO"), "document_type", 2, "value"),
        (TD3.replace(b"P<UTO", b"<PUTO"), "document_type", 1, "value"),
        (td3(issuer="U1O"), "issuer", 3, "value"),
        (td3(issuer=""), "issuer", 3, "value"),
        (td3(issuer="XXA"), "issuer", 3, "code"),
        (td3(issuer="DEU"), "issuer", 3, "code"),
        (td3(nationality="<UT"), "nationality", 55, "value"),
        (td3(nationality="QQQ"), "nationality", 55, "code"),
        (td3(nationality="IAO"), "nationality", 55, "code"),
        (td3(name="<ERIKSSON"), "name", 6, "value"),
        (td3(name="ERIKSSON<<<ANNA"), "name", 17, "value"),
        (td3(name="ERIKSSON<<ANNA<<MARIA"), "name", 22, "value"),
        (td3(name="ERIKSS0N<<ANNA"), "name", 12, "value"),
        (td3(name=""), "name", 6, "value"),
        (td3(number=""), "document_number", 45, "value"),
        (td3(sex="X"), "sex", 65, "value"),
        (td3(birth="741312"), "birth_date", 60, "value"),
        (td3(birth="740231"), "birth_date", 62, "value"),
        (td3(birth="740000"), "birth_date", 60, "value"),
        (td3(birth="740400"), "birth_date", 62, "value"),
        (td3(birth="000000"), "birth_date", 60, "value"),
        (td3(birth="7<0412"), "birth_date", 58, "value"),
        (td3(birth="<<0230"), "birth_date", 62, "value"),
        (td3(expiry="3204<<"), "expiry_date", 66, "value"),
        (TD3.replace(b"L898902C36", b"L898902C37"), "document_number", 54, "check_digit"),
        (TD3.replace(b"L898902C36", b"L898902C3<"), "document_number", 54, "check_digit"),
        (TD3.replace(b"7408122F", b"7408123F"), "birth_date", 64, "check_digit"),
        (TD3.replace(b"1204159", b"1204158"), "expiry_date", 72, "check_digit"),
        (TD3.replace(b"<<<<<10", b"<<<<<20"), "optional_data", 87, "check_digit"),
        (TD3.replace(b"<<<<<10", b"<<<<<<0"), "optional_data", 87, "check_digit"),
        (TD3.replace(b"<<<<<10", b"<<<<<11"), "composite", 88, "check_digit"),
        (LONG_NUMBER.replace(b"7349<", b"7348<"), "document_number", 19, "check_digit"),
        (LONG_NUMBER.replace(b"7349<", b"<<<<<"), "document_number", 15, "filler"),
        (LONG_NUMBER.replace(b"7349<<<<<<<<<<<", b"734900000000009"), "document_number", 30, "filler"),
        (TD2.replace(b"<<<<6", b"<<<<7"), "composite", 72, "check_digit"),
        (TD1.replace(b"<<<<6\n", b"<<<<7\n"), "composite", 60, "check_digit"),
    ],
)
def test_the_first_wrong_thing_is_named(message: bytes, field: str, position: int, reason: str) -> None:
    with pytest.raises(MrzError) as refusal:
        mrz.parse(message)
    error = refusal.value
    assert (error.field, error.position, error.reason) == (field, position, reason)
    assert str(error) == error.code == f"mrz_{field}_{reason}"


@pytest.mark.parametrize(
    ("birth", "today", "latest"),
    [
        ("261123", TODAY, date(2026, 11, 23)),
        ("261124", TODAY, date(1926, 11, 24)),
        ("240229", TODAY, date(2024, 2, 29)),
        ("000229", TODAY, date(2000, 2, 29)),
        ("74<<<<", TODAY, date(1974, 12, 31)),
        ("7402<<", TODAY, date(1974, 2, 28)),
        ("26<<<<", TODAY, date(2026, 12, 31)),
        ("74<<31", TODAY, date(1974, 12, 31)),
        ("<<0812", TODAY, None),
        ("<<<<<<", TODAY, None),
        ("000229", date(1999, 1, 1), date(1900, 2, 28)),
    ],
)
def test_centuries_of_birth(birth: str, today: date, latest: date | None) -> None:
    assert mrz.parse(td3(birth=birth)).birth_date(today).latest == latest


@pytest.mark.parametrize(
    ("expiry", "year"), [("320415", 2032), ("120415", 2012), ("750101", 2075), ("770101", 1977)]
)
def test_centuries_of_expiry(expiry: str, year: int) -> None:
    assert mrz.parse(td3(expiry=expiry)).expiry_date(TODAY).year == year


@pytest.mark.parametrize(
    ("birth", "told"),
    [
        (
            "261122",
            "2026-11-22",
        ),  # whoever is a hundred and more counts as a child, and a child goes to an officer
        ("261124", "1926-11-24"),
        ("27<<<<", "1927-??-??"),
        ("2612<<", "1926-12-??"),
        ("2611<<", "2026-11-??"),
        ("26<<<<", "2026-??-??"),
        ("26<<24", "2026-??-24"),
    ],
)
def test_a_hundred_years_are_the_limit_of_two_digits(birth: str, told: str) -> None:
    assert mrz.parse(td3(birth=birth)).birth_date(TODAY).iso == told


@FUZZ
@given(st.dates(date(1980, 1, 1), date(2199, 12, 31)), st.data())
def test_two_digits_of_a_year_are_enough_for_a_lifetime(today: date, data: st.DataObject) -> None:
    born = data.draw(st.dates(date(today.year - 99, 1, 1), today))
    ends = data.draw(st.dates(date(today.year - 49, 1, 1), date(today.year + 49, 12, 31)))
    zone = mrz.parse(td3(birth=born.strftime("%y%m%d"), expiry=ends.strftime("%y%m%d")))
    assert zone.birth_date(today).latest == born
    assert zone.expiry_date(today) == ends


@FUZZ
@given(
    st.tuples(*[st.one_of(st.just("<<"), st.integers(0, 99).map("{:02}".format))] * 3).map("".join),
    st.dates(date(1980, 1, 1), date(2199, 12, 31)),
)
def test_a_birth_is_never_after_today_by_what_is_known_of_it(text: str, today: date) -> None:
    if wrong_part(text) is not None:
        return
    born = birth(text, today)
    if born.year is not None:
        assert (born.year, born.month or 1, born.day or 1) <= (today.year, today.month, today.day)
        assert born.year > today.year - 101
        assert born.latest is not None


@pytest.mark.parametrize(
    ("birth", "age"),
    [
        ("161123", 10),
        ("161124", 9),
        ("16<<<<", 9),
        ("1611<<", 9),
        ("1610<<", 10),
        ("261123", 0),
        ("<<<<<<", None),
    ],
)
def test_ages_are_the_least_that_the_date_allows(birth: str, age: int | None) -> None:
    assert mrz.parse(td3(birth=birth)).age(TODAY) == age


def test_nothing_personal_gets_out_by_accident() -> None:
    zone = mrz.parse(TD3)
    assert repr(zone) == str(zone) == "Mrz(TD3, ‹personal›)"
    assert "1974" not in repr(zone.birth_date(TODAY))
    with pytest.raises(TypeError):
        msgspec.json.encode(zone)


def test_specimens_of_many_states() -> None:
    entries = json.loads(test_data("mrz/truth.json"))
    refusals = {}
    for name, entry in entries.items():
        try:
            assert mrz.parse("\n".join(entry["lines"]).encode()).format == entry["format"]
        except MrzError as refusal:
            refusals[name] = refusal.code
    assert refusals == {
        "pe__100_id-rou.jpg": "mrz_nationality_value",  # an older national layout
        "pe__33_id-usa.jpg": "mrz_document_number_check_digit",  # a specimen printed with wrong digits
        "pe__77_card-cmw.png": "mrz_issuer_code",  # a commonwealth that there is not
    }
    assert len(entries) >= 10


zones = st.builds(
    lambda number, birth, expiry: td3(number=number, birth=birth.strftime("%y%m%d"), expiry=expiry),
    st.from_regex("[A-Z0-9]{1,9}", fullmatch=True),
    st.dates(date(1930, 1, 1), TODAY),
    st.dates(date(2020, 1, 1), date(2035, 1, 1)).map(lambda day: day.strftime("%y%m%d")),
)


@FUZZ
@given(zones, st.data())
def test_one_wrong_digit_is_always_noticed(message: bytes, data: st.DataObject) -> None:
    zone = mrz.parse(message)
    at = data.draw(st.sampled_from([*range(45, 55), *range(58, 65), *range(66, 73)]))
    if not chr(message[at]).isdigit():
        return
    other = data.draw(st.sampled_from([digit for digit in b"0123456789" if digit != message[at]]))
    with pytest.raises(MrzError):
        mrz.parse(message[:at] + bytes([other]) + message[at + 1 :])
    assert zone == mrz.parse(message)


@FUZZ
@given(st.sampled_from([TD3, TD2, TD1, LONG_NUMBER]).flatmap(damaged))
def test_accepts_or_raises_one_error(raw: bytes) -> None:
    accepts_or_raises(mrz.parse, MrzError, raw)


def test_today_is_an_argument() -> None:
    at = datetime(2026, 11, 23, tzinfo=UTC)
    assert mrz.parse(td3()).age(at.date()) == 52
