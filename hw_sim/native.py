"""What native libraries print by themselves, kept off the terminal."""

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path


@contextmanager
def errors_to(path: Path) -> Iterator[None]:
    """Have everything that goes to standard error written to a file instead."""
    sys.stderr.flush()
    terminal = os.dup(sys.stderr.fileno())
    try:
        with path.open("wb") as file:
            os.dup2(file.fileno(), sys.stderr.fileno())
            yield
    finally:
        os.dup2(terminal, sys.stderr.fileno())
        os.close(terminal)
