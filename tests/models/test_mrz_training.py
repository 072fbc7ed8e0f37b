"""What the networks of the zone are trained on, and how they are written."""

import hashlib
from itertools import pairwise

import numpy as np
import pytest
from tflite_runtime.interpreter import Interpreter

from gated.document.mrz import parse
from models.manifest import load
from models.mrz.cutting import HEIGHT, WIDTH
from models.mrz.looking import SIDE
from models.mrz.training import export, ink, pages, zones
from models.mrz.training.lines import BLANK, COLUMNS, samples
from models.mrz.training.network import FINDER, READER, Layer
from models.tflite_file import Graph


def test_random_zones_are_zones_of_the_standard() -> None:
    rng = np.random.default_rng(1)
    formats = set()
    for _ in range(300):
        zone = zones.random_zone(rng)
        assert parse("\n".join(zone.lines).encode()).format == zone.format.replace("FRA", "FRA-ID")
        formats.add(zone.format)
    assert formats == {"TD1", "TD2", "TD3", "MRVA", "MRVB", "FRA"}


def test_nonsense_has_the_shape_of_a_zone() -> None:
    rng = np.random.default_rng(2)
    shapes = set()
    for _ in range(50):
        zone = zones.random_zone(rng, nonsense=1.0)
        assert set("".join(zone.lines)) <= set(zones.ALPHABET)
        shapes.add((len(zone.lines), *{len(line) for line in zone.lines}))
    assert shapes == {(3, 30), (2, 36), (2, 44)}


def test_strips_lie_on_the_ink() -> None:
    rng = np.random.default_rng(3)
    for _ in range(20):
        drawn = ink.draw(zones.random_zone(rng), rng)
        for strip in drawn.strips:
            top, bottom = (round(strip.start[1] + side * strip.cap / 2) for side in (-1, 1))
            left, right = round(strip.start[0]), round(strip.end[0])
            line = drawn.ink[top - 4 : bottom + 5, left:right].sum()
            around = drawn.ink[top - 4 : bottom + 5].sum()
            assert line > 0.97 * around
            assert drawn.ink[top:bottom, left:right].sum() > 0.85 * line


def test_a_photographed_page_has_its_zone_where_it_says() -> None:
    rng = np.random.default_rng(4)
    view = pages.View(640, 480, 185.0, 0.8, 0.1)
    zone = zones.random_zone(rng)
    with_zone = pages.photograph(zone, view, np.random.default_rng(5), plain=True)
    without = pages.photograph(zone, view, np.random.default_rng(5), plain=True, printed=False)
    assert with_zone.whole
    assert with_zone.strips[0].direction[0] < -0.9  # upside down
    assert not without.strips


def test_the_classes_of_a_sample_spell_its_text() -> None:
    rng = np.random.default_rng(6)
    for _ in range(15):
        for sample in samples(rng):
            assert sample.grey.shape == (HEIGHT, WIDTH)
            assert sample.classes.shape == (COLUMNS,)
            symbols = [c if c >= 0 else BLANK for c in sample.classes]
            runs = [a for a, b in pairwise([*symbols, BLANK]) if a not in {b, BLANK}]
            text = "".join(zones.ALPHABET[run] for run in runs)
            assert text == sample.text


def test_the_same_seed_gives_the_same_page() -> None:
    view = pages.View(400, 300, 3.0, 0.9, 0.02)
    zone = zones.random_zone(np.random.default_rng(7))
    one, two = (pages.photograph(zone, view, np.random.default_rng(8)).image for _ in range(2))
    assert np.array_equal(one, two)


def weights_for(layers: tuple[Layer, ...], channels: int, rng: np.random.Generator) -> list[np.ndarray]:
    """As torch has them: out, in, rows, columns; small enough that nothing overflows."""
    arrays = []
    for layer in layers:
        inputs = 1 if layer.depthwise else channels
        scale = 1 / np.sqrt(inputs * layer.kernel[0] * layer.kernel[1])
        arrays.append((rng.normal(0, scale, (layer.channels, inputs, *layer.kernel))).astype(np.float32))
        channels = layer.channels
    return arrays


def arrays_of(kernels: list[np.ndarray]) -> dict[str, np.ndarray]:
    return {f"weights_{n}": kernel for n, kernel in enumerate(kernels)} | {
        f"bias_{n}": np.full(len(kernel), 0.1, np.float32) for n, kernel in enumerate(kernels)
    }


