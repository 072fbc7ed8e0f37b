"""`gatectl calibrate sensors`: leads a technician past every sensor, and proposes settings."""

import argparse
from typing import Final

from gated.commands.answer import Answer, UsageError, Words
from gated.commands.calibrate_doors import maintained, pasted
from gated.commands.findings import lines_of
from gated.commands.telling import telling
from gated.config import load
from gated.core.vocabulary import Door
from gated.selftest.finding import is_good
from gated.selftest.gate_line import NotDoneError
from gated.selftest.sensor_record import Record
from gated.selftest.sensor_steps import ALONE, PARTS, SensorWalk

LIMIT_S: Final = 60.0
AFTER: Final = "walking and reaching into beams may have latched faults: gatectl clear-fault io_board"


def add(calibrate: Words) -> None:
    """Put `sensors` under the word `calibrate`."""
    sub = calibrate.command("sensors", calibrate_sensors)
    sub.add_argument(
        "--only",
        nargs="+",
        choices=PARTS,
        metavar="PART",
        help=f"of {', '.join(PARTS)}; pair takes a second person",
    )
    sub.add_argument(
        "--limit", type=float, default=LIMIT_S, metavar="S", help=f"seconds for each step ({LIMIT_S:g})"
    )
    sub.add_argument("--run", metavar="FOLDER", help="of the gate's sockets, in place of [paths] run")


def calibrate_sensors(arguments: argparse.Namespace) -> Answer:
    """Lead you past every sensor, step by step, in maintenance; say what is wrong and propose settings."""
    if not 1 <= arguments.limit <= 600:
        raise UsageError("--limit: 1 to 600 seconds")
    config = load(arguments.config).config
    line = maintained(f"ipc://{arguments.run or config.paths.run}/control")
    record = Record(config.io_board.inputs)
    doors = tuple(door for door in Door if door in line.status.doors)
    walk = SensorWalk(line, record, doors, telling(quiet=False), arguments.limit)
    try:
        found = [*walk.run(tuple(arguments.only or ALONE))]
    except NotDoneError as error:
        raise UsageError(str(error)) from error
    found += record.judge()
    toml = record.toml()
    value = {"good": is_good(found), "findings": found, "toml": "\n".join(toml)}
    return Answer(value=value, text=(*lines_of(found), AFTER, *pasted(toml)), good=is_good(found))
