"""`gate.toml`: read once, checked wholly, then forgotten. A typo is fatal and the error says where it is."""

import hashlib
import re
import tomllib
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Annotated, Any, Literal, TypeVar
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import msgspec
from msgspec import Meta
from msgspec.structs import replace

from gated.core.policy import LaneRules, Policy
from gated.core.settings import Name, PathSettings, Settings
from gated.core.settings.board import Inputs, IoBoardSettings, SafetyControllerSettings
from gated.core.settings.cameras import FaceCameraSettings, PageCameraSettings, VisionSettings
from gated.core.settings.central import JournalSettings, LinkSettings, OfficerSettings, WatchlistSettings
from gated.core.settings.documents import DocumentSettings, TrustSettings
from gated.core.settings.port import PortSettings
from gated.core.settings.readers import ChipReaderSettings, MrzScannerSettings
from gated.core.settings.tokens import TokenSettings
from gated.core.settings.travellers import EligibilitySettings, RegistrationSettings
from gated.core.values import Value
from gated.core.vocabulary import Direction, Topology
from gated.document.mrz.codes import CODES
from gated.overlay import OverlayError, lay_over, read_overlay
from models import installed, manifest
from models.schema import Embedder

MAX_CONFIG = 256_000
DEFAULT_CONFIG = Path("/etc/egate/gate.toml")

T = TypeVar("T")
TimeZone = Annotated[str, Meta(pattern=r"^[A-Za-z][A-Za-z0-9/_+-]{0,62}\Z")]
Officers = Annotated[tuple[OfficerSettings, ...], Meta(max_length=1000)]
_PLACEHOLDER = re.compile("<[^<>]+>")
_Z85_KEY = re.compile("[!-~]{40}")  # may hold angle brackets of its own


class ConfigError(Exception):
    """The configuration cannot be used; the text names the file, the key and the fix."""


class GateConfig(Settings):
    """The whole configuration of one gate.

    What reads the zone is `mrz_scanner` where there is one, else `page_camera`; with both, the camera only
    coaches, and only while the scanner does not read. `port` is the other end of a lane for two directions.
    """

    gate: Name
    paths: PathSettings
    policy: Policy
    io_board: IoBoardSettings
    cameras: Annotated[tuple[FaceCameraSettings, ...], Meta(min_length=1, max_length=4)]
    vision: VisionSettings
    trust: TrustSettings
    link: LinkSettings
    mrz_scanner: MrzScannerSettings | None = None
    page_camera: PageCameraSettings | None = None
    safety_controller: SafetyControllerSettings | None = None
    port: PortSettings | None = None
    tokens: TokenSettings | None = None
    journal: JournalSettings | None = None
    registration: RegistrationSettings | None = None
    chip_reader: ChipReaderSettings = ChipReaderSettings()
    document: DocumentSettings = DocumentSettings()
    eligibility: EligibilitySettings = EligibilitySettings()
    watchlist: WatchlistSettings = WatchlistSettings()
    time_zone: TimeZone = "UTC"
    officers: Officers = ()


class Loaded(Value):
    """A configuration and the hash of the bytes that it was read from."""

    config: GateConfig
    sha256: str


def load(path: Path, overlay: Path | None = None) -> Loaded:
    """Read and check a configuration file, with what `overlay` says in its place (`gated.overlay`).

    Raises ConfigError that names the file, the key and what to do.
    """
    raw = _read(path)
    table = _table(path, raw)
    if overlay is not None:
        raw, table = raw + _read(overlay), _laid_over(table, overlay)
    check_said(path, table)
    config = convert(path, table, GateConfig)
    _check_lines(path, config.io_board)
    _check_lane(path, config.policy.lane, config.io_board.inputs)
    check_zone(path, config.time_zone)
    _check_port(path, config)
    _check_tokens(path, config)
    _check_registration(path, config)
    if config.vision.awaits_light and config.io_board.outputs.face_light is None:
        fix = "wire io_board.outputs.face_light, or set it to false"
        raise ConfigError(f"{path}: vision.awaits_light: no lamp plays a code here: {fix}")
    if config.mrz_scanner is None and config.page_camera is None:
        raise ConfigError(f"{path}: nothing is there to read the zone: add [mrz_scanner] or [page_camera]")
    check_once(path, "officers.name", [each.name for each in config.officers], "one key each")
    check_once(path, "cameras.name", [each.name for each in config.cameras], "give each its own")
    _check_beside(path, config.cameras)
    sources = [each.source for each in (*config.cameras, *filter(None, [config.page_camera]))]
    check_once(path, "cameras.source", sources, "one section each")
    return Loaded(config=config, sha256=hashlib.sha256(raw).hexdigest())


