"""Standings at a gate: found by the document, readable with the key alone, believed while they are new."""

import itertools
import sqlite3
from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gated.core.personal import Personal
from gated.rules.standing import Standing
from gated.rules.standing_rows import COLUMNS, Lifelong, RowError, StandingRow, parse_row
from gated.store.database import StoreError
from gated.store.standings import Standings, build, differ, read_contents
from gated.watchlist.keyed import ListKey, ListKeys

NOW = datetime(2026, 11, 26, 12, tzinfo=UTC)
KEY, OTHER = ListKey(bytes(range(32))), ListKey(bytes(32))
DAY_S = 86400.0
STAYS = Standing(entered=date(2026, 11, 1), permitted_days=90)
LIVES = Standing(residence_title="permanent", residence_until=date(2030, 1, 1), registered=True)
ROWS = (
    StandingRow("FRA", Personal("12AB34567"), STAYS),
    StandingRow("D", Personal("C01X00T47"), LIVES),
)


class Place:
    def __init__(self, folder: Path) -> None:
        self.path = folder / "standings.db"
        self.standings = Standings(self.path, ListKeys([KEY]), 3 * DAY_S)

    def build(self, *rows: StandingRow, key: ListKey = KEY, version: int = 1, now: datetime = NOW) -> None:
        build(rows, self.path, key, version, now)

    def ask(self, issuer: str = "FRA", number: str = "12AB34567", now: datetime = NOW) -> Standing | None:
        return self.standings.of(issuer, Personal(number), now)

    def refusal(self, now: datetime = NOW, number: str = "12AB34567") -> str:
        with pytest.raises(StoreError) as error:
            self.ask(now=now, number=number)
        assert error.value.fix
        return error.value.code

    def change(self, statement: str, *values: object) -> None:
        database = sqlite3.connect(self.path)
        with database:
            database.execute(statement, values)
        database.close()


@pytest.fixture
def place(tmp_path: Path):  # noqa: ANN201 - a generator of Place
    one = Place(tmp_path)
    yield one
    one.standings.close()


def test_a_standing_is_found_by_its_document(place: Place) -> None:
    place.build(*ROWS)
    assert place.ask() == STAYS
    assert place.ask("D", "c01x 00t47") == LIVES
    assert place.ask("DEU", "C01X00T47") == LIVES
    assert place.ask("FRA", "C01X00T47") is None
    assert place.ask("FRA", "12AB34568") is None


def test_the_file_shows_neither_numbers_nor_titles_nor_lengths(place: Place) -> None:
    place.build(*ROWS, StandingRow("KOR", Personal("M1"), Standing(registered=True)))
    raw = place.path.read_bytes()
    assert not any(text in raw for text in (b"12AB34567", b"permanent", b"entered", b"FRA"))
    lengths = {row[0] for row in sqlite3.connect(place.path).execute("SELECT length(sealed) FROM standing")}
    assert len(lengths) == 1


def test_the_same_rows_under_another_key_lie_elsewhere_and_are_refused(place: Place) -> None:
    place.build(*ROWS, key=OTHER)
    assert place.refusal() == "standings_of_another_key"
    both = Standings(place.path, ListKeys([KEY, OTHER]), DAY_S)
    assert both.of("FRA", Personal("12AB34567"), NOW) == STAYS
    both.close()


def test_a_new_file_takes_the_place_of_the_old_one_while_the_gate_asks(place: Place) -> None:
    place.build(*ROWS)
    assert place.ask() == STAYS
    left = StandingRow("FRA", Personal("12AB34567"), Standing())
    place.build(left, version=2)
    assert place.ask() == Standing()
    assert place.ask("D", "C01X00T47") is None


def test_of_two_rows_for_one_document_the_later_counts(place: Place) -> None:
    place.build(ROWS[0], StandingRow("FRA", Personal("12AB34567"), LIVES))
    assert place.ask() == LIVES


@pytest.mark.parametrize(
    ("later", "known"),
    [
        (timedelta(0), True),
        (timedelta(days=3), True),
        (timedelta(days=3, seconds=1), False),
        (timedelta(seconds=-299), True),
        (timedelta(seconds=-301), False),
    ],
)
def test_an_old_file_is_no_knowledge(place: Place, later: timedelta, *, known: bool) -> None:
    place.build(*ROWS)
    if known:
        assert place.ask(now=NOW + later) == STAYS
    else:
        assert place.refusal(NOW + later) == "standings_stale"


