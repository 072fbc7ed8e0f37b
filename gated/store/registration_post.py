"""How letters about registrations reach the centre, and how a gate hears what is withdrawn there.

They travel beside the journal, on the same line. The gate sends its oldest letters until each is signed for,
and asks now and then which registrations the centre wants deleted: the answer is signed, for this gate and
for this question, since whoever carries it could otherwise delete at will, or keep a withdrawal back unseen.
"""

import secrets
from collections.abc import Callable
from typing import Annotated, Final

import msgspec
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from msgspec import Meta

from gated.core.events import RegistrationId
from gated.core.settings import Name
from gated.core.values import Tagged
from gated.store.registration_letters import MAX_LETTER, Kind, LetterReceipt
from gated.store.registrations import Registrations
from gated.store.spoken import reader, written

MOST: Final = 4  # letters at once
WISHES: Final = 16  # in one answer; the next question brings more
AGAIN_S: Final = 10.0  # a letter without an answer by then is sent anew
ASK_S: Final = 60.0  # so long a withdrawal at the centre may take to be heard of here
NONCE_BYTES: Final = 16

Nonce = Annotated[bytes, Meta(min_length=NONCE_BYTES, max_length=NONCE_BYTES)]


class PostError(Exception):
    """What came is no message of this kind."""


class LetterUp(Tagged):
    """A letter from the gate that says it."""

    registration: RegistrationId
    kind: Kind
    sealed: Annotated[bytes, Meta(min_length=1, max_length=MAX_LETTER)]


class AskWithdrawn(Tagged):
    """Asks which registrations of this gate are to be deleted."""

    nonce: Nonce


class LetterTaken(Tagged):
    """The centre holds it, or has deleted what it asks to be deleted."""

    receipt: LetterReceipt


class Withdrawn(Tagged):
    """These are to be deleted at this gate: so the centre signs for this question."""

    gate: Name
    nonce: Nonce
    registrations: Annotated[tuple[RegistrationId, ...], Meta(max_length=WISHES)]
    signature: Annotated[bytes, Meta(min_length=64, max_length=64)]

    @property
    def signed_text(self) -> bytes:
        """The exact bytes that the centre signs."""
        told = ("egate registrations withdrawn", self.gate, self.nonce.hex(), *self.registrations, "")
        return "\n".join(told).encode()


ToCentre = LetterUp | AskWithdrawn
FromCentre = LetterTaken | Withdrawn

read_at_centre: Callable[[bytes | memoryview], ToCentre] = reader(ToCentre, PostError)
"""What a gate says. Raises PostError."""
read_at_gate: Callable[[bytes | memoryview], FromCentre] = reader(FromCentre, PostError)
"""What the centre answers. Raises PostError."""


def encode(message: ToCentre | FromCentre) -> bytes:
    """The bytes of a message."""
    return written(message)


def sign_withdrawn(
    key: Ed25519PrivateKey, gate: str, question: AskWithdrawn, registrations: tuple[str, ...]
) -> Withdrawn:
    """The centre's answer to a question of this gate."""
    unsigned = Withdrawn(gate=gate, nonce=question.nonce, registrations=registrations, signature=bytes(64))
    return msgspec.structs.replace(unsigned, signature=key.sign(unsigned.signed_text))


class PostBox:
    """Sends the letters of one gate. Of one thread; methods raise StoreError when the disk refuses."""

    def __init__(
        self,
        store: Registrations,
        key: Ed25519PublicKey,
        gate: str,
        withdrawn: Callable[[str], None],
    ) -> None:
        """`key` is the centre's, for receipts; `withdrawn` is told what is to be deleted."""
        self._store, self._key, self._gate = store, key, gate
        self._withdrawn = withdrawn
        self._sent: dict[int, float] = {}  # until when each letter may be without an answer
        self._asked: bytes | None = None
        self._ask_at = 0.0

    def due(self, now: float) -> tuple[bytes, ...]:
        """What is to be sent now (monotonic)."""
        letters = self._store.letters(MOST)
        self._sent = {each.number: self._sent[each.number] for each in letters if each.number in self._sent}
        bodies = []
        for letter in letters:
            if self._sent.get(letter.number, now) <= now:
                self._sent[letter.number] = now + AGAIN_S
                up = LetterUp(registration=letter.registration, kind=letter.kind, sealed=letter.sealed)
                bodies.append(encode(up))
        if now >= self._ask_at:
            self._ask_at = now + ASK_S
            self._asked = secrets.token_bytes(NONCE_BYTES)
            bodies.append(encode(AskWithdrawn(nonce=self._asked)))
        return tuple(bodies)

    def take(self, raw: bytes) -> bool:
        """Take what the centre answered; False where it does not count."""
        try:
            answer = read_at_gate(raw)
        except PostError:
            return False
        if isinstance(answer, LetterTaken):
            return self._store.acknowledge(answer.receipt, self._key)
        if answer.gate != self._gate or answer.nonce != self._asked:
            return False
        try:
            self._key.verify(answer.signature, answer.signed_text)
        except InvalidSignature:
            return False
        self._asked = None
        for registration in answer.registrations:
            self._withdrawn(registration)
        return True
