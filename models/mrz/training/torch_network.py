"""The tables of `network` as torch modules, and back to plain arrays."""

from collections.abc import Sequence
from typing import Any

import numpy as np
import torch
from torch import nn

from models.mrz.training.network import Layer, Pyramid


class Same(nn.Module):  # type: ignore[misc]  # torch is not installed where types are checked
    """Pads as TensorFlow's SAME does for extents that the stride divides: the odd pixel goes behind."""

    def __init__(self, kernel: tuple[int, int], stride: tuple[int, int]) -> None:
        super().__init__()
        rows, columns = (max(k - s, 0) for k, s in zip(kernel, stride, strict=True))
        self._pads = (columns // 2, columns - columns // 2, rows // 2, rows - rows // 2)

    def forward(self, x: Any) -> Any:
        """Pad."""
        return nn.functional.pad(x, self._pads)


def convolution(layer: Layer, channels: int, *, last: bool = False) -> nn.Sequential:
    """One row of the table."""
    parts: list[nn.Module] = [
        Same(layer.kernel, layer.stride),
        nn.Conv2d(
            channels,
            layer.channels,
            layer.kernel,
            layer.stride,
            groups=channels if layer.depthwise else 1,
            bias=last,
        ),
    ]
    if not last:
        parts += [nn.BatchNorm2d(layer.channels), nn.ReLU()]
    return nn.Sequential(*parts)


def build(table: Sequence[Layer], channels: int) -> nn.Sequential:
    """The layers one after the other."""
    rows = []
    for layer in table:
        rows.append(convolution(layer, channels, last=layer is table[-1]))
        channels = layer.channels
    return nn.Sequential(*rows)


class Finder(nn.Module):  # type: ignore[misc]  # as above
    """A Pyramid. The order in which the parts are named is the order in which `folded` numbers them."""

    def __init__(self, table: Pyramid) -> None:
        super().__init__()
        channels = 1
        for name in ("stem", "eighth", "sixteenth", "to_eighth", "at_eighth", "to_quarter", "at_quarter"):
            rows = []
            layers = getattr(table, name)
            for number, layer in enumerate(layers):
                last = name == "at_quarter" and number == len(layers) - 1
                rows.append(convolution(layer, channels, last=last))
                channels = layer.channels
            setattr(self, name, nn.Sequential(*rows))

    def forward(self, x: Any) -> Any:
        """Return the logits at a quarter of the size, four to a place."""
        quarter = self.stem(x)
        eighth = self.eighth(quarter)
        up = self.to_eighth(self.sixteenth(eighth))
        eighth = self.at_eighth(eighth + nn.functional.interpolate(up, scale_factor=2, mode="nearest"))
        up = self.to_quarter(eighth)
        return self.at_quarter(quarter + nn.functional.interpolate(up, scale_factor=2, mode="nearest"))


def folded(network: nn.Module) -> dict[str, Any]:
    """`weights_N` (out, in, rows, columns) and `bias_N` of the N-th convolution."""
    network.eval()
    arrays = {}
    rows = [m for m in network.modules() if isinstance(m, nn.Sequential) and isinstance(m[0], Same)]
    with torch.no_grad():
        for number, row in enumerate(rows):
            kernel: Any = row[1]
            weights = kernel.weight.double()
            bias = kernel.bias.double() if kernel.bias is not None else torch.zeros(len(weights)).double()
            if len(row) > 2:
                norm: Any = row[2]
                gain = norm.weight.double() / torch.sqrt(norm.running_var.double() + norm.eps)
                weights = weights * gain[:, None, None, None]
                bias = (bias - norm.running_mean.double()) * gain + norm.bias.double()
            arrays[f"weights_{number}"] = weights.numpy().astype(np.float32)
            arrays[f"bias_{number}"] = bias.numpy().astype(np.float32)
    return arrays