def check_said(path: Path, table: dict[str, Any]) -> None:
    """Refuse what is still to be filled in, and what nobody chooses. Raises ConfigError."""
    for key, text in _texts("", table):
        if (placeholder := _PLACEHOLDER.search(text)) and not _Z85_KEY.fullmatch(text):
            raise ConfigError(f"{path}: {key}: {placeholder[0]} is still to be filled in: do so")
    policy = _inner(table, "policy")
    if "match_threshold" in policy:
        fix = "it belongs to the embedder: remove it, and choose policy.match_fmr"
        raise ConfigError(f"{path}: policy.match_threshold is no choice: {fix}")
    if "curtains" in _inner(policy, "lane"):
        fix = "remove it: the wiring of [io_board.inputs] tells"
        raise ConfigError(f"{path}: policy.lane.curtains is no choice: {fix}")


def _inner(table: dict[str, Any], key: str) -> dict[str, Any]:
    """A table of a table; empty where it is none: its type is looked at afterwards."""
    inner = table.get(key)
    return inner if isinstance(inner, dict) else {}


def _laid_over(table: dict[str, Any], overlay: Path) -> dict[str, Any]:
    try:
        return lay_over(table, read_overlay(_read(overlay)))
    except OverlayError as error:
        raise ConfigError(f"{overlay}: {error}") from error


def decided(config: GateConfig, entry: Embedder | None = None) -> Policy:
    """Return the policy with the match threshold that was measured for the embedder in use.

    That is `entry`, or the one of the configuration's name that is shipped or installed. Raises ModelError
    where there is no such embedder, or no threshold for the policy's false match rate.
    """
    name = config.vision.embedder
    entry = installed.find(name, Path(config.paths.models)) if entry is None else entry
    threshold = manifest.threshold(name, entry, config.policy.match_fmr)
    inputs = config.io_board.inputs
    lane = replace(config.policy.lane, curtains=bool(inputs.beams("entry") or inputs.beams("exit")))
    return replace(config.policy, match_threshold=threshold, lane=lane)


def load_board(path: Path) -> IoBoardSettings:
    """Read the section of the GPIO board alone: a fault elsewhere must not hinder making the gate safe.

    Raises ConfigError as `load` does.
    """
    board = convert(path, _table(path, _read(path)), _BoardOnly).io_board
    _check_lines(path, board)
    return board


class _BoardOnly(msgspec.Struct, frozen=True):
    """What `load_board` looks at; other keys are none of its business."""

    io_board: IoBoardSettings


def _read(path: Path) -> bytes:
    try:
        with path.open("rb") as file:
            raw = file.read(MAX_CONFIG + 1)
    except OSError as error:
        raise ConfigError(
            f"{path}: cannot be read ({error.strerror}): check the path and its rights"
        ) from error
    if len(raw) > MAX_CONFIG:
        raise ConfigError(f"{path}: longer than {MAX_CONFIG} bytes: this is not a gate configuration")
    return raw


def _table(path: Path, raw: bytes) -> dict[str, Any]:
    try:
        return tomllib.loads(raw.decode())
    except UnicodeDecodeError as error:
        raise ConfigError(f"{path}: not TOML: no UTF-8 at byte {error.start}: save it as UTF-8") from error
    except RecursionError as error:
        raise ConfigError(f"{path}: not TOML: brackets nested too deeply: correct it there") from error
    except tomllib.TOMLDecodeError as error:
        raise ConfigError(f"{path}: not TOML: {error}: correct it there") from error


def convert(path: Path, table: dict[str, Any], kind: type[T]) -> T:
    """Check a table key by key. Raises ConfigError that names the file, the key and the fix."""
    try:
        return msgspec.convert(table, kind)
    except msgspec.ValidationError as error:
        raise ConfigError(f"{path}: {_explain(str(error))}") from error


def _texts(key: str, value: object) -> Iterator[tuple[str, str]]:
    """Every string of a TOML table with its dotted key."""
    if isinstance(value, str):
        yield key, value
    elif isinstance(value, dict):
        for name, inner in value.items():
            yield from _texts(f"{key}.{name}".lstrip("."), inner)
    elif isinstance(value, list):
        for index, inner in enumerate(value):
            yield from _texts(f"{key}[{index}]", inner)


