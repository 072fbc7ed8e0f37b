"""Basic Access Control (Doc 9303-11 section 4.3), the terminal's side, as a generator of command APDUs."""

from gated.document import keys
from gated.document.access.password import Apdus, Password, PasswordKind
from gated.document.apdu import Command, Response, parse_response
from gated.document.errors import AccessError, ApduError
from gated.document.groups.curves import Random
from gated.document.keys import Suite
from gated.document.messaging import SecureChannel, SessionKeys


def bac(password: Password, random: Random) -> Apdus[SecureChannel]:
    """Basic Access Control (section 4.3), with the passport application selected.

    Draws RND.IFD (8 bytes), then K.IFD (16 bytes). Raises AccessError: `bac_refused` when the chip gives
    no challenge, `access_denied` when it does not accept the terminal, `bac_token_wrong` when it does not
    know the keys.
    """
    if password.kind is not PasswordKind.MRZ:
        raise AccessError("bac_needs_mrz")
    seed = password.seed[:16]
    encryption = keys.derive(Suite.TDES, seed, keys.FOR_ENCRYPTION)
    authentication = keys.derive(Suite.TDES, seed, keys.FOR_AUTHENTICATION)
    challenge = _response((yield Command(0x00, 0x84, 0x00, 0x00, b"", 8).encode()))
    if not challenge.ok or len(challenge.body) != 8:
        raise AccessError("bac_refused", challenge.status)
    own, secret = random(8), random(16)
    cryptogram = keys.encrypt(Suite.TDES, encryption, own + challenge.body + secret)
    body = cryptogram + keys.mac(Suite.TDES, authentication, cryptogram)
    answer = _response((yield Command(0x00, 0x82, 0x00, 0x00, body, 40).encode()))
    if not answer.ok:
        raise AccessError("access_denied", answer.status)
    chip_secret = _opened(encryption, authentication, answer.body, challenge.body + own)
    mixed = bytes(one ^ other for one, other in zip(secret, chip_secret, strict=True))
    session = SessionKeys(
        Suite.TDES,
        keys.derive(Suite.TDES, mixed, keys.FOR_ENCRYPTION),
        keys.derive(Suite.TDES, mixed, keys.FOR_AUTHENTICATION),
    )
    return SecureChannel(session, int.from_bytes(challenge.body[4:] + own[4:], "big"))


def _opened(encryption: bytes, authentication: bytes, answer: bytes, nonces: bytes) -> bytes:
    """Check the chip's cryptogram and both nonces in it; return K.IC."""
    cryptogram, check = answer[:32], answer[32:]
    if len(answer) != 40 or not keys.equal(keys.mac(Suite.TDES, authentication, cryptogram), check):
        raise AccessError("bac_token_wrong")
    plain = keys.decrypt(Suite.TDES, encryption, cryptogram)
    if not keys.equal(plain[:16], nonces):
        raise AccessError("bac_token_wrong")
    return plain[16:]


def _response(raw: bytes) -> Response:
    try:
        return parse_response(raw)
    except ApduError as error:
        raise AccessError("bac_malformed") from error
