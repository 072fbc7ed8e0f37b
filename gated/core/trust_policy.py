"""What the operator decides about passive authentication: the receiving state's policy of Doc 9303-12."""

from typing import Annotated, Literal

from msgspec import Meta

from gated.core.values import Value


class TrustPolicy(Value):
    """The defaults accept what genuine documents in circulation need, and nothing that a forger could use.

    `expired_csca` accepts a root past its end (the chain model: it was valid when it certified); the document
    signer must always be valid. `revocation` says what a missing or old CRL means: `if_known` leaves it out
    of the result, `required` does not; a listed certificate fails under both. `max_crl_age_d` counts days
    from the issue of a CRL (a CSCA must issue one every 90), besides the next update that it names itself.
    `deviations` says whether a signed deviation list may excuse a check (`count`), or is told (`report`).
    """

    expired_csca: bool = False
    revocation: Literal["if_known", "required"] = "if_known"
    max_crl_age_d: Annotated[int, Meta(ge=1, le=3650)] = 90
    min_rsa_bits: Annotated[int, Meta(ge=1024, le=8192)] = 2048
    allow_sha1: bool = True
    deviations: Literal["report", "count"] = "report"
