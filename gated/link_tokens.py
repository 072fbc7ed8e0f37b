"""Tokens on `gate-link`: from a kiosk's `gated` to the central server, from there to the gate's.

The link carries them and knows nothing of what is in them. A kiosk's token is passed again by its `gated`
until the server has it. A gate's link collects when it hears that something was left, and now and then
without that, since announcements can be lost. It has one token at a time in its hand, and tells the server
that it is done with it when the gate's own `gated` has it on its disk: nothing is lost when either of them is
restarted.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

from gated.central.wire import Collect, Leave, Left, Parcel, ToServer, token_topic
from gated.runtime.bus import Peer
from gated.runtime.messages import PassToken, TokenCame, TokenPassed, TokensToLink
from gated.tokens import mark

COLLECT_S = 5.0  # also without an announcement
ASK_AGAIN_S = 0.3  # while there is no connection
OFFER_AGAIN_S = 2.0
MAX_ASKED = 64  # questions whose answers are waited for


class Server(Protocol):
    """The central server, as far as tokens go."""

    @property
    def state(self) -> str:
        """`live`, `no_link` or `refused`."""

    def ask(self, ask: ToServer, /) -> bool:
        """Send a question without waiting; False while there is no connection."""


@dataclass
class _InHand:
    body: bytes
    offered_at: float


class TokenCarrier:
    """Carries tokens both ways. `collects`: this lane is a gate that takes them."""

    def __init__(
        self,
        server: Server,
        peer: Peer[TokensToLink],
        gate: str,
        number: Callable[[], int],
        *,
        collects: bool,
    ) -> None:
        """`number` gives the numbers of questions, none of them twice."""
        self.topic = token_topic(gate) if collects else None
        """The announcement that something was left for this gate."""
        self._server = server
        self._peer = peer
        self._number = number
        self._left: dict[int, int] = {}  # the server's question by ours: who of gated waits for it
        self._in_hand: _InHand | None = None
        self._done = ""
        self._collect_at = 0.0

    def due(self, now: float) -> float:
        """When `turn` wants to be called at the latest, though nothing came."""
        if self.topic is None:
            return now + COLLECT_S
        if self._in_hand is not None:
            return self._in_hand.offered_at + OFFER_AGAIN_S
        return self._collect_at

    def announced(self) -> None:
        """Something was left: collect at once."""
        self._collect_at = 0.0

    def turn(self, now: float) -> None:
        """Take what `gated` says, and do what is due."""
        while (message := self._peer.receive(0)) is not None:
            if isinstance(message, PassToken):
                self._leave(message)
            elif self._in_hand is not None and message.mark == mark(self._in_hand.body):
                self._in_hand, self._done, self._collect_at = None, message.mark, now
        if self.topic is None:
            return
        if self._in_hand is not None:
            if now >= self._in_hand.offered_at + OFFER_AGAIN_S:
                self._offer(self._in_hand.body, now)
        elif now >= self._collect_at:
            asked = self._server.ask(Collect(number=self._number(), done=self._done))
            self._collect_at = now + (COLLECT_S if asked else ASK_AGAIN_S)

    def take(self, answer: Left | Parcel, now: float) -> None:
        """Take what the server answered."""
        match answer:
            case Left():
                asked = self._left.pop(answer.number, None)
                if asked is not None:
                    self._peer.send(TokenPassed(number=asked, reason=answer.reason))
            case Parcel() if answer.body and self._in_hand is None and self.topic is not None:
                if mark(answer.body) != self._done:  # of a question that was put before it was done
                    self._offer(answer.body, now)

    def _leave(self, message: PassToken) -> None:
        number = self._number()
        if not self._server.ask(Leave(number=number, gate=message.gate, body=message.body)):
            refused = self._server.state == "refused"
            self._peer.send(TokenPassed(number=message.number, reason="refused" if refused else "no_link"))
            return
        self._left[number] = message.number
        while len(self._left) > MAX_ASKED:
            self._left.pop(next(iter(self._left)))

    def _offer(self, body: bytes, now: float) -> None:
        self._in_hand = _InHand(body, now)
        self._peer.send(TokenCame(body=body))
