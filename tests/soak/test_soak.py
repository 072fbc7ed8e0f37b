"""The short form of the soak: everything holds. Its time is virtual, so it has a process of its own."""

import re
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PASSAGES = 200


def soak(*arguments: str) -> "subprocess.CompletedProcess[str]":
    command = [sys.executable, "-W", "error", "-m", "tests.soak", "--hours", "0", *arguments]
    return subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=110, check=False)


@pytest.mark.long
def test_two_hundred_travellers_and_whatever_breaks_leave_everything_in_order() -> None:
    done = soak("--passages", str(PASSAGES), "--seed", "7")
    assert done.returncode == 0, done.stdout[-3000:] + done.stderr[-3000:]
    assert "everything held" in done.stdout
    told = re.search(r"journal: (\d+) entries, (\d+) passages, (\d+) open", done.stdout)
    assert told is not None
    assert int(told[2]) >= PASSAGES
    assert "problems: none" in done.stdout
    for kind in ("admitted", "referred", "refused", "abandoned"):
        assert re.search(rf"how it ended: .*{kind} [1-9]", done.stdout), kind
    assert re.search(r"threads: 1\.0 to 1\.0", done.stdout)
    (slope,) = re.findall(r"objects: .* ([+-][\d.]+) in 1000 passages", done.stdout)
    assert abs(float(slope)) < 5000, "objects stay behind"


def test_a_soak_whose_gate_forgets_to_lock_fails() -> None:
    """The soak is worth something: break the heart, and it says so."""
    broken = (
        "import sys, gated.core.step as heart\n"
        "moved = heart._move_doors\n"
        "def forgetful(gate, event):\n"
        "    gate, (locks, unlocks) = moved(gate, event)\n"
        "    return gate, ([], unlocks)\n"
        "heart._move_doors = forgetful\n"
        "from tests.soak.__main__ import main\n"
        "sys.exit(main(['--passages', '40', '--hours', '0', '--seed', '7']))\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", broken], cwd=ROOT, capture_output=True, text=True, timeout=110, check=False
    )
    assert done.returncode != 0
    assert "everything held" not in done.stdout
