"""The configuration: the example is complete, and every fault is told by file, key and fix."""

import re
import tomllib
from contextlib import nullcontext
from pathlib import Path

import msgspec
import pytest

from drivers.mrz_profiles import PROFILES, habits_of
from gated.config import MAX_CONFIG, ConfigError, GateConfig, _check_readers, decided, load, load_board
from gated.core.settings.board import SafetyControllerSettings
from gated.core.settings.cameras import CAMERA_CONTROLS, FaceCameraSettings, PageCameraSettings
from gated.core.settings.port import PortSettings
from gated.core.settings.readers import ChipReaderSettings, MrzScannerSettings
from gated.core.vocabulary import Direction, Vouched
from hw_sim.lane.board import CURTAINS
from models import manifest
from models.manifest import ModelError

EXAMPLE = Path(__file__).parents[1] / "config" / "gate.example.toml"
FILLED = {
    "<central-server>": "192.0.2.1",
    "<the central server's CURVE public key: 40 characters of Z85>": "0" * 40,
    "<64 hexadecimal digits: the officer's Ed25519 public key>": "0" * 64,
}


def filled() -> str:
    """The example with its documented placeholders replaced."""
    text = EXAMPLE.read_text()
    for placeholder, value in FILLED.items():
        assert placeholder in text
        text = text.replace(placeholder, value)
    return text


def complaint(tmp_path: Path, old: str, new: str) -> str:
    """The error about the example with one change, without the file's name."""
    text = filled()
    assert text.count(old) == 1, f"{old!r} stands {text.count(old)} times in the example"
    path = tmp_path / "gate.toml"
    path.write_text(text.replace(old, new))
    with pytest.raises(ConfigError) as caught:
        load(path)
    message = str(caught.value)
    assert message.startswith(f"{path}: ")
    assert "\n" not in message
    return message.removeprefix(f"{path}: ")


def test_the_example_loads_once_its_placeholders_are_filled_in(tmp_path: Path) -> None:
    path = tmp_path / "gate.toml"
    path.write_text(filled())

    loaded = load(path)

    assert loaded.config.gate == "lane-1"
    assert loaded.config.officers[0].name == "officer-1"
    assert len(loaded.sha256) == 64
    assert load_board(path) == loaded.config.io_board


def test_the_example_as_it_comes_is_refused_by_its_first_placeholder() -> None:
    with pytest.raises(ConfigError, match=r"link\.requests: <central-server> is still to be filled in"):
        load(EXAMPLE)


@pytest.mark.parametrize("placeholder", FILLED)
def test_no_placeholder_is_forgotten(tmp_path: Path, placeholder: str) -> None:
    path = tmp_path / "gate.toml"
    path.write_text(filled().replace(FILLED[placeholder], placeholder, 1))
    with pytest.raises(ConfigError, match="is still to be filled in"):
        load(path)


def test_the_example_shows_every_key_that_there_is() -> None:
    shown = tomllib.loads(EXAMPLE.read_text())
    known = msgspec.to_builtins(msgspec.convert(tomllib.loads(filled()), GateConfig))
    assert keys("", known) - keys("", shown) <= {
        "page_camera",
        "port",
        "safety_controller",
        "tokens",
        "journal",
        "registration",
        "policy.match_threshold",  # no choice: the models' manifest gives it
        *(f"policy.{kind}_close_age_s" for kind in Vouched),  # a lane does not close by itself
        "vision.shadow",
        "io_board.outputs.face_light",
        "io_board.inputs.panic",
        "io_board.inputs.mains_lost",
        "io_board.inputs.consent_yes",
        "io_board.inputs.consent_no",
        "policy.lane.curtains",  # no choice: the wiring gives it
        "io_board.inputs.exit_document",
        *(f"io_board.inputs.{beam}" for beam in CURTAINS),
    } | {f"io_board.outputs.{name}.active_low" for name in known["io_board"]["outputs"]} | {
        f"io_board.inputs.{name}.active_low" for name in known["io_board"]["inputs"]
    }


