"""Simulated passports in a reader that notes what was sent, for the tests of whole reads."""

import hashlib
from datetime import UTC, date, datetime

from gated.core.ports import Limits
from gated.core.settings.documents import DocumentSettings
from gated.document.access import Password
from gated.document.keys import Suite
from gated.document.mrz import Mrz, parse
from gated.document.reading import ChipFiles, drive, read_passport
from gated.document.trust.passive import TrustStore
from hw_sim.passport import lds as issuer_lds
from hw_sim.passport.chip import Behaviour, Chip
from hw_sim.passport.issuer import (
    Authority,
    PaceProfile,
    Passport,
    Protocols,
    issue,
)
from tests.holder import ANNA

TODAY = date(2026, 11, 23)
AT = datetime(2026, 11, 23, 12, tzinfo=UTC)
UTOPIA = Authority.establish("utopia", today=TODAY)
STORE = TrustStore.load([UTOPIA.master_list()], [], [UTOPIA.anchor])
PORTRAIT = b"\xff\xd8\xff" + bytes(range(256)) * 40
LARGE_PORTRAIT = b"\xff\xd8\xff" + bytes(range(256)) * 150  # beyond offset 32767

BAC = Protocols()
PACE = Protocols(bac=False, pace=(PaceProfile(suite=Suite.AES_128, domain=13),))
BOTH = Protocols(pace=PACE.pace)


def passport(protocols: Protocols = PACE, portrait: bytes = PORTRAIT) -> Passport:
    return issue(UTOPIA, ANNA, portrait, protocols=protocols)


def carrying(max_response: int) -> Limits:
    """A reader of short APDUs, or beyond 256 bytes of response one of extended APDUs."""
    return Limits(max_command=65_544 if max_response > 256 else 261, max_response=max_response)


def zone(document: Passport) -> Mrz:
    return parse("\r\n".join(document.lines).encode())


class Counted:
    """Chance that repeats itself from test to test; another label gives another."""

    def __init__(self, label: str = "") -> None:
        self._label = label.encode()
        self._drawn = 0

    def __call__(self, size: int) -> bytes:
        self._drawn += 1
        return hashlib.shake_256(self._label + self._drawn.to_bytes(4, "big")).digest(size)


class Slot:
    """A chip in a reader that notes what was sent."""

    def __init__(self, document: Passport, behaviour: Behaviour | None = None) -> None:
        self.document = document
        self.sent: list[bytes] = []
        self.chip = Chip(document, behaviour, entropy=Counted("chip"))
        self.chip.reset()

    def transceive(self, command: bytes) -> bytes:
        self.sent.append(command)
        return self.chip.command(command)

    def read(
        self,
        password: Password | None = None,
        *,
        max_response: int = 256,
        settings: DocumentSettings | None = None,
    ) -> ChipFiles:
        commands = read_passport(
            password or Password.of_mrz(zone(self.document)),
            random=Counted(),
            settings=settings,
            limits=carrying(max_response),
            historical=self.chip.atr[4:-1],
        )
        return drive(commands, self.transceive)


def assert_complete(files: ChipFiles, document: Passport) -> None:
    pairs = (
        (files["com"], issuer_lds.COM),
        (files["sod"], issuer_lds.SOD),
        (files["dg1"], issuer_lds.DG1),
        (files["dg2"], issuer_lds.DG2),
    )
    for read, identifier in pairs:
        assert read.reveal() == document.files[identifier]
