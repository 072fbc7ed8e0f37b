"""Counting people before the camera: a face that flits by is nobody, one that stays is somebody."""

from itertools import pairwise

from gated.seeing.crowd import AGAIN_S, GONE_S, SURE_S, Crowd

FRAME_S = 0.04


def told(looks: list[tuple[float, int]]) -> list[tuple[float, int]]:
    """What is told, and when, of looks that last so long with so many beside."""
    crowd, now, said = Crowd(), 0.0, []
    for seconds, beside in looks:
        end = now + seconds
        while now < end:
            persons = crowd.count(beside, now)
            if persons is not None:
                said.append((round(now, 2), persons))
            now += FRAME_S
    return said


def test_one_person_is_nothing_to_tell() -> None:
    assert told([(5.0, 0)]) == []


def test_a_face_that_flits_by_is_nobody() -> None:
    assert told([(1.0, 0), (SURE_S / 2, 1), (2.0, 0), (SURE_S / 2, 1), (2.0, 0)]) == []


def test_one_who_stays_is_told_soon_and_again_and_again() -> None:
    said = told([(1.0, 0), (3.0, 1)])
    assert {persons for _, persons in said} == {2}
    assert 1.0 + SURE_S <= said[0][0] <= 1.0 + SURE_S + 2 * FRAME_S
    assert all(AGAIN_S <= later - at <= AGAIN_S + 2 * FRAME_S for (at, _), (later, _) in pairwise(said))


def test_one_who_is_not_there_now_is_not_told_again() -> None:
    said = told([(SURE_S + FRAME_S, 1), (GONE_S - 2 * FRAME_S, 0)])
    assert [persons for _, persons in said] == [2]


def test_a_face_that_is_missed_now_and_then_is_still_there() -> None:
    said = told([(0.2, 1), (0.04, 0)] * 12)
    assert {persons for _, persons in said} == {2}


def test_one_who_has_gone_is_told_too() -> None:
    said = told([(1.0, 2), (GONE_S + 0.5, 0)])
    assert {persons for _, persons in said[:-1]} == {2}
    assert said[-1][1] == 1
