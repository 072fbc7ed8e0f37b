"""What rules of eligibility decide about a traveller, and why: values that go on record with the passage.

A trace names facts and never says what they are, so it holds no personal data.
"""

from enum import StrEnum
from typing import Annotated

from msgspec import Meta

from gated.core.values import Value

Code = Annotated[str, Meta(max_length=48)]


class Ruling(StrEnum):
    """What a rule asks for, in rising gravity; of all that apply the gravest counts."""

    ADMIT = "admit"
    REFER = "refer"  # to an officer or the counter
    REFUSE = "refuse"  # to an officer, who is told that the law says no: no gate refuses anybody
    STOP = "stop"  # to an officer, who is called at once


class Held(StrEnum):
    """Whether a ground or a rule held."""

    YES = "yes"
    NO = "no"
    UNKNOWN = "unknown"
    NOT_CONCERNED = "not_concerned"  # the rule is not about this traveller
    LATER = "later"  # it is about the height, which is measured inside


class Why(Value, omit_defaults=True):
    """What one ground or rule said: its id, the id of its text of law, the facts that decided."""

    rule: Code
    law: Code
    held: Held
    by: Annotated[tuple[Code, ...], Meta(max_length=64)] = ()
    reason: Code = ""
    ruling: Ruling = Ruling.ADMIT
