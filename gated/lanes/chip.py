"""The lane of the chip reader: reads the passport's chip and makes every check on it.

The read is a generator of commands; this lane drives it against the reader, within the time that policy
gives. Between reads it looks once a second whether the reader is still there. A chip that is not felt, or
goes silent in the middle of the read, is a matter of how the document lies: the traveller is told what would
help.
"""

import os
import time
from collections.abc import Callable

from gated.core.checks import Check, Result, overall
from gated.core.events import ChipFailed, ChipRead, PlacementAdvised
from gated.core.personal import Personal
from gated.core.ports import CardGone, ChipReader, DeviceError, DeviceGone, DeviceTimeout, Limits
from gated.core.settings.documents import DocumentSettings
from gated.core.trust_policy import TrustPolicy
from gated.core.vocabulary import Advice, Device
from gated.document.access import Password
from gated.document.errors import DocumentError
from gated.document.lds import face_image, parse_dg11
from gated.document.mrz import Mrz
from gated.document.reading import ChipFiles, drive, read_passport
from gated.document.trust.store import TrustStore
from gated.document.verification import Verification, Verified
from gated.lanes.condition import Condition, Post
from gated.lanes.dossier import Dossiers
from gated.runtime.lanes import Lane

NOT_OPEN = "not_open"
WATCH_S = 1.0
AWAIT_CARD_S = 2.0  # a passport is often laid down chip last, or moved once more
PERSONAL_DETAILS = 11  # the data group


def _nobody(_: Mrz) -> bool:
    return False


class ChipLane:
    """Answers `read`. `read_s` is the time that one read may take, with everything in it."""

    def __init__(
        self,
        reader: ChipReader,
        trust: TrustStore,
        dossiers: Dossiers,
        read_s: float,
        post: Post,
        *,
        settings: DocumentSettings | None = None,
        policy: TrustPolicy | None = None,
        numbered: Callable[[Mrz], bool] = _nobody,
        name: str = "chip-reader",
        above: str = "",
    ) -> None:
        """Drive the reader; `above` is as in `Condition`.

        `numbered` says of whom the number for life is to be read from the chip, which takes a file more.
        """
        self.lane = Lane(name, turn=self._turn, leave=reader.close, period_s=WATCH_S)
        self.condition = Condition(Device.CHIP_READER, post, above)
        self._reader = reader
        self.trust = trust
        """What a chip is checked against; another store counts from the next chip on."""
        self._dossiers = dossiers
        self._read_s = read_s
        self._post = post
        self._settings = settings or DocumentSettings()
        self._policy = policy or TrustPolicy()
        self._numbered = numbered
        self._answering = False

    def limits(self) -> Limits | None:
        """What one exchange carries through the reader; None while it is not open. For any thread."""
        try:
            return self._reader.limits
        except DeviceError:
            return None

    def read(self, passage: str) -> None:
        """Read the chip of the document that lies there."""
        self.lane.ask(lambda: self._read(passage))

    def _read(self, passage: str) -> None:
        known = self._dossiers.mrz(passage)
        if known is None:
            return
        mrz, began = known
        started = time.monotonic()
        verification = Verification(mrz, self.trust, began, settings=self._settings, policy=self._policy)
        try:
            files = self._files(mrz, verification)
            verified = verification.conclude(files)
            checks = (*verified.checks, self._photograph(passage, files))
            self._personal_number(passage, files, verified)
        except CardGone as error:
            self._failed(passage, error.code)
            self._advise(passage, error.code)
        except DocumentError as error:
            self._failed(passage, error.code)
        except DeviceError as error:
            self._failed(passage, error.code)
            self._lost(error)
        else:
            now = time.monotonic()
            self._post(
                ChipRead(
                    at=now,
                    passage=passage,
                    access=files.access,
                    checks=checks,
                    access_reason=files.access_reason,
                    proof=verified.proof,
                    signer=verified.signer,
                    csca=verified.csca,
                    notes=verified.notes,
                    duration_s=round(now - started, 3),
                )
            )

    def _files(self, mrz: Mrz, verification: Verification) -> ChipFiles:
        """Drive the read; each file is checked as it comes. Power is cut at the end, whatever that is."""
        deadline = time.monotonic() + self._read_s
        self._answering = False

        def transceive(apdu: bytes) -> bytes:
            self.lane.alive()  # one exchange has its own deadline, and policy may give a read long
            if time.monotonic() > deadline:
                raise CardGone("chip", "chip_too_slow", "try again; if it recurs, the chip is at its end")
            return self._reader.transceive(apdu)

        if not self._reader.await_card(AWAIT_CARD_S):
            raise CardGone("chip", "no_card", "place the passport on the reader")
        historical = self._reader.connect()
        self._answering = True
        try:
            commands = read_passport(
                Password.of_mrz(mrz),
                random=os.urandom,
                settings=self._settings,
                limits=self._reader.limits,
                historical=historical,
                on_file=verification.take,
                also=(PERSONAL_DETAILS,) if self._numbered(mrz) else (),
            )
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

    def _personal_number(self, passage: str, files: ChipFiles, verified: Verified) -> None:
        """Keep the number for life where the state has signed it. What is odd about DG11 is noted already."""
        known = self._dossiers.mrz(passage)
        if known is None or not self._numbered(known[0]) or "dg11" not in files:
            return
        if overall(verified.checks) is not Result.SUCCESSFUL:
            return
        try:
            number = parse_dg11(files["dg11"].reveal()).personal_number
        except DocumentError:
            return
        if number is not None:
            self._dossiers.put_personal_number(passage, Personal(number))

    def _advise(self, passage: str, reason: str) -> None:
        """Say what would help the next try, if there is one: after the last the gate does not listen."""
        if reason == "no_card":
            advice = Advice.PUSH_INTO_CORNER
        elif self._answering and reason != "chip_too_slow":
            advice = Advice.HOLD_STILL
        else:
            return
        self._post(PlacementAdvised(at=time.monotonic(), passage=passage, advice=advice))

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
        if error.code != NOT_OPEN or self.condition.is_ready:  # what is away was told already, and why
            self.condition.failed_with(error)
