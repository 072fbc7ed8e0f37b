"""What a process has touched stays in memory, or it says that this is not allowed."""

import json
import resource
import subprocess
import sys
from pathlib import Path

import pytest

PROGRAM = """
import mmap, resource
from pathlib import Path
from gated import logs
from gated.runtime.resident import stay_resident

logs.configure("test")
if {limit} >= 0:
    resource.setrlimit(resource.RLIMIT_MEMLOCK, ({limit}, {limit}))
    import ctypes
    ctypes.CDLL(None).setuid(65534)  # whoever may do anything heeds no limit
done = stay_resident()
later = mmap.mmap(-1, 64 << 20)
later[: 1 << 20] = bytes(1 << 20)
lines = Path("/proc/self/status").read_text().splitlines()
held = next(line.split()[1] for line in lines if line.startswith("VmLck"))
resident = next(line.split()[1] for line in lines if line.startswith("VmRSS"))
print(int(done), held, resident)
"""


def run(limit: int) -> tuple[list[int], str]:
    """What a process of its own says: whether it stays, KiB locked and resident; and its log."""
    asked = [sys.executable, "-c", PROGRAM.format(limit=limit)]
    folder = Path(__file__).parents[2]
    done = subprocess.run(asked, capture_output=True, text=True, timeout=60, cwd=folder, check=False)
    assert done.returncode == 0, done.stderr
    return [int(word) for word in done.stdout.split()], done.stderr


def test_what_is_touched_is_locked_and_what_is_not_costs_nothing() -> None:
    if resource.getrlimit(resource.RLIMIT_MEMLOCK)[0] != resource.RLIM_INFINITY and not _privileged():
        pytest.skip("this machine lets nobody here lock memory")
    (done, held, resident), log = run(-1)
    assert (done, log) == (1, "")
    assert held > 20_000
    assert resident < 64 << 10, "of 64 MiB that were mapped later one was touched"


def test_where_it_is_not_allowed_the_log_says_what_to_set() -> None:
    if not _privileged():
        pytest.skip("only root can give up its rights")
    (done, held, _), log = run(1 << 16)
    assert (done, held) == (0, 0)
    told = json.loads(log)
    assert told["code"] == "enomem"
    assert "LimitMEMLOCK" in told["fix"]


def _privileged() -> bool:
    """Whether this process has CAP_IPC_LOCK and is root."""
    lines = Path("/proc/self/status").read_text().splitlines()
    rights = int(next(line.split()[1] for line in lines if line.startswith("CapEff")), 16)
    return bool(rights >> 14 & 1) and next(line for line in lines if line.startswith("Uid")).split()[2] == "0"
