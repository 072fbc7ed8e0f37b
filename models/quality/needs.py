"""What a face still lacks before it may be matched, and what its person could do about it.

The face must be wholly in the frame, near enough, turned to the camera, uncovered, open-eyed and sharp. What
is missing is told as hints, the most helpful first: a person who steps back or comes closer changes the most,
and of a face that is cut or far nothing finer is said, since nothing finer is seen. Too little or too much
light is nobody's fault before the camera: it is a fault for the record and the technician.
"""

from collections.abc import Collection, Mapping
from typing import Literal, NamedTuple

from gated.core.vocabulary import Hint
from models.face import Points
from models.schema import QualityNeeds

Fault = Literal["too_dark", "too_bright"]


class Box(NamedTuple):
    """What a mesh spans, pixels; it may reach beyond the image."""

    left: float
    top: float
    right: float
    bottom: float

    @classmethod
    def of(cls, points: Points) -> "Box":
        """The box of a mesh (468, 3)."""
        (left, top), (right, bottom) = points[:, :2].min(0), points[:, :2].max(0)
        return cls(float(left), float(top), float(right), float(bottom))

    def cut(self, width: int, height: int) -> float:
        """Return which part of it lies outside an image of this size."""
        area = max(self.right - self.left, 1e-6) * max(self.bottom - self.top, 1e-6)
        across = max(min(self.right, width) - max(self.left, 0.0), 0.0)
        down = max(min(self.bottom, height) - max(self.top, 0.0), 0.0)
        return 1 - min(across * down / area, 1.0)


def hints(
    box: Box, width: int, height: int, native: Mapping[str, float], seen: Collection[str], needs: QualityNeeds
) -> tuple[Hint, ...]:
    """Return what the person could do, the most helpful first; nothing when the face will do.

    `native` are the measures of `models.quality.measures`, `seen` the names of `models.quality.heads.NAMES`
    that the network found. Left and right are the person's own.
    """
    if near := _nearness(box, width, height, native["inter_eye_distance"], needs):
        return near
    asked = {
        Hint.LOOK_HERE: _is_turned(native, needs),
        Hint.TAKE_OFF_MASK: "mask" in seen,
        Hint.TAKE_OFF_GLASSES: "sunglasses" in seen,
        Hint.OPEN_YOUR_EYES: "eyes_closed" in seen and "sunglasses" not in seen,
        Hint.STAND_STILL: native["sharpness"] < needs.min_sharpness,
    }
    return tuple(hint for hint, is_asked in asked.items() if is_asked)


def faults(native: Mapping[str, float], needs: QualityNeeds) -> tuple[Fault, ...]:
    """Return what is wrong with the light."""
    found: list[Fault] = []
    if native.get("luminance_mean", 1.0) < needs.min_luminance:
        found.append("too_dark")
    if native.get("over_exposure_prevention", 0.0) > needs.max_over_exposed:
        found.append("too_bright")
    return tuple(found)


def hints_unmeshed(
    box: Box, width: int, height: int, eyes_px: float, seen: Collection[str], needs: QualityNeeds
) -> tuple[Hint, ...]:
    """Return what somebody could do whose face was found but gave no mesh: at the least, to look here."""
    if near := _nearness(box, width, height, eyes_px, needs):
        return near
    asked = {Hint.TAKE_OFF_MASK: "mask" in seen, Hint.TAKE_OFF_GLASSES: "sunglasses" in seen}
    return tuple(hint for hint, is_asked in asked.items() if is_asked) or (Hint.LOOK_HERE,)


def _nearness(box: Box, width: int, height: int, eyes_px: float, needs: QualityNeeds) -> tuple[Hint, ...]:
    """What brings the whole face into the frame, large enough."""
    across, down = max(box.right - box.left, 1.0), max(box.bottom - box.top, 1.0)
    room = needs.max_cut
    cut_left, cut_right = -box.left > room * across, box.right - width > room * across
    cut_above, cut_below = -box.top > room * down, box.bottom - height > room * down
    large = across > needs.max_share * width or down > needs.max_share * height
    if large or cut_above or cut_below or (cut_left and cut_right):
        return (Hint.STEP_BACK,)
    found = []
    if eyes_px < needs.min_eyes_px:
        found.append(Hint.COME_CLOSER)
    # the image is not mirrored: its left is the person's right
    if cut_left:
        found.append(Hint.MOVE_LEFT)
    if cut_right:
        found.append(Hint.MOVE_RIGHT)
    return tuple(found)


def _is_turned(native: Mapping[str, float], needs: QualityNeeds) -> bool:
    return (
        abs(native["head_pose_yaw"]) > needs.max_yaw
        or abs(native["head_pose_pitch"]) > needs.max_pitch
        or abs(native["head_pose_roll"]) > needs.max_roll
    )
