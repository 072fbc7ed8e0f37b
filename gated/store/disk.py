"""The disk below the state folder: whether it takes records, and how long it takes to keep one."""

import errno
import os
import time
from collections.abc import Callable
from pathlib import Path
from typing import Final, NamedTuple

MIN_FREE: Final = 32 * 1024 * 1024  # a day of passages takes some 20 MiB; the lane closes before it is full
SLOW_S: Final = 0.5  # an entry of the journal takes some 5 ms on an SSD; a passage writes 40
PROBE: Final = "disk-probe"  # the file that is written to see how the disk is
BLOCK: Final = bytes(512)

Look = Callable[[Path], os.statvfs_result]


class Trouble(NamedTuple):
    """What is wrong with a disk: a code, and what a technician can do."""

    code: str
    fix: str


def full(path: Path) -> Trouble:
    """No room is left; a program that keeps records on it ends."""
    return Trouble("disk_full", f"free space on the disk of {path}, then restart")


def read_only(path: Path) -> Trouble:
    """The kernel has stopped all writing."""
    fix = f"the disk of {path} was made read-only, as after a disk error: see dmesg, smartctl"
    return Trouble("disk_read_only", fix)


def failing(path: Path) -> Trouble:
    """It answers with errors."""
    return Trouble("disk_fails", f"check the disk of {path} (dmesg, smartctl), then restart")


def look(folder: Path, at: Look = os.statvfs) -> Trouble | None:
    """Say what the file system tells of itself."""
    try:
        disk = at(folder)
    except OSError:
        return Trouble("disk_gone", f"see that the disk of {folder} is mounted")
    if disk.f_flag & os.ST_RDONLY:
        return read_only(folder)
    if disk.f_bavail * disk.f_frsize >= MIN_FREE:
        return None
    fix = f"free space on the disk of {folder}: the journal needs {MIN_FREE // 2**20} MiB"
    return Trouble("disk_nearly_full", fix)


def free_bytes(folder: Path) -> int:
    """How much of it a program like this may still use. Raises OSError."""
    disk = os.statvfs(folder)
    return disk.f_bavail * disk.f_frsize


def refusal(path: Path) -> Trouble | None:
    """Say why a file could not be written, if it is the disk's condition."""
    try:
        disk = os.statvfs(path.parent)
    except OSError:
        return None
    if disk.f_flag & os.ST_RDONLY:
        return read_only(path)
    return None if disk.f_bavail * disk.f_frsize >= len(BLOCK) else full(path)


def probe(folder: Path) -> Trouble | None:
    """Write one block durably, as an entry of the journal is written, and say what went wrong."""
    began = time.monotonic()
    try:
        file = os.open(folder / PROBE, os.O_WRONLY | os.O_CREAT | os.O_CLOEXEC, 0o600)
        try:
            os.pwrite(file, BLOCK, 0)
            os.fsync(file)
        finally:
            os.close(file)
    except OSError as error:
        return {errno.ENOSPC: full, errno.EDQUOT: full, errno.EROFS: read_only}.get(
            error.errno or 0, failing
        )(folder)
    took = time.monotonic() - began
    if took < SLOW_S:
        return None
    fix = f"the disk of {folder} takes {took:.1f} s to keep one record: see what else writes, dmesg, smartctl"
    return Trouble("disk_slow", fix)
