"""What a gate and its centre say to each other about the gate's journal.

The gate says where it stands, the centre answers with a *receipt*: the position up to which it holds this
journal durably, signed. The gate then delivers entries that follow from a position that both have. Each side
computes every hash of the chain itself, so what the other says of it is never believed; a delivery that was
made twice is the same entries at the same positions, and counts once.

A receipt is the head of the journal, kept elsewhere: a journal that does not contain it was cut, restored or
written anew. Both sides sign what they say, since the line between the two is trusted by neither: nothing
counts at the centre that the gate's journal key has not signed, and only what the centre has signed for may
ever be removed at a gate. Pure: no file, no clock, no socket.
"""

import hashlib
import re
import zlib
from collections.abc import Callable, Iterable
from typing import Annotated, Literal, TypeVar

import msgspec
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from msgspec import Meta

from gated.core.settings import Name
from gated.core.values import Tagged, Value
from gated.store.spoken import reader, written

HASH_BYTES = 32
MAX_PART = 64 * 1024  # characters of an event or of its effects, as the journal bounds them
MAX_ENTRIES = 500  # of one delivery
FULL = 192 * 1024  # characters after which a delivery takes no further entry
MAX_OPENED = 1024 * 1024  # bytes of a delivery's entries before they were packed, in UTF-8
MAX_PACKED = 512 * 1024
MAX_DELIVERY = MAX_PACKED + 1024
MAX_ENCLOSED = 8 * 1024
MAX_KNOWN = 64
MAX_ANSWER = 1024

Number = Annotated[int, Meta(ge=0, le=2**53)]
Seq = Annotated[int, Meta(ge=0, le=2**53)]
Hash = Annotated[bytes, Meta(min_length=HASH_BYTES, max_length=HASH_BYTES)]
Utc = Annotated[str, Meta(max_length=40)]
Part = Annotated[str, Meta(max_length=MAX_PART)]


Signature = Annotated[bytes, Meta(min_length=64, max_length=64)]
GateSignature = Annotated[bytes, Meta(max_length=64)]  # empty: nobody has signed it

NotTakenReason = Literal[
    "unknown_position",
    "busy",
    "full",
    "malformed",
    "too_many_branches",
    "refused",
    "no_journal_key",
    "not_signed",
]


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
    """An entry as the journal has it, without its number: a delivery counts from where it begins.

    What a text of it may hold, `unpack` checks for all entries at once, ten times as fast.
    """

    utc: Utc
    event: Part
    followed: Part
    hash: Hash


class Whereabouts(Tagged):
    """Up to where do you hold my journal? `head` is its last entry; `known` lists others, newest first.

    `heard` is the time of the newest receipt that the gate has: whoever brings this again later brings no
    newer word of the gate.
    """

    number: Number
    head: Position
    known: Annotated[tuple[Position, ...], Meta(max_length=MAX_KNOWN)]
    heard: Utc = ""
    signature: GateSignature = b""

    def signed_text(self, gate: str) -> bytes:
        """The exact bytes that the gate of this name signs."""
        said = hashlib.sha256(written((self.head, self.known, self.heard))).hexdigest()
        return "\n".join(("egate journal question", gate, str(self.number), said, "")).encode()


class Delivery(Tagged):
    """The entries that follow from `after` up to `at`, packed. `oldest`: the gate has nothing before them.

    `heard` as in Whereabouts.
    """

    number: Number
    head: Position
    after: Position
    at: Position
    entries: Annotated[bytes, Meta(min_length=1, max_length=MAX_PACKED)]
    oldest: bool = False
    heard: Utc = ""
    signature: GateSignature = b""

    @property
    def rest(self) -> bytes:
        """The SHA-256 of all in it that the positions do not tell."""
        head = written((self.number, self.head, self.oldest, self.heard))
        return hashlib.sha256(len(head).to_bytes(4, "big") + head + self.entries).digest()

    def signed_text(self, gate: str) -> bytes:
        """The exact bytes that the gate of this name signs."""
        return delivery_text(gate, self.after, self.at, self.rest)


class Enclosed(Tagged):
    """A letter that is not about the journal (`registration_post`) and goes the same way."""

    body: Annotated[bytes, Meta(min_length=1, max_length=MAX_ENCLOSED)]
    signature: GateSignature = b""

    def signed_text(self, gate: str) -> bytes:
        """The exact bytes that the gate of this name signs."""
        said = hashlib.sha256(self.body).hexdigest()
        return f"egate enclosed letter\n{gate}\n{said}\n".encode()


