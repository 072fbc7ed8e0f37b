"""`python -m models.liveness.training export WEIGHTS.npz MODEL.tflite`: writes trained weights.

Needs numpy and flatbuffers only. The same weights give the same bytes.
"""

import argparse
import hashlib
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from models.liveness.looking import PLANES, SIDE
from models.liveness.training.network import LOOKS
from models.mrz.training.network import Layer
from models.tflite_file import Graph


def head(arrays: dict[str, Any]) -> bytes:
    """Return the network, 1 x SIDE x SIDE x PLANES to 1 x 1, the logit of a re-capture."""
    graph = Graph()
    x = graph.input((1, SIDE, SIDE, PLANES), "looks")
    context = graph.spatial_mean(_stack(graph, graph.channels(x, 0, 3), LOOKS.context, "context", arrays))
    texture = graph.spatial_mean(_stack(graph, graph.channels(x, 3, 3), LOOKS.texture, "texture", arrays))
    maps = _stack(graph, graph.channels(x, 6, 1), LOOKS.spectrum, "spectrum", arrays)
    spectrum = graph.spatial_mean(graph.pool(maps, kind="MAX", size=graph.shape(maps)[1], stride=1))
    features = graph.sum_relu(graph.total(context, texture), spectrum)
    return graph.serialised(
        x, graph.fully_connected(features, arrays["together"]), "re-capture head (Apache-2.0)"
    )


def _stack(graph: Graph, x: int, table: Sequence[Layer], name: str, arrays: dict[str, Any]) -> int:
    """Append one look's layers; the last has no ReLU."""
    for number, layer in enumerate(table):
        kernel, bias = (arrays[f"{name}.{kind}_{number}"] for kind in ("weights", "bias"))
        # torch has (out, in, rows, columns); depthwise (channels, 1, rows, columns)
        kernel = kernel.transpose(1, 2, 3, 0) if layer.depthwise else kernel.transpose(0, 2, 3, 1)
        relu = number < len(table) - 1
        x = graph.convolution(
            x, kernel, bias, stride=layer.stride, same=True, relu=relu, depthwise=layer.depthwise
        )
    return x


def main() -> int:
    """Write the model and print its hash for the manifest."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("weights", type=Path)
    parser.add_argument("model", type=Path)
    arguments = parser.parse_args()
    body = head(dict(np.load(arguments.weights)))
    arguments.model.write_bytes(body)
    print(f"{arguments.model.name}: {len(body)} bytes, SHA-256 {hashlib.sha256(body).hexdigest()}")
    return 0
