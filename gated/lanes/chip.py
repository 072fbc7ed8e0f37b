"""The lane of the chip reader: reads the passport's chip and makes every check on it.

The read is a generator of commands; this lane drives it against the reader, within the time that policy
gives. Between reads it looks once a second whether the reader is still there.
"""

import os
import time

from gated.core.checks import Check, Result
from gated.core.events import ChipFailed, ChipRead
from gated.core.ports import CardGone, ChipReader, DeviceError, DeviceGone, DeviceTimeout
from gated.core.vocabulary import Device
from gated.document.access import Password
from gated.document.errors import DocumentError
from gated.document.lds import face_image
from gated.document.mrz import Mrz
from gated.document.reading import ChipFiles, drive, read_passport
from gated.document.trust.store import TrustStore
from gated.document.verification import verify
from gated.lanes.condition import Condition, Post
from gated.lanes.dossier import Dossiers
from gated.runtime.lanes import Lane

WATCH_S = 1.0
AWAIT_CARD_S = 2.0  # a passport is often laid down chip last, or moved once more


class ChipLane:
    """Answers `read`. `read_s` is the time that one read may take, with everything in it."""

    def __init__(
        self, reader: ChipReader, trust: TrustStore, dossiers: Dossiers, read_s: float, post: Post
    ) -> None:
        self.lane = Lane("chip-reader", turn=self._turn, leave=reader.close, period_s=WATCH_S)
        self.condition = Condition(Device.CHIP_READER, post)
        self._reader = reader
        self._trust = trust
        self._dossiers = dossiers
        self._read_s = read_s
        self._post = post

    def read(self, passage: str) -> None:
        """Read the chip of the document that lies there."""
        self.lane.ask(lambda: self._read(passage))

    def _read(self, passage: str) -> None:
        known = self._dossiers.mrz(passage)
        if known is None:
            return
        mrz, began = known
        try:
            files = self._files(mrz)
            checks = (*verify(files, mrz, self._trust, began), self._photograph(passage, files))
        except (CardGone, DocumentError) as error:
            self._failed(passage, error.code)
        except DeviceError as error:
            self._failed(passage, error.code)
            self._lost(error)
        else:
            self._post(ChipRead(at=time.monotonic(), passage=passage, access=files.access, checks=checks))

    def _files(self, mrz: Mrz) -> ChipFiles:
        """Drive the read; power is cut at its end, whatever that is."""
        deadline = time.monotonic() + self._read_s

        def transceive(apdu: bytes) -> bytes:
            self.lane.alive()  # one exchange has its own deadline, and policy may give a read long
            if time.monotonic() > deadline:
                raise CardGone("chip", "chip_too_slow", "try again; if it recurs, the chip is at its end")
            return self._reader.transceive(apdu)

        if not self._reader.await_card(AWAIT_CARD_S):
            raise CardGone("chip", "no_card", "place the passport on the reader")
        self._reader.connect()
        try:
            password = Password.of_mrz(mrz)
            commands = read_passport(password, random=os.urandom, limits=self._reader.limits)
            return drive(commands, transceive)
        finally:
            self._reader.disconnect()

    def _photograph(self, passage: str, files: ChipFiles) -> Check:
        """Keep the portrait for the vision process; here it is only found, never decoded."""
        try:
            portrait = face_image(files["dg2"].reveal())
        except DocumentError as error:
            return Check("photograph", Result.FAILED, error.code)
        self._dossiers.put_photograph(passage, portrait.image)
        return Check("photograph", Result.SUCCESSFUL)

    def _failed(self, passage: str, reason: str) -> None:
        self._post(ChipFailed(at=time.monotonic(), passage=passage, reason=reason))

    def _turn(self) -> None:
        try:
            if not self._reader.is_open:
                self._reader.open()
            self._reader.card_present()
        except DeviceError as error:
            self._lost(error)
        else:
            self.condition.ready()

    def _lost(self, error: DeviceError) -> None:
        """A reader that is gone or silent is opened afresh; one that garbles one exchange is kept."""
        if isinstance(error, DeviceGone | DeviceTimeout):
            self._reader.close()
        self.condition.failed_with(error)
