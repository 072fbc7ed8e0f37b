"""Programs, services and processes of the guest."""

import subprocess
import time
from pathlib import Path
from typing import Any

WAIT_S = 120.0


def run(*, command: list[str]) -> str:
    """Run a program to its end and return what it printed. Raises CalledProcessError with its complaint."""
    done = subprocess.run(command, check=False, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    if done.returncode:
        raise RuntimeError(f"{command}: {done.returncode}: {done.stdout}")
    return done.stdout


def install() -> None:
    """What an installation of the project does after its files are in place."""
    run(command=["systemd-sysusers"])
    run(command=["systemd-tmpfiles", "--create", "egate.conf"])
    run(command=["udevadm", "control", "--reload"])
    run(command=["systemctl", "daemon-reload"])
    run(command=["modprobe", "--all", "xhci_pci", "gpio-sim", "ftdi_sio"])


def await_devices() -> None:
    """Wait until udev has done what it does about devices that came and went."""
    run(command=["udevadm", "settle"])
