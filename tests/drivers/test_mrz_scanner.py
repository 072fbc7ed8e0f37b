"""The scanner driver on a pseudo-terminal: real driver, real pyserial, a simulated reader at the far end."""

import os
import time
from collections.abc import Iterator
from pathlib import Path
from threading import Thread, Timer

import pytest

from drivers.mrz_scanner import SerialMrzScanner
from gated.core.ports import DeviceError, DeviceGone
from gated.core.settings.readers import MrzScannerSettings
from hw_sim.reader.scanner import Framing, PtyScanner

# Doc 9303-4, appendix B (TD3); Doc 9303-5, appendix B (TD1); Doc 9303-6, appendix B (TD2)
TD3 = ("P<UTOERIKSSON<<ANNA<MARIA<<<<<<<<<<<<<<<<<<<", "L898902C36UTO7408122F1204159ZE184226B<<<<<10")
TD1 = ("I<UTOD231458907<<<<<<<<<<<<<<<", "7408122F1204159UTO<<<<<<<<<<<6", "ERIKSSON<<ANNA<MARIA<<<<<<<<<<")
TD2 = ("I<UTOERIKSSON<<ANNA<MARIA<<<<<<<<<<<", "D231458907UTO7408122F1204159<<<<<<<6")
GAP_S = 0.1
FAST = 115_200


def joined(lines: tuple[str, ...]) -> bytes:
    return "\n".join(lines).encode()


def settings(device: PtyScanner, **more: object) -> MrzScannerSettings:
    return MrzScannerSettings(port=str(device.path), byte_gap_s=GAP_S, **more)  # type: ignore[arg-type]  # its own fields


@pytest.fixture
def device(tmp_path: Path) -> Iterator[PtyScanner]:
    one = PtyScanner(tmp_path, baud=FAST, inquire="I\r")
    yield one
    one.close()


@pytest.fixture
def scanner(device: PtyScanner) -> Iterator[SerialMrzScanner]:
    one = SerialMrzScanner(settings(device, inquire="I\r"))
    one.open()
    yield one
    one.close()


CONFIGURED = {  # what a technician writes for each way of framing
    Framing.CR: {},
    Framing.CRLF: {},
    Framing.BARE_CRS: {},
    Framing.ONE_LINE: {},
    Framing.STX_ETX: {},
    Framing.SOH_EOT: {"profile": "delimited", "start": "\x01", "end": "\x04"},
    Framing.RTE: {"profile": "rte-native"},
    Framing.ELYCTIS: {"profile": "elyctis-idbox"},
}


@pytest.mark.parametrize("framing", list(Framing))
@pytest.mark.parametrize("lines", [TD3, TD1, TD2])
def test_every_framing_of_every_zone_is_one_message(
    tmp_path: Path, framing: Framing, lines: tuple[str, ...]
) -> None:
    device = PtyScanner(tmp_path, framing=framing, baud=FAST)
    scanner = SerialMrzScanner(settings(device, **CONFIGURED[framing]))
    scanner.open()
    expected = joined(lines).replace(b"\n", b"") if framing is Framing.ONE_LINE else joined(lines)
    for _ in range(2):
        device.send(lines)
        assert scanner.read(1.0) == expected
    assert scanner.read(0.05) is None
    scanner.close()
    device.close()


def test_a_filler_of_its_own_is_told_by_the_configuration(tmp_path: Path) -> None:
    device = PtyScanner(tmp_path, framing=Framing.STX_ETX, baud=FAST, filler="_")
    scanner = SerialMrzScanner(settings(device, filler="_"))
    scanner.open()
    device.send(TD3)
    assert scanner.read(1.0) == joined(TD3)
    scanner.close()
    device.close()


def test_a_reader_that_reads_by_itself_only_when_told_is_told_again_after_each_document(
    tmp_path: Path,
) -> None:
    device = PtyScanner(
        tmp_path, framing=Framing.ELYCTIS, baud=FAST, continuous="C\x00\x01\x01", inquire="I\x00\x00"
    )
    scanner = SerialMrzScanner(settings(device, profile="elyctis-idbox"))
    device.send(TD3)  # nobody has told it yet
    scanner.open()
    assert scanner.read(0.2) is None  # its confirmation is no message
    device.send(TD3)
    assert scanner.read(1.0) == joined(TD3)
    assert scanner.read(0.2) is None
    device.send(TD1)
    assert scanner.read(1.0) == joined(TD1)
    device.place(TD2)
    scanner.inquire()
    assert scanner.read(1.0) == joined(TD2)
    device.take()
    scanner.inquire()
    assert scanner.read(0.2) is None
    scanner.close()
    device.close()


