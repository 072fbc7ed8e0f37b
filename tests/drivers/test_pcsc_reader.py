"""The reader driver on a real PC/SC daemon with a virtual reader, where these are installed."""

import secrets
import sys
import time
from collections.abc import Iterator
from datetime import date

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from drivers import pcsc_reader
from drivers.chip_reader import CcidChipReader
from drivers.pcsc_reader import PcscChipReader
from drivers.reader_choice import chip_reader
from drivers.reader_survey import pcsc_readers
from gated.core.ports import CardGone, ChipReader, DeviceError, DeviceGone, DeviceTimeout, Limits
from gated.core.settings.readers import ChipReaderSettings
from gated.document import mrz
from gated.document.access import Password
from gated.document.reading import ChipFiles, drive, read_passport
from hw_sim.passport import issuer, lds
from hw_sim.passport.chip import Chip
from tests import pcsc_rig
from tests.holder import ANNA

MISSING = pcsc_rig.what_is_missing()
needs_daemon = pytest.mark.skipif(bool(MISSING), reason=MISSING)
SETTINGS = ChipReaderSettings(interface="pcsc", name="virtual pcd 00 00", exchange_s=5.0)
READ = bytes.fromhex("00b0000000")


class Sheet:
    """A card that returns as many zero bytes as Le says, after some time."""

    atr = bytes.fromhex("3b 88 80 01 0011223344556677 09")

    def __init__(self) -> None:
        self.takes_s = 0.0
        self.resets = 0

    def reset(self) -> None:
        self.resets += 1

    def command(self, apdu: bytes) -> bytes:
        time.sleep(self.takes_s)
        return bytes(apdu[4]) + b"\x90\x00"

    def busy_s(self, command: bytes, response: bytes) -> float:  # noqa: ARG002 - it takes real time
        return 0.0


@pytest.fixture(scope="module")
def daemon() -> Iterator[pcsc_rig.Daemon]:
    with pcsc_rig.running() as one:
        yield one


@pytest.fixture
def reader(daemon: pcsc_rig.Daemon) -> Iterator[PcscChipReader]:
    one = PcscChipReader(SETTINGS)
    one.open()
    yield one
    one.close()
    daemon.take_away()
    gone_by = time.monotonic() + 5.0
    one.open()
    while one.card_present():
        assert time.monotonic() < gone_by
        time.sleep(0.02)
    one.close()


def connected(reader: PcscChipReader, daemon: pcsc_rig.Daemon) -> Sheet:
    card = Sheet()
    daemon.lay(card)
    assert reader.await_card(5.0)
    reader.connect()
    return card


def test_it_is_a_chip_reader() -> None:
    reader: ChipReader = PcscChipReader(SETTINGS)
    assert not reader.is_open


@needs_daemon
def test_a_passport_is_read(reader: PcscChipReader, daemon: pcsc_rig.Daemon) -> None:
    authority = issuer.Authority.establish("utopia", today=date(2026, 11, 23))
    passport = issuer.issue(authority, ANNA, b"\xff\xd8\xff\xe0" + bytes(5000))
    daemon.lay(Chip(passport))
    assert reader.await_card(5.0)
    historical = reader.connect()
    page = "\n".join(passport.lines).encode()
    commands = read_passport(
        Password.of_mrz(mrz.parse(page)),
        random=secrets.token_bytes,
        limits=reader.limits,
        historical=historical,
    )
    files: ChipFiles = drive(commands, reader.transceive)
    assert files["dg2"].reveal() == passport.files[lds.DG2]
    assert files["sod"].reveal() == passport.files[lds.SOD]


@needs_daemon
def test_the_card_is_powered_from_scratch_and_tells_its_historical_bytes(
    reader: PcscChipReader, daemon: pcsc_rig.Daemon
) -> None:
    card = connected(reader, daemon)
    before = card.resets
    assert reader.connect() == bytes.fromhex("0011223344556677")
    assert card.resets > before
    assert reader.transceive(READ[:4] + b"\x05") == bytes(5) + b"\x90\x00"


@needs_daemon
def test_a_reader_whose_driver_does_not_say_more_carries_short_apdus(reader: PcscChipReader) -> None:
    assert reader.limits == Limits(max_command=261, max_response=256)
    with pytest.raises(DeviceError, match="short_apdus_only"):
        reader.transceive(bytes(262))
    for apdu in (b"", bytes(3), bytes(65_545)):
        with pytest.raises(ValueError, match="command APDU"):
            reader.transceive(apdu)


@needs_daemon
def test_without_a_card(reader: PcscChipReader) -> None:
    started = time.monotonic()
    assert not reader.await_card(0.2)
    assert 0.2 <= time.monotonic() - started < 1.0
    with pytest.raises(CardGone, match="no_card"):
        reader.connect()
    with pytest.raises(CardGone, match="not_connected"):
        reader.transceive(READ)


@needs_daemon
def test_a_card_taken_away_and_laid_down_again(reader: PcscChipReader, daemon: pcsc_rig.Daemon) -> None:
    connected(reader, daemon)
    daemon.take_away()
    with pytest.raises(CardGone, match="card_removed"):
        reader.transceive(READ)
    connected(reader, daemon)
    assert reader.transceive(READ) == b"\x90\x00"


