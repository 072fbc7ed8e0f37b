"""The units: what each daemon may touch is asserted by a strict reading of our own and by systemd's tools."""

import configparser
import os
import re
import shutil
import subprocess
import tomllib
from collections.abc import Mapping
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
UNITS = ROOT / "systemd"
SERVICES = ("gated", "gate-vision", "gate-link", "gate-safe")
BIN = "/opt/egate/venv/bin/"

# Every directive that our units use, by section. An unknown one is a typo until it is entered here.
KNOWN = {
    "Unit": """
        Description Documentation PartOf After Wants OnFailure Conflicts StartLimitIntervalSec
        StartLimitBurst
    """,
    "Service": """
        Type NotifyAccess ExecStart User Group SupplementaryGroups Environment LoadCredential
        WatchdogSec TimeoutStartSec TimeoutStopSec TimeoutAbortSec Restart RestartSec RestartPreventExitStatus
        LimitCORE LimitMEMLOCK MemorySwapMax MemoryMax CPUQuota CPUSchedulingPolicy CPUSchedulingPriority
        TasksMax
        OOMScoreAdjust
        UMask StateDirectory StateDirectoryMode ReadWritePaths InaccessiblePaths TemporaryFileSystem
        BindReadOnlyPaths
        DevicePolicy DeviceAllow RestrictAddressFamilies IPAddressDeny SocketBindDeny
        PrivateDevices PrivateNetwork PrivateTmp PrivateUsers PrivateIPC RemoveIPC ProcSubset
        NoNewPrivileges CapabilityBoundingSet AmbientCapabilities ProtectSystem ProtectHome ProtectProc
        ProtectHostname ProtectClock ProtectKernelTunables ProtectKernelModules ProtectKernelLogs
        ProtectControlGroups LockPersonality MemoryDenyWriteExecute RestrictNamespaces RestrictRealtime
        RestrictSUIDSGID KeyringMode SystemCallArchitectures SystemCallErrorNumber SystemCallFilter
    """,
    "Install": "WantedBy",
}

# What no daemon may do, whatever else it does.
COMMON = {
    "Type": "notify",
    "NotifyAccess": "main",
    "Restart": "on-failure",
    "NoNewPrivileges": "yes",
    "CapabilityBoundingSet": "",
    "AmbientCapabilities": "",
    "ProtectSystem": "strict",
    "ProtectHome": "yes",
    "ProtectProc": "invisible",
    "ProtectKernelTunables": "yes",
    "ProtectKernelModules": "yes",
    "ProtectKernelLogs": "yes",
    "ProtectControlGroups": "yes",
    "DevicePolicy": "closed",
    "MemoryDenyWriteExecute": "yes",
    "LockPersonality": "yes",
    "RestrictNamespaces": "yes",
    "RestrictRealtime": "yes",
    "RestrictSUIDSGID": "yes",
    "KeyringMode": "private",
    "SystemCallArchitectures": "native",
    "LimitCORE": "0",
    "MemorySwapMax": "0",
}


class Unit:
    """A unit file, read strictly: every line is a section, a comment or a known directive."""

    def __init__(self, path: Path, known: Mapping[str, str] = KNOWN) -> None:
        self.values: dict[str, list[str]] = {}
        section = ""
        for number, line in enumerate(path.read_text().splitlines(), 1):
            place = f"{path.name}:{number}"
            if not line.strip() or line.startswith(("#", ";")):
                continue
            if header := re.fullmatch(r"\[(\w+)\]", line):
                section = header[1]
                assert section in known, f"{place}: no such section"
                continue
            directive = re.fullmatch(r"([A-Za-z]+)=(.*[^\s\\]|)", line)
            assert directive, f"{place}: not Key=value on one line"
            assert directive[1] in known[section].split(), (
                f"{place}: {directive[1]} is unknown in [{section}]"
            )
            self.values.setdefault(directive[1], []).append(directive[2])

    def one(self, key: str) -> str:
        """The value of a directive that stands exactly once."""
        assert len(self.values.get(key, [])) == 1, f"{key} stands {len(self.values.get(key, []))} times"
        return self.values[key][0]

    def words(self, key: str) -> set[str]:
        """The words of all the values of a directive."""
        return {word for value in self.values.get(key, []) for word in value.split()}


@pytest.fixture(params=SERVICES)
def service(request: pytest.FixtureRequest) -> tuple[str, Unit]:
    return request.param, Unit(UNITS / f"{request.param}.service")


def unit(name: str) -> Unit:
    return Unit(UNITS / f"{name}.service")


def test_there_is_no_unit_that_is_not_looked_at() -> None:
    assert {path.stem for path in UNITS.glob("*.service")} == set(SERVICES)
    assert Unit(UNITS / "egate.target").words("Wants") == {
        "gated.service",
        "gate-vision.service",
        "gate-link.service",
    }


