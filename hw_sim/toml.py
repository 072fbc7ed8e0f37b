"""Writing a configuration as TOML: just the shapes that `gate.toml` has (the standard library only reads)."""

import json
from collections.abc import Iterator, Mapping
from typing import Any


def to_toml(table: Mapping[str, Any]) -> str:
    """Write a table of scalars, lists of scalars, tables, and lists of tables."""
    return "\n".join(_lines(table, "")) + "\n"


def _lines(table: Mapping[str, Any], path: str) -> Iterator[str]:
    inner = {key: value for key, value in table.items() if _is_table(value)}
    for key, value in table.items():
        if key not in inner and value is not None:  # TOML cannot say None: the key stays away
            yield f"{key} = {_value(value)}"
    for key, value in inner.items():
        full = f"{path}.{key}" if path else key
        for item in value if isinstance(value, list | tuple) else [value]:
            yield ""
            yield f"[[{full}]]" if isinstance(value, list | tuple) else f"[{full}]"
            yield from _lines(item, full)


def _is_table(value: Any) -> bool:
    return isinstance(value, dict) or (
        isinstance(value, list | tuple) and bool(value) and isinstance(value[0], dict)
    )


def _value(value: Any) -> str:
    if isinstance(value, list | tuple):
        return f"[{', '.join(_value(item) for item in value)}]"
    return json.dumps(value, ensure_ascii=False)  # TOML's strings, numbers and booleans are written alike