def test_a_file_cannot_be_made_to_look_newer(place: Place) -> None:
    place.build(*ROWS, now=NOW - timedelta(days=30))
    assert place.refusal() == "standings_stale"
    old = int((NOW - timedelta(days=30)).timestamp())
    place.change("UPDATE contents SET json = replace(json, ?, ?)", str(old), str(int(NOW.timestamp())))
    place.standings.close()
    assert place.refusal() == "standings_damaged"


def test_a_record_cannot_be_moved_to_another_document(place: Place) -> None:
    place.build(*ROWS)
    marks = [row[0] for row in sqlite3.connect(place.path).execute("SELECT mark FROM standing")]
    place.change("UPDATE standing SET mark = ? WHERE mark = ?", b"x" * 16, marks[0])
    place.change("UPDATE standing SET mark = ? WHERE mark = ?", marks[0], marks[1])
    found: list[object] = []
    for issuer, number in (("FRA", "12AB34567"), ("D", "C01X00T47")):
        try:
            found.append(place.ask(issuer, number))
        except StoreError as error:
            found.append(error.code)
    assert sorted(map(str, found)) == ["None", "standings_damaged"]


@pytest.mark.parametrize(
    "spoil",
    [
        lambda path: path.write_bytes(b"no database"),
        lambda path: path.write_bytes(b""),
        lambda path: path.write_bytes(path.read_bytes()[:3000]),
    ],
)
def test_a_damaged_file_is_told_as_such(place: Place, spoil: Callable[[Path], None]) -> None:
    place.build(*ROWS)
    spoil(place.path)
    assert place.refusal() in {"standings_damaged", "damaged", "not_ours"}


def test_a_missing_file_and_one_of_another_version_are_told(place: Place) -> None:
    assert place.refusal() == "standings_missing"
    place.build(*ROWS)
    place.change("UPDATE contents SET json = replace(json, '\"format\":2', '\"format\":1')")
    assert place.refusal() == "standings_of_another_version"


def test_a_file_without_its_table_is_damaged(place: Place) -> None:
    place.build(*ROWS)
    place.change("DROP TABLE standing")
    assert place.refusal() == "standings_damaged"


@pytest.mark.parametrize("sealed", [b"", b"x" * 12, b"x" * 5000, b"x" * 200, 7])
def test_records_that_are_none_are_damage(place: Place, sealed: object) -> None:
    place.build(*ROWS)
    database = sqlite3.connect(place.path)
    rows = database.execute("SELECT mark, sealed FROM standing").fetchall()
    database.execute("DROP TABLE standing")
    database.execute("CREATE TABLE standing (mark BLOB PRIMARY KEY, sealed)")
    database.executemany("INSERT INTO standing VALUES (?, ?)", [(mark, sealed) for mark, _ in rows])
    database.commit()
    database.close()
    assert place.refusal() == "standings_damaged"


def test_what_cannot_be_written_leaves_the_old_file(place: Place) -> None:
    place.build(*ROWS)

    def rows():  # noqa: ANN202 - an endless source that breaks
        yield from ROWS
        raise sqlite3.OperationalError("disk I/O error")

    with pytest.raises(StoreError):
        build(rows(), place.path, KEY, 2, NOW)
    assert place.ask() == STAYS
    assert [each.name for each in place.path.parent.iterdir()] == [place.path.name]


# --- what is published ------------------------------------------------------------------------------------


def test_what_is_published_stands_in_place_of_what_was_brought(place: Place, tmp_path: Path) -> None:
    place.build(*ROWS)
    published = tmp_path / "published.db"
    current: list[Path | None] = [None]
    standings = Standings(place.path, ListKeys([KEY]), 3 * DAY_S, lambda: current[0])
    assert standings.of("FRA", Personal("12AB34567"), NOW) == STAYS
    build([StandingRow("FRA", Personal("12AB34567"), LIVES)], published, KEY, 1, NOW)
    current[0] = published
    assert standings.of("FRA", Personal("12AB34567"), NOW) == LIVES
    assert standings.of("D", Personal("C01X00T47"), NOW) is None
    current[0] = None
    assert standings.of("FRA", Personal("12AB34567"), NOW) == STAYS
    standings.close()
    assert Standings(None, ListKeys([KEY]), DAY_S).of("FRA", Personal("12AB34567"), NOW) is None


