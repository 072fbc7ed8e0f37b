"""DG16: persons to notify (Doc 9303-10, section 4.7.16): a template A1, A2 ... for each."""

from dataclasses import dataclass

from gated.core.personal import MASK
from gated.document import tlv
from gated.document.errors import LdsError, TlvError
from gated.document.lds.content import content_of
from gated.document.lds.directory import DG16
from gated.document.lds.texts import CalendarDate, Elements, FullName

MAX_PERSONS = 15  # tags A1 to AF

_TEMPLATES = range(0xA1, 0xA1 + MAX_PERSONS)


@dataclass(frozen=True, slots=True, repr=False)
class PersonToNotify:
    """One person, and when that was recorded. All of it is personal data."""

    recorded: CalendarDate | None
    name: FullName | None
    telephone: str | None
    address: tuple[str, ...]

    def __repr__(self) -> str:
        return f"PersonToNotify({MASK})"


def parse_dg16(raw: bytes) -> tuple[PersonToNotify, ...]:
    """Raises LdsError: `dg16_malformed`, `dg16_not_utf8`, `dg16_not_printable`, `dg16_date_wrong` ..."""
    content = content_of(raw, DG16)
    try:
        items = tlv.parse(content)
        count = tlv.only(items, 0x02)
    except TlvError as error:
        raise LdsError("dg16_malformed") from error
    templates = [item.value for item in items if item.tag in _TEMPLATES]
    if len(count) != 1 or count[0] != len(templates) or len(templates) > MAX_PERSONS:
        raise LdsError("dg16_malformed")
    return tuple(_person(Elements(template, DG16)) for template in templates)


def _person(elements: Elements) -> PersonToNotify:
    return PersonToNotify(
        recorded=elements.date(0x5F50),
        name=elements.name(0x5F51),
        telephone=elements.text(0x5F52),
        address=elements.parts(0x5F53),
    )
