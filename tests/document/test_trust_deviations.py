"""Deviation lists: what they say, of which documents, and how little they may excuse."""

import pytest
from hypothesis import given, settings

from gated.core.checks import Result
from gated.core.trust_policy import TrustPolicy
from gated.document.errors import TrustError
from gated.document.tlv import encode
from gated.document.trust.deviations import Deviation, parse_deviations
from gated.document.trust.passive import Authentication, Excuse, TrustStore
from hw_sim.passport.pki import Authority, Deviating, Oddities
from hw_sim.passport.pki_lists import deviation_list
from tests.document.founded_states import authentication, sod, state
from tests.document.material import FUZZ, accepts_or_raises, damaged, refused

COUNT = TrustPolicy(deviations="count")
GROUPS = {1: b"data group one", 2: b"data group two", 12: b"the place of issue, wrongly hashed"}
SIGNED = GROUPS | {12: b"what was hashed"}
DG12 = (("2.2", 12),)


def found_with(
    *entries: Deviating,
    authority: Authority | None = None,
    policy: TrustPolicy = COUNT,
    groups: dict[int, bytes] | None = None,
    signed: dict[int, bytes] | None = None,
    number: str | None = "L898902C3",
    issuing_state: str = "UTO",
) -> Authentication:
    """A document whose DG12 does not have its hash, under deviation lists of its state."""
    authority = authority or state()
    loaded = TrustStore.load([], [authority.csca.der], [], deviations=[authority.deviation_list(*entries)])
    return authentication(
        sod(authority, signed or SIGNED),
        loaded,
        groups=groups or GROUPS,
        policy=policy,
        document_number=number,
        issuing_state=issuing_state,
    )


SIGNER = state().document_signer.certificate


@pytest.mark.parametrize(
    "documents",
    [
        {"signer": SIGNER},
        {"signer": SIGNER, "signer_by": "digest"},
        {"signer": SIGNER, "signer_by": "key_id"},
        {"document_type": "P"},
        {"document_type": "P<"},
        {"numbers": ("D00000001", "L898902C3")},
        {"numbers": ("L898902C3<<",)},
        {"signer": SIGNER, "document_type": "P<", "numbers": ("L898902C3",)},
        {"signer": SIGNER, "issued": ("20250101000000Z", "20260101000000Z")},
    ],
    ids=str,
)
def test_documents_that_are_meant(documents: dict[str, object]) -> None:
    entry = Deviating(deviations=DG12, description="hash of DG12", **documents)  # type: ignore[arg-type]  # its own fields
    deviation = Deviation("data_group_hash_wrong", "2.23.136.1.1.7.2.2", "dg12", "hash of DG12")
    found = found_with(entry)
    assert found.deviations == (deviation,)
    assert found.excused[0] == Excuse("dg_hashes", "deviation_list")
    assert found.result is Result.SUCCESSFUL
    told = found_with(entry, policy=TrustPolicy())
    assert told.deviations == (deviation,)
    assert told.result is Result.FAILED
    wrong = next(check for check in found.checks if check.name == "dg_hashes")
    assert (wrong.result, wrong.reason) == (Result.FAILED, "dg12_hash_wrong")


@pytest.mark.parametrize(
    "documents",
    [
        {"signer": state().csca.certificate},
        {"signer": state().csca.certificate, "signer_by": "digest"},
        {"document_type": "V"},
        {"numbers": ("D00000001",)},
        {"signer": SIGNER, "document_type": "P", "numbers": ("D00000001",)},
        {"issued": ("20250101000000Z", "20260101000000Z")},  # nothing in the document tells
        {},
    ],
    ids=str,
)
def test_documents_that_are_not_meant(documents: dict[str, object]) -> None:
    found = found_with(Deviating(deviations=DG12, **documents))  # type: ignore[arg-type]  # its own fields
    assert found.deviations == ()
    assert found.result is Result.FAILED


def test_an_unknown_number_is_not_meant() -> None:
    entry = Deviating(deviations=DG12, numbers=("L898902C3",))
    assert found_with(entry, number=None).deviations == ()


@pytest.mark.parametrize("number", [1, 2, 14, 15])
def test_what_a_forger_would_change_is_never_excused(number: int) -> None:
    signed = {1: b"one", 2: b"two", 14: b"keys", 15: b"key"}
    entry = Deviating(deviations=(("2.2", number),), signer=SIGNER)
    found = found_with(entry, signed=signed, groups=signed | {number: b"changed"})
    assert [item.where for item in found.deviations] == [f"dg{number}"]
    assert found.result is Result.FAILED


def test_another_group_is_not_excused() -> None:
    entry = Deviating(deviations=DG12, signer=SIGNER)
    both = GROUPS | {11: b"changed too"}
    assert found_with(entry, signed=SIGNED | {11: b"as it was"}, groups=both).result is Result.FAILED
    unsigned = {1: GROUPS[1], 2: GROUPS[2]}
    assert found_with(entry, signed=unsigned).result is Result.FAILED


def test_a_wrong_signature_is_never_excused() -> None:
    entry = Deviating(deviations=(("2.3", None), ("1.1", None)), signer=SIGNER)
    raw = bytearray(sod(state(), GROUPS))
    raw[-1] ^= 1
    loaded = TrustStore.load([], [state().csca.der], [], deviations=[state().deviation_list(entry)])
    found = authentication(bytes(raw), loaded, groups=GROUPS, policy=COUNT)
    assert [item.kind for item in found.deviations] == ["sod_signature_wrong", "document_signer_signature"]
    assert found.result is Result.FAILED
    assert [excuse.check for excuse in found.excused] == ["revocation"]


