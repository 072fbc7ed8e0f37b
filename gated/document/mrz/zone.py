"""The machine-readable zone of Doc 9303-3 to -7: the lines of a serial reader in, one checked value out.

`parse` accepts a zone only when its characters, its fields and every check digit are right (`rules`), and
raises MrzError otherwise. It does not know what day it is: the zone carries two digits of a year, and whoever
needs the century gives `today`. What the zone says is personal: `Mrz` shows nothing of it, encoders
refuse it, and errors name the field and the place, never the characters.
"""

import re
from dataclasses import dataclass
from datetime import date

from gated.core.personal import MASK, Personal
from gated.document.errors import DocumentError
from gated.document.mrz import dates
from gated.document.mrz.characters import FILLER
from gated.document.mrz.dates import PartialDate
from gated.document.mrz.layouts import BY_FORMAT, FRENCH_CARD, Layout, layout_of
from gated.document.mrz.names import ZoneName, french_name_of, name_of
from gated.document.mrz.rules import Fault, Findings, judge, shape_fault

MAX_MESSAGE = 256  # bytes; the longest zone has 90 characters, serial readers add line ends and blanks

_LINE_ENDS = re.compile("[\r\n]+")


class MrzError(DocumentError):
    """What was read is not a machine-readable zone with good check digits.

    `field` is what is wrong, `position` its first character, counted from 1 through all lines (0 for the
    zone as a whole), `line` and `column` the same place; `reason` is one of `rules`.
    """

    def __init__(self, fault: Fault) -> None:
        super().__init__(f"mrz_{fault.field}_{fault.reason}")
        self.field = fault.field
        self.position = fault.position
        self.line = fault.line
        self.column = fault.column
        self.reason = fault.reason


@dataclass(frozen=True, slots=True, repr=False)
class ZoneText:
    """The fields as they stand, fillers included where they mean something."""

    text: str
    number: str
    number_check: str

    @classmethod
    def of(cls, findings: Findings) -> "ZoneText":
        """What was judged."""
        return cls(findings.text, findings.number, findings.number_check)


@dataclass(frozen=True, slots=True, repr=False)
class Mrz:
    """A checked zone. Every property is personal data; `repr` shows the format only."""

    format: str
    zone: Personal[ZoneText]

    def __repr__(self) -> str:
        return f"Mrz({self.format}, {MASK})"

    @property
    def text(self) -> str:
        """All lines joined: what DG1 holds."""
        return self.zone.reveal().text

    @property
    def document_type(self) -> str:
        """One or two characters, without filler."""
        return self._field("document_type").rstrip(FILLER)

    @property
    def issuer(self) -> str:
        """Issuing state or organisation: three letters, or fewer as in `D`."""
        return self._field("issuer").rstrip(FILLER)

    @property
    def document_number(self) -> str:
        """Normalised: letters and digits only; whole where it runs on in optional data."""
        return self.zone.reveal().number.replace(FILLER, "")

    @property
    def name(self) -> ZoneName:
        """Primary and secondary identifier."""
        if self._layout is FRENCH_CARD:
            return french_name_of(self._field("surname"), self._field("given_names"))
        return name_of(self._field("name"))

    @property
    def surname(self) -> str:
        """The primary identifier in MRZ letters, its parts separated by one space."""
        return self.name.primary

    @property
    def given_names(self) -> str:
        """The secondary identifier in MRZ letters, separated by spaces; empty if there is none."""
        return self.name.secondary

    @property
    def name_fills_field(self) -> bool:
        """Whether the name reaches the end of its field, so that it may have been cut short."""
        return self.name.primary_may_be_cut or self.name.secondary_may_be_cut

    @property
    def nationality(self) -> str:
        """Three letters, or fewer as in `D`. The old French card has none: it is for the French only."""
        if self._layout is FRENCH_CARD:
            return self.issuer
        return self._field("nationality").rstrip(FILLER)

    @property
    def sex(self) -> str:
        """`F`, `M`, or empty where it is not specified."""
        return self._field("sex").rstrip(FILLER)

    @property
    def birth_yymmdd(self) -> str:
        """The date of birth as it stands; unknown parts are `<<`."""
        return self._field("birth_date")

    @property
    def expiry_yymmdd(self) -> str:
        """The date of expiry as it stands; empty in the old French card."""
        return self._field("expiry_date")

    @property
    def optional_data(self) -> str:
        """What the issuer added, in TD3 a personal number; without the rest of a long document number."""
        value = self._field("optional_data")
        number_end = self._layout.fields["document_number"][1]
        if self._layout.continuation is not None and self.text[number_end] == FILLER:
            value = value.partition(FILLER)[2]
        return value.rstrip(FILLER)

    @property
    def optional_data_2(self) -> str:
        """What the issuer added in the middle line of a TD1; else empty."""
        return self._field("optional_data_2").rstrip(FILLER)

    @property
    def issuing_office(self) -> str:
        """Department and office of the old French card; else empty."""
        return self._field("issuing_office").rstrip(FILLER)

    @property
    def access_key(self) -> str:
        """The MRZ information of Doc 9303-11: number, birth and expiry with their check digits.

        Empty where there is no expiry: such documents have no chip.
        """
        fields = self._layout.fields
        if "expiry_date" not in fields:
            return ""
        zone = self.zone.reveal()
        spans = (fields["birth_date"], fields["expiry_date"])
        days = "".join(zone.text[start : end + 1] for start, end in spans)
        return zone.number + zone.number_check + days

    def birth_date(self, today: date) -> PartialDate:
        """The latest century in which the birth is not after `today`."""
        return dates.birth(self.birth_yymmdd, today)

    def expiry_date(self, today: date) -> date | None:
        """The century that brings the expiry nearest to `today`; None in the old French card."""
        value = self.expiry_yymmdd
        return dates.expiry(value, today) if value else None

    def issue_date(self, today: date) -> PartialDate | None:
        """Year and month of issue, which only the old French card tells."""
        if self._layout is not FRENCH_CARD:
            return None
        return dates.found_birth(self._field("document_number")[:4] + dates.UNKNOWN, today)

    def age(self, today: date) -> int | None:
        """Whole years at `today`, the least that the date of birth allows; None without a year."""
        born = self.birth_date(today).latest
        if born is None:
            return None
        had_birthday = (today.month, today.day) >= (born.month, born.day)
        return max(today.year - born.year - (0 if had_birthday else 1), 0)

    @property
    def _layout(self) -> Layout:
        return BY_FORMAT[self.format]

    def _field(self, name: str) -> str:
        start, end = self._layout.fields.get(name, (0, 0))
        return self.text[start:end]


def parse(message: bytes) -> Mrz:
    """Parse what a serial reader sent. Raises MrzError and nothing else."""
    findings = findings_in(message.decode("latin-1"))
    if isinstance(findings, Fault):
        raise MrzError(findings)
    if findings.faults:
        raise MrzError(findings.faults[0])
    return Mrz(findings.layout.format, Personal(ZoneText.of(findings)))


def findings_in(message: str) -> Findings | Fault:
    """What the rules say of a message, or why there is nothing that they apply to.

    The habits of serial lines are undone: line ends of any kind, blanks around lines, one long line.
    """
    stripped = [line.strip(" \t") for line in _LINE_ENDS.split(message.strip("\0 \t\r\n"))]
    lines = [line for line in stripped if line]
    layout = layout_of(lines) if len(message) <= MAX_MESSAGE else None
    return shape_fault(lines) if layout is None else judge(layout, "".join(lines))
