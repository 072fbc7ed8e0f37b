"""TOML that came from elsewhere: what the reader of the standard library takes minutes for is refused before.

A key of many parts (`a.a.a.a`) costs it their number squared, and a pack of rules or a configuration may be
as long as 256 KB: a signed one of some 100,000 parts held a gate up for two minutes.
"""

import re
import tomllib
from typing import Any, Final

MAX_DOTS: Final = 100  # on one line, outside of strings: no key that is meant has more than five
_QUOTED = re.compile(rb"\"(?:[^\"\\\n]|\\.)*\"|'[^'\n]*'")


def loads(raw: bytes) -> dict[str, Any]:
    """Decode TOML. Raises UnicodeDecodeError, RecursionError, and ValueError, as TOMLDecodeError is one."""
    for line in raw.splitlines():
        if line.count(b".") > MAX_DOTS and _dots(line) > MAX_DOTS:
            raise ValueError("a key of too many parts")
    return tomllib.loads(raw.decode())


def _dots(line: bytes) -> int:
    return _QUOTED.sub(b"", line).partition(b"#")[0].count(b".")
