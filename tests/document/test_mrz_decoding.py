"""The search from probabilities of characters to a zone: mostly those of Doc 9303-4 to -7's examples."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gated.document.mrz.characters import check_digit
from gated.document.mrz.decoding import ALPHABET, NOTHING, decode
from gated.document.mrz.decoding_grammar import FORMATS

TD3 = ("P<UTOERIKSSON<<ANNA<MARIA<<<<<<<<<<<<<<<<<<<", "L898902C36UTO7408122F1204159ZE184226B<<<<<10")
TD2 = ("I<UTOERIKSSON<<ANNA<MARIA<<<<<<<<<<<", "D231458907UTO7408122F1204159<<<<<<<6")
TD1 = ("I<UTOD231458907<<<<<<<<<<<<<<<", "7408122F1204159UTO<<<<<<<<<<<6", "ERIKSSON<<ANNA<MARIA<<<<<<<<<<")
MRVA = ("V<UTOERIKSSON<<ANNA<MARIA<<<<<<<<<<<<<<<<<<<", "L8988901C4XXX4009078F96121096ZE184226B<<<<<<")
MRVB = ("V<UTOERIKSSON<<ANNA<MARIA<<<<<<<<<<<", "L8988901C4XXX4009078F9612109<<<<<<<<")
FRENCH = ("IDFRABERTHIER<<<<<<<<<<<<<<<<<923083", "8806923102858CORINNE<<<<<<<6512068F5")
LONG_NUMBER = (
    "I<UTOD23145890<7349<<<<<<<<<<<",
    "3407127M9507122UTO<<<<<<<<<<<2",
    "STEVENSON<<PETER<JOHN<<<<<<<<<",
)

Places = list[list[list[float]]]


def plain(lines: tuple[str, ...], certainty: float = 0.999) -> Places:
    """Every character as it is, the rest of the certainty spread thin."""
    rest = (1 - certainty) / 36
    return [[[certainty if s == c else rest for s in ALPHABET] for c in line] for line in lines]


def doubt(places: Places, line: int, column: int, *shares: tuple[str, float]) -> None:
    """Let the place be one of some symbols, by their shares."""
    place = [1e-6] * len(ALPHABET)
    for symbol, share in shares:
        place[ALPHABET.index(symbol)] = share
    places[line][column] = place


@pytest.mark.parametrize(
    ("form", "lines"),
    [
        ("TD3", TD3),
        ("TD2", TD2),
        ("TD1", TD1),
        ("MRVA", MRVA),
        ("MRVB", MRVB),
        ("FRA-ID", FRENCH),
        ("TD1", LONG_NUMBER),
    ],
)
def test_what_is_plain_to_see_is_read_in_every_format(form: str, lines: tuple[str, ...]) -> None:
    reading = decode(plain(lines))
    assert (reading.verdict, reading.format) == ("read", form)
    assert reading.lines.reveal() == lines
    assert [len(line) for line in reading.confidence] == [len(line) for line in lines]
    assert min(min(line) for line in reading.confidence) > 0.9


def test_a_check_digit_decides_between_rivals() -> None:
    places = plain(TD3)
    doubt(places, 1, 3, ("B", 0.6), ("8", 0.4))  # 8 in truth: B is 11, worth another digit
    reading = decode(places)
    assert reading.verdict == "read"
    assert reading.lines.reveal() == TD3


def test_rivals_that_are_equal_modulo_10_are_not_told_apart() -> None:
    places = plain(TD3)
    doubt(places, 1, 5, ("0", 0.6), ("K", 0.4))
    reading = decode(places)
    assert reading.verdict == "unsure"
    assert reading.confidence[1][5] == pytest.approx(0.6, abs=0.02)
    assert reading.confidence[1][6] > 0.99


@pytest.mark.parametrize("rival", ["F", "L"])
def test_a_doubtful_letter_of_a_name_makes_the_zone_unsure(rival: str) -> None:
    places = plain(TD3)
    doubt(places, 0, 5, ("E", 0.7), (rival, 0.3))
    reading = decode(places)
    assert reading.verdict == "unsure"
    assert reading.lines.reveal() == TD3  # the likeliest all the same


def test_the_grammar_turns_what_cannot_be() -> None:
    places = plain(TD3)
    doubt(places, 0, 30, ("K", 0.8), ("<", 0.2))  # nothing but filler follows three fillers
    doubt(places, 0, 10, ("5", 0.7), ("S", 0.3))  # no digit in a name
    doubt(places, 1, 14, ("A", 0.9), ("4", 0.1))  # no letter in a date
    doubt(places, 1, 20, ("P", 0.9), ("F", 0.1))  # the sex
    reading = decode(places)
    assert reading.verdict == "read"
    assert reading.lines.reveal() == TD3


def test_an_unlisted_code_is_less_likely_but_possible() -> None:
    places = plain(TD3)
    doubt(places, 0, 3, ("I", 0.6), ("T", 0.4))
    assert decode(places).lines.reveal() == TD3
    unlisted = ("P<QQQ" + TD3[0][5:], TD3[1])
    reading = decode(plain(unlisted, 0.9999))
    assert reading.verdict == "read"
    assert reading.lines.reveal() == unlisted


@pytest.mark.parametrize(("line", "column", "wrong"), [(1, 2, "3"), (1, 15, "8"), (1, 30, "7"), (1, 9, "5")])
def test_a_sure_misreading_under_a_check_digit_is_never_read(line: int, column: int, wrong: str) -> None:
    places = plain(TD3)
    doubt(places, line, column, (wrong, 0.99), (TD3[line][column], 0.01))
    reading = decode(places)
    assert reading.verdict == "unsure" or reading.lines.reveal() == TD3


def test_a_sample_whose_check_digits_are_wrong_is_read_when_it_is_plain_to_see() -> None:
    sample = (TD1[0], TD1[1][:-1] + "9", TD1[2])
    reading = decode(plain(sample, 0.99999))
    assert reading.verdict == "read"
    assert reading.lines.reveal() == sample
    assert decode(plain(sample, 0.9)).verdict == "unsure"


def test_long_numbers_and_unknown_dates_are_within_the_grammar() -> None:
    birth = "74<<<<"
    lower = TD3[1][:13] + birth + check_digit(birth) + TD3[1][20:43]
    lower += check_digit(lower[:10] + lower[13:20] + lower[21:43])
    reading = decode(plain((TD3[0], lower), 0.9999))
    assert reading.verdict == "read"
    assert reading.lines.reveal() == (TD3[0], lower)


def test_nothing_is_made_of_noise() -> None:
    uniform = [[[1 / 37] * 37 for _ in range(44)] for _ in range(2)]
    reading = decode(uniform)
    assert reading.verdict == "unsure"
    assert max(max(line) for line in reading.confidence) < 0.6


@pytest.mark.parametrize("shape", [(), (44,), (44, 43), (30, 30), (30, 30, 30, 30), (36, 44), (0, 0)])
def test_what_has_no_formats_shape_is_none(shape: tuple[int, ...]) -> None:
    assert decode([[[1.0] + [0.0] * 36] * width for width in shape]) == NOTHING


def test_a_reading_shows_nothing_of_the_zone() -> None:
    assert "ERIKSSON" not in repr(decode(plain(TD3)))


def test_every_format_covers_its_places_once() -> None:
    for form in FORMATS:
        places = [at for field in form.fields for at in range(field.start, field.end)]
        places += [] if form.composite is None else [form.composite]
        assert sorted(places) == list(range(form.lines * form.width))
        assert all(len(field.symbols) == field.end - field.start for field in form.fields)


@settings(derandomize=True, deadline=None, max_examples=40)
@given(st.data())
def test_any_probabilities_give_a_reading(data: st.DataObject) -> None:
    lines = data.draw(st.sampled_from([TD3, TD2, TD1, MRVB]))
    places = plain(lines, data.draw(st.sampled_from([0.03, 0.5, 0.999])))
    for _ in range(data.draw(st.integers(0, 30))):
        line = data.draw(st.integers(0, len(lines) - 1))
        column = data.draw(st.integers(0, len(lines[0]) - 1))
        shares = data.draw(st.lists(st.floats(0, 1), min_size=37, max_size=37))
        places[line][column] = shares
    reading = decode(places)
    assert reading.verdict in {"read", "unsure"}
    assert [len(line) for line in reading.lines.reveal()] == [len(line) for line in lines]
    assert all(0 <= share <= 1.000001 for line in reading.confidence for share in line)
    assert 0 <= reading.share <= 1.000001