def keys(prefix: str, value: object) -> set[str]:
    """All dotted keys of a table."""
    if isinstance(value, list | tuple):
        return {key for each in value for key in keys(prefix, each)}
    if not isinstance(value, dict):
        return {prefix}
    return {key for name, each in value.items() for key in keys(f"{prefix}.{name}".lstrip("."), each)}


@pytest.mark.parametrize(
    ("old", "new", "told"),
    [
        pytest.param(
            "mrz_tries = 3", "mrz_trys = 3", "[policy] Object contains unknown field `mrz_trys`: remove it",
            id="a typo in a key",
        ),
        pytest.param("[policy.limits]", "[policy.limit]", "unknown field `limit`", id="a typo in a section"),
        pytest.param(
            'chip = "/dev/egate/io"', "", "[io_board] Object missing required field `chip`: add it",
            id="a missing key",
        ),
        pytest.param(
            "match_fmr = 0.001", "match_fmr = 1.5",
            "policy.match_fmr: Expected `float` <= 0.01: correct the value", id="out of range",
        ),
        pytest.param(
            "chip_s = 7.0", "chip_s = 0", "policy.limits.chip_s: Expected `float` > 0.0: correct",
            id="a limit of zero",
        ),
        pytest.param(
            "\nwidth = 1280", '\nwidth = "1280"', "cameras[0].width: Expected `int`, got `str`: correct",
            id="a wrong type",
        ),
        pytest.param(
            "chip_tries = 2", "chip_tries = true", "policy.chip_tries: Expected `int`, got `bool`: correct",
            id="a flag for a number",
        ),
        pytest.param(
            "# baud = 9600", "baud = 9601",
            "mrz_scanner.baud: Invalid enum value 9601: take one of the values that gate.example.toml lists",
            id="none of the values",
        ),
        pytest.param(
            'profile = "generic"', 'profile = "other"',
            "mrz_scanner.profile: Invalid enum value 'other': take one of the values that gate.example.toml",
            id="an unknown profile",
        ),
        pytest.param(
            '# filler = "<"', 'filler = "<<"', "mrz_scanner.filler: Expected `str` matching",
            id="a long filler",
        ),
        pytest.param(
            '# ignored = ""', 'ignored = "\u20ac"', "mrz_scanner.ignored: Expected `str` matching regex",
            id="what is no byte",
        ),
        pytest.param(
            '# start = "\\u0002"', 'start = "\\u0002"',
            'mrz_scanner: `start` and `end` are of no use without framing = "delimited": add it',
            id="marks that nobody looks for",
        ),
        pytest.param(
            '# end = "\\u0003"', 'end = ""',
            "mrz_scanner: `end` is empty: write the mark, such as \\u0002, or leave the key out",
            id="an empty mark",
        ),
        pytest.param(
            "# rearm = false", "rearm = true",
            "mrz_scanner: `rearm` sends `continuous` again, which is empty: set it, or rearm = false",
            id="nothing to send again",
        ),
        pytest.param(
            'interface = "usb"', 'interface = "serial"', "chip_reader.interface: Invalid enum value 'serial'",
            id="no interface of a chip reader",
        ),
        pytest.param(
            'name = ""', 'name = "PICC"',
            'chip_reader: `name` is of no use without interface = "pcsc": remove it, or set that',
            id="a name for a reader on USB",
        ),
        pytest.param('gate = "lane-1"', 'gate = "Lane 1"', "gate: Expected `str` matching", id="a bad name"),
        pytest.param(
            "amber = { line = 6 }", "amber = { line = 0 }",
            "io_board.outputs.amber.line: line 0 is also io_board.outputs.entry_release: give each its own",
            id="two outputs on one line",
        ),
        pytest.param(
            "{ line = 13,", "{ line = 2,",
            "io_board.inputs.fire.line: line 2 is also io_board.outputs.entry_green: give each its own",
            id="an input on an output's line",
        ),
        pytest.param(
            "awaits_light = false", "awaits_light = true",
            "vision.awaits_light: no lamp plays a code here: wire io_board.outputs.face_light, or set it",
            id="a lamp that is awaited and not there",
        ),
        pytest.param("{ line = 13,", "{ line = 512,", "inputs.fire.line: Expected `int` <= 5", id="no line"),
        pytest.param("[paths]", "[paths", "not TOML: ", id="not TOML"),
        pytest.param("[paths]", "[policy]", "not TOML: ", id="a section twice"),
        pytest.param("0" * 64, "0" * 63, "officers[0].public_key: Expected `str` matching", id="a short key"),
    ],
)  # fmt: skip
def test_a_fault_is_told_by_file_key_and_fix(tmp_path: Path, old: str, new: str, told: str) -> None:
    assert told in complaint(tmp_path, old, new)


