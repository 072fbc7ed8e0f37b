"""Keeps the pages of a process in memory: it never waits for a disk to bring back its own code.

What was touched once stays (`MCL_ONFAULT`), so that a process does its work once and then calls this; memory
that it never touches costs nothing. The service manager has to allow it: `LimitMEMLOCK=infinity`.
"""

import ctypes
import errno
from typing import Final

from gated import logs

_CURRENT: Final = 1  # <sys/mman.h>
_FUTURE: Final = 2
_ON_FAULT: Final = 4

_log = logs.get("resident")


def stay_resident() -> bool:
    """Lock the pages that were and will be touched; False, and told, where that is not allowed."""
    libc = ctypes.CDLL(None, use_errno=True)
    if libc.mlockall(_CURRENT | _FUTURE | _ON_FAULT) == 0:
        return True
    _log.warning(
        "the memory of this process may be taken from it, and come back slowly",
        code=errno.errorcode.get(ctypes.get_errno(), "unknown").lower(),
        fix="set LimitMEMLOCK=infinity in its unit",
    )
    return False
