"""The table of `network` as a torch module, and back to plain arrays."""

from collections.abc import Sequence
from typing import Any

import numpy as np
import torch
from torch import nn

from models.quality.training.network import HIDDEN, LOGITS, PLACES, POOLED, SHARED, Layer


class Heads(nn.Module):  # type: ignore[misc]  # torch is not installed where types are checked
    """Chips as (N, 3, HEIGHT, WIDTH), about -1 to 1, to (N, 4) logits."""

    def __init__(self, table: Sequence[Layer] = SHARED, dropout: float = 0.2) -> None:
        super().__init__()
        self._table = table
        rows, channels = [], 3
        for layer in table:
            rows.append(_row(layer, channels))
            channels = layer.channels
        self.shared = nn.ModuleList(rows)
        self.pool = _convolved(channels, POOLED, PLACES, groups=channels)
        self.hidden = _convolved(POOLED, HIDDEN, 1)
        self.dropout = nn.Dropout(dropout)
        self.last = nn.Conv2d(HIDDEN, LOGITS, 1)

    def forward(self, x: Any) -> Any:
        """Return the logits."""
        made = [x]
        for layer, row in zip(self._table, self.shared, strict=True):
            y = row(made[-1])
            made.append(y + made[-layer.add] if layer.add else y)
        x = torch.relu(self.hidden(torch.relu(self.pool(made[-1]))))
        return self.last(self.dropout(x)).flatten(1)


def _convolved(channels: int, out: int, kernel: Any, stride: int = 1, groups: int = 1) -> nn.Sequential:
    return nn.Sequential(
        nn.Conv2d(channels, out, kernel, stride, groups=groups, bias=False), nn.BatchNorm2d(out)
    )


def _row(layer: Layer, channels: int) -> nn.Sequential:
    # as TensorFlow's SAME pads extents that the stride divides: the odd pixel goes behind
    pads = max(layer.kernel - layer.stride, 0)
    groups = channels if layer.depthwise else 1
    return nn.Sequential(
        nn.ZeroPad2d((pads // 2, pads - pads // 2) * 2),
        *_convolved(channels, layer.channels, layer.kernel, layer.stride, groups),
        nn.ReLU(),
    )


def folded(network: Heads) -> dict[str, Any]:
    """`weights_N` (out, in, rows, columns) and `bias_N` of the N-th convolution, normalisation folded in."""
    modules = [m for m in network.modules() if isinstance(m, nn.Conv2d | nn.BatchNorm2d)]
    arrays: dict[str, Any] = {}
    number = 0
    with torch.no_grad():
        for place, kernel in enumerate(modules):
            if not isinstance(kernel, nn.Conv2d):
                continue
            weights = kernel.weight.double().cpu()
            bias = torch.zeros(len(weights)).double() if kernel.bias is None else kernel.bias.double().cpu()
            if kernel.bias is None:
                norm: Any = modules[place + 1]
                gain = (norm.weight.double() / torch.sqrt(norm.running_var.double() + norm.eps)).cpu()
                weights = weights * gain[:, None, None, None]
                bias = norm.bias.double().cpu() - norm.running_mean.double().cpu() * gain
            arrays[f"weights_{number}"] = weights.numpy().astype(np.float32)
            arrays[f"bias_{number}"] = bias.numpy().astype(np.float32)
            number += 1
    return arrays
