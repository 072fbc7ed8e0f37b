"""What is compared with what: on embeddings that are made up, so that every score is known."""

from pathlib import Path

import numpy as np
import pytest

from models.evaluation import pairs, verification
from models.evaluation.acquisition import Acquired
from models.evaluation.photographs import Collection
from models.evaluation.verification import Verification, VerificationError
from models.tflite import Floats
from tests.models.portraits import embedder

PEOPLE = {"ada": 7, "bob": 6, "carl": 3, "dora": 1}


@pytest.fixture
def collection(tmp_path: Path) -> Collection:
    for name, count in PEOPLE.items():
        (tmp_path / name).mkdir()
        for number in range(1, count + 1):
            (tmp_path / name / f"{name}_{number:04}.jpg").touch()
    return Collection(tmp_path)


def vector(person: int, number: int) -> Floats:
    """A person's direction, a little of a photograph's own."""
    values = np.zeros(128, np.float32)
    values[person] = 1.0
    values[20 + number] = 0.1
    values[127] = 2.5  # what all faces have in common
    return values / np.float32(np.linalg.norm(values))


def acquired(collection: Collection, *failed: str, sides: bool = False) -> Acquired:
    """Embeddings of all photographs but those that failed."""
    found = Acquired()
    for person, (name, group) in enumerate(collection.people.items()):
        for number, each in enumerate(group, 1):
            if f"{name}_{number}" in failed:
                found.failures[each.file] = "no_face_detected"
                continue
            found.embeddings[each.file] = vector(person, number)
            if sides:
                found.sides[each.file] = vector(person, 50 + number), vector(person, 70 + number)
    return found


def listed(text: str) -> pairs.PairList:
    return pairs.parse(text.replace(" ", "\t").encode())


def of_pairs(collection: Collection, text: str, found: Acquired, template: int = 1) -> Verification:
    return verification.of_pairs(collection, listed(text), found, embedder(), template)


def test_pairs_are_compared_in_their_order_and_keep_their_folds(collection: Collection) -> None:
    found = of_pairs(collection, "2 1\nada 1 2\nada 1 bob 1\nbob 2 3\ncarl 1 dora 1\n", acquired(collection))
    assert found.comparisons.mated.tolist() == [True, False, True, False]
    assert found.folds is not None
    assert found.folds.tolist() == [0, 0, 1, 1]
    expected = [
        embedder().score(vector(*one), vector(*other))
        for one, other in (((0, 1), (0, 2)), ((0, 1), (1, 1)), ((1, 2), (1, 3)), ((2, 1), (3, 1)))
    ]
    assert found.comparisons.scores == pytest.approx(expected)
    assert (found.people, found.photographs, found.cross) == (4, 7, False)


def test_pairs_that_cannot_be_compared_are_counted_by_reason(collection: Collection) -> None:
    text = "ada 1 2\nada 1 9\neve 1 2\nada 1 ada 1\ncarl 1 2\nada 1 carl 1\n"
    found = of_pairs(collection, text, acquired(collection, "carl_1"))
    assert found.left_out.pairs == {
        "photograph_missing": 2,
        "same_photograph_twice": 1,
        "failure_to_acquire": 2,
    }
    assert found.left_out.missing == ["ada 9", "eve 1", "eve 2"]
    assert len(found.comparisons.scores) == 1


def test_nothing_to_compare_is_an_error_that_says_why(collection: Collection) -> None:
    with pytest.raises(VerificationError, match="photograph_missing 1"):
        of_pairs(collection, "eve 1 2\n", acquired(collection))


def test_a_template_is_of_the_named_image_and_the_next_and_never_of_the_reference(
    collection: Collection,
) -> None:
    found = of_pairs(collection, "ada 6 5\n", acquired(collection), template=3)
    fused = np.mean([vector(0, number) for number in (5, 7, 1)], axis=0)
    assert found.comparisons.scores == pytest.approx([embedder().score(vector(0, 6), fused)])


def test_a_template_passes_over_what_was_not_acquired(collection: Collection) -> None:
    found = of_pairs(collection, "ada 6 5\n", acquired(collection, "ada_5", "ada_1"), template=3)
    fused = np.mean([vector(0, number) for number in (7, 2, 3)], axis=0)
    assert found.comparisons.scores == pytest.approx([embedder().score(vector(0, 6), fused)])


