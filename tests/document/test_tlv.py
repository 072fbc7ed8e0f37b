import pytest
from hypothesis import given
from hypothesis import strategies as st

from gated.document import tlv
from gated.document.errors import TlvError
from tests.document.material import FUZZ, accepts_or_raises, refused


@pytest.mark.parametrize(
    ("raw", "tag", "value"),
    [
        ("5F1F02AABB", 0x5F1F, "AABB"),
        ("300100", 0x30, "00"),
        ("7F4900", 0x7F49, ""),
        ("3081017F", 0x30, "7F"),  # BER, not DER: chips write such lengths
        ("5F810101FF", 0x5F8101, "FF"),
    ],
)
def test_reads_one_object(raw: str, tag: int, value: str) -> None:
    assert tlv.parse_one(bytes.fromhex(raw)) == tlv.Tlv(tag, bytes.fromhex(value))


@pytest.mark.parametrize(
    ("raw", "code"),
    [
        ("30", "tlv_truncated"),
        ("3002AA", "tlv_truncated"),
        ("308202", "tlv_truncated"),
        ("5F", "tlv_truncated"),
        ("3080AA0000", "tlv_length_form"),
        ("3085000000000100", "tlv_length_form"),
        ("0000", "tlv_tag"),
        ("FF00", "tlv_tag"),
        ("5F81810100", "tlv_tag"),
        ("3084FFFFFFFF00", "tlv_truncated"),
    ],
)
def test_refuses_with_a_code(raw: str, code: str) -> None:
    with refused(TlvError, code):
        tlv.parse(bytes.fromhex(raw))


def test_a_head_declares_four_gigabytes() -> None:
    with refused(TlvError, "tlv_too_long"):
        tlv.read_head(bytes.fromhex("7584FFFFFFFF"), max_length=0x40000)


def test_a_head_is_read_without_its_value() -> None:
    head = tlv.read_head(bytes.fromhex("75823AE77F61"))
    assert (head.tag, head.head_length, head.value_length, head.total) == (0x75, 4, 0x3AE7, 0x3AEB)


def test_too_many_objects() -> None:
    with refused(TlvError, "tlv_too_many"):
        tlv.parse(b"\x02\x00" * (tlv.MAX_OBJECTS + 1))


def test_one_object_is_neither_none_nor_two() -> None:
    for raw in (b"", b"\x02\x00\x02\x00"):
        with refused(TlvError, "tlv_not_one_object"):
            tlv.parse_one(raw)
    with refused(TlvError, "tlv_unexpected_tag"):
        tlv.parse_one(b"\x02\x00", 0x30)


def test_only_wants_exactly_one() -> None:
    items = tlv.parse(bytes.fromhex("0201010401AA0401BB"))
    assert tlv.only(items, 0x02) == b"\x01"
    with refused(TlvError, "tlv_object_missing"):
        tlv.only(items, 0x30)
    with refused(TlvError, "tlv_object_repeated"):
        tlv.only(items, 0x04)


def test_a_repr_shows_no_content() -> None:
    assert repr(tlv.Tlv(0x5F1F, b"P<UTOERIKSSON")) == "Tlv(5F1F, 13 bytes)"


def test_what_cannot_be_coded() -> None:
    for tag, value in ((0, b""), (0x1_000_000, b""), (0x30, bytes(tlv.MAX_LENGTH + 1))):
        with refused(TlvError, "tlv_not_codable"):
            tlv.encode(tag, value)


@FUZZ
@given(
    st.lists(
        st.tuples(st.sampled_from([0x30, 0x5F1F, 0x7F49, 0x80, 0x5F8101]), st.binary(max_size=300)),
        max_size=6,
    )
)
def test_what_is_coded_is_parsed(objects: list[tuple[int, bytes]]) -> None:
    raw = b"".join(tlv.encode(tag, value) for tag, value in objects)
    assert [(item.tag, item.value) for item in tlv.parse(raw)] == objects


@FUZZ
@given(st.binary(max_size=200))
def test_accepts_or_raises_one_error(raw: bytes) -> None:
    for parser in (tlv.parse, tlv.parse_one, tlv.read_head):
        accepts_or_raises(parser, TlvError, raw)
