"""A zone looked at in full, right or wrong: every field as it was found, every check digit, every fault.

`examine` raises for nothing that a document can say. It rests on the rules that `parse` rests on: a zone is
valid here exactly if `parse` takes it.
"""

from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass
from datetime import date

from gated.core.personal import MASK, Personal
from gated.document.mrz import dates
from gated.document.mrz.layouts import BY_FORMAT, CHECKED
from gated.document.mrz.rules import CheckState, Fault
from gated.document.mrz.zone import Mrz, ZoneText, findings_in

NO_CHECKS: Mapping[str, CheckState] = dict.fromkeys(CHECKED, "absent")


@dataclass(frozen=True, slots=True, repr=False)
class Fields:
    """What each field says, without fillers: empty where it says nothing, None where the format has none.

    Dates are YYYY-MM-DD, `?` for each digit of an unknown part; None where the field holds no date.
    """

    document_type: str | None = None
    issuer: str | None = None
    surname: str | None = None
    given_names: str | None = None
    document_number: str | None = None
    nationality: str | None = None
    birth_date: str | None = None
    sex: str | None = None
    expiry_date: str | None = None
    optional_data: str | None = None
    optional_data_2: str | None = None
    issuing_office: str | None = None
    issue_date: str | None = None

    def __repr__(self) -> str:
        return f"Fields({MASK})"

    def by_name(self) -> dict[str, str | None]:
        """The fields under their names, in the order of this class."""
        return asdict(self)


@dataclass(frozen=True, slots=True)
class Examined:
    """`format` is None where number and widths of the lines fit none; then no field is known."""

    format: str | None
    fields: Personal[Fields]
    checks: Mapping[str, CheckState]
    faults: tuple[Fault, ...]

    @property
    def valid(self) -> bool:
        """Whether every rule holds: whether `parse` takes it."""
        return not self.faults


def examine(lines: Iterable[str], *, at: date) -> Examined:
    """Look at the lines of one zone on the day `at`, which gives the centuries. Blank lines do not count."""
    findings = findings_in("\n".join(lines))
    if isinstance(findings, Fault):
        return Examined(None, Personal(Fields()), NO_CHECKS, (findings,))
    found = Mrz(findings.layout.format, Personal(ZoneText.of(findings)))
    return Examined(found.format, Personal(_fields(found, at)), findings.checks, tuple(findings.faults))


def _fields(found: Mrz, at: date) -> Fields:
    """The fields of a zone that need not be right."""
    there = BY_FORMAT[found.format].fields
    birth = dates.found_birth(found.birth_yymmdd, at)
    expiry = dates.found_expiry(found.expiry_yymmdd, at)
    issue = found.issue_date(at)
    return Fields(
        document_type=found.document_type,
        issuer=found.issuer,
        surname=found.surname,
        given_names=found.given_names,
        document_number=found.document_number,
        nationality=found.nationality,
        birth_date=birth.iso if birth else None,
        sex=found.sex,
        expiry_date=expiry.iso if expiry else None,
        optional_data=found.optional_data if "optional_data" in there else None,
        optional_data_2=found.optional_data_2 if "optional_data_2" in there else None,
        issuing_office=found.issuing_office if "issuing_office" in there else None,
        issue_date=issue.iso if issue else None,
    )
