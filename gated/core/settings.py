"""What each device and process is told: plain values, read once from `gate.toml`. No defaults for secrets.

Each driver takes its own struct and knows no other. Unknown keys are errors.
"""

from typing import Annotated, Literal

from msgspec import Meta

from gated.core.trust_policy import TrustPolicy
from gated.core.values import Value
from gated.core.vocabulary import Direction

Port = Annotated[int, Meta(ge=1, le=65535)]
Line = Annotated[int, Meta(ge=0, le=511)] | Annotated[str, Meta(pattern=r"^[!-~]([ -~]{0,29}[!-~])?\Z")]
Seconds = Annotated[float, Meta(gt=0, le=600)]
Name = Annotated[str, Meta(pattern=r"^[a-z0-9][a-z0-9-]{0,62}\Z")]
Path = Annotated[str, Meta(min_length=1, max_length=255)]
State = Annotated[str, Meta(pattern=r"^[A-Z]{1,3}\Z")]
CameraName = Annotated[str, Meta(pattern=r"^[a-z][a-z0-9-]{0,31}\Z")]
Control = Annotated[int, Meta(ge=0, le=100_000)]
Brightness = Annotated[float, Meta(ge=0.05, le=1)]
UsbPath = Annotated[str, Meta(pattern=r"^([1-9][0-9]{0,2}-[1-9][0-9]{0,2}(\.[1-9][0-9]{0,2}){0,6})?\Z")]
HourMinute = Annotated[str, Meta(pattern=r"^([01][0-9]|2[0-3]):[0-5][0-9]\Z")]


class Settings(Value):
    """Base of every section."""


Wire = Annotated[str, Meta(pattern=r"^[\x00-\xff]*\Z", max_length=32)]  # bytes as characters


class MrzScannerSettings(Settings, omit_defaults=True):  # TOML cannot say None
    """A serial MRZ reader: the profile that it is like, and keys that replace what the profile says.

    `docs/readers.md` lists the profiles and their values. `continuous` is the command that makes it read by
    itself, `inquire` the one that makes it send what lies on it, if it has them.
    """

    port: Path
    profile: Literal["generic", "delimited", "rte-native", "elyctis-idbox"] = "generic"
    baud: Literal[1200, 2400, 4800, 9600, 19200, 38400, 57600, 115200] | None = None
    bytesize: Literal[7, 8] | None = None
    parity: Literal["N", "E", "O"] | None = None
    stopbits: Literal[1, 2] | None = None
    framing: Literal["auto", "delimited", "rte", "elyctis"] | None = None
    start: Wire | None = None
    end: Wire | None = None
    filler: Annotated[str, Meta(pattern=r"^[!-~]\Z")] | None = None
    padding: Annotated[str, Meta(pattern=r"^[!-~]?\Z")] | None = None
    ignored: Wire | None = None
    inquire: Wire | None = None
    continuous: Wire | None = None
    rearm: bool | None = None
    max_bytes: Annotated[int, Meta(ge=90, le=1024)] | None = None
    byte_gap_s: Seconds | None = None

    def __post_init__(self) -> None:
        """Refuse keys that contradict each other; the loader adds the file and the section."""
        for name in ("start", "end"):
            if getattr(self, name) == "":
                raise ValueError(f"`{name}` is empty: write the mark, such as \\u0002, or leave the key out")
        marks = self.start is not None or self.end is not None
        if marks and (self.framing or self.profile) != "delimited":
            raise ValueError('`start` and `end` are of no use without framing = "delimited": add it')
        by_profile = self.continuous is None and self.profile == "elyctis-idbox"
        if self.rearm and not self.continuous and not by_profile:
            raise ValueError("`rearm` sends `continuous` again, which is empty: set it, or rearm = false")


