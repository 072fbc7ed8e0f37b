"""One frame's evidence for a re-capture: whether a print or a screen is before the camera, not a face.

What gives a re-capture away lies at very different scales, so the head looks three ways at once:

- `context`: the face with its surroundings, scaled to one size: borders of sheets and tablets, gloss, the
  flat light on paper, colours that ink or a backlight cannot give;
- `texture`: the middle of the face at the camera's own resolution: halftone, grain, the grid of a screen;
- `spectrum`: how far each frequency of that texture stands out of its neighbours, for brightness and for
  red against blue. Moire too weak to be seen in any one place is one bright spot here.

The result is a probability that was calibrated on simulated re-captures, for as many re-captures as bona fide
presentations. One frame is one cue: it is to be fused with others, never to decide alone. A face that is too
small, or so blurred or dark that neither would show, gives no evidence, which is not 0.5 but nothing.
"""

import numpy as np

from models.face import Face
from models.liveness.looking import PLANES, SIDE, place, planes, sharpness
from models.schema import Recapture
from models.tflite import Floats, Image, TensorModel


class RecaptureHead:
    """The trained network with its calibration. Not for use from two threads at once."""

    def __init__(self, entry: Recapture) -> None:
        """Load the file of the manifest entry; raises ModelError."""
        self._entry = entry
        self._model = TensorModel(entry.file, entry.sha256, (1, SIDE, SIDE, PLANES), ((1, 1),))

    def read(self, image: Image, face: Face) -> float | None:
        """Return the probability of a re-capture, or None where the face is too small or blurred to tell."""
        centre, size = place(face.points)
        if not self._shows(image, centre, size):
            return None
        return self.probability(self.logit(planes(image, centre, size)))

    def logit(self, values: Floats) -> float:
        """Return what the network says of `planes`, not calibrated; above 0 for a re-capture."""
        return float(self._model.run(values[None])[0][0, 0])

    def probability(self, logit: float) -> float:
        """Calibrate a logit by the temperature of the manifest."""
        return float(1 / (1 + np.exp(-np.clip(logit / self._entry.temperature, -30, 30))))

    def wipe(self) -> None:
        """Overwrite what the last face left in the network."""
        self._model.wipe()

    def _shows(self, image: Image, centre: tuple[float, float], size: float) -> bool:
        if not np.isfinite((*centre, size)).all() or size < self._entry.min_face_px:
            return False
        return sharpness(image, centre, size) >= self._entry.min_sharpness
