"""Framing without a line: every way of sending every zone, in pieces of any size, and any bytes at all."""

import re
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from drivers.mrz_framing import Auto, Delimited, Elyctis, Framing, FramingError, Rte, lines_of
from drivers.mrz_profiles import PROFILES, Habits, habits_of
from gated.core.settings.readers import ChipReaderSettings, MrzScannerSettings
from hw_sim.reader import scanner as sim

FRAMINGS: dict[str, Framing] = {
    "auto": Auto(),
    "delimited": Delimited(b"\x02", b"\x03"),
    "rte": Rte(),
    "elyctis": Elyctis(512),
}
SENT_AS = {
    "auto": [sim.Framing.CR, sim.Framing.CRLF, sim.Framing.STX_ETX, sim.Framing.BARE_CRS],
    "delimited": [sim.Framing.STX_ETX],
    "rte": [sim.Framing.RTE],
    "elyctis": [sim.Framing.ELYCTIS],
}
character = st.sampled_from("ABCXYZ0189<")


def zone(lines: int, width: int) -> st.SearchStrategy[list[str]]:
    one = st.text(character, min_size=width, max_size=width)
    return st.lists(one, min_size=lines, max_size=lines)


zones = st.one_of(zone(2, 44), zone(2, 36), zone(3, 30))


def gather(framing: Framing, pieces: list[bytes]) -> tuple[bytes, bytes]:
    """The first message of bytes that come in pieces, and what is left of them."""
    raw = b""
    for number, piece in enumerate(pieces):
        raw += piece
        frame = framing.first(raw)
        if frame is not None:
            return frame.text, raw[frame.end :] + b"".join(pieces[number + 1 :])
    return framing.rest(raw), b""


@pytest.mark.parametrize("name", FRAMINGS)
@settings(derandomize=True, max_examples=100)
@given(data=st.data())
def test_two_zones_in_pieces_of_any_size_are_two_messages(name: str, data: st.DataObject) -> None:
    sent_as = data.draw(st.sampled_from(SENT_AS[name]))
    both = data.draw(zones), data.draw(zones)
    raw = b"".join(sent_as.wrap(lines) for lines in both)
    size = data.draw(st.integers(1, 60))
    pieces = [raw[at : at + size] for at in range(0, len(raw), size)]
    padding = b"_" if name == "rte" else b""
    for lines in both:
        text, left = gather(FRAMINGS[name], pieces)
        assert lines_of(text, padding=padding) == "\n".join(lines).encode()
        pieces = [left]


@pytest.mark.parametrize("name", ["delimited", "rte"])
@settings(derandomize=True)
@given(before=st.text(character, max_size=20), lines=zones)
def test_what_comes_before_the_mark_is_not_looked_at(name: str, before: str, lines: list[str]) -> None:
    raw = before.encode() + SENT_AS[name][0].wrap(lines)
    text, left = gather(FRAMINGS[name], [raw])
    assert lines_of(text, padding=b"_") == "\n".join(lines).encode()
    assert left == b""


@pytest.mark.parametrize("name", FRAMINGS)
@settings(derandomize=True, max_examples=200)
@given(
    raw=st.binary(min_size=1, max_size=80)
    | st.lists(st.sampled_from(b"\x01\x02\x03\r\nOUI\x00A"), min_size=1, max_size=40).map(bytes)
)
def test_any_bytes_are_frames_or_one_error(name: str, raw: bytes) -> None:
    framing = FRAMINGS[name]
    try:
        while raw:
            frame = framing.first(raw)
            if frame is None:
                framing.rest(raw)
                return
            assert 0 < frame.end <= len(raw)
            assert len(frame.text) < frame.end + 1
            raw = raw[frame.end :]
    except FramingError as error:
        assert error.code in {"noise", "cut_off"}  # noqa: PT017 - either end is right


def test_a_zone_of_another_form_ends_with_the_pause() -> None:
    assert Auto().first(b"IDFRAABC<<<\rDEF\r") is None
    assert lines_of(Auto().rest(b"\r\rIDFRAABC<<<\rDEF\r")) == b"IDFRAABC<<<\nDEF"


def test_blocks_of_other_parts_of_an_rte_reader_carry_no_zone() -> None:
    frame = Rte().first(b"\x01\x0a\x00MU\x02\x20%TRACK?\x03\x55")
    assert frame is not None
    assert (frame.text, frame.end) == (b"", 16)


def test_padding_is_taken_off_at_the_right_only_and_a_filler_is_replaced_everywhere() -> None:
    assert lines_of(b"A_B__\r\rC____\r", padding=b"_") == b"A_B\nC"
    assert lines_of(b"A_B__\r\n", filler=b"_") == b"A<B<<"
    assert lines_of(b"") == b""


def test_text_does_not_show_in_repr() -> None:
    frame = Auto().first(b"\x02SECRET\x03")
    assert frame is not None
    assert "SECRET" not in repr(frame)


def settings_of(**keys: object) -> MrzScannerSettings:
    return MrzScannerSettings(port="/dev/null", **keys)  # type: ignore[arg-type]  # its own fields


def test_the_configuration_knows_each_profile_and_no_other() -> None:
    for name in PROFILES:
        assert habits_of(settings_of(profile=name)) == PROFILES[name]
    annotation = str(MrzScannerSettings.__annotations__["profile"])
    assert set(re.findall(r"'([\w-]+)'", annotation)) == set(PROFILES)


def test_a_profile_is_generic_or_names_its_source() -> None:
    assert {name for name, habits in PROFILES.items() if not habits.source} == {"generic", "delimited"}


def test_each_key_replaces_what_the_profile_says() -> None:
    keys = {
        "baud": 1200,
        "bytesize": 7,
        "parity": "E",
        "stopbits": 2,
        "framing": "delimited",
        "start": "\x01",
        "end": "\x04",
        "filler": "_",
        "padding": "*",
        "ignored": "\x00",
        "inquire": "\xff",
        "continuous": "C",
        "rearm": False,
        "max_bytes": 300,
        "byte_gap_s": 0.5,
    }
    habits = habits_of(settings_of(profile="elyctis-idbox", **keys))
    told = {name: getattr(habits, name) for name in keys}
    assert told == {
        name: value.encode("latin-1")
        if isinstance(value, str) and name not in {"parity", "framing"}
        else value
        for name, value in keys.items()
    }
    assert set(keys) | {"source"} == set(Habits.__dataclass_fields__)


def test_an_empty_command_takes_away_that_of_the_profile() -> None:
    assert habits_of(settings_of(profile="elyctis-idbox", inquire="")).inquire == b""


def test_technicians_are_told_of_every_profile_and_key() -> None:
    told = (Path(__file__).parents[2] / "docs" / "readers.md").read_text()
    assert {name for name in PROFILES if f"| `{name}` |" not in told} == set()
    keys = {*MrzScannerSettings.__struct_fields__, *ChipReaderSettings.__struct_fields__}
    assert {key for key in keys if f"`{key}`" not in told and f"{key} = " not in told} == set()