@needs_daemon
def test_a_daemon_that_ends_and_comes_back(daemon: pcsc_rig.Daemon) -> None:
    reader = PcscChipReader(SETTINGS)
    reader.open()
    daemon.stop()
    with pytest.raises(DeviceGone, match=r"no_service.*systemctl start pcscd"):
        reader.card_present()
    with pytest.raises(DeviceGone, match="no_service"):
        reader.open()
    assert not reader.is_open
    daemon.start()
    reader.open()
    assert not reader.card_present()
    reader.close()


@needs_daemon
def test_the_name_says_which_reader(daemon: pcsc_rig.Daemon) -> None:  # noqa: ARG001 - it lists two
    assert pcsc_readers() == ("Virtual PCD 00 00", "Virtual PCD 00 01")
    with pytest.raises(DeviceError, match=r"several_readers.*\[chip_reader\] name"):
        PcscChipReader(ChipReaderSettings(interface="pcsc")).open()
    with pytest.raises(DeviceGone, match=r"not_found.*\[chip_reader\] name"):
        PcscChipReader(ChipReaderSettings(interface="pcsc", name="none of these")).open()


@needs_daemon
def test_a_card_that_another_program_holds(reader: PcscChipReader, daemon: pcsc_rig.Daemon) -> None:
    connected(reader, daemon)
    other = PcscChipReader(SETTINGS)
    with pytest.raises(DeviceError, match="claimed_by_other"):
        other.open()
    assert not other.is_open


@needs_daemon
def test_a_call_that_hangs_ends_at_the_deadline_and_freezes_the_reader_until_it_comes_back(
    daemon: pcsc_rig.Daemon,
) -> None:
    reader = PcscChipReader(ChipReaderSettings(interface="pcsc", name=SETTINGS.name, exchange_s=0.5))
    reader.open()
    card = connected(reader, daemon)
    card.takes_s = 1.5
    started = time.monotonic()
    with pytest.raises(DeviceTimeout, match="silent"):
        reader.transceive(READ)
    reader.close()
    assert time.monotonic() - started < 1.4  # not even closing waits for it
    with pytest.raises(DeviceTimeout, match="frozen"):
        reader.open()
    card.takes_s = 0.0
    time.sleep(1.5)
    reader.open()
    reader.connect()
    assert reader.transceive(READ) == b"\x90\x00"
    reader.close()
    daemon.take_away()


def test_a_closed_reader_says_so() -> None:
    reader = PcscChipReader(SETTINGS)
    for ask in (reader.card_present, reader.connect, lambda: reader.limits, lambda: reader.transceive(READ)):
        with pytest.raises(DeviceGone, match="not_open"):
            ask()
    reader.disconnect()
    reader.close()


def test_without_its_package_the_driver_names_the_fix(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "smartcard", None)  # as if it were not installed
    with pytest.raises(DeviceError, match=r"no_pyscard.*pip install 'egate\[pcsc\]'"):
        PcscChipReader(SETTINGS).open()


@pytest.mark.parametrize(
    ("properties", "carried"),
    [
        ("0a 04 00000100", pcsc_reader.EXTENDED),
        ("0b 02 2012 0a 04 00000100 0c 02 0000", pcsc_reader.EXTENDED),
        ("0a 04 00000000", pcsc_reader.SHORT),
        ("0a 04 00010000", pcsc_reader.SHORT),
        ("0b 02 2012", pcsc_reader.SHORT),
        ("0a 05 00000100", pcsc_reader.SHORT),
        ("", pcsc_reader.SHORT),
    ],
)
def test_what_a_driver_says_about_the_length_of_apdus(properties: str, carried: Limits) -> None:
    # PC/SC part 10, 2.6.14: 65536 where extended APDUs are carried, 0 where only short ones are
    assert pcsc_reader._limits(bytes.fromhex(properties)) == carried


@settings(derandomize=True)
@given(st.binary(max_size=60))
def test_any_properties_are_read(raw: bytes) -> None:
    assert pcsc_reader._limits(raw) in (pcsc_reader.SHORT, pcsc_reader.EXTENDED)


@pytest.mark.parametrize(
    ("name", "kind", "code"),
    [
        ("REMOVED_CARD", CardGone, "card_removed"),
        ("UNRESPONSIVE_CARD", CardGone, "card_mute"),
        ("PROTO_MISMATCH", CardGone, "card_without_t1"),
        ("READER_UNAVAILABLE", DeviceGone, "unplugged"),
        ("SERVICE_STOPPED", DeviceGone, "no_service"),
        ("TIMEOUT", DeviceTimeout, "silent"),
        ("SECURITY_VIOLATION", DeviceError, "no_right"),
        ("80100fff", DeviceError, "pcsc_80100fff"),
    ],
)
def test_each_result_code_says_whose_fault_it_is(name: str, kind: type[DeviceError], code: str) -> None:
    failure = pcsc_reader._failure(name)
    assert (type(failure), failure.code) == (kind, code)


def test_the_configuration_chooses_the_driver() -> None:
    assert isinstance(chip_reader(SETTINGS), PcscChipReader)
    assert isinstance(chip_reader(ChipReaderSettings()), CcidChipReader)
