"""Runs one TFLite model on one image, on one thread.

One thread, because the gate has few cores and wants an even pace: on a busy two-core machine a second thread
raised the 95th percentile of `Invoke` from a few milliseconds to seconds. `Invoke` releases the GIL.

Once in a process, and whatever it is told, the runtime says on standard error that it made its delegate. That
one line is dropped; everything else that is written meanwhile is passed on.
"""

import os
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import Final

import cv2
import numpy as np
import numpy.typing as npt
from tflite_runtime.interpreter import Interpreter

from models.manifest import ModelError, read
from models.schema import Entry

Image = npt.NDArray[np.uint8]
Floats = npt.NDArray[np.float32]

_STDERR: Final = 2  # native code knows the number only
_NOISE: Final = b"INFO: Created TensorFlow Lite XNNPACK delegate for CPU.\n"
_making = threading.Lock()


@contextmanager
def _without_noise() -> Iterator[None]:
    """Hold standard error back, and pass on all but the noise; without one, do nothing."""
    if sys.stderr is not None:
        sys.stderr.flush()
    try:
        terminal = os.dup(_STDERR)
    except OSError:
        yield
        return
    with os.fdopen(os.memfd_create("errors"), "r+b") as held:
        os.dup2(held.fileno(), _STDERR)
        try:
            yield
        finally:
            os.dup2(terminal, _STDERR)
            os.close(terminal)
            held.seek(0)
            said = held.read().replace(_NOISE, b"")
            with suppress(OSError):  # nobody listens: no reason not to load a model
                while said:
                    said = said[os.write(_STDERR, said) :]


def interpreter(body: bytes) -> Interpreter:
    """Make the runtime of a model, with its tensors, on one thread. Raises ValueError or RuntimeError."""
    made = Interpreter(model_content=body, num_threads=1)
    with _making, _without_noise():
        made.allocate_tensors()
    return made


class TensorModel:
    """A model with one input of fixed shape. Not for use from two threads at once."""

    def __init__(
        self, file: str, sha256: str, shape: tuple[int, ...], outputs: tuple[tuple[int, ...], ...]
    ) -> None:
        """Load a file of the manifest; raises ModelError unless hash and shapes are as given."""
        body = read(file, sha256)
        if body[4:8] != b"TFL3" or int.from_bytes(body[:4], "little") >= len(body):
            # without a verifier, the runtime would follow offsets out of the file
            raise ModelError(file, "not a TFLite file", "correct `file` and `sha256` of the entry")
        try:
            self._interpreter = interpreter(body)
        except (ValueError, RuntimeError) as error:
            raise ModelError(file, "TFLite cannot run it", "bring a model of built-in operators") from error
        given = self._interpreter.get_input_details()
        made = self._interpreter.get_output_details()
        if [tuple(i["shape"]) for i in given] != [shape] or given[0]["dtype"] is not np.float32:
            raise ModelError(file, "its input is not the manifest's", "correct the entry")
        if tuple(tuple(int(n) for n in o["shape"]) for o in made) != outputs:
            raise ModelError(file, "its outputs are not the manifest's", "correct the entry")
        self.file = file
        self.shape = shape
        self._input = given[0]["index"]
        self._outputs = tuple(o["index"] for o in made)
        self._holds = False

    def run(self, values: Floats) -> tuple[Floats, ...]:
        """Return the outputs for values of exactly the model's shape."""
        if values.shape != self.shape:
            raise ValueError(f"{self.file}: values of {values.shape} for an input of {self.shape}")
        self._holds = True
        self._interpreter.set_tensor(self._input, values)
        self._interpreter.invoke()
        return tuple(self._interpreter.get_tensor(index) for index in self._outputs)

    def wipe(self) -> None:
        """Overwrite what the last run left in the input and the outputs; at no cost where none did."""
        if self._holds:
            self._interpreter.set_tensor(self._input, np.zeros(self.shape, np.float32))
            self._interpreter.invoke()
            self._holds = False


class ImageModel:
    """A model with one colour image as input. Not for use from two threads at once."""

    def __init__(self, entry: Entry) -> None:
        """Load the file of the manifest entry; raises ModelError unless hash and shapes are as it says."""
        self.entry = entry
        shape = (1, entry.input.height, entry.input.width, 3)
        self._model = TensorModel(entry.file, entry.sha256, shape, entry.outputs)
        std = np.array(entry.input.std, np.float32)
        # one value for each colour of a whole line: numpy is slow on an innermost axis of three
        self._gain = np.tile(1 / std, entry.input.width)
        self._offset = np.tile(-np.array(entry.input.mean, np.float32) / std, entry.input.width)

    def run(self, image: Image) -> tuple[Floats, ...]:
        """Return the outputs for a BGR image of exactly the model's size."""
        if (1, *image.shape) != self._model.shape:
            raise ValueError(f"{self.entry.file}: image of {image.shape} for an input of {self._model.shape}")
        pixels = cv2.cvtColor(image, cv2.COLOR_BGR2RGB) if self.entry.input.colour == "rgb" else image
        values: Floats = np.multiply(pixels.reshape(len(pixels), -1), self._gain, dtype=np.float32)
        values += self._offset
        return self._model.run(values.reshape(self._model.shape))

    def wipe(self) -> None:
        """Overwrite what the last image left in the input and the outputs."""
        self._model.wipe()
