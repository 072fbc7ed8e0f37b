"""Runs one TFLite model on one image, on one thread.

One thread, because the gate has few cores and wants an even pace: on a busy two-core machine a second thread
raised the 95th percentile of `Invoke` from a few milliseconds to seconds. `Invoke` releases the GIL.
"""

import numpy as np
import numpy.typing as npt
from tflite_runtime.interpreter import Interpreter

from models.manifest import Entry, ModelError, read

Image = npt.NDArray[np.uint8]
Floats = npt.NDArray[np.float32]


class ImageModel:
    """A model with one image as input. Not for use from two threads at once."""

    def __init__(self, entry: Entry) -> None:
        """Load the file of the manifest entry; raises ModelError unless hash and shapes are as it says."""
        self.entry = entry
        body = read(entry.file, entry.sha256)
        if body[4:8] != b"TFL3" or int.from_bytes(body[:4], "little") >= len(body):
            # without a verifier, the runtime would follow offsets out of the file
            raise ModelError(entry.file, "not a TFLite file", "correct `file` and `sha256` of the entry")
        try:
            self._interpreter = Interpreter(model_content=body, num_threads=1)
            self._interpreter.allocate_tensors()
        except (ValueError, RuntimeError) as error:
            raise ModelError(
                entry.file, "TFLite cannot run it", "bring a model of built-in operators"
            ) from error
        inputs = self._interpreter.get_input_details()
        outputs = self._interpreter.get_output_details()
        self._shape = (1, entry.input.height, entry.input.width, 3)
        if [tuple(i["shape"]) for i in inputs] != [self._shape] or inputs[0]["dtype"] is not np.float32:
            raise ModelError(entry.file, "its input is not the manifest's", "correct the entry")
        if tuple(tuple(int(n) for n in o["shape"]) for o in outputs) != entry.outputs:
            raise ModelError(entry.file, "its outputs are not the manifest's", "correct the entry")
        self._input = inputs[0]["index"]
        self._outputs = tuple(o["index"] for o in outputs)
        std = np.array(entry.input.std, np.float32)
        self._gain = 1 / std
        self._offset = -np.array(entry.input.mean, np.float32) / std

    def run(self, image: Image) -> tuple[Floats, ...]:
        """Return the outputs for a BGR image of exactly the model's size."""
        if (1, *image.shape) != self._shape:
            raise ValueError(f"{self.entry.file}: image of {image.shape} for an input of {self._shape}")
        pixels = image[:, :, ::-1] if self.entry.input.colour == "rgb" else image
        values = pixels.astype(np.float32)
        values *= self._gain
        values += self._offset
        self._interpreter.set_tensor(self._input, values[None])
        self._interpreter.invoke()
        return tuple(self._interpreter.get_tensor(index) for index in self._outputs)

    def wipe(self) -> None:
        """Overwrite what the last image left in the input and the outputs."""
        self._interpreter.set_tensor(self._input, np.zeros(self._shape, np.float32))
        self._interpreter.invoke()
