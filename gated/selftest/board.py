"""The I/O board as the kernel shows it, and its inputs read by the real driver while no gate holds them."""

import threading
import time
from collections.abc import Iterator
from typing import Final

from drivers.gpio import CONSUMER, IoBoard
from drivers.gpio_names import LineState, NoLineError, find_line, read_lines
from gated.core.ports import DeviceError
from gated.core.settings.board import IoBoardSettings
from gated.selftest.finding import Finding, failed, fault, ok, warning
from gated.selftest.inputs import STANDS_S, Lane, Level, judge

LOOK_S: Final = 2.5  # long enough for a loose plug to show, and for the second's reading of all levels
WAIT_S: Final = 0.5  # for the first levels
STOOD_S: Final = STANDS_S  # what was so from the beginning counts as standing: since when is not known


def held(settings: IoBoardSettings, *, running: bool) -> tuple[Finding, bool]:
    """Who holds the lines, as the kernel tells; and whether all of them are free."""
    chip = settings.chip
    try:
        lines = read_lines(chip)
    except OSError as error:
        if isinstance(error, PermissionError):
            return warning(
                "lines", "no_access", f"{chip} may not be asked by this user", "run this as root"
            ), False
        return (
            fault(
                "lines", "no_chip", f"no GPIO chip at {chip}", "connect the board or correct [io_board] chip"
            ),
            False,
        )
    wanted = _wanted(settings)
    missing = [name for name, line in wanted.items() if _state(lines, line) is None]
    if missing:
        fix = "see `gpioinfo`, and correct their lines in [io_board]"
        return fault("lines", "no_such_line", f"not on {chip}: {', '.join(missing)}", fix), False
    states = {name: _state(lines, line) for name, line in wanted.items()}
    others = {
        name: state.consumer
        for name, state in states.items()
        if state is not None and state.used and state.consumer != f"{CONSUMER}-{name}"
    }
    if others:
        told = ", ".join(f"{name} by {consumer or 'the kernel'}" for name, consumer in others.items())
        return fault(
            "lines", "line_busy", f"held by others: {told}", "stop that program or unload that driver"
        ), False
    free = [name for name, state in states.items() if state is not None and not state.used]
    if running and free:
        told = f"not held though gated runs: {', '.join(free)}"
        return fault("lines", "line_not_held", told, "restart gated; see `journalctl -u gated`"), False
    if free and len(free) < len(states):
        told = f"{len(states) - len(free)} of {len(states)} are held"
        fix = "another gated or gate-safe is just starting or hangs: see `systemctl status gated gate-safe`"
        return warning("lines", "some_held", told, fix), False
    return ok("lines", f"{chip}: {len(states)} lines, {'free' if free else 'all held for the gate'}"), bool(
        free
    )


def open_and_read(settings: IoBoardSettings) -> Iterator[Finding]:
    """Take the board for a moment, with every output inactive, as it is anyway; say what the inputs are."""
    levels: dict[str, tuple[bool, float]] = {}
    faults: list[DeviceError] = []
    changing = threading.Lock()

    def watch(name: str, active: bool) -> None:  # noqa: FBT001  # the driver's port
        with changing:
            levels[name] = (active, time.monotonic())

    board = IoBoard(settings, watch, faults.append)
    began = time.monotonic()
    try:
        board.open()
        time.sleep(LOOK_S)
        flapping, turned_at = board.flapping, board.turned_at
    except DeviceError as error:
        yield failed("io_board", error)
        return
    finally:
        board.close()
    lost = [each for each in faults if each.code != "line_flaps"]
    if lost:
        yield failed("io_board", lost[0])
        return
    if turned_at <= began + WAIT_S:
        fix = "replace the board: its levels were not read again within two seconds"
        yield fault("io_board", "not_watched", "its inputs are not read", fix)
        return
    yield ok("io_board", f"opened and read for {LOOK_S:.1f} s")
    stood = {
        name: Level(active=active, since_s=STOOD_S if at - began < WAIT_S else time.monotonic() - at)
        for name, (active, at) in levels.items()
    }
    yield from judge(stood, flapping, Lane())


def _wanted(settings: IoBoardSettings) -> dict[str, int | str]:
    groups = (settings.outputs, settings.inputs)
    lines = {
        name: getattr(group, name).line
        for group in groups
        for name in group.__struct_fields__
        if getattr(group, name) is not None
    }
    return lines | {name: strip.line for name, strip in settings.lights.strips if strip.line is not None}


def _state(lines: tuple[LineState, ...], line: int | str) -> LineState | None:
    try:
        number = find_line([each.name for each in lines], line) if isinstance(line, str) else line
    except NoLineError:
        return None
    return lines[number] if number < len(lines) else None
