"""What an answer may hold of names that somebody else chose: letters that a terminal shows, and UTF-8.

A file name is any bytes. Python keeps those that are no UTF-8 as lone surrogates, which no JSON can carry,
and a terminal obeys what is written in control characters.
"""

from typing import Any

import msgspec


def line(text: str) -> str:
    """Return text as one line in which each character that does not show is spelt with a backslash."""
    return "".join(letter if letter.isprintable() else _spelt(letter) for letter in text)


def json(value: object) -> str:
    """Return a value as JSON; bytes of a file name that are no UTF-8 are spelt out."""
    try:
        return msgspec.json.encode(value).decode()
    except UnicodeEncodeError:
        return msgspec.json.encode(_whole(msgspec.to_builtins(value))).decode()


def _whole(value: Any) -> Any:
    match value:
        case str():
            return value.encode("utf-8", "backslashreplace").decode()
        case dict():
            return {_whole(key): _whole(inner) for key, inner in value.items()}
        case list() | tuple():
            return [_whole(inner) for inner in value]
    return value


def _spelt(letter: str) -> str:
    return letter.encode("unicode_escape").decode("ascii")
