"""`docs/faults.md` has a row for each fault that a device of the gate can have, and for no other."""

import ast
import re
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Final

from drivers import ccid, chip_reader, mrz_scanner, pcsc_reader, safety_faults
from drivers.door import DoorWatch
from gated.core import curtain, gate
from gated.core.vocabulary import Door, Vouched
from gated.lanes import embedders
from gated.lanes.ages import MEANS
from hw_sim.scenarios import SCENARIOS

ROOT: Final = Path(__file__).parents[1]
PAGE: Final = ROOT / "docs" / "faults.md"
SOURCES: Final = ("drivers/**/*.py", "gated/lanes/**/*.py", "gated/store/disk.py")
OF_CARDS: Final = frozenset({"drivers/t1.py", "drivers/atr.py"})  # what they raise is told of the chip

# What makes a fault of a device, and which argument is its code. A chip taken away (`CardGone`) is none.
MAKERS: Final = {
    **dict.fromkeys(("DeviceError", "DeviceGone", "DeviceTimeout", "LineFlaps", "Interlock"), 1),
    **dict.fromkeys(("NoLineError", "Trouble", "failed", "_gone"), 0),
}
PASSED_ON: Final = {"_fail": 0}  # to one of them: a code, or an error that has one

# Where a code is computed, its module has a table of them.
TABLES: Final[Mapping[str, Callable[[], set[str]]]] = {
    "drivers/chip_reader.py": lambda: (
        {"bad_field_*", "vendor_error_*"}
        | {name for number, name in ccid.SLOT_ERRORS.items() if number not in chip_reader._CARD_ERRORS}
        | literals("drivers/ccid.py", {"CcidError": 0})
    ),
    "drivers/door.py": lambda: set(DoorWatch.Breach),
    "drivers/gpio.py": lambda: pairs("drivers/gpio.py"),
    "drivers/mrz_scanner.py": lambda: set(mrz_scanner._FIXES),
    "drivers/pcsc_reader.py": lambda: (
        {"pcsc_*"}
        | {code for code, _ in (*pcsc_reader._GONE_CODES.values(), *pcsc_reader._OTHER_CODES.values())}
    ),
    "drivers/pwm.py": lambda: pairs("drivers/pwm.py"),
    "drivers/safety_controller.py": lambda: set(safety_faults.FIXES),
    "drivers/safety_faults.py": lambda: set(safety_faults.INCIDENTS),
    "drivers/serial_line.py": set,
    "drivers/v4l2.py": set,
    "gated/lanes/caretaker.py": set,
    "gated/lanes/condition.py": set,
    "gated/lanes/curtains.py": lambda: (
        {f"{door}_{code}" for door in Door for code in curtain.FIXES}
        - {f"{door}_began_blocked" for door in Door}
    ),
    "gated/lanes/lists.py": set,  # those of the watchlist: docs/faults.md names the page
    "gated/lanes/page.py": set,  # those of a camera
    "gated/lanes/sight.py": lambda: set(embedders.FIXES),  # and those of a camera
}


def calls(tree: ast.AST, makers: Mapping[str, int]) -> Iterator[ast.expr]:
    """What stands for the code in each call that makes a fault."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Call):
            name = getattr(node.func, "id", getattr(node.func, "attr", ""))
            place = makers.get(name)
            if place is not None and len(node.args) > place:
                yield node.args[place]


def literals(path: str, makers: Mapping[str, int]) -> set[str]:
    tree = ast.parse((ROOT / path).read_text(encoding="utf-8"))
    return {
        code.value
        for code in calls(tree, makers)
        if isinstance(code, ast.Constant) and isinstance(code.value, str)
    }


def pairs(path: str) -> set[str]:
    """The codes in tables of (code, fix)."""
    tree = ast.parse((ROOT / path).read_text(encoding="utf-8"))
    found = (node.elts for node in ast.walk(tree) if isinstance(node, ast.Tuple) and len(node.elts) == 2)
    firsts = (first.value for first, _ in found if isinstance(first, ast.Constant))
    return {str(code) for code in firsts if re.fullmatch(r"[a-z][a-z0-9]*(_[a-z0-9]+)+", str(code))}


def raised() -> set[str]:
    codes = {"starting", *gate.FIXES, *(f"{kind}_{meaning}" for kind in Vouched for meaning in MEANS)}
    for path in sorted(path for pattern in SOURCES for path in ROOT.glob(pattern)):
        name = path.relative_to(ROOT).as_posix()
        if name in OF_CARDS:
            continue
        tree = ast.parse(path.read_text(encoding="utf-8"))
        if any(not isinstance(code, ast.Constant) for code in calls(tree, MAKERS)):
            assert name in TABLES, f"{name} computes a code: add where they are listed"
            codes |= TABLES[name]()
        codes |= literals(name, MAKERS | PASSED_ON)
    return codes


def documented() -> set[str]:
    rows = re.findall(r"^\| (`[^|]+) \|", PAGE.read_text(encoding="utf-8"), re.MULTILINE)
    return {code for row in rows for code in re.findall(r"`([^`]+)`", row)}


def test_each_fault_has_a_row() -> None:
    assert raised() - documented() == set()


def test_no_row_is_of_a_fault_that_nothing_raises() -> None:
    assert documented() - raised() == set()


def test_the_faults_of_the_scenarios_are_among_them() -> None:
    told = {scenario.trouble.code for scenario in SCENARIOS if scenario.trouble}
    assert told | {scenario.says for scenario in SCENARIOS if scenario.says} <= documented()
