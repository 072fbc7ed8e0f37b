from math import comb

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from models.evaluation import rates
from models.evaluation.rates import Comparisons, Scores


def scores(*values: float) -> Scores:
    return np.array(values, np.float64)


def at_least(errors: int, trials: int, share: float) -> float:
    """The probability of so many errors or more, by its definition."""
    return sum(comb(trials, k) * share**k * (1 - share) ** (trials - k) for k in range(errors, trials + 1))


@settings(derandomize=True, deadline=None, max_examples=60)
@given(trials=st.integers(1, 60), data=st.data())
def test_the_interval_of_a_proportion_is_that_of_clopper_and_pearson(
    trials: int, data: st.DataObject
) -> None:
    errors = data.draw(st.integers(0, trials))
    found = rates.proportion(errors, trials)
    assert found.rate == errors / trials
    if errors:
        assert at_least(errors, trials, found.low) == pytest.approx(0.025, rel=1e-5)
    else:
        assert found.low == 0
    if errors < trials:
        assert 1 - at_least(errors + 1, trials, found.high) == pytest.approx(0.025, rel=1e-5)
    else:
        assert found.high == 1


def test_published_intervals_are_met() -> None:
    # none of 3000: 1 - 0.025^(1/3000)
    assert rates.proportion(0, 3000).high == pytest.approx(1 - 0.025 ** (1 / 3000), rel=1e-6)
    many = rates.proportion(500, 4_000_000)
    assert (many.low, many.high) == pytest.approx((1.142827e-4, 1.364515e-4), rel=1e-5)


def test_of_no_trials_nothing_is_known_and_impossible_counts_are_refused() -> None:
    nothing = rates.proportion(0, 0)
    assert (nothing.rate, nothing.low, nothing.high) == (None, 0.0, 1.0)
    for errors, trials in ((-1, 3), (4, 3)):
        with pytest.raises(ValueError, match="trials"):
            rates.proportion(errors, trials)


def test_rates_of_scores_that_can_be_counted() -> None:
    point = rates.operating_point(scores(0.5, 0.985, 0.9899, 0.995), np.arange(1000) / 1000, 0.01)
    assert point.threshold == pytest.approx(0.989)
    assert point.supported
    assert (point.false_matches.errors, point.false_matches.trials) == (10, 1000)
    assert (point.false_non_matches.errors, point.false_non_matches.trials) == (2, 4)
    assert point.few_errors


def test_equal_scores_of_strangers_never_exceed_the_rate() -> None:
    point = rates.operating_point(scores(0.6, 0.4), np.repeat([0.1, 0.5], [90, 10]), 0.05)
    assert point.false_matches.errors == 0
    assert point.false_non_matches.errors == 1


@settings(derandomize=True, deadline=None, max_examples=100)
@given(
    st.lists(st.integers(0, 40), min_size=1, max_size=80),
    st.sampled_from([0.3, 0.1, 0.01, 0.5, 0.9]),
)
def test_a_threshold_is_the_lowest_that_keeps_the_rate(values: list[int], fmr: float) -> None:
    others = np.array(values) / 40
    threshold, supported = rates.threshold_at(others, fmr)
    assert (others >= threshold).mean() <= 1.011 * fmr
    assert supported == (fmr * len(others) >= 1 / 1.01)
    below = np.nextafter(threshold, -np.inf)
    assert (others >= below).mean() > fmr + 1e-9 or (others >= below).all()


def test_a_few_pairs_that_failed_do_not_cost_a_whole_false_match() -> None:
    for pairs, allowed in ((3000, 3), (2997, 3), (2900, 2), (3500, 3)):
        point = rates.operating_point(scores(0.5), np.linspace(0, 1, pairs), 0.001)
        assert point.false_matches.errors == allowed


def test_a_rate_without_enough_pairs_is_a_bound_and_not_a_figure() -> None:
    point = rates.operating_point(scores(0.9, 0.2), np.linspace(0, 0.5, 3000), 1e-4)
    assert not point.supported
    assert point.false_matches.errors == 0
    assert point.false_matches.high == pytest.approx(0.00123, abs=1e-5)
    assert point.threshold > 0.5


def test_the_equal_error_rate_is_where_both_rates_meet() -> None:
    # 2 of 10 mated below 0.5, 2 of 10 non-mated above
    mated = scores(0.3, 0.4, *np.linspace(0.6, 0.9, 8))
    others = scores(0.7, 0.55, *np.linspace(0.1, 0.35, 8))
    found = rates.equal_error(mated, others)
    assert found is not None
    assert found.rate == pytest.approx(0.2)
    assert 0.4 < found.threshold <= 0.6
    assert rates.equal_error(mated, scores()) is None


