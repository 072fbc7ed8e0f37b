"""A calibration file is taken whole or refused with what is wrong and what to do."""

import contextlib
import hashlib
from pathlib import Path

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from models.height import calibration
from models.height.calibration import CalibrationError, CameraCalibration, load, parse, written

LEAST = {"width": 1280, "height": 720, "focal_px": 1200.0, "height_m": 1.2, "tilt_deg": 0.0}
FULL = CameraCalibration(
    width=1280, height=720, focal_px=1187.25, height_m=1.703, tilt_deg=14.25, roll_deg=-0.5, cx=652.5,
    cy=351.25, distortion=(-0.12, 0.05, 0.0, 0.0, 0.001), focal_sigma_px=1.5, height_sigma_m=0.004,
    tilt_sigma_deg=0.11, residual_px=0.46, method='marks, "taped"', date="2026-11-26", camera="middle",
)  # fmt: skip


def toml(values: dict[str, object]) -> bytes:
    return "\n".join(f"{name} = {value}" for name, value in values.items()).encode()


def refused(raw: bytes, *, json: bool = False) -> CalibrationError:
    with pytest.raises(CalibrationError) as error:
        parse(raw, json=json)
    return error.value


def test_size_focal_length_height_and_tilt_are_enough() -> None:
    found = parse(toml(LEAST))
    assert found.centre == (639.5, 359.5)
    assert (found.roll_deg, found.distortion) == (0.0, ())
    assert found.tilt_sigma_deg > 0
    assert found.height_sigma_m > 0


def test_json_says_the_same_as_toml() -> None:
    assert parse(msgspec.json.encode(LEAST), json=True) == parse(toml(LEAST))


def test_what_is_written_is_read_again(tmp_path: Path) -> None:
    file = tmp_path / "middle.camera"
    file.write_text(written(FULL))
    found = load(file)
    assert found.calibration == FULL
    assert found.sha256 == hashlib.sha256(file.read_bytes()).hexdigest()


@pytest.mark.parametrize("key", LEAST)
def test_a_missing_key_is_named(key: str) -> None:
    error = refused(toml({name: value for name, value in LEAST.items() if name != key}))
    assert error.code == "value_out_of_range"
    assert key in error.fix


@pytest.mark.parametrize(
    ("change", "code"),
    [
        ({"height_m": 12.0}, "value_out_of_range"),
        ({"height_m": "nan"}, "value_out_of_range"),
        ({"focal_px": -1200.0}, "value_out_of_range"),
        ({"focal_px": "inf"}, "value_out_of_range"),
        ({"width": 0}, "value_out_of_range"),
        ({"tilt_deg": '"steep"'}, "value_out_of_range"),
        ({"tilt": 3.0}, "value_out_of_range"),
        ({"distortion": [0.1, 0.2]}, "distortion"),
        ({"distortion": [0.1] * 9}, "value_out_of_range"),
        ({"cx": 1300.0}, "principal_point"),
        ({"cx": "nan"}, "principal_point"),
    ],
)
def test_what_no_camera_has_is_refused(change: dict[str, object], code: str) -> None:
    assert refused(toml({**LEAST, **change})).code == code


def test_what_is_no_file_of_this_kind_is_refused(tmp_path: Path) -> None:
    assert refused(b"\xff\xfe").code == "not_readable"
    assert refused(b"[").code == "not_readable"
    assert refused(b"{", json=True).code == "not_readable"
    assert refused(b"#" * (calibration.MAX_BYTES + 1)).code == "too_long"
    with pytest.raises(CalibrationError, match="cannot_be_read"):
        load(tmp_path / "none")


@settings(derandomize=True, max_examples=200)
@given(st.binary(max_size=200), st.booleans())
def test_any_bytes_are_a_calibration_or_one_kind_of_error(raw: bytes, json: bool) -> None:  # noqa: FBT001
    with contextlib.suppress(CalibrationError):
        assert isinstance(parse(raw, json=json), CameraCalibration)