def run(body: bytes, values: np.ndarray) -> np.ndarray:
    interpreter = Interpreter(model_content=body)
    interpreter.allocate_tensors()
    interpreter.set_tensor(interpreter.get_input_details()[0]["index"], values.astype(np.float32))
    interpreter.invoke()
    output: np.ndarray = interpreter.get_tensor(interpreter.get_output_details()[0]["index"])
    return output


def convolved(x: np.ndarray, kernel: np.ndarray, layer: Layer, *, relu: bool) -> np.ndarray:
    """The layer by its definition: SAME padding, the odd one behind; x is rows, columns, channels."""
    (rows, columns), (down, across) = layer.kernel, layer.stride
    pads = [max(k - s, 0) for k, s in zip(layer.kernel, layer.stride, strict=True)]
    padded = np.pad(x, [(p // 2, p - p // 2) for p in pads] + [(0, 0)])
    out = np.zeros((x.shape[0] // down, x.shape[1] // across, layer.channels))
    for r in range(out.shape[0]):
        for c in range(out.shape[1]):
            window = padded[r * down : r * down + rows, c * across : c * across + columns]
            if layer.depthwise:
                out[r, c] = np.einsum("ijc,cij->c", window, kernel[:, 0])
            else:
                out[r, c] = np.einsum("ijc,ocij->o", window, kernel)
    out += 0.1
    return np.maximum(out, 0) if relu else out


@pytest.mark.parametrize(
    "layer",
    [
        Layer(3, (3, 3), (2, 2)),
        Layer(3, (3, 3), (2, 1)),
        Layer(3, (2, 3), (2, 1)),
        Layer(3, (3, 3)),
        Layer(2, (1, 7), depthwise=True),
        Layer(2, (5, 5), depthwise=True),
        Layer(3, (1, 1)),
    ],
    ids=str,
)
def test_a_written_layer_is_the_layer_by_its_definition(layer: Layer) -> None:
    rng = np.random.default_rng(9)
    x = rng.normal(0, 1, (8, 12, 2))
    (kernel,) = weights_for((layer,), 2, rng)
    graph = Graph()
    given = graph.input((1, 8, 12, 2), "x")
    weights = iter([(kernel, np.full(layer.channels, 0.1, np.float32))])
    made = export._rows(graph, given, (layer,), weights)
    written = run(graph.serialised(given, made, "one layer"), x[None])
    assert written[0] == pytest.approx(convolved(x, kernel, layer, relu=False), abs=0.01)


def test_doubling_repeats_each_place() -> None:
    graph = Graph()
    x = graph.input((1, 2, 3, 1), "x")
    values = np.arange(6.0).reshape(1, 2, 3, 1)
    written = run(graph.serialised(x, graph.total(graph.doubled(x), graph.doubled(x)), "doubled"), values)
    assert np.array_equal(written[0, :, :, 0], 2 * values[0, :, :, 0].repeat(2, 0).repeat(2, 1))


def test_written_networks_have_the_manifests_shapes_and_the_same_bytes_each_time() -> None:
    rng = np.random.default_rng(10)
    entry = load().mrz
    reader = arrays_of(weights_for(READER, 1, rng))
    body = export.reader(reader)
    assert export.reader(reader) == body
    assert run(body, np.zeros((1, HEIGHT, WIDTH, 1))).shape == entry.reader.outputs[0]
    stem = weights_for((*FINDER.stem, *FINDER.eighth, *FINDER.sixteenth, *FINDER.to_eighth), 1, rng)
    rest = [
        *weights_for(FINDER.at_eighth, 40, rng),
        *weights_for(FINDER.to_quarter, 40, rng),
        *weights_for(FINDER.at_quarter, 24, rng),
    ]
    body = export.finder(arrays_of([*stem, *rest]))
    assert run(body, np.zeros((1, SIDE, SIDE, 1))).shape == entry.finder.outputs[0]


def test_the_font_is_the_one_whose_licence_is_on_record() -> None:
    from models.mrz.training.typeface import OCR_B  # noqa: PLC0415

    digest = hashlib.sha256(OCR_B.read_bytes()).hexdigest()
    assert digest == "84558d47dbc19bb5887cc7b72ed62c64534fd00f0b569d28e6dc63b71fe27707"
    assert "without limitation" in OCR_B.with_name("LICENCE").read_text()
