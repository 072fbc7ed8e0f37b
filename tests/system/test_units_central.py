"""The units of a centre and of a proxy: the same strict reading as of those of a gate, and systemd itself."""

import os
import re
import shlex
import shutil
import stat
from pathlib import Path

import pytest

from gated.central.cli import parser
from tests.system.test_units import BASE, BIN, COMMON, KNOWN, ROOT, Unit, tool

UNITS = ROOT / "systemd" / "central"
FOLDER = "/var/lib/egate-central"
DAEMONS = ("gate-central-serve", "gate-central-collect", "gate-central-proxy")
TIMED = ("gate-central-check", "gate-central-keep", "gate-central-standings", "gate-central-false-hits")
PUBLISHES = TIMED[2:]
ENVIRONMENT = {"gate-central-proxy": "proxy"}  # all others are told by central.env

# What the units of a centre say besides.
MORE = {
    "Service": "EnvironmentFile BindPaths ReadOnlyPaths RuntimeDirectory RuntimeDirectoryMode LimitNOFILE"
    " SocketBindAllow",
    "Timer": "OnCalendar RandomizedDelaySec Persistent",
}


def unit(name: str) -> Unit:
    return Unit(UNITS / name, {key: f"{KNOWN.get(key, '')} {MORE.get(key, '')}" for key in {*KNOWN, *MORE}})


@pytest.fixture(params=DAEMONS + TIMED)
def service(request: pytest.FixtureRequest) -> tuple[str, Unit]:
    return request.param, unit(f"{request.param}.service")


def test_there_is_no_unit_that_is_not_looked_at() -> None:
    assert {path.stem for path in UNITS.glob("*.service")} == {*DAEMONS, *TIMED}
    assert {path.stem for path in UNITS.glob("*.timer")} == {*TIMED}
    assert unit("egate-central.target").words("Wants") == {
        "gate-central-serve.service",
        "gate-central-collect.service",
        "gate-central-check.timer",
    }


def test_what_nothing_at_a_centre_may_do(service: tuple[str, Unit]) -> None:
    name, here = service
    differs = ("Type", "NotifyAccess", "Restart")
    common = {key: value for key, value in COMMON.items() if name in DAEMONS or key not in differs}
    assert {key: here.one(key) for key in common} == common
    assert here.values["SystemCallFilter"] == ["@system-service", "~@privileged @keyring"]
    assert here.one("SocketBindDeny") == "any"
    for key in ("PrivateDevices", "PrivateUsers", "PrivateTmp", "ProtectClock"):
        assert here.one(key) == "yes"
    assert here.one("MemoryMax")
    assert here.one("TasksMax")
    assert "DeviceAllow" not in here.values


def test_a_daemon_that_hangs_or_crashes_is_noticed_in_bounded_time() -> None:
    for name in DAEMONS:
        daemon = unit(f"{name}.service")
        assert 0 < int(daemon.one("WatchdogSec")) <= 60
        assert int(daemon.one("TimeoutStopSec")) <= 5
        assert int(daemon.one("RestartSec")) >= 1
        assert daemon.words("RestartPreventExitStatus") == {"2"}
        assert daemon.one("StartLimitIntervalSec") == "0"
        assert int(daemon.one("LimitNOFILE")) >= 10_000, "a thousand gates, two connections each"


def settings(name: str) -> dict[str, str]:
    """The example of the file that this unit is told by."""
    text = (ROOT / "config" / f"{ENVIRONMENT.get(name, 'central')}.example.env").read_text()
    lines = [line.partition("=") for line in text.splitlines() if line and not line.startswith("#")]
    assert all(equals and re.fullmatch(r"[A-Z_]+", key) for key, equals, _ in lines)
    return {key: value for key, _, value in lines}


