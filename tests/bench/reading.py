"""Reading a chip over a modelled link: host CPU, and time against what the transfer alone would take.

The link is `hw_sim.reader.rf_link` (ISO/IEC 14443 type A) and the chip's own time
`hw_sim.passport.chip_timing` (3 ms a command, 10 ms a KiB, and its key agreements). The bound is what cannot
be avoided with this chip and this reader: the commands of access and proofs, and every byte of every file in
the longest pieces that both carry, with no SELECT, no head of a file and no try in vain.
"""

import os
import statistics
import time
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Final

from msgspec.structs import replace

from gated.core.ports import Limits
from gated.document import tlv
from gated.document.access import Password
from gated.document.apdu import parse_command
from gated.document.keys import Suite
from gated.document.mrz import parse
from gated.document.reading import SHORT_APDUS, ChipFiles, drive, read_passport
from gated.document.trust.store import TrustStore
from gated.document.verification import verify
from hw_sim.passport.chip import Behaviour, Chip
from hw_sim.passport.chip_active import ActiveProfile
from hw_sim.passport.issuer import (
    BAC_ONLY,
    PACE_ONLY,
    Authority,
    ChipAuthenticationProfile,
    PaceProfile,
    Passport,
    Person,
    issue,
)
from hw_sim.reader.rf_link import BIT_RATES, exchange_s
from tests.bench.clocked import median_ms

READS: Final = 11
PORTRAIT: Final = b"\xff\xd8\xff" + bytes(range(256)) * 80  # 20 KiB
LONG_APDUS: Final = Limits(max_command=65_544, max_response=65_536)
READ_BINARY: Final = {0xB0, 0xB1}
SELECT: Final = 0xA4
NOW: Final = datetime(2026, 11, 23, 12, tzinfo=UTC)
HOLDER: Final = Person(
    surname="Eriksson",
    given_names="Anna Maria",
    number="L898902C3",
    birth=NOW.date().replace(year=1974),
    expiry=NOW.date().replace(year=2032),
    sex="F",
)


class Link:
    """A chip behind a link: adds up what each exchange would take, and the CPU time of the chip itself."""

    def __init__(self, chip: Chip, bit_rate: int) -> None:
        self._chip = chip
        self._bit_rate = bit_rate
        self.total_s = 0.0
        self.unavoidable_s = 0.0
        self.longest = b""
        self.chip_cpu_s = 0.0
        self.commands = 0

    def transceive(self, command: bytes) -> bytes:
        began = time.thread_time()
        response = self._chip.command(command)
        self.chip_cpu_s += time.thread_time() - began
        self.commands += 1
        took_s = self.took_s(command, response)
        self.total_s += took_s
        if parse_command(command).ins in READ_BINARY:
            self.longest = max(self.longest, response, key=len)
        elif parse_command(command).ins != SELECT:
            self.unavoidable_s += took_s
        return response

    def took_s(self, command: bytes, response: bytes) -> float:
        """The link's time and the chip's for one exchange."""
        return exchange_s(len(command), len(response), self._bit_rate) + self._chip.busy_s(command, response)

    def bound_s(self, files: ChipFiles) -> float:
        """The least that this chip can take for these files."""
        cryptogram = tlv.parse(self.longest[:-2])[0].value
        plain = len(cryptogram) - 2  # the padding indicator, and at least one byte of padding
        around = len(self.longest) - plain
        command = bytes(24)  # READ BINARY under secure messaging: header, DO97, DO8E
        content = sum(len(files[name].reveal()) for name in files.files)
        whole, rest = divmod(content, plain)
        return (
            self.unavoidable_s
            + whole * self.took_s(command, self.longest)
            + self.took_s(command, bytes(around + rest))
        )


def run() -> None:
    """Print host CPU and modelled time for each kind of chip, for short and long APDUs and every bit rate."""
    utopia = Authority.establish("utopia", today=NOW.date())
    store = TrustStore.load([utopia.master_list()], [], [utopia.anchor])
    print(
        f"  SOD, DG1, DG2 with {len(PORTRAIT)} bytes of image, and what else the plan reads; all checks made;"
    )
    print(
        f"  host CPU: median of {READS} reads (wanted for PACE-CAM: 60 ms); link: of the bound (wanted 1.10)"
    )
    for name, passport, behaviour in _chips(utopia):
        for limits in (SHORT_APDUS, LONG_APDUS):
            _print(name, passport, behaviour, limits, store)
    passport = issue(utopia, HOLDER, PORTRAIT, protocols=PACE_ONLY)
    files, _, _ = read(passport, SHORT_APDUS, BIT_RATES[-1], store)
    mrz = parse("\r\n".join(passport.lines).encode())
    cost_ms = median_ms(lambda: verify(files, mrz, store, NOW))
    print(f"  passive authentication and comparison of what was read: {cost_ms:.2f} ms of CPU")


def _chips(utopia: Authority) -> Iterator[tuple[str, Passport, Behaviour]]:
    mapping = PaceProfile(suite=Suite.AES_128, domain=13, mapping="CAM")
    agreement = ChipAuthenticationProfile(suite=Suite.AES_128, domain=13)
    usual = Behaviour()
    kinds = (
        ("BAC", BAC_ONLY, None, usual),
        ("BAC, at most 160 bytes", BAC_ONLY, None, Behaviour(max_read=160, extended_lengths=False)),
        ("PACE-GM", PACE_ONLY, None, usual),
        ("PACE-GM, CA", replace(PACE_ONLY, chip_authentication=(agreement,)), None, usual),
        ("PACE-GM, AA by RSA", PACE_ONLY, ActiveProfile(rsa_bits=2048), usual),
        ("PACE-CAM", replace(PACE_ONLY, pace=(mapping,)), None, usual),
    )
    for name, protocols, active, behaviour in kinds:
        passport = issue(utopia, HOLDER, PORTRAIT, protocols=protocols, active_authentication=active)
        yield name, passport, behaviour


def _print(name: str, passport: Passport, behaviour: Behaviour, limits: Limits, store: TrustStore) -> None:
    host_ms, rates = [], []
    for _ in range(READS):
        _, link, host_s = read(passport, limits, BIT_RATES[-1], store, behaviour)
        host_ms.append(1000 * host_s)
    for bit_rate in BIT_RATES:
        files, link, _ = read(passport, limits, bit_rate, store, behaviour)
        rates.append(
            f"{bit_rate // 1000} kbit/s {link.total_s:.2f} s ({link.total_s / link.bound_s(files):.2f})"
        )
    apdus = "short" if limits is SHORT_APDUS else "long"
    print(f"    {name}, {apdus} APDUs: host {statistics.median(host_ms):.1f} ms, {link.commands} commands")
    print(f"      {', '.join(rates)}")


def read(
    passport: Passport, limits: Limits, bit_rate: int, store: TrustStore, behaviour: Behaviour | None = None
) -> tuple[ChipFiles, Link, float]:
    """Read and verify; the files, the link, and the host's CPU seconds."""
    chip = Chip(passport, behaviour)
    chip.reset()
    link = Link(chip, bit_rate)
    mrz = parse("\r\n".join(passport.lines).encode())
    began = time.thread_time()
    files = drive(
        read_passport(Password.of_mrz(mrz), random=os.urandom, limits=limits, historical=chip.atr[4:-1]),
        link.transceive,
    )
    verify(files, mrz, store, NOW)
    return files, link, time.thread_time() - began - link.chip_cpu_s
