"""What a daemon tells systemd: ready, alive, stopping (the sd_notify protocol: one datagram a message).

The watchdog is fed by whoever knows that the process is well; this file only carries the word. Outside
systemd there is no socket and every call is silent. A word that cannot be delivered is logged once and
never stops the gate: systemd notices the silence by itself, and that is the purpose of a watchdog.
"""

import os
import socket
from collections.abc import Mapping

from gated import logs

SEND_S = 0.5  # systemd's queue is full only when systemd hangs; a watchdog must not hang with it
MAX_STATUS = 200

_log = logs.get("notify")


class Notifier:
    """The line to the service manager, as the environment describes it when this is made."""

    def __init__(self, environ: Mapping[str, str] = os.environ) -> None:
        self._address = _address(environ.get("NOTIFY_SOCKET", ""))
        self._complained = False
        self.interval_s = _interval(environ)
        """Seconds between calls of `watchdog`: half of systemd's patience; None when it does not watch."""

    def ready(self) -> None:
        """Say that start-up is over."""
        self._send("READY=1")

    def watchdog(self) -> None:
        """Say that the process is well."""
        self._send("WATCHDOG=1")

    def status(self, text: str) -> None:
        """Show one line in `systemctl status`; never personal data."""
        self._send("STATUS=" + " ".join(text.split())[:MAX_STATUS])

    def stopping(self) -> None:
        """Say that the end has begun and is meant."""
        self._send("STOPPING=1")

    def _send(self, message: str) -> None:
        if self._address is None:
            return
        try:
            with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM | socket.SOCK_CLOEXEC) as line:
                line.settimeout(SEND_S)
                line.sendto(message.encode(), self._address)
        except OSError as error:
            if not self._complained:
                self._complained = True
                _log.warning(
                    "systemd does not hear this process",
                    fix="check NOTIFY_SOCKET and NotifyAccess= of the unit",
                    exc_info=error,
                )


def _address(value: str) -> str | None:
    """The socket's address: a path, or an abstract name that is written with `@` (sd_notify(3))."""
    if value.startswith("@"):
        return "\0" + value[1:]
    if value.startswith("/"):
        return value
    if value:
        _log.warning("NOTIFY_SOCKET is of no known kind", fix="only paths and abstract sockets are supported")
    return None


def _interval(environ: Mapping[str, str]) -> float | None:
    """Half of the watchdog's period, if it watches this very process (sd_watchdog_enabled(3))."""
    try:
        period_us = int(environ.get("WATCHDOG_USEC", "0"))
        watched = int(environ.get("WATCHDOG_PID", str(os.getpid())))
    except ValueError:
        _log.warning("the watchdog's variables are not numbers", fix="unset WATCHDOG_USEC and WATCHDOG_PID")
        return None
    return period_us / 2e6 if period_us > 0 and watched == os.getpid() else None