@pytest.mark.parametrize("key", ["vendor_id", "product_id", "ccid_interface", "slot", "two_cards_error"])
def test_a_usb_key_for_a_reader_of_the_pcsc_daemon_is_told(tmp_path: Path, key: str) -> None:
    path = tmp_path / "gate.toml"
    text = filled().replace('interface = "usb"', 'interface = "pcsc"')
    assert load_text(path, text).chip_reader.interface == "pcsc"
    with pytest.raises(ConfigError, match=rf'chip_reader: `{key}` is of no use with interface = "pcsc"'):
        load_text(path, text.replace(f"\n{key} = 0", f"\n{key} = 1"))


def load_text(path: Path, text: str) -> GateConfig:
    path.write_text(text)
    return load(path).config


def test_the_example_names_every_key_of_the_scanner_and_changes_nothing_of_its_profile() -> None:
    text = EXAMPLE.read_text()
    section = text[text.index("[mrz_scanner]") : text.index("[chip_reader]")]
    for name in MrzScannerSettings.__struct_fields__:
        assert re.search(rf"^(# )?{name} = ", section, re.MULTILINE), name
    plain = tomllib.loads(section)["mrz_scanner"]
    assert set(plain) == {"port", "profile"}  # any other key would make every other profile wrong
    shown = tomllib.loads(re.sub(r"^# (?=[a-z_]+ = )", "", section, flags=re.MULTILINE))["mrz_scanner"]
    del shown["start"], shown["end"]  # of another framing
    assert habits_of(msgspec.convert(shown, MrzScannerSettings)) == PROFILES["generic"]


def page_camera_shown() -> str:
    """The section of the page camera, taken in."""
    text = EXAMPLE.read_text()
    section = text[text.index("# [page_camera]") : text.index("[vision]")]
    return re.sub(r"^# ", "", section, flags=re.MULTILINE)


def test_the_example_shows_every_key_of_the_page_camera_with_its_default() -> None:
    shown = tomllib.loads(page_camera_shown())["page_camera"]
    assert set(shown) == set(PageCameraSettings.__struct_fields__) - set(CAMERA_CONTROLS)
    assert msgspec.convert(shown, PageCameraSettings) == PageCameraSettings(source=shown["source"])


def cameras_shown() -> str:
    """The section of a camera, with every key taken in."""
    text = EXAMPLE.read_text()
    section = text[text.index("[[cameras]]") : text.index("# [page_camera]")]
    return re.sub(r"^# (?=[a-z_]+ = )", "", section, flags=re.MULTILINE)


def test_the_example_shows_every_key_of_a_camera_and_sets_none_of_its_controls() -> None:
    (shown,) = tomllib.loads(cameras_shown())["cameras"]
    assert set(shown) == set(FaceCameraSettings.__struct_fields__)
    (given,) = tomllib.loads(EXAMPLE.read_text())["cameras"]
    assert not set(given) & set(CAMERA_CONTROLS)
    left = FaceCameraSettings(name=given["name"], source=given["source"])
    assert msgspec.convert(given, FaceCameraSettings) == left