def test_each_unit_starts_a_command_of_ours_with_what_its_file_tells(service: tuple[str, Unit]) -> None:
    name, here = service
    assert here.one("EnvironmentFile") == f"/etc/egate/{ENVIRONMENT.get(name, 'central')}.env"
    told = settings(name) | {"KEEP_DAYS": "365", "SERVER_KEY": "key"}  # an operator must fill these in
    command = here.one("ExecStart")
    assert set(re.findall(r"\$\{?([A-Z_]+)", command)) <= set(told)
    command = re.sub(r"\$\{([A-Z_]+)\}", lambda found: shlex.quote(told[found[1]]), command)
    command = re.sub(r"\$([A-Z_]+)", lambda found: told[found[1]], command)
    command = command.replace("%t", "/run").replace("%d", f"/run/credentials/{name}.service")
    program, *words = shlex.split(command)
    assert program == f"{BIN}gate-central"
    options = parser().parse_args(words)
    started = name.removeprefix("gate-central-")
    assert options.command == {"check": "status", "keep": "collect", "standings": "publish"}.get(
        started, started
    )
    assert str(options.folder) == ("/etc/egate/proxy-gates" if name == "gate-central-proxy" else FOLDER)


def test_every_setting_of_the_examples_is_used() -> None:
    for file, names in (("central", (*DAEMONS[:2], *TIMED)), ("proxy", DAEMONS[2:])):
        commands = " ".join(unit(f"{name}.service").one("ExecStart") for name in names)
        assert set(settings(names[0])) == set(re.findall(r"\$\{?([A-Z_]+)", commands)), file


def test_the_server_sees_what_it_serves_and_the_keys_that_it_signs_with() -> None:
    serve = unit("gate-central-serve.service")
    assert serve.one("TemporaryFileSystem") == f"{FOLDER}:ro"
    assert serve.words("BindPaths") == {f"{FOLDER}/repository", f"{FOLDER}/lock"}
    assert serve.words("BindReadOnlyPaths") == {
        f"{FOLDER}/{at}" for at in ("keys", "gates", "curve/server.key")
    }
    for writable in ("ReadWritePaths", "StateDirectory"):
        assert writable not in serve.values


def test_who_takes_journals_and_who_removes_them_has_no_signing_key() -> None:
    for name in ("gate-central-collect", "gate-central-keep"):
        here = unit(f"{name}.service")
        assert f"-{FOLDER}/keys" in here.words("InaccessiblePaths")
        assert here.words("ReadOnlyPaths") == {f"{FOLDER}/{at}" for at in ("curve", "gates", "repository")}
    check = unit("gate-central-check.service")
    assert f"{FOLDER}/keys" in check.words("ReadOnlyPaths")
    assert check.words("InaccessiblePaths") == {f"-{FOLDER}/handout"}
    proxy = unit("gate-central-proxy.service")
    assert f"-{FOLDER}" in proxy.words("InaccessiblePaths")
    assert proxy.one("LoadCredential") == "proxy.key:/etc/egate/proxy.key"
    assert proxy.one("User") == "egate-proxy"


@pytest.mark.parametrize("name", PUBLISHES)
def test_who_publishes_on_a_timer_has_no_network_and_cannot_change_who_may_ask(name: str) -> None:
    here = unit(f"{name}.service")
    assert here.one("PrivateNetwork") == "yes"
    assert here.one("IPAddressDeny") == "any"
    assert here.words("RestrictAddressFamilies") == {"AF_UNIX"}
    assert here.words("ReadWritePaths") == {FOLDER}
    assert here.words("ReadOnlyPaths") == {f"{FOLDER}/{at}" for at in ("curve", "gates", "keys")}
    assert here.words("InaccessiblePaths") == {f"-{FOLDER}/handout"}


def test_timers_start_what_they_are_named_after_and_the_target_stops_them() -> None:
    for name in TIMED:
        timer = unit(f"{name}.timer")
        assert timer.one("OnCalendar")
        assert timer.one("WantedBy") == "egate-central.target"
        assert "Unit" not in timer.values, "it starts the service of its own name"


def test_what_is_published_by_timers_is_not_published_in_the_same_minute() -> None:
    assert len({unit(f"{name}.timer").one("OnCalendar") for name in PUBLISHES}) == len(PUBLISHES)


def test_only_daemons_listen_and_only_on_tcp() -> None:
    for name in (*DAEMONS, *TIMED):
        allowed = unit(f"{name}.service").values.get("SocketBindAllow", [])
        assert allowed == (["tcp"] if name in DAEMONS else [])
        families = unit(f"{name}.service").words("RestrictAddressFamilies")
        assert ("AF_NETLINK" in families) == (name in DAEMONS), (
            "libzmq aborts where it may not ask for interfaces"
        )


