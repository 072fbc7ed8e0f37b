"""`gatectl calibrate doors`: how fast the doors follow, and how their contacts bounce. In maintenance."""

import argparse
from collections.abc import Sequence
from typing import Final

from gated.commands.answer import Answer, UsageError, Words
from gated.commands.findings import lines_of
from gated.commands.telling import telling
from gated.config import load
from gated.core.gate import State
from gated.core.vocabulary import Door
from gated.selftest import door_times
from gated.selftest.door_times import Cycle, DoorStuckError
from gated.selftest.finding import Finding, is_good, many
from gated.selftest.gate_line import ControlLine, NotDoneError

CYCLES: Final = 5
MOST_CYCLES: Final = 1000
CALL: Final = "first: gatectl gate mode maintenance --reason TEXT"


def add(calibrate: Words) -> None:
    """Put `doors` under the word `calibrate`."""
    sub = calibrate.command("doors", calibrate_doors)
    sub.add_argument("--cycles", type=int, default=CYCLES, metavar="N", help=f"of each door ({CYCLES})")
    sub.add_argument("--run", metavar="FOLDER", help="of the gate's sockets, in place of [paths] run")


def calibrate_doors(arguments: argparse.Namespace) -> Answer:
    """Open and shut each door some times, in maintenance; measure, and propose settings."""
    if not 1 <= arguments.cycles <= MOST_CYCLES:
        raise UsageError(f"--cycles: 1 to {MOST_CYCLES}")
    config = load(arguments.config).config
    line = maintained(f"ipc://{arguments.run or config.paths.run}/control")
    if not line.status.doors:
        raise UsageError(f"a {line.status.topology} has no door: calibrate those of its gate")
    tell = telling(quiet=arguments.json)
    cycles: list[Cycle] = []
    found: list[Finding] = []
    for door in (door for door in Door if door in line.status.doors):
        tell(f"the {door} door moves {many(arguments.cycles, 'time')}: keep clear of it")
        try:
            for number in range(arguments.cycles):
                cycles.append(cycle := door_times.run_cycle(line, door))
                tell(f"  {number + 1}: open after {cycle.open_s:.2f} s, shut after {cycle.shut_s:.2f} s")
        except DoorStuckError as error:
            found.append(error.finding)
        except NotDoneError as error:
            raise UsageError(str(error)) from error
    found += door_times.judge(cycles, config.io_board, config.policy.limits.closing_s)
    toml = door_times.proposal(cycles, config.io_board) if cycles else []
    value = {"good": is_good(found), "cycles": cycles, "findings": found, "toml": "\n".join(toml)}
    return Answer(value=value, text=(*lines_of(found), *pasted(toml)), good=is_good(found))


def maintained(address: str) -> ControlLine:
    """The gate, which must be in maintenance. Raises UsageError, NoAnswerError."""
    try:
        line = ControlLine(address)
    except NotDoneError as error:
        raise UsageError(str(error)) from error
    if line.status.state != State.MAINTENANCE:
        raise UsageError(f"the lane is {line.status.state}, and the doors move only in maintenance: {CALL}")
    return line


def pasted(toml: Sequence[str]) -> tuple[str, ...]:
    """What to paste, with how to put it into force."""
    if not toml:
        return ()
    return ("", "# for gate.toml; then: gatectl config-check FILE, systemctl restart gated", *toml)
