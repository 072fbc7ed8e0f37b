"""The index of listed persons: what it finds, what it hides, what it refuses."""

import random
import sqlite3
from collections.abc import Iterable
from pathlib import Path

import pytest

from gated.core.personal import Personal
from gated.core.vocabulary import Grade
from gated.store.database import StoreError
from gated.store.person_index import PersonIndex, build_persons
from gated.watchlist.keyed import ListKey, ListKeys
from gated.watchlist.match import PersonClaim
from gated.watchlist.names import sounds, words
from gated.watchlist.snapshot import ListError, PersonEntry

KEY, OTHER_KEY = ListKey(bytes(range(32))), ListKey(bytes(32))
KEYS = ListKeys([KEY])
SURNAMES = (
    "ERIKSSON LINDQVIST NOVAK HADDAD MANSOURI OKAFOR TANAKA PAPADOPOULOS MUELLER KOVALENKO DUARTE WHITFIELD"
)
GIVEN = "ANNA SVEN PETR YUSUF AMINA CHIDI KENICHI GEORGIOS JUERGEN OLEKSANDR MARIA ROBERT"


def entry(
    surname: str, given: str, birth: str, reference: str = "C/1", nationality: str = "UTO"
) -> PersonEntry:
    return PersonEntry(
        surname=surname,
        given=given,
        birth=birth,
        nationality=nationality,
        grade="stop",
        reason="wanted",
        reference=reference,
    )


def claim(surname: str, given: str, birth: str, nationality: str = "UTO") -> PersonClaim:
    return PersonClaim(
        surname=Personal(surname), given=Personal(given), birth=Personal(birth), nationality=nationality
    )


def index(folder: Path, entries: Iterable[PersonEntry]) -> PersonIndex:
    build_persons(folder / "persons.db", KEY, entries)
    return PersonIndex.open(folder / "persons.db", KEYS, to_change=True)


def references(persons: PersonIndex, sought: PersonClaim, least: float = 0.9) -> list[str]:
    return [hit.reference for hit in persons.lookup(sought, least)]


LISTED = (
    entry("CHEKHOV", "ANTON PAVLOVICH", "1960-01-29", "C/1"),
    entry("ABDULRAHMAN", "HADDAD", "1974-08-12", "C/2"),
    entry("MUELLER", "JUERGEN", "1974-XX-XX", "C/3"),
    entry("OKAFOR", "CHIDI", "XXXX-XX-XX", "C/4"),
    entry("SUKARNO", "", "1950-06-06", "C/5"),
    entry("PAPATHANASOPOULOU", "ANASTASIA KONSTANTINA ELENI", "1988-03-03", "C/6"),
)


@pytest.mark.parametrize(
    ("sought", "found"),
    [
        (claim("CHEKHOV", "ANTON", "600129"), "C/1"),
        (claim("TSCHECHOW", "ANTON", "600129"), "C/1"),
        (claim("ANTON", "CHEKHOV", "600129"), "C/1"),
        (claim("CHECKHOV", "ANTN", "600129"), "C/1"),
        (claim("HADDAD", "ABD<AL<RAHMAN", "740812"), "C/2"),
        (claim("MULLER", "JURGEN", "740203"), "C/3"),
        (claim("OKAFOR", "CHIDI<EMEKA", "900101"), "C/4"),
        (claim("SUKARNO", "", "500606"), "C/5"),
        (claim("CHEKHOV", "ANTON<PAVLOVICH", "<<<<<<"), "C/1"),
        (claim("CHEKHOV", "ANTON<PAVLOVICH", "60<<<<"), "C/1"),
        (claim("CHEKHOV", "ANTON<PAVLOVICH", "no date"), "C/1"),
        (claim("PAPATHANASOPOULOU", "ANASTASIA<KONSTANTIN", "880303"), "C/6"),
    ],
)
def test_a_listed_person_is_found_in_other_spellings(tmp_path: Path, sought: PersonClaim, found: str) -> None:
    hits = index(tmp_path, LISTED).lookup(sought)
    assert [hit.reference for hit in hits] == [found]
    assert hits[0].grade is Grade.STOP
    assert hits[0].reason == "wanted"
    assert [field.field for field in hits[0].fields] == ["name", "birth", "nationality"]


@pytest.mark.parametrize(
    "sought",
    [
        claim("CHEKHOV", "ANTON", "600130"),
        claim("CHEKHOV", "MIKHAIL", "600129"),
        claim("NOVAK", "ANTON", "600129"),
        claim("MULLER", "JURGEN", "750203"),
        claim("LINDQVIST", "SVEN", "740812"),
    ],
)
def test_others_are_not_found(tmp_path: Path, sought: PersonClaim) -> None:
    assert references(index(tmp_path, LISTED), sought) == []


def test_a_slip_in_the_birth_date_is_found_where_policy_asks_for_it(tmp_path: Path) -> None:
    persons = index(tmp_path, LISTED)
    for birth in ("600128", "610129", "600229", "600119"):
        assert references(persons, claim("CHEKHOV", "ANTON<PAVLOVICH", birth), least=0.7) == ["C/1"]
        assert references(persons, claim("CHEKHOV", "ANTON<PAVLOVICH", birth)) == []


