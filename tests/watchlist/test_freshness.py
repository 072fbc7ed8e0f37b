from hypothesis import given
from hypothesis import strategies as st

from gated.watchlist.freshness import Age, Freshness

SIGNED = 1_000_000.0
times = st.floats(0, 2_000_000)


def test_the_age_counts_from_the_signed_word() -> None:
    age = Age(Freshness(signed_at=SIGNED, seen_at=SIGNED))
    assert age.seconds(SIGNED + 60, 5.0) == 60


def test_a_clock_that_goes_back_does_not_make_the_list_younger() -> None:
    age = Age(Freshness(signed_at=SIGNED, seen_at=SIGNED))
    assert age.seconds(SIGNED + 1000, 10.0) == 1000
    assert age.seconds(0.0, 40.0) == 1030  # the monotonic clock goes on


def test_what_was_seen_counts_after_a_restart_with_an_empty_battery() -> None:
    age = Age(Freshness(signed_at=SIGNED, seen_at=SIGNED + 5000))
    assert age.seconds(0.0, 3.0) == 5000


def test_a_newer_word_frees_from_a_clock_that_once_stood_in_the_future() -> None:
    age = Age(Freshness(signed_at=SIGNED, seen_at=SIGNED))
    assert age.seconds(SIGNED + 1e9, 10.0) == 1e9
    age.confirm(SIGNED + 60, SIGNED + 61, 20.0)
    assert age.seconds(SIGNED + 62, 21.0) == 2


def test_the_same_word_again_changes_nothing() -> None:
    age = Age(Freshness(signed_at=SIGNED, seen_at=SIGNED + 500))
    age.confirm(SIGNED, SIGNED, 1.0)
    age.confirm(SIGNED - 10, SIGNED, 1.0)
    assert age.seconds(SIGNED, 1.0) == 500


def test_a_word_from_the_future_is_not_of_negative_age() -> None:
    assert Age(Freshness(signed_at=SIGNED, seen_at=SIGNED)).seconds(SIGNED - 100, 0.0) == 0


@given(st.lists(st.tuples(times, st.floats(0, 100)), max_size=20))
def test_without_a_new_word_the_age_never_falls_and_grows_with_the_monotonic_clock(
    readings: list[tuple[float, float]],
) -> None:
    age = Age(Freshness(signed_at=SIGNED, seen_at=SIGNED))
    at, last, first = 0.0, 0.0, age.seconds(SIGNED, 0.0)
    for now, step in readings:
        at += step
        current = age.seconds(now, at)
        assert current >= last
        assert current >= first + at - 1e-3
        last = current
