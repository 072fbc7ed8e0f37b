"""The lane of the vision process: carries what the heart asks, and hears what was seen.

The other process decodes images that a stranger supplied, and may hang or die; nothing here waits for it.
It is asked for a sign of life once a second; when it is silent, or its camera is in trouble, that is a
fault, and when it answers again the fault is over.
"""

import time
from collections import deque

from gated.core import events as ev
from gated.core.vocabulary import Device
from gated.lanes.condition import Condition, Post
from gated.lanes.dossier import Dossiers
from gated.runtime import messages as say
from gated.runtime.bus import Peer
from gated.runtime.lanes import Lane
from gated.store.evidence import Evidence

LISTEN_S = 0.02  # a request waits for at most as long
PING_S = 1.0
MAX_UNSENT = 16  # what a passage or two ask for
SILENT_S = 3.0  # a frame takes 30 ms and an enrolment 100 ms; this is a process that hangs
WELL = frozenset({"asleep", "live"})

RESTART = "see `journalctl -u gate-vision`; the service manager restarts it by itself"
CAMERA = "check the camera's cable and power, and [camera] source"


class SightLane:
    """Talks with gate-vision. The verbs are the heart's effects."""

    def __init__(self, address: str, dossiers: Dossiers, evidence: Evidence, post: Post) -> None:
        self.lane = Lane("vision", turn=self._turn, period_s=0.0)
        self.condition = Condition(Device.VISION, post)
        self._address = address
        self._dossiers = dossiers
        self._evidence = evidence
        self._post = post
        self._peer: Peer[say.FromVision] | None = None
        self._unsent: deque[say.Message] = deque(maxlen=MAX_UNSENT)
        self._number = 0
        self._pinged_at = self._heard_at = 0.0

    def enrol(self, passage: str) -> None:
        """Give the passport photograph away; it is not kept here."""
        self.lane.ask(lambda: self._enrol(passage))

    def capture(self, passage: str, attempt: int) -> None:
        """Begin a capture."""
        self._ask(say.Capture(passage=passage, attempt=attempt))

    def conclude(self, passage: str, attempt: int) -> None:
        """Ask for the best there is."""
        self._ask(say.Conclude(passage=passage, attempt=attempt))

    def forget(self, passage: str) -> None:
        """The passage ended."""
        self._ask(say.Forget(passage=passage))

    def _ask(self, message: say.Message) -> None:
        self.lane.ask(lambda: self._send(message))

    def _send(self, message: say.Message) -> None:
        """Send, or keep for when the other process answers again."""
        if self._peer is None or not self._peer.send(message):
            self._unsent.append(message)

    def _enrol(self, passage: str) -> None:
        image = self._dossiers.take_photograph(passage)
        if image is None:
            self._post(ev.ReferenceFailed(at=time.monotonic(), passage=passage, reason="no_photograph"))
            return
        self._send(say.SetReference(passage=passage, image=image.reveal()))

    def _turn(self) -> None:
        now = time.monotonic()
        if self._peer is None:
            self._peer = Peer(self._address, say.FromVision, bind=True)
            self._heard_at = now
        if now - self._pinged_at >= PING_S:
            self._number += 1
            self._pinged_at = now
            self._peer.send(say.Ping(number=self._number))
        message = self._peer.receive(LISTEN_S)
        while message is not None:
            self._heard_at = time.monotonic()
            self._hear(message, self._heard_at)
            message = self._peer.receive(0)
        if time.monotonic() - self._heard_at > SILENT_S:
            self.condition.failed("vision_silent", RESTART)

    def _hear(self, message: say.FromVision, at: float) -> None:
        match message:
            case say.Pong():
                while self._unsent and self._peer is not None and self._peer.send(self._unsent[0]):
                    self._unsent.popleft()
                if message.camera in WELL:
                    self.condition.ready()
                else:
                    self.condition.failed(message.camera, CAMERA)
            case say.Enrolled():
                self._post(ev.ReferenceReady(at=at, passage=message.passage))
            case say.NotEnrolled():
                self._post(ev.ReferenceFailed(at=at, passage=message.passage, reason=message.reason))
            case say.Guidance():
                self._post(ev.GuidanceGiven(at=at, passage=message.passage, hint=message.hint))
            case say.Assessment():
                self._evidence.keep(message)
                self._post(
                    ev.FaceAssessed(
                        at=at,
                        passage=message.passage,
                        attempt=message.attempt,
                        frames=message.frames,
                        match_score=message.match_score,
                        liveness_score=message.liveness_score,
                        liveness=message.liveness,
                    )
                )
