"""The lane of the vision process: carries what the heart asks, and hears what was seen.

The line carries the reading of pages too, which is another lane's business: `PageLane` attends to it.

The other process decodes images that a stranger supplied, and may hang or die; nothing here waits for it.
It is asked for a sign of life four times a second; when it is silent, babbles, or none of its cameras is
well, that is a fault, and when it answers again the fault is over. One camera of several that fails is no
fault, but it is told. Each question counts one answer, so a process that a
stranger's image took over can neither flood the journal nor write more into it than words of a vocabulary.
"""

import time
from collections import deque
from collections.abc import Mapping, Sequence
from typing import NamedTuple, Protocol

from drivers.face_light import Switch
from gated.core import events as ev
from gated.core.personal import Personal
from gated.core.portraits import Portrait
from gated.core.vocabulary import Device, Direction
from gated.lanes import embedders
from gated.lanes.condition import Condition, Post
from gated.lanes.dossier import Dossiers
from gated.lanes.embedders import EmbedderWatch
from gated.lanes.strata import Marks, stratum
from gated.runtime import messages as say
from gated.runtime.bus import Peer
from gated.runtime.lanes import Lane
from gated.store.evidence import Evidence

LISTEN_S = 0.02  # a request waits for at most as long
PING_S = 0.25
MAX_UNSENT = 16  # what a passage or two ask for
MAX_HEARD = 10  # messages between two pings; a capture makes three a second
SILENT_S = 0.9  # a frame takes 30 ms and an enrolment 100 ms; this is a process that hangs
TOLD_S = 1.0  # a camera that comes and goes is told so often
WELL = frozenset({"asleep", "live"})
BEST_FIRST = ("live", "asleep", "not_checked")
NO_TROUBLE = frozenset({*WELL, "not_checked"})

RESTART = "see `journalctl -u gate-vision`; the service manager restarts it by itself"
CAMERA = "check the camera's cable and power, and the source of its [[cameras]]"


class PageEar(Protocol):
    """Who hears what concerns the page; called in the thread of SightLane."""

    def hear(self, message: say.PageRead | say.PagePlacement, at: float) -> None:
        """What was seen of the page."""

    def watched(self, camera: str | None) -> None:
        """A sign of life told this of the page camera; None: there is none."""


class TemplateEar(Protocol):
    """Who asked for a template at a kiosk; called in the thread of SightLane."""

    def hear(self, message: say.TemplateGiven | say.TemplateNotGiven) -> None:
        """What the vision process answered."""


class PortraitEar(Protocol):
    """Who asked for a portrait's template, for a registration; called in the thread of SightLane."""

    def hear(self, message: say.PortraitTold) -> None:
        """What the vision process answered."""


class View(NamedTuple):
    """What is seen of people who walk one way: by which cameras (none named: all), and how well that goes."""

    condition: Condition
    cameras: tuple[str, ...] = ()

    def code(self, pong: say.Pong) -> str:
        """What these cameras are worth together: `live` or `asleep` while one of them is, else a trouble."""
        if not self.cameras:
            return pong.camera
        codes = [pong.cameras.get(name, "not_checked") for name in self.cameras]
        return next((code for code in BEST_FIRST if code in codes), codes[0])


