from contextlib import suppress

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gated.watchlist.keyed import KEY_BYTES, ListKey, ListKeys
from gated.watchlist.pack import (
    FORMAT,
    HEAD_SEAL_BYTES,
    IN_BUCKET,
    MAX_BITS,
    MAX_HEADER,
    MIN_BITS,
    PREAMBLE_BYTES,
    RECORD,
    RECORD_BYTES,
    Kind,
    PackHeader,
    Record,
    Seals,
    Tally,
    bits_for,
    bucket_of,
    check_bucket,
    encode_head,
    header_length,
    layout,
    listed,
    parse_head,
)
from gated.watchlist.snapshot import MAX_DOCUMENTS, ListError

KEY = ListKey(b"k" * KEY_BYTES)
KEYS = ListKeys([KEY])
STOLEN, LOST = Kind(type="P", grade="stop", reason="stolen"), Kind(type="", grade="refer", reason="lost")
HEADER = PackHeader(
    format=FORMAT,
    list="main",
    version=3,
    created="2026-11-23T03:00:00Z",
    key=KEY.id,
    documents=0,
    bits=8,
    digest="0" * 64,
    fanout="0" * 64,
    kinds=(STOLEN, LOST),
)


def head(header: PackHeader = HEADER, key: ListKey = KEY, room: int = 0) -> bytes:
    return encode_head(header, Seals(key), room)


def parse(raw: bytes) -> PackHeader:
    length = header_length(raw[:PREAMBLE_BYTES])
    rest = raw[PREAMBLE_BYTES : PREAMBLE_BYTES + length + HEAD_SEAL_BYTES]
    return parse_head(raw[:PREAMBLE_BYTES], rest, KEYS)[0]


def record(tag: int, kind: int = 0, reference: int = 0) -> bytes:
    return RECORD.pack(tag.to_bytes(8, "big"), kind, reference.to_bytes(5, "big"))


def test_a_head_reads_back_whatever_room_it_was_given() -> None:
    assert parse(head()) == HEADER
    assert parse(head(room=900)) == HEADER
    assert len(head(room=900)) == PREAMBLE_BYTES + 900 + HEAD_SEAL_BYTES


def test_a_record_takes_fifteen_bytes_and_the_greatest_pack_stays_below_its_figure() -> None:
    assert RECORD_BYTES == 15
    full = msgspec.structs.replace(HEADER, documents=MAX_DOCUMENTS, bits=bits_for(MAX_DOCUMENTS))
    assert layout(full, MAX_HEADER).end <= 1_600_000_000


@pytest.mark.parametrize("documents", [0, 1, 32_768, 32_769, 10**6, 10**7, MAX_DOCUMENTS])
def test_buckets_hold_few_records_on_average(documents: int) -> None:
    bits = bits_for(documents)
    assert MIN_BITS <= bits <= MAX_BITS
    assert documents / 2**bits <= IN_BUCKET
    assert bits == MIN_BITS or documents / 2 ** (bits - 1) > IN_BUCKET


def test_a_head_of_another_format_key_or_table_is_refused() -> None:
    other = ListKey(b"o" * KEY_BYTES)
    twice = msgspec.structs.replace(HEADER, kinds=(STOLEN, STOLEN))
    for raw, code in (
        (head(key=other), "damaged"),
        (head(msgspec.structs.replace(HEADER, key=other.id), key=other), "unknown_key"),
        (head(twice), "kind_named_twice"),
        (b"eGpack2\n" + head()[8:], "not_this_format"),
        (head()[:8] + b"\xff\xff\xff\xff", "header_too_long"),
        (head()[:7], "truncated"),
        (head()[:-1], "bad_header"),
        (head()[:-1] + bytes([head()[-1] ^ 1]), "damaged"),
    ):
        with pytest.raises(ListError) as refusal:
            parse(raw)
        assert refusal.value.code == code
        assert str(refusal.value) == code


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("documents", MAX_DOCUMENTS + 1),
        ("documents", -1),
        ("bits", 7),
        ("bits", 64),
        ("version", 0),
        ("kinds", [["P", "none", "stolen"]]),
        ("kinds", [["PASS", "stop", "stolen"]]),
        ("kinds", [["P", "stop", "x" * 41]]),
        ("fanout", "00"),
        ("more", 1),
    ],
)
def test_a_head_with_a_sealed_but_impossible_field_is_refused(field: str, value: object) -> None:
    raw = msgspec.json.encode(msgspec.json.decode(msgspec.json.encode(HEADER)) | {field: value})
    preamble = head()[:8] + len(raw).to_bytes(4, "big")
    with pytest.raises(ListError, match="bad_header"):
        parse(preamble + raw + Seals(KEY).head(preamble + raw))


