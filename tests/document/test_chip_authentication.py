"""Chip authentication, the terminal's side, against prepared answers."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gated.document import keys, tlv
from gated.document.access.pace import authentication_token, session_keys
from gated.document.access.security_infos import (
    ChipAuthenticationInfo,
    ChipAuthenticationKey,
    SecurityInfos,
    parse_security_infos,
)
from gated.document.apdu import Command, Response
from gated.document.errors import AccessError
from gated.document.genuine.chip_authentication import (
    ChipAuthenticationChoice,
    Restarted,
    chip_authentication,
    choose_chip_authentication,
)
from gated.document.groups.domains import residues, standardized
from gated.document.groups.key_info import PublicKey
from gated.document.keys import Suite
from gated.document.lds import parse_dg14
from gated.document.messaging import SecureChannel, SessionKeys
from tests.document.exchanges import draws, replay
from tests.document.material import FUZZ, refused, specimen

HEX = bytes.fromhex
P256 = standardized(12)
STATIC, OWN = 4242, 31337
OK = Response(b"", 0x9000)
SELECT = Command(0x00, 0xA4, 0x02, 0x0C, HEX("011E"))


def key(number: int = 12, key_id: int | None = None) -> ChipAuthenticationKey:
    domain = standardized(number)
    return ChipAuthenticationKey(
        "ECDH" if number > 2 else "DH", PublicKey(domain, domain.public_of(STATIC)), key_id
    )


def info(protocol: str, version: int = 1, key_id: int | None = None) -> ChipAuthenticationInfo:
    return ChipAuthenticationInfo(HEX(protocol), version, key_id)


def chosen(
    infos: tuple[ChipAuthenticationInfo, ...], *chip_keys: ChipAuthenticationKey
) -> ChipAuthenticationChoice | None:
    return choose_chip_authentication(SecurityInfos(chip_authentication=infos, chip_keys=chip_keys))


def choice(protocol: str = "0202", version: int = 1, key_id: int | None = None) -> ChipAuthenticationChoice:
    found = chosen((info(protocol, version, key_id),), key(12, key_id))
    assert found is not None
    return found


def run(what: ChipAuthenticationChoice, *transcript: tuple[Command, Response]) -> Restarted:
    return replay(chip_authentication(what, draws(OWN.to_bytes(32, "big"))), transcript)


def expected(suite: Suite, nonce: bytes = b"") -> SessionKeys:
    secret = P256.agree(STATIC, P256.public_of(OWN))
    return session_keys(suite, secret + nonce)


def assert_same(channel: SecureChannel, session: SessionKeys) -> None:
    assert channel.protect(SELECT) == SecureChannel(session).protect(SELECT)


OWN_KEY = P256.public_of(OWN)
SET_AT = Command(0x00, 0x22, 0x41, 0xA4, HEX("800A04007F00070202030202"))
GENERAL = Command(0x00, 0x86, 0x00, 0x00, tlv.encode(0x7C, tlv.encode(0x80, OWN_KEY)), 256)
NONCE = HEX("0102030405060708")
VERSION_2 = authentication_token(expected(Suite.AES_128, NONCE), HEX("04007F00070202030202"), P256, OWN_KEY)


def token_answer(nonce: bytes = NONCE, token: bytes = VERSION_2) -> Response:
    return Response(tlv.encode(0x7C, tlv.encode(0x81, nonce) + tlv.encode(0x82, token)), 0x9000)


# --- the exchange ------------------------------------------------------------------------------------


@pytest.mark.parametrize(("key_id", "reference"), [(None, ""), (5, "840105"), (300, "8402012C")])
def test_triple_des_takes_one_command(key_id: int | None, reference: str) -> None:
    body = tlv.encode(0x91, OWN_KEY) + HEX(reference)
    restarted = run(choice("0201", 1, key_id), (Command(0x00, 0x22, 0x41, 0xA6, body), OK))
    assert_same(restarted.channel, expected(Suite.TDES))
    assert restarted.terminal_key == OWN_KEY[1:33]
    assert repr(restarted) == "Restarted(3DES)"


@pytest.mark.parametrize("answer", ["7C00", ""])
def test_aes_takes_two(answer: str) -> None:
    restarted = run(choice(), (SET_AT, OK), (GENERAL, Response(HEX(answer), 0x9000)))
    assert_same(restarted.channel, expected(Suite.AES_128))


def test_version_2_mixes_in_a_nonce_of_the_chip() -> None:
    restarted = run(choice(version=2), (SET_AT, OK), (GENERAL, token_answer()))
    assert_same(restarted.channel, expected(Suite.AES_128, NONCE))


@pytest.mark.parametrize(
    ("answer", "code"),
    [
        (token_answer(token=VERSION_2[::-1]), "chip_authentication_token_wrong"),
        (token_answer(token=b""), "chip_authentication_token_wrong"),
        (token_answer(NONCE[::-1]), "chip_authentication_token_wrong"),
        (token_answer(NONCE[:-1]), "chip_authentication_malformed"),
        (Response(HEX("7C00"), 0x9000), "chip_authentication_malformed"),
        (OK, "chip_authentication_malformed"),
        (Response(b"", 0x6300), "chip_authentication_refused"),
    ],
)
def test_chips_that_do_version_2_wrongly(answer: Response, code: str) -> None:
    with refused(AccessError, code):
        run(choice(version=2), (SET_AT, OK), (GENERAL, answer))


def test_a_refusal_tells_its_status() -> None:
    with pytest.raises(AccessError) as refusal:
        run(choice(), (SET_AT, Response(b"", 0x6A88)))
    assert (refusal.value.code, refusal.value.status) == ("chip_authentication_refused", 0x6A88)


def test_the_command_of_a_long_key_is_yielded_whole() -> None:
    found = chosen((info("0104"),), key(2))
    assert found is not None
    protocol = chip_authentication(found, lambda size: b"\x07" * size)
    assert next(protocol).header == HEX("002241A4")
    assert len(protocol.send(OK).body) == 4 + 4 + 256


def test_a_static_key_that_is_none() -> None:
    found = choice()
    broken = ChipAuthenticationChoice(found.info, found.suite, PublicKey(P256, b"\x04" + bytes(64)), None)
    with refused(AccessError, "chip_authentication_key"):
        next(chip_authentication(broken, lambda size: b"\x07" * size))


def test_a_group_of_the_chips_own_is_taken_where_the_state_signs_it() -> None:
    """PKCS #3 tells no order of the subgroup; the own key is then as long as the strength calls for."""
    domain = residues((1 << 1279) - 1, 3)
    own = ChipAuthenticationKey("DH", PublicKey(domain, domain.public_of(STATIC)), None)
    found = chosen((info("0102"),), own)
    assert found is not None
    assert found.strength == 80
    sizes: list[int] = []

    def random(size: int) -> bytes:
        sizes.append(size)
        return b"\x07" * size

    protocol = chip_authentication(found, random)
    next(protocol)
    protocol.send(OK)
    assert sizes == [20]