def delivery_text(gate: str, after: Position, at: Position, rest: bytes) -> bytes:
    """What a gate signs of a delivery: enough to check it later, without the delivery.

    The hash of `at` covers every entry before it, back to the journal's first.
    """
    told = (str(after.seq), after.hash.hex(), str(at.seq), at.hash.hex(), rest.hex())
    return "\n".join(("egate journal delivery", gate, *told, "")).encode()


class Receipt(Tagged):
    """The centre holds the gate's journal up to this position; so it says at `utc`, signed.

    `common` answers Whereabouts: the newest of its positions that the centre holds. Where that is not this
    journal's own past, the gate delivers from there.
    """

    number: Number
    gate: Name
    at: Position
    utc: Utc
    signature: Signature
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
    longer allowed; `no_journal_key`: the centre knows no key that this gate signs its journal with;
    `not_signed`: none that it knows has signed this.
    """

    number: Number
    reason: NotTakenReason


ToCentre = Whereabouts | Delivery | Enclosed
FromCentre = Receipt | NotTaken
Said = TypeVar("Said", Whereabouts, Delivery, Enclosed)

GENESIS = Position(seq=0, hash=bytes(HASH_BYTES))

read_at_centre: Callable[[bytes | memoryview], ToCentre] = reader(ToCentre, DeliveryError)
"""What a gate says. Raises DeliveryError."""
read_at_gate: Callable[[bytes | memoryview], FromCentre] = reader(FromCentre, DeliveryError)
"""What the centre answers. Raises DeliveryError."""
_MOMENTS = re.compile(r"[0-9T:.+Z-]*")
_entries: Callable[[bytes | memoryview], tuple[Sent, ...]] = reader(
    Annotated[tuple[Sent, ...], Meta(min_length=1, max_length=MAX_ENTRIES)], DeliveryError
)


def encode(message: ToCentre | FromCentre) -> bytes:
    """The bytes of a message."""
    return written(message)


def pack(entries: tuple[Sent, ...]) -> bytes:
    """Entries as a delivery carries them; their texts repeat each other, and shrink to a tenth."""
    return zlib.compress(written(entries), 1)


def unpack(packed: bytes) -> tuple[Sent, ...]:
    """The entries of a delivery, at most MAX_OPENED bytes of them. Raises DeliveryError."""
    opening = zlib.decompressobj()
    try:
        opened = opening.decompress(packed, MAX_OPENED)
    except zlib.error:
        raise DeliveryError("malformed") from None
    if not opening.eof or opening.unused_data:
        raise DeliveryError("malformed")
    entries = _entries(opened)
    if not _MOMENTS.fullmatch("".join([entry.utc for entry in entries])):
        raise DeliveryError("malformed")
    if any("\0" in entry.event or "\0" in entry.followed for entry in entries):
        raise DeliveryError("malformed")  # no database keeps a NUL in a text
    return entries


def entries_of(said: Delivery) -> tuple[Sent, ...]:
    """The entries of a delivery, which end where it says. Raises DeliveryError."""
    entries = unpack(said.entries)
    if said.at != Position(seq=said.after.seq + len(entries), hash=entries[-1].hash):
        raise DeliveryError("malformed")
    return entries


def attest(key: Ed25519PrivateKey, gate: str, said: Said) -> Said:
    """The same message, signed by its gate."""
    return msgspec.structs.replace(said, signature=key.sign(said.signed_text(gate)))


def attested_by(keys: Iterable[Ed25519PublicKey], gate: str, said: ToCentre) -> Ed25519PublicKey | None:
    """The key that has signed this for the gate of this name; None: none of these has."""
    if not said.signature:
        return None
    text = said.signed_text(gate)
    return next((key for key in keys if has_signed(key, said.signature, text)), None)


def has_signed(key: Ed25519PublicKey, signature: bytes, text: bytes) -> bool:
    """Whether this key has signed this text."""
    try:
        key.verify(signature, text)
    except InvalidSignature:
        return False
    return True


def sign(
    key: Ed25519PrivateKey, number: int, gate: str, at: Position, utc: str, common: Position | None = None
) -> Receipt:
    """Make a receipt. `utc` is the moment of the centre's clock."""
    unsigned = Receipt(number=number, gate=gate, at=at, utc=utc, signature=bytes(64), common=common)
    return msgspec.structs.replace(unsigned, signature=key.sign(unsigned.signed_text))


def holds(key: Ed25519PublicKey, receipt: Receipt, gate: str) -> bool:
    """Whether the centre with this key has signed this, for this gate."""
    return receipt.gate == gate and has_signed(key, receipt.signature, receipt.signed_text)
