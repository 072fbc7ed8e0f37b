"""BAC, secure messaging and files with programs of others: their reader at our chip, ours at theirs."""

import os
import re
import secrets
import subprocess
import time
from collections.abc import Iterator
from datetime import date
from pathlib import Path

import pytest

from drivers.pcsc_reader import PcscChipReader
from gated.document.access import Password, PasswordKind
from gated.document.lds import parse_sod
from gated.document.reading import ChipFiles, drive, read_passport
from hw_sim.passport import lds, profiles
from hw_sim.passport.issuer import Passport
from hw_sim.passport.profile import photograph
from tests import pcsc_rig
from tests.hw_sim.test_vpcd import Reader
from tests.system.independent import programs
from tests.system.independent.reader import SETTINGS, until_empty

pytestmark = pytest.mark.independent

NO_READER = programs.missing(programs=("mrtdreader",), packages="mrtdreader")
NO_CARD = programs.missing(
    files=(str(programs.SYSTEM_PYTHON), "/usr/lib/python3/site-packages/virtualsmartcard",
           "/usr/lib/python3/dist-packages/Cryptodome"),
    packages="vsmartcard-vpicc python3-pycryptodome",
)  # fmt: skip
NO_DAEMON = pcsc_rig.what_is_missing()
NO_TOOL = programs.missing(programs=("opensc-tool",), packages="opensc")
FILES = {lds.COM: "com", lds.SOD: "sod", lds.DG1: "dg1", lds.DG2: "dg2"}


def bac_passport(name: str = "bac") -> Passport:
    return profiles.BY_NAME[name].passport(date(2026, 11, 23))


# --- their reader at our chip ------------------------------------------------------------------------


@pytest.mark.skipif(bool(NO_READER), reason=NO_READER)
def test_mrtdreader_reads_all_that_it_reads_from_our_chip(tmp_path: Path) -> None:
    passport, port = bac_passport("jpeg2000"), programs.free_port()
    chip = programs.gate_sim_chip(port, "jpeg2000")
    try:
        done = subprocess.run(
            ["mrtdreader", passport.lines[1]],
            env=os.environ
            | {"LD_PRELOAD": str(programs.compiled("nfc_reader.c", tmp_path)), "VPCD_PORT": str(port)},
            cwd=tmp_path,
            capture_output=True,
            timeout=60,
            check=False,
        )
    finally:
        programs.end(chip)
    said = done.stdout.decode("latin-1")
    assert "Challenge successful" in said
    assert passport.files[lds.COM].hex() in said
    assert "".join(passport.lines) in said
    signed = bytes.fromhex(re.findall(r"EF\.SOD.*\nFile content: ([0-9a-f]+)", said)[0])
    assert parse_sod(signed)  # whole; signed today, so not byte for byte the one above
    assert (tmp_path / "image.jp2").read_bytes() == photograph("jpeg2000")


@pytest.fixture(scope="module")
def daemon() -> Iterator[pcsc_rig.Daemon]:
    with pcsc_rig.running() as one:
        yield one


@pytest.fixture
def empty(daemon: pcsc_rig.Daemon) -> pcsc_rig.Daemon:
    until_empty()
    return daemon


@pytest.mark.skipif(bool(NO_DAEMON or NO_TOOL), reason=NO_DAEMON or NO_TOOL)
def test_opensc_finds_our_chip_in_the_reader_of_the_pcsc_daemon(empty: pcsc_rig.Daemon) -> None:
    chip = programs.gate_sim_chip(empty.port, "pace+bac")
    try:
        passport = bac_passport("pace+bac")
        atr = profiles.BY_NAME["pace+bac"].chip(date(2026, 11, 23)).atr
        said = until_answered(["opensc-tool", "--reader", "0", "--atr"])
        assert said.strip().replace(":", "") == atr.hex()
        said = until_answered(["opensc-tool", "--reader", "0", "-s", "00A4020C02011C", "-s", "00B0000000"])
        content = passport.files[lds.CARD_ACCESS].hex(" ").upper()
        assert content in " ".join(line[:48].strip() for line in said.splitlines())
    finally:
        programs.end(chip)


def until_answered(command: list[str]) -> str:
    """What a program says once the daemon has noticed the card."""
    deadline = time.monotonic() + programs.START_S
    while True:
        done = subprocess.run(command, capture_output=True, text=True, timeout=30, check=False)
        if done.returncode == 0:
            return done.stdout
        assert time.monotonic() < deadline, done.stderr
        time.sleep(0.2)


# --- our reader at their chip ------------------------------------------------------------------------


def their_card(port: int, folder: Path, passport: Passport) -> "subprocess.Popen[str]":
    files = folder / "files"
    files.mkdir()
    for fid in FILES:
        (files / f"{fid:04x}").write_bytes(passport.files[fid])
    return programs.python("passport_card.py", "127.0.0.1", str(port), str(files))


def assert_read(files: ChipFiles, passport: Passport) -> None:
    assert (files.access, files.access_reason) == ("BAC", "no_card_access")
    for fid, name in FILES.items():
        assert files[name].reveal() == passport.files[fid]


@pytest.mark.skipif(bool(NO_CARD), reason=NO_CARD)
def test_our_reading_reads_vsmartcards_passport(tmp_path: Path) -> None:
    passport, reader = bac_passport(), Reader()
    card = their_card(reader.address.port, tmp_path, passport)
    try:
        reader.listener.settimeout(programs.START_S)
        reader.accept()
        reader.send(b"\1")
        password = Password(PasswordKind.MRZ, passport.access_key)
        assert_read(drive(read_passport(password, random=secrets.token_bytes), reader.ask), passport)
    finally:
        reader.close()
        programs.end(card)


@pytest.mark.skipif(bool(NO_CARD or NO_DAEMON), reason=NO_CARD or NO_DAEMON)
def test_our_pcsc_driver_reads_vsmartcards_passport(empty: pcsc_rig.Daemon, tmp_path: Path) -> None:
    passport = bac_passport()
    card = their_card(empty.port, tmp_path, passport)
    reader = PcscChipReader(SETTINGS)
    try:
        reader.open()
        assert reader.await_card(programs.START_S)
        connected = reader.connect()
        password = Password(PasswordKind.MRZ, passport.access_key)
        reading = read_passport(
            password, random=secrets.token_bytes, limits=reader.limits, historical=connected
        )
        assert_read(drive(reading, reader.transceive), passport)
    finally:
        reader.close()
        programs.end(card)
