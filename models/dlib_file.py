"""Reads the weights of dlib's face recognition network from dlib's own serialisation.

An integer is a control byte (sign in bit 7, length in the low four bits) and that many bytes, little
endian; a float is two integers, mantissa and binary exponent; a string is its length and its bytes; a
tensor is its version, four dimensions and raw float32. The file is a run of version numbers (one for each
nested layer), the input layer, and then every layer from the image to the embedding: its name, its own
fields, three flags and three tensors that training left empty. Every byte is accounted for.
"""

import math
from dataclasses import dataclass, field
from typing import Final

import numpy as np
import numpy.typing as npt

from models.manifest import ModelError

Floats = npt.NDArray[np.float32]

MAX_NAME = 64
MAX_ELEMENTS = 8_000_000
MAX_NESTING = 1000
_INPUT_VERSION = 3

_POOLS = ("max_pool_2", "avg_pool_2")
_BARE = ("relu_", "add_prev_")


@dataclass(frozen=True, kw_only=True)
class Layer:
    """One layer: its name in the file, its integer fields in file order, its weights."""

    name: str
    sizes: tuple[int, ...] = ()
    weights: Floats = field(default_factory=lambda: np.zeros(0, np.float32))


@dataclass(frozen=True, kw_only=True)
class Network:
    """The input layer's mean colour and size (rows, columns), and the layers from image to embedding."""

    mean_rgb: tuple[float, float, float]
    size: tuple[int, int]
    layers: tuple[Layer, ...]


def parse(data: bytes) -> Network:
    """Read the whole file. Raises ModelError for anything that is not this network's format."""
    reader = _Reader(data)
    try:
        network = _network(reader)
    except ValueError as error:  # a name that is not ASCII
        raise reader.fault("cut short or damaged") from error
    if reader.position != len(data):
        raise reader.fault("bytes after the last layer")
    return network


class _Reader:
    """A place in the file, and dlib's basic types from there on."""

    def __init__(self, data: bytes) -> None:
        self._data: Final = data
        self.position = 0

    def fault(self, what: str) -> ModelError:
        return ModelError("dlib weights", f"{what} at byte {self.position}", "run `make install` again")

    def take(self, length: int) -> bytes:
        chunk = self._data[self.position : self.position + length]
        if len(chunk) != length:
            raise self.fault("cut short")
        self.position += length
        return chunk

    def integer(self) -> int:
        control = self.take(1)[0]
        length = control & 0x0F
        if control & 0x70 or not 1 <= length <= 8:
            raise self.fault("not an integer")
        value = int.from_bytes(self.take(length), "little")
        return -value if control & 0x80 else value

    def integers(self, count: int) -> tuple[int, ...]:
        return tuple(self.integer() for _ in range(count))

    def real(self) -> float:
        mantissa, exponent = self.integers(2)
        if abs(exponent) > 1000 or not math.isfinite(value := mantissa * 2.0**exponent):
            raise self.fault("not a finite number")
        return value

    def reals(self, count: int) -> tuple[float, ...]:
        return tuple(self.real() for _ in range(count))

    def name(self) -> str:
        length = self.integer()
        if not 1 <= length <= MAX_NAME:
            raise self.fault("not a layer's name")
        return self.take(length).decode("ascii")

    def tensor(self) -> Floats:
        self.expect(2, "tensor version")
        elements = 1
        for extent in self.integers(4):
            elements *= extent
        if not 0 <= elements <= MAX_ELEMENTS:
            raise self.fault("tensor too large")
        values = np.frombuffer(self.take(4 * elements), "<f4")
        if not np.isfinite(values).all():
            raise self.fault("weights that are not numbers")
        return values

    def alias(self) -> None:
        """A view into the parameters: version and four dimensions that the layer's fields imply."""
        self.expect(1, "alias version")
        self.integers(4)

    def expect(self, value: int, what: str) -> None:
        if self.integer() != value:
            raise self.fault(f"unknown {what}")


def _network(reader: _Reader) -> Network:
    reader.expect(1, "file version")
    if reader.name() != "loss_metric_2":
        raise reader.fault("not a metric-learning network")
    reader.reals(2)  # margin and distance of the loss
    nesting = 0
    while reader.integer() != _INPUT_VERSION:
        nesting += 1
        if nesting > MAX_NESTING:
            raise reader.fault("no input layer")
    if reader.name() != "input_rgb_image_sized":
        raise reader.fault("unknown input layer")
    red, green, blue = reader.reals(3)
    rows, columns = reader.integers(2)
    layers = [_layer(reader)]
    reader.expect(1, "sample expansion")  # stands only behind the layer next to the input
    while layers[-1].name != "fc_2":
        layers.append(_layer(reader))
    return Network(mean_rgb=(red, green, blue), size=(rows, columns), layers=tuple(layers))


def _layer(reader: _Reader) -> Layer:
    """One layer and the remains of its training."""
    name = reader.name()
    if name == "con_4":
        layer = _convolution(reader, name)
    elif name == "affine_":
        weights = reader.tensor()
        reader.alias()
        reader.alias()
        layer = Layer(name=name, sizes=reader.integers(1), weights=weights)
    elif name in _POOLS:
        layer = Layer(name=name, sizes=reader.integers(6))
    elif name == "fc_2":
        layer = _fully_connected(reader, name)
    elif name in _BARE:
        layer = Layer(name=name)
    else:
        raise reader.fault("unknown layer")
    if not set(reader.take(3)) <= set(b"01"):
        raise reader.fault("layer without its flags")
    for _ in range(3):
        if reader.tensor().size:
            raise reader.fault("gradients in a finished network")
    return layer


def _convolution(reader: _Reader, name: str) -> Layer:
    """Sizes: filters, rows, columns, stride y, stride x, padding y, padding x."""
    weights = reader.tensor()
    sizes = reader.integers(7)
    reader.alias()
    reader.alias()
    reader.reals(4)  # learning rate and weight decay multipliers
    return Layer(name=name, sizes=sizes, weights=weights)


def _fully_connected(reader: _Reader, name: str) -> Layer:
    """Sizes: outputs, inputs."""
    sizes = reader.integers(2)
    weights = reader.tensor()
    reader.alias()
    reader.alias()
    reader.integer()  # bias mode: this network has none
    reader.reals(4)
    return Layer(name=name, sizes=sizes, weights=weights)
