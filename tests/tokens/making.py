"""A kiosk, a gate and their keys, and tokens between them."""

from datetime import UTC, datetime

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey
from msgspec.structs import replace

from gated.core.checks import Check, Result
from gated.tokens.token import Binding, Model, Token, checked, digest, make, receive, seal_template

KIOSK, GATE = "kiosk-1", "lane-2"
KIOSK_KEY = Ed25519PrivateKey.from_private_bytes(bytes(range(32)))
GATE_KEY = X25519PrivateKey.from_private_bytes(bytes(range(32, 64)))
KIOSKS = {KIOSK: KIOSK_KEY.public_key()}
MODEL = Model(name="some-embedder", version="0" * 64)
LASTS_S = 1800
NOW = int(datetime(2026, 11, 23, 12, tzinfo=UTC).timestamp())
ZONE = "P<UTOERIKSSON<<ANNA<MARIA<<<<<<<<<<<<<<<<<<<L898902C36UTO7408122F1204159ZE184226B<<<<<10"
SALT = bytes(range(16))
TEMPLATE = bytes(range(256)) * 2
GOOD = (Check("passive_authentication", Result.SUCCESSFUL), Check("age", Result.SUCCESSFUL))


def token(
    name: str = "0123456789abcdef",
    *,
    zone: str = ZONE,
    issued: int = NOW,
    lasts_s: int = LASTS_S,
    model: Model = MODEL,
    kiosk: str = KIOSK,
    gate: str = GATE,
    gate_key: X25519PrivateKey = GATE_KEY,
    checks: tuple[Check, ...] = GOOD,
) -> Token:
    bound = Binding(token=name, kiosk=kiosk, gate=gate, model=model)
    return Token(
        bound=bound,
        issued=issued,
        expires=issued + lasts_s,
        salt=SALT,
        document=digest(SALT, zone),
        checks=checked(checks),
        template=seal_template(TEMPLATE, bound, gate_key.public_key()),
    )


def made(of: Token | None = None, key: Ed25519PrivateKey = KIOSK_KEY) -> bytes:
    """The bytes of a token."""
    return make(of or token(), GATE_KEY.public_key(), key)


def renamed(of: Token, **names: str) -> Token:
    """The token, saying that it belongs elsewhere."""
    return replace(of, bound=replace(of.bound, **names))


def received(raw: bytes, longest_s: int = LASTS_S) -> Token:
    return receive(raw, GATE, GATE_KEY, KIOSKS, longest_s)
