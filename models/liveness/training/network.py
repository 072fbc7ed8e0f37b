"""The network as tables: three stacks of convolutions, one for each look, whose features are added.

What is trained in torch and what is written to a TFLite file agree by these. All are convolutions with
TensorFlow's SAME padding, batch normalisation (folded when written) and ReLU; the last of a stack has neither
and makes FEATURES, of which the mean over all places is taken (for the spectrum, the maximum: one bright spot
is enough). The sum of the three, through ReLU, is weighed into one number.
"""

from dataclasses import dataclass

from models.mrz.training.network import Layer

FEATURES = 32


@dataclass(frozen=True, slots=True)
class Looks:
    """One stack a look. 1 x 128 x 128 x 3, 3 and 1 to 1 x 8 x 8 x FEATURES, 16 x 16 for the spectrum."""

    context: tuple[Layer, ...] = (
        Layer(16, (3, 3), (2, 2)),
        Layer(16, (3, 3), (2, 2), depthwise=True),
        Layer(48, (1, 1)),
        Layer(48, (3, 3), (2, 2), depthwise=True),
        Layer(64, (1, 1)),
        Layer(64, (3, 3), depthwise=True),
        Layer(96, (1, 1)),
        Layer(96, (3, 3), (2, 2), depthwise=True),
        Layer(128, (1, 1)),
        Layer(128, (3, 3), depthwise=True),
        Layer(128, (1, 1)),
        Layer(FEATURES, (1, 1)),
    )
    texture: tuple[Layer, ...] = (
        Layer(20, (5, 5), (2, 2)),
        Layer(40, (3, 3), (2, 2)),
        Layer(40, (3, 3), (2, 2), depthwise=True),
        Layer(80, (1, 1)),
        Layer(80, (3, 3), depthwise=True),
        Layer(96, (1, 1)),
        Layer(96, (3, 3), (2, 2), depthwise=True),
        Layer(128, (1, 1)),
        Layer(FEATURES, (1, 1)),
    )
    spectrum: tuple[Layer, ...] = (
        Layer(8, (3, 3)),
        Layer(16, (3, 3), (2, 2)),
        Layer(32, (3, 3), (2, 2)),
        Layer(48, (3, 3), (2, 2)),
        Layer(FEATURES, (1, 1)),
    )


LOOKS = Looks()
