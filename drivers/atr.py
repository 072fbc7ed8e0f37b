"""The answer to reset (ISO/IEC 7816-3:2006, clause 8) and protocol selection (clause 9), without any I/O.

A chip without contacts has no ATR of its own: its reader makes one up (PC/SC part 3, 3.1.3.2.3.1) that offers
T=0 first and T=1 second and holds no parameters. Readers at the TPDU level leave T=1 to the host, so what it
needs is read here: the size of the card's buffer, the waiting times and the kind of check bytes.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Final

MAX_ATR: Final = 33  # 8.2: TS and at most 32 characters

DIRECT, INVERSE = 0x3B, 0x3F
DEFAULT_FI_DI: Final = 0x11  # 8.3: TA1 when it is absent
DEFAULT_IFSC: Final = 32  # 11.4.2
DEFAULT_WAITING: Final = 0x4D  # 11.4.3: BWI 4, CWI 13
_GLOBAL: Final = 15  # the T of interface bytes that belong to no protocol
_LARGEST_IFS: Final = 254


class AtrError(Exception):
    """An answer to reset that breaks the standard. `code` is snake_case; input bytes are never in it."""

    def __init__(self, code: str) -> None:
        super().__init__(code)
        self.code = code


@dataclass(frozen=True, slots=True)
class Atr:
    """What the host needs of an ATR.

    `protocols` are the T offered, in order. `specific` is the T in force without selection (TA2), None where
    it may be selected. `fi_di` is TA1, `guard` TC1, `waiting` BWI and CWI of T=1 as one byte; `crc` says that
    T=1 blocks end in a CRC, not an LRC.
    """

    protocols: tuple[int, ...]
    specific: int | None
    inverse: bool
    fi_di: int
    guard: int
    ifsc: int
    waiting: int
    crc: bool
    historical: bytes = field(repr=False)

    @property
    def has_t1(self) -> bool:
        """Whether T=1 can be used."""
        return 1 in self.protocols if self.specific is None else self.specific == 1

    @property
    def needs_selection(self) -> bool:
        """Whether T=1 with the offered speed begins only after a PPS exchange (6.3.1)."""
        return self.specific is None and (self.protocols[0] != 1 or self.fi_di != DEFAULT_FI_DI)


def parse_atr(raw: bytes) -> Atr:
    """Read an ATR. Raises AtrError."""
    if not 2 <= len(raw) <= MAX_ATR:
        raise AtrError("atr_length")
    if raw[0] not in (DIRECT, INVERSE):
        raise AtrError("atr_initial_character")
    bytes_of, protocols, start = _interface_bytes(raw)
    end = start + (raw[1] & 0x0F)
    historical = raw[start:end]
    if protocols != (0,):
        end += 1
        check = 0
        for one in raw[1:end]:
            check ^= one
        if check:
            raise AtrError("atr_check_character")
    if end != len(raw):
        raise AtrError("atr_length")
    return _atr(raw, bytes_of, protocols, historical)


def _atr(
    raw: bytes, bytes_of: dict[tuple[str, int], int], protocols: tuple[int, ...], historical: bytes
) -> Atr:
    mode = bytes_of.get(("A", 2))
    implicit = mode is not None and bool(mode & 0x10)  # the speed is not the one of TA1
    ifsc = bytes_of.get(("A", -1), DEFAULT_IFSC)
    waiting = bytes_of.get(("B", -1), DEFAULT_WAITING)
    if not 1 <= ifsc <= _LARGEST_IFS or waiting >> 4 > 9:
        raise AtrError("atr_parameters")
    return Atr(
        protocols=protocols,
        specific=None if mode is None else mode & 0x0F,
        inverse=raw[0] == INVERSE,
        fi_di=DEFAULT_FI_DI if implicit else bytes_of.get(("A", 1), DEFAULT_FI_DI),
        guard=bytes_of.get(("C", 1), 0),
        ifsc=ifsc,
        waiting=waiting,
        crc=bool(bytes_of.get(("C", -1), 0) & 1),
        historical=historical,
    )


def _interface_bytes(raw: bytes) -> tuple[dict[tuple[str, int], int], tuple[int, ...], int]:
    """The interface bytes by letter and number, the protocols, and where the historical bytes begin.

    The first bytes that are specific to T=1 (11.4) have the number -1.
    """
    found: dict[tuple[str, int], int] = {}
    protocols: list[int] = []
    reader = iter(range(2, len(raw)))
    present, number, of_t1, end = raw[1] >> 4, 1, False, 2
    while True:
        for letter, bit in (("A", 1), ("B", 2), ("C", 4)):
            if present & bit:
                end = _next(reader) + 1
                found[letter, number] = raw[end - 1]
                if of_t1:
                    found.setdefault((letter, -1), raw[end - 1])
        if not present & 8:
            return found, tuple(protocols) or (0,), end
        end = _next(reader) + 1
        present, protocol = raw[end - 1] >> 4, raw[end - 1] & 0x0F
        if protocol != _GLOBAL and protocol not in protocols:
            protocols.append(protocol)
        number += 1
        of_t1 = protocol == 1 and number > 2  # TA2 to TC2 are global or of T=0 (8.2.3)


def _next(positions: Iterator[int]) -> int:
    try:
        return next(positions)
    except StopIteration:
        raise AtrError("atr_length") from None


def pps_request(protocol: int, fi_di: int) -> bytes:
    """Ask for a protocol and, unless it is the default, a speed (9.2)."""
    body = bytes((0xFF, protocol)) if fi_di == DEFAULT_FI_DI else bytes((0xFF, 0x10 | protocol, fi_di))
    check = 0
    for one in body:
        check ^= one
    return body + bytes((check,))


def pps_granted(request: bytes, response: bytes) -> bool:
    """Whether the card agreed to all that was asked for (9.3): it echoes the request."""
    return response == request
