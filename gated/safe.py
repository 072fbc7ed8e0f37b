"""gate-safe: what holds the gate when `gated` has failed for good.

It decides nothing: both doors locked, the lamps say out of service, and in a fire both doors are released
for as long as the fire input, or the panic button, is active. The light strips, if there are any, say the
same as the lamps; what they or a flapping input have to complain of is logged, and changes nothing. It knows
the I/O board alone, reads that section of the configuration alone, and keeps trying for the board until
somebody stops it; systemd starts it by `OnFailure=` and stops it when `gated` is started again.
"""

import argparse
import datetime as dt
import queue
import signal
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Final

from drivers.gpio import IoBoard, LineFlaps, Lines
from drivers.lamps import SignalLamps
from drivers.light_strips import LightStrips
from gated import logs
from gated.config import ConfigError, load_board
from gated.core.ports import DeviceError, Lamps
from gated.core.settings.board import IoBoardSettings
from gated.runtime.notify import Notifier
from gated.runtime.resident import stay_resident

RELEASES: Final = ("entry_release", "exit_release")
ALARMS: Final = ("fire", "panic")
TURN_S: Final = 1.0  # the lines are written again this often; well below the unit's WatchdogSec
RETRY_S: Final = 2.0  # between two tries to open the board
NOON: Final = dt.time(12)  # what is shown here is dark, or as bright as can be, at any time of the day
EX_CONFIG: Final = 78  # sysexits.h: the unit does not restart on it, nothing would change

News = tuple[str, bool] | DeviceError | None  # an input line, a fault of the board, or: stop
# SimpleQueue, because its put() may be called in a signal handler while the same thread waits in get().
Wire = queue.SimpleQueue[News]

_log = logs.get("safe")


def make_safe(board: Lines, lamps: Lamps, *, fire: bool) -> None:
    """Write the safe state, locks before lamps. Raises DeviceError."""
    for line in RELEASES:
        board.write(line, fire)
    lamps.show("emergency" if fire else "out_of_service")


def hold(board: Lines, lamps: Lamps, news: Wire, turned: Callable[[], None]) -> None:
    """Keep the gate safe until the news is to stop; calls `turned` after each writing of the lines.

    Raises DeviceError when the board is lost.
    """
    alarms: set[str] = set()
    while True:
        make_safe(board, lamps, fire=bool(alarms))
        turned()
        try:
            word = news.get(timeout=TURN_S)
        except queue.Empty:
            continue
        if word is None:
            return
        if isinstance(word, LineFlaps):
            _complain(word)
            continue
        if isinstance(word, DeviceError):
            raise word
        name, active = word
        if name in ALARMS and active != (name in alarms):
            alarms ^= {name}
            _log.warning("an alarm input changed", input=name, active=active)


def run(settings: IoBoardSettings, news: Wire, notifier: Notifier) -> None:
    """Hold the board of `settings` until the news is to stop, opening it again whenever it is lost."""
    told = ""
    while True:
        board = IoBoard(settings, lambda name, active: news.put((name, active)), news.put)
        try:
            board.open()
            _hold_open_board(board, settings, news, notifier)
        except DeviceError as error:
            if error.code != told:
                _log.error("the gate is not held", device=error.device, code=error.code, fix=error.fix)
            told = error.code
            notifier.status(f"not held: {error.code}: {error.fix}")
        else:
            return
        finally:
            board.close()
        if _stopped(news, RETRY_S):
            return


class _Signs:
    """The lamps and the strips of the lane as one. A strip that fails is complained of, and no loss."""

    def __init__(self, board: Lines, settings: IoBoardSettings, news: Wire) -> None:
        self._lamps = SignalLamps(board, news.put)
        self._strips = LightStrips(board, settings.lights, _complain, lambda: NOON)

    def show(self, pattern: str) -> None:
        self._lamps.show(pattern)
        self._strips.show(pattern)

    def close(self) -> None:
        self._lamps.close()
        self._strips.close()


def _complain(error: DeviceError) -> None:
    _log.warning("something is wrong with the board", device=error.device, code=error.code, fix=error.fix)


def _hold_open_board(board: IoBoard, settings: IoBoardSettings, news: Wire, notifier: Notifier) -> None:
    lamps = _Signs(board, settings, news)
    try:
        make_safe(board, lamps, fire=False)
        stay_resident()
        notifier.ready()
        notifier.status("doors locked, out of service")
        _log.warning("the gate is held safe", fix="find out why gated failed, then: systemctl start gated")
        hold(board, lamps, news, notifier.watchdog)
    finally:
        lamps.close()


def _stopped(news: Wire, within_s: float) -> bool:
    """Whether the word to stop comes in time; what a lost board had to say before is forgotten."""
    try:
        while (word := news.get(timeout=within_s)) is not None:
            del word
    except queue.Empty:
        return False
    return True


def main(arguments: Sequence[str] | None = None) -> int:
    """Run until SIGTERM or SIGINT; 0 then, 78 when the board's configuration cannot be used."""
    parser = argparse.ArgumentParser(prog="gate-safe", description=__doc__)
    parser.add_argument("--config", type=Path, default=Path("/etc/egate/gate.toml"))
    options = parser.parse_args(arguments)
    logs.configure("gate-safe")
    try:
        settings = load_board(options.config)
    except ConfigError as error:
        _log.critical("the board is unknown: the relays alone keep the doors locked", fix=str(error))
        return EX_CONFIG
    news: Wire = queue.SimpleQueue()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: news.put(None))
    notifier = Notifier()
    run(settings, news, notifier)
    notifier.stopping()
    _log.info("stopped")
    return 0