@FUZZ
@given(st.lists(st.tuples(st.binary(max_size=60), st.sampled_from([0x9000, 0x6300, 0x6A80])), max_size=2))
def test_any_answer_is_taken_or_raises_one_error(answers: list[tuple[bytes, int]]) -> None:
    for version in (1, 2):
        protocol = chip_authentication(choice(version=version), lambda size: b"\x07" * size)
        next(protocol)
        ended = "asks for more"
        try:
            for body, status in answers:
                protocol.send(Response(body, status))
        except AccessError:
            ended = "refused"
        except StopIteration:
            ended = "restarted"
        assert ended != "restarted" or version == 1  # a token is not to be guessed


# --- the choice --------------------------------------------------------------------------------------


def test_the_specimen_passport() -> None:
    found = choose_chip_authentication(parse_security_infos(parse_dg14(specimen("DG14"))))
    assert found is not None
    assert (found.info.name, found.key.domain.name, found.key_id) == ("CA-ECDH-3DES", "brainpoolP224r1", None)


@pytest.mark.parametrize(
    ("infos", "chip_keys", "best"),
    [
        ((info("0201"), info("0204"), info("0202")), (key(),), ("CA-ECDH-AES-256", 12)),
        ((info("0202", key_id=1), info("0202", key_id=2)), (key(12, 1), key(16, 2)), ("CA-ECDH-AES-128", 16)),
        ((info("0102"), info("0201")), (key(0), key(12)), ("CA-ECDH-3DES", 12)),  # 80 bits against 112
        ((info("0202", key_id=1),), (key(11, 1), key(17, 2)), ("CA-ECDH-AES-128", 11)),
        ((info("0202", 3), info("0201")), (key(),), ("CA-ECDH-3DES", 12)),
        ((info("0204", 2), info("0202")), (key(),), ("CA-ECDH-AES-128", 12)),  # version 1 first
        ((), (key(0), key(12)), ("CA-ECDH-3DES", 12)),
        ((), (key(0),), ("CA-DH-3DES", 0)),
    ],
)
def test_which_is_chosen(
    infos: tuple[ChipAuthenticationInfo, ...],
    chip_keys: tuple[ChipAuthenticationKey, ...],
    best: tuple[str, int],
) -> None:
    found = chosen(infos, *chip_keys)
    assert found is not None
    assert (found.info.name, found.key.domain.number) == best


@pytest.mark.parametrize(
    ("infos", "chip_keys"),
    [
        ((), ()),
        ((info("0202"),), ()),
        ((info("0202"),), (key(0),)),  # a DH key for ECDH
        ((info("0202", key_id=1),), (key(12, 2),)),
        ((info("0202", 3),), (key(),)),
        ((info("0209"),), (key(),)),
        ((info("03"),), (key(),)),
        ((info("0202"),), (ChipAuthenticationKey("ECDH", None, None, "curve_unknown"),)),
    ],
)
def test_what_cannot_be_chosen(
    infos: tuple[ChipAuthenticationInfo, ...], chip_keys: tuple[ChipAuthenticationKey, ...]
) -> None:
    assert chosen(infos, *chip_keys) is None
    assert all(it.name.startswith("CA-") for it in infos)


def test_session_keys_are_those_of_the_standard() -> None:
    session = session_keys(Suite.AES_128, b"secret")
    assert session.encryption == keys.derive(Suite.AES_128, b"secret", 1)
