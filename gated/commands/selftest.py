"""`gatectl selftest`: every device in turn, with what is wrong and what to do.

A gate that runs owns its devices and is asked what its lanes know; only in maintenance is anything moved, lit
or looked through, and only where that was asked for. While no gate runs the devices are opened here, by the
same drivers: the outputs of the board stay inactive, as they are anyway.
"""

import argparse
from collections.abc import Callable, Iterable, Iterator, Sequence
from functools import partial
from pathlib import Path
from typing import Final

from drivers.lamps import LAMPS
from gated.commands.answer import Answer, UsageError, Words
from gated.commands.columns import wrapped
from gated.commands.findings import lines_of
from gated.commands.telling import telling
from gated.config import ConfigError, GateConfig, Loaded, load
from gated.core.gate import State
from gated.core.settings.readers import ChipReaderSettings, MrzScannerSettings
from gated.core.vocabulary import Door
from gated.published_kinds import overlaid
from gated.runtime import requests as say
from gated.runtime.control import NoAnswerError, ask
from gated.selftest import board, cameras, devices, door_times, models, records
from gated.selftest.door_times import DoorStuckError
from gated.selftest.finding import Finding, Verdict, fault, is_good, ok, warning
from gated.selftest.gate_line import ControlLine, NotDoneError
from gated.selftest.inputs import BEAMS
from gated.selftest.running import judge_running
from gated.store.published import Published

DEVICES: Final = (
    *("configuration", "gated", "disk", "journal", "clock"),
    *("lines", "io_board", "inputs", "alarms", "doors", "curtains", "presence", "document", "lamps", "power"),
    *("safety_controller", "mrz_scanner", "chip_reader", "cameras", "vision", "models", "link", "watchlist"),
    "published",
)
LAMP_S: Final = 2.2  # the gate lights one for two seconds
CALL_FIX: Final = "first: gatectl gate mode maintenance --reason TEXT"

Tell = Callable[[str], None]
Test = Callable[[], Iterable[Finding]]


def add(words: Words) -> None:
    """Put `selftest` on the command line."""
    sub = words.command("selftest", selftest)
    sub.add_argument(
        "--only", nargs="+", metavar="DEVICE", choices=DEVICES, help=f"of {', '.join(DEVICES)}; default: all"
    )
    sub.add_argument("--move", action="store_true", help="in maintenance: open and shut each door once")
    sub.add_argument("--lamps", action="store_true", help="in maintenance: light each lamp in turn")
    sub.add_argument("--run", metavar="FOLDER", help="of the gate's sockets, in place of [paths] run")


def selftest(arguments: argparse.Namespace) -> Answer:
    """Test every device, and say what is wrong and what to do; nothing moves but by --move in maintenance."""
    only = set(arguments.only or DEVICES)
    try:
        own = load(arguments.config)
    except ConfigError as error:
        fix = "correct it, then `gatectl config-check FILE`; the rest was not tested"
        return _answer([fault("configuration", "config_unusable", str(error), fix)])
    loaded, unusable = _in_force(arguments.config, own)
    found = [each for each in unusable if each.device in only]
    for test in _tests(own, loaded, arguments, only):
        found += [each for each in test() if each.device in only]
    return _answer(sorted(found, key=lambda each: DEVICES.index(each.device)), _untried(arguments, only))


def _in_force(path: Path, own: Loaded) -> tuple[Loaded, list[Finding]]:
    """The configuration with what is published laid over it; the gate's own alone where that does not fit."""
    try:
        return overlaid(path, own, Published(Path(own.config.paths.state) / "published")), []
    except ConfigError as error:
        told = "what is published does not fit gate.toml: gated cannot start again"
        return own, [fault("configuration", "published_unusable", told, str(error))]


