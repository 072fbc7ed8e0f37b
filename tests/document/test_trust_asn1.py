"""BER below the structures, names in every string type, and sentences for every code."""

import ast
from pathlib import Path

import pytest
from asn1crypto import core, x509
from hypothesis import given, settings
from hypothesis import strategies as st

import gated.document.trust
from gated.document.errors import TrustError
from gated.document.tlv import encode
from gated.document.trust.asn1 import definite, der, set_codings
from gated.document.trust.names import canonical, dotted, readable
from gated.document.trust.passive import ALL_CHECKS
from gated.document.trust.reasons import codes, explain
from hw_sim.passport.pki_cms import indefinite
from tests.document.founded_states import state
from tests.document.material import FUZZ, accepts_or_raises, damaged, refused

# --- BER ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("pieces", [False, True])
def test_indefinite_lengths_become_the_same_definite_ones(*, pieces: bool) -> None:
    raw = state().master_list()
    coded = indefinite(raw, pieces=pieces)
    assert coded != raw
    assert definite(coded) == raw


def test_what_is_definite_stays_as_it_is() -> None:
    raw = encode(0x30, b"\x02\x81\x01\x05" + b"\x30\x82\x00\x00")
    assert definite(raw) == raw
    assert der(raw) == encode(0x30, b"\x02\x01\x05\x30\x00")


@pytest.mark.parametrize(
    ("raw", "code"),
    [
        ("", "asn1_truncated"),
        ("30", "asn1_truncated"),
        ("3002", "asn1_truncated"),
        ("3080", "asn1_truncated"),
        ("30800000FF", "asn1_trailing_bytes"),
        ("3085000000000100", "asn1_length"),
        ("0480", "asn1_length"),
        ("1F8080", "asn1_truncated"),
        ("2403020105", "asn1_string_in_pieces"),
        ("2300", "asn1_string_in_pieces"),
        ("3080" * 40 + "0000" * 40, "asn1_too_deep"),
    ],
)
def test_codings_that_are_refused(raw: str, code: str) -> None:
    with refused(TrustError, code):
        definite(bytes.fromhex(raw))


def test_attributes_are_signed_as_stored_or_in_order() -> None:
    a, b = encode(0x30, b"\x02\x01\x01"), encode(0x30, b"\x02\x01\x02")
    assert set_codings(encode(0xA0, a + b)) == (encode(0x31, a + b),)
    assert set_codings(encode(0xA0, b + a)) == (encode(0x31, b + a), encode(0x31, a + b))
    long_form = b"\x30\x81\x03\x02\x01\x01"
    assert set_codings(encode(0xA0, long_form)) == (encode(0x31, long_form), encode(0x31, a))


@settings(FUZZ)
@given(damaged(indefinite(state().master_list(), pieces=True)))
def test_ber_is_walked_or_refused(raw: bytes) -> None:
    accepts_or_raises(definite, TrustError, raw)
    accepts_or_raises(set_codings, TrustError, raw)


# --- names ----------------------------------------------------------------------------------------------


def name(*parts: tuple[str, int, bytes]) -> bytes:
    return encode(
        0x30,
        b"".join(
            encode(0x31, encode(0x30, core.ObjectIdentifier(oid).dump() + encode(tag, value)))
            for oid, tag, value in parts
        ),
    )


def test_one_name_in_every_string_type_order_and_case() -> None:
    usual = name(("2.5.4.6", 0x13, b"UT"), ("2.5.4.3", 0x0C, "CSCA Ütöpia".encode()))
    for other in (
        name(("2.5.4.3", 0x0C, "csca  ÜTÖPIA ".encode()), ("2.5.4.6", 0x0C, b"ut")),
        name(("2.5.4.6", 0x13, b"UT"), ("2.5.4.3", 0x1E, "CSCA Ütöpia".encode("utf-16-be"))),
        name(("2.5.4.6", 0x13, b"UT"), ("2.5.4.3", 0x1C, "CSCA Ütöpia".encode("utf-32-be"))),
        name(("2.5.4.6", 0x16, b"UT"), ("2.5.4.3", 0x14, "CSCA Ütöpia".encode("latin-1"))),
        name(("2.5.4.6", 0x13, b"UT"), ("2.5.4.3", 0x13, "CSCA Ütöpia".encode("latin-1"))),
    ):
        assert canonical(other) == canonical(usual)
    several = encode(0x30, encode(0x31, b"".join(
        encode(0x30, core.ObjectIdentifier(oid).dump() + encode(0x13, text))
        for oid, text in (("2.5.4.3", b"A"), ("2.5.4.6", b"UT"))
    )))  # fmt: skip
    assert canonical(several) == (("2.5.4.3", "a"), ("2.5.4.6", "ut"))


def test_names_that_people_can_read() -> None:
    raw = name(
        ("2.5.4.6", 0x13, b"UT"),
        ("2.5.4.5", 0x13, b"1"),
        ("1.2.3.4", 0x0C, b"x\x1b[2J"),
        ("2.5.4.3", 0x05, b""),
    )
    assert readable(raw) == "C=UT, SERIALNUMBER=1, 1.2.3.4=x?[2J, CN=#05"
    assert readable(x509.Name.build({"country_name": "DE"}).dump()) == "C=DE"


@pytest.mark.parametrize(
    ("coded", "text"),
    [("2A8648CE3D0201", "1.2.840.10045.2.1"), ("551D13", "2.5.29.19"), ("883701", "2.999.1"), ("00", "0.0")],
)
def test_object_identifiers(coded: str, text: str) -> None:
    assert dotted(bytes.fromhex(coded)) == text


@pytest.mark.parametrize("coded", [b"", b"\x2a\x86", bytes(33)])
def test_object_identifiers_that_are_none(coded: bytes) -> None:
    with refused(TrustError, "oid_malformed"):
        dotted(coded)


@settings(FUZZ)
@given(st.one_of(damaged(bytes(state().csca.certificate.subject.dump())), st.binary(max_size=64)))
def test_names_accept_or_raise_one_error(raw: bytes) -> None:
    accepts_or_raises(canonical, TrustError, raw)
    accepts_or_raises(readable, TrustError, raw)


# --- sentences -------------------------------------------------------------------------------------------

NOT_SHOWN = ("asn1_", "_")  # those become cms_malformed; these are ends of composed codes


def raised_codes() -> set[str]:
    """Every code that the room's own errors and checks carry, read from its source."""
    found: set[str] = set()
    for path in Path(gated.document.trust.__file__).parent.glob("*.py"):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Call) and getattr(node.func, "id", "") in {"TrustError", "_refused"}:
                argument = node.args[0]
            elif isinstance(node, ast.Call) and getattr(node.func, "attr", "") in {"_note", "append"}:
                argument = node.args[-1] if node.func.attr == "append" else node.args[1]
            else:
                continue
            found |= {
                leaf.value for leaf in ast.walk(argument)
                if isinstance(leaf, ast.Constant) and isinstance(leaf.value, str) and "_" in leaf.value
            }  # fmt: skip
    return {code for code in found - set(ALL_CHECKS) if not code.startswith(NOT_SHOWN)}


def test_every_code_has_a_sentence() -> None:
    raised = raised_codes()
    assert len(raised) > 60
    assert raised - codes() == set()


def test_groups_are_explained_by_number() -> None:
    assert explain("dg12_hash_wrong").sentence == "the hash of DG12 is not the signed one: it was changed"
    assert explain("dg3_not_signed").clause == "Doc 9303-11, 5.1"
    assert explain("something_else").sentence == "something else"