def with_cameras(*cameras: str) -> str:
    """The example with these sections in place of its camera."""
    text = filled()
    sections = "\n".join(f"[[cameras]]\n{camera}\n" for camera in cameras)
    return text[: text.index("[[cameras]]")] + sections + text[text.index("[vision]") :]


def camera(name: str, source: str = "", extra: str = "") -> str:
    return f'name = "{name}"\nsource = "{source or f"/dev/{name}"}"\n{extra}'


def test_a_gate_has_one_to_four_cameras(tmp_path: Path) -> None:
    path = tmp_path / "gate.toml"
    names = ("low", "middle", "high", "aside", "fifth")
    loaded = load_text(path, with_cameras(*(camera(name) for name in names[:4])))
    assert [each.name for each in loaded.cameras] == list(names[:4])
    with pytest.raises(ConfigError, match="cameras: Expected `array` of length <= 4"):
        load_text(path, with_cameras(*(camera(name) for name in names)))
    with pytest.raises(ConfigError, match="missing required field `cameras`: add it"):
        load_text(path, with_cameras())


def test_two_cameras_share_neither_name_nor_source(tmp_path: Path) -> None:
    path = tmp_path / "gate.toml"
    with pytest.raises(ConfigError, match=r"cameras\.name: low stands twice: give each its own"):
        load_text(path, with_cameras(camera("low"), camera("low", "/dev/other")))
    with pytest.raises(ConfigError, match=r"cameras\.source: /dev/low stands twice: one section each"):
        load_text(path, with_cameras(camera("low"), camera("high", "/dev/low")))


@pytest.mark.parametrize("key", CAMERA_CONTROLS)
@pytest.mark.parametrize("source", ["rtsp://192.0.2.7/live", "http://192.0.2.7/live.mjpg"])
def test_a_network_camera_cannot_be_set_from_here(tmp_path: Path, key: str, source: str) -> None:
    (shown,) = tomllib.loads(cameras_shown())["cameras"]
    line = f"{key} = {shown[key]}"
    path = tmp_path / "gate.toml"
    assert load_text(path, with_cameras(camera("low", extra=line))).cameras[0].source == "/dev/low"
    told = (
        rf"cameras\[0\]: `{key}` cannot be set on a network camera from here: remove it, and set that camera"
    )
    with pytest.raises(ConfigError, match=told):
        load_text(path, with_cameras(camera("low", source, line)))


def without_the_scanner() -> str:
    text = filled()
    return text[: text.index("[mrz_scanner]")] + text[text.index("[chip_reader]") :]


def test_a_page_camera_may_read_in_place_of_the_scanner_or_stand_beside_it(tmp_path: Path) -> None:
    alone = load_text(tmp_path / "gate.toml", without_the_scanner() + page_camera_shown())
    both = load_text(tmp_path / "gate.toml", filled() + page_camera_shown())
    assert alone.mrz_scanner is None
    assert both.mrz_scanner is not None
    assert alone.page_camera == both.page_camera
    assert both.page_camera is not None


def test_a_gate_that_could_not_read_any_page_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"read the zone: add \[mrz_scanner\] or \[page_camera\]"):
        load_text(tmp_path / "gate.toml", without_the_scanner())


def test_a_time_zone_that_nobody_knows_is_told(tmp_path: Path) -> None:
    told = complaint(tmp_path, 'time_zone = "UTC"', 'time_zone = "Atlantis/Capital"')
    assert told == (
        "time_zone: Atlantis/Capital is not known here: take one of the IANA names, such as Asia/Seoul"
    )


def test_a_missing_file_is_told(tmp_path: Path) -> None:
    path = tmp_path / "gate.toml"
    with pytest.raises(ConfigError, match=r"gate\.toml: cannot be read \(No such file.*\): check the path"):
        load(path)


def test_a_folder_is_no_configuration(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="cannot be read"):
        load(tmp_path)


