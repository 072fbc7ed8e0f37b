"""The symmetric cryptography of Doc 9303-11: key derivation, CBC without padding, MACs, padding.

Four suites: two-key Triple-DES and AES with 128, 192 and 256 bits. The MAC of Triple-DES is the retail MAC
(ISO 9797-1 algorithm 3, padding method 2), that of AES is CMAC cut to eight bytes. Passwords become key
seeds here too. Values only: nothing is kept, no chance is drawn.
"""

import hashlib
from enum import Enum

from cryptography.hazmat.decrepit.ciphers.algorithms import TripleDES
from cryptography.hazmat.primitives import cmac, constant_time
from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes

from gated.document.errors import DocumentError

FOR_ENCRYPTION = 1  # the counters of the key derivation function, Doc 9303-11 section 9.7.1
FOR_AUTHENTICATION = 2
FOR_PASSWORD = 3

MAC_LENGTH = 8


class PaddingError(DocumentError):
    """Decrypted bytes do not end in padding method 2."""


class Suite(Enum):
    """A cipher with its key length; the value is its name in reports."""

    TDES = "3DES"
    AES_128 = "AES-128"
    AES_192 = "AES-192"
    AES_256 = "AES-256"

    @property
    def key_length(self) -> int:
        """Length of a key in bytes."""
        return {"3DES": 16, "AES-128": 16, "AES-192": 24, "AES-256": 32}[self.value]

    @property
    def block(self) -> int:
        """Length of a block, and of the send sequence counter, in bytes."""
        return 8 if self is Suite.TDES else 16


def derive(suite: Suite, secret: bytes, counter: int) -> bytes:
    """KDF of section 9.7.1: SHA-1 for 3DES and AES-128, SHA-256 for AES-192 and AES-256."""
    digest = "sha256" if suite in {Suite.AES_192, Suite.AES_256} else "sha1"
    key = hashlib.new(digest, secret + counter.to_bytes(4, "big")).digest()[: suite.key_length]
    return with_odd_parity(key) if suite is Suite.TDES else key


def with_odd_parity(key: bytes) -> bytes:
    """Set the low bit of each byte so that its number of ones is odd (FIPS 46-3)."""
    return bytes(byte ^ (1 if byte.bit_count() % 2 == 0 else 0) for byte in key)


def mrz_seed(access_key: str) -> bytes:
    """SHA-1 of the MRZ information: the password of PACE (9.7.3); BAC uses its first 16 bytes (9.7.2)."""
    return hashlib.new("sha1", access_key.encode("ascii"), usedforsecurity=False).digest()


def can_seed(number: str) -> bytes:
    """The card access number as PACE takes it: its ISO 8859-1 coding (9.7.3)."""
    return number.encode("iso-8859-1")


def encrypt(suite: Suite, key: bytes, data: bytes, iv: bytes | None = None) -> bytes:
    """CBC over whole blocks; the initial vector is zero unless given."""
    encryptor = _cbc(suite, key, iv).encryptor()
    return encryptor.update(data) + encryptor.finalize()


def decrypt(suite: Suite, key: bytes, data: bytes, iv: bytes | None = None) -> bytes:
    """Undo `encrypt`."""
    decryptor = _cbc(suite, key, iv).decryptor()
    return decryptor.update(data) + decryptor.finalize()


def mac(suite: Suite, key: bytes, data: bytes) -> bytes:
    """Eight bytes: the retail MAC, which pads by itself, or the shortened CMAC over `data` as it is."""
    if suite is Suite.TDES:
        return _retail_mac(key, pad(data, 8))
    code = cmac.CMAC(algorithms.AES(key))
    code.update(data)
    return code.finalize()[:MAC_LENGTH]


def equal(one: bytes, other: bytes) -> bool:
    """Compare secrets in a time that does not tell where they differ."""
    return constant_time.bytes_eq(one, other)


def pad(data: bytes, block: int) -> bytes:
    """ISO 9797-1 padding method 2: 80, then zeros up to a whole block."""
    return data + b"\x80" + bytes(-(len(data) + 1) % block)


def unpad(data: bytes, block: int) -> bytes:
    """Remove padding method 2. Raises PaddingError(`padding_wrong`)."""
    bare = data.rstrip(b"\0")
    if not bare.endswith(b"\x80") or len(data) - len(bare) >= block or len(data) % block:
        raise PaddingError("padding_wrong")
    return bare[:-1]


def _cbc(suite: Suite, key: bytes, iv: bytes | None) -> "Cipher[modes.CBC]":
    vector = modes.CBC(bytes(suite.block) if iv is None else iv)
    if suite is Suite.TDES:
        return Cipher(TripleDES(key + key[:8]), vector)
    return Cipher(algorithms.AES(key), vector)


def _retail_mac(key: bytes, padded: bytes) -> bytes:
    """Single DES in CBC over all blocks but the last, Triple-DES over the last (ISO 9797-1 algorithm 3)."""
    chained = bytes(8)
    if len(padded) > 8:
        single = Cipher(TripleDES(key[:8] * 3), modes.CBC(bytes(8))).encryptor()
        chained = single.update(padded[:-8])[-8:]
    last = Cipher(TripleDES(key + key[:8]), modes.CBC(chained)).encryptor()
    return last.update(padded[-8:]) + last.finalize()