def test_what_no_daemon_may_do(service: tuple[str, Unit]) -> None:
    name, daemon = service
    common = COMMON | ({"RestrictRealtime": "no"} if name == "gated" else {})
    assert {key: daemon.one(key) for key in common} == common
    assert daemon.values["SystemCallFilter"][:2] == ["@system-service", "~@privileged @keyring"]
    assert daemon.one("MemoryMax")
    assert daemon.one("TasksMax")


def test_a_daemon_that_hangs_or_crashes_is_noticed_in_bounded_time(service: tuple[str, Unit]) -> None:
    name, daemon = service
    assert 0 < int(daemon.one("WatchdogSec")) <= 30
    assert int(daemon.one("TimeoutStopSec")) <= 5
    assert int(daemon.one("RestartSec")) >= 1
    assert "78" in daemon.words("RestartPreventExitStatus")
    assert name == "gate-safe" or int(daemon.one("TimeoutStartSec")) <= 30
    assert daemon.one("StartLimitIntervalSec") == "0" or int(daemon.one("StartLimitBurst")) > 0


def test_each_daemon_is_one_of_our_commands_under_its_own_user(service: tuple[str, Unit]) -> None:
    name, daemon = service
    setup = configparser.ConfigParser()
    setup.read(ROOT / "setup.cfg")
    scripts = {
        line.split("=")[0].strip() for line in setup["options.entry_points"]["console_scripts"].split("\n")
    }
    assert name in scripts
    assert daemon.one("ExecStart") == f"{BIN}{name} --config /etc/egate/gate.toml"
    user = name if name.startswith("gate-") else "gate-gated"
    assert daemon.one("User") == daemon.one("Group") == f"e{user}"


def test_gated_has_devices_and_no_network() -> None:
    gated = unit("gated")
    assert gated.words("RestrictAddressFamilies") == {"AF_UNIX", "AF_NETLINK"}
    assert gated.one("PrivateNetwork") == "yes"
    assert gated.one("IPAddressDeny") == "any"
    assert set(gated.values["DeviceAllow"]) == {
        "char-usb_device rw",
        "char-ttyUSB rw",
        "char-ttyACM rw",
        "char-gpiochip rw",
    }
    assert gated.words("ReadWritePaths") == {"/run/egate"}
    assert gated.one("StateDirectoryMode") == "0700"
    assert gated.one("OnFailure") == "gate-safe.service"
    assert (
        0
        < int(gated.one("StartLimitBurst")) * int(gated.one("RestartSec"))
        < int(gated.one("StartLimitIntervalSec"))
    ), "the limit could never be reached"


def test_the_doors_come_before_the_pictures_on_the_processor() -> None:
    assert unit("gated").one("CPUSchedulingPolicy") == "rr"
    assert 1 <= int(unit("gated").one("CPUSchedulingPriority")) <= 49, "the kernel's own threads are at 50"
    assert unit("gated").one("RestrictRealtime") == "no", "libzmq aborts where its threads may not inherit it"
    for name in SERVICES:
        assert name == "gated" or "CPUSchedulingPolicy" not in unit(name).values


def test_gated_may_ask_whether_the_clock_is_synchronised() -> None:
    gated = unit("gated")
    assert "ProtectClock" not in gated.values
    assert gated.values["SystemCallFilter"][-1] == "adjtimex clock_adjtime"
    assert "CAP_SYS_TIME" not in gated.words("CapabilityBoundingSet")


def test_vision_has_a_camera_and_nothing_else() -> None:
    vision = unit("gate-vision")
    assert vision.words("RestrictAddressFamilies") == {"AF_UNIX"}
    assert vision.one("PrivateNetwork") == "yes"
    assert vision.values["DeviceAllow"] == ["char-video4linux rw"]
    for writable in ("ReadWritePaths", "StateDirectory", "PrivateTmp"):
        assert writable not in vision.values
    assert vision.one("TemporaryFileSystem") == "/tmp:ro /var/tmp:ro /var/lib/egate:ro"  # noqa: S108
    assert vision.words("BindReadOnlyPaths") == {"-/var/lib/egate/published/models"}
    assert vision.one("MemoryMax") == "640M"
    assert vision.one("CPUQuota") == "150%"


def test_link_has_the_network_and_no_devices() -> None:
    link = unit("gate-link")
    assert link.words("RestrictAddressFamilies") == {"AF_UNIX", "AF_INET", "AF_INET6"}
    assert link.one("SocketBindDeny") == "any"
    assert "DeviceAllow" not in link.values
    assert link.one("PrivateDevices") == "yes"
    for more in ("ReadWritePaths", "StateDirectory"):
        assert more not in link.values
    assert link.words("InaccessiblePaths") == {"-/var/lib/egate"}


