"""Lines of a GPIO chip by the names that the chip gives them (uAPI v2, <linux/gpio.h>).

python-periphery opens by name as well, but takes the first of two lines that have the same one, and of a name
that is missing says no more than that. A door is at stake: so all names are read here, and a name counts only
if exactly one line has it.
"""

import difflib
import fcntl
import os
import re
import struct
from collections.abc import Sequence
from typing import Final, NamedTuple

CHIP_INFO: Final = 0x8044B401  # GPIO_GET_CHIPINFO_IOCTL: struct gpiochip_info
LINE_INFO: Final = 0xC100B405  # GPIO_V2_GET_LINEINFO_IOCTL: struct gpio_v2_line_info
CHIP_INFO_BYTES, CHIP_INFO_LINES = 68, 64
LINE_INFO_BYTES, LINE_INFO_OFFSET, NAME_BYTES = 256, 64, 32
LINE_INFO_FLAGS, USED = 72, 1  # GPIO_V2_LINE_FLAG_USED
MAX_LINES: Final = 512  # settings.Line
NEAR: Final = 3  # so many names are offered for one that is missing
WRITABLE: Final = re.compile(r"[!-~]([ -~]*[!-~])?")  # what can be written as a name in the configuration


class NoLineError(Exception):
    """Not exactly one line has the name. `code` is short; the text says what the chip has instead."""

    def __init__(self, code: str, text: str) -> None:
        super().__init__(text)
        self.code = code


class LineState(NamedTuple):
    """A line as the kernel tells of it: its name, and by whom it is held."""

    name: str
    used: bool
    consumer: str


def read_names(chip: str) -> tuple[str, ...]:
    """Return the name of each line of a chip in order, empty where a line has none. Raises OSError."""
    return tuple(line.name for line in read_lines(chip))


def read_lines(chip: str) -> tuple[LineState, ...]:
    """Ask the kernel about each line of a chip, which touches none of them. Raises OSError."""
    descriptor = os.open(chip, os.O_RDONLY | os.O_CLOEXEC)
    try:
        about = bytearray(CHIP_INFO_BYTES)
        fcntl.ioctl(descriptor, CHIP_INFO, about)
        (count,) = struct.unpack_from("<I", about, CHIP_INFO_LINES)
        return tuple(_state(descriptor, offset) for offset in range(min(count, MAX_LINES)))
    finally:
        os.close(descriptor)


def find_line(names: Sequence[str], wanted: str) -> int:
    """Return the number of the line that has a name. Raises NoLineError where none or several have it."""
    found = [number for number, name in enumerate(names) if name == wanted]
    if len(found) > 1:
        numbers = ", ".join(map(str, found))
        raise NoLineError("line_ambiguous", f"lines {numbers} all have the name {wanted}: write the number")
    if not found:
        raise NoLineError("no_such_line", f"no line has the name {wanted}: {_instead(names, wanted)}")
    return found[0]


def _state(descriptor: int, offset: int) -> LineState:
    about = bytearray(LINE_INFO_BYTES)
    struct.pack_into("<I", about, LINE_INFO_OFFSET, offset)
    fcntl.ioctl(descriptor, LINE_INFO, about)
    (flags,) = struct.unpack_from("<Q", about, LINE_INFO_FLAGS)
    name, consumer = (_text(about[start : start + NAME_BYTES]) for start in (0, NAME_BYTES))
    return LineState(name=name, used=bool(flags & USED), consumer=consumer)


def _text(raw: bytearray) -> str:
    return bytes(raw).partition(b"\0")[0].decode("ascii", errors="replace")


def _instead(names: Sequence[str], wanted: str) -> str:
    known = {name.casefold(): name for name in names if WRITABLE.fullmatch(name)}
    if not known:
        return "the chip names none of its lines, so write the number"
    near = difflib.get_close_matches(wanted.casefold(), known, n=NEAR)
    if not near:
        return "`gpioinfo` lists the names"
    return f"near to it are {', '.join(known[name] for name in near)}"
