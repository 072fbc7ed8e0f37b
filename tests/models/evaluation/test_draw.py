from collections.abc import Mapping
from pathlib import Path

import pytest

from models.evaluation import draw
from models.evaluation.draw import DrawError
from models.evaluation.photographs import Collection


def collection(folder: Path, people: Mapping[str, int]) -> Collection:
    """So many empty photographs of each person: a draw opens none."""
    for name, photographs in people.items():
        (folder / name).mkdir()
        for number in range(1, photographs + 1):
            (folder / name / f"{name}_{number:04}.jpg").touch()
    return Collection(folder)


def crowd(folder: Path) -> Collection:
    return collection(folder, {f"Person{n}": 1 + n % 4 for n in range(120)} | {"Famous": 300})


def test_half_of_each_fold_is_mated_and_no_pair_comes_twice(tmp_path: Path) -> None:
    listed = draw.pairs(crowd(tmp_path), 400, seed=3)
    assert listed.folds == draw.FOLDS
    for fold in range(draw.FOLDS):
        assert [pair.mated for pair in listed.pairs if pair.fold == fold] == [True] * 20 + [False] * 20
    assert len({frozenset({pair.reference, pair.probe}) for pair in listed.pairs}) == 400


def test_the_people_of_a_fold_are_in_no_other(tmp_path: Path) -> None:
    listed = draw.pairs(crowd(tmp_path), 400, seed=3)
    folds = [
        {side.person for pair in listed.pairs if pair.fold == fold for side in (pair.reference, pair.probe)}
        for fold in range(draw.FOLDS)
    ]
    assert sum(map(len, folds)) == len(set.union(*folds))


def test_who_has_many_photographs_is_drawn_no_oftener_than_others(tmp_path: Path) -> None:
    listed = draw.pairs(crowd(tmp_path), 400, seed=3)
    mated = [pair.reference.person for pair in listed.pairs if pair.mated]
    assert 0 < mated.count("Famous") < 12  # of 20 in one fold: all photographs with all, it were each of them


def test_a_seed_gives_the_same_pairs_and_another_gives_others(tmp_path: Path) -> None:
    people = crowd(tmp_path)
    assert draw.pairs(people, 200, seed=1) == draw.pairs(people, 200, seed=1)
    assert draw.pairs(people, 200, seed=1) != draw.pairs(people, 200, seed=2)


def test_several_draws_together_are_each_of_them_without_folds(tmp_path: Path) -> None:
    people = crowd(tmp_path)
    both = draw.repeated(people, 200, seed=1, draws=2)
    apart = [draw.pairs(people, 200, seed=seed) for seed in (1, 2)]
    assert [(each.reference, each.probe) for each in both.pairs] == [
        (each.reference, each.probe) for one in apart for each in one.pairs
    ]
    assert (both.folds, both.draws) == (1, 2)
    assert draw.repeated(people, 200, seed=1, draws=1) == apart[0]
    with pytest.raises(DrawError, match="draw fewer"):
        draw.repeated(people, 400, seed=1, draws=2000)


@pytest.mark.parametrize("count", [0, 10, 30, 500_020])
def test_a_count_that_makes_no_ten_folds_is_refused(tmp_path: Path, count: int) -> None:
    people = crowd(tmp_path)
    with pytest.raises(DrawError, match="multiple of 20"):
        draw.pairs(people, count, seed=1)


def test_too_few_people_or_photographs_are_told(tmp_path: Path) -> None:
    (tmp_path / "few").mkdir()
    (tmp_path / "one").mkdir()
    with pytest.raises(DrawError, match="too few people"):
        draw.pairs(collection(tmp_path / "few", {"A": 2, "B": 2}), 20, seed=1)
    with pytest.raises(DrawError, match="ask for fewer"):
        draw.pairs(collection(tmp_path / "one", {f"Person{n}": 2 for n in range(20)}), 2000, seed=1)