def test_bytes_that_are_not_text_are_told(tmp_path: Path) -> None:
    path = tmp_path / "gate.toml"
    path.write_bytes(b"\xff\xfe")
    with pytest.raises(ConfigError, match=r"not TOML: no UTF-8 at byte 0: save it as UTF-8$"):
        load(path)


def test_brackets_without_end_are_told(tmp_path: Path) -> None:
    path = tmp_path / "gate.toml"
    path.write_text("gate = " + "[" * 20_000)
    with pytest.raises(ConfigError, match="nested too deeply"):
        load(path)


def test_a_huge_file_is_refused_before_it_is_parsed() -> None:
    with pytest.raises(ConfigError, match=f"longer than {MAX_CONFIG} bytes"):
        load(Path("/dev/zero"))


def test_the_longest_file_is_still_read(tmp_path: Path) -> None:
    path = tmp_path / "gate.toml"
    text = filled()
    path.write_text(text + "#" * (MAX_CONFIG - len(text.encode())))
    assert load(path).config.gate == "lane-1"
    with path.open("a") as file:
        file.write("#")
    with pytest.raises(ConfigError, match="longer than"):
        load(path)


def test_the_gate_can_be_made_safe_although_the_rest_of_the_file_is_wrong(tmp_path: Path) -> None:
    path = tmp_path / "gate.toml"
    path.write_text(filled().replace("mrz_tries = 3", "mrz_trys = 3"))
    assert load_board(path).outputs.exit_release.line == 1


def test_a_board_that_is_wrong_itself_is_told(tmp_path: Path) -> None:
    path = tmp_path / "gate.toml"
    path.write_text(filled().replace("exit_release = { line = 1 }", "exit_release = { line = 0 }"))
    with pytest.raises(ConfigError, match=r"line 0 is also io_board\.outputs\.entry_release"):
        load_board(path)


def test_the_match_threshold_is_no_choice(tmp_path: Path) -> None:
    path = tmp_path / "gate.toml"
    path.write_text(filled().replace("match_fmr = 0.001", "match_threshold = 0.5"))
    with pytest.raises(ConfigError, match=r"policy\.match_threshold .* choose policy\.match_fmr"):
        load(path)


def test_the_policy_takes_the_threshold_that_was_measured(tmp_path: Path) -> None:
    path = tmp_path / "gate.toml"
    thresholds = {}
    for fmr in ("0.01", "0.001"):
        path.write_text(filled().replace("match_fmr = 0.001", f"match_fmr = {fmr}"))
        policy = decided(load(path).config)
        thresholds[fmr] = policy.match_threshold
        assert policy.match_threshold == manifest.load().threshold("dlib-resnet", float(fmr))
    assert 0.4 < thresholds["0.01"] < thresholds["0.001"] < 0.9


def test_a_rate_that_was_not_measured_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "gate.toml"
    path.write_text(filled().replace("match_fmr = 0.001", "match_fmr = 0.002"))
    with pytest.raises(ModelError, match=r"no threshold for FMR 0\.002: choose from"):
        decided(load(path).config)


BESIDE = """
[[cameras]]
name = "beside"
source = "/dev/egate/beside"
{key} = "middle"
"""
INFRARED, DEPTH = BESIDE.format(key="infrared_of"), BESIDE.format(key="depth_of")


def again(section: str) -> str:
    return section.replace("beside", "again")


