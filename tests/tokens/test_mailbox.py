"""Tokens that wait at the centre: each for its gate, bounded in number and in time."""

from gated.central.mailbox import KEEP_S, MAX_OF_ONE, Mailboxes
from gated.tokens import mark


def test_a_gate_collects_what_was_left_for_it_and_nothing_else() -> None:
    boxes = Mailboxes()
    assert boxes.leave("lane-2", b"one", "kiosk-1", 0.0)
    assert boxes.collect("lane-3", "", 1.0) == b""
    assert boxes.collect("lane-3", mark(b"one"), 1.0) == b"", "nor can another gate end it"
    assert boxes.collect("lane-2", "", 1.0) == b"one"


def test_a_token_waits_until_the_gate_has_it() -> None:
    boxes = Mailboxes()
    for body in (b"one", b"two"):
        boxes.leave("lane-2", body, "kiosk-1", 0.0)
    assert boxes.collect("lane-2", "", 1.0) == b"one"
    assert boxes.collect("lane-2", "", 1.0) == b"one", "the answer may have been lost"
    assert boxes.collect("lane-2", mark(b"one"), 1.0) == b"two"
    assert boxes.collect("lane-2", mark(b"two"), 1.0) == b""


def test_a_token_that_is_left_twice_is_there_once() -> None:
    boxes = Mailboxes()
    assert boxes.leave("lane-2", b"one", "kiosk-1", 0.0)
    assert boxes.leave("lane-2", b"one", "kiosk-1", 1.0)
    assert boxes.collect("lane-2", mark(b"one"), 2.0) == b""


def test_no_lane_fills_the_centre_or_crowds_out_another() -> None:
    boxes = Mailboxes()
    left = [boxes.leave(f"lane-{number % 3}", bytes([number]), "kiosk-1", 0.0) for number in range(100)]
    assert left == [True] * MAX_OF_ONE + [False] * (100 - MAX_OF_ONE)
    assert boxes.leave("lane-2", b"other", "kiosk-2", 0.0)


def test_a_token_is_not_kept_for_longer_than_one_can_hold() -> None:
    boxes = Mailboxes()
    boxes.leave("lane-2", b"one", "kiosk-1", 0.0)
    assert boxes.collect("lane-2", "", KEEP_S - 1) == b"one"
    assert boxes.collect("lane-2", "", KEEP_S) == b""
    assert boxes.leave("lane-2", b"two", "kiosk-1", KEEP_S)
