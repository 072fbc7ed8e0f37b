"""The cameras, and the process that looks through them."""

from typing import Annotated

from msgspec import Meta

from gated.core.settings import Name, Path, Seconds, Settings
from gated.core.vocabulary import Direction

CameraName = Annotated[str, Meta(pattern=r"^[a-z][a-z0-9-]{0,31}\Z")]
Control = Annotated[int, Meta(ge=0, le=100_000)]


class CameraSettings(Settings, omit_defaults=True):  # TOML cannot say None
    """A stream that OpenCV opens: `/dev/video0`, `rtsp://...`, `http://...`.

    What follows `read_timeout_s` is set on a V4L2 device and read back; what is left out stays as the device
    has it. `gain`, `focus` and `zoom` are in the device's own units. `exposure_ms`, `focus` and
    `white_balance_k` switch off what would set them automatically. A network camera is set at its own pages.
    """

    source: Path
    width: Annotated[int, Meta(ge=320, le=3840)] = 1280
    height: Annotated[int, Meta(ge=240, le=2160)] = 720
    open_timeout_s: Seconds = 5.0
    read_timeout_s: Seconds = 0.8
    rate: Annotated[int, Meta(ge=5, le=120)] | None = None
    exposure_ms: Annotated[float, Meta(ge=0.1, le=200)] | None = None
    gain: Control | None = None
    focus: Control | None = None
    zoom: Control | None = None
    white_balance_k: Annotated[int, Meta(ge=1000, le=20_000)] | None = None

    def __post_init__(self) -> None:
        """Refuse what could not be set; the loader adds the file and the section."""
        if self.source.startswith("/dev/"):
            return
        for key in CAMERA_CONTROLS:
            if getattr(self, key) is not None:
                raise ValueError(
                    f"`{key}` cannot be set on a network camera from here: remove it, and set that camera so"
                    " at its own pages"
                )


CAMERA_CONTROLS = ("rate", "exposure_ms", "gain", "focus", "zoom", "white_balance_k")


class FaceCameraSettings(CameraSettings, kw_only=True, omit_defaults=True):
    """One of the cameras that look at people. `calibration`: the file of `gatectl calibrate camera`.

    `infrared_of`: this one sees near infrared, and the same as the colour camera of that name, pixel by
    pixel. `depth_of`: likewise, this one measures distances, 16 bits a pixel in units of `depth_unit_mm`.
    `direction`: it looks at those who walk this way through a lane for two directions; without it, at both.
    """

    name: CameraName
    calibration: Path | None = None
    direction: Direction | None = None
    infrared_of: CameraName | None = None
    depth_of: CameraName | None = None
    depth_unit_mm: Annotated[float, Meta(ge=0.01, le=10)] | None = None
    """Millimetres; 1 by default."""

    def __post_init__(self) -> None:
        """Refuse keys that contradict each other; the loader adds the file and the section."""
        super().__post_init__()
        if self.direction is not None and self.beside is not None:
            raise ValueError("`direction` is that of the camera that this one is beside: remove it")
        if self.depth_of is None:
            if self.depth_unit_mm is not None:
                raise ValueError("`depth_unit_mm` is of no use without `depth_of`: remove it, or add that")
            return
        if self.infrared_of is not None:
            raise ValueError("`infrared_of` and `depth_of` in one section: give each camera its own")
        for key in ("calibration", *CAMERA_CONTROLS):
            if getattr(self, key) is not None:
                raise ValueError(f"`{key}` is of no use with `depth_of`: remove it")

    @property
    def beside(self) -> str | None:
        """The colour camera that this one belongs to, if it sees no colour itself."""
        return self.infrared_of or self.depth_of


class PageCameraSettings(CameraSettings, omit_defaults=True):
    """A camera, or the video of a full-page reader, that looks at the glass on which documents are laid.

    `glass_mm` is how much of the glass the long side of its image shows.
    """

    height: Annotated[int, Meta(ge=240, le=2160)] = 960
    glass_mm: Annotated[float, Meta(ge=90, le=500)] = 130.0


class EstimationSettings(Settings):
    """How false matches are estimated while the gate works (BSI TR-03121, EVA-VER).

    So many passport photographs of earlier travellers are kept, as embeddings in memory, for at most so long.
    """

    references: Annotated[int, Meta(ge=0, le=64)] = 0
    minutes: Annotated[float, Meta(gt=0, le=60)] = 15.0


class VisionSettings(Settings, omit_defaults=True):  # TOML cannot say None
    """The vision process. `shadow` is an embedder that runs beside and decides nothing.

    `keep_images` lets one crop of the reference and of the best shot come back: policy decides that; it is
    off unless the operator's law allows it. With `awaits_light` nobody counts as live before the face has
    answered the lamp's code.
    """

    embedder: Name
    shadow: Name | None = None
    max_image_bytes: Annotated[int, Meta(ge=1024, le=4_000_000)] = 512_000
    max_image_pixels: Annotated[int, Meta(ge=10_000, le=50_000_000)] = 6_000_000
    min_frames: Annotated[int, Meta(ge=2, le=120)] = 8
    awaits_light: bool = False
    keep_images: bool = False
    estimation: EstimationSettings = EstimationSettings()
