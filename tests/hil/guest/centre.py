"""A centre in the guest, set up as docs/central-setup.md says."""

import subprocess
from pathlib import Path

from tests.hil.guest import system

COMMAND = "/opt/egate/venv/bin/gate-central"
FOLDER = "/var/lib/egate-central"
HEADER = "number,issuer,type,surname,given,birth,nationality,grade,reason,reference\n"
UNITS = ("gate-central-serve", "gate-central-collect", "gate-central-check", "gate-central-keep")


def found() -> None:
    """Make accounts, folder, keys, a gate's key and a list; give units the time of an emulated processor."""
    system.run(command=["systemd-sysusers", "egate-central.conf"])
    system.run(command=["systemd-tmpfiles", "--create", "egate-central.conf"])
    for unit in UNITS:
        beside = Path(f"/etc/systemd/system/{unit}.service.d")
        beside.mkdir(parents=True)
        (beside / "slow.conf").write_text("[Service]\nTimeoutStartSec=240\n")
    settings = Path("/etc/egate/central.env")
    settings.write_text(settings.read_text().replace("KEEP_DAYS=\n", "KEEP_DAYS=30\n"))
    system.run(command=["systemctl", "daemon-reload"])
    listed = Path("/tmp/list.csv")  # noqa: S108 - the guest is nobody else's
    listed.write_text(f"{HEADER}L898902C3,UTO,P,,,,,stop,stolen,R-1\n")
    listed.chmod(0o644)
    central("init", FOLDER)
    central("keys", FOLDER, "--gate", "gate-1")
    central("publish", FOLDER, "--list", str(listed))


def central(*words: str) -> str:
    """Run gate-central as the account that owns the folder."""
    return system.run(command=["runuser", "-u", "egate-central", "--", COMMAND, *words])


def seen_by(*, unit: str, paths: list[str]) -> dict[str, str]:
    """What a service's process may do with files of the centre's folder: nothing, `r`, `w` or `rw`."""
    pid = system.show(unit=unit, names=["MainPID"])["MainPID"]
    script = 'for f; do printf "%s=" "$f"; test -r "$f" && printf r; test -w "$f" && printf w; echo; done'
    inside = [
        "nsenter",
        f"--target={pid}",
        "--mount",
        "setpriv",
        "--reuid=egate-central",
        "--regid=egate-central",
    ]
    told = system.run(
        command=[*inside, "--clear-groups", "sh", "-c", script, "sh", *(f"{FOLDER}/{path}" for path in paths)]
    )
    return {
        name.removeprefix(f"{FOLDER}/"): may
        for name, _, may in (line.partition("=") for line in told.split())
    }


def metrics(*, name: str) -> str:
    """What a service tells a monitor, read as nobody."""
    path = f"/run/egate-central/{name}/{name}.prom"
    return system.run(command=["setpriv", "--reuid=nobody", "--clear-groups", "cat", path])


def ran(*, unit: str) -> str:
    """Run what a timer runs; return how it ended."""
    subprocess.run(["systemctl", "start", unit], check=False, capture_output=True)
    return system.show(unit=unit, names=["Result"])["Result"]