def _explain(message: str) -> str:
    """Turn msgspec's words into key, fault and fix."""
    fault, _, where = message.partition(" - at `$")
    key = where.rstrip("`").lstrip(".") or "top level"
    if "unknown field" in fault:
        return f"[{key}] {fault}: remove it or correct its spelling"
    if "missing required field" in fault:
        return f"[{key}] {fault}: add it"
    if "enum value" in fault:
        return f"{key}: {fault}: take one of the values that gate.example.toml lists for it"
    return f"{key}: {fault}: correct the value"


def _check_beside(path: Path, cameras: Sequence[FaceCameraSettings]) -> None:
    """Refuse a camera that sees no colour without the colour camera it belongs to, and a second of a kind."""
    colour = {each.name: each for each in cameras if each.beside is None}
    if not colour:
        raise ConfigError(f"{path}: cameras: none sees colour: faces are matched in colour, so add one")
    for key in ("infrared_of", "depth_of"):
        belong = [each for each in cameras if getattr(each, key) is not None]
        for each in belong:
            other = colour.get(each.beside or "")
            if other is None or (other.width, other.height) != (each.width, each.height):
                fix = "name a colour camera of the same width and height"
                raise ConfigError(f"{path}: cameras.{key}: {each.beside} of {each.name}: {fix}")
        check_once(path, f"cameras.{key}", [each.beside or "" for each in belong], "one for each")


def check_zone(path: Path, name: str) -> None:
    """Refuse a time zone that nobody knows. Raises ConfigError."""
    try:
        ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError) as error:
        fix = "take one of the IANA names, such as Asia/Seoul"
        raise ConfigError(f"{path}: time_zone: {name} is not known here: {fix}") from error


def _check_lane(path: Path, lane: LaneRules, inputs: Inputs) -> None:
    """Refuse a kind of lane without the sensors that it cannot do without, and half a light curtain."""
    ends: tuple[Literal["entry", "exit"], ...] = ("entry", "exit")
    for end in ends:
        if inputs.beams(end) not in {0, 4}:
            raise ConfigError(f"{path}: io_board.inputs.{end}_...: a light curtain has four beams: wire all")
    only_the_curtain_sees = lane.topology in {Topology.ONE_DOOR, Topology.CORRIDOR}
    if only_the_curtain_sees and not inputs.beams("exit"):
        fix = "wire exit_outer_low, exit_outer_high, exit_inner_low and exit_inner_high"
        raise ConfigError(
            f"{path}: policy.lane.topology: {lane.topology} needs the exit's light curtain: {fix}"
        )
    if lane.topology is Topology.PORT and inputs.exit_document is None:
        fix = "wire io_board.inputs.exit_document"
        raise ConfigError(
            f"{path}: policy.lane.topology: port needs a document sensor at the other end: {fix}"
        )


def _check_port(path: Path, config: GateConfig) -> None:
    """Refuse a lane for two directions that lacks what one of them needs, or a second end without a lane."""
    topology, port = config.policy.lane.topology, config.port
    if topology is not Topology.PORT:
        if port is not None:
            fix = 'remove it, or set policy.lane.topology = "port"'
            raise ConfigError(f"{path}: [port] is of no use to a lane for one direction: {fix}")
        for each in config.cameras:
            if each.direction is not None:
                fix = 'remove it, or set policy.lane.topology = "port"'
                raise ConfigError(f"{path}: cameras.direction: {each.name}: this lane has but one: {fix}")
        return
    if port is None:
        fix = "add [port.mrz_scanner] and [port.chip_reader]"
        raise ConfigError(f"{path}: [port]: the lane needs a document reader at its other end: {fix}")
    if config.mrz_scanner is None:
        fix = "add [mrz_scanner]; a page camera can only coach here"
        raise ConfigError(f"{path}: [mrz_scanner]: each end of the lane needs one: {fix}")
    ports = [config.mrz_scanner.port, port.mrz_scanner.port]
    check_once(path, "port.mrz_scanner.port", ports, "each end has a scanner of its own")
    _check_readers(path, config.chip_reader, port.chip_reader)
    for direction in Direction:
        if not any(each.beside is None and each.direction in {None, direction} for each in config.cameras):
            fix = "add a colour camera, or take `direction` out of one that sees both"
            raise ConfigError(f"{path}: cameras.direction: none looks at who walks {direction}: {fix}")


