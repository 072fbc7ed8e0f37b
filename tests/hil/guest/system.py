"""Programs, services and processes of the guest."""

import json
import os
import signal
import subprocess
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

WAIT_S = 120.0
GATECTL = "/opt/egate/venv/bin/gatectl"


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
    run(command=["systemctl", "restart", "systemd-udevd"])  # it has read the rules before there were groups
    run(command=["systemctl", "daemon-reexec"])
    run(command=["modprobe", "--all", "xhci_pci", "gpio-sim", "ftdi_sio"])


def await_devices() -> None:
    """Wait until udev has done what it does about devices that came and went."""
    run(command=["udevadm", "settle"])


def start(*, unit: str) -> None:
    """Start a service. Raises RuntimeError with what it said where it does not come up."""
    try:
        run(command=["systemctl", "start", unit])
    except RuntimeError as error:
        said = run(command=["journalctl", "--no-pager", "--output=cat", "-n", "400", "-u", unit])
        raise RuntimeError(said) from error


def signal_service(*, unit: str, number: int) -> None:
    """Send a service's main process a signal."""
    run(command=["systemctl", "kill", "--kill-whom=main", f"--signal={number}", unit])


def show(*, names: list[str], unit: str | None = None) -> dict[str, str]:
    """Properties of a unit, or of systemd itself, as it says them."""
    of = [] if unit is None else [unit]
    listed = run(command=["systemctl", "show", f"--property={','.join(names)}", *of])
    return dict(line.split("=", 1) for line in listed.splitlines())


def await_unit(*, unit: str, within_s: float, **wanted: str) -> float:
    """Wait until properties of a unit are as wanted; return how long it took."""
    began = time.monotonic()
    while (found := show(unit=unit, names=sorted(wanted))) != wanted:
        if time.monotonic() - began > within_s:
            raise TimeoutError(f"{unit}: {found}\n{run(command=['journalctl', '--no-pager', '-n', '40'])}")
        time.sleep(0.2)
    return time.monotonic() - began


def fail_for_good(*, unit: str) -> int:
    """Kill a service each time that it starts, until systemd has had enough; return how often that was."""
    deadline, killed = time.monotonic() + WAIT_S, {"0"}
    while (found := show(unit=unit, names=["ActiveState", "MainPID"]))["ActiveState"] != "failed":
        if time.monotonic() > deadline:
            raise TimeoutError
        if found["MainPID"] not in killed:
            killed.add(found["MainPID"])
            os.kill(int(found["MainPID"]), signal.SIGKILL)
        time.sleep(0.1)
    return len(killed) - 1


def status() -> dict[str, Any]:
    """What the running gate says of itself. Raises RuntimeError where it says nothing."""
    asked = subprocess.run([GATECTL, "status", "--json"], check=False, capture_output=True, text=True)
    if not asked.stdout:
        raise RuntimeError(asked.stderr)
    found: dict[str, Any] = json.loads(asked.stdout)  # the exit status says whether all is well with the gate
    return found


def await_status(*, within_s: float, devices: list[str], without: Sequence[str] = ()) -> None:
    """Wait until the running gate answers and has these devices, and not those."""
    deadline = time.monotonic() + within_s
    while True:
        try:
            said = status()["devices"]
            if all(said[name] for name in devices) and not any(said[name] for name in without):
                return
            last = str(said)
        except RuntimeError as error:
            last = str(error)
        if time.monotonic() > deadline:
            raise TimeoutError(f"{last}\n{run(command=['journalctl', '--no-pager', '-n', '40'])}")


def boot_id() -> str:
    """What tells this boot from any other."""
    return Path("/proc/sys/kernel/random/boot_id").read_text().strip()


def freeze_systemd() -> None:
    """Have systemd crash, after which it does nothing any more and everything else goes on."""
    os.kill(1, signal.SIGSEGV)
