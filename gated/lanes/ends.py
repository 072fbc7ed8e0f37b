"""The two ends of a lane: which of them is the entry, by the direction in which it is walked now.

Above here `entry` is always where people come in, and `document` the reader that they stand at. Turned round,
the names of the wires at both ends change places, and nothing else does.
"""

from drivers.gpio import Lines
from gated.core.vocabulary import Direction

_ENDS = {"entry": "exit", "exit": "entry"}
_DOCUMENTS = {"document": "exit_document", "exit_document": "document"}


class Ends:
    """The lines of a board by what they mean in the present direction."""

    def __init__(self, lines: Lines, direction: Direction = Direction.FORWARD) -> None:
        self._lines = lines
        self.direction = direction

    def read(self, name: str) -> bool:
        """Whether the line is active now. Raises DeviceError."""
        return self._lines.read(self.turned(name))

    def write(self, name: str, active: bool) -> None:  # noqa: FBT001 - the level is the message
        """Make an output active or not. Raises DeviceError."""
        self._lines.write(self.turned(name), active)

    def turned(self, name: str) -> str:
        """The wire of a name, or the name of a wire: in reverse the ends change places."""
        if self.direction is Direction.FORWARD:
            return name
        if name in _DOCUMENTS:
            return _DOCUMENTS[name]
        end, _, rest = name.partition("_")
        return f"{_ENDS[end]}_{rest}" if end in _ENDS else name
