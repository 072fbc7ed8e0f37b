"""Letters to the centre: nobody else reads them, none passes for another, and any bytes are refused alike."""

import msgspec
import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey, X25519PublicKey
from hypothesis import given, settings
from hypothesis import strategies as st

from gated.store import registration_letters as letters
from gated.store.registration_letters import (
    KINDS,
    MAX_LETTER,
    Content,
    Erased,
    Kind,
    LetterError,
    Linked,
    Registered,
    fingerprint,
    open_letter,
    receipt_holds,
    seal,
    sign_receipt,
)
from tests.registration.people import ANNA, ANNA_ANEW, CENTRE, GATE, PASSAGE, SIGNS

ID = "0" * 31 + "1"
CONTENTS: tuple[Content, ...] = (
    Registered(who=ANNA, text="2026-1", agreed=1_800_000_000, passage=PASSAGE),
    Linked(who=ANNA_ANEW, by="personal_number", linked=1_900_000_000),
    Erased(erased=2_000_000_000, reason="withdrawn", record="f" * 64),
)


@pytest.mark.parametrize("content", CONTENTS)
def test_the_centre_reads_what_was_sealed_for_it_and_the_letter_shows_nothing(content: Content) -> None:
    sealed = seal(content, ID, GATE, CENTRE.public_key())
    assert open_letter(sealed, KINDS[type(content)], ID, GATE, CENTRE) == content
    assert not any(told.encode() in sealed for told in (ANNA.number, ANNA.personal, ANNA_ANEW.number))
    assert ANNA.number not in repr(content)


@pytest.mark.parametrize(
    ("kind", "number", "gate", "key"),
    [
        (Kind.LINKED, ID, GATE, CENTRE),
        (Kind.REGISTERED, "2" * 32, GATE, CENTRE),
        (Kind.REGISTERED, ID, "gate-8", CENTRE),
        (Kind.REGISTERED, ID, GATE, X25519PrivateKey.generate()),
    ],
)
def test_a_letter_counts_for_its_own_kind_number_gate_and_centre_alone(
    kind: Kind, number: str, gate: str, key: X25519PrivateKey
) -> None:
    sealed = seal(CONTENTS[0], ID, GATE, CENTRE.public_key())
    with pytest.raises(LetterError, match="letter_unreadable"):
        open_letter(sealed, kind, number, gate, key)


def test_a_sealed_letter_of_another_kind_than_its_purpose_says_is_refused() -> None:
    purpose = letters._purpose(Kind.REGISTERED, ID, GATE)
    sealed = letters._SUITE.encrypt(msgspec.msgpack.encode(CONTENTS[2]), CENTRE.public_key(), purpose)
    with pytest.raises(LetterError, match="letter_of_another_kind"):
        open_letter(sealed, Kind.REGISTERED, ID, GATE, CENTRE)


@given(st.binary(max_size=300))
@settings(derandomize=True, max_examples=50)
def test_any_bytes_are_a_letter_or_raise_one_error(raw: bytes) -> None:
    with pytest.raises(LetterError):
        open_letter(raw, Kind.REGISTERED, ID, GATE, CENTRE)


@given(st.binary(max_size=200))
@settings(derandomize=True, max_examples=50)
def test_any_content_behind_a_good_seal_is_taken_or_raises_one_error(plain: bytes) -> None:
    sealed = letters._SUITE.encrypt(plain, CENTRE.public_key(), letters._purpose(Kind.ERASED, ID, GATE))
    with pytest.raises(LetterError):
        open_letter(sealed, Kind.ERASED, ID, GATE, CENTRE)


def test_a_letter_that_is_too_long_is_not_opened() -> None:
    with pytest.raises(LetterError, match="letter_too_long"):
        open_letter(bytes(MAX_LETTER + 1), Kind.ERASED, ID, GATE, CENTRE)


def test_nothing_is_sealed_for_a_key_that_is_none() -> None:
    with pytest.raises(LetterError, match="centre_key_unusable"):
        seal(CONTENTS[0], ID, GATE, X25519PublicKey.from_public_bytes(bytes(32)))


def test_a_receipt_holds_for_its_gate_its_letter_and_the_centre_that_signed() -> None:
    sealed = seal(CONTENTS[2], ID, GATE, CENTRE.public_key())
    receipt = sign_receipt(SIGNS, GATE, ID, sealed, "2026-11-26T22:00:00+00:00")
    assert receipt.sha256 == fingerprint(sealed)
    assert receipt_holds(SIGNS.public_key(), receipt, GATE)
    assert not receipt_holds(SIGNS.public_key(), receipt, "gate-8")
    assert not receipt_holds(Ed25519PrivateKey.generate().public_key(), receipt, GATE)
    for changed in ({"sha256": "0" * 64}, {"registration": "2" * 32}, {"utc": "2026-11-27"}):
        other = msgspec.structs.replace(receipt, **changed)
        assert not receipt_holds(SIGNS.public_key(), other, GATE)


def test_who_holds_a_document_of_no_state_is_nobody() -> None:
    with pytest.raises(ValueError, match="Doc 9303-3"):
        msgspec.structs.replace(ANNA, issuer="QQQ").__post_init__()
