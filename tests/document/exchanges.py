"""Protocols run against prepared answers and prepared chance."""

from collections.abc import Callable, Generator, Iterable
from typing import TypeVar

C = TypeVar("C")
R = TypeVar("R")
T = TypeVar("T")


def replay(protocol: Generator[C, R, T], transcript: Iterable[tuple[C, R]]) -> T:
    """Expect each command, answer it; return what the protocol returns at the end."""
    command = next(protocol)
    try:
        for expected, answer in transcript:
            assert command == expected
            command = protocol.send(answer)
    except StopIteration as end:
        result: T = end.value
        return result
    raise AssertionError("the protocol asks for more")


def draws(*values: bytes) -> Callable[[int], bytes]:
    """The chance of a worked example."""
    waiting = list(values)

    def draw(size: int) -> bytes:
        value = waiting.pop(0)
        assert len(value) == size
        return value

    return draw
