import contextlib
import pickle

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gated.watchlist.keyed import (
    KEY_BYTES,
    DocumentHashes,
    ListKey,
    ListKeyError,
    ListKeys,
    encode_key_file,
    parse_key_file,
)
from gated.watchlist.snapshot import ListError

ONE, OTHER = ListKey(b"1" * KEY_BYTES), ListKey(b"2" * KEY_BYTES)


def test_a_tag_is_the_same_for_every_way_to_write_a_document() -> None:
    hashes = DocumentHashes(ONE)
    assert hashes.tag("L898902C3<", "UTO") == hashes.tag("l898-902 c3", "uto")
    assert hashes.tag("X1", "DEU") == hashes.tag("X1", "D<<")


def test_a_tag_depends_on_number_issuer_and_key() -> None:
    tags = {
        DocumentHashes(ONE).tag("L898902C3", "UTO"),
        DocumentHashes(ONE).tag("L898902C4", "UTO"),
        DocumentHashes(ONE).tag("L898902C3", "FRA"),
        DocumentHashes(OTHER).tag("L898902C3", "UTO"),
        DocumentHashes(ONE).tag("OL898902C3", "UT"),
    }
    assert len(tags) == 5


def test_each_use_of_a_key_has_a_sub_key_of_its_own() -> None:
    assert len({ONE.derive("document tag"), ONE.derive("reference"), ONE.derive("id"), ONE.reveal()}) == 4
    assert ONE.derive("reference") == ListKey(b"1" * KEY_BYTES).derive("reference")


def test_a_key_file_reads_back_as_the_key() -> None:
    assert parse_key_file(encode_key_file(ONE)) == ONE


def test_a_key_shows_its_id_alone() -> None:
    secret = ONE.reveal().hex()
    for shown in (repr(ONE), str(ONE), repr(ListKeys([ONE])), f"{ONE}"):
        assert ONE.id in shown
        assert secret not in shown
    with pytest.raises(TypeError):
        hash(ONE)


def test_a_damaged_key_file_is_refused_without_a_word_of_it() -> None:
    whole = encode_key_file(ONE).decode()
    secret = ONE.reveal().hex()
    for damaged in (
        whole.replace("31", "32", 1),
        whole.replace(f"{secret}", f"{secret[:-2]}"),
        whole.replace("list_key = 1", "list_key = 2"),
        whole + "more = 1\n",
        whole + "#" * 5000,
        "",
    ):
        with pytest.raises(ListKeyError) as refusal:
            parse_key_file(damaged.encode())
        assert secret[:16] not in str(refusal.value)
        assert refusal.value.__cause__ is None


@settings(derandomize=True)
@given(st.binary(max_size=200))
def test_a_key_file_is_taken_or_raises_one_error(raw: bytes) -> None:
    with contextlib.suppress(ListKeyError):
        parse_key_file(raw)


def test_a_gate_holds_an_old_key_and_a_new_one_and_no_other() -> None:
    keys = ListKeys([ONE, OTHER])
    assert (keys[ONE.id], keys[OTHER.id]) == (ONE, OTHER)
    with pytest.raises(ListError, match="unknown_key"):
        keys["0" * 16]


def test_a_key_of_another_length_is_none() -> None:
    with pytest.raises(ListKeyError):
        ListKey(b"short")


def test_a_key_is_not_pickled_by_accident() -> None:
    with pytest.raises(TypeError, match="not serialised"):
        pickle.dumps(ONE)
