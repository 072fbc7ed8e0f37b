import pytest
from hypothesis import given
from hypothesis import strategies as st

from gated.core.vocabulary import Grade
from gated.watchlist.match import (
    Answer,
    Hit,
    birth_fits,
    gravest,
    name_key,
    normal_issuer,
    normal_number,
    type_fits,
)


@pytest.mark.parametrize(
    ("shown", "normal"),
    [("L898902C3", "L898902C3"), ("D23145890<", "D23145890"), ("ab 12-3", "AB123"), ("<", "")],
)
def test_a_number_is_its_letters_and_digits(shown: str, normal: str) -> None:
    assert normal_number(shown) == normal


@pytest.mark.parametrize(("shown", "normal"), [("UTO", "UTO"), ("D<<", "D"), ("DEU", "D"), ("uto", "UTO")])
def test_an_issuer_has_one_code(shown: str, normal: str) -> None:
    assert normal_issuer(shown) == normal


@given(st.lists(st.from_regex(r"[A-Z]{1,6}", fullmatch=True), min_size=1, max_size=5), st.randoms())
def test_a_name_is_the_set_of_its_parts_whatever_their_order(parts: list[str], chance: object) -> None:
    moved = list(parts)
    chance.shuffle(moved)  # type: ignore[attr-defined]  # Hypothesis types its chance as an object
    for cut in range(len(parts)):
        assert name_key("<".join(moved[:cut]), "<".join(moved[cut:])) == name_key(" ".join(parts), "")


def test_the_doc_9303_specimen_is_found_by_its_mrz_fields() -> None:
    assert name_key("ERIKSSON", "ANNA<MARIA<<<<<<<<<<<<<<<<<<<") == name_key("Eriksson", "Maria Anna")


@pytest.mark.parametrize(
    ("listed", "shown", "fits"),
    [
        ("P", "P<", True),
        ("P", "PD", True),
        ("PD", "P<", False),
        ("", "I<", True),
        ("I", "P", False),
        ("P", "", True),
    ],
)
def test_types(listed: str, shown: str, fits: bool) -> None:  # noqa: FBT001
    assert type_fits(listed, shown) is fits


@pytest.mark.parametrize(
    ("listed", "shown", "expected"),
    [
        ("1974-08-12", "740812", (True, True)),
        ("1974-08-12", "740813", (False, False)),
        ("2074-08-12", "740812", (True, True)),  # the MRZ has two digits of the year
        ("1974-08-XX", "740801", (True, False)),
        ("1974-XX-XX", "750801", (False, False)),
        ("XXXX-XX-XX", "740812", (True, False)),
        ("1974-08-12", "74<<<<", (True, False)),
        ("1974-08-12", "<<<<<<", (True, False)),
        ("1974-08-12", "75<<<<", (False, False)),
        ("1974-08-12", "garbage", (True, False)),  # no date is no way past the list
    ],
)
def test_birth_dates_agree_where_both_sides_know(
    listed: str, shown: str, expected: tuple[bool, bool]
) -> None:
    assert birth_fits(listed, shown) == expected


def test_the_gravest_hit_counts() -> None:
    hits = tuple(
        Hit(kind="document", grade=grade, reason="stolen", reference="R")
        for grade in (Grade.SILENT, Grade.STOP, Grade.REFER)
    )
    assert Answer(version=1, hits=hits).grade is Grade.STOP
    assert gravest([]) is Grade.NONE
