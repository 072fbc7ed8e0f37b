"""What a zone says and whether it is right: a value for programs, and its lines for people. Personal data."""

from collections.abc import Iterator
from typing import Any

from gated.document.mrz import Examined
from gated.document.mrz.codes import CODES

_LABEL = 21


def examined_value(examined: Examined) -> dict[str, Any]:
    """`format`, `valid`, `fields`, `checks` and `errors`, for JSON. Personal data."""
    return {
        "format": examined.format,
        "valid": examined.valid,
        "fields": examined.fields.reveal().by_name(),
        "checks": dict(examined.checks),
        "errors": [
            {
                "field": fault.field,
                "line": fault.line,
                "column": fault.column,
                "reason": fault.reason,
                "text": fault.text,
            }
            for fault in examined.faults
        ],
    }


def examined_text(examined: Examined) -> Iterator[str]:
    """The same in lines for people. Personal data."""
    yield _line("format", examined.format or "none")
    yield _line("valid", "yes" if examined.valid else "no")
    for name, value in examined.fields.reveal().by_name().items():
        if value is not None:
            yield _line(name, _told(name, value) or "-")
    for name, state in examined.checks.items():
        if state != "absent":
            yield _line(f"check {name}", state)
    for fault in examined.faults:
        places = [f"{word} {at}" for word, at in (("line", fault.line), ("column", fault.column)) if at]
        yield _line("error", ", ".join([*places, f"{fault.field} {fault.reason}"]) + f": {fault.text}")


def _line(label: str, value: str) -> str:
    return f"{label:<{_LABEL}}  {value}".rstrip()


def _told(name: str, value: str) -> str:
    """A value with what its code stands for; control characters of a bad line do not reach the terminal."""
    shown = "".join(
        character if character.isprintable() else "\N{REPLACEMENT CHARACTER}" for character in value
    )
    code = CODES.get(value) if name in {"issuer", "nationality"} else None
    return f"{shown} ({code.meaning})" if code else shown
