"""A terminal for tests of the simulated chip: sends bytes, keeps what it sent, opens a session."""

import secrets
from datetime import date

from gated.document import access
from gated.document.access import Password, PasswordKind
from gated.document.apdu import Command, Response, parse_response
from gated.document.messaging import SecureChannel
from gated.document.reading import drive
from hw_sim.passport import issuer, lds
from hw_sim.passport.chip import Behaviour, Chip
from hw_sim.passport.issuer import Authority, Passport, Protocols, issue
from tests.holder import ANNA

TODAY = date(2026, 11, 23)
SELECT_APPLICATION = bytes.fromhex("00A4040C07A0000002471001")
UTOPIA = Authority.establish("utopia", today=TODAY)
PHOTOGRAPH = b"\xff\xd8" + bytes(range(256)) * 160  # beyond the 32 KiB that an even READ BINARY reaches


def passport(protocols: Protocols, photograph: bytes = PHOTOGRAPH) -> Passport:
    return issue(UTOPIA, ANNA, photograph, protocols=protocols)


class Terminal:
    """Speaks to one chip, in the clear until `enter_*` has opened a session."""

    def __init__(self, chip: Chip, access_key: str) -> None:
        self.chip = chip
        self.password = Password(PasswordKind.MRZ, access_key)
        self.channel: SecureChannel | None = None
        self.sent: list[bytes] = []
        self.time_s = 0.0

    def raw(self, apdu: bytes | str) -> bytes:
        """Send bytes as they are."""
        command = bytes.fromhex(apdu) if isinstance(apdu, str) else apdu
        self.sent.append(command)
        response = self.chip.command(command)
        self.time_s += self.chip.busy_s(command, response)
        return response

    def status(self, apdu: bytes | str) -> int:
        """Send bytes; the status word of a response that must carry nothing else."""
        response = self.raw(apdu)
        assert len(response) == 2
        return int.from_bytes(response, "big")

    def send(self, command: Command) -> Response:
        """Send a command over the session, or in the clear where there is none."""
        if self.channel is None:
            return parse_response(self.raw(command.encode()))
        return self.channel.unprotect(parse_response(self.raw(self.channel.protect(command).encode())))

    def enter_bac(self) -> None:
        assert self.status(SELECT_APPLICATION) == 0x9000
        self.channel = drive(access.bac(self.password, secrets.token_bytes), self.raw)

    def enter_pace(self) -> None:
        offered = self.raw("00B09C0000")
        choice = access.parse_card_access(offered[:-2]).choose()
        assert choice is not None
        self.channel = drive(access.pace(choice, self.password, secrets.token_bytes), self.raw).channel

    def select_application(self) -> None:
        assert self.send(Command(0x00, 0xA4, 0x04, 0x0C, lds.APPLICATION)).ok


def at(chip_passport: Passport, chip: Chip | None = None) -> Terminal:
    """A terminal that knows the password of a passport."""
    return Terminal(chip or Chip(chip_passport), chip_passport.access_key)


WITH_BOTH = passport(issuer.PACE_AND_BAC)
WITH_BAC = passport(issuer.BAC_ONLY)
WITH_PACE = passport(issuer.PACE_ONLY)


def in_bac_session(behaviour: Behaviour | None = None) -> Terminal:
    terminal = at(WITH_BAC, Chip(WITH_BAC, behaviour))
    terminal.enter_bac()
    return terminal


def in_pace_session() -> Terminal:
    """As `in_bac_session`: with the application selected."""
    terminal = at(WITH_PACE)
    terminal.enter_pace()
    terminal.select_application()
    return terminal


def select(fid: int) -> Command:
    return Command(0x00, 0xA4, 0x02, 0x0C, fid.to_bytes(2, "big"))
