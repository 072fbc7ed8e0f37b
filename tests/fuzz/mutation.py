"""The built-in fuzzer: changed samples without guidance, for where no guided fuzzer is installed."""

import random
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from tests.fuzz.targets import MAX_INPUT

_TELLING = (0x00, 0x01, 0x7F, 0x80, 0x81, 0x82, 0x84, 0xFE, 0xFF)  # lengths and tags go wrong at these
MAX_EDITS = 6


@dataclass(frozen=True, slots=True)
class Finding:
    """An input that broke the contract, and what came of it."""

    raw: bytes
    error: BaseException


@dataclass(frozen=True, slots=True)
class Run:
    """How many inputs were tried, and the first finding."""

    inputs: int
    finding: Finding | None


def fuzz(
    contract: Callable[[bytes], None], samples: Sequence[bytes], *, seconds: float, seed: int = 0
) -> Run:
    """Try the samples, then changed ones until the time is over or the contract is broken."""
    chance = random.Random(seed)
    ends = time.monotonic() + seconds
    inputs = 0
    for raw in samples:
        inputs += 1
        if finding := _try(contract, raw):
            return Run(inputs, finding)
    while time.monotonic() < ends:
        inputs += 1
        if finding := _try(contract, mutated(samples, chance)):
            return Run(inputs, finding)
    return Run(inputs, None)


def mutated(samples: Sequence[bytes], chance: random.Random) -> bytes:
    """A sample with some edits: bytes exchanged, pieces cut, doubled, put in or taken from others."""
    copy = bytearray(chance.choice(samples))
    for _ in range(chance.randint(1, MAX_EDITS)):
        at = chance.randrange(len(copy) + 1)
        kind = chance.randrange(7)
        if kind == 0 and at < len(copy):
            copy[at] = chance.randrange(256)
        elif kind == 1 and at < len(copy):
            copy[at] = chance.choice(_TELLING)
        elif kind == 2 and at < len(copy):
            copy[at] ^= 1 << chance.randrange(8)
        elif kind == 3:
            del copy[at : at + chance.randint(1, 16)]
        elif kind == 4:
            copy[at:at] = chance.randbytes(chance.randint(1, 8))
        elif kind == 5:
            copy[at:at] = copy[at : at + chance.randint(1, 64)]
        else:
            other = chance.choice(samples)
            begins = chance.randrange(len(other) + 1)
            copy[at : at + 32] = other[begins : begins + 32]
    return bytes(copy[:MAX_INPUT])


def _try(contract: Callable[[bytes], None], raw: bytes) -> Finding | None:
    try:
        contract(raw)
    except Exception as error:  # noqa: BLE001 - whatever else it is, it is what is looked for
        return Finding(raw, error)
    return None
