"""The pseudo-random function of PACE's integrated mapping (Doc 9303-11 section 4.4.3.3.2, figure 2)."""

from gated.document import keys
from gated.document.keys import Suite

_SHORT = (
    bytes.fromhex("a668892a7c41e3ca739f40b057d85904"),
    bytes.fromhex("a4e136ac725f738b01c1f60217c188ad"),
)
_LONG = (
    bytes.fromhex("d463d65234124ef7897054986dca0a174e28df758cbaa03f240616414d5a1676"),
    bytes.fromhex("54bd7255f0aaf831bec3423fcf39d69b6cbf066677d0faae5aadd99df8e53517"),
)
_EXTRA_BITS = 64  # beyond the prime, so that the residue is close to uniform


def nonce_length(suite: Suite) -> int:
    """Bytes of the chip's nonce: the key length rounded up to whole blocks."""
    return -(-suite.key_length // suite.block) * suite.block


def pseudo_random(suite: Suite, nonce: bytes, seed: bytes, prime: int) -> int:
    """R_p(s, t): both nonces, decrypted, as a residue.

    `nonce` is `nonce_length(suite)` bytes from the chip, `seed` a key of the suite from the terminal.
    """
    constants = _LONG if nonce_length(suite) == len(_LONG[0]) else _SHORT
    count = -(-(prime.bit_length() + _EXTRA_BITS) // (8 * len(constants[0])))
    key = keys.encrypt(suite, seed, nonce)[: suite.key_length]
    gathered = b""
    for _ in range(count):
        gathered += keys.encrypt(suite, key, constants[1])
        key = keys.encrypt(suite, key, constants[0])[: suite.key_length]
    return int.from_bytes(gathered, "big") % prime
