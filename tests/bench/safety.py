"""The safety controller: how long a release, a lock, a sensor and a fire take, and how soon a dead PC locks.

Real drivers, a pseudo-terminal whose bytes leave at the pace of 115200 baud, and the simulated controller in
this process, which takes its turns with the drivers. Deadman and fire are measured against a program of its
own that was stopped dead.
"""

import os
import statistics
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Final

from drivers.door import Leases
from drivers.safety_controller import SafetyController
from gated.core.settings.board import SafetyControllerSettings
from gated.core.vocabulary import Door
from hw_sim.lane.board import SimulatedBoard, wiring
from hw_sim.lane.safety_controller import PtySafetyController
from tests.drivers.safety_program import Program

ROUNDS: Final = 200
STOPS: Final = 20
IDLE_S: Final = 5.0
GIVE_UP_S: Final = 3.0
BOTH: Final = frozenset(Door)


class Marks:
    """When each wire of the board and each input of the driver changed last."""

    def __init__(self, board: SimulatedBoard) -> None:
        self.at: dict[str, float] = {}
        self.board = board
        board.on_change(self.mark)

    def mark(self, name: str, active: bool) -> None:  # noqa: FBT001 - the hook of board and driver
        self.at[f"{name} {active}"] = time.monotonic()

    def told(self, name: str, active: bool) -> None:  # noqa: FBT001 - the hook of the driver
        self.mark(f"told {name}", active)

    def ms(self, do: Callable[[], None], *wanted: str) -> float:
        """Milliseconds from before `do` until all that is wanted has happened."""
        for each in wanted:
            self.at.pop(each, None)
        began = time.monotonic()
        do()
        while not all(each in self.at for each in wanted):
            if time.monotonic() - began > GIVE_UP_S:
                raise RuntimeError(f"never happened: {', '.join(wanted)}")
            time.sleep(0.001)
        return 1000 * (max(self.at[each] for each in wanted) - began)


def run() -> None:
    """Print the figures."""
    board = SimulatedBoard(wiring())
    for door in Door:
        board.drive(f"{door}_shut", active=True)
    with tempfile.TemporaryDirectory(prefix="egate-bench-") as folder:
        box = PtySafetyController(board, Path(folder))
        settings = SafetyControllerSettings(
            port=str(box.path), configuration=box.setting.configuration().hex()
        )
        print(f"{ROUNDS} rounds; line at 115200 baud, 32 bytes (2.8 ms) a telegram; heartbeat 100 ms")
        marks = Marks(board)
        _print_commands(settings, marks)
        _print_losses(settings, marks)
        box.close()


def _print_commands(settings: SafetyControllerSettings, marks: Marks) -> None:
    faults: list[str] = []
    controller = SafetyController(settings, marks.told, lambda error: faults.append(error.code))
    controller.open()
    doors = Leases(controller, 15.0, lambda error: faults.append(error.code))
    times: dict[str, list[float]] = {
        "release": [],
        "lock": [],
        "sensor to the program": [],
        "fire to the program": [],
    }
    for _ in range(ROUNDS):
        times["release"].append(marks.ms(lambda: doors.unlock(Door.ENTRY, 10), "entry_release True"))
        times["lock"].append(marks.ms(lambda: doors.lock(Door.ENTRY), "entry_release False"))
        for active in (False, True):
            took = marks.ms(lambda on=active: marks.board.drive("exit_shut", on), f"told exit_shut {active}")
            times["sensor to the program"].append(took)
        time.sleep(0.01)
    for _ in range(STOPS):
        took = marks.ms(lambda: marks.board.drive("fire", active=True), "told fire True")
        times["fire to the program"].append(took)
        marks.ms(lambda: marks.board.drive("fire", active=False), "told fire False")
    doors.close()
    controller.close()
    for name, values in times.items():
        _print(name, values)
    print(f"  faults meanwhile: {', '.join(faults) or 'none'}")


def _print_losses(settings: SafetyControllerSettings, marks: Marks) -> None:
    """A program that holds a door is stopped dead: until its door locks, and then a fire."""
    locked, fired, idle = [], [], 0.0
    for number in range(STOPS):
        with Program(settings) as program:
            time.sleep(2.1 if number else 0)  # a fire is over 2 s after its end, and ended by the program
            if not number:
                before = _cpu_s(program.pid)
                time.sleep(IDLE_S)
                idle = (_cpu_s(program.pid) - before) / IDLE_S
            program.lock_all()
            marks.ms(lambda at=program: at.unlock(Door.EXIT), "exit_release True")
            locked.append(marks.ms(program.stop, "exit_release False"))
            releases = ("entry_release True", "exit_release True")
            fired.append(marks.ms(lambda: marks.board.drive("fire", active=True), *releases))
            time.sleep(0.05)
            marks.board.drive("fire", active=False)
    _print("program stopped dead, until its door locks (deadman time 300 ms)", locked)
    _print("fire, program stopped dead, until both doors are released", fired)
    print(f"  processor time of drivers that hold a session: {idle:.2%} of a core")


def _print(name: str, values: list[float]) -> None:
    values = sorted(values)
    late = values[min(len(values) - 1, round(0.99 * len(values)))]
    print(
        f"  {name}: median {statistics.median(values):.1f} ms, 99 % {late:.1f} ms, worst {values[-1]:.1f} ms"
    )


def _cpu_s(pid: int) -> float:
    fields = Path(f"/proc/{pid}/stat").read_text(encoding="ascii").rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")