def _untried(arguments: argparse.Namespace, only: set[str]) -> tuple[str, ...]:
    """What was left alone, so that nobody takes it for tested."""
    left = [
        f"{device} ({option})"
        for device, option, asked in (
            ("doors", "--move", arguments.move),
            ("lamps", "--lamps", arguments.lamps),
        )
        if device in only and not asked
    ]
    return tuple(wrapped(f"not tried: {' and '.join(left)}, in maintenance")) if left else ()


def _answer(found: Sequence[Finding], untried: tuple[str, ...] = ()) -> Answer:
    counts = {verdict: sum(each.verdict is verdict for each in found) for verdict in Verdict}
    value = {"good": is_good(found), "counts": counts, "findings": found}
    return Answer(value=value, text=(*lines_of(found), *untried), good=is_good(found))


def _tests(own: Loaded, loaded: Loaded, arguments: argparse.Namespace, only: set[str]) -> Iterator[Test]:
    """What is to be done, in turn; what nobody asked for is not touched.

    `loaded` is the gate's `own` configuration with the published one laid over it.
    """
    config = loaded.config
    state = Path(config.paths.state)
    yield from _of(only, "configuration", lambda: [records.configuration(loaded)])
    yield from _of(only, "disk", lambda: [records.disk_below(state)])
    yield from _of(only, "journal", lambda: [records.journal(state)])
    yield from _of(only, "clock", lambda: [records.clock(required=config.policy.require_synchronised_clock)])
    address = f"ipc://{arguments.run or config.paths.run}/control"
    try:
        tested = ask(address, say.SelfTest())
    except NoAnswerError as error:
        silent = partial(warning, "gated", "gated_silent", "does not answer: its devices were opened here")
        yield partial(_one, silent(str(error)))
        yield from _of(only, "models", partial(models.judge, own.config, loaded, ""))
        yield from _while_stopped(loaded, only)
        if arguments.move or arguments.lamps:
            asked = "doors" if arguments.move else "lamps"
            yield partial(_one, warning(asked, "gated_silent", "not tried", "start gated, then " + CALL_FIX))
        return
    if not isinstance(tested, say.SelfTested):
        raise UsageError("gated gave no self-test: use the gatectl of its version")
    yield from _of(only, "models", partial(models.judge, own.config, loaded, tested.status.embedder))
    yield lambda: _but_clock(judge_running(tested, config))
    yield from _of(only, "lines", lambda: [board.held(config.io_board, running=True)[0]])
    yield from _in_maintenance(tested, config, address, arguments, only)


def _of(only: set[str], device: str, test: Test) -> Iterator[Test]:
    if device in only:
        yield test


def _one(finding: Finding) -> Iterator[Finding]:
    yield finding


def _but_clock(found: Iterable[Finding]) -> Iterator[Finding]:
    """The clock is judged here, by the kernel; the lane says the same of it."""
    return (each for each in found if each.device != "clock")


# --- while no gate runs ---------------------------------------------------------------------------------


def _while_stopped(loaded: Loaded, only: set[str]) -> Iterator[Test]:
    config = loaded.config
    if only & {"lines", "io_board", "inputs", "alarms", "doors", "curtains", "presence", "document", "power"}:
        yield lambda: _board_here(config)
    if config.safety_controller is not None:
        safety = config.safety_controller
        yield from _of(only, "safety_controller", lambda: devices.safety_controller(safety))
    ends = [("", config.mrz_scanner, config.chip_reader)]
    if config.port is not None:
        ends.append(("other end", config.port.mrz_scanner, config.port.chip_reader))
    for part, scanner, reader in ends:
        if scanner is not None:
            yield from _of(only, "mrz_scanner", partial(_scanner, scanner, part))
        yield from _of(only, "chip_reader", partial(_chip, reader, part))
    named = cameras.named(config)
    yield from _of(only, "cameras", lambda: cameras.look_through(named, named))
    yield from _of(only, "link", lambda: [devices.link(config.link)])
    yield from _of(only, "watchlist", lambda: [records.lists(loaded)])


