"""The PC's end of a session, without a line: what counts, and what ends it."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from drivers.safety_faults import FIXES
from drivers.safety_protocol import (
    Fault,
    Hello,
    Input,
    Mode,
    Output,
    Reason,
    Report,
    State,
    Strangeness,
    Stranger,
    Telegram,
    Welcome,
    Wish,
    answer_to,
    decode,
    encode,
    session_of,
)
from drivers.safety_session import OPEN_S, Session, SessionOver

NONCE, THEIRS = 0xAAAA0001, 0xBBBB0002
NUMBER = session_of(NONCE, THEIRS)
HASH = bytes(range(8))
BEAT_S, TIMEOUT_S = 0.1, 0.4


def welcome(*, nonce: int = NONCE, configuration: bytes = HASH, deadman_ms: int = 300) -> bytes:
    return encode(Telegram(nonce, 1, 1, Welcome(THEIRS, configuration, 0x0203, deadman_ms)))


def report(sequence: int, acknowledged: int, *, session: int = NUMBER, **said: object) -> bytes:
    fields: dict[str, object] = {
        "challenge": 7,
        "state": State.RUNNING,
        "outputs": Output(0),
        "inputs": Input.ENTRY_SHUT,
        "reason": Reason.NONE,
        "faults": Fault(0),
        "supply_mv": 24_000,
        "entry_left_ms": 0,
        "exit_left_ms": 0,
    }
    said = fields | said
    return encode(Telegram(session, sequence, acknowledged, Report(**said)))  # type: ignore[arg-type]  # by name


@pytest.fixture
def greeted() -> Session:
    """A session that has said hello."""
    session = Session(NONCE, HASH, BEAT_S, TIMEOUT_S)
    session.hello(0.0)
    return session


@pytest.fixture
def running(greeted: Session) -> Session:
    greeted.take(welcome(), 0.0)
    return greeted


def ended(session: Session, data: bytes, now: float = 0.1) -> str:
    with pytest.raises(SessionOver) as over:
        session.take(data, now)
    assert over.value.code in FIXES
    return over.value.code


def test_hello_names_the_pc_and_welcome_makes_the_session() -> None:
    session = Session(NONCE, HASH, BEAT_S, TIMEOUT_S)
    assert decode(session.hello(0.0)) == Telegram(NONCE, 1, 0, Hello())
    assert not session.is_running
    assert session.take(welcome(), 0.1) == []
    assert session.is_running
    assert session.identity is not None
    assert (session.identity.firmware, session.identity.deadman_s) == ((2, 3), 0.3)
    assert session.due == 0.1


def test_a_wish_answers_the_newest_challenge(running: Session) -> None:
    first = decode(running.wish(0, 0, Mode.KEEP, 0.0))
    assert first == Telegram(NUMBER, 2, 1, Wish(answer_to(THEIRS, NUMBER, 2)))
    running.take(report(2, 2, challenge=99), 0.05)
    second = decode(running.wish(500, 0, Mode.END, 0.1))
    assert second == Telegram(NUMBER, 3, 2, Wish(answer_to(99, NUMBER, 3), 500, 0, Mode.END))
    assert running.due == pytest.approx(0.1 + BEAT_S)


def test_a_report_that_was_heard_before_does_not_count(running: Session) -> None:
    assert len(running.take(report(5, 1), 0.1)) == 1
    assert running.take(report(5, 1) + report(4, 1), 0.3) == []
    assert running.heard_at == 0.1
    assert len(running.take(report(6, 1), 0.3)) == 1


def test_a_report_of_another_session_does_not_count(running: Session) -> None:
    assert running.take(report(5, 1, session=NUMBER ^ 1), 0.1) == []
    assert running.heard_at == 0.0


def test_a_welcome_of_an_earlier_session_does_not_count(greeted: Session) -> None:
    assert greeted.take(welcome(nonce=NONCE ^ 1), 0.1) == []
    assert not greeted.is_running


def test_a_controller_that_repeats_itself_for_ever_is_silent(running: Session) -> None:
    running.take(report(5, 1), 0.1)
    for step in range(2, 6):
        running.take(report(5, 1), step / 10)
    with pytest.raises(SessionOver, match="silent"):
        running.check(0.1 + TIMEOUT_S + 0.01)


def test_a_controller_that_hears_nothing_is_told_from_one_that_says_nothing(running: Session) -> None:
    running.wish(0, 0, Mode.KEEP, 0.0)
    running.take(report(2, 2), 0.05)
    running.check(0.05)
    running.wish(0, 0, Mode.KEEP, 0.1)
    for step in range(3, 10):
        running.take(report(step, 2), step / 20)
    running.check(0.1 + TIMEOUT_S)
    with pytest.raises(SessionOver, match="unheard"):
        running.check(0.1 + TIMEOUT_S + 0.01)


def test_a_controller_that_falls_silent_is_not_said_to_hear_nothing(running: Session) -> None:
    running.wish(0, 0, Mode.KEEP, 0.0)
    running.take(report(2, 1), 0.05)  # made before the wish came
    running.check(TIMEOUT_S + 0.04)
    with pytest.raises(SessionOver, match="silent"):
        running.check(0.05 + TIMEOUT_S + 0.01)


def test_bytes_without_telegrams_are_told_from_silence(running: Session) -> None:
    running.take(b"\x55" * 100, 0.3)
    with pytest.raises(SessionOver, match="garbled"):
        running.check(TIMEOUT_S + 0.01)


def test_nobody_who_answers_hello_is_silence_after_a_second(greeted: Session) -> None:
    greeted.check(OPEN_S)
    with pytest.raises(SessionOver, match="silent"):
        greeted.check(OPEN_S + 0.01)


def test_another_configuration_is_refused_unless_any_will_do(greeted: Session) -> None:
    assert ended(greeted, welcome(configuration=bytes(8))) == "wrong_configuration"
    asking = Session(NONCE, None, BEAT_S, TIMEOUT_S)
    asking.hello(0.0)
    asking.take(welcome(configuration=bytes(8)), 0.0)
    assert asking.is_running


def test_a_heartbeat_that_does_not_fit_into_the_deadman_time_is_refused(greeted: Session) -> None:
    assert ended(greeted, welcome(deadman_ms=249)) == "heartbeat_too_slow"


def test_another_version_is_refused(greeted: Session) -> None:
    other = encode(Telegram(NONCE, 1, 1, Stranger(Strangeness.OTHER_VERSION, 2)))
    assert ended(greeted, other) == "wrong_version"


def test_the_pcs_own_telegrams_are_an_echo(greeted: Session) -> None:
    assert ended(greeted, encode(Telegram(NONCE, 1, 0, Hello()))) == "echo"


@pytest.mark.parametrize(
    ("data", "code"),
    [
        pytest.param(report(5, 1, state=State.STANDBY), "heartbeat_lost", id="it says that it locked"),
        pytest.param(
            report(5, 1, state=State.EMERGENCY, reason=Reason.HEARTBEAT),
            "heartbeat_lost",
            id="also in an emergency",
        ),
        pytest.param(
            encode(Telegram(NUMBER, 5, 1, Stranger(Strangeness.NO_SESSION, 1))),
            "restarted",
            id="it forgot us",
        ),
    ],
)
def test_a_controller_that_ended_the_session_is_believed(running: Session, data: bytes, code: str) -> None:
    assert ended(running, data) == code


@settings(derandomize=True, deadline=None, max_examples=200)
@given(st.lists(st.binary(max_size=80), max_size=10))
def test_whatever_comes_is_taken_or_ends_the_session(pieces: list[bytes]) -> None:
    session = Session(NONCE, HASH, BEAT_S, TIMEOUT_S)
    session.hello(0.0)
    try:
        for number, piece in enumerate(pieces):
            session.take(piece, number / 100)
            session.check(number / 100)
    except SessionOver as over:
        assert over.code in FIXES  # noqa: PT017 - either end is right