def test_a_template_of_frames_takes_each_other_one_mirrored(collection: Collection) -> None:
    found = of_pairs(collection, "ada 1 2\n", acquired(collection, sides=True), template=3)
    fused = np.mean([vector(0, 50 + 2), vector(0, 70 + 3), vector(0, 50 + 4)], axis=0)
    assert found.comparisons.scores == pytest.approx([embedder().score(vector(0, 1), fused)])


def test_people_with_too_few_photographs_for_a_template_are_counted(collection: Collection) -> None:
    text = "ada 1 2\ncarl 1 2\nada 1 carl 1\nbob 1 2\n"
    found = of_pairs(collection, text, acquired(collection), template=5)
    assert found.left_out.pairs == {"too_few_photographs_for_a_template": 2}
    assert found.comparisons.mated.sum() == 2


def test_references_are_crossed_with_the_templates_of_others_once(collection: Collection) -> None:
    text = "ada 1 2\nada 1 bob 1\nada 3 2\nbob 1 2\nbob 1 2\n"
    found = of_pairs(collection, text, acquired(collection), template=3)
    strangers = found.comparisons.only(~found.comparisons.mated)
    # references ada 1, ada 3, bob 1; templates ada 2.. (without 1), ada 2.. (without 3), bob 1.., bob 2..
    assert sorted(zip(strangers.first.tolist(), strangers.second.tolist(), strict=True)) == [
        (0, 1), (0, 1), (0, 1), (0, 1), (1, 0), (1, 0),
    ]  # fmt: skip
    assert found.cross
    assert found.comparisons.mated.sum() == 4
    assert found.folds is None


def test_all_photographs_are_compared_with_all_others_once(collection: Collection) -> None:
    found = verification.of_all(collection, acquired(collection, "bob_6"), embedder())
    kept = 7 + 5 + 3 + 1
    assert len(found.comparisons.scores) == kept * (kept - 1) // 2
    assert found.comparisons.mated.sum() == 21 + 10 + 3
    for place in (0, 17, 60, 119):
        first, second = found.comparisons.first[place], found.comparisons.second[place]
        own = 1.0 if first == second else 0.0
        assert (found.comparisons.scores[place] > 0.96) == bool(own)
    assert found.left_out.failures == {"bob/bob_0006.jpg": "no_face_detected"}


def test_each_photograph_in_turn_is_a_reference_for_the_next_ones(collection: Collection) -> None:
    found = verification.of_all(collection, acquired(collection), embedder(), 5)
    mated = found.comparisons.only(found.comparisons.mated)
    assert len(mated.scores) == 7 + 6
    fused = np.mean([vector(0, number) for number in (7, 1, 2, 3, 4)], axis=0)
    assert mated.scores[5] == pytest.approx(embedder().score(vector(0, 6), fused))
    assert len(found.comparisons.scores) - 13 == 2 * 7 * 6
    assert found.left_out.pairs == {"too_few_photographs_for_a_template": 2}


def test_too_few_photographs_for_anything_are_an_error(collection: Collection) -> None:
    with pytest.raises(VerificationError, match="nobody has more than 7"):
        verification.of_all(collection, acquired(collection), embedder(), 7)
    with pytest.raises(VerificationError, match="nobody has more than 7"):
        verification.needed_for_all(collection, 7)  # before they are embedded
    with pytest.raises(VerificationError, match="fewer than two"):
        verification.of_all(collection, Acquired(), embedder())


def test_more_comparisons_than_memory_holds_are_refused(
    collection: Collection, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(verification, "MAX_COMPARISONS", 20)
    for template in (1, 5):
        with pytest.raises(VerificationError, match="more than 20"):
            verification.of_all(collection, acquired(collection), embedder(), template)
    with pytest.raises(VerificationError, match="136 comparisons are more than 20"):
        verification.needed_for_all(collection)  # before they are embedded
    assert len(verification.needed_for_all(collection, template=5)) == 17


def test_only_what_is_needed_is_embedded(collection: Collection) -> None:
    some = listed("ada 1 2\nada 1 carl 2\nada 1 eve 2\n")
    singles = verification.needed_for_pairs(collection, some, 1)
    assert [(each.person, each.number) for each in singles] == [("ada", 1), ("ada", 2), ("carl", 2)]
    assert len(verification.needed_for_pairs(collection, some, 5)) == 7 + 3
    assert len(verification.needed_for_all(collection)) == 17
