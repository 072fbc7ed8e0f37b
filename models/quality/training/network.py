"""The network as a table: what is trained in torch and what is written to a TFLite file agree by this.

All are convolutions with TensorFlow's SAME padding, batch normalisation (folded when written) and ReLU. A
depthwise layer keeps its channels. `SHARED` ends in a map of 7 x 6 places; the last three layers weigh its
places for each channel apart and give the four logits.
"""

from dataclasses import dataclass

from models.quality.training.faces import HEADS


@dataclass(frozen=True, slots=True)
class Layer:
    """A square convolution; `add` names how many layers back the input lies that is added to the output."""

    channels: int
    kernel: int
    stride: int = 1
    depthwise: bool = False
    add: int = 0


def _block(channels: int, out: int, stride: int = 1, kernel: int = 3) -> tuple[Layer, Layer]:
    """Depthwise, then pointwise; with a shortcut where the shapes allow."""
    add = 2 if stride == 1 and channels == out else 0
    return Layer(channels, kernel, stride, depthwise=True), Layer(out, 1, add=add)


SHARED = (
    Layer(24, 3, 2),  # 56 x 48
    *_block(24, 40),
    *_block(40, 56, 2),  # 28 x 24
    *_block(56, 56),
    *_block(56, 56),
    *_block(56, 112, 2),  # 14 x 12
    *_block(112, 112),
    *_block(112, 112),
    *_block(112, 112),
    *_block(112, 192, 2),  # 7 x 6
    *_block(192, 192),
    *_block(192, 192),
)
PLACES = (7, 6)
POOLED = 192
HIDDEN = 64
LOGITS = len(HEADS)
