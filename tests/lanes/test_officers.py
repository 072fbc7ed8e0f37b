"""Officers' signed words: one that was said just now counts, once; every other one does not."""

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from msgspec.structs import replace

from gated.core.settings.central import OfficerSettings
from gated.core.vocabulary import Mode
from gated.lanes.officers import AHEAD_S, WORD_S, Officers
from gated.runtime import requests as say

KIM = Ed25519PrivateKey.generate()
NOON = 1_800_000_000.0


class Desk:
    """Officers' words at a gate whose two clocks are told."""

    def __init__(self) -> None:
        self.wall, self.up = NOON, 1000.0
        self.start()

    def start(self) -> None:
        settings = (OfficerSettings(name="kim", public_key=KIM.public_key().public_bytes_raw().hex()),)
        self.officers = Officers(settings, lambda: self.wall, lambda: self.up)

    def wait(self, seconds: float) -> None:
        self.wall += seconds
        self.up += seconds

    def hear(self, word: say.SetMode) -> str:
        refused = self.officers.refuse(word)
        return refused.reason if refused else "taken"


def said(at: float, mode: Mode = Mode.FREE_PASSAGE) -> say.SetMode:
    word = say.SetMode(mode=mode, reason="crowd", officer="kim", said_at=at)
    return replace(word, signature=KIM.sign(word.signed_text))


@pytest.fixture
def desk() -> Desk:
    desk = Desk()
    desk.wait(3600)
    return desk


def test_a_word_counts_once_however_its_time_is_written(desk: Desk) -> None:
    word = said(desk.wall)
    assert desk.hear(word) == "taken"
    again = replace(word, said_at=word.said_at + 0.0004)
    assert again.signed_text == word.signed_text, "the signature holds for it as well"
    assert desk.hear(again) == "word_was_taken"


def test_a_word_is_taken_for_what_it_says_and_nothing_else(desk: Desk) -> None:
    word = said(desk.wall, Mode.CLOSED)
    assert desk.hear(replace(word, mode=Mode.FREE_PASSAGE)) == "bad_signature"
    assert desk.hear(replace(word, reason="another")) == "bad_signature"
    assert desk.hear(word) == "taken"


def test_what_was_said_before_the_program_started_does_not_count_again(desk: Desk) -> None:
    word = said(desk.wall)
    assert desk.hear(word) == "taken"
    desk.wait(1)
    desk.start()
    desk.wait(2)
    assert desk.hear(word) == "word_too_old"
    assert desk.hear(said(desk.wall)) == "taken"


def test_a_word_that_was_overtaken_by_another_does_not_count(desk: Desk) -> None:
    first = said(desk.wall)
    desk.wait(1)
    assert desk.hear(said(desk.wall, Mode.CLOSED)) == "taken"
    assert desk.hear(first) == "word_was_taken"


@pytest.mark.parametrize("ago_s", [WORD_S + 1, -AHEAD_S - 1, float("nan"), float("inf"), float("-inf")])
def test_a_word_of_another_time_does_not_count(desk: Desk, ago_s: float) -> None:
    assert desk.hear(said(desk.wall - ago_s)) == "word_too_old"


def test_a_clock_that_was_set_back_leaves_nobody_without_a_say(desk: Desk) -> None:
    word = said(desk.wall)
    assert desk.hear(word) == "taken"
    desk.wait(600)
    desk.wall -= 600
    assert desk.hear(word) == "word_was_taken"
    assert desk.hear(said(desk.wall - 1)) == "taken"
