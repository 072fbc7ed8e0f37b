import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from models import dlib_file
from models.build import convert
from models.dlib_file import Layer, Network
from models.manifest import ModelError
from tests.models import networks

SMALL = networks.small()
FILE = networks.serialised(SMALL)


def test_what_was_written_is_read() -> None:
    read = dlib_file.parse(FILE)
    assert (read.mean_rgb, read.size) == (SMALL.mean_rgb, SMALL.size)
    assert [each.name for each in read.layers] == [each.name for each in SMALL.layers]
    assert [each.sizes for each in read.layers] == [each.sizes for each in SMALL.layers]
    for one, other in zip(read.layers, SMALL.layers, strict=True):
        assert np.array_equal(one.weights, other.weights)


def test_every_cut_is_refused() -> None:
    for length in [*range(200), *range(200, len(FILE), 97), len(FILE) - 1]:
        with pytest.raises(ModelError):
            dlib_file.parse(FILE[:length])


def test_a_byte_too_many_is_refused() -> None:
    with pytest.raises(ModelError, match="bytes after the last layer"):
        dlib_file.parse(FILE + b"\0")


places = st.integers(0, len(FILE) - 1)


@settings(derandomize=True, deadline=None, max_examples=500)
@given(edits=st.lists(st.tuples(places, st.binary(max_size=4), st.integers(0, 4)), min_size=1, max_size=4))
def test_damage_is_refused_or_gives_a_network_of_the_same_format(
    edits: list[tuple[int, bytes, int]],
) -> None:
    """Whatever is read from damaged bytes, reading and converting raise ModelError and nothing else."""
    damaged = FILE
    for place, put, dropped in edits:
        damaged = damaged[:place] + put + damaged[place + dropped :]
    try:
        converted = convert(damaged)
    except ModelError:
        return
    assert converted[4:8] == b"TFL3"


@settings(derandomize=True, deadline=None, max_examples=300)
@given(noise=st.binary(max_size=300), kept=st.integers(0, 300))
def test_noise_is_refused(noise: bytes, kept: int) -> None:
    with pytest.raises(ModelError):
        dlib_file.parse(FILE[:kept] + noise)


def with_layers(*layers: Layer) -> bytes:
    return networks.serialised(Network(mean_rgb=SMALL.mean_rgb, size=SMALL.size, layers=layers))


@pytest.mark.parametrize(
    ("file", "fault"),
    [
        (with_layers(SMALL.layers[0], *SMALL.layers), "layer con_4 out of place"),
        (with_layers(*SMALL.layers[:4], *SMALL.layers[3:]), "layer max_pool_2 out of place"),
        (with_layers(*SMALL.layers[:6], SMALL.layers[-1]), "layer fc_2 out of place"),
        (
            with_layers(
                *SMALL.layers[:4], Layer(name="avg_pool_2", sizes=(2, 2, 2, 2, 0, 0)), SMALL.layers[-1]
            ),
            "layer avg_pool_2 out of place",
        ),
        (with_layers(SMALL.layers[-1]), "layer fc_2 out of place"),
        (with_layers(*SMALL.layers[:2], *SMALL.layers[-1:]), "layer fc_2 out of place"),
        (with_layers(*SMALL.layers[:9], *SMALL.layers[-2:]), "layer fc_2 out of place"),
        (
            with_layers(Layer(name="con_4", sizes=(9, 7, 7, 2, 2, 0, 0)), *SMALL.layers[1:]),
            "layers that cannot be converted",
        ),
        (
            with_layers(*SMALL.layers[:-1], Layer(name="fc_2", sizes=(5, 6), weights=np.full(30, 1e5, "f4"))),
            "layers that cannot be converted",
        ),
        (
            with_layers(
                *SMALL.layers[:-1], Layer(name="fc_2", sizes=(5, 6), weights=np.full(30, np.inf, "f4"))
            ),
            "weights that are not numbers",
        ),
        (
            with_layers(
                Layer(name="con_4", sizes=(4, 7, 7, 0, 0, 0, 0), weights=SMALL.layers[0].weights),
                *SMALL.layers[1:],
            ),
            "layers that cannot be converted",
        ),
        (networks.integer(2), "unknown file version"),
        (networks.integer(1) + networks.name("loss_multiclass_log_"), "not a metric-learning network"),
        (networks.integer(1) + networks.integer(65) + bytes(65), "not a layer's name"),
        (FILE.replace(b"loss_metric_2", b"loss_m\xe9tric_2"), "damaged"),
        (FILE.replace(b"affine_", b"infine_", 1), "unknown layer"),
        (FILE.replace(b"000", b"0x0", 1), "layer without its flags"),
        (FILE.replace(networks.real(104.0), networks.integers(1, 2000), 1), "not a finite number"),
        (
            FILE.replace(networks.real(104.0), networks.integers(2**62, 1000), 1),
            "not a finite number",
        ),
        (FILE.replace(networks.EMPTY, networks.integers(2, 1, 1, 1, 1) + bytes(4), 1), "gradients"),
        (FILE.replace(networks.EMPTY, networks.integers(2, 2**40, 1, 1, 1), 1), "tensor too large"),
        (FILE.replace(networks.EMPTY, networks.integers(2, -1, 1, 1, 1), 1), "tensor too large"),
    ],
)
def test_each_fault_is_named(file: bytes, fault: str) -> None:
    with pytest.raises(ModelError, match=fault):
        convert(file)


def test_nesting_without_an_end_is_refused() -> None:
    head = networks.integer(1) + networks.name("loss_metric_2") + networks.real(0.25) + networks.real(0.5)
    with pytest.raises(ModelError, match="no input layer"):
        dlib_file.parse(head + networks.integer(2) * 5000)