def test_a_key_replaces_what_the_profile_says(tmp_path: Path) -> None:
    device = PtyScanner(tmp_path, framing=Framing.RTE, baud=FAST, inquire="?")
    scanner = SerialMrzScanner(settings(device, profile="rte-native", inquire="?"))
    scanner.open()
    device.place(TD3)
    scanner.inquire()
    assert scanner.read(1.0) == joined(TD3)
    scanner.close()
    device.close()


def test_bytes_without_meaning_are_dropped_wherever_they_come(tmp_path: Path) -> None:
    device = PtyScanner(tmp_path, baud=FAST)
    scanner = SerialMrzScanner(settings(device, ignored="\x00\x06"))
    scanner.open()
    device.send_raw(b"\x06\x00")
    assert scanner.read(0.1) is None
    device.send_raw(b"\x06" + b"\r".join(line.encode() for line in TD3).replace(b"UTO", b"UTO\x00") + b"\r")
    assert scanner.read(1.0) == joined(TD3)
    scanner.close()
    device.close()


@pytest.mark.parametrize(
    ("profile", "sent", "code"),
    [
        ("delimited", b"P<UTO", "noise"),
        ("delimited", b"\x02P<UTO", "cut_off"),
        ("rte-native", b"P<UTO", "noise"),
        ("rte-native", b"\x01\x10\x00OUP<UTO", "noise"),
        ("rte-native", b"\x01\x10\x00OU\x02\x20P<UTO", "cut_off"),
        ("elyctis-idbox", b"\x02P<UTO", "noise"),
        ("elyctis-idbox", b"I\xff\xffP<UTO", "noise"),
        ("elyctis-idbox", b"I\x00\x58P<UTO", "cut_off"),
        ("generic", b"\x02P<UTO", "cut_off"),
    ],
)
def test_what_has_no_frame_is_a_clear_fault_and_the_next_message_is_read(
    tmp_path: Path, profile: str, sent: bytes, code: str
) -> None:
    framing = {
        "delimited": Framing.STX_ETX,
        "rte-native": Framing.RTE,
        "elyctis-idbox": Framing.ELYCTIS,
        "generic": Framing.CR,
    }[profile]
    device = PtyScanner(tmp_path, framing=framing, baud=FAST)
    scanner = SerialMrzScanner(settings(device, profile=profile))
    scanner.open()
    device.send_raw(sent)
    with pytest.raises(DeviceError, match=rf"{code}: .*\[mrz_scanner\].*framing") as caught:
        scanner.read(1.0)
    assert "UTO" not in str(caught.value) + repr(caught.value.__context__)
    device.send(TD3)
    assert scanner.read(1.0) == joined(TD3)
    scanner.close()
    device.close()


def test_a_whole_zone_does_not_wait_for_the_pause(device: PtyScanner) -> None:
    scanner = SerialMrzScanner(MrzScannerSettings(port=str(device.path), byte_gap_s=5.0))
    scanner.open()
    device.send(TD3)
    started = time.monotonic()
    assert scanner.read(1.0) == joined(TD3)
    assert time.monotonic() - started < 1.0
    scanner.close()


def test_at_9600_baud_a_zone_takes_its_time_and_stays_one_message(tmp_path: Path) -> None:
    device = PtyScanner(tmp_path)
    scanner = SerialMrzScanner(settings(device))
    scanner.open()
    started = time.monotonic()
    Thread(target=device.send, args=(TD3,)).start()
    assert scanner.read(1.0) == joined(TD3)
    assert 0.09 <= time.monotonic() - started < 0.3  # 90 bytes of 10 bits
    scanner.close()
    device.close()


def test_two_messages_that_wait_are_two(device: PtyScanner, scanner: SerialMrzScanner) -> None:
    device.send(TD3)
    device.send(TD1)
    assert scanner.read(1.0) == joined(TD3)
    assert scanner.read(1.0) == joined(TD1)


def test_silence_is_none(scanner: SerialMrzScanner) -> None:
    started = time.monotonic()
    assert scanner.read(0.1) is None
    assert 0.1 <= time.monotonic() - started < 0.3


def test_inquire_makes_the_device_send_again(device: PtyScanner, scanner: SerialMrzScanner) -> None:
    device.place(TD3)
    assert scanner.read(0.05) is None
    scanner.inquire()
    assert scanner.read(1.0) == joined(TD3)
    device.take()
    scanner.inquire()
    assert scanner.read(0.2) is None


