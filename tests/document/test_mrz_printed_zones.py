"""Zones from the simulator's printer, which knows nothing of the parser, read back; and near misses."""

from datetime import date, timedelta
from typing import Literal, get_args

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st
from msgspec.structs import replace

from gated.document.mrz import check_digit, examine, parse, same_name
from gated.document.mrz.characters import ALPHABET, VALUES
from gated.document.mrz.layouts import BY_FORMAT
from hw_sim.passport import page
from hw_sim.passport.page import Entry, Format, cut_name, print_zone
from tests.document.material import FUZZ

TODAY = date(2026, 11, 26)
FORMATS = get_args(Format)

words = st.lists(st.text("ABCDEFGHIJKLMNOPQRSTUVWXYZ", min_size=1, max_size=18), min_size=1, max_size=5).map(
    " ".join
)
entries = st.builds(
    Entry,
    surname=words,
    given_names=st.one_of(st.just(""), words),
    number=st.text(ALPHABET[1:], min_size=1, max_size=9),
    birth=st.one_of(
        st.dates(date(1926, 11, 27), TODAY),
        st.sampled_from(["<<<<<<", "74<<<<", "7408<<", "<<0812", "74<<12"]),
    ),
    expiry=st.dates(TODAY - timedelta(days=365 * 40), TODAY + timedelta(days=365 * 40)),
    nationality=st.sampled_from(["UTO", "D", "XXA", "NLD"]),
    sex=st.sampled_from(["M", "F", "X"]),
    optional=st.text(ALPHABET[1:], max_size=7),
)


@FUZZ
@given(entries, st.sampled_from(FORMATS))
def test_what_is_printed_is_read_back(entry: Entry, form: Format) -> None:
    lines = print_zone(entry, form)
    zone = parse("\r\n".join(lines).encode())
    assert zone.format == form
    assert (zone.issuer, zone.nationality) == (entry.state, entry.nationality)
    assert zone.document_number == entry.number
    assert zone.sex == entry.sex.replace("X", "")
    assert zone.optional_data == entry.optional
    assert zone.expiry_date(TODAY) == entry.expiry
    if isinstance(entry.birth, date):
        assert zone.birth_date(TODAY).iso == entry.birth.isoformat()
    assert same_name(zone.name, entry.surname, entry.given_names) is True
    if not zone.name_fills_field:
        assert (zone.surname, zone.given_names) == (entry.surname, entry.given_names)


@FUZZ
@given(entries, st.text(ALPHABET[1:], min_size=1, max_size=5), st.sampled_from(["TD1", "TD2"]))
def test_a_long_number_is_read_back_whole(entry: Entry, more: str, form: Format) -> None:
    number = entry.number.ljust(9, "0") + more
    long = replace(entry, number=number, optional="")
    zone = parse("\n".join(print_zone(long, form)).encode())
    assert (zone.document_number, zone.optional_data) == (number, "")
    assert zone.access_key.startswith(number + check_digit(number))


@FUZZ
@given(
    entries,
    st.from_regex("[0-9]{2}(0[1-9]|1[0-2])[0-9A-Z]{3}[0-9]{5}", fullmatch=True),
    st.sampled_from("MF"),
)
def test_a_french_card_is_read_back(entry: Entry, number: str, sex: Literal["M", "F"]) -> None:
    card = replace(entry, number=number, sex=sex, given_names=entry.given_names or "ANNE")
    zone = parse("\n".join(page.print_french_card(card, "932013")).encode())
    assert (zone.format, zone.document_number, zone.issuing_office) == ("FRA-ID", number, "932013")
    assert same_name(zone.name, card.surname, card.given_names) is True
    issued = zone.issue_date(TODAY)
    assert issued is not None
    assert issued.iso[2:] == f"{number[:2]}-{number[2:4]}-??"


@FUZZ
@given(entries, st.sampled_from(FORMATS), st.data())
def test_one_character_of_another_value_under_a_check_digit_is_noticed(
    entry: Entry, form: Format, data: st.DataObject
) -> None:
    text = "".join(print_zone(entry, form))
    spans = [span for digit in BY_FORMAT[form].check_digits for span in digit.covers]
    at = data.draw(st.sampled_from([at for start, end in spans for at in range(start, end)]))
    other = data.draw(st.sampled_from(ALPHABET))
    assume((VALUES[other] - VALUES[text[at]]) % 10)
    assert not examine([text[:at] + other + text[at + 1 :]], at=TODAY).valid


@pytest.mark.parametrize(
    ("surname", "given_names", "width", "field"),
    [
        ("ERIKSSON", "ANNA MARIA", 39, "ERIKSSON<<ANNA<MARIA<<<<<<<<<<<<<<<<<<<"),
        ("O'CONNOR-SMITH", "", 30, "OCONNOR<SMITH<<<<<<<<<<<<<<<<<"),
        ("NILAVADHANANANDA", "ARNPOL PETCH CHARONGUANG", 39, "NILAVADHANANANDA<<ARNPOL<PETCH<CHARONGU"),
        ("VILARCHAO FERNANDEZ", "JOSE RAMON", 30, "VILARCHAO<FERNANDEZ<<JOSE<RAMO"),
        ("PAPANDROPOULOUS", "JONATHON WARREN TREVOR", 39, "PAPANDROPOULOUS<<JONATHON<WARREN<TREVOR"),
        ("AAAAAAAA", "BBBB CC DDDD", 15, "AAAAAAA<<BBBB<C"),  # a plain cut would end with a filler
        ("ABCDEFGHIJKLMNOPQRSTUVWXYZ", "ANNA", 10, "ABCDEFG<<A"),
        ("ABCDEFGHIJ KLMNOPQRSTUVWXYZ", "", 10, "ABCD<KLMNO"),
    ],
)
def test_names_are_cut_by_the_standard(surname: str, given_names: str, width: int, field: str) -> None:
    found = cut_name(surname, given_names, width)
    assert len(found) == width
    assert found == field


@FUZZ
@given(words, st.one_of(st.just(""), words), st.sampled_from([30, 31, 39]))
def test_a_cut_name_ends_with_a_letter_and_keeps_a_given_name(surname: str, given: str, width: int) -> None:
    whole = "<<".join(part.replace(" ", "<") for part in (surname, given) if part)
    field = cut_name(surname, given, width)
    assert field.rstrip("<") == whole if len(whole) <= width else field[-1].isalpha()
    assert ("<<" in field.rstrip("<")) == bool(given)


@pytest.mark.parametrize("text", ["520727", "AB2134<<<", "HA672242<658022549601086<<<<<<<<<<<<<<0"])
def test_the_printer_and_the_parser_count_alike(text: str) -> None:
    """Doc 9303-3 appendix A, examples 1 to 3."""
    digits = {"520727": "3", "AB2134<<<": "5", "HA672242<658022549601086<<<<<<<<<<<<<<0": "8"}
    assert page.check_digit(text) == check_digit(text) == digits[text]


def test_what_does_not_fit_is_not_printed() -> None:
    entry = Entry(
        surname="ERIKSSON",
        given_names="ANNA",
        number="L898902C34",
        birth=TODAY,
        expiry=TODAY,
        optional="1" * 8,
    )
    with pytest.raises(ValueError, match="shorten `number`"):
        print_zone(entry, "TD3")
    with pytest.raises(ValueError, match="shorten it"):
        print_zone(entry, "TD2")
    assert "ERIKSSON" not in repr(entry)
