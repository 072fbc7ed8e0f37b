"""What each device and process is told: plain values, read once from `gate.toml`. No defaults for secrets.

Each driver takes its own struct and knows no other. Unknown keys are errors.
"""

from typing import Annotated

from msgspec import Meta

from gated.core.values import Value

Seconds = Annotated[float, Meta(gt=0, le=600)]
Name = Annotated[str, Meta(pattern=r"^[a-z0-9][a-z0-9-]{0,62}\Z")]
Path = Annotated[str, Meta(min_length=1, max_length=255)]
HourMinute = Annotated[str, Meta(pattern=r"^([01][0-9]|2[0-3]):[0-5][0-9]\Z")]


class Settings(Value):
    """Base of every section."""


class PathSettings(Settings):
    """Where the gate keeps its state and its sockets, and where embedders are installed."""

    state: Path
    run: Path
    models: Path = "/etc/egate/models"