def test_without_an_inquire_command_nothing_is_sent(device: PtyScanner) -> None:
    scanner = SerialMrzScanner(settings(device))
    scanner.open()
    device.place(TD3)
    scanner.inquire()
    assert scanner.read(0.2) is None
    scanner.close()


def test_short_garbage_is_a_message_for_the_parser_to_refuse(
    device: PtyScanner, scanner: SerialMrzScanner
) -> None:
    device.send_raw(b"no zone at all")
    assert scanner.read(1.0) == b"no zone at all"
    device.send(TD3)
    assert scanner.read(1.0) == joined(TD3)


@pytest.mark.parametrize(
    "garbage", [b"\x55" * 3000, b"\x02" + b"\x55" * 3000, b"\rA" * 1500, b"\xff\x00\x80junk"]
)
def test_noise_is_thrown_away_and_reported(
    device: PtyScanner, scanner: SerialMrzScanner, garbage: bytes
) -> None:
    device.send_raw(garbage)
    with pytest.raises(DeviceError, match=r"noise.*baud") as caught:
        scanner.read(1.0)
    assert not isinstance(caught.value, DeviceGone)
    device.send(TD3)
    assert scanner.read(1.0) == joined(TD3)


def test_a_dripping_line_ends_in_time(device: PtyScanner) -> None:
    scanner = SerialMrzScanner(settings(device, max_bytes=90))
    scanner.open()
    started = time.monotonic()

    def drip() -> None:
        for _ in range(12):
            device.send_raw(b"A")
            time.sleep(GAP_S * 0.7)

    Thread(target=drip).start()
    with pytest.raises(DeviceError, match="noise"):
        scanner.read(1.0)
    assert time.monotonic() - started < 2.0
    scanner.close()


def test_what_was_sent_before_opening_is_forgotten(device: PtyScanner, scanner: SerialMrzScanner) -> None:
    device.send(TD3)
    scanner.open()
    assert scanner.read(0.1) is None


def test_a_missing_port_names_the_fix(tmp_path: Path) -> None:
    scanner = SerialMrzScanner(MrzScannerSettings(port=str(tmp_path / "absent")))
    with pytest.raises(DeviceGone, match=r"check the cable and \[mrz_scanner\] port"):
        scanner.open()
    with pytest.raises(DeviceGone, match="not_open"):
        scanner.read(0.1)


def test_a_port_that_vanishes_in_mid_read_and_comes_back(
    device: PtyScanner, scanner: SerialMrzScanner
) -> None:
    Timer(0.05, device.vanish).start()
    with pytest.raises(DeviceGone, match="vanished"):
        scanner.read(3.0)
    with pytest.raises(DeviceGone, match="not_there"):
        scanner.open()
    device.appear()
    scanner.open()
    device.send(TD3)
    assert scanner.read(1.0) == joined(TD3)


def test_a_port_that_vanishes_in_mid_message(device: PtyScanner, scanner: SerialMrzScanner) -> None:
    def break_off() -> None:
        device.send_raw(b"P<UTO")
        device.vanish()

    Thread(target=break_off).start()
    with pytest.raises(DeviceGone, match="vanished"):
        scanner.read(3.0)


def test_inquiring_of_a_vanished_port(device: PtyScanner, scanner: SerialMrzScanner) -> None:
    device.vanish()
    with pytest.raises(DeviceGone, match="vanished"):
        scanner.inquire()


def test_a_port_that_another_program_holds(device: PtyScanner, scanner: SerialMrzScanner) -> None:
    second = SerialMrzScanner(settings(device))
    with pytest.raises(DeviceError, match=r"in_use.*stop the other program"):
        second.open()
    scanner.close()
    second.open()
    second.close()
    second.close()


@pytest.fixture
def nobody() -> Iterator[None]:
    """Not root, to whom every port is open."""
    mine = os.geteuid()
    if mine == 0:
        os.seteuid(65_534)
    yield
    os.seteuid(mine)


def test_a_port_that_this_user_may_not_open_is_not_called_missing(
    device: PtyScanner, request: pytest.FixtureRequest
) -> None:
    device.path.resolve().chmod(0)
    request.getfixturevalue("nobody")
    with pytest.raises(DeviceError, match=r"no_right: give the gate's user the right"):
        SerialMrzScanner(settings(device)).open()


def test_errors_never_quote_the_zone(device: PtyScanner, scanner: SerialMrzScanner) -> None:
    device.send_raw(b"CANARY" * 100)
    with pytest.raises(DeviceError) as caught:
        scanner.read(1.0)
    assert "CANARY" not in str(caught.value) + repr(caught.value.__context__)
