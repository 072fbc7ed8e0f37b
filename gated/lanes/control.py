"""The lane that answers technicians and officers: `gatectl` over a local socket.

Who may open the socket is decided by the file system. Whoever may, still cannot admit anybody: an
officer's word counts only if it is signed by a key of the configuration, for this very passage.
"""

import time
from collections.abc import Callable
from pathlib import Path

import msgspec
import zmq
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from gated import logs
from gated.core import events as ev
from gated.core.gate import State
from gated.core.settings import OfficerSettings
from gated.core.vocabulary import Device, OfficerWord
from gated.lanes.condition import Post
from gated.runtime import messages as say
from gated.runtime.clock import now_utc
from gated.runtime.lanes import Lane

LISTEN_MS = 250
MAX_REQUEST = 4096
WORD_S = 30.0  # how old an officer's signed word may be

_log = logs.get("lane.control")


class ControlLane:
    """Answers one request at a time. `status` and `fire_is_on` are asked in this lane's thread."""

    def __init__(
        self,
        address: str,
        officers: tuple[OfficerSettings, ...],
        post: Post,
        status: Callable[[], say.Status],
        fire_is_on: Callable[[], bool],
    ) -> None:
        self.lane = Lane("control", turn=self._turn, leave=self._leave, period_s=0.0)
        self._address = address
        self._officers = {
            officer.name: Ed25519PublicKey.from_public_bytes(bytes.fromhex(officer.public_key))
            for officer in officers
        }
        self._said_at: dict[str, float] = {}
        self._post = post
        self._status = status
        self._fire_is_on = fire_is_on
        self._context = zmq.Context()
        self._socket: zmq.Socket[bytes] | None = None
        self._decoder = msgspec.msgpack.Decoder(say.ToControl)
        self._encoder = msgspec.msgpack.Encoder()

    def _turn(self) -> None:
        if self._socket is None:
            self._socket = self._context.socket(zmq.REP)
            self._socket.setsockopt(zmq.LINGER, 0)
            self._socket.setsockopt(zmq.MAXMSGSIZE, MAX_REQUEST)
            self._socket.bind(self._address)
            Path(self._address.removeprefix("ipc://")).chmod(0o600)
        if not self._socket.poll(LISTEN_MS):
            return
        raw = self._socket.recv()
        while self._socket.getsockopt(zmq.RCVMORE):  # a request has one part; one with more is none
            raw = b""
            self._socket.recv()
        self._socket.send(self._encoder.encode(self._answer(raw)))

    def _leave(self) -> None:
        if self._socket is not None:
            self._socket.close()
        self._context.term()

    def _answer(self, raw: bytes) -> say.FromControl:
        try:
            request = self._decoder.decode(raw)
        except msgspec.MsgspecError:
            return say.Refused(reason="unknown_request", fix="use the gatectl of this gate's version")
        at = time.monotonic()
        match request:
            case say.AskStatus():
                return self._status()
            case say.Service():
                self._post(ev.ServiceOpened(at=at) if request.open else ev.ServiceClosed(at=at))
            case say.ClearFaults():
                if request.device not in set(Device):
                    return say.Refused(reason="unknown_device", fix=f"one of: {', '.join(Device)}")
                self._post(ev.FaultCleared(at=at, device=Device(request.device)))
            case say.ResetEmergency():
                return self._reset(at)
            case say.OfficerCommand():
                return self._officer(request, at)
        return say.Done()

    def _reset(self, at: float) -> say.FromControl:
        refused = say.Refused(reason="fire_input_active", fix="clear the fire alarm first")
        if self._fire_is_on():
            return refused
        self._post(ev.EmergencyReset(at=at))
        if not self._fire_is_on():
            return say.Done()
        self._post(ev.EmergencyRaised(at=time.monotonic()))  # its edge may have come just before the reset
        return refused

    def _stale(self, request: say.OfficerCommand) -> say.Refused | None:
        """Refuse a signed word that is old, or was taken before: signatures do not age by themselves."""
        if not abs(now_utc().timestamp() - request.said_at) <= WORD_S:
            fix = "say it again now; if it recurs, compare the clocks of station and gate"
            return say.Refused(reason="word_too_old", fix=fix)
        if request.said_at <= self._said_at.get(request.officer, 0.0):
            return say.Refused(reason="word_was_taken", fix="say it again: each command counts once")
        self._said_at[request.officer] = request.said_at
        return None

    def _officer(self, request: say.OfficerCommand, at: float) -> say.FromControl:
        """Take an officer's word. What was signed goes to the journal; whether it counts the heart says."""
        key = self._officers.get(request.officer)
        if key is None:
            _log.warning("officer's command refused", reason="unknown_officer")
            return say.Refused(reason="unknown_officer", fix="add the officer's key to [[officers]]")
        try:
            key.verify(request.signature, request.signed_text)
        except InvalidSignature:
            _log.warning("officer's command refused", reason="bad_signature", officer=request.officer)
            return say.Refused(reason="bad_signature", fix="sign with the key that belongs to this name")
        if refused := self._stale(request):
            return refused
        now = self._status()
        self._post(
            ev.OfficerDecided(
                at=at, passage=request.passage, word=OfficerWord(request.word), officer=request.officer
            )
        )
        if (now.state, now.passage) != (State.OFFICER, request.passage):
            fix = "it changes nothing: `gatectl status` shows which passage waits for an officer, if any"
            return say.Refused(reason="passage_does_not_wait", fix=fix)
        return say.Done()
