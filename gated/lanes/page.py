"""The lane of the page camera: what gate-vision reads of a page becomes a zone, and how it lies an advice.

It has no thread: it speaks over the line that SightLane owns, and hears in that lane's thread. The lines that
come are a claim of a process that a stranger's image may have taken over. They count only while they are
asked for, once, and are examined here by the rules for any reader: what opens the chip and must agree with it
is no more believed than what a serial scanner sends.

A gate that has a scanner too is read by that one. The camera then only coaches, and only while the scanner
does not read; trouble with it is no fault of the lane, which reads without it.
"""

from gated.core.events import MrzFailed, MrzRead, PlacementAdvised
from gated.core.vocabulary import Advice, Device
from gated.document.mrz import MrzError, parse
from gated.lanes.condition import Condition, Post
from gated.lanes.dossier import Dossiers
from gated.lanes.sight import WELL, SightLane
from gated.runtime import messages as say

PAGE_CAMERA = "check the page camera's cable and power, and [page_camera] source"
RESTART = "restart gate-vision: it runs with an older configuration"


class PageLane:
    """Answers `read`; `coaches_only` where a scanner reads."""

    def __init__(
        self, sight: SightLane, dossiers: Dossiers, post: Post, *, coaches_only: bool = False
    ) -> None:
        self.condition = Condition(Device.MRZ_SCANNER, post)
        self._sight = sight
        self._dossiers = dossiers
        self._post = post
        self._coaches_only = coaches_only
        self._wanted: str | None = None
        self._advised: Advice | None = None
        sight.attend(self)

    def read(self, passage: str) -> None:
        """Look at the document that lies there, for this passage."""
        self._sight.lane.ask(lambda: self._read(passage))

    def forget(self) -> None:
        """The passage ended, or the page was read: look no longer."""
        self._sight.lane.ask(self._forget)

    def hear(self, message: say.PageRead | say.PagePlacement, at: float) -> None:
        """What was seen of the page, in the thread of SightLane."""
        if message.passage != self._wanted:
            return
        match message:
            case say.PagePlacement() if message.advice != self._advised:
                self._advised = message.advice
                self._post(PlacementAdvised(at=at, passage=message.passage, advice=message.advice))
            case say.PageRead() if not self._coaches_only:
                self._wanted = None
                self._take(message, at)

    def watched(self, camera: str | None) -> None:
        """What a sign of life told of the page camera, in the thread of SightLane."""
        if self._coaches_only:
            return
        if camera is None:
            self.condition.failed("not_configured", RESTART)
        elif camera in WELL:
            self.condition.ready()
        else:
            self.condition.failed(camera, PAGE_CAMERA)

    def _read(self, passage: str) -> None:
        if passage != self._wanted:
            self._wanted, self._advised = passage, None
        self._sight.send(say.ReadPage(passage=passage, only_coach=self._coaches_only))

    def _forget(self) -> None:
        passage, self._wanted = self._wanted, None
        if passage is not None:
            self._sight.send(say.StopPage(passage=passage))

    def _take(self, message: say.PageRead, at: float) -> None:
        try:
            mrz = parse("\n".join(message.lines).encode())
        except MrzError as error:
            self._post(MrzFailed(at=at, passage=message.passage, reason=error.code))
            return
        self._dossiers.put_mrz(message.passage, mrz)
        self._post(MrzRead(at=at, passage=message.passage, format=mrz.format))
