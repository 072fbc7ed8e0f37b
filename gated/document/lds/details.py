"""DG11 and DG12: additional details of the person and of the document (Doc 9303-10, 4.7.11 and 4.7.12).

The list of tags in front is not relied on: it disagrees with the elements on some genuine passports, and both
are under one signature. An element that the sections do not name is passed over.
"""

from dataclasses import dataclass

from gated.core.personal import MASK
from gated.document.lds.content import content_of
from gated.document.lds.directory import DG11, DG12
from gated.document.lds.texts import CalendarDate, Elements, FullName


@dataclass(frozen=True, slots=True, repr=False)
class PersonalDetails:
    """DG11. Every field is personal data; `repr` shows none. None or empty where the chip is silent."""

    full_name: FullName | None
    other_names: tuple[FullName, ...]
    personal_number: str | None
    birth: CalendarDate | None
    birth_place: tuple[str, ...]
    address: tuple[str, ...]
    telephone: str | None
    profession: str | None
    title: str | None
    summary: str | None
    proof_of_citizenship: bytes | None  # an encoded image
    other_documents: tuple[str, ...]  # numbers of other valid travel documents
    custody: str | None

    def __repr__(self) -> str:
        return f"PersonalDetails({MASK})"


@dataclass(frozen=True, slots=True, repr=False)
class DocumentDetails:
    """DG12. Treated as personal data as a whole: it may name other persons and hold images of the page.

    `personalised` is CCYYMMDDhhmmss as the chip has it.
    """

    authority: str | None
    issued: CalendarDate | None
    other_persons: tuple[FullName, ...]
    endorsements: str | None
    tax_or_exit: str | None
    front: bytes | None  # encoded images of the page
    rear: bytes | None
    personalised: str | None
    personalised_by: str | None  # the system's serial number

    def __repr__(self) -> str:
        return f"DocumentDetails({MASK})"


def parse_dg11(raw: bytes) -> PersonalDetails:
    """Raises LdsError: `dg11_malformed`, `dg11_not_utf8`, `dg11_not_printable`, `dg11_date_wrong` ..."""
    elements = Elements(content_of(raw, DG11), DG11)
    return PersonalDetails(
        full_name=elements.name(0x5F0E),
        other_names=elements.names(0xA0, 0x5F0F),
        personal_number=elements.text(0x5F10),
        birth=elements.date(0x5F2B),
        birth_place=elements.parts(0x5F11),
        address=elements.parts(0x5F42),
        telephone=elements.text(0x5F12),
        profession=elements.text(0x5F13),
        title=elements.text(0x5F14),
        summary=elements.text(0x5F15),
        proof_of_citizenship=elements.octets(0x5F16),
        other_documents=elements.parts(0x5F17),
        custody=elements.text(0x5F18),
    )


def parse_dg12(raw: bytes) -> DocumentDetails:
    """Raises LdsError: `dg12_malformed`, `dg12_not_utf8`, `dg12_not_printable`, `dg12_date_wrong` ..."""
    elements = Elements(content_of(raw, DG12), DG12)
    return DocumentDetails(
        authority=elements.text(0x5F19),
        issued=elements.date(0x5F26),
        other_persons=elements.names(0xA0, 0x5F1A),
        endorsements=elements.text(0x5F1B),
        tax_or_exit=elements.text(0x5F1C),
        front=elements.octets(0x5F1D),
        rear=elements.octets(0x5F1E),
        personalised=_moment(elements),
        personalised_by=elements.text(0x5F56),
    )


def _moment(elements: Elements) -> str | None:
    value = elements.octets(0x5F55)
    if value is None:
        return None
    digits = elements.digits(value, 14)
    if not digits.isdecimal():
        raise elements.wrong("date_wrong")
    return digits
