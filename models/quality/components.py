"""The quality components of ISO/IEC 29794-5: what is measured of each, and how it maps to 0..100.

A component's native measure goes through its mapping to a whole number from 0 (worst) to 100 (best). Mappings
and constants are those of OFIQ, the BSI's reference implementation, in its default configuration. Where the
basis is `own`, the standard asks for a network or a trained forest that is not ours to ship: the measure is
the project's, only the scale is the standard's, and the numbers are not comparable with OFIQ's. What is not
given at all stands in `ABSENT`, with the reason.
"""

import math
from collections.abc import Callable
from typing import Final, Literal, NamedTuple

Basis = Literal["standard", "own"]


class Scale(NamedTuple):
    """From a native measure to 0..100: the function, and how it is written."""

    text: str
    of: Callable[[float], float]


class Component(NamedTuple):
    """One component: clause and identifier of the standard, what is measured, and how that is mapped."""

    clause: str
    identifier: int
    measure: str
    scale: Scale
    basis: Basis = "standard"

    def value(self, native: float) -> int:
        """Return 0..100 for a native measure; 0 for what is no number."""
        if not math.isfinite(native):
            return 0
        # halves go up, as in OFIQ; Python's own rounding takes them to even numbers
        return int(min(max(math.floor(self.scale.of(native) + 0.5), 0), 100))


def sigmoid(x: float, middle: float, width: float) -> float:
    """The logistic function, 0.5 at `middle`."""
    return 1 / (1 + math.exp(min(max((middle - x) / width, -700.0), 700.0)))


def _rising(middle: float, width: float) -> Scale:
    return Scale(f"100 s(x; {middle:g}, {width:g})", lambda x: 100 * sigmoid(x, middle, width))


def _falling(height: float, middle: float, width: float, share: float = 1.0) -> Scale:
    text = f"{height:g} ({share:g} - s(x; {middle:g}, {width:g}))"
    return Scale(text, lambda x: height * (share - sigmoid(x, middle, width)))


def _cosine(x: float) -> float:
    return 100 * math.cos(math.radians(x)) ** 2 if abs(x) < 90 else 0.0


_POSE: Final = Scale("100 cos²x, 0 from 90 degrees", _cosine)
_MIDDLE_TONES: Final = Scale(
    "100 s(x; 0.2, 0.05) (1 - s(x; 0.8, 0.05))",
    lambda x: 100 * sigmoid(x, 0.2, 0.05) * (1 - sigmoid(x, 0.8, 0.05)),
)
_SHARE: Final = Scale("100 (1 - x)", lambda x: 100 * (1 - x))

COMPONENTS: Final = {
    "illumination_uniformity": Component(
        "7.3.3", 0x43, "what the luminance histograms of two zones below the eyes have in common",
        Scale("100 x^0.3", lambda x: 100 * max(x, 0.0) ** 0.3),
    ),
    "luminance_mean": Component("7.3.4", 0x44, "mean luminance of the face, 0..1", _MIDDLE_TONES),
    "luminance_variance": Component(
        "7.3.4", 0x45, "its variance",
        Scale("100 sin(60x / (60x + 1) π)", lambda x: 100 * math.sin(60 * x / (60 * x + 1) * math.pi)),
    ),
    "under_exposure_prevention": Component(
        "7.3.5", 0x46, "share of the face with luminance 0..25 of 255", _falling(120, 0.92, 0.05, 0.832),
    ),
    "over_exposure_prevention": Component(
        "7.3.6", 0x47, "share of the face with luminance 247..255 of 255",
        Scale("1 / (x + 0.01)", lambda x: 1 / (max(x, 0.0) + 0.01)),
    ),
    "dynamic_range": Component(
        "7.3.7", 0x48, "entropy of the face's luminance histogram, bits",
        Scale("12.5 x", lambda x: 12.5 * x),
    ),
    "sharpness": Component(
        "7.3.8", 0x49, "fine detail over coarse detail of the face, along the axis that has less",
        _rising(0.26, 0.025), "own",
    ),
    "natural_colour": Component(
        "7.3.10", 0x4B, "distance of the zones' mean colour from a* 5..25, b* 5..35", _falling(200, 0, 10),
    ),
    "single_face_present": Component(
        "7.4.2", 0x4C, "root of the second face's area over the first one's", _SHARE,
    ),
    "eyes_open": Component(
        "7.4.3", 0x4D, "opening of the narrower eye over eyes to chin", _rising(0.02, 0.01),
    ),
    "mouth_closed": Component(
        "7.4.4", 0x4E, "opening of the lips over eyes to chin", _falling(100, 0.2, 0.06),
    ),
    "eyes_visible": Component(
        "7.4.5", 0x4F, "probability of dark glasses, by the project's network", _SHARE, "own",
    ),
    "mouth_occlusion_prevention": Component(
        "7.4.6", 0x50, "probability of a mask, by the project's network", _SHARE, "own",
    ),
    "inter_eye_distance": Component(
        "7.4.8", 0x52, "pixels between the eyes over cos(yaw)", _rising(70, 20),
    ),
    "head_size": Component(
        "7.4.9", 0x53, "eyes to chin over the height of the image",
        Scale("200 (1 - s(|x - 0.45|; 0, 0.05))", lambda x: 200 * (1 - sigmoid(abs(x - 0.45), 0, 0.05))),
    ),
    "leftward_crop": Component(
        "7.4.10", 0x54, "left edge to the eye on the image's right over the distance of the eyes",
        _rising(0.9, 0.1),
    ),
    "rightward_crop": Component(
        "7.4.10", 0x55, "right edge to the eye on the image's left over the distance of the eyes",
        _rising(0.9, 0.1),
    ),
    "margin_above": Component(
        "7.4.10", 0x56, "upper edge to the eyes over eyes to chin", _rising(1.4, 0.1),
    ),
    "margin_below": Component(
        "7.4.10", 0x57, "eyes to the lower edge over eyes to chin", _rising(1.8, 0.1),
    ),
    "head_pose_yaw": Component("7.4.11", 0x58, "degrees about the vertical", _POSE),
    "head_pose_pitch": Component("7.4.11", 0x59, "degrees about the axis through the ears", _POSE),
    "head_pose_roll": Component("7.4.11", 0x5A, "degrees about the line of sight", _POSE),
    "no_head_coverings": Component(
        "7.4.13", 0x5C, "probability of a head covering, by the project's network", _SHARE, "own",
    ),
}  # fmt: skip

ABSENT: Final = {
    "unified_quality_score": (
        "7.2", 0x41, "a network (MagFace) that is not ours to ship; `value` orders shots instead",
    ),
    "background_uniformity": (
        "7.3.2", 0x42, "for enrolment photographs; needs a segmentation of head and background",
    ),
    "compression_artifacts": ("7.3.9", 0x4A, "a network's estimate; no classical measure sees JPEG 2000 too"),
    "face_occlusion_prevention": ("7.4.7", 0x51, "needs a segmentation of what covers the face"),
    "expression_neutrality": ("7.4.12", 0x5B, "needs two networks; lips and lids alone do not tell a smile"),
}  # fmt: skip
