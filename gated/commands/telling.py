"""Saying to a technician what happens now, beside the answer: on standard error, as it happens."""

import sys
from collections.abc import Callable


def telling(*, quiet: bool) -> Callable[[str], None]:
    """What writes one line at once; nothing where a program reads the answer (`quiet`)."""

    def tell(text: str) -> None:
        if not quiet and sys.stderr is not None:
            sys.stderr.write(f"{text}\n")
            sys.stderr.flush()

    return tell
