"""The token: it holds for one gate, one document, one embedder and a while; anything else is one error."""

import msgspec
import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey, X25519PublicKey
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec.structs import replace

from gated.core.checks import Check, Result
from gated.tokens import MAX_TEMPLATE, MAX_TOKEN
from gated.tokens import token as module
from gated.tokens.token import (
    CLOCKS_APART_S,
    MAX_CHECKS,
    TokenError,
    checked,
    make,
    open_template,
    receive,
    seal_template,
    when,
)
from tests.tokens.making import (
    GATE,
    GATE_KEY,
    GOOD,
    KIOSK,
    KIOSK_KEY,
    KIOSKS,
    LASTS_S,
    MODEL,
    NOW,
    TEMPLATE,
    ZONE,
    made,
    received,
    renamed,
    token,
)

RAW = made()


def code(raw: bytes, longest_s: int = LASTS_S) -> str:
    with pytest.raises(TokenError) as caught:
        received(raw, longest_s)
    assert str(caught.value) == caught.value.code
    return caught.value.code


def test_what_the_kiosk_says_arrives_at_its_gate() -> None:
    came = received(RAW)
    assert (came.bound.kiosk, came.bound.gate, came.bound.model) == (KIOSK, GATE, MODEL)
    assert came.outcome() == GOOD
    assert came.is_of(ZONE)
    assert not came.is_of(ZONE.replace("ANNA", "ANNE"))
    assert open_template(came, GATE_KEY).reveal() == TEMPLATE
    assert when(came, NOW) is None


def test_nothing_of_the_traveller_can_be_read_on_the_way() -> None:
    assert TEMPLATE[:32] not in RAW
    assert b"passive_authentication" not in RAW
    assert b"L898902C3" not in RAW
    assert token().document not in RAW
    for shown in (repr(received(RAW)), str(received(RAW))):
        assert "personal" in shown
        assert "template" not in shown


def test_every_changed_byte_is_noticed() -> None:
    for place in range(len(RAW)):
        changed = bytearray(RAW)
        changed[place] ^= 0x01
        assert code(bytes(changed)).startswith("token_"), place


def test_every_shortened_token_is_noticed() -> None:
    assert {code(RAW[:length]) for length in range(len(RAW))} == {"token_malformed"}
    assert code(RAW + b"\0") == "token_malformed"


@settings(derandomize=True, max_examples=300)
@given(st.binary(max_size=400))
def test_any_bytes_are_a_token_or_one_kind_of_error(raw: bytes) -> None:
    with pytest.raises(TokenError):
        received(raw)


@settings(derandomize=True, max_examples=300)
@given(st.recursive(st.none() | st.booleans() | st.integers(-(2**63), 2**64 - 1) | st.floats() | st.text()
                    | st.binary(), lambda inner: st.lists(inner, max_size=4)
                    | st.dictionaries(st.sampled_from(("kiosk", "gate", "sealed", "signature")), inner),
                    max_leaves=12))  # fmt: skip
def test_any_message_is_a_token_or_one_kind_of_error(value: object) -> None:
    with pytest.raises(TokenError):
        received(msgspec.msgpack.encode(value))


def test_what_is_signed_may_be_anything_and_is_still_a_token_or_that_error() -> None:
    """A kiosk whose key was stolen can sign what it likes; the parser inside holds as well."""

    @settings(derandomize=True, max_examples=150)
    @given(st.binary(max_size=200) | st.dictionaries(st.text(max_size=8), st.binary(max_size=8)))
    def check(value: object) -> None:
        raw = value if isinstance(value, bytes) else msgspec.msgpack.encode(value)
        with pytest.raises(TokenError):
            received(_signed(raw))

    check()


def _signed(plain: bytes) -> bytes:
    """What is inside, sealed and signed as a token is, whatever it is."""
    sealed = module._seal(plain, GATE_KEY.public_key(), module._purpose("token", KIOSK, GATE))
    unsigned = module._Envelope(kiosk=KIOSK, gate=GATE, sealed=sealed, signature=bytes(64))
    signature = KIOSK_KEY.sign(unsigned.signed_bytes)
    return msgspec.msgpack.encode(replace(unsigned, signature=signature))


def test_a_token_too_long_is_not_even_looked_at() -> None:
    assert code(bytes(MAX_TOKEN + 1)) == "token_too_long"


def test_another_gates_token_does_not_count() -> None:
    assert code(made(token(gate="lane-3"))) == "token_of_another_gate"