class ChipReaderSettings(Settings):
    """A contactless reader: driven by ourselves (`usb`), or by the PC/SC daemon that owns it (`pcsc`).

    Over USB it is found by vendor and product id (`0` for any CCID device), and by where it is plugged in:
    `usb_path` is the bus and the ports from its root on, such as `1-2.3` (empty: anywhere). `ccid_interface`
    and `slot` say which part of it reads without contacts. Under PC/SC it is found by a part of its name.
    """

    interface: Literal["usb", "pcsc"] = "usb"
    vendor_id: Annotated[int, Meta(ge=0, le=0xFFFF)] = 0
    product_id: Annotated[int, Meta(ge=0, le=0xFFFF)] = 0
    usb_path: UsbPath = ""
    ccid_interface: Annotated[int, Meta(ge=0, le=15)] = 0
    slot: Annotated[int, Meta(ge=0, le=15)] = 0
    two_cards_error: Annotated[int, Meta(ge=0, le=0xFF)] = 0
    name: Annotated[str, Meta(max_length=127)] = ""
    exchange_s: Seconds = 3.0

    def __post_init__(self) -> None:
        """Refuse keys of the interface that is not used; the loader adds the file and the section."""
        if self.interface == "usb" and self.name:
            raise ValueError('`name` is of no use without interface = "pcsc": remove it, or set that')
        for key in ("vendor_id", "product_id", "usb_path", "ccid_interface", "slot", "two_cards_error"):
            if self.interface == "pcsc" and getattr(self, key):
                raise ValueError(f'`{key}` is of no use with interface = "pcsc": remove it')


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


class TrustSettings(Settings):
    """Master lists and certificates that document signers are checked against (DER or PEM files).

    `anchors` are the certificates that sign master lists; a master list whose signer does not lead
    to one of them is refused. `crls` and `deviations` are signed by the roots themselves.
    """

    master_lists: tuple[Path, ...] = ()
    certificates: tuple[Path, ...] = ()
    anchors: tuple[Path, ...] = ()
    crls: tuple[Path, ...] = ()
    deviations: tuple[Path, ...] = ()
    policy: TrustPolicy = TrustPolicy()


class DocumentSettings(Settings):
    """What is asked of a chip, and what its weaknesses mean.

    `bac` says when Basic Access Control may stand in for PACE: `never`, only where the chip offers no PACE,
    also where it offers none that this gate speaks, or also where its PACE failed for another reason than a
    wrong password. The record always tells which was used and why. `genuineness`: a document that offers no
    proof of its chip's genuineness passes (`where_offered`), or is never admitted by itself (`required`).
    `all_proofs` makes every proof that is offered, in place of the strongest one. `data_groups` are read
    besides DG1 and DG2.
    """

    bac: Literal["never", "no_pace_offered", "pace_unsupported", "pace_failed"] = "no_pace_offered"
    genuineness: Literal["where_offered", "required"] = "where_offered"
    all_proofs: bool = False
    data_groups: tuple[Annotated[int, Meta(ge=5, le=16)], ...] = ()


class NeighbourSettings(Settings, omit_defaults=True):  # TOML cannot say None
    """Another gate: its link may ask here by its key, and is asked at its `address`, where it has one."""

    name: Name
    public_key: Annotated[str, Meta(min_length=40, max_length=40)]
    address: Path | None = None


class LinkSettings(Settings, omit_defaults=True):  # TOML cannot say None
    """The connection to the central server, used by `gate-link` alone (ZeroMQ CURVE, Z85 keys).

    `relay` is where neighbours may ask for what the centre has published.
    """

    requests: Path
    announcements: Path
    server_key: Annotated[str, Meta(min_length=40, max_length=40)]
    key_file: Path
    timeout_s: Seconds = 3.0
    relay: Path | None = None
    neighbours: Annotated[tuple[NeighbourSettings, ...], Meta(max_length=3)] = ()


class JournalSettings(Settings, omit_defaults=True):  # TOML cannot say None
    """Where the journal is delivered to, and the key for receipts that `gate-central status` shows.

    `key_file` is the gate's own, which `gatectl journal key` made: what is delivered is signed with it.
    `keep_days`: entries that are older and have a receipt are removed; None: none ever is.
    """

    collector: Path
    receipt_key: Annotated[str, Meta(pattern=r"^[0-9a-f]{64}\Z")]
    key_file: Path
    keep_days: Annotated[int, Meta(ge=7, le=36_500)] | None = None


class ServedGate(Settings):
    """The gate that a kiosk makes tokens for, and the public key that `gate-central token-key` told there."""

    name: Name
    public_key: Annotated[str, Meta(pattern=r"^[0-9a-f]{64}\Z")]


