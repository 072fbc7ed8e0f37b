"""Letters on their way to the centre, withdrawals on theirs to the gate, over a line that loses and lies."""

from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec.structs import replace

from gated.central.folder import CentralFolder
from gated.central.registrations import RegistrationBook
from gated.store import registration_post as post
from gated.store.registration_letters import sign_receipt
from gated.store.registrations import Registrations
from tests.registration.people import (
    ANNA,
    ANNA_ANEW,
    BERT,
    CENTRE,
    GATE,
    PASSAGE,
    SIGNS,
    opened,
)

AT = 1_800_000_000
UTC = "2026-11-26T22:00:00.000+00:00"


class Pair:
    """A gate's post box and the centre's book. Time is a number that the test counts up."""

    def __init__(self, store: Registrations, book: RegistrationBook) -> None:
        self.store, self.book = store, book
        self.withdrawn: list[str] = []
        self.box = post.PostBox(store, SIGNS.public_key(), GATE, self.withdrawn.append)
        self.now = 0.0

    def answer(self, raw: bytes, key: Ed25519PrivateKey = SIGNS, gate: str = GATE) -> bytes:
        """What the collector does with a message."""
        said = post.read_at_centre(raw)
        if isinstance(said, post.AskWithdrawn):
            return post.encode(post.sign_withdrawn(key, gate, said, self.book.wishes(gate)))
        self.book.take(gate, said, UTC)
        receipt = sign_receipt(key, gate, said.registration, said.sealed, UTC)
        return post.encode(post.LetterTaken(receipt=receipt))

    def deliver(self) -> list[bool]:
        return [self.box.take(self.answer(raw)) for raw in self.box.due(self.now)]


@pytest.fixture
def pair(tmp_path: Path) -> Iterator[Pair]:
    (tmp_path / "centre").mkdir()
    book = RegistrationBook(CentralFolder(tmp_path / "centre"))
    with opened(tmp_path) as store:
        yield Pair(store, book)
    book.close()


def kinds(bodies: tuple[bytes, ...]) -> list[str]:
    return [type(post.read_at_centre(body)).__name__ for body in bodies]


def test_a_registration_comes_to_the_centre_and_waits_no_more(pair: Pair) -> None:
    number, _ = pair.store.register(ANNA, "2026-1", PASSAGE, AT)
    assert pair.deliver() == [True, True]
    assert pair.store.letters(8) == ()
    (held,) = pair.book.held()
    assert (held.registration, held.gate, held.letters, held.erased) == (number, GATE, 1, False)
    assert pair.book.find(ANNA, CENTRE) == ((GATE, number),)
    assert pair.book.find(ANNA_ANEW, CENTRE) == ((GATE, number),), "by the number for life"
    assert pair.book.find(BERT, CENTRE) == ()


def test_what_is_lost_on_the_way_is_sent_again_and_counts_once(pair: Pair) -> None:
    pair.store.register(ANNA, "2026-1", PASSAGE, AT)
    first = pair.box.due(pair.now)
    assert kinds(first) == ["LetterUp", "AskWithdrawn"]
    for raw in first:
        pair.answer(raw)  # it comes, the answer does not
    pair.now += post.AGAIN_S - 1
    assert pair.box.due(pair.now) == ()
    pair.now += 1
    assert kinds(pair.box.due(pair.now)) == ["LetterUp"]
    pair.now += post.AGAIN_S
    pair.deliver()
    assert pair.store.letters(8) == ()
    assert [each.letters for each in pair.book.held()] == [1]


def test_a_withdrawal_at_the_centre_comes_to_the_gate_and_its_deletion_back(pair: Pair) -> None:
    number, _ = pair.store.register(ANNA, "2026-1", PASSAGE, AT)
    pair.deliver()
    assert not pair.book.wish("gate-8", number, UTC)
    assert pair.book.wish(GATE, number, UTC)
    pair.now += post.ASK_S
    assert pair.deliver() == [True]
    assert pair.withdrawn == [number]
    pair.store.erase(number, "withdrawn_at_centre", AT + 5)
    pair.now += post.ASK_S
    pair.deliver()
    (held,) = pair.book.held()
    assert (held.letters, held.erased, held.withdrawn) == (1, True, False)
    assert pair.book.find(ANNA, CENTRE) == ()
    erasure = pair.store.erasure(number)
    assert erasure is not None
    assert erasure.receipt is not None