@pytest.mark.parametrize(
    ("oddities", "deviation", "check"),
    [
        (Oddities(signer_country="FR"), ("1.2", 6), "issuing_state"),
        (Oddities(document_types=("V",)), ("1.2", "2.23.136.1.1.6.2"), "signer_document_type"),
        (Oddities(key_usage=frozenset({"key_agreement"})), ("1.2", "2.5.29.15"), "document_signer"),
    ],
)
def test_an_encoding_fault_excuses_the_check_that_reads_it(
    oddities: Oddities, deviation: tuple[str, int | str], check: str
) -> None:
    authority = state(f"odd {check}", oddities=oddities)
    entry = Deviating(deviations=(deviation,), signer=authority.document_signer.certificate)
    for policy, result in ((COUNT, Result.SUCCESSFUL), (TrustPolicy(), Result.FAILED)):
        found = found_with(entry, authority=authority, groups=SIGNED, policy=policy)
        assert found.result is result
    assert Excuse(check, "deviation_list") in found_with(entry, authority=authority, groups=SIGNED).excused


def test_another_states_list_says_nothing() -> None:
    other = state("other land", state="FRA", country="FR")
    listed = other.deviation_list(Deviating(deviations=DG12, signer=SIGNER))
    loaded = TrustStore.load([], [state().csca.der, other.csca.der], [], deviations=[listed])
    found = authentication(sod(state(), SIGNED), loaded, groups=GROUPS, policy=COUNT)
    assert found.deviations == ()
    assert found.result is Result.FAILED


def test_lists_signed_by_somebody_who_may_not() -> None:
    other = state("other land", state="FRA", country="FR")
    listed = state().deviation_list(Deviating(deviations=DG12, signer=SIGNER))
    for roots, raw, code in (
        ([other.csca.der], listed, "deviation_list_not_anchored"),
        ([state().csca.der], state().master_list(), "deviation_list_type"),
        ([state().csca.der], with_list_signer(), "deviation_list_signer_not_allowed"),
    ):
        with pytest.raises(TrustError) as refusal:
            TrustStore.load([], roots, [], deviations=[raw])
        assert (refusal.value.source, refusal.value.code) == ("deviation list 1", code)


def with_list_signer() -> bytes:
    """A deviation list signed by the master list's signer."""
    authority = state()
    return type(authority)(
        state="UTO", country="UT", csca=authority.csca, document_signer=authority.document_signer,
        list_signer=authority.list_signer,
    ).deviation_list(Deviating(deviations=DG12, signer=SIGNER))  # fmt: skip


@pytest.mark.parametrize(
    ("deviation", "kind", "where", "excuses"),
    [
        (("1", None), "certificate_or_key", "", ""),
        (("1.1", None), "document_signer_signature", "", ""),
        (("1.2", 5), "document_signer_encoding", "validity", "validity"),
        (("1.3", 6), "csca_encoding", "subject", "issuing_state"),
        (("1.3", "2.5.29.35"), "csca_encoding", "2.5.29.35", ""),
        (("1.4", None), "active_authentication_key_compromised", "", ""),
        (("2", None), "lds", "", ""),
        (("2.1", 11), "data_group_malformed", "dg11", ""),
        (("2.1", 20), "data_group_malformed", "sod", ""),
        (("2.2", 12), "data_group_hash_wrong", "dg12", "dg_hashes"),
        (("2.3", None), "sod_signature_wrong", "", ""),
        (("2.4", None), "com_inconsistent", "", ""),
        (("3", None), "mrz", "", ""),
        (("3.1", 6), "mrz_wrong_data", "birth_date", ""),
        (("3.2", 4), "mrz_wrong_check_digit", "document_number", ""),
        (("4", None), "chip", "", ""),
        (("5", None), "national_use", "", ""),
        (("9.9", None), "unknown", "", ""),
    ],
)
def test_every_kind_of_deviation(
    deviation: tuple[str, int | str | None], kind: str, where: str, excuses: str
) -> None:
    (entry,) = parse_deviations(deviation_list([Deviating(deviations=(deviation,), signer=SIGNER)]))
    (read,) = entry.deviations
    assert (read.kind, read.where, read.excuses) == (kind, where, excuses)
    assert read.oid == f"2.23.136.1.1.7.{deviation[0]}"


def test_a_criterion_that_is_not_understood_makes_the_list_unusable() -> None:
    documents = encode(0x30, encode(0x87, b"some other criterion"))
    content = encode(0x30, b"\x02\x01\x00" + encode(0x31, encode(0x30, documents + encode(0x31, b""))))
    with refused(TrustError, "deviation_list_malformed"):
        parse_deviations(content)
    with refused(TrustError, "deviation_list_version"):
        parse_deviations(encode(0x30, b"\x02\x01\x01\x31\x00"))


def test_a_list_of_many_thousand_documents() -> None:
    """One real list names some 300,000."""
    numbers = tuple(f"CA{number:05d}AA" for number in range(40_000))
    (entry,) = parse_deviations(deviation_list([Deviating(deviations=DG12, numbers=numbers)]))
    assert entry.affected.numbers == frozenset(numbers)


@settings(FUZZ, max_examples=300)
@given(damaged(deviation_list([Deviating(deviations=(*DG12, ("1.2", "2.5.29.15")), signer=SIGNER,
                                         document_type="P", numbers=("L898902C3",))])))  # fmt: skip
def test_lists_accept_or_raise_one_error(raw: bytes) -> None:
    accepts_or_raises(parse_deviations, TrustError, raw)