@settings(derandomize=True)
@given(st.one_of(st.binary(max_size=400), st.binary(max_size=400).map(lambda junk: head()[:10] + junk)))
def test_a_head_is_taken_or_raises_one_error(raw: bytes) -> None:
    with suppress(ListError):
        parse(raw)


def test_a_tag_is_found_only_where_a_record_begins() -> None:
    # The reference of the first and the tag of the second together spell the third's tag.
    wanted = (7).to_bytes(8, "big")
    first = RECORD.pack(b"\0" * 8, 0, wanted[:5])
    second = RECORD.pack(wanted[5:] + b"\x09" * 5, 1, b"\x01" * 5)
    third = RECORD.pack(wanted, 1, b"\x02" * 5)
    assert list(listed(first + second + third, wanted, HEADER.kinds)) == [Record(wanted, LOST, b"\x02" * 5)]
    assert list(listed(first + second, wanted, HEADER.kinds)) == []


def test_all_records_under_a_tag_are_found() -> None:
    records = record(7, 0, 1) + record(7, 1, 0) + record(8)
    assert [found.kind for found in listed(records, (7).to_bytes(8, "big"), HEADER.kinds)] == [STOLEN, LOST]


def test_a_kind_that_is_not_in_the_table_is_an_error_and_not_a_hit_without_a_grade() -> None:
    with pytest.raises(ListError, match="unknown_kind"):
        list(listed(record(7, 2), (7).to_bytes(8, "big"), HEADER.kinds))


def test_the_first_bits_of_a_tag_are_its_bucket() -> None:
    assert bucket_of(b"\xab\xcd" + bytes(6), 8) == 0xAB
    assert bucket_of(b"\xab\xcd" + bytes(6), 12) == 0xABC


@pytest.mark.parametrize(
    ("records", "code"),
    [
        (record(8) + record(7), "out_of_order"),
        (record(7) + record(7), "out_of_order"),
        (record(7) + record(1 << 56), "in_another_bucket"),
        (record(1 << 56), "in_another_bucket"),
        (record(7) + record(7, 2), "unknown_kind"),
    ],
)
def test_a_bucket_that_lookups_could_not_rely_on_is_refused(records: bytes, code: str) -> None:
    with pytest.raises(ListError, match=code):
        check_bucket(records, 8, 0, 2)


def test_a_good_bucket_passes() -> None:
    check_bucket(b"", 8, 0, 0)
    check_bucket(record(7) + record(7, 1) + record(8), 8, 0, 2)
    with pytest.raises(ListError, match="unknown_kind"):
        check_bucket(record(7), 8, 0, 0)


def test_a_seal_is_of_one_bucket_of_one_size_under_one_key() -> None:
    seals = {
        Seals(KEY).bucket(8, 0, record(7)),
        Seals(KEY).bucket(8, 1, record(7)),
        Seals(KEY).bucket(9, 0, record(7)),
        Seals(KEY).bucket(8, 0, record(8)),
        Seals(ListKey(b"o" * KEY_BYTES)).bucket(8, 0, record(7)),
    }
    assert len(seals) == 5


@settings(derandomize=True)
@given(
    st.lists(st.tuples(st.integers(0, 9), st.sampled_from([STOLEN, LOST]), st.integers(0, 3)), unique=True)
)
def test_a_digest_does_not_depend_on_the_order_and_what_came_and_went_leaves_no_trace(
    rows: list[tuple[int, Kind, int]],
) -> None:
    records = [Record(bytes([tag]) * 8, kind, bytes([reference]) * 5) for tag, kind, reference in rows]
    one, other = Tally(KEY), Tally(KEY)
    for each in records:
        one.add(each)
    for each in reversed(records):
        other.add(each)
    assert (one.documents, one.digest) == (other.documents, other.digest)
    packed = Tally(KEY)
    packed.add_packed(
        [RECORD.pack(each.tag, (LOST, STOLEN).index(each.kind), each.reference) for each in records],
        (LOST, STOLEN),
    )
    assert (packed.documents, packed.digest) == (one.documents, one.digest)
    carried = Tally(KEY, one.documents, one.digest)
    for each in records:
        carried.remove(each)
    assert (carried.documents, carried.digest) == (0, "0" * 64)


def test_digests_differ_where_grade_reason_type_or_reference_do() -> None:
    digests = set()
    for kind in (STOLEN, LOST, Kind(type="P", grade="refer", reason="stolen")):
        for reference in (b"\0" * 5, b"\1" * 5):
            tally = Tally(KEY)
            tally.add(Record(b"\7" * 8, kind, reference))
            digests.add(tally.digest)
    assert len(digests) == 6
