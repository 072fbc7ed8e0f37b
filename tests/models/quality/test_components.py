"""The mappings to 0..100, against the conformance results that the BSI publishes for OFIQ."""

import math

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from models.quality.components import ABSENT, COMPONENTS

# native score and component value of images of OFIQ's conformance test
CONFORMANCE = {
    "single_face_present": [(0, 100), (0.720493, 28), (0.743829, 26)],
    "head_pose_roll": [(-1.415725, 100), (-16.291553, 92), (27.373343, 79)],
    "head_pose_pitch": [(-8.573003, 98), (-13.847975, 94), (-16.617661, 92)],
    "head_pose_yaw": [(2.582642, 100), (7.966364, 98), (5.343358, 99)],
    "under_exposure_prevention": [(0.049128, 100), (0.351960, 100)],
    "over_exposure_prevention": [(0, 100), (0.000022, 100), (0.000043, 100)],
    "mouth_closed": [(0.002205, 96), (0.065307, 90), (0.083904, 87), (0.080564, 88), (0.049862, 92)],
    "eyes_open": [(0.070220, 99), (0.060444, 98), (0.050498, 95), (0.023125, 58)],
    "illumination_uniformity": [
        (0.148789, 56),
        (0.510381, 82),
        (0.020761, 31),
        (0.843893, 95),
        (0.009796, 25),
    ],
    "inter_eye_distance": [(492.515573, 100), (352.585483, 100)],
    "dynamic_range": [(6.912061, 86), (7.607157, 95), (5.560847, 70)],
    "leftward_crop": [(3.434156, 100), (2.561339, 100)],
    "rightward_crop": [(3.706289, 100)],
    "margin_below": [(2.021810, 90), (1.726251, 32), (1.749557, 38), (2.225534, 99), (2.472268, 100)],
    "margin_above": [(2.423085, 100), (1.742159, 97), (1.545541, 81), (1.765090, 97), (1.819988, 99)],
    "natural_colour": [(0, 100), (3.299769, 84), (4.809711, 76), (0.955541, 95), (100, 0), (0.188451, 99)],
    "head_size": [(0.224977, 2), (0.209942, 2), (0.185500, 1), (0.257293, 4), (0.134832, 0)],
    "luminance_mean": [(0.296339, 87), (0.498524, 100), (0.189643, 45), (0.103973, 13), (0.250659, 73)],
    "luminance_variance": [(0.039975, 80), (0.059640, 63), (0.007321, 82), (0.067844, 58), (0.030400, 90)],
}


@pytest.mark.parametrize(
    ("name", "native", "value"),
    [(name, native, value) for name, pairs in CONFORMANCE.items() for native, value in pairs],
)
def test_a_native_score_maps_as_in_the_conformance_test(name: str, native: float, value: int) -> None:
    # OFIQ prints the entropy's value unrounded; all others are whole
    assert COMPONENTS[name].value(native) == pytest.approx(value, abs=0)


def test_every_mapping_of_the_standard_is_checked_but_those_of_networks() -> None:
    ours = {name for name, component in COMPONENTS.items() if component.basis == "own"}
    assert set(COMPONENTS) - ours == set(CONFORMANCE)


def test_each_component_of_the_standard_is_given_or_its_absence_is_explained() -> None:
    identifiers = [each.identifier for each in COMPONENTS.values()] + [each[1] for each in ABSENT.values()]
    assert sorted(identifiers) == list(range(0x41, 0x5D))


@settings(derandomize=True, max_examples=50)
@given(st.floats(allow_nan=True, allow_infinity=True))
def test_whatever_was_measured_the_value_is_a_whole_number_of_0_to_100(native: float) -> None:
    for component in COMPONENTS.values():
        value = component.value(native)
        assert isinstance(value, int)
        assert 0 <= value <= 100
        if not math.isfinite(native):
            assert value == 0


def test_sharper_is_better() -> None:
    values = [COMPONENTS["sharpness"].value(native) for native in (0, 0.20, 0.26, 0.30, 0.45)]
    assert values == sorted(values)
    assert values[0] == 0
    assert values[2] == 50
    assert values[-1] == 100
