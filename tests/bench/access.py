"""What the host computes to get access to a chip and to prove it genuine, variant by variant.

The simulated chip runs in the same process; the CPU time of its answers is taken off.
"""

import statistics
import time
from collections.abc import Callable, Iterator
from datetime import date
from secrets import token_bytes
from typing import Final

from gated.document.access import Password, PasswordKind, pace, parse_card_access
from gated.document.access.pace import Opened
from gated.document.access.security_infos import parse_security_infos
from gated.document.apdu import Command, parse_response
from gated.document.genuine.chip_authentication import chip_authentication, choose_chip_authentication
from gated.document.genuine.mapping import verify_mapping
from gated.document.groups.domains import standardized
from gated.document.keys import Suite
from gated.document.lds import parse_dg14
from gated.document.messaging import SecureChannel
from gated.document.reading import drive
from gated.document.trust.signed_data import parse_signed_data
from hw_sim.passport import lds
from hw_sim.passport.chip import Chip
from hw_sim.passport.issuer import (
    Authority,
    ChipAuthenticationProfile,
    PaceProfile,
    Passport,
    Protocols,
    issue,
)
from hw_sim.passport.protocols import Mapping
from tests.holder import ANNA

RUNS: Final = 9
UTOPIA: Final = Authority.establish("utopia", today=date(2026, 11, 23))
DOMAINS: Final = (0, 1, 2, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17, 18)
WITHOUT_POINTS: Final = 10  # P-224 has no integrated mapping
SELECT_APPLICATION: Final = Command(0x00, 0xA4, 0x04, 0x0C, lds.APPLICATION)


def run() -> None:
    """Print milliseconds of host CPU time a PACE, and a chip authentication, on each domain with AES-128."""
    print(f"  access and proof, host alone with AES-128, median of {RUNS}, ms of CPU time")
    print(f"  {'domain':17}{'PACE-GM':>9}{'PACE-IM':>9}{'PACE-CAM':>10}{'CA':>7}")
    for number in DOMAINS:
        elliptic = number > 2
        generic = _pace_ms("GM", number)
        integrated = _pace_ms("IM", number) if number != WITHOUT_POINTS else None
        proving = _pace_ms("CAM", number) if elliptic else None
        costs = (generic, integrated, proving, _chip_authentication_ms(number))
        shown = [f"{cost:.1f}" if cost is not None else "-" for cost in costs]
        name = standardized(number).name
        print(f"  {name:17}{shown[0]:>9}{shown[1]:>9}{shown[2]:>10}{shown[3]:>7}")
    print("  PACE-CAM with the check of its proof, EF.CardSecurity already read and authenticated")


def _pace_ms(mapping: Mapping, number: int) -> float:
    profile = PaceProfile(suite=Suite.AES_128, domain=number, mapping=mapping)
    passport = issue(UTOPIA, ANNA, b"", protocols=Protocols(bac=False, pace=(profile,)))
    signed = passport.files.get(lds.CARD_SECURITY)
    infos = (
        parse_security_infos(parse_signed_data(signed, max_length=len(signed)).content) if signed else None
    )

    def once(clock: "_Clock") -> None:
        opened = _open(passport, clock)
        if opened.mapping is not None and (infos is None or verify_mapping(infos, opened.mapping)):
            raise ValueError("the proof of a genuine chip must hold")

    return _median_ms(once)


def _chip_authentication_ms(number: int) -> float:
    profile = ChipAuthenticationProfile(suite=Suite.AES_128, domain=number)
    protocols = Protocols(
        bac=False, pace=(PaceProfile(suite=Suite.AES_128, domain=12),), chip_authentication=(profile,)
    )
    passport = issue(UTOPIA, ANNA, b"", protocols=protocols)

    def once(clock: "_Clock") -> None:
        chip = _powered(passport)
        channel = _open(passport, _Clock(), chip).channel
        _secured(channel, chip, _Clock())(SELECT_APPLICATION)
        clock.start()
        choice = choose_chip_authentication(parse_security_infos(parse_dg14(passport.files[lds.DG14])))
        if choice is None:
            raise ValueError("the chip offers chip authentication")
        drive(chip_authentication(choice, token_bytes), _secured(channel, chip, clock))

    return _median_ms(once)


class _Clock:
    """Host CPU time since `start`, less what the simulated chip took."""

    def __init__(self) -> None:
        self.start()

    def start(self) -> None:
        """Begin anew."""
        self._begun = time.thread_time()
        self._chip_s = 0.0

    def chip(self, answer: Callable[[bytes], bytes], command: bytes) -> bytes:
        """The chip's answer, off the clock."""
        begun = time.thread_time()
        response = answer(command)
        self._chip_s += time.thread_time() - begun
        return response

    def ms(self) -> float:
        """Milliseconds by now."""
        return 1000 * (time.thread_time() - self._begun - self._chip_s)


def _median_ms(once: Callable[[_Clock], None]) -> float:
    return statistics.median(_timed(once))


def _timed(once: Callable[[_Clock], None]) -> Iterator[float]:
    for _ in range(RUNS):
        clock = _Clock()
        once(clock)
        yield clock.ms()


def _powered(passport: Passport) -> Chip:
    chip = Chip(passport)
    chip.reset()
    return chip


def _open(passport: Passport, clock: _Clock, chip: Chip | None = None) -> Opened:
    powered = chip or _powered(passport)
    choice = parse_card_access(passport.files[lds.CARD_ACCESS]).choose()
    if choice is None:
        raise ValueError("the chip offers PACE")
    password = Password(PasswordKind.MRZ, passport.access_key)
    return drive(pace(choice, password, token_bytes), lambda it: clock.chip(powered.command, it))


def _secured(channel: SecureChannel, chip: Chip, clock: _Clock) -> Callable[[Command], object]:
    def send(command: Command) -> object:
        protected = channel.protect(command).encode()
        return channel.unprotect(parse_response(clock.chip(chip.command, protected)))

    return send
