"""What the host computes to read a passport and to check it, without the chip's own computing.

The simulated chip runs in the same process; the CPU time of its answers is taken off. What a real chip and
its radio link take is modelled elsewhere (`hw_sim.passport.chip_timing`) and measured by the bench `gate`.
"""

import os
import statistics
import time
from collections.abc import Callable
from datetime import UTC, date, datetime
from typing import Final

from gated.core.checks import Result
from gated.document.access import Password
from gated.document.mrz import parse
from gated.document.reading import SHORT_RESPONSE, ChipFiles, drive, read_passport
from gated.document.trust.passive import TrustStore
from gated.document.verification import verify
from hw_sim.passport.chip import Chip
from hw_sim.passport.issuer import BAC_ONLY, PACE_ONLY, Authority, Passport, Person, Protocols, issue
from tests.bench.clocked import median_ms

READS: Final = 11
PARSES: Final = 2000
PORTRAIT: Final = b"\xff\xd8\xff" + bytes(range(256)) * 64  # 16 kB, as issuers store
EXTENDED_RESPONSE: Final = 65_536
NOW: Final = datetime(2026, 11, 23, 12, tzinfo=UTC)
HOLDER: Final = Person(
    surname="Eriksson",
    given_names="Anna Maria",
    number="L898902C3",
    birth=date(1974, 8, 12),
    expiry=date(2032, 4, 15),
    sex="F",
)


def run() -> None:
    """Print MRZ parses a second and milliseconds of CPU time a read and a verification."""
    utopia = Authority.establish("utopia", today=NOW.date())
    store = TrustStore.load([utopia.master_list()], [], [utopia.anchor])
    message = _message(_passport(utopia, BAC_ONLY))
    cost_ms = median_ms(lambda: [parse(message) for _ in range(PARSES)], runs=7) / PARSES
    print(f"  MRZ (TD3) parsed and checked: {1000 / cost_ms:,.0f} a second")
    print(f"  COM, SOD, DG1, DG2 with {len(PORTRAIT)} bytes of image, host alone, median of {READS} reads")
    for protocols in (BAC_ONLY, PACE_ONLY):
        for max_response in (SHORT_RESPONSE, EXTENDED_RESPONSE):
            _print_read(_passport(utopia, protocols), max_response)
    passport = _passport(utopia, PACE_ONLY)
    files, _, _ = _read(passport, SHORT_RESPONSE)
    mrz = parse(_message(passport))
    checks = verify(files, mrz, store, NOW)
    if any(check.result is not Result.SUCCESSFUL for check in checks):
        raise ValueError("the checks on a genuine passport must all be successful")
    cost_ms = median_ms(lambda: verify(files, mrz, store, NOW))
    print(f"  passive authentication and comparison, {len(checks)} checks: {cost_ms:.2f} ms")


def _print_read(passport: Passport, max_response: int) -> None:
    reads = [_read(passport, max_response) for _ in range(1 + READS)][1:]
    host_ms = 1000 * statistics.median(host_s for _, host_s, _ in reads)
    files, _, exchanges = reads[0]
    length = "short" if max_response == SHORT_RESPONSE else "extended"
    print(f"    {files.access}, {length} APDUs ({exchanges} exchanges): {host_ms:.1f} ms")


def _read(passport: Passport, max_response: int) -> tuple[ChipFiles, float, int]:
    """The files, the host's CPU seconds, and how many commands there were."""
    chip = Chip(passport)
    chip.reset()
    answering = _Timed(chip.command)
    password = Password.of_mrz(parse(_message(passport)))
    began = time.thread_time()
    files = drive(read_passport(password, random=os.urandom, max_response=max_response), answering)
    return files, time.thread_time() - began - answering.spent_s, answering.calls


class _Timed:
    """A function and the CPU time that was spent in it."""

    def __init__(self, answer: Callable[[bytes], bytes]) -> None:
        self._answer = answer
        self.spent_s = 0.0
        self.calls = 0

    def __call__(self, command: bytes) -> bytes:
        began = time.thread_time()
        response = self._answer(command)
        self.spent_s += time.thread_time() - began
        self.calls += 1
        return response


def _passport(authority: Authority, protocols: Protocols) -> Passport:
    return issue(authority, HOLDER, PORTRAIT, protocols=protocols)


def _message(passport: Passport) -> bytes:
    return "\r\n".join(passport.lines).encode()
