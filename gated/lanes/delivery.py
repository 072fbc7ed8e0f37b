"""The lane that delivers the journal to the centre, by way of gate-link.

It reads the journal through a connection of its own, which no writer waits for, and it fails no gate: a
centre that is away, full or wrong is told of in the log and in the status, and the entries stay where they
are.
"""

import contextlib
import time
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from msgspec.structs import replace

from gated import logs
from gated.runtime.bus import Peer
from gated.runtime.clock import now_utc
from gated.runtime.lanes import Lane
from gated.runtime.messages import JournalDown, JournalUp
from gated.store.database import StoreError
from gated.store.delivery import DeliveryError, Enclosed, attest, encode, read_at_gate
from gated.store.outbox import Outbox, Standing
from gated.store.pruning import Pruner
from gated.store.registration_post import PostBox

LISTEN_S = 0.5  # while nothing is under way; an answer wakes the lane
AGAIN_S = 10.0  # until a file that could not be read is tried again
PRUNE_S = 2.0  # between two removals: a hundred entries a second, and a busy lane writes four
AIM_S = 3600.0  # it reads the whole journal
_log = logs.get("lane.delivery")


class DeliveryLane:
    """Delivers the journal in `path`. `head` tells the number of its last entry, from any thread."""

    def __init__(
        self,
        address: str,
        path: Path,
        gate: str,
        key: Ed25519PublicKey,
        own: Ed25519PrivateKey,
        head: Callable[[], int],
        keep_days: int | None = None,
        post_box: PostBox | None = None,
    ) -> None:
        """`key` is the centre's, for receipts; `own` is the gate's, and signs what is delivered.

        `keep_days`: entries that are older, and have a receipt, are removed; None: none ever is.
        """
        self.lane = Lane("delivery", turn=self._turn, leave=self._leave, period_s=0.0, patience_s=60.0)
        self.standing = Standing(acknowledged=0, at="")
        """How far the centre has the journal. For any thread."""
        self._address = address
        self._path = path
        self._gate = gate
        self._key = key
        self._own = own
        self._head = head
        self._peer: Peer[JournalDown] | None = None
        self._outbox: Outbox | None = None
        self._again_at = 0.0
        self._keep_days = keep_days
        self._post_box = post_box
        self._letters_at = 0.0
        self._pruner: Pruner | None = None
        self._prune_at = self._aim_at = 0.0

    def _turn(self) -> None:
        if self._peer is None:
            self._peer = Peer(self._address, JournalDown, bind=True)
        if time.monotonic() < self._again_at:
            self._peer.receive(LISTEN_S)
            return
        try:
            if self._outbox is None:
                self._outbox = Outbox(self._path, self._gate, self._key, self._own)
            self._come_round(self._outbox, self._peer)
        except StoreError as error:  # whoever writes the journal notices a bad disk by itself
            self._close_outbox()
            self._again_at = time.monotonic() + AGAIN_S
            self._tell(replace(self.standing, code=error.code, fix=error.fix))

    def _come_round(self, outbox: Outbox, peer: Peer[JournalDown]) -> None:
        for message in outbox.due(time.monotonic(), self._head()):
            peer.send(JournalUp(body=encode(message)))  # what finds no room is missed, and asked about
        self._send_letters(peer)
        came = peer.receive(LISTEN_S)
        while came is not None:
            self._take(outbox, came)
            came = peer.receive(0)
        outbox.keep(time.monotonic())
        if self._keep_days is not None and time.monotonic() >= self._prune_at:
            self._prune(outbox.receipted.seq, timedelta(days=self._keep_days))
        self._tell(outbox.standing)

    def _prune(self, receipted: int, age: timedelta) -> None:
        """Remove a few old entries; what may go is looked up now and then."""
        now = time.monotonic()
        self._prune_at = now + PRUNE_S
        if self._pruner is None:
            self._pruner = Pruner(self._path)
        if receipted and now >= self._aim_at:
            self._aim_at = now + AIM_S
            self._pruner.aim(receipted, now_utc() - age)
        self._pruner.prune()

    def _take(self, outbox: Outbox, came: JournalDown) -> None:
        try:
            answer = read_at_gate(came.body)
        except DeliveryError:
            self._take_letter(came.body)
            return  # whatever it was, the question is put again
        outbox.take(answer, time.monotonic())

    def _send_letters(self, peer: Peer[JournalDown]) -> None:
        """Send what waits about registrations; their trouble keeps no journal back."""
        if self._post_box is None or time.monotonic() < self._letters_at:
            return
        try:
            for body in self._post_box.due(time.monotonic()):
                enclosed = attest(self._own, self._gate, Enclosed(body=body))
                peer.send(JournalUp(body=encode(enclosed)))
        except StoreError as error:
            self._letters_fail(error)

    def _take_letter(self, body: bytes) -> None:
        if self._post_box is None:
            return
        try:
            self._post_box.take(body)
        except StoreError as error:
            self._letters_fail(error)

    def _letters_fail(self, error: StoreError) -> None:
        self._letters_at = time.monotonic() + AGAIN_S
        _log.warning("letters about registrations cannot be sent", code=error.code, fix=error.fix)

    def _tell(self, standing: Standing) -> None:
        if standing.code != self.standing.code:
            if standing.code:
                _log.error("the journal is not delivered as it should", code=standing.code, fix=standing.fix)
            else:
                _log.info("the journal is delivered again", entry=standing.acknowledged)
        self.standing = standing

    def _leave(self) -> None:
        if self._outbox is not None:
            with contextlib.suppress(StoreError):  # without it some entries are delivered twice
                self._outbox.keep(time.monotonic(), at_once=True)
            self._close_outbox()
        if self._peer is not None:
            self._peer.close()

    def _close_outbox(self) -> None:
        if self._outbox is not None:
            self._outbox.close()
        if self._pruner is not None:
            self._pruner.close()
        self._outbox = self._pruner = None
