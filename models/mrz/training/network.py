"""The two networks as tables: what is trained in torch and what is written to a TFLite file agree by these.

All are convolutions with TensorFlow's SAME padding, batch normalisation (folded when written) and ReLU; the
last of a network has neither. A depthwise layer keeps its channels.
"""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Layer:
    """A convolution of `kernel` (rows, columns) with `stride` (down, across) to `channels` channels."""

    channels: int
    kernel: tuple[int, int]
    stride: tuple[int, int] = (1, 1)
    depthwise: bool = False


# 1 x 32 x 768 x 1 to 1 x 1 x 192 x 38
READER = (
    Layer(16, (3, 3), (2, 2)),
    Layer(32, (3, 3), (2, 1)),
    Layer(64, (3, 3), (2, 2)),
    Layer(112, (3, 3), (2, 1)),
    Layer(144, (2, 3), (2, 1)),
    Layer(144, (1, 7), depthwise=True),
    Layer(144, (1, 1)),
    Layer(144, (1, 7), depthwise=True),
    Layer(144, (1, 1)),
    Layer(144, (1, 5), depthwise=True),
    Layer(144, (1, 1)),
    Layer(38, (1, 1)),
)


@dataclass(frozen=True, slots=True)
class Pyramid:
    """The finder: down to a sixteenth, and up again, where each level is doubled, added to and refined.

    1 x 448 x 448 x 1 to 1 x 112 x 112 x 4, the logits of the two by two half-resolution cells in each place.
    """

    stem: tuple[Layer, ...] = (Layer(10, (3, 3), (2, 2)), Layer(24, (3, 3), (2, 2)))
    eighth: tuple[Layer, ...] = (Layer(40, (3, 3), (2, 2)), Layer(40, (3, 3)))
    sixteenth: tuple[Layer, ...] = (
        Layer(64, (3, 3), (2, 2)),
        Layer(64, (5, 5), depthwise=True),
        Layer(64, (1, 1)),
        Layer(64, (5, 5), depthwise=True),
        Layer(64, (1, 1)),
    )
    to_eighth: tuple[Layer, ...] = (Layer(40, (1, 1)),)
    at_eighth: tuple[Layer, ...] = (Layer(40, (3, 3)),)
    to_quarter: tuple[Layer, ...] = (Layer(24, (1, 1)),)
    at_quarter: tuple[Layer, ...] = (Layer(24, (3, 3)), Layer(24, (3, 3)), Layer(4, (1, 1)))


FINDER = Pyramid()
