"""`python -m models.build`: writes the model files that are built rather than installed.

The default embedder is dlib's face recognition ResNet (weights CC0), converted to TFLite with numpy: each
affine layer is folded into the convolution before it, and the input's mean and scale into the first. What
comes out must have the hash that the manifest names, or it is not kept.
"""

import hashlib
import itertools
import os
import sys
import time
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from models import dlib_file
from models.manifest import ModelError, load, locate, read
from models.schema import BuiltFrom, Embedder
from models.tflite_file import Graph

if TYPE_CHECKING:
    from collections.abc import Iterator

Floats = npt.NDArray[np.float64]

REINSTALL = "run `make install` again"
_SCALE = 256.0  # dlib's input layer: (pixel - mean) / 256


def main() -> int:
    """Build what is missing or wrong; say what was done. Exit status 1 when something cannot be built."""
    try:
        for name, entry in load().embedders.items():
            if entry.built_from is not None:
                print(f"models: {name}: {_build(name, entry, entry.built_from)}")
    except ModelError as error:
        print(f"models: {error}", file=sys.stderr)
        return 1
    return 0


def convert(weights: bytes) -> bytes:
    """Turn dlib's serialised ResNet into a TFLite model: 150 x 150 RGB of 0..255 to 128 numbers.

    Raises ModelError for any other network.
    """
    network = dlib_file.parse(weights)
    try:
        with np.errstate(over="raise", invalid="raise"):  # a weight that float16 cannot hold
            return _Converter(network).converted()
    except (ArithmeticError, LookupError, ValueError) as error:
        raise ModelError("dlib weights", "layers that cannot be converted", REINSTALL) from error


def _build(name: str, entry: Embedder, source: BuiltFrom) -> str:
    """Make one model file and return what was done."""
    target = locate(entry.file)
    if target.is_file() and hashlib.sha256(target.read_bytes()).hexdigest() == entry.sha256:
        return f"up to date ({entry.file})"
    started = time.monotonic()
    body = convert(read(source.file, source.sha256))
    digest = hashlib.sha256(body).hexdigest()
    if digest != entry.sha256:
        raise ModelError(
            name,
            f"the conversion gave SHA-256 {digest}, the manifest says {entry.sha256}",
            "use the versions of numpy and flatbuffers in constraints.txt",
        )
    target.parent.mkdir(parents=True, exist_ok=True)
    temporary = target.with_suffix(f".{os.getpid()}")
    temporary.write_bytes(body)
    temporary.replace(target)
    return f"built {entry.file}, {len(body) / 1e6:.1f} MB in {time.monotonic() - started:.1f} s"


class _Converter:
    """Walks the layers once. The file lists them in order; the shape of a residual block is the network's."""

    def __init__(self, network: dlib_file.Network) -> None:
        self._graph = Graph()
        self._mean = np.array(network.mean_rgb)
        self._size = network.size
        self._layers: Iterator[dlib_file.Layer] = iter(network.layers)

    def converted(self) -> bytes:
        rows, columns = self._size
        image = self._graph.input((1, rows, columns, 3), "image_rgb_0_255")
        x = self._convolution(image, self._next("con_4"), relu=True, first=True)
        self._next("relu_")
        pool = self._next("max_pool_2")
        x = self._graph.pool(x, kind="MAX", size=pool.sizes[0], stride=pool.sizes[2])
        for layer in self._layers:
            if layer.name == "con_4":
                x = self._block(x, layer)
                continue
            if layer.name != "avg_pool_2" or layer.sizes[0] != 0:  # size 0 means everything
                raise _unexpected(layer)
            break
        last = self._next("fc_2")
        outputs, inputs = last.sizes
        weights = last.weights.reshape(inputs, outputs).T
        y = self._graph.fully_connected(self._graph.spatial_mean(x), weights)
        return self._graph.serialised(image, y, "dlib_face_recognition_resnet_model_v1 (CC0)")

    def _block(self, x: int, first: dlib_file.Layer) -> int:
        """A residual block: two convolutions, beside them a shortcut that halves where they do."""
        y = self._convolution(x, first, relu=True)
        self._next("relu_")
        y = self._convolution(y, self._next("con_4"), relu=False)
        layer = next(self._layers)
        if layer.name == "avg_pool_2":
            x = self._graph.pool(x, kind="AVERAGE", size=layer.sizes[0], stride=layer.sizes[2])
            layer = self._next("add_prev_")
        if layer.name != "add_prev_":
            raise _unexpected(layer)
        self._next("relu_")
        # dlib adds tensors of different extent as if the smaller had zeros behind it
        shapes = zip(self._graph.shape(x), self._graph.shape(y), strict=True)
        larger = tuple(itertools.starmap(max, shapes))
        return self._graph.sum_relu(self._graph.padded(y, larger), self._graph.padded(x, larger))

    def _convolution(self, x: int, layer: dlib_file.Layer, *, relu: bool, first: bool = False) -> int:
        """A convolution with the affine layer behind it folded in: w' = g w, b' = g b + c."""
        out, rows, columns, stride, *_, padding = layer.sizes
        affine = self._next("affine_").weights.astype(np.float64)
        channels = self._graph.shape(x)[3]
        values = layer.weights.astype(np.float64)
        weights: Floats = values[: out * channels * rows * columns].reshape(out, channels, rows, columns)
        gain, offset = affine[:out], affine[out:]
        weights = weights * gain[:, None, None, None]
        bias = values[weights.size :] * gain + offset
        if first:
            weights = weights / _SCALE
            bias = bias - np.einsum("ockl,c->o", weights, self._mean)
        return self._graph.convolution(
            x, weights.transpose(0, 2, 3, 1), bias, stride=stride, same=padding > 0, relu=relu
        )

    def _next(self, name: str) -> dlib_file.Layer:
        layer = next(self._layers)  # there is one: every file ends with fc_2, which nothing skips
        if layer.name != name:
            raise _unexpected(layer)
        return layer


def _unexpected(layer: dlib_file.Layer) -> ModelError:
    return ModelError("dlib weights", f"layer {layer.name} out of place", REINSTALL)


if __name__ == "__main__":
    sys.exit(main())
