"""Attacks on passive authentication: what can be changed in a signed structure without its signature."""

from gated.core.trust_policy import TrustPolicy
from hw_sim.passport.pki import Habits
from tests.document.founded_states import check, sod, state, store

STRICT = TrustPolicy(allow_sha1=False)


def test_a_hash_that_policy_forbids_is_not_allowed_by_another_name() -> None:
    """Nobody signs the name of the content's hash, so whoever has the structure can change it."""
    for habits in (Habits(digest="sha1"), Habits(digest="sha1", digest_named="sha256")):
        raw = sod(state(), habits=habits)
        assert check(raw, store(state())) == {}
        assert check(raw, store(state()), policy=STRICT) == {"sod_signature": "sha1_not_allowed"}
