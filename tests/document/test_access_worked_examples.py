"""PACE replayed byte by byte against the worked examples of Doc 9303-11, the terminal's side."""

import pytest
from cryptography.hazmat.decrepit.ciphers.algorithms import TripleDES
from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes

from gated.document import tlv
from gated.document.access import MappingEvidence, Opened, Password, PasswordKind, pace, parse_card_access
from gated.document.access.integrated_mapping import pseudo_random
from gated.document.access.security_infos import Mapping, parse_security_infos
from gated.document.apdu import Command
from gated.document.genuine.mapping import verify_mapping
from gated.document.groups.curves import by_number
from gated.document.groups.domains import standardized
from gated.document.groups.modp import STANDARD_GROUPS
from gated.document.groups.point_encoding import encoded_point
from gated.document.keys import Suite
from gated.document.messaging import SecureChannel, SessionKeys
from tests.document.exchanges import draws, replay
from tests.document.worked_examples import (
    H1,
    H1_GENERATOR,
    H1_RESIDUE,
    H2,
    H2_RESIDUE,
    I1,
    I1_DATA,
    I1_MAPPING_KEY,
    I1_STATIC_KEY,
    PACE_EXAMPLES,
    Example,
)


def opened(example: Example) -> Opened:
    choice = parse_card_access(example.card_access).choose()
    assert choice is not None
    password = Password(PasswordKind.MRZ, example.zone)
    return replay(pace(choice, password, draws(*example.terminal_draws)), example.transcript)


@pytest.mark.parametrize("example", PACE_EXAMPLES, ids=lambda example: example.name)
def test_the_worked_examples_of_pace(example: Example) -> None:
    same = SecureChannel(SessionKeys(Suite.AES_128, example.encryption, example.authentication))
    select = Command(0x00, 0xA4, 0x02, 0x0C, b"\x01\x1e")
    assert opened(example).channel.protect(select) == same.protect(select)


def test_the_pseudo_random_function_of_the_integrated_mapping() -> None:
    curve = by_number(13)
    residue = pseudo_random(Suite.AES_128, H1.nonce, H1.terminal_draws[0], curve.p)
    assert residue == int.from_bytes(H1_RESIDUE, "big")
    assert curve.encode(encoded_point(curve, residue)) == H1_GENERATOR
    group = STANDARD_GROUPS[0]
    residue = pseudo_random(Suite.AES_128, H2.nonce, H2.terminal_draws[0], group.p)
    assert residue == int.from_bytes(H2_RESIDUE, "big")
    assert standardized(0).map_integrally(residue).public_of(1)[:4] == bytes.fromhex("1D7D767F")


@pytest.mark.parametrize(("suite", "bits"), [(Suite.TDES, 128), (Suite.AES_192, 256), (Suite.AES_256, 256)])
def test_the_pseudo_random_function_of_the_other_ciphers(suite: Suite, bits: int) -> None:
    """Figure 2 written out once more: the appendix has an example of AES-128 only."""
    constants = {
        128: ("a668892a7c41e3ca739f40b057d85904", "a4e136ac725f738b01c1f60217c188ad"),
        256: (
            "d463d65234124ef7897054986dca0a174e28df758cbaa03f240616414d5a1676",
            "54bd7255f0aaf831bec3423fcf39d69b6cbf066677d0faae5aadd99df8e53517",
        ),
    }[bits]
    nonce, seed, prime = bytes(range(bits // 8)), bytes(range(100, 100 + suite.key_length)), by_number(16).p

    def chained(key: bytes, data: bytes) -> bytes:
        block, width = bytes(suite.block), suite.block
        done = b""
        for at in range(0, len(data), width):
            mixed = bytes(one ^ other for one, other in zip(block, data[at : at + width], strict=True))
            block = Cipher(algorithm(key), modes.ECB()).encryptor().update(mixed)  # noqa: S305
            done += block
        return done

    def algorithm(key: bytes) -> TripleDES | algorithms.AES:
        return TripleDES(key + key[:8]) if suite is Suite.TDES else algorithms.AES(key)

    key, output = chained(seed, nonce), b""
    while 8 * len(output) < prime.bit_length() + 64:
        key = key[: suite.key_length]
        output += chained(key, bytes.fromhex(constants[1]))
        key = chained(key, bytes.fromhex(constants[0]))
    assert pseudo_random(suite, nonce, seed, prime) == int.from_bytes(output, "big") % prime


def evidence() -> MappingEvidence:
    found = opened(I1).mapping
    assert found is not None
    return found


def test_the_chip_of_appendix_i_proves_itself() -> None:
    found = evidence()
    assert (found.choice.mapping, found.public, found.data) == (
        Mapping.CHIP_AUTHENTICATION,
        I1_MAPPING_KEY,
        I1_DATA,
    )
    infos = parse_security_infos(tlv.encode(0x31, I1.offer + I1_STATIC_KEY))
    assert verify_mapping(infos, found) == ""
    assert "85DC" not in repr(found).upper()


def test_only_chip_authentication_mapping_gives_evidence() -> None:
    assert [opened(example).mapping is not None for example in PACE_EXAMPLES] == [False] * 4 + [True]


def test_the_keys_that_terminal_authentication_names() -> None:
    found = opened(I1)
    assert found.terminal_key == I1.transcript[3][0][-65:-33]
    assert found.chip_key == I1.transcript[3][1][-66:-34]
