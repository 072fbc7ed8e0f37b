"""The machine of `make hil` has no more wheels than its recipe names: what it starts must need no others."""

import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[1]
MAINS = ("gated.app", "gated.safe", "gated.cli", "drivers.camera")
PROGRAM = """
import importlib, importlib.metadata, re, sys

def plain(name):
    return re.sub(r"[-_.]+", "-", name).lower()

brought = {plain(name) for name in open("tests/hil/recipe/wheels.txt").read().split()}
brought |= {"egate", "opencv-python-headless"}
absent = {
    module
    for module, names in importlib.metadata.packages_distributions().items()
    if not {plain(name) for name in names} & brought
}

class Absent:
    def find_spec(self, name, path=None, target=None):
        if name.partition(".")[0] in absent - {"tests"}:
            raise ModuleNotFoundError(f"{name} is no wheel of the guest")

sys.meta_path.insert(0, Absent())
for main in sys.argv[1:]:
    importlib.import_module(main)
"""


def test_what_the_guest_starts_needs_no_other_wheel() -> None:
    done = subprocess.run(
        [sys.executable, "-c", PROGRAM, *MAINS],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.returncode == 0, done.stderr