@pytest.mark.parametrize(
    ("added", "words"),
    [
        (INFRARED, ""),
        (INFRARED.replace('"middle"', '"nobody"'), "name a colour camera of the same width and height"),
        (INFRARED + "width = 640\n", "name a colour camera of the same width and height"),
        (INFRARED + again(INFRARED), "one for each"),
        (DEPTH + "depth_unit_mm = 0.25\n", ""),
        (DEPTH + again(INFRARED), ""),
        (DEPTH.replace('"middle"', '"beside"'), "cameras.depth_of: beside of beside: name a colour camera"),
        (DEPTH + "height = 480\n", "name a colour camera of the same width and height"),
        (DEPTH + again(DEPTH), "cameras.depth_of: middle stands twice: one for each"),
        (DEPTH + 'infrared_of = "middle"\n', "give each camera its own"),
        (DEPTH + "gain = 3\n", "`gain` is of no use with `depth_of`: remove it"),
        (DEPTH + 'calibration = "/etc/egate/a.camera"\n', "`calibration` is of no use with `depth_of`"),
        (INFRARED + "depth_unit_mm = 0.25\n", "`depth_unit_mm` is of no use without `depth_of`"),
        (DEPTH + "depth_unit_mm = 0\n", "depth_unit_mm"),
    ],
)
def test_a_camera_that_sees_no_colour_belongs_to_one_that_does(
    tmp_path: Path, added: str, words: str
) -> None:
    path = tmp_path / "gate.toml"
    path.write_text(filled() + added)
    if not words:
        cameras = load(path).config.cameras
        assert [each.beside for each in cameras] == [None, *["middle"] * (len(cameras) - 1)]
        return
    with pytest.raises(ConfigError, match=words):
        load(path)


def safety_shown() -> str:
    """The section of the safety controller, taken in."""
    text = EXAMPLE.read_text()
    section = text[text.index("# [safety_controller]") : text.index("[[cameras]]")]
    return re.sub(r"^# ", "", section, flags=re.MULTILINE)


def test_the_example_shows_every_key_of_the_safety_controller_with_its_default() -> None:
    shown = tomllib.loads(safety_shown())["safety_controller"]
    assert set(shown) == set(SafetyControllerSettings.__struct_fields__)
    given = msgspec.convert(shown | {"configuration": "0" * 16}, SafetyControllerSettings)
    assert given == SafetyControllerSettings(port=shown["port"], configuration="0" * 16)


BEAMS = [f"exit_{column}_{height}" for column in ("outer", "inner") for height in ("low", "high")]


def lane(topology: str, *wired: str) -> str:
    """The example as another kind of lane, with more inputs wired."""
    text = filled().replace('topology = "mantrap"', f'topology = "{topology}"')
    lines = "".join(f"{name} = {{ line = {30 + number} }}\n" for number, name in enumerate(wired))
    return text.replace("[io_board.inputs] ", f"[io_board.inputs]\n{lines}# ")


@pytest.mark.parametrize(
    ("text", "told"),
    [
        (lane("one_door"), "one_door needs the exit's light curtain: wire exit_outer_low"),
        (lane("corridor", *BEAMS[:3]), "a light curtain has four beams: wire all"),
        (lane("port"), "port needs a document sensor at the other end: wire io_board.inputs.exit_document"),
    ],
)
def test_a_lane_without_the_sensors_that_it_needs_is_refused(tmp_path: Path, text: str, told: str) -> None:
    with pytest.raises(ConfigError, match=told):
        load_text(tmp_path / "gate.toml", text)


def port_shown() -> str:
    """The section of the other end, taken in."""
    text = EXAMPLE.read_text()
    section = text[text.index("# [port]") : text.index("[io_board] ")]
    return re.sub(r"^# ", "", section, flags=re.MULTILINE)


def two_way(*changes: tuple[str, str]) -> str:
    """The example as a lane for two directions, with changes."""
    text = lane("port", "exit_document") + "\n" + port_shown()
    text = text.replace('usb_path = ""', 'usb_path = "1-2.3"')
    for old, new in changes:
        assert old in text
        text = text.replace(old, new)
    return text


def test_the_example_shows_a_lane_for_two_directions(tmp_path: Path) -> None:
    shown = tomllib.loads(port_shown())["port"]
    assert set(shown) == set(PortSettings.__struct_fields__)
    config = load_text(tmp_path / "gate.toml", two_way())
    assert config.port is not None
    assert (config.chip_reader.usb_path, config.port.chip_reader.usb_path) == ("1-2.3", "1-2.4")
    assert [turning.direction for turning in config.port.schedule] == ["reverse", "forward"]


