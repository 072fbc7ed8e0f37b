"""T=1 against a published trace, against a simulated card on a bad line, and against any bytes at all."""

from collections.abc import Callable, Generator, Iterator
from typing import TypeVar

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from drivers import t1
from drivers.t1 import Control, Information, Link, Outgoing, Ready, Supervision, T1Error
from hw_sim.reader.t1_card import Habits, T1Card

T = TypeVar("T")
COMMAND = bytes.fromhex("00a4000000")


class Echo:
    """A card that returns what it is sent, and 9000; or as many bytes as its last two say."""

    atr = b""

    def __init__(self, size: int | None = None) -> None:
        self.size = size
        self.seen: list[bytes] = []

    def reset(self) -> None:
        pass

    def command(self, apdu: bytes) -> bytes:
        self.seen.append(apdu)
        return (apdu if self.size is None else bytes(self.size)) + b"\x90\x00"

    def busy_s(self, command: bytes, response: bytes) -> float:  # noqa: ARG002 - no work
        return 0.0


def converse(conversation: Generator[Outgoing, bytes | None, T], line: Callable[[bytes], bytes | None]) -> T:
    """Run a conversation against the far end of a line."""
    outgoing = next(conversation)
    while True:
        try:
            outgoing = conversation.send(line(outgoing.data))
        except StopIteration as end:
            result: T = end.value
            return result


def script(*pairs: str) -> Callable[[bytes], bytes | None]:
    """A line on which exactly these blocks pass: `sent > received`; `-` is silence."""
    steps = iter(pairs)

    def line(sent: bytes) -> bytes | None:
        step = next(steps, None)
        assert step is not None, "a block too many"
        expected, received = step.split(">")
        assert sent == bytes.fromhex(expected)
        return None if received.strip() == "-" else bytes.fromhex(received)

    return line


def test_the_exchange_of_a_published_trace_with_crc() -> None:
    # popovec/oseid, doc/T1_CRC.txt: IFSD announced, a master file selected, its description in three blocks
    link = Link(ifsc=254, use_crc=True)
    converse(link.announce(254), script("00c101fe544e > 00e101fe5775"))
    line = script(
        "000005 00a4000000 b8da > 002014 6f1781027fff8201388302 3f008603113fff8502 1029",
        "009000 206e > 006007 00028a01aa9000 a633",
        "008000 b5ff > 000000 3933",  # the last link of the chain is empty
    )
    response = converse(link.exchange(COMMAND), line)
    assert response == bytes.fromhex("6f1781027fff82013883023f008603113fff8502 00028a01aa9000")


def test_blocks_are_those_of_the_standard() -> None:
    # 11.3.2: the coding of PCB; 11.3.4: LRC
    assert t1.encode(Information(1, more=True, data=b"\x01\x02")) == bytes.fromhex("006002010261")
    assert t1.encode(Ready(1)) == bytes.fromhex("00900090")
    assert t1.encode(Supervision(Control.WTX, response=True, value=b"\x05")) == bytes.fromhex("00e30105e7")
    for block in (
        Information(0, more=False, data=b"x"),
        Ready(0),
        Supervision(Control.RESYNCH, response=False, value=b""),
        Supervision(Control.IFS, response=False, value=b"\xfe"),
    ):
        assert t1.decode(t1.encode(block)) == block
        assert t1.decode(t1.encode(block, t1.crc), t1.crc) == block


@pytest.mark.parametrize(
    "body",
    [
        "01 00 00",  # a node address
        "00 00 01",  # a length that is not there
        "00 01 00",  # reserved bits of an I-block
        "00 a0 00",  # of an R-block
        "00 83 00",
        "00 80 01 00",  # an R-block with content
        "00 c4 00",  # an S-block of no kind
        "00 c1 00",  # IFS without a size
        "00 c1 01 00",
        "00 c1 01 ff",
        "00 c3 01 00",  # no time at all
        "00 c0 01 00",
    ],
)
def test_what_is_no_block_is_refused(body: str) -> None:
    raw = bytes.fromhex(body)
    with pytest.raises(t1.BadBlock) as caught:
        t1.decode(raw + t1.lrc(raw))
    assert not caught.value.wrong_check
    with pytest.raises(t1.BadBlock) as caught:
        t1.decode(raw + b"\x5a")
    assert caught.value.wrong_check


def test_a_block_longer_than_was_agreed_is_refused() -> None:
    raw = t1.encode(Information(0, more=False, data=bytes(33)))
    assert t1.decode(raw)
    with pytest.raises(t1.BadBlock):
        t1.decode(raw, largest=32)


@settings(derandomize=True)
@given(st.binary(max_size=300))
def test_any_bytes_are_a_block_or_one_error(raw: bytes) -> None:
    for check in (t1.lrc, t1.crc):
        for block in (raw, raw + check(raw)):
            try:
                decoded = t1.decode(block, check)
            except t1.BadBlock:
                continue
            if not isinstance(decoded, Ready):  # the reason in an R-block is not kept
                assert t1.encode(decoded, check) == block


