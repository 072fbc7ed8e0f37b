"""How far ahead somebody was all along a walk, from the frames in which their feet were seen.

A walk is straight and even for a moment. What was taken for a foot and is none (a shadow, a stain on the
floor) is not where that walk has it; where most looks disagree there is no walk, and no range.
"""

from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt

Points = npt.NDArray[np.float64]

MIN_FEET: Final = 5  # looks that must agree
_SHARE: Final = 0.5  # of all looks that saw feet
_APART_M: Final = 0.12  # from where the looks about it have the feet: farther, and no foot was seen
_EVEN_S: Final = 0.8  # a walk is straight and even for so long before and after
_GAP_S: Final = 0.5  # a moment without feet is known between two with feet that are no farther apart
_SLOWEST, _FASTEST = -1.0, 3.0  # metres a second towards the camera
_ROUNDS: Final = 3
_TWO_THIRDS: Final = 0.68


@dataclass(frozen=True, kw_only=True)
class Walk:
    """Metres ahead of the feet for each moment, not a number where they are not known.

    `looks`: how many agree. `scatter_m`: how far two thirds of all looks are from the walk at most. `speed`:
    metres a second, in the middle.
    """

    ahead_m: Points
    looks: int
    scatter_m: float
    speed: float


def walked(at: Points, feet_m: Points) -> Walk | None:
    """The walk of feet that were seen so far ahead at moments (s); None: too few looks agree on one.

    `feet_m` is not a number where no feet were seen.
    """
    seen = np.flatnonzero(np.isfinite(feet_m))
    agreed = seen
    for _ in range(_ROUNDS):
        if len(agreed) < MIN_FEET:
            return None
        where = np.array([_line(at[i], at[agreed], feet_m[agreed]) for i in seen])
        agreed = seen[np.abs(feet_m[seen] - where) < _APART_M]
    if len(agreed) < max(MIN_FEET, _SHARE * len(seen)):
        return None
    times = at[agreed]
    ahead = np.full(len(at), np.nan)
    for i, now in enumerate(at):
        before, after = times[times <= now], times[times >= now]
        if len(before) and len(after) and after.min() - before.max() <= _GAP_S:
            ahead[i] = _line(now, times, feet_m[agreed])
    off = np.abs(feet_m[seen] - np.array([_line(at[i], times, feet_m[agreed]) for i in seen]))
    scatter = float(np.quantile(np.nan_to_num(off, nan=_APART_M), _TWO_THIRDS))
    whole = (feet_m[agreed][-1] - feet_m[agreed][0]) / max(times[-1] - times[0], _EVEN_S)
    return Walk(ahead_m=ahead, looks=len(agreed), scatter_m=scatter, speed=abs(float(whole)))


def _line(now: float, times: Points, feet_m: Points) -> float:
    """Where the looks about a moment have the feet, by the line of Theil and Sen; under 3: not a number."""
    near = np.abs(times - now) <= _EVEN_S
    times, feet_m = times[near] - now, feet_m[near]
    if len(times) < 3:  # two always agree
        return float("nan")
    first, second = np.triu_indices(len(times), 1)
    since = times[second] - times[first]
    apart = np.abs(since) > 1e-3
    if not apart.any():
        return float("nan")
    slopes = (feet_m[second] - feet_m[first])[apart] / since[apart]
    slope = float(np.clip(np.median(slopes), -_FASTEST, -_SLOWEST))
    return float(np.median(feet_m - slope * times))
