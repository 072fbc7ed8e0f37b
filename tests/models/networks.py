"""A dlib network of our own, small and written as dlib writes it; and dlib's arithmetic in plain numpy."""

from collections.abc import Callable, Iterator

import numpy as np
import numpy.typing as npt

from models.dlib_file import Layer, Network

Floats = npt.NDArray[np.float64]


def integer(value: int) -> bytes:
    size = max(1, (abs(value).bit_length() + 7) // 8)
    return bytes([size | (0x80 if value < 0 else 0)]) + abs(value).to_bytes(size, "little")


def integers(*values: int) -> bytes:
    return b"".join(integer(value) for value in values)


def real(value: float) -> bytes:
    mantissa, exponent = value, 0
    while mantissa != int(mantissa):
        mantissa, exponent = mantissa * 2, exponent - 1
    return integers(int(mantissa), exponent)


def name(text: str) -> bytes:
    return integer(len(text)) + text.encode()


def tensor(values: npt.NDArray[np.float32]) -> bytes:
    return integers(2, values.size, 1, 1, 1) + values.astype("<f4").tobytes()


EMPTY = integers(2, 0, 0, 0, 0)
ALIAS = integers(1, 1, 1, 1, 1)
TRAINED = b"000" + 3 * EMPTY  # flags, and the gradients that training left empty


def layer(of: Layer) -> bytes:
    write: Callable[[], bytes] = {
        "con_4": lambda: tensor(of.weights) + integers(*of.sizes) + 2 * ALIAS + 4 * real(1.0),
        "affine_": lambda: tensor(of.weights) + 2 * ALIAS + integers(*of.sizes),
        "max_pool_2": lambda: integers(*of.sizes),
        "avg_pool_2": lambda: integers(*of.sizes),
        "fc_2": lambda: integers(*of.sizes) + tensor(of.weights) + 2 * ALIAS + integer(1) + 4 * real(1.0),
        "relu_": lambda: b"",
        "add_prev_": lambda: b"",
    }[of.name]
    return name(of.name) + write() + TRAINED


def serialised(network: Network) -> bytes:
    """The file that dlib would write."""
    head = integer(1) + name("loss_metric_2") + real(0.25) + real(0.5)
    nested = integers(*[2] * len(network.layers), 3)
    first, *rest = network.layers
    image = name("input_rgb_image_sized") + b"".join(real(part) for part in network.mean_rgb)
    body = layer(first) + integer(1) + b"".join(layer(each) for each in rest)
    return head + nested + image + integers(*network.size) + body


def small(seed: int = 1) -> Network:
    """33 x 33 pixels to 5 numbers: a convolution, a pool, a plain block and one that halves and widens."""
    chance = np.random.default_rng(seed)

    def weights(count: int) -> npt.NDArray[np.float32]:
        return chance.normal(0, 0.3, count).astype(np.float32)

    def convolution(out: int, size: int, into: int, stride: int, padding: int) -> list[Layer]:
        sizes = (out, size, size, stride, stride, padding, padding)
        return [
            Layer(name="con_4", sizes=sizes, weights=weights(out * size * size * into + out)),
            Layer(name="affine_", sizes=(0,), weights=weights(2 * out) + 0.5),
        ]

    relu, add = Layer(name="relu_"), Layer(name="add_prev_")
    block = [*convolution(4, 3, 4, 1, 1), relu, *convolution(4, 3, 4, 1, 1), add, relu]
    halving = [
        *convolution(6, 3, 4, 2, 0),
        relu,
        *convolution(6, 3, 6, 1, 1),
        Layer(name="avg_pool_2", sizes=(2, 2, 2, 2, 0, 0)),
        add,
        relu,
    ]
    layers = [
        *convolution(4, 7, 3, 2, 0),
        relu,
        Layer(name="max_pool_2", sizes=(3, 3, 2, 2, 0, 0)),
        *block,
        *halving,
        Layer(name="avg_pool_2", sizes=(0, 0, 1, 1, 0, 0)),
        Layer(name="fc_2", sizes=(5, 6), weights=weights(30)),
    ]
    return Network(mean_rgb=(122.5, 117.25, 104.0), size=(33, 33), layers=tuple(layers))


def forward(network: Network, rgb: npt.NDArray[np.generic]) -> Floats:
    """What dlib computes for one image, with its weights as they are: nothing folded, nothing rounded."""
    layers = iter(network.layers)
    x: Floats = (rgb.astype(np.float64) - np.array(network.mean_rgb)) / 256
    x = np.maximum(_convolution(layers, next(layers), x), 0)
    assert next(layers).name == "relu_"
    x = _pool(next(layers), x).max((2, 3))
    for each in layers:
        if each.name != "con_4":
            break
        x = _residual(layers, each, x)
    last = next(layers)
    outputs, inputs = last.sizes
    embedding: Floats = x.mean((0, 1)) @ last.weights.astype(np.float64).reshape(inputs, outputs)
    return embedding


def _residual(layers: Iterator[Layer], first: Layer, x: Floats) -> Floats:
    """relu(branch + shortcut), the smaller of the two filled up with zeros."""
    branch = np.maximum(_convolution(layers, first, x), 0)
    assert next(layers).name == "relu_"
    branch = _convolution(layers, next(layers), branch)
    following = next(layers)
    if following.name == "avg_pool_2":
        x = _pool(following, x).mean((2, 3))
        following = next(layers)
    assert following.name == "add_prev_"
    assert next(layers).name == "relu_"
    total = np.zeros(np.maximum(x.shape, branch.shape))
    for part in (x, branch):
        total[: part.shape[0], : part.shape[1], : part.shape[2]] += part
    return np.maximum(total, 0)


def _convolution(layers: Iterator[Layer], of: Layer, x: Floats) -> Floats:
    """A convolution and the affine layer that follows it."""
    affine = next(layers)
    assert (of.name, affine.name) == ("con_4", "affine_")
    out, rows, columns, stride, _, padding, _ = of.sizes
    values = of.weights.astype(np.float64)
    kernel = values[:-out].reshape(out, x.shape[2], rows, columns)
    x = np.pad(x, ((padding, padding), (padding, padding), (0, 0)))
    filtered = (
        np.tensordot(_windows(x, rows, columns, stride), kernel, axes=((2, 3, 4), (1, 2, 3))) + values[-out:]
    )
    gain, offset = affine.weights.astype(np.float64).reshape(2, -1)
    result: Floats = filtered * gain + offset
    return result


def _pool(of: Layer, x: Floats) -> Floats:
    size, stride = of.sizes[0], of.sizes[2]
    return _windows(x, size, size, stride).transpose(0, 1, 3, 4, 2)


def _windows(x: Floats, rows: int, columns: int, stride: int) -> Floats:
    """Every window of (H, W, C), as (H', W', C, rows, columns)."""
    view = np.lib.stride_tricks.sliding_window_view
    windows: Floats = view(x, (rows, columns), axis=(0, 1))  # type: ignore[call-overload]  # numpy types no axes for a pair of windows
    return windows[::stride, ::stride]
