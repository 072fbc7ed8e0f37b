"""Attacks on passive authentication: what can be changed in a signed structure without its signature."""

from typing import Any

import pytest

from gated.core.checks import Result
from gated.core.trust_policy import TrustPolicy
from gated.document.trust.store import TrustStore
from hw_sim.passport.pki import Deviating, Habits, Oddities
from tests.document.founded_states import AT, authentication, check, sod, state, store

STRICT = TrustPolicy(allow_sha1=False)


def test_a_hash_that_policy_forbids_is_not_allowed_by_another_name() -> None:
    """Nobody signs the name of the content's hash, so whoever has the structure can change it."""
    for habits in (Habits(digest="sha1"), Habits(digest="sha1", digest_named="sha256")):
        raw = sod(state(), habits=habits)
        assert check(raw, store(state())) == {}
        assert check(raw, store(state()), policy=STRICT) == {"sod_signature": "sha1_not_allowed"}


# --- what a state's own deviation list must not open ----------------------------------------------------


@pytest.mark.parametrize(
    ("options", "deviation", "arguments", "check", "reason"),
    [
        # the state errs in a name, and the document is another state's
        ({}, ("1.2", 6), {"issuing_state": "FRA"}, "issuing_state", "issuing_state_differs"),
        ({}, ("1.3", 4), {"issuing_state": "FRA"}, "issuing_state", "issuing_state_differs"),
        (
            {"oddities": Oddities(signer_country="FR")},
            ("1.2", 6),
            {"issuing_state": "FRA"},
            "issuing_state",
            "issuing_state_differs",
        ),
        # an odd key usage, and a short key
        (
            {"scheme": "rsa", "rsa_bits": 1536},
            ("1.2", "2.5.29.15"),
            {},
            "document_signer",
            "document_signer_rsa_too_short",
        ),
        # the validity of the root, and an expired signer
        ({}, ("1.3", 5), {"at": AT.replace(year=2044)}, "validity", "document_signer_expired"),
    ],
)
def test_a_deviation_excuses_what_it_is_about_and_no_more(
    options: dict[str, Any],
    deviation: tuple[str, int | str],
    arguments: dict[str, Any],
    check: str,
    reason: str,
) -> None:
    authority = state(f"deviating {deviation} {options}", **options)
    entry = Deviating(deviations=(deviation,), signer=authority.document_signer.certificate)
    loaded = TrustStore.load([], [authority.csca.der], [], deviations=[authority.deviation_list(entry)])
    found = authentication(sod(authority), loaded, policy=TrustPolicy(deviations="count"), **arguments)
    assert found.deviations
    assert [it.reason for it in found.checks if it.name == check] == [reason]
    assert check not in {excuse.check for excuse in found.excused}
    assert found.result is Result.FAILED