def test_hits_come_likeliest_first_and_only_whole_dates_are_certain(tmp_path: Path) -> None:
    persons = index(
        tmp_path,
        (
            entry("ERIKSSON", "ANNA", "1974-XX-XX", "C/1"),
            entry("ERIKSSON", "ANNA MARIA", "1974-08-12", "C/2"),
        ),
    )
    hits = persons.lookup(claim("ERIKSSON", "ANNA<MARIA", "740812"))
    assert [(hit.reference, hit.certain) for hit in hits] == [("C/2", True), ("C/1", False)]
    assert hits[0].score > hits[1].score


def test_the_file_shows_nobody(tmp_path: Path) -> None:
    index(tmp_path, LISTED).close()
    raw = (tmp_path / "persons.db").read_bytes()
    for plain in (b"CHEKHOV", b"ANTON", b"1960", b"CHKV", b"C/1", b"wanted"):
        assert plain not in raw
    assert [path.name for path in tmp_path.iterdir()] == ["persons.db"]


def test_words_are_let_go_of_after_each_lookup(tmp_path: Path) -> None:
    index(tmp_path, LISTED).lookup(claim("CHEKHOV", "ANTON", "600129"))
    assert sounds.skeleton.cache_info().currsize == 0
    assert words.spellings.cache_info().currsize == 0


def test_another_key_opens_nothing(tmp_path: Path) -> None:
    index(tmp_path, LISTED).close()
    with pytest.raises(ListError, match="unknown_key"):
        PersonIndex.open(tmp_path / "persons.db", ListKeys([OTHER_KEY]))
    PersonIndex.open(tmp_path / "persons.db", ListKeys([OTHER_KEY, KEY])).close()


def test_a_record_that_was_altered_or_moved_is_no_answer(tmp_path: Path) -> None:
    index(tmp_path, LISTED).close()
    with sqlite3.connect(tmp_path / "persons.db") as database:
        database.execute("UPDATE person SET sealed = (SELECT sealed FROM person WHERE id = 2) WHERE id = 1")
    database.close()
    persons = PersonIndex.open(tmp_path / "persons.db", KEYS)
    with pytest.raises(StoreError, match="sealed_otherwise") as caught:
        persons.lookup(claim("CHEKHOV", "ANTON", "600129"))
    assert "CHEKHOV" not in str(caught.value)


def test_another_database_is_refused(tmp_path: Path) -> None:
    (tmp_path / "persons.db").write_bytes(b"")
    with pytest.raises(StoreError, match="not_ours"):
        PersonIndex.open(tmp_path / "persons.db", KEYS)
    (tmp_path / "persons.db").write_bytes(b"no database at all, but long enough to look like one" * 100)
    with pytest.raises(StoreError, match="damaged"):
        PersonIndex.open(tmp_path / "persons.db", KEYS)
    with pytest.raises(StoreError):
        PersonIndex.open(tmp_path / "absent.db", KEYS)


def test_a_person_twice_is_refused_and_leaves_no_file(tmp_path: Path) -> None:
    with pytest.raises(ListError, match="twice_under_one_form"):
        build_persons(tmp_path / "persons.db", KEY, (LISTED[0], LISTED[0]))
    assert list(tmp_path.iterdir()) == []


def test_changes_are_strict(tmp_path: Path) -> None:
    persons = index(tmp_path, LISTED[:2])
    persons.add(LISTED[4])
    assert references(persons, claim("SUKARNO", "", "500606")) == ["C/5"]
    persons.drop(LISTED[0])
    assert references(persons, claim("CHEKHOV", "ANTON", "600129")) == []
    assert persons.count == 2
    for change, listed in ((persons.add, LISTED[1]), (persons.drop, LISTED[0])):
        with pytest.raises(ListError, match="does_not_fit"):
            change(listed)
    assert persons.count == 2
    assert references(persons, claim("HADDAD", "ABDULRAHMAN", "740812")) == ["C/2"]


def test_an_index_after_changes_answers_as_one_that_was_built_so(tmp_path: Path) -> None:
    chance = random.Random(5)
    people = [_somebody(chance, number) for number in range(300)]
    (tmp_path / "built").mkdir()
    built = index(tmp_path / "built", people[100:])
    changed = index(tmp_path, people[:200])
    for number in range(100):
        changed.drop(people[number])
        changed.add(people[200 + number])
    assert changed.count == built.count == 200
    for person in people:
        sought = claim(person.surname, person.given, _shown(person.birth), person.nationality)
        assert sorted(references(changed, sought)) == sorted(references(built, sought))


def test_blocking_misses_nobody_whom_a_comparison_with_everybody_finds(tmp_path: Path) -> None:
    chance = random.Random(7)
    people = [_somebody(chance, number) for number in range(400)]
    persons = index(tmp_path, people)
    for person in people[::4]:
        sought = claim(person.surname, person.given, _shown(person.birth), person.nationality)
        assert person.reference in references(persons, sought)


def _somebody(chance: random.Random, number: int) -> PersonEntry:
    day = f"{chance.randrange(1, 13):02}-{chance.randrange(1, 29):02}"
    birth = chance.choice((f"{chance.randrange(1930, 2010)}-{day}",) * 8 + ("1974-XX-XX", "XXXX-XX-XX"))
    return entry(chance.choice(SURNAMES.split()), chance.choice(GIVEN.split()), birth, f"C/{number}")


def _shown(birth: str) -> str:
    return "".join("<<" if part == "XX" else part for part in (birth[2:4], birth[5:7], birth[8:10]))
