"""A machine that fails: its wall clock leaps; its disk fills up, becomes read-only, or slow.

It lies below one program, like the other simulated devices: `ailing.c`, preloaded, falsifies what the kernel
tells that program. It sees real files on a real disk; only the answers to its system calls are not real.
"""

import mmap
import struct
from pathlib import Path
from typing import Final

from hw_sim.lane.gpio_shim import build

SOURCE: Final = Path(__file__).with_name("ailing.c")
PAGE: Final = struct.Struct("=qqii")  # `struct ailment`: clock_ns, free_bytes, disk, sync_ms
WELL, FULL, READ_ONLY = 0, 1, 2
AS_IT_IS: Final = -1


class AilingMachine:
    """What ails the machine of the program that was started with `environment`. All calls work at once."""

    def __init__(self, page: Path, folder: Path) -> None:
        """`page` is shared with the program; `folder` is where its disk ails."""
        self._path = page
        self._folder = folder.resolve()
        self._clock_s = 0.0
        self._free, self._disk, self._sync_ms = AS_IT_IS, WELL, 0
        page.write_bytes(PAGE.pack(0, AS_IT_IS, WELL, 0))
        with page.open("r+b") as file:
            self._page = mmap.mmap(file.fileno(), PAGE.size)

    def environment(self, library: Path, preloaded: str = "") -> dict[str, str]:
        """What the environment of the program needs, with what else is preloaded."""
        return {
            "LD_PRELOAD": f"{library} {preloaded}".strip(),
            "EGATE_AILING": str(self._path),
            "EGATE_AILING_FOLDER": str(self._folder),
        }

    def leap(self, seconds: float) -> None:
        """Let the wall clock be so far ahead of the true time (or behind); 0 sets it right."""
        self._clock_s = seconds
        self._tell()

    def fill_disk(self, free_bytes: int) -> None:
        """Let so much room be left on the disk; none at all refuses every write."""
        self._free, self._disk = free_bytes, WELL if free_bytes else FULL
        self._tell()

    def make_read_only(self) -> None:
        """Let the disk take no writes any more, as the kernel does after an error of the file system."""
        self._disk = READ_ONLY
        self._tell()

    def slow_down(self, seconds: float) -> None:
        """Let every wait for the disk take so much longer."""
        self._sync_ms = round(seconds * 1000)
        self._tell()

    def mend_disk(self) -> None:
        """Let the disk be as it is."""
        self._free, self._disk, self._sync_ms = AS_IT_IS, WELL, 0
        self._tell()

    def _tell(self) -> None:
        self._page[:] = PAGE.pack(round(self._clock_s * 1e9), self._free, self._disk, self._sync_ms)


def library(folder: Path) -> Path:
    """Build the preloaded library into `folder`, or find it there. Raises ShimError."""
    return build(folder, SOURCE)
