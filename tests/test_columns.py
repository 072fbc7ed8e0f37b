"""Tables and sentences of commands, in a terminal of 80 columns."""

from hypothesis import given, settings
from hypothesis import strategies as st

from gated.commands.columns import WIDTH, table, wrapped

CELL = st.text("abc 0123456789.%", max_size=25)


def test_a_table_that_fits_is_one_block() -> None:
    assert list(table(("", "of", "rate"), [("bona fide", "6", "0.00 %")], indent=2)) == [
        "             of    rate",
        "  bona fide   6  0.00 %",
    ]


def test_a_table_that_is_too_wide_is_folded_under_the_names_of_its_rows() -> None:
    lines = list(table(("name", "a" * 40, "b" * 40), [("one", "1", "2")]))
    assert lines == [
        "name  " + "a" * 40,
        "one   " + "1".rjust(40),
        "",
        "name  " + "b" * 40,
        "one   " + "2".rjust(40),
    ]


def test_an_interval_is_not_parted_from_its_rate() -> None:
    lines = list(
        table(("name", "a" * 50, "rate", "95 % interval"), [("one", "1", "2 %", "1 % to 3 % and so on")])
    )
    assert lines[0].split() == ["name", "a" * 50]
    assert "rate" in lines[3]
    assert "95 % interval" in lines[3]


@settings(derandomize=True, deadline=None)
@given(
    st.integers(1, 12).flatmap(
        lambda n: st.lists(st.lists(CELL, min_size=n, max_size=n), min_size=1, max_size=4)
    )
)
def test_no_line_is_too_wide_and_no_cell_is_lost(rows: list[list[str]]) -> None:
    rows = [[row[0] * 4, *row[1:]] for row in rows]
    lines = list(table(rows[0], rows[1:], indent=2))
    assert all(len(line) <= WIDTH for line in lines)
    for row in rows:
        for cell in row[1:]:
            assert any(cell.strip() in line for line in lines)


def test_a_sentence_is_wrapped_under_its_beginning() -> None:
    lines = list(wrapped("word " * 30, first="note: "))
    assert all(len(line) <= WIDTH for line in lines)
    assert lines[0].startswith("note: word")
    assert lines[1].startswith("      word")
    assert list(wrapped("", first="label  ")) == ["label"]
