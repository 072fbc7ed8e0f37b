"""Doc 9303-11 appendix D.1 (Triple-DES keys), D.3 (MAC), G.1 (AES key of a password)."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gated.document import keys
from gated.document.keys import PaddingError, Suite
from tests.document.material import FUZZ, refused

HEX = bytes.fromhex


def test_basic_access_keys_follow_from_the_zone() -> None:
    seed = keys.mrz_seed("L898902C<369080619406236")[:16]
    assert seed == HEX("239AB9CB282DAF66231DC5A4DF6BFBAE")
    assert keys.derive(Suite.TDES, seed, keys.FOR_ENCRYPTION) == HEX("AB94FDECF2674FDFB9B391F85D7F76F2")
    assert keys.derive(Suite.TDES, seed, keys.FOR_AUTHENTICATION) == HEX("7962D9ECE03D1ACD4C76089DCE131543")


def test_password_key_of_pace() -> None:
    seed = keys.mrz_seed("T22000129364081251010318")
    assert seed == HEX("7E2D2A41C74EA0B38CD36F863939BFA8E9032AAD")
    assert keys.derive(Suite.AES_128, seed, keys.FOR_PASSWORD) == HEX("89DED1B26624EC1E634C1989302849DD")


def test_retail_mac() -> None:
    key = HEX("7962D9ECE03D1ACD4C76089DCE131543")
    data = HEX("72C29C2371CC9BDB65B779B8E8D37B29ECC154AA56A8799FAE2F498F76ED92F2")
    assert keys.mac(Suite.TDES, key, data) == HEX("5F1448EEA8AD90A7")


def test_cmac_is_cut_to_eight_bytes() -> None:
    key = HEX("2B7E151628AED2A6ABF7158809CF4F3C")  # RFC 4493 section 4, example 2
    assert keys.mac(Suite.AES_128, key, HEX("6BC1BEE22E409F96E93D7E117393172A")) == HEX("070A16B46B4D4144")


@pytest.mark.parametrize(("suite", "length"), [(Suite.TDES, 16), (Suite.AES_192, 24), (Suite.AES_256, 32)])
def test_key_lengths(suite: Suite, length: int) -> None:
    assert len(keys.derive(suite, b"secret", 1)) == length == suite.key_length


def test_parity_is_odd_in_every_byte() -> None:
    adjusted = keys.with_odd_parity(bytes(range(256)))
    assert all(byte.bit_count() % 2 == 1 for byte in adjusted)
    assert all(byte & 0xFE == number & 0xFE for number, byte in enumerate(adjusted))


def test_can_is_its_own_password() -> None:
    assert keys.can_seed("500540") == b"500540"


@FUZZ
@given(st.sampled_from(list(Suite)), st.binary(max_size=80))
def test_what_is_encrypted_is_decrypted(suite: Suite, data: bytes) -> None:
    key = keys.derive(suite, b"secret", keys.FOR_ENCRYPTION)
    padded = keys.pad(data, suite.block)
    assert keys.unpad(keys.decrypt(suite, key, keys.encrypt(suite, key, padded)), suite.block) == data


@pytest.mark.parametrize("padded", ["", "0000000000000000", "01", "80000000000000000000000000000000", "AA"])
def test_padding_that_is_none(padded: str) -> None:
    with refused(PaddingError, "padding_wrong"):
        keys.unpad(HEX(padded), 8)


def test_equal_compares_bytes() -> None:
    assert keys.equal(b"12345678", b"12345678")
    assert not keys.equal(b"12345678", b"12345679")
    assert not keys.equal(b"12345678", b"1234567")
