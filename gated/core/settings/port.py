"""A lane that is walked both ways: its other end, and when it is turned."""

from typing import Annotated

from msgspec import Meta

from gated.core.settings import HourMinute, Settings
from gated.core.settings.readers import ChipReaderSettings, MrzScannerSettings
from gated.core.vocabulary import Direction


class Turning(Settings):
    """From this time of day on, by the gate's `time_zone`, the lane is walked this way."""

    at: HourMinute
    direction: Direction


class PortSettings(Settings):
    """The other end of a lane for two directions: what reads documents there, and when the lane is turned.

    The sections `mrz_scanner` and `chip_reader` beside this one are those of the end where people come in
    when the lane is walked forward.
    """

    mrz_scanner: MrzScannerSettings
    chip_reader: ChipReaderSettings
    schedule: Annotated[tuple[Turning, ...], Meta(max_length=48)] = ()

    def __post_init__(self) -> None:
        """Refuse two directions for one time; the loader adds the file and the section."""
        times = [each.at for each in self.schedule]
        if twice := {at for at in times if times.count(at) > 1}:
            raise ValueError(f"`schedule` says {', '.join(sorted(twice))} twice: leave one of them out")
