import io

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from gated.core.personal import MASK
from gated.watchlist.delta import apply, delta_header, difference, read_delta
from gated.watchlist.snapshot import (
    MAX_LINE,
    DocumentEntry,
    Entry,
    ListError,
    PersonEntry,
    encode_entry,
    parse_header,
    read_snapshot,
    snapshot_lines,
    split,
)
from tests.watchlist.strategies import lines_of, lists

CREATED = "2026-11-23T03:00:00Z"
STOLEN = DocumentEntry(
    number="L898902C3", issuer="UTO", type="P", grade="stop", reason="stolen", reference="R-1"
)
BANNED = PersonEntry(
    surname="ERIKSSON",
    given="ANNA MARIA",
    birth="1974-08-XX",
    nationality="UTO",
    grade="refer",
    reason="exit_ban",
    reference="C/2",
)


def published(entries: frozenset[Entry], version: int = 1) -> list[bytes]:
    return list(snapshot_lines("main", version, CREATED, entries))


def everything(lines: list[bytes]) -> set[Entry]:
    return set(read_snapshot(lines)[1])


@given(lists)
def test_a_snapshot_reads_back_as_the_list_that_was_written(entries: frozenset[Entry]) -> None:
    header, found = read_snapshot(published(entries))
    assert set(found) == entries
    assert header.documents + header.persons == len(entries)


@given(lists, lists)
def test_applying_the_difference_of_two_lists_to_the_first_gives_the_second(
    a: frozenset[Entry], b: frozenset[Entry]
) -> None:
    before, after = published(a, 1), published(b, 2)
    delta = [
        delta_header(parse_header(before[0], "snapshot"), parse_header(after[0], "snapshot")),
        *difference(before[1:], after[1:]),
    ]
    header, changes = read_delta(delta)
    assert list(apply(before[1:], changes)) == lines_of(b)
    assert header.digest == parse_header(after[0], "snapshot").digest
    assert len(delta) - 1 == len(a ^ b)


@given(lists, lists, lists)
def test_a_delta_never_applies_to_a_list_that_it_does_not_fit(
    a: frozenset[Entry], b: frozenset[Entry], other: frozenset[Entry]
) -> None:
    before, after = published(a, 1), published(b, 2)
    delta = [
        delta_header(parse_header(before[0], "snapshot"), parse_header(after[0], "snapshot")),
        *difference(before[1:], after[1:]),
    ]
    gone, came = a - b, b - a
    fits = gone <= other and not came & other
    if fits:
        assert list(apply(lines_of(other), read_delta(delta)[1])) == lines_of((other - gone) | came)
    else:
        with pytest.raises(ListError, match="does_not_fit"):
            list(apply(lines_of(other), read_delta(delta)[1]))


@given(st.lists(st.binary(max_size=80), max_size=6))
def test_arbitrary_lines_are_read_or_raise_list_error(lines: list[bytes]) -> None:
    for read in (read_snapshot, read_delta):
        with pytest.raises(ListError):  # no line of chance is a header
            list(read(lines)[1])


@given(lists, st.data())
def test_no_changed_byte_goes_unnoticed(entries: frozenset[Entry], data: st.DataObject) -> None:
    raw = bytearray(b"".join(line + b"\n" for line in published(entries | {STOLEN})[1:]))
    header = published(entries | {STOLEN})[0] + b"\n"
    at = data.draw(st.integers(0, len(raw) - 1))
    raw[at] ^= data.draw(st.integers(1, 255))
    with pytest.raises(ListError):
        list(read_snapshot(split(io.BytesIO(header + raw)))[1])


@given(st.binary(max_size=3000))
def test_splitting_any_bytes_gives_capped_lines_or_list_error(raw: bytes) -> None:
    whole = not raw or raw.endswith(b"\n")
    if whole and all(len(line) < MAX_LINE for line in raw.split(b"\n")):
        assert b"".join(line + b"\n" for line in split(io.BytesIO(raw))) == raw
    else:
        with pytest.raises(ListError, match=r"line_too_long|truncated"):
            list(split(io.BytesIO(raw)))