class TrustedKiosk(Settings):
    """A kiosk whose tokens count, and the public key that `gate-central token-key` told there."""

    name: Name
    public_key: Annotated[str, Meta(pattern=r"^[0-9a-f]{64}\Z")]


class TokenSettings(Settings, omit_defaults=True):  # TOML cannot say None
    """Tokens: at a kiosk, the `gate` that they are for; at a gate, the `kiosks` whose word counts.

    `key_file` is this lane's own, `minutes` is how long a token holds; a gate takes none that holds longer.
    """

    key_file: Path
    minutes: Annotated[int, Meta(ge=1, le=240)] = 30
    gate: ServedGate | None = None
    kiosks: Annotated[tuple[TrustedKiosk, ...], Meta(max_length=64)] = ()

    def __post_init__(self) -> None:
        """Refuse a lane that is both, or neither; the loader adds the file and the section."""
        if (self.gate is None) == (not self.kiosks):
            raise ValueError("a kiosk has `gate`, a gate has `kiosks`: write the one or the other")


class OfficerSettings(Settings):
    """An officer's Ed25519 public key, 64 hexadecimal digits."""

    name: Name
    public_key: Annotated[str, Meta(pattern=r"^[0-9a-f]{64}\Z")]


class EligibilitySettings(Settings, omit_defaults=True):  # TOML cannot say None
    """Who may use the lane by themselves: by the rule pack `rules`, or else by the keys in place of it.

    From `height_until_age_years` on nobody's height is asked (`policy.min_height_m`): the rule is for
    children, and grown people who are short, or sit in a wheelchair, use the lane like everybody.
    `anti_passback_s`: a document that was admitted does not admit again for so long (0: it may at once).
    `forward`: what it is to walk forward through this lane. `record`: how much of the facts goes on record.
    `standings` is the file of what the centre knows of travellers, made under a list key that the gate holds.
    """

    min_age_years: Annotated[int, Meta(ge=0, le=120)] = 10
    height_until_age_years: Annotated[int, Meta(ge=0, le=150)] = 18
    anti_passback_s: Annotated[float, Meta(ge=0, le=86400)] = 0.0
    document_types: tuple[Annotated[str, Meta(pattern=r"^[A-Z<]{1,2}\Z")], ...] = ("P",)
    rules: Path | None = None
    forward: Literal["departure", "arrival"] | None = None
    record: Literal["basic", "extended"] = "basic"
    standings: Path | None = None

    def __post_init__(self) -> None:
        """Refuse keys that contradict each other; the loader adds the file and the section."""
        usual = {"min_age_years": 10, "height_until_age_years": 18, "document_types": ("P",)}
        for key, value in usual.items():
            if self.rules is not None and getattr(self, key) != value:
                raise ValueError(f"`{key}` is of no use with `rules`: say it there, and remove it here")


class WatchlistSettings(Settings):
    """The files of the list keys that this gate holds: one, or two while the centre changes it."""

    keys: Annotated[tuple[str, ...], Meta(max_length=8)] = ()


class RegistrationSettings(Settings):
    """Registration at the gate (docs/registration.md), for the nationals of `states`.

    `key_file` is this gate's own secret; `centre_key` is what `gate-central registrations key` shows. `text`
    names the version of what travellers agree to. `numbered` are those states whose passports tell a number
    that people keep for life in the zone, `numbered_by_chip` those that tell it in DG11 of the chip: by it a
    registration goes over to a new passport. No state is in both. `keeps`: a "reference" to the passport, and
    no face; or a "template" of its portrait too, without which no number takes a registration over.
    """

    key_file: Path
    centre_key: Annotated[str, Meta(pattern=r"^[0-9a-f]{64}\Z")]
    text: Annotated[str, Meta(pattern=r"^[a-z0-9][a-z0-9.-]{0,31}\Z")]
    states: Annotated[tuple[State, ...], Meta(min_length=1, max_length=16)]
    numbered: Annotated[tuple[State, ...], Meta(max_length=16)] = ()
    numbered_by_chip: Annotated[tuple[State, ...], Meta(max_length=16)] = ()
    keeps: Literal["reference", "template"] = "reference"


class PathSettings(Settings):
    """Where the gate keeps its state and its sockets, and where embedders are installed."""

    state: Path
    run: Path
    models: Path = "/etc/egate/models"