def _check_tokens(path: Path, config: GateConfig) -> None:
    """Refuse a kiosk or its gate without what tokens need, and tokens where there is no use for them."""
    topology, tokens = config.policy.lane.topology, config.tokens
    if topology not in {Topology.KIOSK, Topology.TOKEN_GATE}:
        if tokens is not None:
            fix = 'remove it, or set policy.lane.topology = "kiosk" or "token_gate"'
            raise ConfigError(f"{path}: [tokens] is of no use to a lane without them: {fix}")
        return
    key, what = {
        Topology.KIOSK: ("gate", "[tokens.gate]: the gate that this kiosk makes tokens for"),
        Topology.TOKEN_GATE: ("kiosks", "[[tokens.kiosks]]: the kiosks whose tokens count"),
    }[topology]
    if tokens is None or not getattr(tokens, key):
        fix = f"add [tokens] with `key_file`, and {what}"
        raise ConfigError(f"{path}: policy.lane.topology: {topology} needs tokens: {fix}")
    check_once(path, "tokens.kiosks.name", [each.name for each in tokens.kiosks], "one key each")
    others = {each.name for each in tokens.kiosks} | ({tokens.gate.name} if tokens.gate else set())
    if config.gate in others:
        raise ConfigError(f"{path}: tokens: {config.gate} is this lane itself: name the other one")


def _check_registration(path: Path, config: GateConfig) -> None:
    """Refuse registration that nobody can agree to, or that reaches no centre, and buttons without it."""
    inputs, registration = config.io_board.inputs, config.registration
    buttons = [inputs.consent_yes is not None, inputs.consent_no is not None]
    if registration is None:
        if any(buttons):
            fix = "remove them, or add [registration]"
            raise ConfigError(f"{path}: io_board.inputs.consent_...: nobody is asked for consent: {fix}")
        return
    if not all(buttons):
        fix = "wire io_board.inputs.consent_yes and consent_no"
        raise ConfigError(f"{path}: [registration]: nobody can answer the question: {fix}")
    if config.journal is None:
        fix = "add [journal], whose collector takes registrations too"
        raise ConfigError(f"{path}: [registration]: the centre would not hear of it: {fix}")
    states, numbered = set(registration.states), set(registration.numbered)
    by_chip = set(registration.numbered_by_chip)
    if both := numbered & by_chip:
        fix = "a state has its number in the zone or in the chip: name it once"
        raise ConfigError(f"{path}: registration.numbered_by_chip: {', '.join(sorted(both))}: {fix}")
    if unknown := (states - set(CODES)) | ((numbered | by_chip) - states):
        fix = "take codes of Doc 9303-3, such as FRA; `numbered...` are among `states`"
        raise ConfigError(f"{path}: registration.states: {', '.join(sorted(unknown))}: {fix}")


def _check_readers(path: Path, one: ChipReaderSettings, other: ChipReaderSettings) -> None:
    """Refuse two chip readers that may turn out to be the same device."""
    key = "port.chip_reader"
    if one.interface != other.interface:
        return
    if one.interface == "pcsc":
        if one.name in other.name or other.name in one.name:
            fix = "give both a `name` that is no part of the other's"
            raise ConfigError(f"{path}: {key}.name: it may find the reader of the other end: {fix}")
        return
    told_apart = (
        {one.vendor_id, other.vendor_id},
        {one.product_id, other.product_id},
        {one.usb_path, other.usb_path},
    )
    if not any(len(values) == 2 and all(values) for values in told_apart):
        fix = "set `usb_path` of both, as `gatectl document readers` shows it"
        raise ConfigError(f"{path}: {key}.usb_path: it may find the reader of the other end: {fix}")


def check_once(path: Path, key: str, values: Sequence[str], fix: str) -> None:
    """Refuse what stands twice. Raises ConfigError."""
    if twice := {value for value in values if values.count(value) > 1}:
        raise ConfigError(f"{path}: {key}: {', '.join(sorted(twice))} stands twice: {fix}")


def _check_lines(path: Path, board: IoBoardSettings) -> None:
    """Refuse two names for one GPIO line."""
    seen: dict[int, str] = {}
    for kind, group in (("outputs", board.outputs), ("inputs", board.inputs)):
        for name in group.__struct_fields__:
            wired = getattr(group, name)
            if wired is None:
                continue
            line = wired.line
            full = f"io_board.{kind}.{name}"
            if line in seen:
                raise ConfigError(f"{path}: {full}.line: line {line} is also {seen[line]}: give each its own")
            seen[line] = full
