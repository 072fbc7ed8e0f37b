"""What a gate tells the centre of registrations: sealed letters, and the centre's signed word for them.

Theory. A letter is sealed for the centre (HPKE, RFC 9180: X25519, HKDF-SHA-256, AES-256-GCM), bound to its
gate, to the number of the registration and to what it is about, so that it counts as nothing else. Number and
kind travel in the clear: the number is random, and by it the centre deletes what it holds without opening
anything. A letter is sent until the centre has signed for the hash of what was sealed; a letter that comes
twice counts once. Pure: no file, no clock.
"""

import hashlib
import re
from enum import StrEnum
from typing import Annotated, Final, Literal

import msgspec
from cryptography.exceptions import InvalidSignature, InvalidTag
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey, X25519PublicKey
from cryptography.hazmat.primitives.hpke import AEAD, KDF, KEM, Suite
from msgspec import Meta

from gated.core.events import RegistrationId, Sha256, TextVersion
from gated.core.personal import MASK, Personal
from gated.core.settings import Name
from gated.core.values import Tagged, Value
from gated.document.mrz import Mrz
from gated.document.mrz.codes import CODES

MAX_LETTER: Final = 4096
_SUITE = Suite(KEM.X25519, KDF.HKDF_SHA256, AEAD.AES_256_GCM)

_SETS_OFF: Final = re.compile("[ ./<-]")
_CHIP_NUMBER: Final = re.compile("[A-Za-z0-9]{5,32}")

Moment = Annotated[int, Meta(ge=0, le=2**40)]
Code = Annotated[str, Meta(pattern=r"^[a-z][a-z0-9_]{0,47}\Z")]
Number = Annotated[str, Meta(pattern=r"^[A-Z0-9]{1,20}\Z")]


class LetterError(Exception):
    """A letter or a receipt does not count; `code` says why, and nothing of what it holds."""

    def __init__(self, code: str) -> None:
        super().__init__(code)
        self.code = code


class Kind(StrEnum):
    """What a letter is about."""

    REGISTERED = "registered"
    LINKED = "linked"
    ERASED = "erased"


class Holding(Value):
    """Who is registered: by which document, and by the number that the state gave them for life. Personal.

    `birth` as the zone has it, unknown parts `<<`; `personal` is empty where none is told. `source` is where
    its state tells it: what one source says is never compared with what the other one does.
    """

    issuer: Annotated[str, Meta(pattern=r"^[A-Z]{1,3}\Z")]
    number: Number
    birth: Annotated[str, Meta(pattern=r"^[0-9<]{6}\Z")]
    personal: Annotated[str, Meta(pattern=r"^[A-Z0-9<]{0,32}\Z")] = ""
    source: Literal["zone", "chip"] = "zone"

    def __post_init__(self) -> None:
        """Refuse an issuer that is none."""
        if self.issuer not in CODES:
            raise ValueError("no issuing state of Doc 9303-3")

    def __repr__(self) -> str:
        return f"Holding({MASK})"


def holding(mrz: Mrz, *, numbered: bool) -> Personal[Holding]:
    """Who holds a document, as a registration knows them; `numbered`: their state numbers people for life.

    Where it does, that number is the optional data of its passports (Doc 9303-4, 4.2.2).
    """
    personal = mrz.optional_data.strip("<") if numbered and mrz.format == "TD3" else ""
    return Personal(
        Holding(issuer=mrz.issuer, number=mrz.document_number, birth=mrz.birth_yymmdd, personal=personal)
    )


def holding_by_chip(mrz: Mrz, number: Personal[str] | None) -> Personal[Holding]:
    """The same for a state that tells the number in DG11 of the chip (tag 5F10), authenticated; None: not."""
    told = "" if number is None else chip_number(number.reveal())
    who = holding(mrz, numbered=False).reveal()
    return Personal(msgspec.structs.replace(who, personal=told, source="chip"))


def chip_number(text: str) -> str:
    """A number for life of DG11 without what only sets it off; empty where it can be none.

    Free text stands there. What has other characters than letters and digits, or is a filler such as zeros
    throughout, is nobody's number.
    """
    number = _SETS_OFF.sub("", text)
    return number.upper() if _CHIP_NUMBER.fullmatch(number) and len(set(number)) > 1 else ""


