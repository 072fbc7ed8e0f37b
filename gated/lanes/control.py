"""The lane that answers technicians and officers: `gatectl` over a local socket.

Who may open the socket is decided by the file system. Whoever may, still cannot admit anybody: an
officer's word counts only if it is signed by a key of the configuration, for this very passage.
"""

import time
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

import msgspec
import zmq

from gated.core import events as ev
from gated.core.gate import State
from gated.core.settings.central import OfficerSettings
from gated.core.vocabulary import Device, Door, Mode, OfficerWord, Topology
from gated.lanes.condition import Post
from gated.lanes.officers import Officers
from gated.lanes.trace import Trace
from gated.runtime import requests as say
from gated.runtime.lanes import Lane

LISTEN_MS = 250
MAX_REQUEST = 4096


class Service(NamedTuple):
    """What technicians use: what all lanes know, how the wires moved, and a lamp to look at.

    `registration` answers what is asked of a traveller's; None: this lane registers nobody. `false_hits`
    answers what is asked, and said, of a hit that is none.
    """

    inspect: Callable[[], say.SelfTested]
    trace: Trace
    try_lamp: Callable[[str], None]
    registration: Callable[[say.AskRegistration | say.LinkRegistration], say.FromControl] | None = None
    false_hits: Callable[[say.AskFalseHits | say.DecideFalseHit], say.FromControl] | None = None