def comparisons(seed: int = 1, people: int = 60, each: int = 6) -> Comparisons:
    chance = np.random.default_rng(seed)
    # a person who is hard to recognise is so in all comparisons: these are not independent
    ease = chance.normal(0.7, 0.12, people)
    first = np.repeat(np.arange(people), each)
    mated = np.clip(ease[first] + chance.normal(0, 0.02, len(first)), 0, 1)
    strangers = np.clip(chance.normal(0.35, 0.08, 4 * len(first)), 0, 1)
    one = np.tile(first, 4)
    other = (one + 1 + chance.integers(0, people - 1, len(one))) % people
    return Comparisons(
        scores=np.concatenate([mated, strangers]),
        first=np.concatenate([first, one]).astype(np.int32),
        second=np.concatenate([first, other]).astype(np.int32),
    )


def test_the_interval_over_people_is_wider_where_a_persons_comparisons_err_together() -> None:
    (point,) = rates.operating_points(comparisons(), (0.01,))
    exact, people = point.false_non_matches, point.fnmr_over_people
    assert people is not None
    assert exact.rate is not None
    assert people.low <= exact.rate <= people.high
    assert people.high - people.low > 1.5 * (exact.high - exact.low)


def test_an_interval_over_people_is_the_same_each_time_and_not_given_for_what_is_not_known() -> None:
    one, other = (rates.operating_points(comparisons(), (0.01, 1e-5)) for _ in range(2))
    assert one == other
    assert one[1].fnmr_over_people is None
    assert not one[1].supported


def test_each_fold_is_decided_by_the_threshold_of_the_others() -> None:
    # all scores of the second fold lie lower: its own best threshold makes no error, that of the first does
    folds = np.repeat([0, 1], 4)
    found = rates.fold_accuracy(
        Comparisons(
            scores=scores(0.9, 0.8, 0.6, 0.5, 0.5, 0.4, 0.2, 0.1),
            first=np.array([0, 1, 2, 3, 4, 5, 6, 7], np.int32),
            second=np.array([0, 1, 3, 2, 4, 5, 7, 6], np.int32),
        ),
        folds,
    )
    assert found is not None
    assert found.folds == (0.5, 0.5)
    assert found.mean == 0.5
    assert rates.fold_accuracy(comparisons(), np.zeros(1800, np.int32)) is None


@settings(derandomize=True, deadline=None, max_examples=80)
@given(st.lists(st.tuples(st.integers(0, 12), st.booleans()), min_size=1, max_size=30))
def test_the_best_threshold_makes_as_many_right_decisions_as_any(pairs: list[tuple[int, bool]]) -> None:
    values = np.array([value for value, _ in pairs]) / 12
    mated = np.array([truth for _, truth in pairs])

    def right(threshold: float) -> int:
        return int(((values >= threshold) == mated).sum())

    best = right(rates.best_threshold(values, mated))
    assert best == max(right(threshold) for threshold in (-1.0, 2.0, *np.unique(values)))


def test_a_curve_falls_and_holds_every_rate_that_can_be_counted() -> None:
    chance = np.random.default_rng(2)
    mated, others = chance.normal(0.7, 0.1, 500), chance.normal(0.3, 0.1, 20_000)
    line = rates.curve(mated, others)
    assert 50 < len(line.fmr) < 150
    assert (np.diff(line.fmr) <= 0).all()
    assert (np.diff(line.fnmr) >= 0).all()
    for place in (5, len(line.fmr) // 2, -5):
        assert line.fmr[place] == pytest.approx((others >= line.threshold[place]).mean())
        assert line.fnmr[place] == pytest.approx((mated < line.threshold[place]).mean())
    assert (line.fnmr_between[0] <= line.fnmr).all()
    assert (line.fnmr_between[1] >= line.fnmr).all()
    assert line.fmr[line.fmr > 0].min() == 1 / 20_000


def test_a_curve_of_very_many_scores_is_sampled_and_keeps_its_tail(monkeypatch: pytest.MonkeyPatch) -> None:
    chance = np.random.default_rng(3)
    mated, others = chance.normal(0.7, 0.1, 500), chance.normal(0.3, 0.1, 50_000)
    whole = rates.equal_error(mated, others)
    monkeypatch.setattr(rates, "MAX_STEPS", 2000)
    line, some = rates.curve(mated, others), rates.equal_error(mated, others)
    assert line.fmr[line.fmr > 0].min() == 1 / 50_000
    assert whole is not None
    assert some is not None
    assert some.rate == pytest.approx(whole.rate, abs=2e-3)


def test_of_no_false_non_match_no_interval_over_people_is_given() -> None:
    made = comparisons()
    easy = Comparisons(scores=np.where(made.mated, 0.99, made.scores), first=made.first, second=made.second)
    (point,) = rates.operating_points(easy, (0.01,))
    assert point.supported
    assert point.fnmr_over_people is None