class Registered(Tagged):
    """Somebody agreed to the text of this version at this time (seconds since 1970), at this passage."""

    who: Holding
    text: TextVersion
    agreed: Moment
    passage: Annotated[str, Meta(pattern=r"^[0-9a-f]{16}\Z")]


class Linked(Tagged):
    """The registration is found by this document from here on; `by` is the ground, or the officer's key."""

    who: Holding
    by: Code
    linked: Moment


class Erased(Tagged):
    """The registration was deleted at its gate: what was sealed of it there had this hash (hexadecimal)."""

    erased: Moment
    reason: Code
    record: Sha256


Content = Registered | Linked | Erased
KINDS: Final = {Registered: Kind.REGISTERED, Linked: Kind.LINKED, Erased: Kind.ERASED}

_encoder = msgspec.msgpack.Encoder()
_contents: msgspec.msgpack.Decoder[Content] = msgspec.msgpack.Decoder(Content)


def seal(content: Content, registration: str, gate: str, centre: X25519PublicKey) -> bytes:
    """Seal a letter for the centre. Raises LetterError for a key that none can be sealed for."""
    purpose = _purpose(KINDS[type(content)], registration, gate)
    try:
        sealed = _SUITE.encrypt(_encoder.encode(content), centre, purpose)
    except ValueError:  # a key that is no point to agree with
        raise LetterError("centre_key_unusable") from None
    if len(sealed) > MAX_LETTER:
        raise LetterError("letter_too_long")
    return sealed


def open_letter(sealed: bytes, kind: Kind, registration: str, gate: str, key: X25519PrivateKey) -> Content:
    """What a letter of this gate says. Raises LetterError and nothing else."""
    if len(sealed) > MAX_LETTER:
        raise LetterError("letter_too_long")
    try:
        content = _contents.decode(_SUITE.decrypt(sealed, key, _purpose(kind, registration, gate)))
    except (InvalidTag, ValueError, RecursionError):  # msgspec's errors are ValueErrors
        raise LetterError("letter_unreadable") from None
    if KINDS[type(content)] is not kind:
        raise LetterError("letter_of_another_kind")
    return content


def _purpose(kind: Kind, registration: str, gate: str) -> bytes:
    """Keeps every letter to its own purpose; names hold no line breaks."""
    return f"egate registration 1\n{kind}\n{registration}\n{gate}".encode()


# --- the centre's word ------------------------------------------------------------------------------------


class LetterReceipt(Value):
    """The centre holds the letter with this hash, and what it asks for is done: so it says at `utc`."""

    gate: Name
    registration: RegistrationId
    sha256: Sha256
    utc: Annotated[str, Meta(max_length=40, pattern=r"^[0-9T:.+Z-]*\Z")]
    signature: Annotated[bytes, Meta(min_length=64, max_length=64)]

    @property
    def signed_text(self) -> bytes:
        """The exact bytes that the centre signs."""
        told = ("egate registration receipt", self.gate, self.registration, self.sha256, self.utc, "")
        return "\n".join(told).encode()


def fingerprint(sealed: bytes) -> str:
    """The hash that a letter is signed for by."""
    return hashlib.sha256(sealed).hexdigest()


def sign_receipt(
    key: Ed25519PrivateKey, gate: str, registration: str, sealed: bytes, utc: str
) -> LetterReceipt:
    """The centre signs for a letter."""
    unsigned = LetterReceipt(
        gate=gate, registration=registration, sha256=fingerprint(sealed), utc=utc, signature=bytes(64)
    )
    return msgspec.structs.replace(unsigned, signature=key.sign(unsigned.signed_text))


def receipt_holds(key: Ed25519PublicKey, receipt: LetterReceipt, gate: str) -> bool:
    """Whether the centre with this key has signed this, for this gate."""
    try:
        key.verify(receipt.signature, receipt.signed_text)
    except InvalidSignature:
        return False
    return receipt.gate == gate