def test_a_token_sealed_for_another_gate_does_not_open_under_a_new_address() -> None:
    other = X25519PrivateKey.generate()
    raw = make(token(gate_key=other), other.public_key(), KIOSK_KEY)
    assert code(raw) == "token_not_for_this_key"


def test_a_kiosk_that_the_gate_does_not_know_has_no_word() -> None:
    assert code(made(token(kiosk="kiosk-9"))) == "token_of_unknown_kiosk"


def test_a_kiosk_with_another_key_has_no_word() -> None:
    assert code(made(key=Ed25519PrivateKey.generate())) == "token_signature_wrong"


def test_a_kiosk_cannot_pass_off_anothers_token_as_its_own() -> None:
    thief = Ed25519PrivateKey.generate()
    envelope = msgspec.msgpack.decode(RAW)
    envelope["kiosk"] = "kiosk-9"
    body = b"\n".join((f"egate token 1\nkiosk-9\n{GATE}".encode(), envelope["sealed"]))
    envelope["signature"] = thief.sign(body)
    raw = msgspec.msgpack.encode(envelope)
    with pytest.raises(TokenError) as caught:
        receive(raw, GATE, GATE_KEY, KIOSKS | {"kiosk-9": thief.public_key()}, LASTS_S)
    assert caught.value.code == "token_not_for_this_key"


@pytest.mark.parametrize("names", [{"kiosk": "kiosk-9"}, {"gate": "lane-3"}])
def test_what_is_inside_names_who_is_outside(names: dict[str, str]) -> None:
    assert code(_signed(msgspec.msgpack.encode(renamed(token(), **names)))) == "token_names_differ"


def test_a_template_opens_for_its_own_token_alone() -> None:
    for change in ({"token": "f" * 16}, {"kiosk": "kiosk-9"}, {"gate": "lane-3"}):
        with pytest.raises(TokenError, match="token_not_for_this_key"):
            open_template(renamed(token(), **change), GATE_KEY)
    other = replace(token(), bound=replace(token().bound, model=replace(MODEL, version="1" * 64)))
    with pytest.raises(TokenError, match="token_not_for_this_key"):
        open_template(other, GATE_KEY)


def test_a_token_holds_from_when_it_was_made_until_it_expires() -> None:
    assert when(token(), NOW + LASTS_S - 1) is None
    assert when(token(), NOW + LASTS_S) == "token_expired"
    assert when(token(), NOW - CLOCKS_APART_S) is None
    assert when(token(), NOW - CLOCKS_APART_S - 1) == "token_not_yet_due"


def test_no_kiosk_says_for_how_long_a_gate_believes_it() -> None:
    assert code(made(token(lasts_s=LASTS_S + 1))) == "token_lasts_too_long"
    assert code(RAW, LASTS_S - 1) == "token_lasts_too_long"
    assert code(made(token(lasts_s=0))) == "token_lasts_too_long"


@pytest.mark.parametrize(
    "checks",
    [
        (),
        (Check("A Name", Result.SUCCESSFUL),),
        (Check("age", Result.FAILED, "ERIKSSON<<ANNA"),),
        (Check("age", Result.FAILED, "x" * 61),),
        (Check("age", Result.SUCCESSFUL),) * (MAX_CHECKS + 1),
    ],
)
def test_a_token_carries_codes_and_no_texts(checks: tuple[Check, ...]) -> None:
    with pytest.raises(TokenError, match=r"\Atoken_checks_unfit\Z"):
        checked(checks)


def test_the_largest_token_fits() -> None:
    checks = tuple(Check("n" * 60, Result.NOT_SUPPORTED, "r" * 60) for _ in range(MAX_CHECKS))
    full = token(checks=checks)
    largest = replace(full, template=seal_template(bytes(MAX_TEMPLATE), full.bound, GATE_KEY.public_key()))
    raw = make(largest, GATE_KEY.public_key(), KIOSK_KEY)
    assert len(raw) <= MAX_TOKEN
    assert received(raw) == largest


@pytest.mark.parametrize("template", [b"", bytes(MAX_TEMPLATE + 1)])
def test_a_template_of_a_wrong_length_is_not_sealed(template: bytes) -> None:
    with pytest.raises(TokenError, match="token_template_unfit"):
        seal_template(template, token().bound, GATE_KEY.public_key())


def test_a_gate_key_that_is_none_makes_no_token() -> None:
    with pytest.raises(TokenError, match="token_gate_key_unusable"):
        make(token(), X25519PublicKey.from_public_bytes(bytes(32)), KIOSK_KEY)
