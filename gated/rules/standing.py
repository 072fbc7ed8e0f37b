"""What the centre knows of one traveller: titles, registrations, visas, and the entry into the country.

Each part may be missing, which says nothing; `none` says that there is none.
"""

from datetime import date, timedelta
from typing import Annotated

from msgspec import Meta

from gated.core.personal import MASK
from gated.core.values import Value
from gated.rules.facts import NONE
from gated.rules.knowledge import Known, Several, exactly, one

Code = Annotated[str, Meta(pattern=r"^[a-z0-9][a-z0-9_-]{0,31}\Z")]
Days = Annotated[int, Meta(ge=0, le=36_500)]


class Standing(Value, omit_defaults=True, repr_omit_defaults=True):
    """One traveller's standing. Personal data.

    The permitted stay ends `permitted_days` after the day of the entry; that day itself counts as day 0.
    """

    residence_title: Code | None = None
    residence_until: date | None = None
    registered: bool | None = None
    consent: bool | None = None
    programmes: Annotated[tuple[Code, ...], Meta(max_length=16)] | None = None
    visa: Code | None = None
    visa_until: date | None = None
    entered: date | None = None
    permitted_days: Days | None = None

    def __repr__(self) -> str:
        return f"Standing({MASK})"

    def facts(self, today: date) -> dict[str, Known]:
        """What follows for the rules on this day at the gate."""
        known: dict[str, Known] = {}
        for name in ("registered", "consent"):
            if (flag := getattr(self, name)) is not None:
                known[name] = flag
        for name, until in (("residence", self.residence_until), ("visa", self.visa_until)):
            if until is not None:
                known[f"{name}_days"] = exactly((until - today).days)
        for name in ("residence_title", "visa"):
            if (code := getattr(self, name)) is not None:
                known[name] = one(code)
        if self.programmes is not None:
            known["programmes"] = Several(frozenset(self.programmes) - {NONE})
        if self.entered is not None:
            known["entry_recorded"] = True
            if self.permitted_days is not None:
                ends = self.entered + timedelta(days=self.permitted_days)
                known["days_left"] = exactly((ends - today).days)
        return known
