"""The calibration of a camera: what a file says of its lens and of how it hangs over the floor.

A TOML file (or JSON, by its suffix), described in docs/height.md. Its SHA-256 stands for it in a record.
Nothing is guessed in silence: a key that is missing has the default that the field below gives, an unknown
key is an error, and sizes that a gate's camera cannot have are refused.
"""

import hashlib
import re
import tomllib
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Final

import msgspec
import msgspec.inspect
from msgspec import Meta

from gated.core.values import Value

MAX_BYTES: Final = 16_000
DISTORTIONS: Final = (0, 4, 5, 8)  # how many coefficients OpenCV's model takes

Side = Annotated[int, Meta(ge=64, le=8192)]
Text = Annotated[str, Meta(max_length=200)]


class CalibrationError(Exception):
    """A calibration cannot be used or made; `code` is snake_case, `fix` says what to do."""

    def __init__(self, code: str, fix: str) -> None:
        super().__init__(f"{code}: {fix}")
        self.code = code
        self.fix = fix


class CameraCalibration(Value):
    """A pinhole with distortion, `height_m` over the floor, turned by `tilt_deg` and `roll_deg`.

    Pixels: x to the right, y down, pixel centres at whole numbers. `tilt_deg` above nought looks down;
    `roll_deg` above nought has the camera's right side lower. The `..._sigma` are standard errors.
    """

    width: Side
    height: Side
    focal_px: Annotated[float, Meta(gt=50, le=20_000)]
    height_m: Annotated[float, Meta(ge=0.3, le=4.0)]
    tilt_deg: Annotated[float, Meta(ge=-60, le=75)]
    roll_deg: Annotated[float, Meta(ge=-95, le=95)] = 0.0
    cx: float | None = None  # None: the middle
    cy: float | None = None
    distortion: Annotated[tuple[Annotated[float, Meta(ge=-10, le=10)], ...], Meta(max_length=8)] = ()
    focal_sigma_px: Annotated[float, Meta(ge=0, le=500)] = 0.0
    height_sigma_m: Annotated[float, Meta(ge=0, le=0.2)] = 0.003
    tilt_sigma_deg: Annotated[float, Meta(ge=0, le=5)] = 0.15
    residual_px: Annotated[float, Meta(ge=0, le=100)] | None = None
    method: Text = ""
    date: Text = ""
    camera: Text = ""

    @property
    def centre(self) -> tuple[float, float]:
        """The principal point, pixels."""
        x = (self.width - 1) / 2 if self.cx is None else self.cx
        y = (self.height - 1) / 2 if self.cy is None else self.cy
        return x, y


_FIELDS: Final = frozenset(CameraCalibration.__struct_fields__)


@dataclass(frozen=True, kw_only=True)
class Loaded:
    """A calibration and the SHA-256 of the file it was read from."""

    calibration: CameraCalibration
    sha256: str


def load(path: Path) -> Loaded:
    """Read a calibration file. Raises CalibrationError."""
    try:
        with path.open("rb") as file:
            raw = file.read(MAX_BYTES + 1)
    except OSError as error:
        raise CalibrationError("cannot_be_read", f"{error.strerror}: check the path") from error
    return Loaded(calibration=parse(raw, json=path.suffix == ".json"), sha256=hashlib.sha256(raw).hexdigest())


def parse(raw: bytes, *, json: bool = False) -> CameraCalibration:
    """Take the bytes of a calibration file. Raises CalibrationError and nothing else."""
    if len(raw) > MAX_BYTES:
        raise CalibrationError("too_long", f"more than {MAX_BYTES} bytes: this is no calibration")
    try:
        values = msgspec.json.decode(raw) if json else tomllib.loads(raw.decode())
    except (msgspec.DecodeError, tomllib.TOMLDecodeError, UnicodeDecodeError, RecursionError) as error:
        kind = "JSON" if json else "TOML"
        raise CalibrationError("not_readable", f"not {kind}: write the file again") from error
    try:
        calibration = msgspec.convert(values, CameraCalibration)
    except msgspec.ValidationError as error:
        raise CalibrationError("value_out_of_range", _fault(error)) from error
    return checked(calibration)


def _fault(error: msgspec.ValidationError) -> str:
    """What is wrong with a file's values, by their names and never by the values themselves."""
    text = str(error)
    place = re.search(r"`\$\.?([a-z0-9_.\[\]]*)`$", text)
    name = re.search(r"field `([^`]{1,40})`", text)
    where = place[1] if place and place[1] else "the file"
    if "missing required" in text and name:
        return f"{name[1]} is missing: see docs/height.md"
    if "unknown field" in text and name:
        return f"there is no key {name[1]!r}: correct or remove it (docs/height.md)"
    if where in _FIELDS and (limits := _limits(where)):
        return f"{where} must be {limits}: see docs/height.md"
    return f"{where} has a value of the wrong kind: see docs/height.md"


def _limits(name: str) -> str:
    """What a number may be, in words; empty where it has no limits."""
    kind = msgspec.inspect.type_info(CameraCalibration)
    fields = kind.fields if isinstance(kind, msgspec.inspect.StructType) else ()
    (of,) = (field.type for field in fields if field.name == name)
    if isinstance(of, msgspec.inspect.UnionType):
        of = of.types[0]
    if not isinstance(of, msgspec.inspect.IntType | msgspec.inspect.FloatType):
        return ""
    signs = ((of.gt, "more than"), (of.ge, "at least"), (of.lt, "less than"), (of.le, "at most"))
    words = [f"{word} {limit:g}" for limit, word in signs if limit is not None]
    kind_of = "a whole number" if isinstance(of, msgspec.inspect.IntType) else "a number"
    return " ".join([kind_of, *([", ".join(words)] if words else [])])


def checked(calibration: CameraCalibration) -> CameraCalibration:
    """The calibration, whose fields fit one another. Raises CalibrationError."""
    if len(calibration.distortion) not in DISTORTIONS:
        raise CalibrationError("distortion", "give 4, 5 or 8 coefficients in OpenCV's order, or none")
    x, y = calibration.centre
    if not (0 <= x < calibration.width and 0 <= y < calibration.height):
        raise CalibrationError("principal_point", "it lies outside the picture: check cx, cy, width, height")
    return calibration


def written(calibration: CameraCalibration) -> str:
    """The calibration as a TOML file."""
    lines = ["# Calibration of one camera: docs/height.md"]
    for name, value in msgspec.to_builtins(calibration).items():
        if value is None or value in ("", ()) or value == []:
            continue
        lines.append(f"{name} = {_toml(value)}")
    return "\n".join(lines) + "\n"


def _toml(value: object) -> str:
    if isinstance(value, str):
        return msgspec.json.encode(value).decode()
    if isinstance(value, list | tuple):
        return "[" + ", ".join(_toml(each) for each in value) + "]"
    if isinstance(value, float):
        text = f"{value:.6g}"
        return text if any(mark in text for mark in ".en") else f"{text}.0"
    return str(value)
