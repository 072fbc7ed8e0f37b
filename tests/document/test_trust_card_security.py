"""EF.CardSecurity: authenticated by the rules of EF.SOD, before PACE-CAM's key is taken from it."""

from datetime import datetime, timedelta

import pytest
from hypothesis import given, settings

from gated.core.checks import Check, Result
from gated.core.trust_policy import TrustPolicy
from gated.document import lds
from gated.document.trust.card_security import CardSecurity, authenticate_card_security
from gated.document.trust.certificates import parse_certificate
from gated.document.trust.passive import TrustStore
from hw_sim.passport.pki import Oddities
from tests.document.founded_states import AT, sod, state, store
from tests.document.material import FUZZ, damaged

SECURITY_INFOS = bytes.fromhex("3100")


def authenticated(raw: bytes, trusted: TrustStore, **options: object) -> CardSecurity:
    return authenticate_card_security(raw, trusted, at=options.pop("at", AT), **options)  # type: ignore[arg-type]  # its own keywords


def test_a_genuine_file() -> None:
    found = authenticated(state().sign_card_security(SECURITY_INFOS), store(state()))
    assert found.check == Check("card_security", Result.SUCCESSFUL)
    assert found.security_infos == SECURITY_INFOS
    assert found.signer == parse_certificate(state().document_signer.der)
    assert found.csca == parse_certificate(state().csca.der)


@pytest.mark.parametrize(
    ("raw", "reason"),
    [
        (b"", "cms_malformed"),
        (lds.parse_sod(sod(state())), "card_security_content_type"),
        (state().sign_card_security(SECURITY_INFOS)[:-1] + b"\xff", "signature_wrong"),
    ],
)
def test_files_that_are_not_genuine(raw: bytes, reason: str) -> None:
    assert authenticated(raw, store(state())).check == Check("card_security", Result.FAILED, reason)


def test_an_unknown_root_is_undetermined() -> None:
    found = authenticated(state().sign_card_security(SECURITY_INFOS), TrustStore([]))
    assert found.check == Check("card_security", Result.UNDETERMINED, "csca_unknown")


def test_validity_and_revocation_count() -> None:
    raw = state().sign_card_security(SECURITY_INFOS)
    late = authenticated(raw, store(state()), at=AT + timedelta(days=4000))
    assert late.check == Check("card_security", Result.FAILED, "document_signer_expired")
    serial = int(state().document_signer.certificate.serial_number)
    revoked = state().revocation_list({serial: ""}, issued=AT)
    loaded = TrustStore.load([], [state().csca.der], [], crls=[revoked])
    assert authenticated(raw, loaded).check.reason == "document_signer_revoked"
    required = authenticated(raw, store(state()), policy=TrustPolicy(revocation="required"))
    assert required.check == Check("card_security", Result.UNDETERMINED, "crl_missing")


def test_signer_and_root_of_two_states() -> None:
    authority = state("two states", oddities=Oddities(signer_country="FR"))
    found = authenticated(authority.sign_card_security(SECURITY_INFOS), store(authority))
    assert found.check == Check("card_security", Result.FAILED, "signer_of_another_state")


def test_a_naive_time_is_a_programming_error() -> None:
    with pytest.raises(ValueError, match="aware"):
        authenticated(b"", TrustStore([]), at=datetime(2026, 11, 23))  # noqa: DTZ001


@settings(FUZZ, max_examples=200)
@given(damaged(state().sign_card_security(SECURITY_INFOS)))
def test_only_the_genuine_file_is_good(raw: bytes) -> None:
    found = authenticated(raw, store(state()))
    if found.check.result is Result.SUCCESSFUL:
        assert found.security_infos == SECURITY_INFOS