def test_every_account_and_folder_that_is_named_is_made() -> None:
    lines = (UNITS / "sysusers.d" / "egate-central.conf").read_text().splitlines()
    users = {line.split()[1] for line in lines if line.startswith("u ")}
    named = {unit(f"{name}.service").one("User") for name in (*DAEMONS, *TIMED)}
    assert named == users == {unit(f"{name}.service").one("Group") for name in (*DAEMONS, *TIMED)}
    rules = (UNITS / "tmpfiles.d" / "egate-central.conf").read_text().splitlines()
    assert [line.split() for line in rules if not line.startswith("#")] == [
        ["d", FOLDER, "0700", "egate-central", "egate-central", "-"]
    ]


# --- systemd's own tools, offline --------------------------------------------------------------------


@pytest.fixture
def machine(tmp_path: Path) -> Path:
    """A root folder with our units, the command that they start, and the few units that they refer to."""
    units = tmp_path / "etc/systemd/system"
    units.mkdir(parents=True)
    for path in UNITS.iterdir():
        if path.is_file():
            shutil.copy(path, units)
    for name in (*BASE, "timers", "time-set", "time-sync"):
        (units / f"{name}.target").write_text(f"[Unit]\nDescription={name}\n")
    binary = tmp_path / BIN.lstrip("/") / "gate-central"
    binary.parent.mkdir(parents=True)
    binary.write_text("#!/bin/sh\n")
    binary.chmod(0o755)
    (tmp_path / "opt/egate/docs").mkdir()
    shutil.copy(ROOT / "docs" / "central-setup.md", tmp_path / "opt/egate/docs")
    return tmp_path


def verify(machine: Path) -> str:
    """What `systemd-analyze verify` has to say; it exits 0 on much that is wrong."""
    names = [f"{name}.service" for name in (*DAEMONS, *TIMED)] + [f"{name}.timer" for name in TIMED]
    done = tool("systemd-analyze", "verify", f"--root={machine}", "--man=no", *names, "egate-central.target")
    return done.stderr.strip() or (f"exit status {done.returncode}" if done.returncode else "")


def test_systemd_understands_every_unit(machine: Path) -> None:
    assert verify(machine) == ""


@pytest.mark.parametrize(
    ("old", "new"), [("SocketBindAllow=tcp", "SocketBindAllow=http"), ("=notify", "=notifies")]
)
def test_systemd_s_complaints_are_heard(machine: Path, old: str, new: str) -> None:
    path = machine / "etc/systemd/system/gate-central-serve.service"
    text = path.read_text()
    assert old in text
    path.write_text(text.replace(old, new))
    assert "gate-central-serve.service" in verify(machine)


@pytest.mark.parametrize("name", DAEMONS + TIMED)
def test_the_exposure_does_not_grow(name: str) -> None:
    limit = 0.6 if name in PUBLISHES else 1.5
    done = tool(
        "systemd-analyze", "security", "--no-pager", "--offline=true", f"--threshold={round(limit * 10)}",
        str(UNITS / f"{name}.service"),
    )  # fmt: skip
    overall = re.search(r"Overall exposure level for \S+: ([0-9.]+)", done.stdout)
    assert overall, done.stderr
    print(f"{name}: exposure {overall[1]} of 10 (systemd-analyze security, offline)")  # noqa: T201
    assert done.returncode == 0, f"{name}: exposure {overall[1]} is above {limit}\n{done.stdout}"


@pytest.mark.skipif(os.geteuid() != 0, reason="making accounts and folders below a root takes root")
def test_the_accounts_and_the_folder_come_out_as_meant(tmp_path: Path) -> None:
    for kind in ("sysusers.d", "tmpfiles.d"):
        folder = tmp_path / "usr/lib" / kind
        folder.mkdir(parents=True)
        shutil.copy(UNITS / kind / "egate-central.conf", folder)
    (tmp_path / "etc").mkdir()
    for command in (("systemd-sysusers",), ("systemd-tmpfiles", "--create", f"--prefix={FOLDER}")):
        made = tool(command[0], f"--root={tmp_path}", *command[1:])
        assert made.returncode == 0, made.stderr
    passwd = dict(line.split(":")[0:3:2] for line in (tmp_path / "etc/passwd").read_text().splitlines())
    state = (tmp_path / FOLDER.lstrip("/")).stat()
    assert stat.S_IMODE(state.st_mode) == 0o700
    assert state.st_uid == int(passwd["egate-central"])
