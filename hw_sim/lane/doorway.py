"""A motorised door of the simulated lane: it opens while it is told to, and shuts when it no longer is."""

from typing import Final

OPENING_S: Final = 0.6
CLOSING_S: Final = 0.8
PASSABLE: Final = 0.7  # a person slips through a door that is open this far
TINY: Final = 1e-9  # rounding: what is this near has arrived


class SimulatedDoor:
    """A motorised door. `position` is 0 when it is shut and 1 when it is wide open."""

    def __init__(self) -> None:
        self.position = 0.0
        self.jammed = False
        self.motion = "shut"

    @property
    def passable(self) -> bool:
        """Whether a person can go through."""
        return self.position >= PASSABLE

    @property
    def shut(self) -> bool:
        """What the position sensor says."""
        return self.position <= TINY

    def move(self, *, opening: bool, dt: float) -> bool:
        """Move for `dt`; returns whether it did."""
        goal = 1.0 if opening else 0.0
        if self.jammed or abs(self.position - goal) <= TINY:
            return False
        change = dt / OPENING_S if opening else -dt / CLOSING_S
        self.position = min(1.0, max(0.0, self.position + change))
        if abs(self.position - goal) <= TINY:
            self.position = goal
        return True
