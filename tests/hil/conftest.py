"""One virtual machine for all tests of this folder, or the reason why there is none."""

import shutil
import sys
from collections.abc import Iterator

import pytest

from tests.hil import image
from tests.hil.guest import system
from tests.hil.machine import PROGRAM, Machine


def why_not() -> str:
    """What is missing; empty where all is there."""
    if shutil.which(PROGRAM) is None:
        return f"needs {PROGRAM} (make hil installs it where it can)"
    if not image.folder().exists():
        return "needs the guest's image (make hil makes it where it can)"
    return ""


@pytest.fixture(scope="session")
def machine(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Machine]:
    """A machine that has booted, with the project installed in it."""
    if reason := why_not():
        pytest.skip(reason)
    with Machine(tmp_path_factory.mktemp("machine")) as machine:
        machine.await_boot()
        machine.call(system.install)
        yield machine
        sys.stdout.write(machine.console.read_text(errors="replace")[-2000:])