class ControlLane:
    """Answers one request at a time. `status` and `fire_is_on` are asked in this lane's thread."""

    def __init__(
        self,
        address: str,
        officers: tuple[OfficerSettings, ...],
        post: Post,
        status: Callable[[], say.Status],
        fire_is_on: Callable[[], bool],
        service: Service,
        duty_s: float = 0.0,
    ) -> None:
        self.lane = Lane("control", turn=self._turn, leave=self._leave, period_s=0.0)
        self._address = address
        self._officers = Officers(officers)
        self._duty_s = duty_s
        self._on_duty_until = 0.0
        self._post = post
        self._status = status
        self._fire_is_on = fire_is_on
        self._service = service
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
        self._end_duty()
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
            case say.SelfTest():
                return self._service.inspect()
            case say.AskTrace():
                return self._trace(request)
            case say.SetMode():
                return self._set_mode(request, at)
            case say.SetDuty():
                return self._set_duty(request, at)
            case say.SetDirection():
                return self._set_direction(request, at)
            case say.AskDoor() | say.TryLamp():
                return self._maintain(request, at)
            case say.ClearFaults():
                if request.device not in set(Device):
                    return say.Refused(reason="unknown_device", fix=f"one of: {', '.join(Device)}")
                self._post(ev.FaultCleared(at=at, device=Device(request.device)))
            case say.ResetEmergency():
                return self._reset(at)
            case say.OfficerCommand():
                return self._officer(request, at)
            case say.AskRegistration() | say.LinkRegistration():
                return self._registration(request)
            case say.AskFalseHits() | say.DecideFalseHit():
                return self._false_hits(request)
        return say.Done()

    def _maintain(self, request: say.AskDoor | say.TryLamp, at: float) -> say.FromControl:
        if refused := self._unless_in_maintenance():
            return refused
        if isinstance(request, say.TryLamp):
            self._service.try_lamp(request.lamp)
            return say.Done()
        if refused := self._unless_there(request.door):
            return refused
        self._post(ev.DoorAsked(at=at, door=request.door))
        return say.Done()

    def _unless_in_maintenance(self) -> say.Refused | None:
        if self._status().state == State.MAINTENANCE:
            return None
        fix = "first: gatectl gate mode maintenance --reason TEXT"
        return say.Refused(reason="not_in_maintenance", fix=fix)

    def _unless_there(self, door: Door | None) -> say.Refused | None:
        there = self._status().doors
        if door is None or door in there:
            return None
        return say.Refused(reason="no_such_door", fix=f"this lane has: {', '.join(there) or 'no door'}")

    def _trace(self, request: say.AskTrace) -> say.Traced:
        trace = self._service.trace
        if request.after is None:
            return say.Traced(last=trace.last(), marks=())
        marks = trace.after(request.after)
        return say.Traced(last=marks[-1].number if marks else request.after, marks=marks)

    def _reset(self, at: float) -> say.FromControl:
        refused = say.Refused(reason="fire_input_active", fix="clear the fire alarm first")
        if self._fire_is_on():
            return refused
        self._post(ev.EmergencyReset(at=at))
        if not self._fire_is_on():
            return say.Done()
        self._post(ev.EmergencyRaised(at=time.monotonic()))  # its edge may have come just before the reset
        return refused

    def _registration(self, request: say.AskRegistration | say.LinkRegistration) -> say.FromControl:
        if self._service.registration is None:
            fix = "this lane registers nobody: it has no [registration]"
            return say.Refused(reason="no_registration", fix=fix)
        if isinstance(request, say.LinkRegistration) and (refused := self._officers.refuse(request)):
            return refused
        return self._service.registration(request)

    def _false_hits(self, request: say.AskFalseHits | say.DecideFalseHit) -> say.FromControl:
        if self._service.false_hits is None:
            return say.Refused(reason="no_false_hits", fix="this lane asks no watchlist")
        if isinstance(request, say.DecideFalseHit) and (refused := self._officers.refuse(request)):
            return refused
        return self._service.false_hits(request)

    def _set_mode(self, request: say.SetMode, at: float) -> say.FromControl:
        """Tell the lane what to do.

        Who lets everybody through unchecked must be an officer, and say so; so must who lifts a lock of one.
        """
        now = self._status()
        topology = now.topology
        if request.mode is Mode.FREE_PASSAGE and topology == Topology.KIOSK:
            return say.Refused(reason="no_door", fix="a kiosk has no door to hold open")
        signed = request.officer or request.mode is Mode.FREE_PASSAGE
        if signed and (refused := self._officers.refuse(request)):
            return refused
        if not request.officer and now.locked_by is not None:
            fix = f"{now.locked_by} signed the lock: an officer lifts it, with --name NAME --key FILE"
            return say.Refused(reason="locked_by_an_officer", fix=fix)
        if request.mode is Mode.ONE_WAY and topology != Topology.PORT:
            return say.Refused(reason="one_direction", fix="this lane has but one: gatectl gate mode open")
        officer = request.officer or None
        self._post(ev.ModeChanged(at=at, mode=request.mode, reason=request.reason, officer=officer))
        return say.Done()

    def _set_duty(self, request: say.SetDuty, at: float) -> say.FromControl:
        """Begin or end an officer's duty; what begins ends by itself when it is not said again."""
        if self._duty_s == 0:
            fix = "this lane asks for nobody on duty: set duty_s in [policy.lane] and restart gated"
            return say.Refused(reason="no_duty", fix=fix)
        if refused := self._officers.refuse(request):
            return refused
        self._on_duty_until = at + self._duty_s if request.on else 0.0
        self._post(ev.DutyChanged(at=at, on=request.on))
        return say.Done()

    def _end_duty(self) -> None:
        now = time.monotonic()
        if 0.0 < self._on_duty_until <= now:
            self._on_duty_until = 0.0
            self._post(ev.DutyChanged(at=now, on=False))

    def _set_direction(self, request: say.SetDirection, at: float) -> say.FromControl:
        now = self._status()
        if now.topology != Topology.PORT:
            fix = "only a lane of the topology `port` can be turned round"
            return say.Refused(reason="one_direction", fix=fix)
        if now.other_end and request.direction != now.direction:
            fix = f"the lane is not turned to an end that is out of order: {', '.join(now.other_end)}"
            return say.Refused(reason="other_end_in_trouble", fix=fix)
        self._post(ev.DirectionWanted(at=at, direction=request.direction, by="officer"))
        return say.Done()

    def _officer(self, request: say.OfficerCommand, at: float) -> say.FromControl:
        """Take an officer's word. What was signed goes to the journal; whether it counts the heart says."""
        if refused := self._officers.refuse(request):
            return refused
        now = self._status()
        self._post(
            ev.OfficerDecided(
                at=at,
                passage=request.passage,
                word=OfficerWord(request.word),
                officer=request.officer,
                persons=request.persons,
            )
        )
        if (now.state, now.passage) != (State.OFFICER, request.passage):
            fix = "it changes nothing: `gatectl status` shows which passage waits for an officer, if any"
            return say.Refused(reason="passage_does_not_wait", fix=fix)
        if request.word == "accept" and now.mode == Mode.LOCKED:
            fix = "nobody is let out of a locked lane: escort them, or first gatectl gate mode open"
            return say.Refused(reason="lane_locked", fix=fix)
        if request.word == "accept" and now.doors.get("entry", "").endswith("not shut"):
            return say.Refused(reason="entry_not_shut", fix="say it again once the entry is shut")
        if request.word == "accept" and now.persons != request.persons:
            fix = f"the lane counts {now.persons}: look, and say how many with --persons"
            return say.Refused(reason="persons_differ", fix=fix)
        return say.Done()
