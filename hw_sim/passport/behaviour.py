"""How a simulated chip departs from the ideal one: by habit, by defect, or because somebody made it hostile.

The default is a chip that does all and does it right. Each field is one departure; they combine.
"""

from typing import Literal

from gated.core.values import Value

BeyondEnd = Literal["partial", "corrected_le", "wrong_length"]

Distortion = Literal["wrong_mac", "plain", "repeated", "stripped"]
"""What becomes of every secured response: a wrong MAC; its content in the clear; the one before once more; a
bare 9000 with nothing in it."""

PaceKey = Literal["echoed", "off_group", "neutral", "low_order"]
"""What a chip sends in place of its public keys in PACE: the terminal's own; a value outside of the group;
the group's neutral element, or for ECDH, which has no coding for it, zeros; with DH, the element of order two
(on the standard curves there is none)."""


class Behaviour(Value):
    """Habits, defects and hostility of one chip. Numbers of commands count from power-up, from 1 on."""

    # transport
    mute: bool = False  # no answer to reset: as if no chip were there
    lost_at: int | None = None  # the nth command after power-up stays without answer, and all after it
    lost_for_good: bool = False  # at every power-up; else the first time only
    slowness: float = 1.0  # factor on the time that the chip takes
    garbage: int | None = None  # a seed: every response is made of chance, most say 9000

    # lengths
    extended_lengths: bool = True  # else 6700 to extended APDUs
    boasts: bool = False  # says that it takes extended lengths, whatever it does
    silent: bool = False  # says nothing of its capabilities: no historical bytes, no EF.ATR/INFO
    longest_command: int = 65_535  # bytes of an APDU; 6700 to longer ones
    longest_response: int = 65_535  # bytes of response data
    chaining: bool = True  # else 6884 to command chaining, but within PACE
    part_length: int | None = (
        None  # bytes of a response at once; the rest in parts (61xx), however it is secured
    )
    exact_le: bool = False  # 6Cxx to a plain READ BINARY that wants as much as there is and finds less

    # files
    endless_file: int | None = None  # this file declares 4 GB, and has them
    max_read: int | None = None  # bytes that one READ BINARY returns at most
    generous: int = 0  # bytes that READ BINARY returns more than it was asked for
    beyond_end: BeyondEnd = "partial"  # a read over the end: 6282 with data, 6Cxx, or 6700
    short_identifiers: bool = True  # else 6A86 to READ BINARY with one
    refuses_le_on_select: bool = False  # 6700 to a SELECT that carries Le
    insists_on_information: bool = False  # 6A86 to a SELECT that wants no file control information

    # protocols
    refuses: tuple[tuple[int, int], ...] = ()  # instructions, and the status word that each is answered with
    pace_fails: bool = False  # 6300 to the terminal's token, right or wrong
    pace_key: PaceKey | None = None
    unprotected_errors: bool = False  # an error within a session is told in the clear and ends it
    distorts: Distortion | None = None
    distorts_from: int = 1  # the first secured response that is distorted
