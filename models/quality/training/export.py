"""Writes trained weights as a TFLite file, with numpy and flatbuffers: the same weights, the same bytes."""

import argparse
import hashlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np

from models.quality import chip
from models.quality.training.network import SHARED
from models.tflite_file import Graph


def heads(arrays: dict[str, Any]) -> bytes:
    """Return the network, 1 x HEIGHT x WIDTH x 3 to 1 x 4 logits."""
    graph = Graph()
    weights = _weights(arrays)
    image = graph.input((1, chip.HEIGHT, chip.WIDTH, 3), "head")
    made = [image]
    for layer in SHARED:
        kernel, bias = next(weights)
        y = graph.convolution(
            made[-1],
            _channels_last(kernel, depthwise=layer.depthwise),
            bias,
            stride=layer.stride,
            same=True,
            relu=True,
            depthwise=layer.depthwise,
        )
        made.append(graph.total(y, made[-layer.add]) if layer.add else y)
    kernel, bias = next(weights)
    x = graph.convolution(
        made[-1],
        _channels_last(kernel, depthwise=True),
        bias,
        stride=1,
        same=False,
        relu=True,
        depthwise=True,
    )
    for relu in (True, False):
        kernel, bias = next(weights)
        x = graph.convolution(
            x, _channels_last(kernel, depthwise=False), bias, stride=1, same=True, relu=relu
        )
    return graph.serialised(image, graph.spatial_mean(x), "face heads (Apache-2.0)")


def _weights(arrays: dict[str, Any]) -> Iterator[tuple[Any, Any]]:
    for number in range(len(arrays) // 2):
        yield arrays[f"weights_{number}"], arrays[f"bias_{number}"]


def _channels_last(kernel: Any, *, depthwise: bool) -> Any:
    """From torch's (out, in, rows, columns), depthwise (channels, 1, rows, columns)."""
    return kernel.transpose(1, 2, 3, 0) if depthwise else kernel.transpose(0, 2, 3, 1)


def main(argv: list[str]) -> int:
    """Write the model and print its hash for the manifest."""
    parser = argparse.ArgumentParser(prog="python -m models.quality.training export", description=__doc__)
    parser.add_argument("weights", type=Path, help="what `train` wrote")
    parser.add_argument("model", type=Path)
    arguments = parser.parse_args(argv)
    with np.load(arguments.weights) as file:
        body = heads({name: file[name] for name in file.files})
    arguments.model.write_bytes(body)
    print(f"{arguments.model.name}: {len(body)} bytes, SHA-256 {hashlib.sha256(body).hexdigest()}")
    return 0
