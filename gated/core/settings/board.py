"""What doors, lamps and sensors hang on: lines of the board, light strips, the safety controller."""

from typing import Annotated, Literal

from msgspec import Meta

from gated.core.settings import HourMinute, Path, Seconds, Settings

Line = Annotated[int, Meta(ge=0, le=511)] | Annotated[str, Meta(pattern=r"^[!-~]([ -~]{0,29}[!-~])?\Z")]
Brightness = Annotated[float, Meta(ge=0.05, le=1)]


class OutputLine(Settings):
    """A GPIO output. `line` is its number on the chip, or the name that the chip gives it."""

    line: Line
    active_low: bool = False


class InputLine(Settings):
    """A GPIO input, by number or name. An edge counts once the level has held for `debounce_s`."""

    line: Line
    active_low: bool = False
    debounce_s: Annotated[float, Meta(ge=0, le=1)] = 0.01


class Outputs(Settings):
    """Locks are monostable relays: energised releases the door. Lamps as seen from the traveller.

    `face_light`, if there is one, lights the traveller's face for the camera.
    """

    entry_release: OutputLine
    exit_release: OutputLine
    entry_green: OutputLine
    entry_red: OutputLine
    exit_green: OutputLine
    exit_red: OutputLine
    amber: OutputLine
    face_light: OutputLine | None = None


class Inputs(Settings):
    """`occupied` and `crowded` come from the person sensor: at least one, more than one.

    `panic` is the same as `fire`; `mains_lost` comes from the uninterruptible supply. The light curtains
    have four beams at a doorway, active when something is in the way: two columns, of which `outer` is the
    one away from the inside of the lane, each with a low and a high beam. A lane that serves two directions
    has a second place for documents, at its exit. `consent_yes` and `consent_no` are two buttons inside.
    """

    document: InputLine
    entry_shut: InputLine
    exit_shut: InputLine
    occupied: InputLine
    crowded: InputLine
    fire: InputLine
    panic: InputLine | None = None
    mains_lost: InputLine | None = None
    consent_yes: InputLine | None = None
    consent_no: InputLine | None = None
    exit_document: InputLine | None = None
    entry_outer_low: InputLine | None = None
    entry_outer_high: InputLine | None = None
    entry_inner_low: InputLine | None = None
    entry_inner_high: InputLine | None = None
    exit_outer_low: InputLine | None = None
    exit_outer_high: InputLine | None = None
    exit_inner_low: InputLine | None = None
    exit_inner_high: InputLine | None = None

    def beams(self, end: Literal["entry", "exit"]) -> int:
        """How many beams of the light curtain at this end are wired: four, or none."""
        names = (f"{end}_{column}_{height}" for column in ("outer", "inner") for height in ("low", "high"))
        return sum(getattr(self, name) is not None for name in names)


class Strip(Settings, omit_defaults=True):  # TOML cannot say None
    """A light strip: a GPIO output (`line`, on or off), or a PWM output that can be dimmed.

    `chip` and `channel` are the numbers N and M of /sys/class/pwm/pwmchipN/pwmM, `frequency` is in hertz.
    """

    line: Line | None = None
    active_low: bool = False
    chip: Annotated[int, Meta(ge=0, le=255)] | None = None
    channel: Annotated[int, Meta(ge=0, le=255)] | None = None
    frequency: Annotated[float, Meta(ge=200, le=50_000)] = 1000.0  # slower ones flicker, and stripe images

    def __post_init__(self) -> None:
        """Refuse a strip that is neither or both; the loader adds the file and the section."""
        pwm = (self.chip is not None) + (self.channel is not None)
        if (self.line is None) != (pwm == 2) or pwm == 1:
            raise ValueError("a strip has `line`, or `chip` and `channel`: write the one or the other")
        if pwm and self.active_low:
            raise ValueError(
                "`active_low` is of no use with `chip`: remove it, and let the LED driver invert"
            )


class Lights(Settings, omit_defaults=True):
    """The light guidance: strips at the doorways and along the floor, in walking direction. All optional.

    Brightness is as the eye sees it, and of PWM strips alone. `night` is from when until when the strips are
    at `night_brightness`, by the gate's `time_zone`.
    """

    entry_strip: Strip | None = None
    exit_strip: Strip | None = None
    floor_strips: Annotated[tuple[Strip, ...], Meta(max_length=16)] = ()
    brightness: Brightness = 1.0
    night_brightness: Brightness = 0.5
    night: tuple[HourMinute, HourMinute] | None = None

    def __post_init__(self) -> None:
        """Refuse one output for two strips, and a night without length; the loader adds the section."""
        places = [(each.chip, each.channel) for _, each in self.strips if each.chip is not None]
        if len(set(places)) < len(places):
            raise ValueError("two strips have one `chip` and `channel`: give each its own")
        if self.night is not None and self.night[0] == self.night[1]:
            raise ValueError("`night` ends when it begins: correct it, or leave it out")

    @property
    def strips(self) -> tuple[tuple[str, Strip], ...]:
        """All strips that there are, by name: those of the floor are `floor_strip_1` and so on."""
        floor = ((f"floor_strip_{number}", strip) for number, strip in enumerate(self.floor_strips, 1))
        doorways = (("entry_strip", self.entry_strip), ("exit_strip", self.exit_strip))
        return (*((name, strip) for name, strip in doorways if strip is not None), *floor)


class IoBoardSettings(Settings):
    """A GPIO chip with the doors, lamps and sensors of the lane."""

    chip: Path
    outputs: Outputs
    inputs: Inputs
    max_lease_s: Seconds = 15.0
    lights: Lights = Lights()


class SafetyControllerSettings(Settings):
    """The safety controller on its serial line (docs/safety-controller.md), 8 data bits, no parity.

    `configuration`: the hash that it showed at commissioning; one with other parameters is refused. Every
    `heartbeat_s` it is told that the PC lives; when it says nothing for `timeout_s`, it counts as lost.
    """

    port: Path
    configuration: Annotated[str, Meta(pattern=r"^[0-9a-f]{16}\Z")]
    baud: Literal[38400, 57600, 115200, 230400, 460800, 921600] = 115200
    heartbeat_s: Annotated[float, Meta(ge=0.02, le=0.5)] = 0.1
    timeout_s: Annotated[float, Meta(ge=0.1, le=2)] = 0.4

    def __post_init__(self) -> None:
        """Refuse times that contradict each other; the loader adds the file and the section."""
        if self.timeout_s < 2 * self.heartbeat_s:
            raise ValueError(
                "`timeout_s` is shorter than two heartbeats: lengthen it, or shorten `heartbeat_s`"
            )