def _scanner(settings: MrzScannerSettings, part: str) -> Iterator[Finding]:
    yield devices.scanner(settings, part)


def _chip(settings: ChipReaderSettings, part: str) -> Iterator[Finding]:
    yield devices.chip(settings, part)


def _board_here(config: GateConfig) -> Iterator[Finding]:
    """The board, if nobody holds it: `gate-safe` does when `gated` failed."""
    lines, free = board.held(config.io_board, running=False)
    yield lines
    if free:
        yield from board.open_and_read(config.io_board)
    elif lines.verdict is Verdict.OK:
        fix = "to read its inputs: systemctl stop gate-safe, test again, then systemctl start gated"
        yield warning("io_board", "held_by_gate_safe", "gate-safe, or a gated that hangs, holds it", fix)


# --- in maintenance -----------------------------------------------------------------------------------


def _in_maintenance(
    tested: say.SelfTested, config: GateConfig, address: str, arguments: argparse.Namespace, only: set[str]
) -> Iterator[Test]:
    """What moves, lights or looks: only when nobody can be served meanwhile."""
    in_maintenance = tested.status.state == State.MAINTENANCE
    wanted = {"doors": arguments.move, "lamps": arguments.lamps}
    for device in (device for device, asked in wanted.items() if asked and not in_maintenance):
        told = f"not tried: the lane is {tested.status.state}"
        yield partial(_one, fault(device, "not_in_maintenance", told, CALL_FIX))
    if not in_maintenance:
        return
    tell = telling(quiet=arguments.json)
    if arguments.lamps and "lamps" in only:
        yield lambda: _lamps(config, ControlLine(address), tell)
    if arguments.move and "doors" in only:
        yield lambda: move(config, tested.status, ControlLine(address), tell)
    asleep = [name for name, state in tested.status.cameras.items() if state != "live"]
    named = cameras.named(config)
    yield from _of(
        only, "cameras", lambda: cameras.look_through(named, [name for name in asleep if name in named])
    )


def move(config: GateConfig, status: say.Status, line: ControlLine, tell: Tell) -> Iterator[Finding]:
    """Each door of the lane once, unless somebody is in its way."""
    cycles = []
    for door in (door for door in Door if door in status.doors):
        try:
            in_the_way = [name for name, active in line.levels().items() if active and name in _ways(door)]
        except NotDoneError as error:
            yield fault("doors", "not_taken", "its inputs are not known", str(error), door)
            continue
        if in_the_way:
            told = f"not tried: {', '.join(in_the_way)} active"
            fix = "see that nobody and nothing is in the lane, or use `gatectl calibrate doors`"
            yield fault("doors", "lane_occupied", told, fix, door)
            continue
        tell(f"the {door} door opens and shuts: keep clear of it")
        try:
            cycles.append(door_times.run_cycle(line, door))
        except DoorStuckError as error:
            yield error.finding
        except NotDoneError as error:
            yield fault("doors", "not_taken", "the gate did not take the command", str(error), door)
    yield from door_times.judge(cycles, config.io_board, config.policy.limits.closing_s)


def _ways(door: Door) -> frozenset[str]:
    """The inputs that say that somebody may be in the way of this door."""
    return frozenset({"occupied", "crowded", f"{door}_obstructed", *BEAMS[door]})


def _lamps(config: GateConfig, line: ControlLine, tell: Tell) -> Iterator[Finding]:
    """Light each; only who looks knows whether it burns."""
    lamps = [*LAMPS, *(["face_light"] if config.io_board.outputs.face_light else [])]
    for lamp in lamps:
        tell(f"now {lamp} alone: look whether it burns")
        try:
            line.try_lamp(lamp)
        except NotDoneError as error:
            yield fault("lamps", "not_taken", "the gate did not take the command", str(error), lamp)
            return
        line.rest(LAMP_S)
    yield ok("lamps", f"{len(lamps)} were lit one by one: each must have burned when it was named")
