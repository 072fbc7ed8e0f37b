import struct
from collections.abc import Iterable
from contextlib import suppress

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gated.watchlist import changes as of
from gated.watchlist.changes import (
    CHANGE_BYTES,
    MAGIC,
    Change,
    Changes,
    State,
    after_changes,
    changed,
    encode_changes,
    merge,
    parse_changes,
)
from gated.watchlist.keyed import KEY_BYTES, ListKey, ListKeys
from gated.watchlist.pack import HEAD_SEAL_BYTES, PREAMBLE_BYTES, Kind, Record, Seals, Tally
from gated.watchlist.snapshot import ListError

KEY, OTHER_KEY = ListKey(b"k" * KEY_BYTES), ListKey(b"o" * KEY_BYTES)
KEYS = ListKeys([KEY, OTHER_KEY])
CREATED = "2026-11-23T03:00:00Z"
KINDS = (Kind(type="P", grade="stop", reason="stolen"), Kind(type="", grade="refer", reason="lost"))

records = st.builds(
    Record,
    st.integers(0, 4).map(lambda tag: bytes([tag]) * 8),
    st.sampled_from(KINDS),
    st.integers(0, 1).map(lambda reference: bytes([reference]) * 5),
)
lists = st.frozensets(records, max_size=10)


def state(listed: Iterable[Record], version: int) -> State:
    tally = Tally(KEY)
    for record in listed:
        tally.add(record)
    return State(version=version, documents=tally.documents, digest=tally.digest)


def step(before: frozenset[Record], after: frozenset[Record], version: int) -> bytes:
    changes = [
        *(Change(record, came=False) for record in before - after),
        *(Change(record, came=True) for record in after - before),
    ]
    rising = sorted(changes, key=lambda change: change.record.tag)
    return encode_changes(KEY, "main", CREATED, state(before, version), state(after, version + 1), rising)


def under(listed: frozenset[Record]) -> of.Here:
    return lambda tag: [record for record in listed if record.tag == tag]


def read_all(raw: bytes) -> Changes:
    return parse_changes(raw, KEYS)


@settings(derandomize=True)
@given(lists, lists, lists)
def test_steps_merge_into_the_changes_from_the_first_list_to_the_last(
    a: frozenset[Record], b: frozenset[Record], c: frozenset[Record]
) -> None:
    overlay = read_all(merge(state(a, 1), None, [read_all(step(a, b, 1))], under(a), KEY))
    overlay = read_all(merge(state(a, 1), overlay, [read_all(step(b, c, 2))], under(a), KEY))
    assert (overlay.header.before, overlay.header.after) == (state(a, 1), state(c, 3))
    assert {change.record: change.came for change in overlay} == {
        **dict.fromkeys(a - c, False),
        **dict.fromkeys(c - a, True),
    }
    for tag in range(5):
        of_tag = under(a)(bytes([tag]) * 8)
        assert changed(of_tag, overlay.under(bytes([tag]) * 8)) == set(under(c)(bytes([tag]) * 8))


@settings(derandomize=True)
@given(lists, lists, lists, lists)
def test_steps_that_are_merged_at_once_make_the_same_changes_as_one_by_one(
    a: frozenset[Record], b: frozenset[Record], c: frozenset[Record], d: frozenset[Record]
) -> None:
    first = read_all(merge(state(a, 1), None, [read_all(step(a, b, 1))], under(a), KEY))
    second = [read_all(step(b, c, 2)), read_all(step(c, d, 3))]
    one_by_one = first
    for each in second:
        one_by_one = read_all(merge(state(a, 1), one_by_one, [each], under(a), KEY))
    at_once = merge(state(a, 1), first, second, under(a), KEY)
    assert set(read_all(at_once)) == set(one_by_one)
    assert read_all(at_once).header.after == state(d, 4)


def test_no_step_at_all_is_no_change() -> None:
    with pytest.raises(ListError, match="no_step"):
        merge(state((), 1), None, [], under(frozenset()), KEY)


@settings(derandomize=True)
@given(lists, lists, lists)
def test_a_step_never_merges_into_a_list_that_it_does_not_fit(
    a: frozenset[Record], b: frozenset[Record], other: frozenset[Record]
) -> None:
    parsed = read_all(step(a, b, 1))
    if other == a:
        merge(state(other, 1), None, [parsed], under(other), KEY)
        return
    with pytest.raises(ListError, match="does_not_fit"):
        merge(state(other, 1), None, [parsed], under(other), KEY)
    gone, came = a - b, b - a
    if gone <= other and not came & other:
        return  # it would fit by its records alone: the digest above is what tells
    with pytest.raises(ListError, match="does_not_fit"):
        merge(state(a, 1), None, [parsed], under(other), KEY)


def test_a_step_that_does_not_lead_where_it_says_is_refused() -> None:
    a, b = (
        frozenset({Record(b"1" * 8, KINDS[0], b"r" * 5)}),
        frozenset({Record(b"2" * 8, KINDS[0], b"r" * 5)}),
    )
    changes = [Change(next(iter(a)), came=False), Change(next(iter(b)), came=True)]
    wrong = encode_changes(KEY, "main", CREATED, state(a, 1), state(a, 2), changes)
    with pytest.raises(ListError, match="not_what_the_header_says"):
        merge(state(a, 1), None, [read_all(wrong)], under(a), KEY)


