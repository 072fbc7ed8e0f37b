"""Whether somebody is as tall as the rule asks, from a measured height and its uncertainty.

The line lies half an error above the rule: whoever is two centimetres too short is never taken for tall
enough, and whoever is two centimetres taller nearly always is (`python -m tests.bench height` measures both).
What lies between is undetermined: the person is looked at again, or an officer decides.
"""

from typing import Literal

Verdict = Literal["yes", "no", "undetermined"]

GUARD = 0.5  # part of the error by which a height must exceed the rule, or fall short of it


def tall_enough(height_m: float | None, error_m: float, minimum_m: float) -> Verdict:
    """Judge a height (metres; None: not measured) with its 95 % half-width against the least height."""
    if height_m is None:
        return "undetermined"
    if height_m - GUARD * error_m >= minimum_m:
        return "yes"
    return "no" if height_m + GUARD * error_m < minimum_m else "undetermined"
