"""The word to systemd: what arrives at a socket that stands where systemd's would."""

import contextlib
import io
import os
import socket
from collections.abc import Iterator
from pathlib import Path

import pytest
import structlog

from gated import logs
from gated.runtime.notify import MAX_STATUS, Notifier


class ServiceManager:
    """The receiving end of NOTIFY_SOCKET."""

    def __init__(self, address: str) -> None:
        self._line = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self._line.settimeout(2)
        self._line.bind(address)

    def heard(self) -> str:
        """The next message."""
        return self._line.recv(4096).decode()

    def close(self) -> None:
        """Leave; the socket's file stays, as it does when a process dies."""
        self._line.close()


@pytest.fixture
def manager(tmp_path: Path) -> Iterator[ServiceManager]:
    listening = ServiceManager(str(tmp_path / "notify"))
    yield listening
    listening.close()


@pytest.fixture
def log() -> Iterator[io.StringIO]:
    before = structlog.get_config()
    lines = io.StringIO()
    logs._set_chain("test", lines, json=True, level=10)
    yield lines
    structlog.configure(**before)


def test_each_word_arrives_as_systemd_reads_it(manager: ServiceManager, tmp_path: Path) -> None:
    notifier = Notifier({"NOTIFY_SOCKET": str(tmp_path / "notify")})
    notifier.ready()
    assert manager.heard() == "READY=1"
    notifier.watchdog()
    assert manager.heard() == "WATCHDOG=1"
    notifier.status("lane open")
    assert manager.heard() == "STATUS=lane open"
    notifier.stopping()
    assert manager.heard() == "STOPPING=1"


def test_an_abstract_socket_is_reached() -> None:
    name = f"egate-test-{os.getpid()}"
    manager = ServiceManager(f"\0{name}")
    Notifier({"NOTIFY_SOCKET": f"@{name}"}).ready()
    assert manager.heard() == "READY=1"
    manager.close()


def test_a_status_cannot_carry_a_second_word(manager: ServiceManager, tmp_path: Path) -> None:
    notifier = Notifier({"NOTIFY_SOCKET": str(tmp_path / "notify")})
    notifier.status("lane\nSTOPPING=1\n" + "x" * 1000)
    heard = manager.heard()
    assert heard.startswith("STATUS=lane STOPPING=1 x")
    assert "\n" not in heard
    assert len(heard) == len("STATUS=") + MAX_STATUS


def test_outside_systemd_nothing_is_said(log: io.StringIO) -> None:
    notifier = Notifier({})
    notifier.ready()
    notifier.watchdog()
    assert notifier.interval_s is None
    assert log.getvalue() == ""


def test_a_missing_socket_is_told_once_and_never_raised(tmp_path: Path, log: io.StringIO) -> None:
    notifier = Notifier({"NOTIFY_SOCKET": str(tmp_path / "nobody")})
    for _ in range(3):
        notifier.watchdog()
    assert log.getvalue().count("systemd does not hear this process") == 1
    assert "FileNotFoundError ENOENT" in log.getvalue()


def test_a_manager_that_went_away_and_came_back_is_heard_again(tmp_path: Path, log: io.StringIO) -> None:
    address = tmp_path / "notify"
    first = ServiceManager(str(address))
    notifier = Notifier({"NOTIFY_SOCKET": str(address)})
    first.close()
    notifier.watchdog()
    assert "ConnectionRefusedError" in log.getvalue()
    address.unlink()
    second = ServiceManager(str(address))
    notifier.watchdog()
    assert second.heard() == "WATCHDOG=1"
    second.close()


def test_a_full_queue_does_not_hang_the_gate(
    manager: ServiceManager, tmp_path: Path, log: io.StringIO
) -> None:
    notifier = Notifier({"NOTIFY_SOCKET": str(tmp_path / "notify")})
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as noisy:
        noisy.settimeout(0)
        with contextlib.suppress(BlockingIOError):
            while noisy.sendto(b"X", str(tmp_path / "notify")):
                pass
    notifier.watchdog()
    assert "TimeoutError" in log.getvalue()
    assert manager.heard() == "X"


@pytest.mark.parametrize("address", ["relative", "vsock:2:1234"])
def test_a_socket_of_another_kind_is_told_and_ignored(address: str, log: io.StringIO) -> None:
    Notifier({"NOTIFY_SOCKET": address}).ready()
    assert "NOTIFY_SOCKET is of no known kind" in log.getvalue()


@pytest.mark.parametrize(
    ("environ", "interval_s"),
    [
        ({}, None),
        ({"WATCHDOG_USEC": "5000000"}, 2.5),
        ({"WATCHDOG_USEC": "5000000", "WATCHDOG_PID": str(os.getpid())}, 2.5),
        ({"WATCHDOG_USEC": "5000000", "WATCHDOG_PID": "1"}, None),  # it watches the parent
        ({"WATCHDOG_USEC": "0"}, None),
        ({"WATCHDOG_USEC": "soon"}, None),
        ({"WATCHDOG_USEC": "5000000", "WATCHDOG_PID": "me"}, None),
    ],
)
def test_the_watchdog_is_fed_twice_in_its_period(environ: dict[str, str], interval_s: float | None) -> None:
    assert Notifier(environ).interval_s == interval_s