def test_a_file_that_gives_way_to_the_next_one_this_moment_is_not_missed(
    place: Place, tmp_path: Path
) -> None:
    place.build(*ROWS)
    said = [tmp_path / "gone.db", place.path]
    standings = Standings(None, ListKeys([KEY]), 3 * DAY_S, lambda: said.pop(0))
    assert standings.of("FRA", Personal("12AB34567"), NOW) == STAYS
    said[:] = [tmp_path / "gone.db"] * 2
    with pytest.raises(StoreError, match="standings_missing"):
        standings.of("FRA", Personal("12AB34567"), NOW)
    standings.close()


def test_a_person_is_found_by_the_number_for_life_and_only_as_registered(place: Place) -> None:
    known = Standing(registered=True, consent=True, residence_title="permanent")
    person = Personal(Lifelong("ZE184226B", "740812"))
    place.build(StandingRow("UTO", Personal("L898902C3"), known, person))

    def asked(number: str, birth: str = "740812", issuer: str = "UTO") -> Standing | None:
        who = Personal(Lifelong(number, birth))
        return place.standings.of(issuer, Personal("M000000X1"), NOW, who)

    assert place.ask("UTO", "L898902C3") == known
    assert asked("ZE184226B") == Standing(registered=True, consent=True)
    assert asked("ZE184226B", birth="740813") is None
    assert asked("ZE184226C") is None
    assert asked("ZE184226B", issuer="FRA") is None
    assert b"ZE184226B" not in place.path.read_bytes()
    assert read_contents(place.path).standings == 1


def test_files_differ_by_what_they_tell_alone(tmp_path: Path) -> None:
    person = Personal(Lifelong("ZE184226B", "740812"))
    several = [
        (ROWS, KEY, NOW),
        (ROWS[::-1], KEY, NOW + timedelta(hours=1)),
        (ROWS[:1], KEY, NOW),
        ((ROWS[0], ROWS[1]._replace(standing=STAYS)), KEY, NOW),
        ((ROWS[0], ROWS[1]._replace(person=person)), KEY, NOW),
        (ROWS, OTHER, NOW),
    ]
    for number, (rows, key, now) in enumerate(several):
        build(rows, tmp_path / str(number), key, number, now)
    told = [differ(tmp_path / "0", tmp_path / str(number), KEY) for number in range(len(several))]
    assert told == [False, False, True, True, True, True]


# --- rows ---------------------------------------------------------------------------------------------


def test_a_row_is_read_whole() -> None:
    row = parse_row(
        {
            "issuer": "fra",
            "number": "12ab 34567",
            "residence_title": "permanent",
            "residence_until": "2030-01-01",
            "registered": "yes",
            "consent": "no",
            "programmes": "reciprocity; frequent",
            "visa": "none",
            "visa_until": "",
            "entered": "2026-11-01",
            "permitted_days": "90",
        }
    )
    assert (row.issuer, row.number) == ("FRA", Personal("12AB34567"))
    assert row.standing == Standing(
        residence_title="permanent",
        residence_until=date(2030, 1, 1),
        registered=True,
        consent=False,
        programmes=("reciprocity", "frequent"),
        visa="none",
        entered=date(2026, 11, 1),
        permitted_days=90,
    )


@pytest.mark.parametrize(
    ("column", "text"),
    [
        ("issuer", "XYZ"),
        ("number", "--"),
        ("residence_title", "Permanent Resident"),
        ("residence_until", "31.12.2026"),
        ("registered", "perhaps"),
        ("programmes", "Ok; not ok"),
        ("entered", "2026-02-30"),
        ("permitted_days", "-3"),
        ("permitted_days", "99999"),
    ],
)
def test_a_wrong_cell_is_named_and_not_shown(column: str, text: str) -> None:
    row = {"issuer": "FRA", "number": "12AB34567", "entered": "2026-11-01", column: text}
    with pytest.raises(RowError) as error:
        parse_row(row)
    assert str(error.value).startswith(f"{column}: ")
    assert text not in str(error.value)


def test_permitted_days_need_an_entry() -> None:
    with pytest.raises(RowError, match="permitted_days: without an entry"):
        parse_row({"issuer": "FRA", "number": "1", "permitted_days": "90"})


@settings(derandomize=True, max_examples=200, deadline=None)
@given(st.dictionaries(st.sampled_from(COLUMNS), st.text(max_size=12)))
def test_any_row_is_taken_or_refused(row: dict[str, str]) -> None:
    try:
        found = parse_row({"issuer": "FRA", "number": "1", **row})
    except RowError:
        return
    assert found.number.reveal()


def test_each_column_is_one_of_the_standing() -> None:
    assert list(itertools.islice(COLUMNS, 2)) == ["issuer", "number"]
    assert set(COLUMNS[2:]) == set(Standing.__struct_fields__)
