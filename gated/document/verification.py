"""All checks on a chip: passive authentication, the proofs of genuineness on top of it, the zone, expiry.

A verification takes each file as it is read, so that what can be known is known before the image has come. It
concludes when the reading has: only then is it known what the chip answered. No proof of genuineness counts
for more than the file that its key stands in, and that for no more than the security object.
"""

from dataclasses import dataclass
from datetime import datetime

from gated.core.checks import Check, Result
from gated.core.settings.documents import DocumentSettings
from gated.core.trust_policy import TrustPolicy
from gated.document.errors import LdsError
from gated.document.genuineness import Grounds, genuineness
from gated.document.lds import parse_com, parse_dg1, parse_dg11
from gated.document.lds.directory import DATA_GROUPS, NUMBER_BY_TAG
from gated.document.mrz import Mrz, same_name
from gated.document.reading import ChipFiles
from gated.document.trust.passive import Authentication, PassiveAuthentication
from gated.document.trust.store import TrustStore

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
_NUMBERS = {file.name: number for number, file in DATA_GROUPS.items()}


@dataclass(frozen=True, slots=True)
class Verified:
    """The checks that count, by whose word, and what proved the chip genuine (empty: nothing did).

    `notes` are codes of what is odd without being wrong; none decides anything.
    """

    checks: tuple[Check, ...]
    authentication: Authentication
    proof: str
    notes: tuple[str, ...] = ()

    @property
    def signer(self) -> str:
        """SHA-256 of the document signer's certificate, empty if none was found."""
        signer = self.authentication.signer
        return signer.sha256 if signer else ""

    @property
    def csca(self) -> str:
        """SHA-256 of the root that the signer leads up to, empty if none was found."""
        csca = self.authentication.csca
        return csca.sha256 if csca else ""


class Verification:
    """The checks on one chip, as its files come. `at` is an aware time, fixed once per passage.

    Nothing here raises for what a chip gave.
    """

    def __init__(
        self,
        scanned: Mrz | None,
        store: TrustStore,
        at: datetime,
        *,
        settings: DocumentSettings | None = None,
        policy: TrustPolicy | None = None,
    ) -> None:
        """`scanned` is the zone on the page; None where the chip was opened without it."""
        self._scanned = scanned
        self._store = store
        self._at = at
        self._settings = settings or DocumentSettings()
        self._policy = policy or TrustPolicy()
        self._passive: PassiveAuthentication | None = None
        self._zone: Mrz | None = None
        self._zone_trouble = "not_reached"
        self._com: tuple[int, ...] | None = None

    def take(self, name: str, raw: bytes) -> None:
        """Make the checks that a file allows, as soon as it is there; EF.SOD comes before the data groups."""
        if name == "sod":
            self._passive = PassiveAuthentication(raw, self._store, at=self._at, policy=self._policy)
        elif name == "com":
            self._com = _listed(raw)
        elif name in _NUMBERS and self._passive is not None:
            self._passive.compare(_NUMBERS[name], raw)
        if name == "dg1":
            try:
                self._zone, self._zone_trouble = parse_dg1(raw), ""
            except LdsError as error:
                self._zone_trouble = error.code

    def conclude(self, files: ChipFiles) -> Verified:
        """Make the checks that need the whole reading, and sum up: those that count, in a fixed order."""
        zone, passive = self._zone, self._passive
        if passive is None:
            raise ValueError("a verification begins with the security object: take `sod` first")
        authentication = passive.conclude(
            issuing_state=zone.issuer if zone else None,
            document_type=zone.document_type if zone else None,
            document_number=zone.document_number if zone else None,
            com_groups=self._com,
        )
        grounds = Grounds(passive, authentication, self._store, self._at, self._policy)
        genuine, proof = genuineness(files, grounds, self._settings)
        if zone is None:
            failed = Check("mrz_matches_chip", Result.FAILED, self._zone_trouble)
            own: tuple[Check, ...] = (failed, Check("document_expiry", Result.UNDETERMINED, "not_reached"))
        elif self._scanned is None:
            own = (document_expiry(zone, self._at),)
        else:
            own = (mrz_matches_chip(self._scanned, zone), document_expiry(zone, self._at))
        notes = (*authentication.notes, *_name_notes(zone, files))
        return Verified((*authentication.counted, *genuine, *own), authentication, proof, notes)


def verify(
    files: ChipFiles,
    mrz: Mrz,
    store: TrustStore,
    at: datetime,
    *,
    settings: DocumentSettings | None = None,
    policy: TrustPolicy | None = None,
) -> tuple[Check, ...]:
    """All checks on a chip that was read wholly before; those that count."""
    verification = Verification(mrz, store, at, settings=settings, policy=policy)
    for name in ("sod", *(name for name in files.files if name != "sod")):
        verification.take(name, files[name].reveal())
    return verification.conclude(files).checks


def mrz_matches_chip(scanned: Mrz, chip: Mrz) -> Check:
    """Whether page and chip carry the same zone; the reason names the first field that differs."""
    reason = ""
    if scanned.text != chip.text:
        differing = (name for name, field in _COMPARED if getattr(scanned, field) != getattr(chip, field))
        reason = f"{next(differing, 'optional_data')}_differs"
    return Check("mrz_matches_chip", Result.FAILED if reason else Result.SUCCESSFUL, reason)


def document_expiry(mrz: Mrz, at: datetime) -> Check:
    """Whether the document is valid on the day of `at`; its last day counts."""
    expires = mrz.expiry_date(at.date())
    if expires is None:
        return Check("document_expiry", Result.UNDETERMINED, "expiry_unknown")
    expired = expires < at.date()
    return Check(
        "document_expiry",
        Result.FAILED if expired else Result.SUCCESSFUL,
        "document_expired" if expired else "",
    )


def _name_notes(zone: Mrz | None, files: ChipFiles) -> tuple[str, ...]:
    """Whether the name in national characters (DG11) can be the one in the zone, where both are there."""
    if zone is None or "dg11" not in files:
        return ()
    try:
        name = parse_dg11(files["dg11"].reveal()).full_name
    except LdsError as error:
        return (error.code,)
    if name is None or same_name(zone.name, name.primary, name.secondary) is not False:
        return ()
    return ("dg11_name_differs",)


def _listed(com: bytes) -> tuple[int, ...] | None:
    """The data groups that EF.COM lists; None where it cannot be read, which matters to nobody."""
    try:
        tags = parse_com(com).tags
    except LdsError:
        return None
    return tuple(NUMBER_BY_TAG[tag] for tag in tags if tag in NUMBER_BY_TAG)
