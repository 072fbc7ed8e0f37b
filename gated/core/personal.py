"""Personal data wears a mask.

`Personal` holds a value that must not reach a log, an exception, a message or a file by accident. Its
`repr` and `str` show only that something is there; encoders refuse it. `reveal()` is the one way in, so
every use of personal data can be found by searching for that word.
"""

from typing import Generic, NoReturn, TypeVar

T = TypeVar("T")

MASK = "‹personal›"


class Personal(Generic[T]):
    """A masked value. Equality is by value; hashing and pickling are refused."""

    __slots__ = ("_value",)
    __hash__ = None  # type: ignore[assignment]  # a hash would let it serve as a dictionary key and be printed

    def __init__(self, value: T) -> None:
        self._value = value

    def reveal(self) -> T:
        """Return the value; the caller answers for where it goes."""
        return self._value

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Personal) and self._value == other._value

    def __repr__(self) -> str:
        return MASK

    __str__ = __repr__

    def __format__(self, spec: str) -> str:
        return MASK

    def __reduce__(self) -> NoReturn:
        raise TypeError("personal data is not serialised")
