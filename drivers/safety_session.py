"""One session with the safety controller, as the PC sees it: who is heard, and what ends it. No I/O.

Times are arguments. A session begins with HELLO and WELCOME, which name both sides by a nonce, so that
nothing that was said in an earlier session counts in this one. Then each wish of the PC answers the newest
challenge of the controller, and each report acknowledges the newest wish, so both sides notice a line that
is stuck, cut in one direction, echoes, or repeats what was said before. What is not newer than the last
telegram is not listened to, and does not prove that anybody lives.

A session that ended stays ended: `SessionOver` says why, and whoever wants to go on begins another one.
"""

from collections import deque
from dataclasses import dataclass
from typing import Final

from drivers.safety_protocol import (
    Gathering,
    Hello,
    Mode,
    Reason,
    Report,
    State,
    Stranger,
    Telegram,
    TelegramError,
    Welcome,
    Wish,
    answer_to,
    encode,
    is_newer,
    session_of,
)

WELCOME_S: Final = 0.25  # HELLO is said again this often: a controller answers within 20 ms
BEATS: Final = 2.5  # heartbeats that must fit into the controller's deadman time, so that one may be lost
OPEN_S: Final = 1.0  # and a controller that is just starting within this
HALF: Final = 0x7FFF  # sequence numbers up to here are later ones
BABBLE: Final = (
    64  # bytes without a telegram in them: two telegrams long, so somebody speaks another language
)


class SessionOver(Exception):
    """The session has ended. `code` says why, as `drivers.safety_controller.FIXES` lists it."""

    def __init__(self, code: str) -> None:
        super().__init__(code)
        self.code = code


@dataclass(frozen=True, slots=True)
class Identity:
    """Who the controller is, as its WELCOME says."""

    configuration: bytes
    firmware: tuple[int, int]
    deadman_s: float


class Session:
    """From HELLO to SessionOver. `nonce` must differ from session to session (32 bits, by chance).

    `configuration` is the hash that the controller must have; None takes any, to find out which it has.
    """

    def __init__(self, nonce: int, configuration: bytes | None, heartbeat_s: float, timeout_s: float) -> None:
        self.identity: Identity | None = None
        self._nonce = nonce
        self._configuration = configuration
        self._heartbeat_s = heartbeat_s
        self._timeout_s = timeout_s
        self._gathering = Gathering()
        self._number = 0  # of the session, once it is welcomed
        self._sent = 0  # the last sequence number of ours
        self._heard = 0  # and of theirs
        self._challenge = 0
        self._heard_at = float("-inf")  # the last telegram that counted
        self._unheard: deque[tuple[int, float]] = deque(maxlen=64)  # ours that were not acknowledged
        self._next_at = 0.0

    @property
    def is_running(self) -> bool:
        """Whether the controller has welcomed us."""
        return self.identity is not None

    @property
    def due(self) -> float:
        """When something must be sent again, at the latest."""
        return self._next_at

    @property
    def heard_at(self) -> float:
        """When the last telegram that counted was received."""
        return self._heard_at

    def hello(self, now: float) -> bytes:
        """The telegram that asks for a session; say it until `is_running`."""
        if self._heard_at == float("-inf"):
            self._heard_at = now
        self._next_at = now + WELCOME_S
        return self._telegram(self._nonce, Hello())

    def wish(self, entry_ms: int, exit_ms: int, mode: Mode, now: float) -> bytes:
        """The telegram that wishes for this; due at least every heartbeat."""
        self._next_at = now + self._heartbeat_s
        sequence = (self._sent + 1) % 0x10000
        self._unheard.append((sequence, now))
        answer = answer_to(self._challenge, self._number, sequence)
        return self._telegram(self._number, Wish(answer, entry_ms, exit_ms, mode))

    def take(self, data: bytes, now: float) -> list[Report]:
        """The reports in what was received. Raises SessionOver."""
        reports = []
        for found in self._gathering.take(data):
            if isinstance(found, TelegramError):
                raise SessionOver("wrong_version" if found.code == "wrong_version" else "not_understood")
            if found.from_pc:
                raise SessionOver("echo")
            if self.is_running:
                if (report := self._report(found, now)) is not None:
                    reports.append(report)
            else:
                self._welcome(found, now)
        return reports

    def check(self, now: float) -> None:
        """See that the controller still speaks and still hears us. Raises SessionOver."""
        silent_s = now - self._heard_at
        if silent_s > (self._timeout_s if self.is_running else OPEN_S):
            raise SessionOver("garbled" if self._gathering.dropped >= BABBLE else "silent")
        speaks = silent_s < self._timeout_s / 2  # else it may have heard and could not say so
        if speaks and self._unheard and now - self._unheard[0][1] > self._timeout_s:
            raise SessionOver("unheard")

    def _welcome(self, telegram: Telegram, now: float) -> None:
        if telegram.session != self._nonce:
            return  # meant for an earlier session
        body = telegram.body
        if isinstance(body, Stranger):
            raise SessionOver("wrong_version")
        if not isinstance(body, Welcome):
            return
        identity = Identity(body.configuration, divmod(body.firmware, 256), body.deadman_ms / 1000)
        if self._configuration is not None and body.configuration != self._configuration:
            raise SessionOver("wrong_configuration")
        if BEATS * self._heartbeat_s > identity.deadman_s:
            raise SessionOver("heartbeat_too_slow")
        self.identity = identity
        self._number = session_of(self._nonce, body.nonce)
        self._challenge = body.nonce
        self._heard = telegram.sequence
        self._heard_at = self._next_at = now

    def _report(self, telegram: Telegram, now: float) -> Report | None:
        """The report, if it counts. Raises SessionOver."""
        if isinstance(telegram.body, Stranger) and telegram.session == self._number:
            raise SessionOver("restarted")
        if telegram.session != self._number or not is_newer(telegram.sequence, self._heard):
            return None
        if not isinstance(telegram.body, Report):
            return None
        self._heard, self._heard_at = telegram.sequence, now
        self._challenge = telegram.body.challenge
        while self._unheard and not is_newer(self._unheard[0][0], telegram.acknowledged, HALF):
            self._unheard.popleft()
        if telegram.body.state is State.STANDBY or telegram.body.reason is Reason.HEARTBEAT:
            raise SessionOver("heartbeat_lost")
        return telegram.body

    def _telegram(self, session: int, body: Hello | Wish) -> bytes:
        self._sent = (self._sent + 1) % 0x10000
        return encode(Telegram(session, self._sent, self._heard, body))