def test_the_longest_entry_fits_on_a_line() -> None:
    longest = PersonEntry(
        surname="A" * 100, given="B" * 100, birth="1974-08-12", nationality="UTO",
        grade="silent", reason="r" * 40, reference="R" * 64,
    )  # fmt: skip
    assert len(encode_entry(longest)) < MAX_LINE
    assert everything(published(frozenset({longest}))) == {longest}


@pytest.mark.parametrize(
    ("lines", "code"),
    [
        ([], "empty"),
        ([b"{}"], "bad_header"),
        ([b"[" * 100_000], "bad_header"),
        ([b"\xff"], "bad_header"),
        ([published(frozenset())[0].replace(b"snapshot", b"delta")], "wrong_kind"),
        ([published(frozenset())[0].replace(b'"version":1', b'"version":0')], "bad_header"),
        ([published(frozenset())[0].replace(b'"base":0', b'"bases":0')], "bad_header"),
        (published(frozenset({STOLEN}))[:1], "not_what_the_header_says"),
        ([*published(frozenset({STOLEN})), encode_entry(BANNED)], "more_than_announced"),
        ([*published(frozenset({STOLEN})), encode_entry(STOLEN)], "out_of_order"),
        ([published(frozenset({STOLEN, BANNED}))[i] for i in (0, 2, 1)], "out_of_order"),
        ([published(frozenset({STOLEN}))[0], encode_entry(STOLEN) + b" "], "not_canonical"),
        ([published(frozenset({STOLEN}))[0], encode_entry(STOLEN).replace(b"stop", b"none")], "bad_entry"),
        ([published(frozenset({STOLEN}))[0], encode_entry(STOLEN).replace(b"UTO", b"UTO\\n")], "bad_entry"),
        ([published(frozenset({STOLEN}))[0], encode_entry(STOLEN).replace(b"R-1", b"R-2")],
         "not_what_the_header_says"),
    ],
)  # fmt: skip
def test_a_snapshot_that_is_not_one_is_refused_by_name(lines: list[bytes], code: str) -> None:
    with pytest.raises(ListError) as caught:
        list(read_snapshot(lines)[1])
    assert caught.value.code == code


def test_a_delta_must_lead_forwards() -> None:
    header = parse_header(published(frozenset(), 3)[0], "snapshot")
    with pytest.raises(ListError, match="backwards"):
        read_delta([delta_header(header, header)])


@pytest.mark.parametrize("line", [b"", b"*", b'*["d"]', encode_entry(STOLEN)])
def test_a_change_needs_its_sign(line: bytes) -> None:
    before, after = (parse_header(published(frozenset(), version)[0], "snapshot") for version in (1, 2))
    with pytest.raises(ListError, match=r"line 2: bad_(change|entry)"):
        list(read_delta([delta_header(before, after), line])[1])


def test_changes_stand_in_order_and_once() -> None:
    before, after = (parse_header(published(frozenset(), version)[0], "snapshot") for version in (1, 2))
    change = b"+" + encode_entry(STOLEN)
    with pytest.raises(ListError, match="line 3: out_of_order"):
        list(read_delta([delta_header(before, after), change, change])[1])


def test_entries_and_errors_show_nothing_of_the_person() -> None:
    assert repr(BANNED) == repr(STOLEN) == MASK
    assert f"{BANNED}" == MASK
    line = encode_entry(BANNED).replace(b"refer", b"nothing")
    with pytest.raises(ListError) as caught:
        list(read_snapshot([published(frozenset({BANNED}))[0], line])[1])
    assert "ERIKSSON" not in str(caught.value)
    assert "ERIKSSON" not in str(caught.value.__cause__)


def test_the_encoding_is_the_published_one() -> None:
    assert encode_entry(STOLEN) == b'["d","L898902C3","UTO","P","stop","stolen","R-1"]'
    assert msgspec.json.decode(published(frozenset({STOLEN}))[0])["format"] == "egate-list/1"
