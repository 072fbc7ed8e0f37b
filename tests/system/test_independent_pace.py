"""PACE and its secure messaging against OpenPACE's libeac: it reads our chip, and we read its."""

import json
import secrets
import subprocess
from collections.abc import Iterator
from datetime import date
from pathlib import Path

import pytest
from msgspec.structs import replace

from drivers.pcsc_reader import PcscChipReader
from gated.document.access import Password, PasswordKind
from gated.document.keys import Suite
from gated.document.reading import drive, read_passport
from hw_sim.passport import lds, profiles
from hw_sim.passport.chip import Chip
from hw_sim.passport.issuer import PACE_ONLY, issue
from hw_sim.passport.profile import CAN, PERSON, photograph
from hw_sim.passport.protocols import ChipAuthenticationProfile
from tests import pcsc_rig
from tests.system.independent import programs
from tests.system.independent.reader import SETTINGS, until_empty

TODAY = date(2026, 11, 23)
LIBRARIES = ("/usr/lib/x86_64-linux-gnu/libeac.so.3", "/usr/lib/x86_64-linux-gnu/libpcsclite.so.1")
MISSING = pcsc_rig.what_is_missing() or programs.missing(
    files=(str(programs.SYSTEM_PYTHON), *LIBRARIES), packages="libeac3 libpcsclite1"
)
pytestmark = [pytest.mark.independent, pytest.mark.skipif(bool(MISSING), reason=MISSING)]

NO_CARD = programs.missing(
    files=("/usr/lib/python3/site-packages/virtualsmartcard", "/usr/lib/python3/dist-packages/Cryptodome"),
    packages="vsmartcard-vpicc python3-pycryptodome",
)
FILES = {
    lds.CARD_ACCESS: "card_access",
    lds.COM: "com",
    lds.SOD: "sod",
    lds.DG1: "dg1",
    lds.DG2: "dg2",
    lds.DG14: "dg14",
}

# Each cipher, each curve, each group; libeac has generic mapping only.
KINDS = [
    *(f"pace-gm-{suite}-brainpoolp256r1" for suite in ("3des", "aes128", "aes192", "aes256")),
    *(name for name in profiles.BY_NAME if name.startswith("pace-gm-aes128-") and "p256r1" not in name),
    *(
        f"pace-dh-gm-{suite}-{group}"
        for suite in ("3des", "aes256")
        for group in ("1024q160", "2048q224", "2048q256")
    ),
    "pace-explicit",
]


@pytest.fixture(scope="module")
def daemon() -> Iterator[pcsc_rig.Daemon]:
    with pcsc_rig.running() as one:
        yield one


@pytest.fixture
def empty(daemon: pcsc_rig.Daemon) -> Iterator[pcsc_rig.Daemon]:
    """The daemon with nothing on its reader, before and after."""
    until_empty()
    yield daemon
    daemon.take_away()


@pytest.mark.parametrize("name", KINDS)
def test_libeac_opens_our_chip_and_reads_its_files(empty: pcsc_rig.Daemon, name: str) -> None:
    passport = profiles.BY_NAME[name].passport(TODAY)
    empty.lay(Chip(passport))
    done = terminal("CAN", CAN)
    assert done.returncode == 0, done.stderr
    read = json.loads(done.stdout)
    for fid in (lds.COM, lds.DG1, lds.DG2):
        assert bytes.fromhex(read[f"{fid:04x}"]) == passport.files[fid]


@pytest.mark.parametrize(
    ("suite", "domain", "protocol"),
    [
        (Suite.TDES, 12, "id-CA-ECDH-3DES-CBC-CBC"),
        (Suite.AES_128, 13, "id-CA-ECDH-AES-CBC-CMAC-128"),
        (Suite.AES_192, 16, "id-CA-ECDH-AES-CBC-CMAC-192"),
        (Suite.AES_256, 18, "id-CA-ECDH-AES-CBC-CMAC-256"),
        (Suite.AES_128, 2, "id-CA-DH-AES-CBC-CMAC-128"),
    ],
)
def test_libeac_believes_our_chips_key_and_goes_on_under_its_keys(
    empty: pcsc_rig.Daemon, suite: Suite, domain: int, protocol: str
) -> None:
    key = ChipAuthenticationProfile(suite=suite, domain=domain, version=2)
    offers = replace(PACE_ONLY, can=CAN, chip_authentication=(key,))
    profile = profiles.BY_NAME["pace"]
    passport = issue(profile.authority(TODAY), PERSON, photograph("jpeg"), protocols=offers)
    empty.lay(Chip(passport))
    done = terminal("CAN", CAN, protocol, str(domain))
    assert done.returncode == 0, done.stderr
    read = json.loads(done.stdout)
    assert bytes.fromhex(read["0102"]) == passport.files[lds.DG2]


def terminal(kind: str, secret: str, *more: str) -> "subprocess.CompletedProcess[str]":
    command = [str(programs.SYSTEM_PYTHON), str(programs.HERE / "eac_terminal.py"), kind, secret, *more]
    return subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)


@pytest.mark.skipif(bool(NO_CARD), reason=NO_CARD)
@pytest.mark.parametrize("kind", [PasswordKind.CAN, PasswordKind.MRZ])
def test_we_open_the_chip_of_vsmartcard_and_libeac(
    empty: pcsc_rig.Daemon, tmp_path: Path, kind: PasswordKind
) -> None:
    passport = profiles.BY_NAME["pace"].passport(TODAY)
    key = passport.access_key
    for fid in FILES:
        (tmp_path / f"{fid:04x}").write_bytes(passport.files[fid])
    card = programs.python("pace_card.py", "127.0.0.1", str(empty.port), str(tmp_path), CAN, zone_of(key))
    reader = PcscChipReader(SETTINGS)
    try:
        reader.open()
        assert reader.await_card(programs.START_S)
        historical = reader.connect()
        password = Password(kind, CAN if kind is PasswordKind.CAN else key)
        reading = read_passport(
            password, random=secrets.token_bytes, limits=reader.limits, historical=historical
        )
        files = drive(reading, reader.transceive)
    finally:
        reader.close()
        programs.end(card)
    assert (files.access, files.access_reason) == ("PACE-ECDH-GM-AES-128", "")
    for fid, name in FILES.items():
        assert files[name].reveal() == passport.files[fid]


def zone_of(key: str) -> str:
    """Number, birth and expiry in a zone of three lines: libeac knows no other."""
    number, birth, expiry = key[:10], key[10:17], key[17:24]
    return f"I<UTO{number}".ljust(30, "<") + f"{birth}X{expiry}UTO".ljust(30, "<") + "<" * 30
