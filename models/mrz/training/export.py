"""`python -m models.mrz.training.export {reader,finder} WEIGHTS.npz MODEL.tflite`: writes trained weights.

Needs numpy and flatbuffers only. The same weights give the same bytes.
"""

import argparse
import hashlib
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from models.mrz.cutting import HEIGHT, WIDTH
from models.mrz.looking import SIDE
from models.mrz.training.network import FINDER, READER, Layer
from models.tflite_file import Graph

Weights = Iterator[tuple[Any, Any]]


def reader(arrays: dict[str, Any]) -> bytes:
    """Return the line reader, 1 x HEIGHT x WIDTH x 1 to 1 x 1 x columns x classes."""
    graph = Graph()
    x = graph.input((1, HEIGHT, WIDTH, 1), "line")
    return graph.serialised(x, _rows(graph, x, READER, _weights(arrays)), "MRZ line reader (Apache-2.0)")


def finder(arrays: dict[str, Any]) -> bytes:
    """Return the zone finder, 1 x SIDE x SIDE x 1 to 1 x SIDE/4 x SIDE/4 x 4."""
    graph, weights = Graph(), _weights(arrays)
    x = graph.input((1, SIDE, SIDE, 1), "page")
    quarter = _rows(graph, x, FINDER.stem, weights, last=False)
    eighth = _rows(graph, quarter, FINDER.eighth, weights, last=False)
    y = _rows(graph, eighth, FINDER.sixteenth, weights, last=False)
    y = _rows(graph, y, FINDER.to_eighth, weights, last=False)
    y = _rows(graph, graph.total(eighth, graph.doubled(y)), FINDER.at_eighth, weights, last=False)
    y = _rows(graph, y, FINDER.to_quarter, weights, last=False)
    y = _rows(graph, graph.total(quarter, graph.doubled(y)), FINDER.at_quarter, weights)
    return graph.serialised(x, y, "MRZ zone finder (Apache-2.0)")


def _weights(arrays: dict[str, Any]) -> Weights:
    for number in range(len(arrays) // 2):
        yield arrays[f"weights_{number}"], arrays[f"bias_{number}"]


def _rows(graph: Graph, x: int, table: Sequence[Layer], weights: Weights, *, last: bool = True) -> int:
    """Append the layers; the last of a network has no ReLU."""
    for number, layer in enumerate(table):
        kernel, bias = next(weights)
        # torch has (out, in, rows, columns); depthwise (channels, 1, rows, columns)
        kernel = kernel.transpose(1, 2, 3, 0) if layer.depthwise else kernel.transpose(0, 2, 3, 1)
        relu = not last or number < len(table) - 1
        x = graph.convolution(
            x, kernel, bias, stride=layer.stride, same=True, relu=relu, depthwise=layer.depthwise
        )
    return x


def main() -> int:
    """Write one model and print its hash for the manifest."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("kind", choices=("reader", "finder"))
    parser.add_argument("weights", type=Path)
    parser.add_argument("model", type=Path)
    arguments = parser.parse_args()
    arrays = dict(np.load(arguments.weights))
    body = reader(arrays) if arguments.kind == "reader" else finder(arrays)
    arguments.model.write_bytes(body)
    print(f"{arguments.model.name}: {len(body)} bytes, SHA-256 {hashlib.sha256(body).hexdigest()}")
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
