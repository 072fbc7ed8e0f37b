"""Names of people who do not exist, in the spellings that passports and lists have of them."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gated.watchlist.names.birth import UNKNOWN, Agreement, Birth, birth_of, compare_births, slips_of
from gated.watchlist.names.comparison import SLIP_REACHES, Person, compare
from gated.watchlist.names.families import Kinship, kinship, pack
from gated.watchlist.names.likeness import How
from gated.watchlist.names.model import MATCH, WEIGHTS
from gated.watchlist.names.parts import Part
from gated.watchlist.names.quick import MEANT, Glance
from gated.watchlist.names.signs import SIGNS
from gated.watchlist.names.sounds import fold, skeleton, sound
from gated.watchlist.names.words import MAX_NAME, MAX_WORDS, Name, name_of, zone_name

written = st.text(max_size=80)
letters = st.text("ABCDEFGHIJKLMNOPQRSTUVWXYZ", min_size=1, max_size=14)


def score(left: str, right: str) -> float:
    return compare(Person(name_of(left)), Person(name_of(right))).score


@pytest.mark.parametrize(
    ("left", "right"),
    [
        ("Jürgen Müller", "MUELLER JUERGEN"),  # Doc 9303-3, 6: UE, UXX or U for Ü
        ("Jürgen Müller", "MUXXLLER JURGEN"),
        ("Núñez, Begoña", "NUNXXEZ BEGONA"),
        ("Владимир Щербаков", "Vladimir Shcherbakov"),
        ("Чехов, Антон", "Anton Tschechow"),
        ("Олександр Коваленко", "Alexander Kovalenko"),
        ("Κωνσταντίνος Παπαδόπουλος", "PAPADOPOULOS KONSTANTINOS"),
        ("محمد القحطاني", "Mohammed Al-Qahtani"),
        ("王建国", "Wang Jianguo"),
        ("김영철", "KIM YONG CHOL"),
        ("田中 健一", "TANAKA Kenichi"),
        ("Yusuf Mansouri", "Youssouf El Mansuri"),
        ("Abd al-Rahman Haddad", "ABDULRAHMAN HADDAD"),
        ("Anna Maria Eriksson", "ERIKSSON, Anna"),
        ("Anna Maria Eriksson", "A. M. Eriksson"),
        ("Dr. Petr Novák", "Novak Petr"),
        ("Joost van der Meulen", "Meulen, Joost"),
        ("Katharina Lindqvist", "Katharina Lindqvits"),
        ("Robert Whitfield", "Bob Whitfield"),
        ("Jean-Pierre Lefebvre", "JEANPIERRE LEFEBVRE"),
        ("SuryaSirait", "Sirait, Surya"),
    ],
)
def test_one_person_in_two_spellings_matches(left: str, right: str) -> None:
    assert score(left, right) >= MATCH
    assert score(right, left) >= MATCH


@pytest.mark.parametrize(
    ("left", "right"),
    [
        ("Anna Eriksson", "Sven Eriksson"),
        ("Anna Eriksson", "Anna Lindqvist"),
        ("Mohammed Ali Hassan", "Mohammed Omar Nasser"),
        ("Kim Jong Chol", "Park Jong Chol"),
        ("Wang Wei", "Zhang Wei"),
        ("Michel Novak", "Michelle Novak"),
        ("Ivan Sergeyevich Orlov", "Ivan Petrovich Orlov"),
        ("A. Whitfield", "Robert Whitfield"),
        ("Frank Hollmann", "Maria Duarte"),
    ],
)
def test_two_persons_do_not_match(left: str, right: str) -> None:
    assert score(left, right) < MATCH
    assert score(right, left) < MATCH


@given(written, written)
@settings(derandomize=True)
def test_any_two_texts_have_a_score_between_0_and_1(left: str, right: str) -> None:
    assert 0 <= score(left, right) <= 1


@given(
    st.lists(st.text("ABCDEFGHIJKLMNOPQRSTUVWXYZ", min_size=4, max_size=9), min_size=2, max_size=4),
    st.randoms(),
)
@settings(derandomize=True)
def test_the_order_of_the_words_hardly_matters(words: list[str], chance: object) -> None:
    moved = list(words)
    chance.shuffle(moved)  # type: ignore[attr-defined]  # Hypothesis types its chance as an object
    assert score(" ".join(words), " ".join(moved)) >= MATCH


@given(st.text(max_size=600))
@settings(derandomize=True)
def test_words_are_of_zone_letters_and_few(text: str) -> None:
    words = name_of(text).words
    assert len(words) <= MAX_WORDS
    for word in words:
        assert word.forms
        assert all(form.isascii() and form.isalpha() and form.isupper() for form in word.forms)


def test_what_stands_behind_the_longest_name_is_not_looked_at() -> None:
    assert name_of("A" * MAX_NAME + " Eriksson").spelled() == ("A" * MAX_NAME,)


def test_names_do_not_show_in_reprs() -> None:
    name = name_of("Anna Eriksson")
    for shown in (repr(name), repr(name.words), repr(birth_of("1974-08-12")), repr(Person(name))):
        assert "ERIKSSON" not in shown
        assert "74" not in shown


@pytest.mark.parametrize(
    ("left", "right", "how"),
    [
        ("ANNA", "ANNA", How.SAME),
        ("MUELLER", "MULLER", How.TRANSLITERATION),
        ("MUHAMMAD", "MOHAMED", How.VARIANT),
        ("ROBERT", "BOB", How.NICKNAME),
        ("FRIEDRICH", "FRITZ", How.NICKNAME),
        ("MOHAMMED", "MOHD", How.NICKNAME),
        ("CATHERINE", "KATHERINE", How.SOUND),  # names of their own, but they sound and are written alike
        ("MCDONALD", "MACDONALD", How.TRANSLITERATION),
        ("A", "ANNA", How.INITIAL),
        ("LINDQVIST", "LINDQVITS", How.TYPING),
        ("MICHEL", "MICHELLE", How.ALIKE),
    ],
)
def test_the_reason_of_each_pair_of_words_is_told(left: str, right: str, how: How) -> None:
    (link,) = compare(Person(name_of(left)), Person(name_of(right))).links
    assert link.how is how


def test_words_stand_for_one_together_only_where_that_is_better_than_alone() -> None:
    def pairs(left: str, right: str) -> list[tuple[int, int, How]]:
        links = compare(Person(name_of(left)), Person(name_of(right))).links
        return [(len(link.left), len(link.right), link.how) for link in links]

    assert pairs("Peter Carter Jr.", "Peter Carter") == [(1, 1, How.SAME), (1, 1, How.SAME)]
    assert pairs("Abdulaziz Haddad", "عبد العزيز حداد")[0] == (1, 3, How.SOUND)
    assert score("عبد العزيز حداد", "Abdulaziz Haddad") >= MATCH


def test_a_name_that_fills_its_field_may_be_cut() -> None:
    whole = Person(name_of("PAPATHANASOPOULOU ANASTASIA KONSTANTINA"))
    cut = Person(zone_name("PAPATHANASOPOULOU", "ANASTASIA<KONSTANTI"))
    other = Person(zone_name("PAPATHANASOPOULOU", "EIRINI<ANASTASIA<GE"))
    assert cut.name.may_be_cut is False
    cut = Person(zone_name("PAPATHANASOPOULOU", "ANASTASIA<KONSTANTIN"))
    assert cut.name.may_be_cut
    assert compare(cut, whole).score > 0.9
    assert How.CUT in {link.how for link in compare(cut, whole).links}
    assert compare(other, whole).score < compare(cut, whole).score


def test_words_that_the_field_had_no_room_for_are_not_missing() -> None:
    listed = Person(zone_name("NILAVADHANANANDA", "CHAYAPA DEJTHAMRONG KRASUANG"))
    shown = Person(zone_name("NILAVADHANANANDA", "CHAYAPA<DEJTHAMRONG<K"))
    assert shown.name.may_be_cut
    assert compare(shown, listed).score > 0.9


@pytest.mark.parametrize(
    ("text", "birth"),
    [
        ("1974-08-12", Birth(1974, 8, 12)),
        ("1974-08", Birth(1974, 8)),
        ("1974", Birth(1974)),
        ("1974-XX-XX", Birth(1974)),
        ("XXXX-XX-XX", UNKNOWN),
        ("19740812", Birth(1974, 8, 12)),
        ("740812", Birth(74, 8, 12)),
        ("74<<<<", Birth(74)),
        ("<<<<<<", UNKNOWN),
        ("1974-00-00", Birth(1974)),
        ("12.8.1974", Birth(1974, 8, 12)),
        ("12-08-1974", Birth(1974, 8, 12)),
        ("31/8/1974", Birth(1974, 8, 31)),
        ("8/31/1974", Birth(1974, 8, 31)),
        ("1974/8/12", Birth(1974, 8, 12)),
        ("1974-8-2", Birth(1974, 8, 2)),
        ("1974-08-12 00:00:00", Birth(1974, 8, 12)),
        ("unknown", UNKNOWN),
        ("NaN", UNKNOWN),
        ("32/8/1974", None),
        ("8/32/1974", None),
        ("1974-08-12T00:00:00", Birth(1974, 8, 12)),
        ("", UNKNOWN),
        ("1974-13-12", None),
        ("yesterday", None),
        ("٧٤٠٨١٢", None),
    ],
)
def test_birth_dates_are_read_in_the_forms_that_lists_have(text: str, birth: Birth | None) -> None:
    assert birth_of(text) == birth


@pytest.mark.parametrize(
    ("left", "right", "agreement"),
    [
        ("1974-08-12", "740812", Agreement.SAME),
        ("2074-08-12", "740812", Agreement.SAME),  # the zone has two digits of the year
        ("1974-08-12", "2074-08-12", Agreement.DIFFERENT),
        ("1974-08-XX", "740801", Agreement.PARTLY),
        ("1974", "740801", Agreement.PARTLY),
        ("XXXX-XX-XX", "740812", Agreement.UNKNOWN),
        ("1974-08-12", "<<<<<<", Agreement.UNKNOWN),
        ("1974-08-12", "1974-12-08", Agreement.SLIP),
        ("1974-08-12", "1974-08-21", Agreement.SLIP),
        ("1974-08-12", "1975-08-12", Agreement.SLIP),
        ("1974-08-12", "1974-08-13", Agreement.SLIP),
        ("1974-08-12", "1974-09-13", Agreement.DIFFERENT),
        ("1974-08-12", "1988-08-12", Agreement.DIFFERENT),
        ("1974-XX-XX", "750801", Agreement.DIFFERENT),
    ],
)
def test_birth_dates_agree_in_what_both_know(left: str, right: str, agreement: Agreement) -> None:
    ours, theirs = birth_of(left), birth_of(right)
    assert ours is not None
    assert theirs is not None
    assert compare_births(ours, theirs) is agreement
    assert compare_births(theirs, ours) is agreement


def test_every_slip_of_a_date_is_one_and_no_slip_is_missed() -> None:
    here = Birth(74, 8, 12)
    every = {Birth(year, month, day) for year in range(100) for month in range(1, 13) for day in range(1, 32)}
    found = {other for other in every if compare_births(here, other) is Agreement.SLIP}
    assert slips_of(here) == found


def test_another_birth_date_or_nationality_moves_the_score_as_it_should() -> None:
    name = name_of("Anna Eriksson")

    def at(birth: str, nationality: str = "") -> float:
        return compare(
            Person(name, Birth(1974, 8, 12), "UTO"), Person(name, birth_of(birth) or UNKNOWN, nationality)
        ).score

    assert at("740812", "UTO") > at("740812") > at("740812", "SWE") > at("1974") > at("") > 0.9
    assert 0.5 < at("740821") < at("")
    assert at("740821", "UTO") < SLIP_REACHES
    assert at("690203", "UTO") < 0.2
    assert compare(Person(name, nationality="D"), Person(name, nationality="DEU")).fields[2].how == ("same",)


def test_a_name_without_letters_matches_nothing() -> None:
    assert score("???", "???") == 0
    assert score("", "Anna") == 0


def test_spellings_of_one_name_are_kin_and_misspellings_are_unknown() -> None:
    assert kinship("OLEKSANDR", "ALEXANDER") is Kinship.VARIANT
    assert kinship("WILLIAM", "BILL") >= Kinship.NICKNAME
    assert kinship("ANNA", "ROBERT") is Kinship.STRANGERS
    assert kinship("ANNA", "LINDQVITSS") is Kinship.UNKNOWN


def test_a_table_of_names_is_sorted_and_holds_no_name() -> None:
    table = pack({("ANNA", 1), ("ANNE", 1), ("BOB", 2)})
    numbers = [int.from_bytes(table[at : at + 8], "little") for at in range(0, len(table), 8)]
    assert numbers == sorted(numbers)
    assert len(numbers) == 3
    assert b"ANNA" not in table


@given(letters)
@settings(derandomize=True)
def test_keys_of_a_word_are_of_zone_letters_and_skeletons_never_empty(word: str) -> None:
    for key in (fold(word), sound(word), skeleton(word)):
        assert set(key) <= set("ABCDEFGHIJKLMNOPQRSTUVWXYZ")
    assert skeleton(word)


@pytest.mark.parametrize(
    ("one", "other"),
    [("TSCHERNOW", "CHERNOV"), ("YUSUF", "JOUSSOUF"), ("DZHAMAL", "JAMAL"), ("IVANOFF", "IVANOV")],
)
def test_romanisations_of_one_name_have_one_skeleton(one: str, other: str) -> None:
    assert skeleton(one) == skeleton(other)


def test_titles_and_particles_are_no_names_unless_there_is_nothing_else() -> None:
    parts = [word.part for word in name_of("Dr. Joost van der Meulen").words]
    assert parts == [Part.TITLE, Part.NAME, Part.PARTICLE, Part.PARTICLE, Part.NAME]
    assert [word.part for word in name_of("Lord").words] == [Part.NAME]


@given(st.lists(letters, min_size=1, max_size=3), st.lists(letters, min_size=1, max_size=3))
@settings(derandomize=True, max_examples=300)
def test_a_glance_never_turns_away_whom_the_comparison_would_take(ours: list[str], theirs: list[str]) -> None:
    sought = Person(zone_name(" ".join(ours), ""), Birth(74, 8, 12), "UTO")
    listed = Person(zone_name(" ".join(theirs), ""), Birth(74, 8, 12), "UTO")
    glance = Glance(sought.name.spelled(), may_be_cut=sought.name.may_be_cut)
    if not glance.may_be(listed.name.spelled(), may_be_cut=listed.name.may_be_cut):
        assert compare(sought, listed).score < MEANT


def test_the_model_weighs_each_sign_once() -> None:
    assert tuple(WEIGHTS) == SIGNS
    assert isinstance(name_of("Anna"), Name)
