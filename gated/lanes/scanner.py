"""The lane of the MRZ scanner: what it sends becomes a read or an unreadable zone.

The device sends by itself when a document is laid on it, often before the gate has begun the passage: the
next traveller lays theirs down while the one before is still inside. Such a message waits in the dossier of
the document that was laid down there last, for as long as it lies there; so it does, unread, at the end of a
lane for two directions that is not in use. One that comes even before its document was felt is kept for a
moment; what nobody asked for within that moment is dropped: it is personal data.

A line that brings noise and nothing else is a fault, until it was quiet for a while or brings a message. One
traveller whose page is noise just goes to the counter, but a technician must hear why all of them do.

Where a page camera looks on, it coaches once the reading has failed, or nothing came for a moment.
"""

import time
from typing import Protocol

from gated.core.events import MrzFailed, MrzRead
from gated.core.personal import Personal
from gated.core.ports import DeviceError, DeviceGone, DeviceTimeout, MrzScanner
from gated.core.vocabulary import Device
from gated.document.mrz import MrzError, parse
from gated.lanes.condition import Condition, Post
from gated.lanes.dossier import Dossiers
from gated.runtime.lanes import Lane

LISTEN_S = 0.2  # one turn; a request waits for at most as long
KEEP_S = 3.0  # a message may be this much older than the passage it belongs to
REOPEN_S = 1.0
NOISY = 3  # messages in a row that are noise: a document that is pulled away makes one or two
QUIET_S = 4.0  # without noise, and the line is well again
COACH_AFTER_S = 1.0  # a document that lies well is sent within half a second


class Coach(Protocol):
    """Whoever can see how the document lies."""

    def read(self, passage: str) -> None:
        """Begin to look, and say what would help."""

    def forget(self) -> None:
        """Look no longer."""


class ScannerLane:
    """Listens to the scanner and answers `read`."""

    def __init__(
        self,
        scanner: MrzScanner,
        dossiers: Dossiers,
        post: Post,
        coach: Coach | None = None,
        reader: str = "document",
        name: str = "mrz-scanner",
        above: str = "",
    ) -> None:
        """Listen to the scanner that is where this document sensor is; `above` is as in `Condition`."""
        self.lane = Lane(name, turn=self._turn, leave=scanner.close, period_s=0.0)
        self.condition = Condition(Device.MRZ_SCANNER, post, above)
        self.heard = 0  # messages since the start
        self._scanner = scanner
        self._dossiers = dossiers
        self._post = post
        self._coach = coach
        self._reader = reader
        self._coached = ""  # the passage that is coached
        self._wanted: str | None = None
        self._wanted_at = 0.0
        self._kept: tuple[float, bytes] | None = None
        self._is_open = False
        self._noise = 0  # messages in a row that were noise
        self._noise_at = 0.0

    def read(self, passage: str) -> None:
        """Read the zone of the document that lies there, for this passage."""
        self.lane.ask(lambda: self._read(passage))

    def forget(self) -> None:
        """The passage ended: drop what was read and wait for nothing."""
        self.lane.ask(self._forget)

    def _read(self, passage: str) -> None:
        self._wanted, self._wanted_at = passage, time.monotonic()
        waiting = self._dossiers.take_page(passage)
        kept, self._kept = self._kept, None
        if waiting is not None:
            self._take(waiting.reveal())
            return
        if kept is not None and time.monotonic() - kept[0] < KEEP_S:
            self._take(kept[1])
            return
        try:
            self._scanner.inquire()
        except DeviceError as error:
            self._lost(error)

    def _forget(self) -> None:
        self._wanted = self._kept = None
        self._end_coaching()

    def _begin_coaching(self, passage: str) -> None:
        if self._coach is not None and self._coached != passage:
            self._coached = passage
            self._coach.read(passage)

    def _end_coaching(self) -> None:
        if self._coach is not None and self._coached:
            self._coached = ""
            self._coach.forget()

    def _turn(self) -> None:
        if not self._is_open and not self._open():
            time.sleep(REOPEN_S)
            return
        self._put_away()
        if self._wanted is not None and time.monotonic() - self._wanted_at >= COACH_AFTER_S:
            self._begin_coaching(self._wanted)
        try:
            message = self._scanner.read(LISTEN_S)
        except (DeviceGone, DeviceTimeout) as error:
            self._lost(error)
        except DeviceError as error:  # noise on the line: the device is well, what it said is not
            self._unreadable(error.code)
            self._noisy(error)
        else:
            if message is not None:
                self._noise = 0
                self.heard += 1
                self._take(message)
            if not self._is_noisy():
                self.condition.ready()

    def _noisy(self, error: DeviceError) -> None:
        """Count what was no message; a line that has brought nothing else for a while is a fault."""
        self._noise, self._noise_at = self._noise + 1, time.monotonic()
        if self._is_noisy():
            self.condition.failed_with(error)

    def _is_noisy(self) -> bool:
        return self._noise >= NOISY and time.monotonic() - self._noise_at < QUIET_S

    def _take(self, message: bytes) -> None:
        if self._wanted is None:
            self._kept = (time.monotonic(), message)
            self._put_away()
            return
        try:
            mrz = parse(message)
        except MrzError as error:
            self._unreadable(error.code)
            return
        passage, self._wanted = self._wanted, None
        self._end_coaching()
        self._dossiers.put_mrz(passage, mrz)
        self._post(MrzRead(at=time.monotonic(), passage=passage, format=mrz.format))

    def _put_away(self) -> None:
        """Give what was kept to its document, once that is felt; drop it if that takes too long."""
        if self._kept is None:
            return
        came, message = self._kept
        if time.monotonic() - came >= KEEP_S or self._dossiers.put_page(Personal(message), self._reader):
            self._kept = None

    def _unreadable(self, reason: str) -> None:
        passage, self._wanted = self._wanted, None
        if passage is not None:
            self._begin_coaching(passage)
            self._post(MrzFailed(at=time.monotonic(), passage=passage, reason=reason))

    def _open(self) -> bool:
        try:
            self._scanner.open()
        except DeviceError as error:
            self._lost(error)
            return False
        self._is_open = True
        if not self._is_noisy():
            self.condition.ready()
        return True

    def _lost(self, error: DeviceError) -> None:
        self._is_open = False
        self._scanner.close()
        self.condition.failed_with(error)
