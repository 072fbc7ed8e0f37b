"""What a gate and its centre say to each other about the gate's journal.

The gate says where it stands, the centre answers with a *receipt*: the position up to which it holds this
journal durably, signed. The gate then delivers entries that follow from a position that both have. Each side
computes every hash of the chain itself, so what the other says of it is never believed; a delivery that was
made twice is the same entries at the same positions, and counts once.

A receipt is the head of the journal, kept elsewhere: a journal that does not contain it was cut, restored or
written anew. It is signed because the line between the two is trusted by neither: only what the centre has
signed for may ever be removed at a gate. Pure: no file, no clock, no socket.
"""

import zlib
from typing import Annotated, Literal

import msgspec
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from msgspec import Meta

from gated.core.settings import Name
from gated.core.values import Tagged, Value

HASH_BYTES = 32
MAX_PART = 64 * 1024  # characters of an event or of its effects, as the journal bounds them
MAX_ENTRIES = 500  # of one delivery
FULL = 192 * 1024  # characters after which a delivery takes no further entry
MAX_OPENED = 1024 * 1024  # bytes of a delivery's entries before they were packed, in UTF-8
MAX_PACKED = 512 * 1024
MAX_DELIVERY = MAX_PACKED + 1024
MAX_KNOWN = 64
MAX_ANSWER = 1024

Number = Annotated[int, Meta(ge=0, le=2**53)]
Seq = Annotated[int, Meta(ge=0, le=2**53)]
Hash = Annotated[bytes, Meta(min_length=HASH_BYTES, max_length=HASH_BYTES)]
Utc = Annotated[str, Meta(max_length=40, pattern=r"^[0-9T:.+Z-]*\Z")]
Part = Annotated[str, Meta(max_length=MAX_PART, pattern=r"^[^\x00]*\Z")]  # no database keeps a NUL in a text


NotTakenReason = Literal["unknown_position", "busy", "full", "malformed", "too_many_branches", "refused"]


class DeliveryError(Exception):
    """What came is no message of this kind; `code` is short and snake_case, and quotes nothing of it."""

    def __init__(self, code: str) -> None:
        super().__init__(code)
        self.code = code


class Position(Value, array_like=True):
    """An entry of a journal by its number and hash; number 0: before the first."""

    seq: Seq
    hash: Hash


class Sent(Value, array_like=True):
    """An entry as the journal has it, without its number: a delivery counts from where it begins."""

    utc: Utc
    event: Part
    followed: Part
    hash: Hash


class Whereabouts(Tagged):
    """Up to where do you hold my journal? `head` is its last entry; `known` lists others, newest first."""

    number: Number
    head: Position
    known: Annotated[tuple[Position, ...], Meta(max_length=MAX_KNOWN)]


class Delivery(Tagged):
    """The entries that follow from `after`, packed. `oldest`: the gate has nothing before them."""

    number: Number
    head: Position
    after: Position
    entries: Annotated[bytes, Meta(min_length=1, max_length=MAX_PACKED)]
    oldest: bool = False


class Receipt(Tagged):
    """The centre holds the gate's journal up to this position; so it says at `utc`, signed.

    `common` answers Whereabouts: the newest of its positions that the centre holds. Where that is not this
    journal's own past, the gate delivers from there.
    """

    number: Number
    gate: Name
    at: Position
    utc: Utc
    signature: Annotated[bytes, Meta(min_length=64, max_length=64)]
    common: Position | None = None

    @property
    def signed_text(self) -> bytes:
        """The exact bytes that the centre signs."""
        told = ("egate journal receipt", self.gate, str(self.at.seq), self.at.hash.hex(), self.utc, "")
        return "\n".join(told).encode()


class NotTaken(Tagged):
    """Nothing of it was kept.

    `unknown_position`: say where you stand; `busy`, `full`: later again; `malformed`: another version, or
    damage; `too_many_branches`: the operator must look at this gate's journal; `refused`: its key is no
    longer allowed.
    """

    number: Number
    reason: NotTakenReason


ToCentre = Whereabouts | Delivery
FromCentre = Receipt | NotTaken

GENESIS = Position(seq=0, hash=bytes(HASH_BYTES))

_encoder = msgspec.msgpack.Encoder()
_to_centre: msgspec.msgpack.Decoder[ToCentre] = msgspec.msgpack.Decoder(ToCentre)
_from_centre: msgspec.msgpack.Decoder[FromCentre] = msgspec.msgpack.Decoder(FromCentre)
_entries: msgspec.msgpack.Decoder[tuple[Sent, ...]] = msgspec.msgpack.Decoder(
    Annotated[tuple[Sent, ...], Meta(min_length=1, max_length=MAX_ENTRIES)]
)


def encode(message: ToCentre | FromCentre) -> bytes:
    """The bytes of a message."""
    return _encoder.encode(message)


def read_at_centre(raw: bytes | memoryview) -> ToCentre:
    """What a gate says. Raises DeliveryError."""
    try:
        return _to_centre.decode(raw)
    except (msgspec.MsgspecError, RecursionError, UnicodeDecodeError):
        raise DeliveryError("malformed") from None  # the decoder's words may quote


def read_at_gate(raw: bytes) -> FromCentre:
    """What the centre answers. Raises DeliveryError."""
    try:
        return _from_centre.decode(raw)
    except (msgspec.MsgspecError, RecursionError, UnicodeDecodeError):
        raise DeliveryError("malformed") from None


def pack(entries: tuple[Sent, ...]) -> bytes:
    """Entries as a delivery carries them; their texts repeat each other, and shrink to a tenth."""
    return zlib.compress(_encoder.encode(entries), 1)


def unpack(packed: bytes) -> tuple[Sent, ...]:
    """The entries of a delivery, at most MAX_OPENED bytes of them. Raises DeliveryError."""
    opening = zlib.decompressobj()
    try:
        opened = opening.decompress(packed, MAX_OPENED)
    except zlib.error:
        raise DeliveryError("malformed") from None
    if not opening.eof or opening.unused_data:
        raise DeliveryError("malformed")
    try:
        return _entries.decode(opened)
    except (msgspec.MsgspecError, RecursionError, UnicodeDecodeError):
        raise DeliveryError("malformed") from None


def sign(
    key: Ed25519PrivateKey, number: int, gate: str, at: Position, utc: str, common: Position | None = None
) -> Receipt:
    """Make a receipt. `utc` is the moment of the centre's clock."""
    unsigned = Receipt(number=number, gate=gate, at=at, utc=utc, signature=bytes(64), common=common)
    return msgspec.structs.replace(unsigned, signature=key.sign(unsigned.signed_text))


def holds(key: Ed25519PublicKey, receipt: Receipt, gate: str) -> bool:
    """Whether the centre with this key has signed this, for this gate."""
    if receipt.gate != gate:
        return False
    try:
        key.verify(receipt.signature, receipt.signed_text)
    except InvalidSignature:
        return False
    return True
