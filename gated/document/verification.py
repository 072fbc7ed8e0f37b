"""All checks on a chip that was read: passive authentication, its zone against the scanned one, expiry."""

from datetime import datetime

from gated.core.checks import Check, Result
from gated.document.errors import LdsError
from gated.document.lds import parse_dg1
from gated.document.mrz import Mrz
from gated.document.reading import ChipFiles
from gated.document.trust.passive import TrustStore, authenticate

_COMPARED = (
    ("document_type", "document_type"),
    ("issuer", "issuer"),
    ("document_number", "document_number"),
    ("nationality", "nationality"),
    ("birth_date", "birth_yymmdd"),
    ("sex", "sex"),
    ("expiry_date", "expiry_yymmdd"),
    ("name", "surname"),
    ("name", "given_names"),
)


def verify(files: ChipFiles, mrz: Mrz, store: TrustStore, at: datetime) -> tuple[Check, ...]:
    """The six checks of `gated.document.trust`, then `mrz_matches_chip` and `document_expiry`.

    `at` is an aware time, fixed once per passage. Never raises for what the chip gave.
    """
    try:
        chip = parse_dg1(files["dg1"].reveal())
    except LdsError as error:
        chip, trouble = None, error.code
    groups = files.groups
    issuing_state = chip.issuer if chip else None
    authentic = authenticate(files["sod"].reveal(), groups, store, at=at, issuing_state=issuing_state)
    if chip is None:
        failed = Check("mrz_matches_chip", Result.FAILED, trouble)
        return (*authentic, failed, Check("document_expiry", Result.UNDETERMINED, "not_reached"))
    return (*authentic, mrz_matches_chip(mrz, chip), document_expiry(chip, at))


def mrz_matches_chip(scanned: Mrz, chip: Mrz) -> Check:
    """Whether page and chip carry the same zone; the reason names the first field that differs."""
    reason = ""
    if scanned.text != chip.text:
        differing = (name for name, field in _COMPARED if getattr(scanned, field) != getattr(chip, field))
        reason = f"{next(differing, 'optional_data')}_differs"
    return Check("mrz_matches_chip", Result.FAILED if reason else Result.SUCCESSFUL, reason)


def document_expiry(mrz: Mrz, at: datetime) -> Check:
    """Whether the document is valid on the day of `at`; its last day counts."""
    expired = mrz.expiry_date(at.date()) < at.date()
    return Check(
        "document_expiry",
        Result.FAILED if expired else Result.SUCCESSFUL,
        "document_expired" if expired else "",
    )
