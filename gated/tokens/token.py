"""The token: what a kiosk says about a traveller to the one gate that will let them in, once.

Theory. The kiosk makes a `Token`, seals it for the gate (HPKE, RFC 9180: X25519, HKDF-SHA-256, AES-256-GCM)
and signs what it sealed (Ed25519, RFC 8032). The gate checks the signature, opens the seal, and compares what
is inside with what is outside: both name kiosk and gate, so nobody can sign another kiosk's token as their
own, and no gate opens one that is not its own. The face template is sealed a second time, by the process that
has faces, and bound to its token; whoever handles tokens at the kiosk never sees it.

The document is in the token as a digest of its whole machine-readable zone, salted for each token. The gate
looks for the token of what is laid down by trying the salts. The digest can be guessed by whoever opened the
token, so it is no secret kept from the gate; it is one kept from those who carry the token.

Times are whole seconds since 1970, UTC.
"""

import hmac
from collections.abc import Mapping, Sequence
from typing import Annotated, TypeVar

import msgspec
from cryptography.exceptions import InvalidSignature, InvalidTag
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey, X25519PublicKey
from cryptography.hazmat.primitives.hpke import AEAD, KDF, KEM, Suite
from msgspec import Meta

from gated.core.checks import Check, Result
from gated.core.personal import MASK, Personal
from gated.core.settings import Name
from gated.core.values import Value
from gated.tokens import MAX_SEALED_TEMPLATE, MAX_TEMPLATE, MAX_TOKEN

MAX_SEALED = MAX_TOKEN - 512
MAX_CHECKS = 64
SALT_BYTES = 16
CLOCKS_APART_S = 60  # a kiosk's clock may be so far ahead of the gate's

T = TypeVar("T")
_SUITE = Suite(KEM.X25519, KDF.HKDF_SHA256, AEAD.AES_256_GCM)
_CODE = r"[a-z][a-z0-9_]*"

TokenId = Annotated[str, Meta(pattern=r"^[0-9a-f]{16}\Z")]
Moment = Annotated[int, Meta(ge=0, le=2**40)]
Code = Annotated[str, Meta(pattern=rf"^{_CODE}\Z", max_length=60)]
Reason = Annotated[str, Meta(pattern=rf"^({_CODE})?\Z", max_length=60)]
Version = Annotated[str, Meta(pattern=r"^[0-9a-f]{64}\Z")]


class TokenError(Exception):
    """A token does not count; `code` says why, and nothing of what it holds."""

    def __init__(self, code: str) -> None:
        super().__init__(code)
        self.code = code


class Checked(Value):
    """How one check of the kiosk ended."""

    name: Code
    result: Result
    reason: Reason = ""


Checks = Annotated[tuple[Checked, ...], Meta(min_length=1, max_length=MAX_CHECKS)]


class Model(Value):
    """The embedder that made a template. Templates of two models do not compare."""

    name: Name
    version: Version


class Binding(Value):
    """What the sealed template belongs to: it opens for nothing else."""

    token: TokenId
    kiosk: Name
    gate: Name
    model: Model


class Token(Value):
    """What a kiosk says. `document` is the digest of the zone under `salt`, `template` is sealed.

    `officer` is the id of the key of whoever accepted the traveller at the kiosk; empty: nobody had to.
    """

    bound: Binding
    issued: Moment
    expires: Moment
    salt: Annotated[bytes, Meta(min_length=SALT_BYTES, max_length=SALT_BYTES)]
    document: Annotated[bytes, Meta(min_length=32, max_length=32)]
    checks: Checks
    template: Annotated[bytes, Meta(min_length=1, max_length=MAX_SEALED_TEMPLATE)]
    officer: Name | None = None

    def __repr__(self) -> str:
        return f"Token({self.bound.token}, {MASK})"

    @property
    def id(self) -> str:
        """What marks it as used."""
        return self.bound.token

    def is_of(self, zone: str) -> bool:
        """Whether it was made for the document with this zone (all its lines, joined)."""
        return hmac.compare_digest(self.document, digest(self.salt, zone))

    def outcome(self) -> tuple[Check, ...]:
        """The checks as the gate's own heart takes them."""
        return tuple(Check(each.name, each.result, each.reason) for each in self.checks)


class _Envelope(Value):
    """What travels: nothing in it can be read but where it comes from and where it goes."""

    kiosk: Name
    gate: Name
    sealed: Annotated[bytes, Meta(min_length=1, max_length=MAX_SEALED)]
    signature: Annotated[bytes, Meta(min_length=64, max_length=64)]

    @property
    def signed_bytes(self) -> bytes:
        """The exact bytes that the kiosk signs."""
        return b"\n".join((_purpose("token", self.kiosk, self.gate), self.sealed))


