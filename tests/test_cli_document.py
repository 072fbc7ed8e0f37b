"""`gatectl document read` and `document transcript`, on a simulated reader behind the real driver."""

import json
import resource
from pathlib import Path

import pytest

from gated.runtime.clock import now_utc
from hw_sim.passport import profiles
from hw_sim.passport.profile import PERSON
from tests.gatectl import Run, gatectl

SIM = ("document", "read", "--reader", "sim", "--profile")


@pytest.fixture
def run(capsys: pytest.CaptureFixture[str]) -> Run:
    return gatectl(capsys)


def test_a_genuine_document_is_read_and_told_without_its_holder(run: Run) -> None:
    status, printed, _ = run(*SIM, "pace+bac")
    assert status == 0
    assert printed.startswith("successful: read over PACE-ECDH-GM-AES-128 in ")
    assert "sod_signature" in printed
    assert PERSON.surname.upper() not in printed
    assert PERSON.number not in printed


def test_the_holder_is_told_on_demand(run: Run) -> None:
    _, printed, _ = run(*SIM, "pace+bac", "--personal")
    assert PERSON.surname.upper() in printed


def test_json_has_what_the_text_has(run: Run) -> None:
    status, printed, _ = run(*SIM, "ca-aes128-brainpoolp256r1", "--json")
    value = json.loads(printed)
    assert (status, value["result"]) == (0, "successful")
    assert value["proof"] == "chip_authentication"
    assert {"sod", "dg1", "dg2", "dg14"} <= value["files"].keys()
    assert len(value["signer"]) == len(value["csca"]) == 64
    assert {check["name"] for check in value["checks"]} >= {"csca", "dg_hashes", "chip_authentication"}


def test_more_groups_are_read_where_they_are_wanted(run: Run) -> None:
    _, printed, _ = run(*SIM, "more-groups", "--groups", "11,12", "--json")
    assert {"dg11", "dg12"} <= json.loads(printed)["files"].keys()


def test_a_chip_that_does_not_open_says_what_to_check(run: Run, tmp_path: Path) -> None:
    other = tmp_path / "mrz"
    other.write_text(
        "P<UTOERIKSSON<<ANNA<MARIA<<<<<<<<<<<<<<<<<<<\nL898902C36UTO7408122F1204159ZE184226B<<<<<10\n",
        encoding="ascii",
    )
    status, printed, _ = run(*SIM, "pace+bac", "--mrz", other)
    assert status == 1
    assert printed.startswith("not read: access_denied: the chip does not open to this zone")


def test_a_hostile_chip_is_named_by_its_fault(run: Run) -> None:
    status, printed, _ = run(*SIM, "wrong-mac", "--json")
    assert (status, json.loads(printed)["error"]) == (1, "messaging_mac_wrong")


@pytest.mark.parametrize(
    ("arguments", "complaint"),
    [
        ((*SIM, "no-such-profile"), "--profile no-such-profile: name one of `gate-sim chip --list`"),
        (("document", "read", "--reader", "usb"), "give --mrz FILE"),
        ((*SIM, "bac", "--can", "12"), "--can: give the six digits"),
        ((*SIM, "bac", "--terminal-key", "key.pem"), "--terminal-key and --terminal-certificate go together"),
        (
            (*SIM, "bac", "--transcript", "t", "--terminal-key", "k"),
            "--transcript: a reading with a terminal's key cannot be recorded",
        ),
        (
            (*SIM[:2], "--reader", "usb", "--config", "/nowhere", "--can", "123456"),
            "/nowhere: cannot be read",
        ),
        (("document", "transcript", "/nowhere"), "/nowhere: cannot be read"),
    ],
)
def test_a_question_that_cannot_be_asked(run: Run, arguments: tuple[str, ...], complaint: str) -> None:
    status, _, complained = run(*arguments)
    assert status == 2
    assert complaint in complained


def test_a_recorded_reading_is_private_and_reads_again(run: Run, tmp_path: Path) -> None:
    recorded = tmp_path / "transcript.json"
    _, first, _ = run(*SIM, "pace+bac", "--transcript", recorded, "--json")
    assert recorded.stat().st_mode & 0o077 == 0
    status, again, _ = run("document", "transcript", recorded, "--json")
    one, other = json.loads(first), json.loads(again)
    assert (one["files"], one["access"], one["commands"]) == (
        other["files"],
        other["access"],
        other["commands"],
    )
    assert status == 1  # nobody is trusted here: no --trust, no configuration
    assert {check["reason"] for check in other["checks"] if check["name"] == "csca"} == {"csca_unknown"}


def test_a_recorded_reading_is_trusted_by_named_roots(run: Run, tmp_path: Path) -> None:
    recorded, root = tmp_path / "transcript.json", tmp_path / "root.der"
    run(*SIM, "pace+bac", "--transcript", recorded)
    profile = profiles.BY_NAME["pace+bac"]
    issued = json.loads(recorded.read_text())
    assert issued["format"] == "egate-transcript-1"
    root.write_bytes(profile.authority(now_utc().date()).anchor)
    status, printed, _ = run("document", "transcript", recorded, "--trust", root, "--exchanges")
    assert status == 0
    assert "SELECT 011C" in printed
    assert "READ BINARY of file 1D (secured)" in printed


def test_half_a_recording_is_not_left_on_a_full_disk(run: Run, tmp_path: Path) -> None:
    recorded = tmp_path / "transcript.json"
    limits = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (4096, limits[1]))
    try:
        status, _, complained = run(*SIM, "bac", "--transcript", recorded)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limits)
    assert (status, recorded.exists()) == (2, False)
    assert "free space, then read again" in complained


def test_a_recording_is_not_written_over(run: Run, tmp_path: Path) -> None:
    there = tmp_path / "transcript.json"
    there.write_text("mine", encoding="ascii")
    status, _, complained = run(*SIM, "bac", "--transcript", there)
    assert (status, there.read_text(encoding="ascii")) == (2, "mine")
    assert "cannot be written" in complained
