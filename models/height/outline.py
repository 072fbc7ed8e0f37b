"""Tells a person from what is behind them: MediaPipe's selfie segmentation.

The last operator but one of the network is MediaPipe's own, a transposed convolution of 2 x 2 that do not
overlap. TFLite knows no such operator, so the graph is cut before it, in memory and after its hash was
checked, and the convolution is done here: each cell of features gives four pixels by one multiplication of
matrices.
"""

from typing import Final

import cv2
import numpy as np
import numpy.typing as npt
from flatbuffers import encode, packer
from flatbuffers.table import Table
from tflite_runtime.interpreter import Interpreter

from models.manifest import ModelError, read
from models.schema import Entry
from models.tflite import Floats, Image

Points = npt.NDArray[np.float64]

_TAIL: Final = 2  # operators behind the cut: the convolution and its logistic function
_SUBGRAPHS, _OUTPUTS, _OPERATORS, _INPUTS_OF, _OUTPUTS_OF = (4 + 2 * field for field in (2, 2, 3, 1, 2))


class Outline:
    """One of the networks. Not for use from two threads at once."""

    def __init__(self, entry: Entry) -> None:
        """Load the file of the manifest entry; raises ModelError unless it is the network that it says."""
        body = bytearray(read(entry.file, entry.sha256))
        try:
            features, weights, bias = _cut(body)
            self._interpreter = Interpreter(model_content=bytes(body), num_threads=1)
            self._interpreter.allocate_tensors()
            self._interpreter.invoke()
            kernel = self._interpreter.get_tensor(weights).astype(np.float32)
            self._bias = float(self._interpreter.get_tensor(bias)[0])
        except (ValueError, RuntimeError, IndexError) as error:
            raise ModelError(
                entry.file, "TFLite cannot run it", "restore the file of the manifest"
            ) from error
        self._kernel = kernel.reshape(4, -1).T
        given = self._interpreter.get_input_details()[0]
        self.width, self.height = entry.input.width, entry.input.height
        shapes = (tuple(given["shape"]), tuple(self._interpreter.get_tensor(features).shape))
        if shapes != ((1, self.height, self.width, 3), entry.outputs[0]):
            raise ModelError(entry.file, "its shapes are not the manifest's", "correct the entry")
        self._input, self._features = given["index"], features

    def read(self, image: Image, to_image: Points, *, mirrored: bool = False) -> Floats:
        """Probability (height, width) that a person is there, for a part of a BGR image.

        `to_image` (2, 3) takes pixels of the answer to pixels of the image, and so says which part. Beyond
        the image its edge goes on, or its mirror image.
        """
        flags = cv2.WARP_INVERSE_MAP | cv2.INTER_LINEAR
        size = (self.width, self.height)
        border = cv2.BORDER_REFLECT_101 if mirrored else cv2.BORDER_REPLICATE
        part = cv2.warpAffine(image, to_image, size, flags=flags, borderMode=border)
        values = cv2.cvtColor(part, cv2.COLOR_BGR2RGB).astype(np.float32)
        values /= 255
        self._interpreter.set_tensor(self._input, values[None])
        self._interpreter.invoke()
        features = self._interpreter.get_tensor(self._features)[0]
        rows, columns = features.shape[:2]
        logits = (features.reshape(rows * columns, -1) @ self._kernel + self._bias).reshape(
            rows, columns, 2, 2
        )
        pixels = logits.transpose(0, 2, 1, 3).reshape(2 * rows, 2 * columns)
        return np.asarray(1 / (1 + np.exp(-np.clip(pixels, -30, 30))), np.float32)

    def wipe(self) -> None:
        """Overwrite what the last image left."""
        self._interpreter.set_tensor(self._input, np.zeros((1, self.height, self.width, 3), np.float32))
        self._interpreter.invoke()


def _cut(model: bytearray) -> tuple[int, int, int]:
    """End the graph before its last operators; the numbers of the tensors of features, weights and bias."""
    root = Table(model, encode.Get(packer.uoffset, model, 0))
    graph = Table(model, root.Indirect(root.Vector(root.Offset(_SUBGRAPHS))))
    operators = graph.Offset(_OPERATORS)
    count, first = graph.VectorLen(operators), graph.Vector(operators)

    def tensors(number: int, field: int) -> list[int]:
        operator = Table(model, graph.Indirect(first + 4 * number))
        start, length = operator.Vector(operator.Offset(field)), operator.VectorLen(operator.Offset(field))
        return [encode.Get(packer.int32, model, start + 4 * i) for i in range(length)]

    # weights and bias are stored as float16, and widened by an operator each
    widened = {tensors(n, _OUTPUTS_OF)[0]: tensors(n, _INPUTS_OF)[0] for n in range(count - _TAIL)}
    features, weights, bias = tensors(count - _TAIL, _INPUTS_OF)
    encode.Write(packer.uoffset, model, first - 4, count - _TAIL)
    encode.Write(packer.int32, model, graph.Vector(graph.Offset(_OUTPUTS)), features)
    return features, widened[weights], widened[bias]
