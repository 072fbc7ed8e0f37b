"""The tables of `network` as a torch module, and back to plain arrays. Needs torch, which no gate does."""

from typing import Any

import numpy as np
import torch
from torch import nn

from models.liveness.training.network import FEATURES, Looks
from models.mrz.training.torch_network import Same, build, folded

NAMES = ("context", "texture", "spectrum")
_PLANES = {"context": slice(0, 3), "texture": slice(3, 6), "spectrum": slice(6, 7)}
_THINNED = 0.2  # share of features that are hidden in training
_DROPPED = 0.2  # share of samples from which one of the looks is hidden in training


class Recaptures(nn.Module):  # type: ignore[misc]  # torch is not installed where types are checked
    """Logit of a re-capture from (batch, 7, 128, 128); in training also what each look alone would say."""

    def __init__(self, table: Looks) -> None:
        super().__init__()
        for name, planes in zip(NAMES, (3, 3, 1), strict=True):
            setattr(self, name, build(getattr(table, name), planes))
        self.together = nn.Linear(FEATURES, 1, bias=False)
        self.alone = nn.ModuleList([nn.Linear(FEATURES, 1) for _ in NAMES])

    def forward(self, x: Any) -> tuple[Any, list[Any]]:
        """Return the logits, and those of the looks by themselves."""
        features = []
        for name in NAMES:
            maps = getattr(self, name)(x[:, _PLANES[name]])
            features.append(maps.amax((2, 3)) if name == "spectrum" else maps.mean((2, 3)))
        alone = [head(nn.functional.relu(f))[:, 0] for head, f in zip(self.alone, features, strict=True)]
        if self.training:
            hidden = torch.rand(len(x), device=x.device) < _DROPPED
            which = torch.randint(len(NAMES), (len(x),), device=x.device)
            features = [f * ~(hidden & (which == n))[:, None] for n, f in enumerate(features)]
        total = nn.functional.relu(features[0] + features[1] + features[2])
        total = nn.functional.dropout(total, _THINNED, self.training)
        return self.together(total)[:, 0], alone


def resume(network: Recaptures, stored: dict[str, Any], x: Any) -> None:
    """Set the weights that `arrays` gave, and normalisations, which they lack, that change nothing.

    `x` is a batch by which each normalisation is told the mean and deviation of what it gets.
    """
    told = []
    for name in NAMES:
        rows = [row for row in getattr(network, name).modules() if isinstance(row, nn.Sequential)]
        rows = [row for row in rows if isinstance(row[0], Same)]
        for number, row in enumerate(rows):
            weights, bias = (
                torch.from_numpy(stored[f"{name}.{kind}_{number}"]) for kind in ("weights", "bias")
            )
            row[1].weight.data.copy_(weights)
            if len(row) == 2:
                row[1].bias.data.copy_(bias)
            else:
                told.append(row[2].register_forward_pre_hook(_unchanging(bias.to(x.device))))
    network.together.weight.data.copy_(torch.from_numpy(stored["together"]))
    with torch.no_grad():
        network.train()(x)
    for handle in told:
        handle.remove()


def _unchanging(bias: Any) -> Any:
    def told(norm: Any, inputs: tuple[Any, ...]) -> None:
        mean, variance = inputs[0].mean((0, 2, 3)), inputs[0].var((0, 2, 3), unbiased=False)
        norm.running_mean.copy_(mean)
        norm.running_var.copy_(variance)
        norm.weight.data.copy_(torch.sqrt(variance + norm.eps))
        norm.bias.data.copy_(bias + mean)

    return told


def arrays(network: Recaptures) -> dict[str, Any]:
    """The folded weights: each look's `weights_N` and `bias_N` under its name, and `together`."""
    parts: dict[str, Any] = {}
    for name in NAMES:
        parts |= {f"{name}.{key}": value for key, value in folded(getattr(network, name)).items()}
    parts["together"] = network.together.weight.detach().numpy().astype(np.float32)
    return parts
