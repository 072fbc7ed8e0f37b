"""Where things are in a lane, as numbers: metres from the way in, as it is walked forward.

`MANTRAP` is the lane that everything else here was measured in; the others differ in what they must.
"""

from typing import Final

from gated.core.values import Value
from gated.core.vocabulary import Door, Topology

Stretch = tuple[float, float]


class Geometry(Value):
    """One lane. `entry_m` is where people come in, whether there is a door or not.

    `reader_m`: where one stands at the document reader; `decision_m`: where one stands to be looked at;
    `away_m` and `out_m`: gone, by the one end and by the other. `watched_m`: what the presence sensor sees,
    `view_m`: where the camera at `camera_m` can see a person. A lane for two directions has a reader and a
    camera at its other end, as far from it.
    """

    entry_m: float = 0.0
    exit_m: float = 3.0
    doors: tuple[Door, ...] = tuple(Door)
    reader_m: float = -0.4
    decision_m: float = 2.3
    away_m: float = -2.0
    out_m: float = 3.4
    camera_m: float = 3.0
    view_m: Stretch = (-0.3, 2.8)
    watched_m: Stretch = (0.0, 3.0)
    two_way: bool = False

    @property
    def ends_m(self) -> dict[Door, float]:
        """Where the doorways are, with a door or without."""
        return {Door.ENTRY: self.entry_m, Door.EXIT: self.exit_m}

    @property
    def doors_m(self) -> dict[Door, float]:
        """Where the doors are."""
        return {door: place for door, place in self.ends_m.items() if door in self.doors}

    def mirrored(self, place_m: float) -> float:
        """The same place as it is measured by who walks from the other end."""
        return self.entry_m + self.exit_m - place_m


MANTRAP: Final = Geometry()
ONE_DOOR: Final = Geometry(doors=(Door.EXIT,))
CORRIDOR: Final = Geometry(
    exit_m=5.0,
    doors=(Door.EXIT,),
    decision_m=4.3,
    out_m=5.4,
    camera_m=5.0,
    view_m=(0.0, 4.8),
    watched_m=(4.0, 5.0),  # from the decision line on
)
PORT: Final = Geometry(two_way=True)
GEOMETRIES: Final = {
    Topology.MANTRAP: MANTRAP,
    Topology.TOKEN_GATE: MANTRAP,
    Topology.ONE_DOOR: ONE_DOOR,
    Topology.CORRIDOR: CORRIDOR,
    Topology.PORT: PORT,
}  # a kiosk has no lane
