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
from gated.core.settings import OfficerSettings
from gated.core.vocabulary import Device, OfficerWord
from gated.lanes.condition import Post
from gated.runtime import messages as say
from gated.runtime.lanes import Lane

LISTEN_MS = 250
MAX_REQUEST = 4096

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
        self.lane = Lane("control", turn=self._turn, period_s=0.0)
        self._address = address
        self._officers = {
            officer.name: Ed25519PublicKey.from_public_bytes(bytes.fromhex(officer.public_key))
            for officer in officers
        }
        self._post = post
        self._status = status
        self._fire_is_on = fire_is_on
        self._socket: zmq.Socket[bytes] | None = None
        self._decoder = msgspec.msgpack.Decoder(say.ToControl)
        self._encoder = msgspec.msgpack.Encoder()

    def _turn(self) -> None:
        if self._socket is None:
            self._socket = zmq.Context.instance().socket(zmq.REP)
            self._socket.setsockopt(zmq.LINGER, 0)
            self._socket.setsockopt(zmq.MAXMSGSIZE, MAX_REQUEST)
            self._socket.bind(self._address)
            Path(self._address.removeprefix("ipc://")).chmod(0o600)
        if not self._socket.poll(LISTEN_MS):
            return
        raw = self._socket.recv()
        try:
            answer = self._answer(self._decoder.decode(raw))
        except msgspec.MsgspecError:
            answer = say.Refused(reason="unknown_request", fix="use the gatectl of this gate's version")
        self._socket.send(self._encoder.encode(answer))

    def _answer(self, request: say.ToControl) -> say.FromControl:
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
                if self._fire_is_on():
                    return say.Refused(reason="fire_input_active", fix="clear the fire alarm first")
                self._post(ev.EmergencyReset(at=at))
            case say.OfficerCommand():
                return self._officer(request, at)
        return say.Done()

    def _officer(self, request: say.OfficerCommand, at: float) -> say.FromControl:
        key = self._officers.get(request.officer)
        if key is None:
            _log.warning("officer's command refused", reason="unknown_officer")
            return say.Refused(reason="unknown_officer", fix="add the officer's key to [[officers]]")
        try:
            key.verify(request.signature, request.signed_text)
        except InvalidSignature:
            _log.warning("officer's command refused", reason="bad_signature", officer=request.officer)
            return say.Refused(reason="bad_signature", fix="sign with the key that belongs to this name")
        self._post(
            ev.OfficerDecided(
                at=at, passage=request.passage, word=OfficerWord(request.word), officer=request.officer
            )
        )
        return say.Done()
