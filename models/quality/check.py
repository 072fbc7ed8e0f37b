"""What one frame of a face is worth: whether it may be matched, what is missing, how good a shot it is."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from gated.core.vocabulary import Hint
from models.face import Detection, Face
from models.manifest import Manifest
from models.quality import measures, needs, unmeshed
from models.quality.components import COMPONENTS
from models.quality.heads import NAMES, FaceHeads, HeadReading
from models.quality.needs import Box, Fault
from models.quality.pose import head_pose
from models.quality.worth import worth
from models.tflite import Image


@dataclass(frozen=True, kw_only=True)
class Quality:
    """One frame of a face.

    `native` are the measures as `models.quality.components` words them, `components` their values of 0 to
    100; a component that this image does not give is None there and missing in `native`. `hints` are for the
    person, the most helpful first, `faults` for the technician. `value`, in [0, 1], orders shots.
    """

    box: Box
    native: Mapping[str, float]
    components: Mapping[str, int | None]
    heads: HeadReading
    hints: tuple[Hint, ...]
    faults: tuple[Fault, ...]
    value: float

    @property
    def usable(self) -> bool:
        """Whether it may be matched."""
        return not self.hints and not self.faults

    @property
    def probabilities(self) -> dict[str, float]:
        """What the network read, by name."""
        return {name: getattr(self.heads, name) for name in NAMES}


class QualityCheck:
    """Assesses faces; keeps nothing of them."""

    def __init__(self, models: Manifest) -> None:
        """Load the network; raises ModelError."""
        self._entry = models.quality
        self._heads = FaceHeads(models.heads)

    def assess(self, image: Image, face: Face, detections: Sequence[Detection] = ()) -> Quality:
        """Return the quality of a face in a BGR image.

        `detections` are the faces that count as present, this one among them: leave bystanders out.
        """
        height, width = image.shape[:2]
        box = Box.of(face.points)
        pose = head_pose(face.points)
        heads = self._heads.read(image, face.points)
        native = {
            **measures.light(image, face.points),
            **measures.shape(face.points, pose, width, height),
            "sharpness": measures.sharpness(image, face.points),
            "single_face_present": _rivalry(detections),
            "eyes_visible": heads.sunglasses,
            "mouth_occlusion_prevention": heads.mask,
            "no_head_coverings": heads.head_covering,
        }
        return Quality(
            box=box,
            native=native,
            components={
                name: component.value(native[name]) if name in native else None
                for name, component in COMPONENTS.items()
            },
            heads=heads,
            hints=needs.hints(box, width, height, native, self._heads.found(heads), self._entry.needs),
            faults=needs.faults(native, self._entry.needs),
            value=worth(native, face.presence, box.cut(width, height), heads, self._entry.worth),
        )

    def glimpse(self, image: Image, detection: Detection) -> tuple[Hint, ...]:
        """Return what somebody could do whose face was detected in a BGR image but gave no mesh."""
        height, width = image.shape[:2]
        seen = self._heads.found(self._heads.read(image, unmeshed.placed(detection.eyes)))
        eyes_px = float(np.hypot(*(detection.eyes[1] - detection.eyes[0])))
        return needs.hints_unmeshed(Box(*detection.box), width, height, eyes_px, seen, self._entry.needs)

    def wipe(self) -> None:
        """Overwrite what the last face left in the network."""
        self._heads.wipe()


def _rivalry(detections: Sequence[Detection]) -> float:
    """The root of the second face's area over the first one's; 0 when there is one."""
    areas = sorted((each.area for each in detections), reverse=True)
    return math.sqrt(areas[1] / areas[0]) if len(areas) > 1 and areas[0] > 0 else 0.0
