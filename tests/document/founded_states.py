"""Issuing states founded for a test, what they sign, and the checks that do not succeed on it."""

import hashlib
from datetime import UTC, date, datetime
from functools import cache
from typing import Any

import pytest

from gated.core.checks import Check, Result
from gated.core.trust_policy import TrustPolicy
from gated.document.errors import TrustError
from gated.document.tlv import encode
from gated.document.trust.passive import (
    CHECKS,
    Authentication,
    PassiveAuthentication,
    TrustStore,
    authenticate,
)
from hw_sim.passport.pki import CONTENT_MASTER_LIST, Authority, Habits, signed_data

TODAY = date(2026, 11, 23)
AT = datetime(2026, 11, 23, 12, tzinfo=UTC)
GROUPS = {1: b"data group one", 2: b"data group two"}
GOOD = tuple(Check(name, Result.SUCCESSFUL) for name in CHECKS)


@cache
def state(seed: str = "utopia", **options: Any) -> Authority:
    return Authority.establish(seed, today=TODAY, **options)


def security_object(groups: dict[int, bytes], digest: str = "sha256") -> bytes:
    oids = {"sha1": "2B0E03021A", "sha256": "608648016503040201", "sha512": "608648016503040203"}
    hashes = b"".join(
        encode(0x30, encode(0x02, bytes([number])) + encode(0x04, hashlib.new(digest, raw).digest()))
        for number, raw in groups.items()
    )
    algorithm = encode(0x30, encode(0x06, bytes.fromhex(oids[digest])))
    return encode(0x30, encode(0x02, b"\0") + algorithm + encode(0x30, hashes))


def sod(
    authority: Authority,
    groups: dict[int, bytes] | None = None,
    *,
    by_key_id: bool = False,
    habits: Habits | None = None,
    object_digest: str = "sha256",
) -> bytes:
    content = security_object(groups or GROUPS, object_digest)
    return encode(0x77, authority.sign_document(content, by_key_id=by_key_id, habits=habits))


def store(*authorities: Authority) -> TrustStore:
    return TrustStore.load([], [authority.csca.der for authority in authorities], [])


def authentication(
    raw: bytes,
    trusted: TrustStore,
    *,
    at: datetime = AT,
    groups: dict[int, bytes] | None = None,
    issuing_state: str | None = "UTO",
    document_type: str | None = "P",
    document_number: str | None = None,
    policy: TrustPolicy | None = None,
) -> Authentication:
    """Everything that passive authentication finds."""
    run = PassiveAuthentication(raw, trusted, at=at, policy=policy or TrustPolicy())
    for number, content in (GROUPS if groups is None else groups).items():
        run.compare(number, content)
    return run.conclude(
        issuing_state=issuing_state, document_type=document_type, document_number=document_number
    )


def check(
    raw: bytes,
    trusted: TrustStore,
    groups: dict[int, bytes] | None = None,
    *,
    at: datetime = AT,
    issuing_state: str | None = "UTO",
    expired_csca: bool = False,
    document_type: str | None = None,
    policy: TrustPolicy | None = None,
) -> dict[str, str]:
    """The checks that did not succeed, by name with their reasons."""
    made = authenticate(
        raw, GROUPS if groups is None else groups, trusted, at=at, issuing_state=issuing_state,
        expired_csca=expired_csca, document_type=document_type, policy=policy or TrustPolicy(),
    )  # fmt: skip
    assert tuple(item.name for item in made)[: len(CHECKS)] == CHECKS
    assert all((item.result is Result.SUCCESSFUL) == (item.reason == "") for item in made)
    return {item.name: item.reason for item in made if item.reason}


NOT_REACHED = "not_reached"
ANOTHER_STATE = {"issuing_state": "issuing_state_differs"}


def assert_not_loaded(
    lists: list[bytes], certificates: list[bytes], anchors: list[bytes], source: str, code: str
) -> None:
    with pytest.raises(TrustError) as refusal:
        TrustStore.load(lists, certificates, anchors)
    assert (refusal.value.source, refusal.value.code) == (source, code)


def list_of(*certificates: bytes) -> bytes:
    """A master list, signed as it should be, of certificates that need not be."""
    signer = state().list_signer
    content = encode(0x30, b"\x02\x01\x00" + encode(0x31, b"".join(certificates)))
    return signed_data(CONTENT_MASTER_LIST, content, signer, (signer.certificate,), by_key_id=True)