@settings(derandomize=True, max_examples=60, deadline=None)
@given(
    apdus=st.lists(st.binary(min_size=4, max_size=700), min_size=1, max_size=3),
    ifsc=st.integers(1, 254),
    ifsd=st.integers(1, 254),
    habits=st.builds(
        Habits,
        crc=st.booleans(),
        wants_time=st.sampled_from([0, 3]),
        new_ifsc=st.sampled_from([0, 1, 100, 254]),
    ),
)
def test_every_apdu_is_carried_both_ways(apdus: list[bytes], ifsc: int, ifsd: int, habits: Habits) -> None:
    card = Echo()
    far_end = T1Card(card, habits)
    link = Link(ifsc=ifsc, use_crc=habits.crc)
    converse(link.announce(ifsd), far_end.block)
    for apdu in apdus:
        assert converse(link.exchange(apdu), far_end.block) == apdu + b"\x90\x00"
    assert card.seen == apdus


def disturbed(far_end: T1Card, faults: Iterator[int]) -> Callable[[bytes], bytes | None]:
    """A line that spoils blocks on their way there (1) or back (2), or loses them there (3) or back (4)."""

    def spoil(block: bytes) -> bytes:
        return block[:-1] + bytes((block[-1] ^ 0x10,))

    def line(sent: bytes) -> bytes | None:
        fault = next(faults, 0)
        if fault == 3:
            return None
        answer = far_end.block(spoil(sent) if fault == 1 else sent)
        if fault == 4 or answer is None:
            return None
        return spoil(answer) if fault == 2 else answer

    return line


@settings(derandomize=True, max_examples=300, deadline=None)
@given(
    faults=st.lists(st.sampled_from([0, 0, 1, 2, 3, 4]), max_size=40),
    size=st.integers(0, 300),
    length=st.integers(4, 200),
    habits=st.builds(Habits, wants_time=st.sampled_from([0, 3]), new_ifsc=st.sampled_from([0, 20])),
)
def test_a_bad_line_delays_or_ends_an_exchange_but_never_falsifies_it(
    faults: list[int], size: int, length: int, habits: Habits
) -> None:
    card = Echo(size)
    coming = iter(faults)
    line = disturbed(T1Card(card, habits), coming)
    link, apdu = Link(), bytes(length)
    try:
        response = converse(link.exchange(apdu), line)
    except T1Error as error:
        assert error.code == "link_lost"  # noqa: PT017 - either end is right
        with pytest.raises(T1Error, match="link_lost"):
            next(link.exchange(apdu))
        return
    assert response == bytes(size) + b"\x90\x00"
    assert set(card.seen) == {apdu}
    for _ in coming:
        pass  # the faults that are left never happen
    assert converse(link.exchange(apdu), line) == response


@pytest.mark.parametrize("fault", [1, 2, 3, 4])
@pytest.mark.parametrize("nth", range(8))
def test_one_or_two_faults_in_a_row_at_any_block_are_made_good_without_doing_anything_twice(
    fault: int, nth: int
) -> None:
    for times in (1, 2):
        card = Echo(60)
        line = disturbed(T1Card(card), iter([0] * nth + [fault] * times))
        assert converse(Link().exchange(bytes(70)), line) == bytes(60) + b"\x90\x00"
        assert len(card.seen) == 1


def test_three_faults_in_a_row_start_the_exchange_afresh() -> None:
    card = Echo(4)
    line = disturbed(T1Card(card), iter([3, 3, 3]))
    assert converse(Link().exchange(COMMAND), line) == bytes(4) + b"\x90\x00"


def test_a_dead_card_is_given_up_after_three_tries_to_resynchronise() -> None:
    sent: list[bytes] = []

    def silence(block: bytes) -> None:
        sent.append(block)

    link = Link()
    with pytest.raises(T1Error, match="link_lost") as caught:
        converse(link.exchange(COMMAND), silence)
    assert caught.value.lost
    again, resynch = bytes.fromhex("00820082"), bytes.fromhex("00c000c0")
    assert sent == [t1.encode(Information(0, more=False, data=COMMAND)), again, again, *[resynch] * 3]


def test_a_card_that_forgets_to_resynchronise_is_lost() -> None:
    line = disturbed(T1Card(Echo(), Habits(forgets_resynch=True)), iter([3, 3, 3]))
    with pytest.raises(T1Error, match="link_lost"):
        converse(Link().exchange(COMMAND), line)


def test_after_resynchronising_the_numbers_begin_at_zero() -> None:
    link, far_end = Link(), T1Card(Echo(2))
    converse(link.exchange(COMMAND), far_end.block)
    line = disturbed(far_end, iter([3, 3, 3]))
    assert converse(link.exchange(COMMAND), line) == bytes(2) + b"\x90\x00"
    assert converse(link.exchange(COMMAND), far_end.block) == bytes(2) + b"\x90\x00"


