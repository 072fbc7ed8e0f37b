"""How good a shot is, from 0 to 1: what each shortcoming costs in likeness, by what was measured to cost it.

The cost is the sum of the shortcomings, each with its weight in the manifest; a weight is the part of the
score, in [0, 1], that one unit takes from the comparison of that picture with the same person's others. The
value falls by 1/e for a cost of `COST`, which is what parts the median genuine score from the threshold.
"""

import math
from collections.abc import Mapping
from typing import Final

from models.quality.heads import HeadReading
from models.schema import QualityWorth

COST: Final = 0.1
_DIM: Final = 0.03  # luminance below which a face loses likeness, by the halving
_SHARP: Final = 0.30
_OPEN: Final = 0.06
_LARGE_PX: Final = 120.0  # distance of the eyes that TR-03121 asks for in the best shot


def worth(
    native: Mapping[str, float], presence: float, cut: float, heads: HeadReading, weights: QualityWorth
) -> float:
    """Return the value of a shot.

    `presence` is how sure the mesh was of a face, `cut` the part of the face that lies outside the image.
    """
    luminance = max(native.get("luminance_mean", 0.0), 1e-4)
    cost = (
        weights.dark * max(0.0, math.log2(_DIM / luminance))
        + weights.bright * native.get("over_exposure_prevention", 0.0)
        + weights.blur * max(0.0, _SHARP - native["sharpness"])
        + weights.yaw * (native["head_pose_yaw"] / 30) ** 2
        + weights.pitch * (native["head_pose_pitch"] / 30) ** 2
        + weights.roll * (native["head_pose_roll"] / 30) ** 2
        + weights.lids * max(0.0, _OPEN - native["eyes_open"])
        + weights.far * max(0.0, math.log2(_LARGE_PX / max(native["inter_eye_distance"], 1.0)))
        + weights.doubt * (1 - presence)
        + weights.cut * cut
        + weights.covered * max(heads.mask, heads.sunglasses) ** 2  # small probabilities are noise
        + weights.closed * heads.eyes_closed**2
    )
    return math.exp(-cost / COST)