_ENVELOPES = msgspec.msgpack.Decoder(_Envelope)
_TOKENS = msgspec.msgpack.Decoder(Token)
_ENCODER = msgspec.msgpack.Encoder()


def digest(salt: bytes, zone: str) -> bytes:
    """Return what stands for a document in a token."""
    return hmac.digest(salt, zone.encode(), "sha256")


def checked(checks: Sequence[Check]) -> tuple[Checked, ...]:
    """Return checks as a token tells them. Raises TokenError for what no token can carry."""
    try:
        told = [{"name": each.name, "result": each.result, "reason": each.reason} for each in checks]
        known: tuple[Checked, ...] = msgspec.convert(told, Checks)
    except msgspec.ValidationError:
        raise TokenError("token_checks_unfit") from None
    return known


def seal_template(template: bytes, bound: Binding, gate: X25519PublicKey) -> bytes:
    """Seal a template for the gate. Raises TokenError."""
    if not 0 < len(template) <= MAX_TEMPLATE:
        raise TokenError("token_template_unfit")
    return _seal(template, gate, _template_purpose(bound))


def open_template(token: Token, gate: X25519PrivateKey) -> Personal[bytes]:
    """Open the template of a token that holds. Raises TokenError."""
    return Personal(_open(token.template, gate, _template_purpose(token.bound)))


def make(token: Token, gate: X25519PublicKey, kiosk: Ed25519PrivateKey) -> bytes:
    """Return the bytes of a token, sealed and signed; at most MAX_TOKEN. Raises TokenError."""
    bound = token.bound
    sealed = _seal(_ENCODER.encode(token), gate, _purpose("token", bound.kiosk, bound.gate))
    if len(sealed) > MAX_SEALED:
        raise TokenError("token_too_long")
    unsigned = _Envelope(kiosk=bound.kiosk, gate=bound.gate, sealed=sealed, signature=bytes(64))
    signature = kiosk.sign(unsigned.signed_bytes)
    return _ENCODER.encode(msgspec.structs.replace(unsigned, signature=signature))


def receive(
    raw: bytes, own: str, key: X25519PrivateKey, kiosks: Mapping[str, Ed25519PublicKey], longest_s: int
) -> Token:
    """Return the token in bytes from anywhere, for the gate `own`; `when` tells whether it is due.

    `kiosks` are those whose word counts; none may say that a token holds for longer than `longest_s`.
    Raises TokenError and nothing else.
    """
    if len(raw) > MAX_TOKEN:
        raise TokenError("token_too_long")
    envelope = _decoded(_ENVELOPES, raw)
    if envelope.gate != own:
        raise TokenError("token_of_another_gate")
    if (kiosk := kiosks.get(envelope.kiosk)) is None:
        raise TokenError("token_of_unknown_kiosk")
    try:
        kiosk.verify(envelope.signature, envelope.signed_bytes)
    except InvalidSignature:
        raise TokenError("token_signature_wrong") from None
    opened = _open(envelope.sealed, key, _purpose("token", envelope.kiosk, envelope.gate))
    token = _decoded(_TOKENS, opened)
    if (token.bound.kiosk, token.bound.gate) != (envelope.kiosk, envelope.gate):
        raise TokenError("token_names_differ")
    if not 0 < token.expires - token.issued <= longest_s:
        raise TokenError("token_lasts_too_long")
    return token


def when(token: Token, now: float) -> str | None:
    """Return why the token does not count at this time, None where it does."""
    if now >= token.expires:
        return "token_expired"
    return "token_not_yet_due" if token.issued > now + CLOCKS_APART_S else None


def _decoded(decoder: "msgspec.msgpack.Decoder[T]", raw: bytes) -> T:
    try:
        return decoder.decode(raw)
    except (msgspec.MsgspecError, UnicodeError, RecursionError, OverflowError):
        raise TokenError("token_malformed") from None


def _purpose(kind: str, *names: str) -> bytes:
    """Keeps every seal and signature to its own purpose; names hold no line breaks."""
    return "\n".join((f"egate {kind} 1", *names)).encode()


def _template_purpose(bound: Binding) -> bytes:
    return _purpose(
        "token template", bound.kiosk, bound.gate, bound.token, bound.model.name, bound.model.version
    )


def _seal(plain: bytes, gate: X25519PublicKey, purpose: bytes) -> bytes:
    try:
        return _SUITE.encrypt(plain, gate, purpose)
    except ValueError:  # a key that is no point to agree with
        raise TokenError("token_gate_key_unusable") from None


def _open(sealed: bytes, gate: X25519PrivateKey, purpose: bytes) -> bytes:
    try:
        return _SUITE.decrypt(sealed, gate, purpose)
    except (InvalidTag, ValueError):
        raise TokenError("token_not_for_this_key") from None