def test_safe_has_the_board_and_nothing_else() -> None:
    safe = unit("gate-safe")
    assert safe.words("RestrictAddressFamilies") == {"AF_UNIX"}
    assert safe.one("PrivateNetwork") == "yes"
    assert safe.values["DeviceAllow"] == ["char-gpiochip rw"]
    assert safe.one("Conflicts") == safe.one("After") == "gated.service"
    assert safe.one("StartLimitIntervalSec") == "0"
    assert safe.one("TimeoutStartSec") == "infinity"
    assert "PartOf" not in safe.values, "stopping the target must not let go of a gate that is held safe"


def test_only_gated_makes_sockets_and_only_its_peers_may_connect() -> None:
    rules = (UNITS / "tmpfiles.d" / "egate.conf").read_text()
    lines = [line.split() for line in rules.splitlines() if line and not line.startswith("#")]
    private = ["egate-gated", "egate-gated", "-"]
    assert lines == [
        ["d", "/run/egate", "2750", "egate-gated", "egate", "-"],
        ["d", "/var/lib/egate", "0700", *private],
        ["d", "/var/lib/egate/published", "0700", *private],
        ["d", "/var/lib/egate/published/models", "0755", *private],
    ]
    assert unit("gated").one("UMask") == "0007", "or no other user could connect"
    peers = {name for name in SERVICES if "egate" in unit(name).words("SupplementaryGroups")}
    assert peers == {"gate-vision", "gate-link"}


def test_systemd_is_watched_by_the_hardware_and_a_usb_board_is_not_known_by_its_number() -> None:
    told = (UNITS / "system.conf.d" / "egate.conf").read_text().splitlines()
    assert [line for line in told if line and not line.startswith("#")] == [
        "[Manager]",
        "RuntimeWatchdogSec=20",
    ]
    rules = (UNITS / "udev" / "70-egate.rules").read_text().splitlines()
    of_usb = [rule for rule in rules if 'SUBSYSTEM=="gpio"' in rule and 'SUBSYSTEMS=="usb"' in rule]
    assert [re.findall(r'KERNEL=="([^"]+)"|SYMLINK\+="([^"]+)"', rule) for rule in of_usb] == [
        [("gpiochip*", ""), ("", "egate/io")]
    ]


def accounts() -> tuple[set[str], set[str]]:
    """Users and groups of sysusers.d; a user brings a group of its name."""
    lines = [line.split() for line in (UNITS / "sysusers.d" / "egate.conf").read_text().splitlines()]
    users = {line[1] for line in lines if line and line[0] == "u"}
    return users, users | {line[1] for line in lines if line and line[0] == "g"}


def test_every_account_that_is_named_is_made() -> None:
    users, groups = accounts()
    rules = (UNITS / "udev" / "70-egate.rules").read_text()
    assert {unit(name).one("User") for name in SERVICES} == users
    assert set(re.findall(r'GROUP="([^"]+)"', rules)) <= groups
    for name in SERVICES:
        assert unit(name).words("SupplementaryGroups") <= groups


def test_the_example_configuration_names_the_devices_that_udev_makes() -> None:
    config = tomllib.loads((ROOT / "config" / "gate.example.toml").read_text())
    rules = (UNITS / "udev" / "70-egate.rules").read_text()
    made = {f"/dev/{name}" for name in re.findall(r'SYMLINK\+="([^"]+)"', rules)}
    page_camera = "/dev/egate/page-camera"  # a rule to be filled in, and a section to be taken in
    named = {config["mrz_scanner"]["port"], config["io_board"]["chip"], config["cameras"][0]["source"]}
    assert made == {*named, page_camera}
    assert f'# source = "{page_camera}"' in (ROOT / "config" / "gate.example.toml").read_text()
    places = {"state": "/var/lib/egate", "models": "/etc/egate/models", "run": "/run/egate"}
    assert config["paths"] == places
    assert config["link"]["key_file"] == "/run/credentials/gate-link.service/link.key"
    assert unit("gate-link").one("LoadCredential") == "link.key:/etc/egate/link.key"


@pytest.mark.parametrize("line", ["NoNewPrivilege=yes", "NoNewPrivileges yes", "[Servic]", "User=egate \\"])
def test_the_strict_reading_finds_a_slip(tmp_path: Path, line: str) -> None:
    path = tmp_path / "slip.service"
    path.write_text(f"[Service]\nType=notify\n{line}\n")
    with pytest.raises(AssertionError, match=r"slip\.service:3"):
        Unit(path)


# --- systemd's own tools, offline --------------------------------------------------------------------

BASE = ("sysinit", "basic", "shutdown", "network", "multi-user")  # units of the system that ours refer to