def without_scanner(text: str) -> str:
    """With a page camera in place of the scanner."""
    return re.sub(r"\[mrz_scanner\] .*\nport.*\nprofile.*", '[page_camera]\nsource = "/dev/page"', text)


PORT_ALONE = filled() + "\n" + port_shown()


@pytest.mark.parametrize(
    ("text", "told"),
    [
        (PORT_ALONE, r"\[port\] is of no use to a lane for one direction: remove it"),
        (lane("port", "exit_document"), r"\[port\]: .* add \[port.mrz_scanner\] and \[port.chip_reader\]"),
        (without_scanner(two_way()), r"\[mrz_scanner\]: each end"),
        (two_way(("mrz-exit", "mrz")), r"port.mrz_scanner.port: /dev/egate/mrz stands twice"),
        (two_way(("1-2.4", "1-2.3")), r"port.chip_reader.usb_path: .* set `usb_path` of both"),
        (two_way(('"1-2.4"', '""')), r"port.chip_reader.usb_path: .* set `usb_path` of both"),
        (two_way(('"1-2.4"', '"1-2."')), r"port.chip_reader.usb_path: .*correct the value"),
        (two_way(("14:00", "06:00")), "`schedule` says 06:00 twice"),
        (two_way(("14:00", "24:00")), r"port.schedule\[1\].at: .*correct the value"),
        (two_way(("# direction = ", "direction = ")), "cameras.direction: none looks at who walks reverse"),
        (
            filled().replace("# direction = ", "direction = "),
            "cameras.direction: middle: this lane has but one: remove it",
        ),
    ],
)
def test_a_lane_for_two_directions_that_could_not_be_walked_both_ways_is_refused(
    tmp_path: Path, text: str, told: str
) -> None:
    with pytest.raises(ConfigError, match=told):
        load_text(tmp_path / "gate.toml", text)


def by_name(name: str) -> ChipReaderSettings:
    return ChipReaderSettings(interface="pcsc", name=name)


@pytest.mark.parametrize(
    ("one", "other", "told_apart"),
    [
        (ChipReaderSettings(vendor_id=1), ChipReaderSettings(vendor_id=2), True),
        (ChipReaderSettings(vendor_id=1), ChipReaderSettings(product_id=2), False),
        (ChipReaderSettings(usb_path="1-1"), ChipReaderSettings(usb_path="2-1"), True),
        (ChipReaderSettings(slot=0), ChipReaderSettings(slot=1), False),
        (ChipReaderSettings(), by_name("OMNIKEY"), True),
        (by_name("OMNIKEY 5427 00 00"), by_name("OMNIKEY 5427 01 00"), True),
        (by_name("OMNIKEY"), by_name("OMNIKEY 5427 01 00"), False),
        (by_name("OMNIKEY"), by_name(""), False),
    ],
)
def test_two_chip_readers_must_be_told_apart(
    tmp_path: Path, one: ChipReaderSettings, other: ChipReaderSettings, *, told_apart: bool
) -> None:
    fails = nullcontext() if told_apart else pytest.raises(ConfigError, match="the reader of the other end")
    with fails:
        _check_readers(tmp_path / "gate.toml", one, other)


def test_a_camera_beside_another_looks_where_that_one_looks() -> None:
    with pytest.raises(ValueError, match="`direction` is that of the camera"):
        FaceCameraSettings(
            name="warm", source="/dev/video1", infrared_of="middle", direction=Direction.REVERSE
        )


def test_whether_there_are_light_curtains_the_wiring_tells(tmp_path: Path) -> None:
    without = load_text(tmp_path / "gate.toml", filled())
    with_one = load_text(tmp_path / "gate.toml", lane("one_door", *BEAMS))
    assert not decided(without).lane.curtains
    assert decided(with_one).lane.curtains
