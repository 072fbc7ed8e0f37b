"""The stand-in for systemd, as far as a hanging daemon is concerned."""

import signal
from collections.abc import Iterator
from pathlib import Path

import pytest

from hw_sim import supervisor
from hw_sim.supervisor import Daemon, python

FEEDING = """
import time
from gated.runtime.notify import Notifier
notifier = Notifier()
notifier.ready()
while True:
    notifier.watchdog()
    time.sleep(0.02)
"""


@pytest.fixture
def daemon(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Daemon]:
    monkeypatch.setattr(supervisor, "WATCHDOG_S", 0.5)
    one = Daemon("feeding", python("-c", FEEDING), tmp_path)
    one.start()
    yield one
    one.kill()


def test_a_daemon_that_feeds_its_watchdog_is_left_alone(daemon: Daemon) -> None:
    assert not daemon.end_by_watchdog(1.5)
    assert daemon.is_running()


def test_a_daemon_that_is_stopped_is_ended_by_its_watchdog(daemon: Daemon) -> None:
    daemon.signal(signal.SIGSTOP)
    assert daemon.end_by_watchdog(10.0)
    assert daemon.wait(1.0) == -signal.SIGABRT