def test_more_time_is_granted_and_the_reader_told() -> None:
    far_end = T1Card(Echo(1), Habits(wants_time=7))
    conversation = Link().exchange(COMMAND)
    first = next(conversation)
    granted = conversation.send(far_end.block(first.data))
    assert (first.waits, granted.waits) == (1, 7)
    assert granted.data == t1.encode(Supervision(Control.WTX, response=True, value=b"\x07"))
    with pytest.raises(StopIteration) as end:
        conversation.send(far_end.block(granted.data))
    assert end.value.value == b"\x00\x90\x00"


@pytest.mark.parametrize("nth", [1, 2, 3])
def test_a_chain_that_the_card_gives_up_fails_alone(nth: int) -> None:
    card = Echo(5)
    far_end = T1Card(card, Habits(gives_up_at=nth))
    link = Link()
    with pytest.raises(T1Error, match="chain_aborted") as caught:
        converse(link.exchange(bytes(90)), far_end.block)
    assert not caught.value.lost
    assert converse(link.exchange(COMMAND), far_end.block) == bytes(5) + b"\x90\x00"
    assert card.seen == [COMMAND]


def test_a_card_may_answer_in_place_of_a_chain_that_it_gave_up() -> None:
    line = script(
        "002020" + "00" * 32 + "00 > 00c200c2",
        "00e200e2 > 000002 6700 65",
    )
    assert converse(Link().exchange(bytes(40)), line) == b"\x67\x00"


def test_an_endless_response_is_cut_off() -> None:
    sequence = iter([0, 1] * 40_000)

    def line(_: bytes) -> bytes:
        return t1.encode(Information(next(sequence), more=True, data=bytes(254)))

    link = Link(ifsd=254)
    with pytest.raises(T1Error, match="response_too_long"):
        converse(link.exchange(COMMAND), line)


@pytest.mark.parametrize(
    "block",
    [
        Supervision(Control.WTX, response=False, value=b"\x01"),
        Supervision(Control.IFS, response=False, value=b"\x20"),
        Supervision(Control.ABORT, response=False, value=b""),
    ],
)
def test_a_card_that_only_ever_asks_is_cut_off(block: Supervision) -> None:
    with pytest.raises(T1Error, match="too_many_blocks"):
        converse(Link().exchange(COMMAND), lambda _: t1.encode(block))


def test_empty_links_of_a_chain_are_counted_too() -> None:
    sequence = iter([0, 1] * 40_000)
    with pytest.raises(T1Error, match="too_many_blocks"):
        converse(
            Link().exchange(COMMAND), lambda _: t1.encode(Information(next(sequence), more=True, data=b""))
        )


@pytest.mark.parametrize(
    "block",
    [
        Information(1, more=False, data=b"\x90\x00"),  # a number out of turn
        Ready(1),  # it says that it has the block, and does not answer it
        Supervision(Control.WTX, response=True, value=b"\x01"),  # a response to nothing
        Supervision(Control.RESYNCH, response=False, value=b""),  # which only the host may ask for
    ],
)
def test_what_is_out_of_turn_is_asked_for_again_and_then_given_up(block: t1.Block) -> None:
    with pytest.raises(T1Error, match="link_lost"):
        converse(Link().exchange(COMMAND), lambda _: t1.encode(block))


def test_an_announcement_that_is_not_confirmed_ends_the_link() -> None:
    link = Link()
    with pytest.raises(T1Error, match="link_lost"):
        converse(link.announce(254), lambda _: t1.encode(Ready(0)))
    with pytest.raises(ValueError, match="1 to 254"):
        next(link.announce(255))


def test_blocks_do_not_show_in_repr() -> None:
    assert "SECRET" not in repr(Outgoing(b"SECRET")) + repr(Information(0, more=False, data=b"SECRET"))


blocks = st.one_of(
    st.none(),
    st.binary(max_size=40),
    st.builds(Information, st.integers(0, 1), st.booleans(), st.binary(max_size=32)).map(t1.encode),
    st.builds(Ready, st.integers(0, 1)).map(t1.encode),
    st.builds(Supervision, st.sampled_from(Control), response=st.booleans(), value=st.binary(max_size=1)).map(
        t1.encode
    ),
)


@settings(derandomize=True, max_examples=300)
@given(apdu=st.binary(min_size=4, max_size=100), answers=st.lists(blocks, max_size=20))
def test_whatever_the_card_sends_ends_in_a_response_or_one_error(
    apdu: bytes, answers: list[bytes | None]
) -> None:
    replies = iter(answers)
    link = Link()
    for _ in range(2):
        try:
            response = converse(link.exchange(apdu), lambda _: next(replies, None))
        except T1Error as error:
            assert error.code in {"link_lost", "chain_aborted", "too_many_blocks"}  # noqa: PT017 - either end is right
            continue
        assert isinstance(response, bytes)