def tool(*command: str) -> subprocess.CompletedProcess[str]:
    """Run one of systemd's tools, or skip."""
    if shutil.which(command[0]) is None:
        pytest.skip(f"{command[0]} is not on this machine (package systemd)")
    return subprocess.run(
        command,
        capture_output=True,
        text=True,
        timeout=30,
        check=False,
        env=os.environ | {"SYSTEMD_COLORS": "0", "LC_ALL": "C.UTF-8"},
    )


@pytest.fixture
def machine(tmp_path: Path) -> Path:
    """A root folder with our units, the commands that they start, and the few units that they refer to."""
    units = tmp_path / "etc/systemd/system"
    units.mkdir(parents=True)
    for path in UNITS.iterdir():
        if path.is_file():
            shutil.copy(path, units)
    for name in BASE:
        (units / f"{name}.target").write_text(f"[Unit]\nDescription={name}\n")
    binaries = tmp_path / BIN.lstrip("/")
    binaries.mkdir(parents=True)
    for name in SERVICES:
        (binaries / name).write_text("#!/bin/sh\n")
        (binaries / name).chmod(0o755)
    docs = tmp_path / "opt/egate/docs"
    docs.mkdir()
    shutil.copy(ROOT / "docs" / "wiring.md", docs)
    return tmp_path


def verify(machine: Path) -> str:
    """What `systemd-analyze verify` has to say about our units; it exits 0 on much that is wrong."""
    names = [f"{name}.service" for name in SERVICES]
    done = tool("systemd-analyze", "verify", f"--root={machine}", "--man=no", *names, "egate.target")
    return done.stderr.strip() or (f"exit status {done.returncode}" if done.returncode else "")


def test_systemd_understands_every_unit(machine: Path) -> None:
    assert verify(machine) == ""


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("ProtectSystem=strict", "ProtectSystm=strict"),
        ("WatchdogSec=5", "WatchdogSec=soon"),
        ("venv/bin/gated ", "venv/bin/gatd "),
    ],
)
def test_systemd_s_complaints_are_heard(machine: Path, old: str, new: str) -> None:
    path = machine / "etc/systemd/system/gated.service"
    text = path.read_text()
    assert old in text
    path.write_text(text.replace(old, new))
    assert "gated.service" in verify(machine)


@pytest.mark.parametrize(
    ("name", "limit"), [("gated", 1.5), ("gate-vision", 1.1), ("gate-link", 1.6), ("gate-safe", 1.1)]
)
def test_the_exposure_does_not_grow(name: str, limit: float) -> None:
    done = tool(
        "systemd-analyze", "security", "--no-pager", "--offline=true", f"--threshold={round(limit * 10)}",
        str(UNITS / f"{name}.service"),
    )  # fmt: skip
    overall = re.search(r"Overall exposure level for \S+: ([0-9.]+)", done.stdout)
    assert overall, done.stderr
    print(f"{name}: exposure {overall[1]} of 10 (systemd-analyze security, offline)")  # noqa: T201
    assert done.returncode == 0, f"{name}: exposure {overall[1]} is above {limit}\n{done.stdout}"


def test_the_filter_leaves_gated_the_calls_to_ask_the_clock() -> None:
    removed = tool("systemd-analyze", "syscall-filter", "@privileged").stdout
    assert "@clock" in removed, "the reason to name the calls again is gone"
    assert "clock_adjtime" in tool("systemd-analyze", "syscall-filter", "@clock").stdout


@pytest.mark.skipif(os.geteuid() != 0, reason="making accounts and folders below a root takes root")
def test_the_accounts_and_folders_come_out_as_meant(tmp_path: Path) -> None:
    for kind in ("sysusers.d", "tmpfiles.d"):
        folder = tmp_path / "usr/lib" / kind
        folder.mkdir(parents=True)
        shutil.copy(UNITS / kind / "egate.conf", folder)
    (tmp_path / "etc").mkdir()
    made = tool("systemd-sysusers", f"--root={tmp_path}")
    assert made.returncode == 0, made.stderr
    made = tool("systemd-tmpfiles", f"--root={tmp_path}", "--create", "--prefix=/run/egate")
    assert made.returncode == 0, made.stderr

    passwd = dict(line.split(":")[0:3:2] for line in (tmp_path / "etc/passwd").read_text().splitlines())
    groups = {
        line.split(":")[0]: line.split(":")[2:] for line in (tmp_path / "etc/group").read_text().splitlines()
    }
    assert set(groups["egate-io"][1].split(",")) == {"egate-gated", "egate-safe"}
    assert set(groups["egate"][1].split(",")) == {"egate-vision", "egate-link"}
    stat = (tmp_path / "run/egate").stat()
    assert stat.st_mode & 0o7777 == 0o2750
    assert stat.st_uid == int(passwd["egate-gated"])
    assert stat.st_gid == int(groups["egate"][0])
