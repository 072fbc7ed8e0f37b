import codecs

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from models.evaluation import pairs
from models.evaluation.pairs import Pair, PairsError, Sample, parse

TEN_FOLDS = b"2\t1\nAda_Lovelace\t1\t4\nAda_Lovelace\t2\tBob\t1\nBob\t1\t2\nCarl\t1\tBob\t3\n"


def test_folds_hold_mated_pairs_and_then_others() -> None:
    listed = parse(TEN_FOLDS)
    assert (listed.folds, listed.told) == (2, 4)
    assert [(pair.fold, pair.mated) for pair in listed.pairs] == [
        (0, True),
        (0, False),
        (1, True),
        (1, False),
    ]
    assert listed.pairs[1] == Pair(
        reference=Sample(person="Ada_Lovelace", number=2), probe=Sample(person="Bob", number=1), fold=0
    )


def test_one_number_heads_a_list_without_folds() -> None:
    listed = parse(b"1\nAda\t1\t4\nAda\t2\tBob\t1\n")
    assert (listed.folds, listed.told, len(listed.pairs)) == (1, 2, 2)


def test_a_list_may_have_no_heading_and_any_line_ends() -> None:
    listed = parse(b"\xef\xbb\xbfAda\t1\t4\r\n\r\nAda\t2\tBob\t1")
    assert (listed.folds, listed.told, len(listed.pairs)) == (1, None, 2)
    assert listed.pairs[1].probe == Sample(person="Bob", number=1)


def test_a_heading_that_does_not_agree_leaves_the_pairs_and_no_folds() -> None:
    listed = parse(b"10\t300\nAda\t1\t4\nAda\t2\tBob\t1\n")
    assert (listed.folds, listed.told, len(listed.pairs)) == (1, 6000, 2)


def test_names_may_hold_blanks_between_tabs_and_letters_of_any_kind() -> None:
    listed = parse("José María O'Neill\t1\tJoão de Sá\t12\nA B\t1\t2\n".encode())
    assert listed.pairs[0].reference.person == "José María O'Neill"
    assert listed.pairs[0].probe == Sample(person="João de Sá", number=12)
    assert listed.pairs[1].mated


def test_one_name_in_two_unicode_spellings_is_one_person() -> None:
    assert parse("Zoë\t1\tZoe\u0308\t2\n".encode()).pairs[0].mated


def test_a_list_without_tabs_is_split_at_blanks() -> None:
    assert parse(b"10 300\nAda 1 4\nAda 2 Bob 1\n").pairs[1].probe == Sample(person="Bob", number=1)


@pytest.mark.parametrize("mark", [codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE])
def test_a_list_may_be_utf_16_where_its_mark_says_so(mark: bytes) -> None:
    coding = "utf-16-le" if mark == codecs.BOM_UTF16_LE else "utf-16-be"
    raw = mark + "José\t1\t2\r\n".encode(coding)
    assert parse(raw) == parse("José\t1\t2\n".encode())
    with pytest.raises(PairsError):
        parse(mark + b"A\x00\xd8\x00\x00")


def test_names_that_are_not_utf_8_are_kept_as_paths_keep_them() -> None:
    assert parse(b"Jos\xe9\t1\t2\n").pairs[0].reference.person == "Jos\udce9"


@pytest.mark.parametrize(
    ("raw", "reason", "line"),
    [
        (b"", "no_pairs", 0),
        (b"10\t300\n", "no_pairs", 0),
        (b"1\nAda\t1\n", "not_three_or_four_fields", 2),
        (b"1\nAda\t1\tBob\t2\t3\n", "not_three_or_four_fields", 2),
        (b"ten\t300\nAda\t1\t2\n", "not_a_number", 1),
        (b"Ada\t1\tfour\n", "not_a_number", 1),
        (b"Ada\t0\t1\n", "not_a_number", 1),
        (b"Ada\t-1\t1\n", "not_a_number", 1),
        (b"Ada\t1\t1234567\n", "not_a_number", 1),
        ("Ada\t\u0661\t2\n".encode(), "not_a_number", 1),
        (b"A" * 256 + b"\t1\t2\n", "name_too_long", 1),
    ],
)
def test_what_is_no_list_is_refused(raw: bytes, reason: str, line: int) -> None:
    with pytest.raises(PairsError) as refused:
        parse(raw)
    assert (refused.value.reason, refused.value.line) == (reason, line)
    assert "Ada" not in str(refused.value)


def test_a_list_that_is_too_long_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pairs, "MAX_PAIRS", 1)
    with pytest.raises(PairsError, match="too_many_pairs"):
        parse(b"A\t1\t2\nA\t1\t3\n")
    monkeypatch.setattr(pairs, "MAX_BYTES", 10)
    with pytest.raises(PairsError, match="too_long"):
        parse(b"A\t1\t2\nA\t1\t3\n")


@settings(derandomize=True, max_examples=200)
@given(
    st.one_of(
        st.binary(max_size=200),
        st.text("AB \t\n\r0123456789é", max_size=120).map(str.encode),
        st.builds(
            lambda cut, noise: TEN_FOLDS[:cut] + noise + TEN_FOLDS[cut:],
            st.integers(0, len(TEN_FOLDS)),
            st.binary(max_size=4),
        ),
    )
)
@example(b"0\t0\n\t\t\n")
def test_any_bytes_are_a_list_or_refused(raw: bytes) -> None:
    try:
        listed = parse(raw)
    except PairsError as refused:
        assert refused.reason.replace("_", "").isalpha()  # noqa: PT017 - either outcome is right
        return
    assert listed.pairs
    assert all(0 <= pair.fold < listed.folds for pair in listed.pairs)
    assert all(1 <= pair.probe.number <= pairs.MAX_NUMBER for pair in listed.pairs)