def test_a_step_under_another_key_is_refused() -> None:
    empty = state((), 1)
    raw = encode_changes(OTHER_KEY, "main", CREATED, empty, state((), 2), ())
    with pytest.raises(ListError, match="does_not_fit"):
        merge(empty, None, [read_all(raw)], under(frozenset()), KEY)


def test_what_is_listed_after_changes_can_be_told_without_the_list() -> None:
    first, second = Record(b"1" * 8, KINDS[0], b"r" * 5), Record(b"2" * 8, KINDS[1], b"r" * 5)
    after = after_changes(state([first], 1), 2, [Change(first, came=False), Change(second, came=True)], KEY)
    assert after == state([second], 2)


def raw_changes(changes: bytes, kinds: tuple[Kind, ...] = KINDS, **fields: object) -> bytes:
    """Changes with a good seal, whatever they are."""
    seals = Seals(KEY)
    header = msgspec.json.decode(encode_changes(KEY, "main", CREATED, state((), 1), state((), 2), ())[12:-16])
    header |= {
        "count": len(changes) // CHANGE_BYTES,
        "body": seals.body(changes),
        "kinds": [list(msgspec.structs.astuple(kind)) for kind in kinds],
        **fields,
    }
    raw = msgspec.json.encode(header)
    head = struct.pack(">8sI", MAGIC, len(raw)) + raw
    return head + seals.head(head) + changes


def change(tag: int, kind: int = 0, sign: bytes = b"+") -> bytes:
    return tag.to_bytes(8, "big") + kind.to_bytes(2, "big") + b"r" * 5 + sign


@pytest.mark.parametrize(
    ("raw", "code"),
    [
        (raw_changes(change(2) + change(1)), "out_of_order"),
        (raw_changes(change(1) + change(1, sign=b"-")), "out_of_order"),
        (raw_changes(change(1, sign=b"*")), "bad_change"),
        (raw_changes(change(1, 2)), "unknown_kind"),
        (raw_changes(change(1), kinds=()), "unknown_kind"),
        (raw_changes(change(1), kinds=(KINDS[0], KINDS[0])), "kind_named_twice"),
        (raw_changes(change(1), count=2), "not_of_the_announced_length"),
        (raw_changes(change(1))[:-1], "not_of_the_announced_length"),
        (raw_changes(change(1))[:-1] + b"-", "damaged"),
        (raw_changes(change(1), body="0" * 64), "damaged"),
        (raw_changes(b"", count=10**9), "bad_header"),
        (raw_changes(b"", key="0" * 16), "unknown_key"),
        (raw_changes(b"", before={"version": 2, "documents": 0, "digest": "0" * 64}), "backwards"),
        (raw_changes(b"")[:30], "bad_header"),
        (b"eGpack1\n" + raw_changes(b"")[8:], "not_this_format"),
        (b"", "truncated"),
    ],
)
def test_changes_that_cannot_be_relied_on_are_refused(raw: bytes, code: str) -> None:
    with pytest.raises(ListError) as refusal:
        parse_changes(raw, KEYS)
    assert refusal.value.code == code


def test_order_is_checked_beyond_what_is_looked_at_in_one_go(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(of, "_CHECKED_AT_ONCE", 2)
    assert len(read_all(raw_changes(b"".join(map(change, range(1, 8)))))) == 7
    with pytest.raises(ListError, match="out_of_order"):
        read_all(raw_changes(b"".join(map(change, (1, 2, 2, 3)))))


def test_too_many_changes_mean_that_a_new_pack_is_the_way(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(of, "MAX_CHANGES", 3)
    many = [Change(Record(bytes([tag]) * 8, KINDS[0], b"r" * 5), came=True) for tag in range(4)]
    encode_changes(KEY, "main", CREATED, state((), 1), state((), 2), many[:3])
    with pytest.raises(ListError, match="too_many_changes"):
        encode_changes(KEY, "main", CREATED, state((), 1), state((), 2), many)
    lists = [frozenset(record for record, _ in many[:count]) for count in (0, 3, 4)]
    full = read_all(merge(state((), 1), None, [read_all(step(*lists[:2], 1))], under(lists[0]), KEY))
    with pytest.raises(ListError, match="too_many_changes"):
        merge(state((), 1), full, [read_all(step(*lists[1:], 2))], under(lists[0]), KEY)


@settings(derandomize=True, max_examples=200)
@given(
    st.binary(max_size=60),
    st.integers(0, 400),
    st.sampled_from([raw_changes(change(1) + change(2)), raw_changes(b"")]),
)
def test_changes_are_taken_or_raise_one_error(junk: bytes, at: int, whole: bytes) -> None:
    for raw in (junk, whole[:at] + junk, whole[:at] + junk + whole[at + len(junk) :]):
        with suppress(ListError):
            list(parse_changes(raw, KEYS))


def test_one_flipped_bit_anywhere_is_found() -> None:
    whole = raw_changes(change(1) + change(2))
    assert len(whole) > PREAMBLE_BYTES + HEAD_SEAL_BYTES
    for at in range(len(whole)):
        damaged = bytearray(whole)
        damaged[at] ^= 0x01
        with pytest.raises(ListError):
            parse_changes(bytes(damaged), KEYS)