class SightLane:
    """Talks with gate-vision. The verbs are the heart's effects.

    `views` by direction for a lane that is walked both ways; without them there is one, of all cameras.
    """

    def __init__(
        self,
        address: str,
        dossiers: Dossiers,
        evidence: Evidence,
        post: Post,
        cameras: Sequence[str] = (),
        *,
        views: Mapping[Direction, View] | None = None,
        direction: Direction = Direction.FORWARD,
    ) -> None:
        self.lane = Lane("vision", turn=self._turn, leave=self._leave, period_s=0.0)
        self._views = dict(views or {direction: View(Condition(Device.VISION, post))})
        self._view = self._views[direction]
        self._address = address
        self._dossiers = dossiers
        self._evidence = evidence
        self._post = post
        self._cameras = dict.fromkeys(cameras, "not_checked")
        self._troubles = dict.fromkeys(cameras, "well")
        self._told_at = float("-inf")
        self._marks = Marks()
        self._page: PageEar | None = None
        self._templates: TemplateEar | None = None
        self._portraits: PortraitEar | None = None
        self._embedders: EmbedderWatch | None = None
        self._agrees = True  # on the embedder: a score of another one means nothing here
        self._peer: Peer[say.FromVision] | None = None
        self._unsent: deque[say.Message] = deque(maxlen=MAX_UNSENT)
        self._number = self._answered = self._heard = 0
        self._pinged_at = self._heard_at = 0.0

    @property
    def condition(self) -> Condition:
        """How well those are seen who walk in the direction in force."""
        return self._view.condition

    def turn(self, direction: Direction) -> None:
        """From here on look at those who walk this way."""
        self._view = self._views[direction]

    @property
    def cameras(self) -> dict[str, str]:
        """Each camera by its name: `asleep`, `live`, `not_checked`, or the code of its trouble."""
        return dict(self._cameras)

    def attend(self, page: PageEar) -> None:
        """Tell this one from now on what concerns the page. Before the lane starts."""
        self._page = page

    def listen_for_templates(self, ear: TemplateEar) -> None:
        """Tell this one what the vision process answers to `give_template`. Before the lane starts."""
        self._templates = ear

    def compare_by(self, embedders: EmbedderWatch) -> None:
        """See to it that these are what faces are compared by. Before the lane starts."""
        self._embedders = embedders

    def listen_for_portraits(self, ear: PortraitEar) -> None:
        """Tell this one what the vision process answers to `ask_portrait`. Before the lane starts."""
        self._portraits = ear

    def ask_portrait(self, passage: str, kept: Personal[Portrait] | None) -> None:
        """Ask for the template of the photograph, and how like a kept one it is."""
        self._ask(say.AskPortrait(passage=passage, kept=None if kept is None else kept.reveal()))

    def give_template(self, passage: str, token: str) -> None:
        """Ask for the template of the photograph, sealed for the gate."""
        self._ask(say.GiveTemplate(passage=passage, token=token))

    def enrol(self, passage: str) -> None:
        """Give the passport photograph, or what a token holds in its place, away; it is not kept here."""
        self.lane.ask(lambda: self._enrol(passage))

    def capture(
        self, passage: str, attempt: int, light: Sequence[Switch] = (), min_height_m: float = 0.0
    ) -> None:
        """Begin a capture while the face light plays this code; measure the height if a rule asks for it."""
        switches = tuple(say.LightSwitch(at=switch.at, on=switch.on) for switch in light)
        self._ask(
            say.Capture(
                passage=passage,
                attempt=attempt,
                min_height_m=min_height_m,
                light=switches,
                cameras=self._view.cameras,
            )
        )

    def conclude(self, passage: str, attempt: int) -> None:
        """Ask for the best there is."""
        self._ask(say.Conclude(passage=passage, attempt=attempt))

    def forget(self, passage: str) -> None:
        """The passage ended: what was not said yet is not said any more."""
        self.lane.ask(lambda: self._forget(passage))

    def _ask(self, message: say.Message) -> None:
        self.lane.ask(lambda: self.send(message))

    def send(self, message: say.Message) -> None:
        """Send, or keep for when the other process answers again; never overtake. In this lane's thread."""
        if self._unsent or self._peer is None or not self._peer.send(message):
            self._unsent.append(message)

    def _forget(self, passage: str) -> None:
        """Drop what is kept of the passage: a photograph, too, may wait there."""
        others = [message for message in self._unsent if getattr(message, "passage", None) != passage]
        self._unsent.clear()
        self._unsent.extend(others)
        self.send(say.Forget(passage=passage))

    def _enrol(self, passage: str) -> None:
        template = self._dossiers.take_template(passage)
        image = self._dossiers.take_photograph(passage)
        known = self._dossiers.mrz(passage)
        mark, kind = (self._marks.mark(known[0]), stratum(known[0], known[1].date())) if known else (b"", "")
        if template is not None:
            self.send(
                say.SetTemplate(
                    passage=passage,
                    embedder=template.embedder,
                    version=template.version,
                    template=template.numbers.reveal(),
                    subject=mark,
                    stratum=kind,
                    cameras=self._view.cameras,
                )
            )
        elif image is not None:
            self.send(
                say.SetReference(
                    passage=passage,
                    image=image.reveal(),
                    subject=mark,
                    stratum=kind,
                    cameras=self._view.cameras,
                )
            )
        else:
            self._post(ev.ReferenceFailed(at=time.monotonic(), passage=passage, reason="no_photograph"))

    def _turn(self) -> None:
        now = time.monotonic()
        if self._peer is None:
            self._peer = Peer(self._address, say.FromVision, bind=True)
            self._heard_at = now
        if now - self._pinged_at >= PING_S:
            self._number += 1
            self._pinged_at = now
            self._heard = 0
            self._peer.send(say.Ping(number=self._number))
        message = self._peer.receive(LISTEN_S)
        if message is not None:
            self._heard += 1
            if self._heard <= MAX_HEARD:
                self._hear(message, time.monotonic())
            else:
                self._fail("vision_babbles")
        if time.monotonic() - self._heard_at > SILENT_S:
            self._fail("vision_silent")

    def _fail(self, code: str) -> None:
        """The other process is no good, for either direction."""
        for view in (self._view, *self._views.values()):  # the one in use is told first
            view.condition.failed(code, RESTART)

    def _leave(self) -> None:
        if self._peer is not None:
            self._peer.close()

    def _answer(self, pong: say.Pong, at: float) -> None:
        """A sign of life, if it is one: the first answer to a question that was asked."""
        if not self._answered < pong.number <= self._number:
            return
        self._answered, self._heard_at = pong.number, at
        trouble = self._compared_by(pong)
        self._agrees = not trouble
        if self._agrees:
            while self._unsent and self._peer is not None and self._peer.send(self._unsent[0]):
                self._unsent.popleft()
        for view in self._views.values():
            if trouble:
                view.condition.failed(trouble, embedders.FIXES[trouble])
            elif (code := view.code(pong)) in WELL:
                view.condition.ready()
            else:
                view.condition.failed(code, CAMERA)
        self._watch_cameras(pong.cameras, at)
        if self._page is not None:
            self._page.watched(pong.page_camera)

    def _compared_by(self, pong: say.Pong) -> str:
        """What is wrong with what the other process compares by; it is told, if need be."""
        if self._embedders is None:
            return ""
        trouble, use = self._embedders.hear(pong)
        if use is not None and self._peer is not None:
            self._peer.send(use)
        return trouble

    def _watch_cameras(self, states: Mapping[str, str], at: float) -> None:
        """Tell which camera fails or is well again; names that are not in the configuration do not count."""
        self._cameras = {name: states.get(name, "not_checked") for name in self._cameras}
        if at - self._told_at < TOLD_S:
            return
        for name, state in self._cameras.items():
            code = "well" if state in NO_TROUBLE else state
            if code != self._troubles[name] and state != "not_checked":
                self._troubles[name], self._told_at = code, at
                self._post(ev.CameraChanged(at=at, camera=name, code=code))

    def _hear(self, message: say.FromVision, at: float) -> None:
        match message:
            case say.Pong():
                self._answer(message, at)
            case say.Enrolled():
                self._post(ev.ReferenceReady(at=at, passage=message.passage))
            case say.NotEnrolled():
                self._post(ev.ReferenceFailed(at=at, passage=message.passage, reason=message.reason))
            case say.Guidance():
                self._post(ev.GuidanceGiven(at=at, passage=message.passage, hint=message.hint))
            case say.PeopleSeen():
                self._post(ev.PeopleSeen(at=at, passage=message.passage, persons=message.persons))
            case say.StrangersCompared():
                counts = tuple(
                    ev.StrangerCount(strata=each.strata, comparisons=each.comparisons, matches=each.matches)
                    for each in message.counts
                )
                self._post(ev.StrangersCompared(at=at, passage=message.passage, counts=counts))
            case say.TemplateGiven() | say.TemplateNotGiven():
                if self._templates is not None:
                    self._templates.hear(message)
            case say.PortraitTold():
                if self._portraits is not None:
                    self._portraits.hear(message)
            case say.PageRead() | say.PagePlacement():
                if self._page is not None:
                    self._page.hear(message, at)
            case say.Assessment() if self._agrees:
                if self._dossiers.is_open(message.passage):
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
                        cues=tuple(ev.LivenessCue(name=c.name, score=c.score) for c in message.cues),
                        quality=message.quality,
                        height_m=message.height_m,
                        height_error_m=message.height_error_m,
                        shadow_score=message.shadow_score,
                        camera=message.camera,
                    )
                )