def test_the_centre_forgets_the_sealed_bytes_too(pair: Pair, tmp_path: Path) -> None:
    number, _ = pair.store.register(ANNA, "2026-1", PASSAGE, AT)
    (letter,) = pair.store.letters(1)
    pair.deliver()
    pair.store.erase(number, "withdrawn", AT + 5)
    pair.now += post.ASK_S
    pair.deliver()
    raw = b"".join(path.read_bytes() for path in sorted((tmp_path / "centre").iterdir()))
    assert letter.sealed[:32] not in raw


def test_a_letter_that_comes_after_the_deletion_is_signed_for_and_not_kept(pair: Pair) -> None:
    number, _ = pair.store.register(ANNA, "2026-1", PASSAGE, AT)
    late, _ = pair.box.due(pair.now)
    pair.store.erase(number, "withdrawn", AT + 5)
    pair.now += post.AGAIN_S
    pair.deliver()
    pair.box.take(pair.answer(late))
    assert [(each.letters, each.erased) for each in pair.book.held()] == [(1, True)]


def test_no_gate_deletes_what_another_has_registered(pair: Pair) -> None:
    number, _ = pair.store.register(ANNA, "2026-1", PASSAGE, AT)
    pair.deliver()
    pair.store.erase(number, "withdrawn", AT)
    pair.now += post.AGAIN_S
    (raw,) = pair.box.due(pair.now)
    pair.answer(raw, gate="gate-8")
    assert pair.book.find(ANNA, CENTRE) == ((GATE, number),)


def test_a_letter_that_another_gate_repeats_takes_nothing_from_the_first(pair: Pair) -> None:
    number, _ = pair.store.register(ANNA, "2026-1", PASSAGE, AT)
    letter, _ = pair.box.due(pair.now)
    pair.answer(letter, gate="gate-8")
    pair.answer(letter)
    assert [(each.gate, each.registration) for each in pair.book.held()] == [
        (GATE, number),
        ("gate-8", number),
    ]


def test_only_the_centres_word_for_this_gate_and_this_question_deletes(pair: Pair) -> None:
    number, _ = pair.store.register(ANNA, "2026-1", PASSAGE, AT)
    pair.deliver()
    pair.book.wish(GATE, number, UTC)
    pair.now += post.ASK_S
    (question,) = pair.box.due(pair.now)
    good = pair.answer(question)
    told = post.read_at_gate(good)
    assert isinstance(told, post.Withdrawn)
    forged = (
        pair.answer(question, key=Ed25519PrivateKey.generate()),
        pair.answer(question, gate="gate-8"),
        post.encode(replace(told, registrations=("f" * 32,))),
        post.encode(replace(told, nonce=bytes(16))),
        b"\xc1",
        b"",
    )
    assert [pair.box.take(raw) for raw in forged] == [False] * len(forged)
    assert pair.withdrawn == []
    assert pair.box.take(good)
    assert not pair.box.take(good), "an old answer says nothing new"
    assert pair.withdrawn == [number]


def test_a_gate_that_holds_nothing_lets_the_centre_wait_no_more(pair: Pair) -> None:
    number, _ = pair.store.register(ANNA, "2026-1", PASSAGE, AT)
    pair.deliver()
    pair.book.wish(GATE, number, UTC)
    pair.store._do("DELETE FROM registration")  # the disk was replaced
    pair.store.disclaim(number, AT)
    pair.store.disclaim(number, AT)
    pair.now += post.ASK_S
    pair.deliver()
    assert [(each.erased, each.withdrawn) for each in pair.book.held()] == [(True, False)]


@given(st.binary(max_size=200))
@settings(derandomize=True, max_examples=100)
def test_any_bytes_are_a_message_or_raise_one_error(raw: bytes) -> None:
    for read in (post.read_at_centre, post.read_at_gate):
        with suppress(post.PostError):
            read(raw)
