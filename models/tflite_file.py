"""Writes TensorFlow Lite models, as much of the format as an embedder needs.

The flatbuffer classes are the ones that mediapipe's wheel carries; they are loaded from their file, since
importing mediapipe itself would ask for packages that nothing here uses. Weights are stored as float16
behind DEQUANTIZE, which the interpreter unfolds once when it allocates: half the file, the same speed.
The same calls give the same bytes.
"""

import importlib.util
from types import ModuleType
from typing import Any

import flatbuffers
import numpy as np
import numpy.typing as npt

from models.manifest import ModelError, locate

SCHEMA = "mediapipe:tasks/metadata/schema_py_generated.py"

Shape = tuple[int, ...]
Floats = npt.NDArray[Any]


def _schema() -> ModuleType:
    """Load the generated classes of the TFLite schema from their file."""
    path = locate(SCHEMA)
    spec = importlib.util.spec_from_file_location("tflite_schema", path)
    if spec is None or spec.loader is None or not path.is_file():
        raise ModelError(SCHEMA, "not in the installed package", "run `make install`")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


class Graph:
    """A model under construction. A tensor is named by its number; `shape` tells its extent (NHWC)."""

    def __init__(self) -> None:
        self._s: Any = _schema()
        self._buffers: list[Any] = [self._s.BufferT()]  # buffer 0 is empty by convention
        self._tensors: list[Any] = []
        self._operators: list[Any] = []
        self._codes: list[int] = []
        self._versions: list[int] = []

    def shape(self, tensor: int) -> Shape:
        """Extent of a tensor."""
        return tuple(self._tensors[tensor].shape)

    def input(self, shape: Shape, name: str) -> int:
        """A tensor that the caller of the model fills."""
        return self._tensor(shape, name)

    def convolution(
        self,
        x: int,
        weights: Floats,
        bias: Floats,
        *,
        stride: int | tuple[int, int],
        same: bool,
        relu: bool,
        depthwise: bool = False,
    ) -> int:
        """2-D convolution; `weights` are (out, rows, columns, in), or (1, rows, columns, channels) depthwise.

        `stride` is down and across, or one number for both.
        """
        s = self._s
        _, height, width, _ = self.shape(x)
        rows, columns = weights.shape[1:3]
        down, across = (stride, stride) if isinstance(stride, int) else stride
        if not same:
            height, width = height - rows + 1, width - columns + 1
        kind = "DepthwiseConv2DOptions" if depthwise else "Conv2DOptions"
        options = getattr(s, f"{kind}T")()
        options.padding = s.Padding.SAME if same else s.Padding.VALID
        options.strideH, options.strideW = down, across
        options.dilationHFactor = options.dilationWFactor = 1
        options.fusedActivationFunction = s.ActivationFunctionType.RELU if relu else 0
        if depthwise:
            options.depthMultiplier = 1
        inputs = [x, self._weights(weights), self._constant(bias.astype("<f4"))]
        shape = 1, -(-height // down), -(-width // across), weights.shape[3 if depthwise else 0]
        return self._operator("DEPTHWISE_CONV_2D" if depthwise else "CONV_2D", inputs, shape, kind, options)

    def doubled(self, x: int) -> int:
        """Twice the height and width, each place repeated."""
        options = self._s.ResizeNearestNeighborOptionsT()
        _, height, width, channels = self.shape(x)
        shape = 1, 2 * height, 2 * width, channels
        inputs = [x, self._constant(np.array(shape[1:3], "<i4"))]
        return self._operator(
            "RESIZE_NEAREST_NEIGHBOR", inputs, shape, "ResizeNearestNeighborOptions", options
        )

    def total(self, a: int, b: int) -> int:
        """The sum of two tensors of one shape."""
        return self._operator("ADD", [a, b], self.shape(a), "AddOptions", self._s.AddOptionsT())

    def pool(self, x: int, *, kind: str, size: int, stride: int) -> int:
        """Pooling without padding; `kind` is MAX or AVERAGE."""
        s = self._s
        _, height, width, channels = self.shape(x)
        options = s.Pool2DOptionsT()
        options.padding = s.Padding.VALID
        options.filterHeight = options.filterWidth = size
        options.strideH = options.strideW = stride
        shape = (1, (height - size) // stride + 1, (width - size) // stride + 1, channels)
        return self._operator(f"{kind}_POOL_2D", [x], shape, "Pool2DOptions", options)

    def padded(self, x: int, shape: Shape) -> int:
        """`x` with zeros behind it up to `shape`."""
        if self.shape(x) == shape:
            return x
        behind = np.array([(0, to - of) for of, to in zip(self.shape(x), shape, strict=True)], "<i4")
        inputs = [x, self._constant(behind)]
        return self._operator("PAD", inputs, shape, "PadOptions", self._s.PadOptionsT())

    def channels(self, x: int, first: int, count: int) -> int:
        """`count` channels of an image, from `first` on."""
        _, height, width, _ = self.shape(x)
        shape = 1, height, width, count
        bounds = [self._constant(np.array(of, "<i4")) for of in ((0, 0, 0, first), shape)]
        return self._operator("SLICE", [x, *bounds], shape, "SliceOptions", self._s.SliceOptionsT())

    def sum_relu(self, a: int, b: int) -> int:
        """max(0, a + b) for tensors of one shape."""
        options = self._s.AddOptionsT()
        options.fusedActivationFunction = self._s.ActivationFunctionType.RELU
        return self._operator("ADD", [a, b], self.shape(a), "AddOptions", options)

    def spatial_mean(self, x: int) -> int:
        """The mean over all places: (1, channels)."""
        options = self._s.ReducerOptionsT()
        options.keepDims = False
        inputs = [x, self._constant(np.array([1, 2], "<i4"))]
        return self._operator("MEAN", inputs, (1, self.shape(x)[3]), "ReducerOptions", options)

    def fully_connected(self, x: int, weights: Floats) -> int:
        """`weights` are (out, in); no bias."""
        options = self._s.FullyConnectedOptionsT()
        inputs = [x, self._weights(weights), -1]
        return self._operator(
            "FULLY_CONNECTED", inputs, (1, weights.shape[0]), "FullyConnectedOptions", options
        )

    def serialised(self, x: int, y: int, description: str) -> bytes:
        """The model from input `x` to output `y`."""
        s = self._s
        graph = s.SubGraphT()
        graph.name = "main"
        graph.tensors, graph.operators = self._tensors, self._operators
        graph.inputs, graph.outputs = [x], [y]
        model = s.ModelT()
        model.version = 3
        model.description = description
        model.operatorCodes = [
            self._code(code, version) for code, version in zip(self._codes, self._versions, strict=True)
        ]
        model.subgraphs = [graph]
        model.buffers = self._buffers
        builder = flatbuffers.Builder(1 << 24)
        builder.Finish(model.Pack(builder), b"TFL3")
        return bytes(builder.Output())

    def _code(self, code: int, version: int) -> Any:
        entry = self._s.OperatorCodeT()
        entry.builtinCode = entry.deprecatedBuiltinCode = code
        entry.version = version
        return entry

    def _tensor(self, shape: Shape, name: str, kind: int | None = None, data: Floats | None = None) -> int:
        tensor = self._s.TensorT()
        tensor.shape = list(shape)
        tensor.type = self._s.TensorType.FLOAT32 if kind is None else kind
        tensor.name = name
        tensor.buffer = 0
        if data is not None:
            buffer = self._s.BufferT()
            buffer.data = np.frombuffer(np.ascontiguousarray(data).tobytes(), np.uint8)
            self._buffers.append(buffer)
            tensor.buffer = len(self._buffers) - 1
        self._tensors.append(tensor)
        return len(self._tensors) - 1

    def _constant(self, data: Floats) -> int:
        kind = self._s.TensorType.INT32 if data.dtype.kind == "i" else self._s.TensorType.FLOAT32
        return self._tensor(data.shape, f"constant_{len(self._tensors)}", kind, data)

    def _weights(self, data: Floats) -> int:
        name = f"weights_{len(self._tensors)}"
        half = self._tensor(data.shape, name, self._s.TensorType.FLOAT16, data.astype("<f2"))
        options = self._s.DequantizeOptionsT()
        return self._operator("DEQUANTIZE", [half], data.shape, "DequantizeOptions", options, version=3)

    def _operator(
        self, code: str, inputs: list[int], shape: Shape, kind: str, options: Any, *, version: int = 1
    ) -> int:
        number = getattr(self._s.BuiltinOperator, code)
        if number not in self._codes:
            self._codes.append(number)
            self._versions.append(version)
        operator = self._s.OperatorT()
        operator.opcodeIndex = self._codes.index(number)
        output = self._tensor(shape, f"{code.lower()}_{len(self._operators)}")
        operator.inputs, operator.outputs = inputs, [output]
        operator.builtinOptionsType = getattr(self._s.BuiltinOptions, kind)
        operator.builtinOptions = options
        self._operators.append(operator)
        return output
